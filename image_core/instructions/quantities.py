"""Clauses about a quantity of the picture: "increase the contrast of the sky by 20 %"."""

from __future__ import annotations

from image_core.instructions.amounts import take_amount
from image_core.instructions.drafts import WHOLE, Change, Draft, Drafts, draft_all
from image_core.instructions.lexicon import DETERMINERS
from image_core.instructions.noun_phrase import strip_determiners
from image_core.instructions.text import POSSESSIVE, Words, vocabulary
from image_core.instructions.tones import FILTER_NOUNS, TONE_NOUNS

_OF = frozenset({"of", "in", "on", "for", "from", "to", "at"})
_LEADS = vocabulary("overall general colour more less of some bit total level amount")
_HIGHER = vocabulary("higher stronger greater up bigger larger more increased")
_LOWER = vocabulary("lower weaker down smaller less reduced decreased lesser softer")


def quantity_change(words: Words, sign: int, amount: float) -> Change | None:
    """Read the name of a quantity: "the overall colour saturation"."""
    words = strip_determiners(words)
    while len(words) > 1 and (words[0] in _LEADS or words[0] in DETERMINERS):
        words = words[1:]
    if len(words) > 1 and words[-1] in ("level", "levels"):
        words = words[:-1]
    if len(words) == 2 and words[0] in ("light", "edge"):
        words = words[1:]
    if len(words) != 1:
        return None
    if words[0] in ("colour",):
        return Change(kind="tone", operation="saturation", amount=sign * amount)
    if words[0] in TONE_NOUNS:
        operation, own = TONE_NOUNS[words[0]]
        return Change(kind="tone", operation=operation, amount=sign * own * amount)
    operation = FILTER_NOUNS.get(words[0], "")
    if operation and sign < 0:
        operation = {"blur": "sharpen", "sharpen": "blur"}.get(operation, "")
    return Change(kind="filter", operation=operation, amount=amount) if operation else None


def quantity(words: Words, sign: int, *, factor: float = 1.0) -> Drafts:
    """Read what follows "increase", "more", "less" …: quantities, and of what.

    Args:
        words: "the contrast and the brightness of the sky by 20 %".
        sign: 1 for more, -1 for less.
        factor: Multiplies the amount.
    """
    words, amount = take_amount(words)
    amount *= factor
    split = next((i for i, word in enumerate(words) if i and word in _OF), len(words))
    if split < len(words) and words[split - 1] == "bit":
        split = next((i for i in range(split + 1, len(words)) if words[i] in _OF), len(words))
    names, owner = words[:split], words[split + 1 :]
    owner, later = take_amount(owner)
    amount = amount if later == 1.0 else later * factor
    if not owner and POSSESSIVE in names:
        at = len(names) - 1 - names[::-1].index(POSSESSIVE)
        names, owner = names[at + 1 :], names[:at]
    changes = _changes(names, sign, amount)
    if changes is None and not owner and len(names) > 1:
        owner, changes = names[:-1], _changes(names[-1:], sign, amount)
        if not strip_determiners(owner):
            owner = ()
    if changes is None:
        return None
    if names[0] == "its" and not owner:
        owner = names[:1]
        owner = (type(names[0])("it"),)
    drafts: list[Draft] = []
    for change in changes:
        made = draft_all(owner, change) if owner else [Draft(reference=WHOLE, change=change)]
        if made is None:
            return None
        drafts += made
    return drafts


def _changes(words: Words, sign: int, amount: float) -> list[Change] | None:
    """Read one quantity or several joined by "and"."""
    parts: list[Words] = []
    start = 0
    for index, word in enumerate((*words, None)):
        if word is None or word in ("and", ",", "&"):
            parts.append(words[start:index])
            start = index + 1
    changes = [quantity_change(part, sign, amount) for part in parts if part]
    known = [change for change in changes if change is not None]
    return known if known and len(known) == len(changes) else None


def adjusted_quantity(words: Words) -> Drafts:
    """Read "the contrast higher", "the brightness of the lamp a bit lower"."""
    for end in range(len(words) - 1, max(0, len(words) - 5), -1):
        rest, amount = take_amount(words[end:])
        if len(rest) != 1 or rest[0] not in _HIGHER | _LOWER:
            continue
        return quantity(words[:end], 1 if rest[0] in _HIGHER else -1, factor=amount)
    return None
