"""Where a head noun ends and what relates it to other things begins."""

from __future__ import annotations

from image_core.instructions.lexicon import (
    DETERMINERS,
    RELATIONS,
)
from image_core.instructions.nouns import describes, is_adjective
from image_core.instructions.positions import (
    preposition_at,
)
from image_core.instructions.text import Words


def goes_on(words: Words) -> bool:
    """Tell whether a noun follows "one", so that it is a number."""
    return bool(words) and not preposition_at(words, 0) and words[0] not in RELATIONS


def relative_clause(words: Words) -> int:
    """Return where "(that) the man is holding" begins, the number of words when nowhere."""
    for index in range(1, len(words) - 1):
        if words[index] in ("that", "which", "who", "whose"):
            return index
        subject = words[index] in ("he", "she", "they", "i", "you", "we")
        if words[index] in DETERMINERS and not preposition_at(words, index - 1):
            subject = any(
                w in ("is", "are", "was", "were", "wears", "holds", "has", "carries", "rides")
                for w in words[index + 2 : index + 5]
            )
        if subject and words[index - 1] not in RELATIONS:
            return index
    return len(words)


def tail_start(words: Words) -> int:
    """Return where the head noun's phrase ends and what follows it begins."""
    for index in range(1, len(words)):
        if words[index].quoted:
            continue
        before = words[index - 1]
        if words[index] in RELATIONS:
            return index
        if preposition_at(words, index):
            if words[index] in ("left", "right") and words[index + 1 : index + 2] != ("of",):
                continue
            return index - 1 if before in ("just", "right", "directly") and index > 1 else index
        participle = words[index].endswith(("ing", "ed")) and is_adjective(words[index])
        if participle and not describes(before) and before not in DETERMINERS:
            after = words[index + 1 : index + 2]
            if not after or after[0] in DETERMINERS | RELATIONS or preposition_at(words, index + 1):
                return index
    return len(words)
