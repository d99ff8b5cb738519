"""The segmenter that needs no weights: boxes, points and rough masks to exact regions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from image_core.compositing import bounding_box
from image_core.segmentation.boxes import (
    Window,
    cut_around_core,
    cut_in_box,
    in_bytes,
    reduced,
    resized_mask,
    tightness,
    whole_pixels,
    with_context,
)
from image_core.segmentation.edges import dilated, edge_alpha, snapped
from image_core.segmentation.points import grown_from_points
from image_core.segmentation.surroundings import cut_from_surroundings
from image_core.types import Detection, Image, Mask, Region

logger = logging.getLogger("insitu.segmentation")


@dataclass(frozen=True, kw_only=True)
class GrabCutConfig:
    """How ``GrabCutSegmenter`` works.

    Attributes:
        coarse_side: Longer side of the picture in which a box's or point's thing is first cut.
        point_side: Longer side of the picture in which points grow.
        fine_side: Longer side of the crop in which its edge is cut again.
        context: Surroundings looked at, as a share of the box's sides.
        band: The second cut moves the edge by at most so many pixels of the fine crop.
        reach: Pixels by which the alpha's support may exceed the hard region.
        radius: Window of the guided filter, in pixels of the fine crop.
        epsilon: Flatness of the guided filter.
        least: A cut below this share of its box is taken for a failure.
        most: And one above this share as well.
        loose: A cut that fits its box less is tried again by what differs from around it.
        clearly: And that must fit by so much better.
        trusted: Least trust in a region grown from points.
    """

    coarse_side: int = 256
    point_side: int = 288
    fine_side: int = 640
    context: float = 0.3
    band: int = 4
    reach: int = 3
    radius: int = 5
    epsilon: float = 1e-4
    least: float = 0.05
    most: float = 0.95
    loose: float = 0.7
    clearly: float = 0.2
    trusted: float = 0.5

    def build(self) -> GrabCutSegmenter:
        """Make the segmenter."""
        return GrabCutSegmenter(self)


def _seen(
    picture: Image, box: Window, window: Window, side: int
) -> tuple[UInt8[np.ndarray, "h w 3"], tuple[float, float, float, float]]:
    """Return a window of a picture, reduced, and a box's sides in its pixels."""
    left, top, right, bottom = window
    crop = in_bytes(reduced(picture[top:bottom, left:right], side))
    across, down = crop.shape[1] / (right - left), crop.shape[0] / (bottom - top)
    x0, y0, x1, y1 = box
    sides = (x0 - left) * across, (y0 - top) * down, (x1 - left) * across, (y1 - top) * down
    return crop, sides


def _share(cut: Bool[np.ndarray, "h w"] | None, sides: tuple[float, float, float, float]) -> float:
    """Return how much of its box a cut fills."""
    held = (sides[2] - sides[0]) * (sides[3] - sides[1])
    return 0.0 if cut is None else float(np.count_nonzero(cut)) / max(held, 1e-9)


class GrabCutSegmenter:
    """Cuts what a detection points at and gives its edge an alpha. Deterministic."""

    def __init__(self, config: GrabCutConfig = GrabCutConfig()) -> None:
        """Keep the settings."""
        self.config = config

    def segment(
        self, images: Sequence[Image], detections: Sequence[Sequence[Detection]]
    ) -> list[list[Region]]:
        """Return a region per detection that could be cut; one that could not is left out.

        A detection with a mask has only its edge refined; one with a box is cut inside it; one
        with points alone is grown from them.

        Raises:
            ValueError: There are not as many lists of detections as images.
        """
        found: list[list[Region]] = []
        for image, wanted in zip(images, detections, strict=True):
            regions = [self._region(image, detection) for detection in wanted]
            found.append([region for region in regions if region is not None])
        return found

    def _region(self, picture: Image, detection: Detection) -> Region | None:
        if picture.size == 0:
            return None
        if detection.mask is not None:
            rough = detection.mask > 0.5
            if rough.shape != picture.shape[:2] or not rough.any():
                return None
            return self._finished(picture, rough, detection.score, detection.evidence)
        if detection.box is not None:
            return self._from_box(picture, detection)
        return self._from_points(picture, detection)

    def _from_box(self, picture: Image, detection: Detection) -> Region | None:
        assert detection.box is not None
        height, width = picture.shape[:2]
        box = whole_pixels(detection.box, height, width)
        if box is None:
            return None
        window = with_context(box, self.config.context, height, width)
        crop, sides = _seen(picture, box, window, self.config.coarse_side)
        cut = cut_in_box(crop, sides)
        fit = 0.0 if cut is None else tightness(cut, sides)
        share = _share(cut, sides)
        usable = self.config.least <= share <= self.config.most
        if not usable or fit < self.config.loose:
            better = self._from_surroundings(picture, box, cut if usable else None)
            if better is not None:
                evidence = detection.evidence or "what differs from the given box's surroundings"
                return self._finished(picture, better, detection.score, evidence, settled=True)
        if not usable:
            cut = cut_around_core(crop, sides)
            share = _share(cut, sides)
            usable = self.config.least <= share <= self.config.most
        if cut is None or not usable:
            logger.info("the cut fills %.0f %% of its box: left out", 100 * share)
            return None
        left, top, right, bottom = window
        rough = np.zeros((height, width), dtype=bool)
        rough[top:bottom, left:right] = resized_mask(cut, bottom - top, right - left)
        evidence = detection.evidence or "cut inside the given box"
        return self._finished(picture, rough, detection.score, evidence)

    def _from_surroundings(
        self, picture: Image, box: Window, before: Bool[np.ndarray, "h w"] | None
    ) -> Bool[np.ndarray, "h2 w2"] | None:
        """Cut a box's thing by what differs from around it, if that fills the box much better."""
        height, width = picture.shape[:2]
        window = with_context(box, self.config.context / 2, height, width)
        crop, sides = _seen(picture, box, window, 3 * self.config.coarse_side // 2)
        cut = cut_from_surroundings(crop, sides)
        if cut is None:
            return None
        found = np.zeros((height, width), dtype=bool)
        left, top, right, bottom = window
        found[top:bottom, left:right] = resized_mask(cut, bottom - top, right - left)
        fit = tightness(cut, sides)
        if before is None:
            return found if fit > self.config.loose else None
        wide = with_context(box, self.config.context, height, width)
        old = np.zeros((height, width), dtype=bool)
        old[wide[1] : wide[3], wide[0] : wide[2]] = resized_mask(
            before, wide[3] - wide[1], wide[2] - wide[0]
        )
        first = tightness(old, box)
        kept = np.count_nonzero(found & old) / max(1, np.count_nonzero(old))
        return found if fit > first + self.config.clearly and kept > 0.7 else None

    def _from_points(self, picture: Image, detection: Detection) -> Region | None:
        height, width = picture.shape[:2]
        inside = [p for p in detection.points if 0 <= p[0] < width and 0 <= p[1] < height]
        small = in_bytes(reduced(picture, self.config.point_side))
        scale_x, scale_y = small.shape[1] / width, small.shape[0] / height
        grown = grown_from_points(
            small,
            [(x * scale_x, y * scale_y) for x, y in inside],
            [(x * scale_x, y * scale_y) for x, y in detection.not_points],
        )
        if grown is None:
            return None
        mask, trust = grown
        if trust < self.config.trusted or mask.mean() > 0.8:
            logger.info("the region grown from the points is not to be trusted (%.2f)", trust)
            return None
        evidence = f"grown from {len(inside)} point(s), trust {trust:.2f}"
        return self._finished(
            picture, resized_mask(mask, height, width), detection.score * trust, evidence
        )

    def _finished(
        self,
        picture: Image,
        rough: Bool[np.ndarray, "h w"],
        confidence: float,
        evidence: str,
        *,
        settled: bool = False,
    ) -> Region | None:
        """Give the edge an alpha, on a crop around it; cut it again first unless it is settled."""
        height, width = rough.shape
        bounds = bounding_box(rough)
        if bounds is None:
            return None
        extent = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
        margin = 0.06 + 3 * self.config.band / max(extent, 1)
        left, top, right, bottom = with_context(bounds, margin, height, width)
        crop = np.clip(np.nan_to_num(picture[top:bottom, left:right]), 0, 1)
        shape = rough[top:bottom, left:right]
        fine = in_bytes(reduced(crop, self.config.fine_side))
        # a mask of a few pixels has no room for a band as wide as itself
        thickness = float(np.sqrt(np.count_nonzero(shape))) * fine.shape[1] / crop.shape[1]
        band = max(1, min(self.config.band, round(thickness / 6)))
        edge = resized_mask(shape, *fine.shape[:2])
        if not settled:
            edge = snapped(fine, edge, band)
        alpha = np.zeros((height, width), dtype=np.float32)
        alpha[top:bottom, left:right] = self._alpha(crop, edge)
        if not alpha.any():
            return None
        return Region(alpha=alpha, confidence=float(confidence), evidence=evidence)

    def _alpha(self, crop: Image, edge: Bool[np.ndarray, "h2 w2"]) -> Float32[np.ndarray, "h w"]:
        height, width = crop.shape[:2]
        scale = max(1.0, width / edge.shape[1], height / edge.shape[0])
        hard = resized_mask(edge, height, width)
        reach = max(self.config.reach, round(1.5 * scale))
        alpha: Mask = edge_alpha(
            crop,
            hard,
            radius=round(self.config.radius * scale),
            epsilon=self.config.epsilon,
            reach=reach,
            subsample=int(scale),
        )
        if reach > self.config.reach:
            settled = alpha > 0.5
            alpha = np.where(dilated(settled, self.config.reach), alpha, np.float32(0))
        return alpha


__all__ = ["GrabCutConfig", "GrabCutSegmenter"]
