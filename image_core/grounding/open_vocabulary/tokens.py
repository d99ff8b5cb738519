"""From a detector's scores of tokens to scores of a phrase's words.

Grounding DINO scores each box against each token of the caption. Its own rule takes a box for its
best token, so that "yellow dog" takes every dog. Here all words of a phrase must be seen on a box:
its score is the geometric mean of its words' scores, each the best of the word's tokens, less where
the weakest word stays below the threshold from which the published code would name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from image_core.grounding.open_vocabulary.candidates import Boxes, Candidates
from image_core.grounding.open_vocabulary.phrases import Phrase

Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Caption:
    """The text for the detector: each phrase in lower case, closed with a full stop.

    Attributes:
        text: All phrases, as sub-sentences that do not see each other.
        spans: Per phrase, where its words stand in the text.
    """

    text: str
    spans: tuple[tuple[Span, ...], ...]


def caption_of(phrases: Sequence[Phrase]) -> Caption:
    """Join phrases to a caption."""
    text, spans = "", []
    for phrase in phrases:
        start = len(text)
        text += f"{phrase.text.lower()}. "
        own, at = [], start
        for word in phrase.words:
            at = text.index(word.lower(), at)
            own.append((at, at + len(word)))
            at += len(word)
        spans.append(tuple(own))
    return Caption(text=text.rstrip(), spans=tuple(spans))


def word_scores(
    probabilities: Float[np.ndarray, "n t"], offsets: Int[np.ndarray, "k 2"], spans: Sequence[Span]
) -> Float[np.ndarray, "n w"]:
    """Return each box's score for each word: the best of the word's tokens.

    Args:
        probabilities: Of boxes against tokens; columns beyond the caption's tokens are ignored.
        offsets: Where each token stands in the caption; (0, 0) for special ones.
        spans: Where each word stands; a word without a token scores 0.
    """
    scores = np.zeros((len(probabilities), len(spans)), probabilities.dtype)
    for w, (start, end) in enumerate(spans):
        own = [
            k
            for k, (first, last) in enumerate(offsets[: probabilities.shape[1]])
            if last > first and first < end and last > start
        ]
        if own:
            scores[:, w] = probabilities[:, own].max(axis=1)
    return scores


def phrase_scores(
    words: Float[np.ndarray, "n w"], text_threshold: float
) -> Float[np.ndarray, " n"]:
    """Return the geometric mean of the words' scores, less where the weakest is hardly seen.

    A weakest word at ``text_threshold`` or above costs nothing more; below, the score falls in
    proportion to it.
    """
    if words.shape[1] == 0:
        return np.zeros(len(words), words.dtype)
    mean = np.exp(np.log(np.maximum(words, 1e-9)).mean(axis=1))
    weakest = words.min(axis=1)
    return np.asarray(mean * np.minimum(1, weakest / max(text_threshold, 1e-9)), words.dtype)


def candidates_of(
    probabilities: Float[np.ndarray, "q t"],
    boxes: Boxes,
    *,
    offsets: Int[np.ndarray, "k 2"],
    caption: Caption,
    phrases: Sequence[Phrase],
    box_threshold: float,
    text_threshold: float,
) -> list[Candidates]:
    """Return what was seen of each phrase.

    Args:
        probabilities: Of queries against tokens.
        boxes: XYXY in pixels.
        offsets: See ``word_scores``.
        caption: From ``caption_of``.
        phrases: What it was made of.
        box_threshold: The published gate: a query whose best token of all scores this or less is
            dropped.
        text_threshold: See ``phrase_scores``.
    """
    kept = np.flatnonzero(probabilities.max(axis=1) > box_threshold)
    words = [word_scores(probabilities[kept], offsets, spans) for spans in caption.spans]
    best = np.stack([own.max(axis=1, initial=0) for own in words])
    found = []
    for k, (phrase, own) in enumerate(zip(phrases, words, strict=True)):
        mine = np.flatnonzero(best[k] >= best.max(axis=0))  # else it is the other phrase's thing
        found.append(
            Candidates(
                boxes=boxes[kept[mine]],
                scores=phrase_scores(own[mine], text_threshold),
                evidence=[_in_words(phrase, row) for row in own[mine]],
            )
        )
    return found


def _in_words(phrase: Phrase, scores: Float[np.ndarray, " w"]) -> str:
    seen = zip(phrase.words, scores, strict=True)
    return "seen by Grounding DINO: " + ", ".join(f"{word} {score:.2f}" for word, score in seen)
