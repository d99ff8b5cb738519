"""Editors for the tests of the data-set update, used as plug-in files: ``nerf_editors.py:Name``."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from image_core import Capabilities, Edit, EditBatch, EditStep

KINDS = frozenset({"recolor", "replace", "style", "attribute", "texture"})


@dataclass(frozen=True, kw_only=True)
class BlendsTheRender:
    """Goes part of the way from the render to a colour, with noise by the view's key and render.

    One other bit in the render gives other noise all over, which no rounding hides.
    """

    share: float = 0.5
    noise: float = 0.02
    capabilities = Capabilities(kinds=KINDS, options=("share", "noise"))

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> Prepared:
        means = [
            image[region.alpha > 0].mean(axis=0)
            for batch in reference
            for image, region in zip(batch.images, batch.regions, strict=True)
        ]
        mean = np.mean(means, axis=0) if means else np.zeros(3)
        return Prepared(self.share, self.noise, [float(value) for value in mean])


@dataclass
class Prepared:
    """The mean colour of the originals is frozen; the colour wanted is its inverse."""

    share: float
    noise: float
    mean: list[float]
    pointwise = False

    def edit(self, work: EditBatch) -> Edit:
        wanted = 1 - np.float32(self.mean)
        made = []
        for image, key in zip(work.images, work.keys, strict=True):
            drawn = np.random.default_rng([key, zlib.crc32(image.tobytes())])
            grain = drawn.standard_normal(image.shape).astype(np.float32)
            share = np.float32(self.share * work.strength)
            made.append(np.clip(image + share * (wanted - image) + self.noise * grain, 0, 1))
        return Edit(images=made, evaluations=len(made))

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.mean = list(state["mean"])


@dataclass(frozen=True, kw_only=True)
class GivesNaN:
    """Gives NaN for the views whose key is a multiple of ``every``."""

    every: int = 2
    capabilities = Capabilities(kinds=KINDS, options=("every",), max_batch=1)

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> PreparedNaN:
        return PreparedNaN(self.every)


@dataclass
class PreparedNaN:
    """See ``GivesNaN``."""

    every: int
    pointwise = False

    def edit(self, work: EditBatch) -> Edit:
        bad = work.keys[0] % self.every == 0
        return Edit(images=[image * np.float32(np.nan if bad else 0.5) for image in work.images])

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        del state
