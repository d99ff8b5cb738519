"""What may be left out of an instruction: "could you please …", "… because it looks dull"."""

from __future__ import annotations

from image_core.instructions.lexicon import PREFIXES, SOFT_BREAKS, SUFFIXES
from image_core.instructions.text import COMMA, Words, vocabulary, words_of
from image_core.instructions.verbs import begins_clause

_PREFIXES = sorted((words_of(prefix) for prefix in PREFIXES), key=len, reverse=True)
_SUFFIXES = sorted((words_of(suffix) for suffix in SUFFIXES), key=len, reverse=True)
_ORDINAL_ADVERBS = vocabulary("first next second third last")
_AFTER_SO = vocabulary("that it the i we you they he she there my")
_ASIDES = vocabulary("it they i that which he she we this there")
_ASIDE_VERBS = vocabulary("'s is are was were do does think hate looks look want am")


def without_reasons(words: Words) -> Words:
    """Cut off why something is wanted: "so that …", "because …"."""
    for at in range(2, len(words)):
        aside = words[at] == COMMA and words[at + 1 : at + 2] and words[at + 1] in _ASIDES
        if aside and words[at + 2 : at + 3] and words[at + 2] in _ASIDE_VERBS:
            return words[:at]
        reason = words[at] in ("because", "since") or words[at : at + 3] == ("in", "order", "to")
        purpose = words[at] == "so" and words[at + 1 : at + 2] and words[at + 1] in _AFTER_SO
        if reason or purpose:
            return words[:at]
    return words


def courteous(words: Words) -> Words:
    """Take courtesies off both ends: "could you please …", "… for me, thanks"."""
    shorter = True
    while words and shorter:
        shorter = False
        for prefix in _PREFIXES:
            if len(words) > len(prefix) and words[: len(prefix)] == prefix:
                words, shorter = words[len(prefix) :], True
                break
        if words[0] == "instead" and words[1:2] != ("of",) and len(words) > 1:
            words, shorter = words[1:], True
        if (
            words[0] in _ORDINAL_ADVERBS
            and len(words) > 1
            and (words[1] == COMMA or begins_clause(words[1:]))
        ):
            words, shorter = words[1:], True
        if words[0] in SOFT_BREAKS and len(words) > 1:
            words, shorter = words[1:], True
    shorter = True
    while len(words) > 1 and shorter:
        shorter = False
        for suffix in _SUFFIXES:
            if len(words) > len(suffix) and words[-len(suffix) :] == suffix:
                words, shorter = words[: -len(suffix)], True
                break
    said_nothing = words in _PREFIXES or words in _SUFFIXES
    return () if said_nothing or all(word in SOFT_BREAKS for word in words) else words
