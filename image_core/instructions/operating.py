"""Clauses whose verb says all: blur, darken, stylise, apply, mix."""

from __future__ import annotations

from image_core.instructions.adding import added
from image_core.instructions.amounts import take_amount
from image_core.instructions.changes import colour_text, read_change
from image_core.instructions.drafts import WHOLE, Change, Draft, Drafts, draft_all
from image_core.instructions.noun_phrase import is_thing, strip_determiners, thing
from image_core.instructions.removing import PARTICLES, removed
from image_core.instructions.styles import is_surface, read_style
from image_core.instructions.text import Words, spoken
from image_core.instructions.verbs import Verb

DULL = Verb(frame="tone", value="saturation", amount=-1)


def applied(words: Words) -> Drafts:
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


def toned(words: Words, *, verb: Verb) -> Drafts:
    """Read what follows "brighten", "desaturate" …: the thing, or nothing for the whole picture."""
    words, amount = take_amount(words)
    if words[:1] and words[0] in PARTICLES:
        words, inner = take_amount(words[1:])
        amount = inner if inner != 1.0 else amount
    if len(words) > 1 and words[-1] in PARTICLES:
        words = words[:-1]
    change = Change(kind="tone", operation=verb.value, amount=verb.amount * amount)
    return draft_all(words, change)


def filtered(words: Words, *, verb: Verb) -> Drafts:
    """Read what follows "blur", "sharpen" …: the thing, or nothing for the whole picture."""
    words, amount = take_amount(words)
    if len(words) > 1 and words[-1] in ("out", "away"):
        words = words[:-1]
    if verb.value == "invert" and words and words[-1] == "colours":
        words = ()
    return draft_all(words, Change(kind="filter", operation=verb.value, amount=amount))


def altered(words: Words, *, verb: Verb) -> Drafts:
    """Read what follows a verb that names a state by itself: "open", "freeze"."""
    if verb.value == "clean" and ("off" in words[1:-1] or "from" in words[1:-1]):
        return removed(words)
    return draft_all(words, Change(kind="attribute", value=verb.value)) if words else None


def styled(words: Words, *, verb: Verb) -> Drafts:
    """Read what follows "stylise" or "cartoonify"."""
    if verb.value:
        return draft_all(words, Change(kind="style", value=verb.value))
    for at in range(1, len(words) - 1):
        if words[at] in ("as", "like", "to", "into", "in"):
            change = read_style(words[at:]) or Change(kind="style", value=thing(words[at + 1 :]))
            return draft_all(words[:at], change)
    return None


def rendered_as(words: Words) -> Drafts:
    """Read "the cat as a statue" after "render" or "depict": what follows "as" is a style."""
    if "as" not in words[1:-1]:
        return None
    at = words.index("as", 1)
    return draft_all(words[:at], Change(kind="style", value=thing(words[at + 1 :])))


def mixed(words: Words) -> Drafts:
    """Read "the dog with a cat": the one becomes a mix of both."""
    for at in range(1, len(words) - 1):
        if (
            words[at] in ("with", "and", "into")
            and is_thing(words[:at])
            and is_thing(words[at + 1 :])
        ):
            value = f"mix of {thing(words[:at])} and {thing(words[at + 1 :])}"
            return draft_all(words[:at], Change(kind="replace", value=value))
    return None
