"""Classifiers on disk: our own folder of two files, and the released checkpoint's single one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor

from image_core.diffusion.text import TextEncoders
from image_core.editors.zone.actions.classifier import ActionClassifier
from image_core.editors.zone.actions.encoding import encode_sentences
from image_core.editors.zone.actions.labels import ACTIONS
from image_core.editors.zone.actions.network import ActionNetwork
from image_core.editors.zone.actions.pooling import POOLINGS, pooled
from image_core.errors import InvalidInput, MissingWeights
from image_core.grounding.open_vocabulary.checkpoint import state_of
from image_core.photo.atomic import not_writable, write_atomically
from image_core.weights.completeness import missing_files

KIND = "insitu action classifier"
_FORM = 1
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_TRAIN = "Train one: insitu train action-classifier"
_PROBE = "a photo of a cat on a wooden table"
_SAME = 0.99  # cosine of two encoders' vectors of the probe; 16 bits alone leave 0.999


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is told of a classifier beside its weights.

    Attributes:
        model: The checkpoint whose text encoder it reads.
        seed: Of its training.
        figures: What was measured.
    """

    model: str
    seed: int
    figures: Mapping[str, Any]


def save_classifier(folder: Path, classifier: ActionClassifier, card: Card) -> None:
    """Write a classifier that pools, weights first, so that no half of one can be loaded.

    Raises:
        InvalidInput: The folder cannot be written, or holds other things.
    """
    check_free(folder)
    tensors = {name: tensor.contiguous() for name, tensor in classifier.network.tensors().items()}
    weights = save({**tensors, "probe": _probe_vector(classifier.text)})
    config = {
        "kind": KIND,
        "form": _FORM,
        "classes": list(ACTIONS),
        "pooling": classifier.pooling,
        "width": classifier.network.width,
        "encoder": card.model,
        "seed": card.seed,
        "figures": card.figures,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    write_atomically(folder / _WEIGHTS, weights)
    write_atomically(folder / _CONFIG, (json.dumps(config, indent=1) + "\n").encode())


def check_free(folder: Path) -> None:
    """Refuse a folder that holds anything but a classifier of ours.

    Raises:
        InvalidInput: It does, or is no folder.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is no folder", hint="Name a folder with -o.")
    others = sorted({path.name for path in folder.iterdir()} - {_CONFIG, _WEIGHTS})
    if others or ((folder / _CONFIG).exists() and _config_of(folder).get("kind") != KIND):
        raise InvalidInput(
            f"{folder} holds other things: {others[0] if others else _CONFIG}",
            hint="Name a new or empty folder, or one with a classifier to replace.",
        )


def load_classifier(path: Path, text: TextEncoders) -> ActionClassifier:
    """Load a classifier for a checkpoint's text encoder.

    Args:
        path: A folder that ``save_classifier`` wrote, or the released code's file of weights,
            which brings its own rule and is not checked beyond its shapes.
        text: The encoders; the first is used.

    Raises:
        MissingWeights: Nothing is there, or a file is missing or cut off.
        InvalidInput: It is damaged, no such classifier, or was trained with another encoder.
    """
    if path.is_file():
        network = _network_from(state_of(path), path)
        _check_width(network, text, path)
        return ActionClassifier(text=text, network=network, pooling=None)
    lacking = missing_files(path, (_CONFIG, _WEIGHTS))
    if lacking:
        raise MissingWeights(
            f"there is no whole action classifier in {path}: {lacking[0]} is missing", hint=_TRAIN
        )
    config = _config_of(path)
    pooling = next((one for one in POOLINGS if one == config.get("pooling")), None)
    if config.get("kind") != KIND or config.get("form") != _FORM or pooling is None:
        raise InvalidInput(f"{path / _CONFIG} tells of no action classifier that we know of")
    weights = (path / _WEIGHTS).read_bytes()
    if hashlib.sha256(weights).hexdigest() != config.get("sha256"):
        raise InvalidInput(f"{path / _WEIGHTS} is not what {_CONFIG} tells of", hint=_TRAIN)
    state = load(weights)
    network = _network_from(state, path)
    _check_width(network, text, path)
    _check_encoder(state.get("probe"), text, path, str(config.get("encoder")))
    return ActionClassifier(text=text, network=network, pooling=pooling)


def _config_of(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / _CONFIG).read_text())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{folder / _CONFIG} cannot be read: {error}", hint=_TRAIN) from error
    return config if isinstance(config, dict) else {}


def _network_from(state: Mapping[str, Tensor], path: Path) -> ActionNetwork:
    try:
        first, second = state["fc1.weight"].float(), state["fc2.weight"].float()
        offsets = state["fc1.bias"].float(), state["fc2.bias"].float()
    except KeyError as error:
        raise InvalidInput(f"{path} has no weights called {error}", hint=_TRAIN) from error
    shapes = [tuple(tensor.shape) for tensor in (first, offsets[0], second, offsets[1])]
    hidden, width = shapes[0] if first.ndim == 2 else (0, 0)
    if shapes != [(hidden, width), (hidden,), (len(ACTIONS), hidden), (len(ACTIONS),)]:
        raise InvalidInput(f"the weights in {path} have the wrong shapes: {shapes}", hint=_TRAIN)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in (first, second, *offsets)):
        raise InvalidInput(f"the weights in {path} are not finite", hint=_TRAIN)
    return ActionNetwork(
        fc1_weight=first, fc1_bias=offsets[0], fc2_weight=second, fc2_bias=offsets[1]
    )


def _check_width(network: ActionNetwork, text: TextEncoders, path: Path) -> None:
    width = int(text.encoders[0].config.hidden_size)
    if network.width != width:
        raise InvalidInput(
            f"the action classifier in {path} reads {network.width} features, but the text "
            f"encoder gives {width}",
            hint=f"{_TRAIN} --model MODEL",
        )


def _check_encoder(probe: Tensor | None, text: TextEncoders, path: Path, model: str) -> None:
    """Compare what this encoder makes of the probe with what the training's made of it."""
    now = _probe_vector(text)
    alike = 0.0
    if probe is not None and probe.shape == now.shape:
        alike = float(torch.cosine_similarity(probe.float(), now, dim=0))
    if not alike >= _SAME:
        raise InvalidInput(
            f"the action classifier in {path} was trained with another text encoder, that of "
            f"{model}",
            hint=f"{_TRAIN} --model MODEL",
        )


def _probe_vector(text: TextEncoders) -> Float[Tensor, " width"]:
    encoded = encode_sentences(text, [_PROBE])
    return pooled(encoded.hidden, encoded.lengths, "mean")[0]
