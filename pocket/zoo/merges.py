"""Byte pair encoding learned to saturation: every word of a closed list becomes one token.

Source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units,
ACL 2016, algorithm 1. Ties are settled by the alphabet, so that the result is always the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

Pair = tuple[str, str]

END = "</w>"
"""What marks the last letter of a word, as CLIP's tokenizer does."""


def learned_merges(words: Sequence[str]) -> tuple[Pair, ...]:
    """Return the merges in the order in which they are applied.

    Args:
        words: Each counts once; letters only.
    """
    split = [[*word[:-1], word[-1] + END] for word in dict.fromkeys(words)]
    merges: list[Pair] = []
    while counts := Counter(pair for parts in split for pair in pairwise(parts)):
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        split = [_merged(parts, best) for parts in split]
    return tuple(merges)


def _merged(parts: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    for part in parts:
        # a part that was merged just now is no half of the next pair: "aaa" gives "aa" and "a"
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out
