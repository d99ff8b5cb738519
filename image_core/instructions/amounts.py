"""How much: "slightly", "a lot", "by 30 %"."""

from __future__ import annotations

from image_core.instructions.text import Words

# The usual dose of an operator is a change by half, so that "by 50 %" is 1.
USUAL_SHARE = 50.0
LITTLE, MUCH = 0.5, 2.0
_PHRASES = {
    **dict.fromkeys(
        [
            ("a", "little", "bit"), ("a", "tiny", "bit"), ("a", "bit"), ("a", "little"),
            ("a", "touch"),
            ("a", "tad"), ("slightly",), ("somewhat",), ("subtly",), ("gently",), ("a", "smidge"),
            ("just", "a", "bit"), ("ever", "so", "slightly"), ("mildly",), ("marginally",),
            ("a", "notch"), ("lightly",), ("softly",), ("a", "shade"), ("a", "hint"), ("faintly",),
            ("by", "a", "little"), ("by", "a", "bit"), ("a", "slight", "bit"),
        ],
        LITTLE,
    ),
    **dict.fromkeys(
        [
            ("a", "lot"), ("a", "whole", "lot"), ("much",), ("very", "much"), ("very",),
            ("strongly",),
            ("significantly",), ("considerably",), ("heavily",), ("way",), ("far",), ("extremely",),
            ("a", "great", "deal"), ("really",), ("drastically",), ("dramatically",), ("super",),
            ("greatly",), ("so", "much"), ("by", "a", "lot"), ("intensely",), ("substantially",),
            ("twice", "as"), ("twice", "as", "much"), ("lots",), ("massively",), ("noticeably",),
            ("extra",), ("markedly",),
        ],
        MUCH,
    ),
    **dict.fromkeys([("quite",), ("rather",), ("fairly",), ("overall",), ("in", "general")], 1.0),
    ("by", "half"): 1.0, ("in", "half"): 1.0, ("half",): 1.0,
}  # fmt: skip
DEGREE_WORDS = frozenset(phrase[0] for phrase in _PHRASES if len(phrase) == 1)


def take_amount(words: Words) -> tuple[Words, float]:
    """Take degree words off either end of a phrase.

    Returns:
        The other words, and how much of the usual dose (1 when unsaid), always positive.
    """
    amount = 1.0
    changed = True
    while words and changed:
        changed = False
        share = _share_at_end(words)
        if share is not None:
            words, amount, changed = words[: share[0]], share[1], True
            continue
        if words[0].endswith("%"):
            rest = words[2:] if words[1:2] == ("of",) else words[1:]
            words, amount, changed = rest, _dose(words[0]), True
            continue
        for length in (4, 3, 2, 1):
            front, end = tuple(words[:length]), tuple(words[-length:])
            if len(words) > length and front in _PHRASES:
                words, amount, changed = words[length:], _PHRASES[front], True
                break
            if len(words) >= length and end in _PHRASES:
                words, amount, changed = words[:-length], _PHRASES[end], True
                break
    return words, amount


def _dose(share: str) -> float:
    return float(share[:-1]) / USUAL_SHARE


def _share_at_end(words: Words) -> tuple[int, float] | None:
    if not words or not words[-1].endswith("%") or len(words[-1]) > 12:
        return None
    start = len(words) - 1
    while start and words[start - 1] in ("by", "about", "around", "roughly", "some", "to"):
        start -= 1
    return start, _dose(words[-1])
