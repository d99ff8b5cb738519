"""One clause: its verb, and the pattern that the verb asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from image_core.instructions.adding import added, covered, dressed, given, had, worn
from image_core.instructions.amounts import take_amount
from image_core.instructions.becoming import (
    becoming_anything,
    being,
    changed,
    complement,
    loose_complement,
    make,
    replaced,
    substituted,
)
from image_core.instructions.changes import (
    Change,
    colour_text,
    is_surface,
    read_becoming,
    read_change,
    read_filter,
    read_style,
    read_tone,
    scaled,
)
from image_core.instructions.drafts import WHOLE, Draft, Drafts, draft_all, with_source_colour
from image_core.instructions.lexicon import CONDITIONS, COLOUR_NOUNS, INDEFINITE
from image_core.instructions.noun_phrase import (
    is_thing,
    read_references,
    starts_noun_phrase,
    strip_determiners,
    thing,
)
from image_core.instructions.quantities import quantity
from image_core.instructions.text import COMMA, Words, spoken
from image_core.instructions.verbs import Verb, verb_at

Reader = Callable[[Words], Drafts]
_PARTICLES = frozenset("up down out away off altogether completely".split())
_INSTEAD = (("instead", "of"), ("in", "place", "of"), ("rather", "than"), ("in", "lieu", "of"))
_GREY = Change(kind="filter", operation="grayscale")
_GONE = Change(kind="remove")
_SOMETHING = frozenset({"colour", "colours", "saturation", "blur", "contrast", "brightness"})


def reader_of(verb: Verb | None) -> Reader:
    """Return what reads the words after a verb; without a verb, a statement is read."""
    if verb is None:
        return statement
    readers: dict[str, Reader] = {
        "make": _first(_smiling, worn, _on_fire, make, _conditions),
        "paint": _first(make, _indefinitely_added, covered_loosely),
        "change": _first(_conditions, changed, make),
        "replace": replaced,
        "substitute": substituted,
        "remove": removed,
        "clear": _cleared,
        "take": _taken,
        "add": _first(_put_into, added),
        "give": given,
        "dress": dressed,
        "cover": partial(covered, filling=False),
        "fill": partial(covered, filling=True),
        "apply": _applied,
        "set": _first(_on_fire, _conditions, changed, added),
        "want": _first(_wanted),
        "more": partial(quantity, sign=1, factor=verb.amount),
        "less": _first(partial(quantity, sign=-1, factor=verb.amount), partial(_toned, verb=_DULL)),
        "tone": partial(_toned, verb=verb),
        "filter": partial(_filtered, verb=verb),
        "colour": partial(draft_all, change=Change(kind="recolor", value=verb.value)),
        "attribute": partial(_altered, verb=verb),
        "style": partial(_styled, verb=verb),
        "mix": _mixed,
        "find": _found,
        "imagine": _imagined,
    }
    return readers[verb.frame]


_DULL = Verb(frame="tone", value="saturation", amount=-1)
GAPPING = frozenset("make paint change replace substitute add give cover fill want set imagine".split())


def _first(*readers: Reader) -> Reader:
    def read(words: Words) -> Drafts:
        for reader in readers:
            drafts = reader(words)
            if drafts:
                return drafts
        return None

    return read


def loosely(verb: Verb | None, words: Words) -> Drafts:
    """Read what no strict pattern reads: an unknown last word as an attribute."""
    if verb is not None and verb.frame in ("make", "paint", "want"):
        return loose_complement(words)
    return None


def statement(words: Words) -> Drafts:
    """Read a clause without an imperative: "the chair should be blue", "more contrast"."""
    if words[:1] and words[0] in ("more", "less"):
        drafts = quantity(words[1:], 1 if words[0] == "more" else -1)
        if drafts:
            return drafts
    if words[:1] == ("no",):
        return removed(words[2:] if words[1:2] == ("more",) else words[1:])
    if words[:2] == ("for", "the") or words[:2] == ("as", "for"):
        return _found(words[2:] if words[0] == "as" else words[1:])
    if words[:1] == ("there",):
        return _there(words)
    drafts = _missing(words) or being(words) or worn(words) or had(words)
    if drafts:
        return drafts
    whole = read_style(words) or read_filter(words) or read_tone(words)
    if whole is not None and (whole.kind != "style" or words[0] in ("in", "as", "like") or len(words) < 4):
        return [Draft(reference=WHOLE, change=whole)]
    if starts_noun_phrase(words):
        return make(words)
    return _adjective_first(words)


def _adjective_first(words: Words) -> Drafts:
    """Read "warmer colours", "a darker sky": a comparative before the thing."""
    bare = strip_determiners(words)
    bare, amount = take_amount(bare)
    for end in (2, 1):
        change = read_tone(bare[:end]) if len(bare) > end else None
        if change is not None and (bare[0] in ("more", "less") or bare[0].endswith("er")):
            return draft_all(bare[end:], scaled(change, amount))
    return None


def _there(words: Words) -> Drafts:
    for lead in (
        ("there", "should", "be"), ("there", "must", "be"), ("there", "is"), ("there", "are"),
        ("there", "was"), ("there", "were"), ("there", "needs", "to", "be"), ("there", "could", "be"),
    ):  # fmt: skip
        if words[: len(lead)] == lead:
            rest = words[len(lead) :]
            return removed(rest[1:]) if rest[:1] == ("no",) else added(rest)
    return None


def _missing(words: Words) -> Drafts:
    """Read "the table without the cups", "the chair should not be there"."""
    if "without" in words[1:-1]:
        at = words.index("without", 1)
        return removed(words[at + 1 :])
    for end in (
        ("should", "not", "be", "there"), ("were", "not", "there"), ("was", "not", "there"),
        ("should", "be", "gone"), ("should", "disappear"), ("has", "to", "go"), ("must", "go"),
        ("should", "go"), ("needs", "to", "go"), ("should", "vanish"), ("have", "to", "go"),
        ("were", "gone"), ("was", "gone"), ("disappeared",), ("vanished",), ("should", "go", "away"),
        ("should", "not", "be", "here"), ("need", "to", "go"), ("were", "missing"), ("was", "missing"),
        ("to", "disappear"), ("to", "go"), ("to", "be", "gone"), ("must", "disappear"),
    ):  # fmt: skip
        if len(words) > len(end) and words[-len(end) :] == end:
            return removed(words[: -len(end)])
    return None


def _wanted(words: Words) -> Drafts:
    if words[:1] == ("to",):
        return None
    words = words[2:] if words[:2] in (("to", "see"), ("to", "have")) else words
    if words[:1] == ("no",):
        return removed(words[1:])
    drafts = statement(words) if words[:1] != ("there",) else None
    if drafts:
        return drafts
    return complement(words) or (added(words) if words[:1] and words[0] in INDEFINITE else None)


def _imagined(words: Words) -> Drafts:
    """Read what follows "what if": a statement, or "the dog as a cat"."""
    if words[:1] and words[0] in ("would", "does", "do", "could", "if", "that", "making", "we", "you", "i"):
        return _imagined(words[1:])
    found = verb_at(words)
    if found is not None and found[0].frame in ("make", "paint", "change", "replace", "remove", "add"):
        return reader_of(found[0])(words[found[1] :])
    for verb in ("turned", "became", "changed", "transformed"):
        if verb in words[1:-1]:
            at = words.index(verb, 1)
            after = words[at + 1 :]
            after = after[1:] if after[0] in ("into", "to") else after
            change = becoming_anything(after) if after else None
            return draft_all(words[:at], change) if change else None
    if "look" in words[1:-1]:
        at = words.index("look", 1)
        after = words[at + 1 :]
        after = after[1:] if after[:1] == ("like",) else after
        for lead in (("if", "it", "were"), ("if", "it", "was"), ("if", "they", "were"), ("as",), ("in",)):
            if after[: len(lead)] == lead and len(after) > len(lead):
                change = read_becoming(after[len(lead) :]) or becoming_anything(after[len(lead) :])
                return draft_all(words[:at], change) if change else None
        if after[:1] == ("with",):
            return given((*words[:at], *after[1:]))
        if after[:1] == ("without",):
            return removed(after[1:])
    drafts = statement(words)
    if drafts is None and "as" in words[1:-1]:
        at = words.index("as", 1)
        change = read_style(words[at:]) or read_becoming(words[at + 1 :])
        drafts = draft_all(words[:at], change) if change else None
    return drafts or complement(words)


def _smiling(words: Words) -> Drafts:
    """Read "the man smile": a bare verb that shows in the picture, or one of vanishing."""
    for end in (("go", "away"), ("disappear",), ("vanish",), ("invisible",), ("gone",), ("be", "gone")):
        if len(words) > len(end) and words[-len(end) :] == end:
            return removed(words[: -len(end)])
    shown = {
        "smile": "smiling", "laugh": "laughing", "cry": "crying", "sleep": "sleeping", "jump": "jumping",
        "run": "running", "glow": "glowing", "shine": "shining", "sparkle": "sparkling", "frown": "frowning",
        "dance": "dancing", "fly": "flying", "sit": "sitting", "stand": "standing", "rain": "rainy",
        "snow": "snowy", "burn": "burning", "melt": "melting", "wink": "winking", "bloom": "blooming",
    }  # fmt: skip
    if len(words) > 1 and words[-1] in shown:
        return draft_all(words[:-1], Change(kind="attribute", value=shown[words[-1]]))
    return None


def _on_fire(words: Words) -> Drafts:
    if len(words) > 2 and words[-2:] in (("on", "fire"), ("in", "flames")):
        return draft_all(words[:-2], Change(kind="attribute", value="on fire"))
    return None


def _conditions(words: Words) -> Drafts:
    """Read "the season to winter", "it look like autumn", "it snow": what the whole picture shares."""
    if "to" not in words[1:-1]:
        return None
    at = words.index("to", 1)
    bare = strip_determiners(words[:at])
    if not bare or bare[0] not in CONDITIONS:
        return None
    return [Draft(reference=WHOLE, change=Change(kind="style", value=thing(words[at + 1 :])))]


def _indefinitely_added(words: Words) -> Drafts:
    """Read "draw a moon in the sky": painting a new thing rather than an old one."""
    if not words or words[0] in ("the", "this", "that", "it", "these", "those", "my"):
        return None
    return added(words)


def covered_loosely(words: Words) -> Drafts:
    """Read "paint the wall with red flowers" as a pattern."""
    if "with" not in words[1:-1]:
        return None
    return covered(words, filling=True)


def _put_into(words: Words) -> Drafts:
    """Read "put the photo in black and white"."""
    if not words or words[0] in INDEFINITE:
        return None
    for at in range(1, len(words) - 1):
        if words[at] in ("in", "into", "out"):
            change = read_filter(words[at:]) or read_filter(words[at + 1 :]) or read_style(words[at:])
            drafts = draft_all(words[:at], change) if change else None
            if drafts:
                return drafts
    return None


def _applied(words: Words) -> Drafts:
    """Read what follows "apply": "a sepia filter to the sky"."""
    for at in range(1, len(words) - 1):
        if words[at] not in ("to", "on", "over", "onto", "across", "for", "in"):
            continue
        effect, host = words[:at], words[at + 1 :]
        drafts = added(words)
        if drafts and drafts[0].change is not None and drafts[0].change.kind != "add":
            return drafts
        bare = strip_determiners(effect)
        if not bare:
            return None
        colour = colour_text(bare)
        change = Change(kind="recolor", value=colour) if colour else read_change(bare)
        if change is None and is_surface(bare):
            change = Change(kind="texture", operation="fill", value=spoken(bare))
        return draft_all(host, change) if change else drafts
    change = read_change(strip_determiners(words)) if words else None
    return [Draft(reference=WHOLE, change=change)] if change else None


def removed(words: Words) -> Drafts:
    """Read what follows "remove": the thing, or the colour of a thing."""
    while words and (words[-1] in _PARTICLES or words[-2:] == ("from", "view")):
        words = words[: -1 if words[-1] in _PARTICLES else -2]
    words = words[1:] if words[:1] and words[0] in _PARTICLES else words
    while words and words[0] in ("any", "of"):
        words = words[1:]
    bare = strip_determiners(words)
    bare = strip_determiners(bare[1:]) if bare[:1] == ("all",) else bare
    if not bare:
        return None
    if bare[0] in _SOMETHING and (len(bare) == 1 or bare[1] in ("from", "of", "in", "out")):
        owner = bare[3 if bare[1:3] == ("out", "of") else 2 :]
        if bare[0] in COLOUR_NOUNS or bare[0] == "saturation":
            return draft_all(owner, _GREY)
        return quantity(bare, -1)
    return draft_all(words, _GONE)


def _cleared(words: Words) -> Drafts:
    """Read "clear the table of cups", "clear away the cups"."""
    if "of" in words[1:-1]:
        at = words.index("of", 1)
        drafts = removed(words[at + 1 :])
        relation = f"on {spoken(words[:at])}"
        return drafts and [
            replace(d, reference=replace(d.reference, target=replace(d.reference.target, relation=relation)))
            for d in drafts
        ]
    return removed(words)


def _taken(words: Words) -> Drafts:
    """Read "take the hat off the man", "take the colour out of the sky", "take the chair"."""
    for particle in ("away", "out", "off"):
        if particle in words[1:]:
            return removed(words)
    if len(words) > 3 and "from" in words[1:-1]:
        return removed(words)
    return _found(words)


def _toned(words: Words, *, verb: Verb) -> Drafts:
    words, amount = take_amount(words)
    if words[:1] and words[0] in _PARTICLES:
        words, inner = take_amount(words[1:])
        amount = inner if inner != 1.0 else amount
    if len(words) > 1 and words[-1] in _PARTICLES:
        words = words[:-1]
    change = Change(kind="tone", operation=verb.value, amount=verb.amount * amount)
    return draft_all(words, change)


def _filtered(words: Words, *, verb: Verb) -> Drafts:
    words, amount = take_amount(words)
    if len(words) > 1 and words[-1] in ("out", "away"):
        words = words[:-1]
    if verb.value == "invert" and words and words[-1] == "colours":
        words = ()
    return draft_all(words, Change(kind="filter", operation=verb.value, amount=amount))


def _altered(words: Words, *, verb: Verb) -> Drafts:
    return draft_all(words, Change(kind="attribute", value=verb.value)) if words else None


def _styled(words: Words, *, verb: Verb) -> Drafts:
    if verb.value:
        return draft_all(words, Change(kind="style", value=verb.value))
    return complement(words) or changed(words)


def _mixed(words: Words) -> Drafts:
    """Read "the dog with a cat": the one becomes a mix of both."""
    for at in range(1, len(words) - 1):
        if words[at] in ("with", "and", "into") and is_thing(words[:at]) and is_thing(words[at + 1 :]):
            value = f"mix of {thing(words[:at])} and {thing(words[at + 1 :])}"
            return draft_all(words[:at], Change(kind="replace", value=value))
    return None


def _found(words: Words) -> Drafts:
    references = read_references(words)
    if references is None:
        return None
    return [Draft(reference=reference, change=None) for reference in references]


def read_instead(words: Words, read: Reader) -> Drafts:
    """Read "a cat instead of the dog", "make the car red instead of blue"."""
    for phrase in _INSTEAD:
        for at in range(len(words) - len(phrase)):
            if words[at : at + len(phrase)] != phrase:
                continue
            new, old = words[:at], words[at + len(phrase) :]
            if not new and COMMA in old:
                comma = old.index(COMMA)
                new, old = old[comma + 1 :], old[:comma]
            return _instead(new, old, read)
    return None


def _instead(new: Words, old: Words, read: Reader) -> Drafts:
    drafts = read(new) if new else None
    if drafts and all(d.change is not None and d.change.kind not in ("add", "remove") for d in drafts):
        return with_source_colour(drafts, colour_text(old))
    found = verb_at(new)
    if found is not None:
        new = new[found[1] :]
    for lead in (("there", "should", "be"), ("there", "is"), ("to", "see"), ("to", "have"), ("me",)):
        new = new[len(lead) :] if new[: len(lead)] == lead else new
    if not new or not is_thing(new):
        return None
    return draft_all(old, Change(kind="replace", value=thing(new)))
