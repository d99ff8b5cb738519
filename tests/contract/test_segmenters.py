"""What every segmenter must keep, held over all of ours, and that the check itself finds cheats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from image_core.seams import Segmenter
from image_core.segmentation import GrabCutConfig
from image_core.testing.segmenters import check_segmenter
from image_core.types import Detection, Image, Region

ROUNDING = 1e-3
"""Share of the pixels in which a batch may differ: those where a logit is 0 but for rounding."""


def test_grabcut_keeps_the_contract() -> None:
    check_segmenter(GrabCutConfig().build())


@pytest.mark.parametrize("kind", ["sam", "sam2", "sam2 for video"])
def test_sam_keeps_the_contract(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from image_core.segmentation.sam import SamConfig
    from image_core.testing.miniature.segmentation import write_sam, write_sam2

    if kind == "sam":
        folder = write_sam(tmp_path)
    else:
        folder = write_sam2(tmp_path, seed=1, video=kind.endswith("video"))
    check_segmenter(_keeping_all(SamConfig(model=str(folder), device="cpu")), tolerance=ROUNDING)


def test_segment_anything_keeps_the_contract(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("segment_anything", reason="segment-anything is not installed")
    from image_core.segmentation.segment_anything import SegmentAnythingConfig
    from image_core.testing.miniature.segmentation import write_segment_anything

    folder = write_segment_anything(tmp_path)
    config = SegmentAnythingConfig(model=str(folder / "tiny.pth"), device="cpu")
    check_segmenter(_keeping_all(config), tolerance=ROUNDING)


def _keeping_all(config: object) -> Segmenter:
    """Build a segmenter that keeps masks of random weights, which miss their boxes."""
    return replace(config, least=0.0).build()  # type: ignore[type-var, attr-defined, no-any-return]


class Box:
    """A segmenter as short as they come, with room for a fault."""

    def segment(
        self, images: Sequence[Image], detections: Sequence[Sequence[Detection]]
    ) -> list[list[Region]]:
        return [
            [region for found in row if (region := self._cut(image, found)) is not None]
            for image, row in zip(images, detections, strict=True)
        ]

    def _cut(self, image: Image, found: Detection) -> Region | None:
        alpha = np.zeros(image.shape[:2], np.float32)
        if found.mask is not None:
            alpha = found.mask.copy()
        elif found.box is not None and np.isfinite(found.box).all():
            x0, y0, x1, y1 = (max(0, int(side)) for side in found.box)
            alpha[y0:y1, x0:x1] = 1
        if alpha.shape != image.shape[:2] or not alpha.any():
            return None
        return Region(alpha=alpha, confidence=found.score, evidence="its box")


class GivesDoubles(Box):
    def _cut(self, image: Image, found: Detection) -> Region | None:
        region = super()._cut(image, found)
        if region is not None:
            object.__setattr__(region, "alpha", region.alpha.astype(np.float64))
        return region


class IgnoresMasks(Box):
    def _cut(self, image: Image, found: Detection) -> Region | None:
        height, width = image.shape[:2]
        box = found.box or (0.0, 0.0, float(width), float(height))
        return super()._cut(image, replace(found, mask=None, box=box))


class TooSure(Box):
    def _cut(self, image: Image, found: Detection) -> Region | None:
        region = super()._cut(image, found)
        return None if region is None else replace(region, confidence=1.5)


class InventsARegion(Box):
    def _cut(self, image: Image, found: Detection) -> Region | None:
        whole = np.ones(image.shape[:2], np.float32)
        return super()._cut(image, found) or Region(alpha=whole, confidence=0.5, evidence="all")


class LooksAtItsNeighbours(Box):
    def segment(
        self, images: Sequence[Image], detections: Sequence[Sequence[Detection]]
    ) -> list[list[Region]]:
        rows = super().segment(images, detections)
        weight = np.float32(1 / max(1, len(images)))
        return [[replace(region, alpha=region.alpha * weight) for region in row] for row in rows]


def test_a_short_segmenter_passes() -> None:
    check_segmenter(Box())


@pytest.mark.parametrize(
    ("cheat", "says"),
    [
        (GivesDoubles, "must be float32"),
        (IgnoresMasks, "reaches far beyond"),
        (TooSure, "is more than the detections'"),
        (InventsARegion, "must be left out"),
        (LooksAtItsNeighbours, "one by one"),
    ],
)
def test_the_check_finds_a_broken_promise(cheat: type[Box], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_segmenter(cheat())
