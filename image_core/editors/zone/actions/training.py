"""Training a classifier for a text encoder, from sentences to figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from image_core.diffusion.text import TextEncoders
from image_core.disk_cache import DiskCache, content_key
from image_core.editors.zone.actions.classifier import ActionClassifier, opinions_from
from image_core.editors.zone.actions.encoding import encode_sentences
from image_core.editors.zone.actions.fitting import (
    FitSettings,
    fitted,
    held_back_logits,
    temperature_of,
)
from image_core.editors.zone.actions.labels import ACTIONS, Opinion
from image_core.editors.zone.actions.pooling import POOLINGS, Pooling, pooled
from image_core.editors.zone.actions.sentences import (
    Sentence,
    hard_sentences,
    plain_sentences,
    training_sentences,
)
from image_core.types import no_progress

FOLDS = 5
"""In how many parts, by frames, the training sentences are held back in turn."""

Features = dict[str, Tensor]
"""Sentence vectors by pooling."""

Said = tuple[Sentence, Opinion]
"""A sentence and what the classifier makes of it."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A classifier and what was measured of it.

    Attributes:
        classifier: Trained on all training sentences.
        held_back: Accuracy of each pooling on frames held back from training; the best is taken.
        temperature: By which confidences were calibrated, on the same frames.
        plain: Its opinions on the 150 test sentences.
        hard: Its opinions on those written by hand.
    """

    classifier: ActionClassifier
    held_back: dict[Pooling, float]
    temperature: float
    plain: Sequence[Said]
    hard: Sequence[Said]


def train_classifier(
    text: TextEncoders,
    settings: FitSettings,
    *,
    cache: DiskCache | None = None,
    progress: Callable[[str, float], None] = no_progress,
) -> Trained:
    """Train on generated sentences, and read the two sets that nothing was learnt from.

    The pooling and the temperature are chosen on training frames held back in turn, never on the
    test sentences.

    Args:
        text: The checkpoint's encoders; the first is used, and not changed.
        settings: How to fit.
        cache: Where sentence vectors are kept; None keeps none.
        progress: Told a stage's name and the done share of it.
    """
    sets = (training_sentences(settings.seed), plain_sentences(settings.seed), hard_sentences())
    texts = [sentence.text for one in sets for sentence in one]
    found = _features(text, texts, cache, progress)
    sizes = [len(one) for one in sets]
    labels, folds = _labels(sets[0]), folds_by_frame(sets[0])
    held_back: dict[Pooling, float] = {}
    logits: dict[Pooling, Tensor] = {}
    for turn, how in enumerate(POOLINGS, start=1):
        features = found[how][: sizes[0]]
        logits[how] = held_back_logits(features, labels, folds, settings)
        held_back[how] = float((logits[how].argmax(dim=1) == labels).float().mean())
        progress("fitting", turn / (len(POOLINGS) + 1))
    best = max(POOLINGS, key=lambda how: held_back[how])  # the simplest of equal ones
    temperature = temperature_of(logits[best], labels)
    learnt, plain, hard = torch.split(found[best], sizes)
    network = fitted(learnt, labels, settings).cooled(temperature)
    progress("fitting", 1.0)
    return Trained(
        classifier=ActionClassifier(text=text, network=network, pooling=best),
        held_back=held_back,
        temperature=temperature,
        plain=tuple(zip(sets[1], opinions_from(network.logits(plain)), strict=True)),
        hard=tuple(zip(sets[2], opinions_from(network.logits(hard)), strict=True)),
    )


def _labels(sentences: Sequence[Sentence]) -> Int64[Tensor, " n"]:
    return torch.tensor([ACTIONS.index(sentence.action) for sentence in sentences])


def folds_by_frame(sentences: Sequence[Sentence]) -> list[int]:
    """Give each frame a fold, those of every class to all folds in turn."""
    frames: dict[str, dict[str, None]] = {action: {} for action in ACTIONS}
    for sentence in sentences:
        frames[sentence.action][sentence.group] = None
    fold = {frame: turn % FOLDS for own in frames.values() for turn, frame in enumerate(own)}
    return [fold[sentence.group] for sentence in sentences]


def _features(
    text: TextEncoders,
    texts: Sequence[str],
    cache: DiskCache | None,
    progress: Callable[[str, float], None],
) -> Features:
    """Return all sentences' vectors by each pooling, from the cache where they are there."""
    key = _key(text, texts) if cache is not None else ""
    known = cache.get(key) if cache is not None else None
    if known is not None:
        try:
            return load(known)
        except SafetensorError:  # torn: made anew
            pass
    encoded = encode_sentences(text, texts, tick=lambda done: progress("encoding", done))
    made: dict[str, Float[Tensor, "n width"]] = {
        how: pooled(encoded.hidden, encoded.lengths, how) for how in POOLINGS
    }
    if cache is not None:
        cache.put(key, save(made))
    return made


def _key(text: TextEncoders, texts: Sequence[str]) -> str:
    """Name the vectors by all that they come from: weights, tokens, and the kind of device."""
    weights = (
        value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
        for value in text.encoders[0].state_dict().values()
    )
    tokens = text.tokenizers[0](list(texts))["input_ids"]
    return content_key("zone actions 1", text.encoders[0].device.type, json.dumps(tokens), *weights)
