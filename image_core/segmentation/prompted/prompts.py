"""What a promptable network is asked and answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from image_core.types import Box, Detection, Point

Picture = UInt8[np.ndarray, "_ _ 3"]
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What points at one thing, in pixels of the picture.

    Attributes:
        box: Around it, within the picture.
        points: Inside it.
        not_points: Outside it.
    """

    box: Box | None = None
    points: tuple[Point, ...] = ()
    not_points: tuple[Point, ...] = ()

    @property
    def shape(self) -> tuple[bool, int]:
        """Prompts of one shape can share a call without padding, which would change the masks."""
        return self.box is not None, len(self.points) + len(self.not_points)


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """A network's masks for one prompt.

    Attributes:
        logits: Above 0 inside. They cover the picture exactly, at the network's own resolution.
        quality: The network's own estimate of each mask's intersection over union.
    """

    logits: Float32[np.ndarray, "k h w"]
    quality: Float32[np.ndarray, " k"]


@runtime_checkable
class PromptedNetwork(Protocol):
    """A network that looks at a picture once and then answers any number of prompts."""

    def encode(self, pictures: Sequence[Picture]) -> list[Any]:
        """Look at pictures of any sizes, in one call."""
        ...

    def decode(self, seen: Any, prompts: Sequence[Prompt]) -> list[Guesses]:
        """Answer prompts about one picture."""
        ...


def prompt_of(detection: Detection, height: int, width: int) -> Prompt | None:
    """Return a detection's prompt; None when nothing of it lies inside the picture."""
    box = detection.box
    if box is not None:
        if not np.isfinite(box).all():
            return None
        box = (
            min(max(box[0], 0.0), width), min(max(box[1], 0.0), height),
            min(max(box[2], 0.0), width), min(max(box[3], 0.0), height),
        )  # fmt: skip
        if box[2] <= box[0] or box[3] <= box[1]:
            return None
    points = tuple(p for p in detection.points if 0 <= p[0] < width and 0 <= p[1] < height)
    outside = tuple(p for p in detection.not_points if 0 <= p[0] < width and 0 <= p[1] < height)
    if box is None and not points:
        return None
    return Prompt(box=box, points=points, not_points=outside)


def grouped(items: Iterable[tuple[Hashable, Item]]) -> list[list[Item]]:
    """Gather items by key, in the order of first appearance."""
    groups: dict[Hashable, list[Item]] = {}
    for key, item in items:
        groups.setdefault(key, []).append(item)
    return list(groups.values())
