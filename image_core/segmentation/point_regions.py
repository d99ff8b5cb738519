"""The regions that points could mean: nested parts of the picture, and what has their colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from image_core.colour import srgb_to_oklab
from image_core.segmentation.edges import disc
from image_core.segmentation.merge_tree import MergeTree, merge_tree
from image_core.segmentation.superpixels import Superpixels, superpixels
from image_core.types import Point

BoolMap = Bool[np.ndarray, "h w"]
Hypothesis = tuple[BoolMap, float]
"""A region, and how long it lasts while its threshold grows: log of the ratio."""

_PARTS = 400
_SAME = 0.98
_ALIKE = (0.04, 0.06, 0.08, 0.11, 0.15, 0.2)  # thresholds on the distance without shading


@dataclass(frozen=True, kw_only=True)
class PointView:
    """A small picture measured once.

    Attributes:
        rgb: It.
        lab: Smoothed OKLab.
        shadeless: Its lightness, weighed little, and its chroma relative to lightness: OKLab is
            cubic, so a shadow scales all three coordinates alike.
        steps: Strength of the colour step at each pixel, in OKLab units.
        bins: Which of 20³ coarse OKLab cells each pixel's colour falls into.
        parts: Its superpixels.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    lab: Float32[np.ndarray, "h w 3"]
    shadeless: Float[np.ndarray, "h w 3"]
    steps: Float[np.ndarray, "h w"]
    bins: Int[np.ndarray, "h w"]
    parts: Superpixels


def measured_view(picture: UInt8[np.ndarray, "h w 3"]) -> PointView:
    """Measure a small picture."""
    lab = srgb_to_oklab(cv2.bilateralFilter(picture, 5, 24, 3).astype(np.float32) / 255)
    padded = np.pad(lab, ((2, 2), (2, 2), (0, 0)), mode="edge")
    across = np.linalg.norm(padded[2:-2, 4:] - padded[2:-2, :-4], axis=2)
    down = np.linalg.norm(padded[4:, 2:-2] - padded[:-4, 2:-2], axis=2)
    lightness = lab[..., :1]
    cells = np.floor(lab * np.array([10.0, 30.0, 30.0]) + np.array([0.0, 10.0, 10.0]))
    cells = np.clip(cells, 0, 19).astype(np.int64)
    return PointView(
        rgb=picture,
        lab=lab,
        shadeless=np.concatenate(
            [0.25 * lightness, 0.65 * lab[..., 1:] / (lightness + 0.06)], axis=2
        ),
        steps=np.asarray(np.maximum(across, down)),
        bins=(cells[..., 0] * 20 + cells[..., 1]) * 20 + cells[..., 2],
        parts=superpixels(lab, _PARTS),
    )


def pixel_of(point: Point, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the row and column of the pixel under a point, within the picture."""
    return min(shape[0] - 1, max(0, int(point[1]))), min(shape[1] - 1, max(0, int(point[0])))


def tree_of(view: PointView, features: Float[np.ndarray, "h w k"]) -> MergeTree:
    """Merge a view's superpixels by the means of some features."""
    parts = view.parts
    means = [parts.mean_of(features[..., k]) for k in range(features.shape[2])]
    return merge_tree(parts, np.stack(means, axis=1), view.steps)


def nested_regions(
    view: PointView, tree: MergeTree, inside: Sequence[Point], outside: Sequence[Point]
) -> list[Hypothesis]:
    """Return what holds the points at each level of a merge tree, until a point outside joins."""
    parts = view.parts
    shape = parts.labels.shape
    held = sorted({int(parts.labels[pixel_of(point, shape)]) for point in inside})
    paths = [tree.path(leaf) for leaf in held]
    barred = {
        node for point in outside for node in tree.path(int(parts.labels[pixel_of(point, shape)]))
    }
    levels = sorted({float(tree.height[node]) for path in paths for node in path})
    found: list[Hypothesis] = []
    for k, level in enumerate(levels):
        nodes = {[node for node in path if tree.height[node] <= level][-1] for path in paths}
        if nodes & barred:
            break
        following = levels[k + 1] if k + 1 < len(levels) else level
        lasts = float(np.log((following + 1e-3) / (level + 1e-3)))
        region = np.asarray(tree.leaves_under(sorted(nodes))[parts.labels])
        if found and np.count_nonzero(found[-1][0]) > _SAME * np.count_nonzero(region):
            lasts += found.pop()[1]  # only a speck more
        found.append((region, lasts))
    return found


def alike_regions(
    view: PointView, inside: Sequence[Point], outside: Sequence[Point]
) -> list[Hypothesis]:
    """Return what is connected with the points and has their colour, shaded or not."""
    shape = view.lab.shape[:2]
    radius = max(2, round(0.012 * max(shape)))
    away = np.full(shape, np.inf)
    for row, column in (pixel_of(point, shape) for point in inside):
        window = (
            slice(max(0, row - radius), row + radius + 1),
            slice(max(0, column - radius), column + radius + 1),
        )
        own = np.median(view.shadeless[window].reshape(-1, 3), axis=0)
        apart = (view.shadeless - own) * np.array([0.8, 1.0, 1.0])
        away = np.minimum(away, np.linalg.norm(apart, axis=2))
    away = 0.5 * away + 0.5 * view.parts.spread(view.parts.mean_of(away))
    regions: list[BoolMap] = []
    for threshold in _ALIKE:
        near = (away < threshold).astype(np.uint8)
        for point in inside:
            cv2.circle(near, pixel_of(point, shape)[::-1], radius, (1,), -1)
        opened = np.asarray(cv2.morphologyEx(near, cv2.MORPH_OPEN, disc(1)), dtype=np.uint8)
        _, labels = cv2.connectedComponents(opened, connectivity=4)
        kept = {int(labels[pixel_of(point, shape)]) for point in inside} - {0}
        region = np.isin(labels, sorted(kept))
        if any(region[pixel_of(point, shape)] for point in outside):
            break
        regions.append(region)
    found = []
    for k, region in enumerate(regions):
        grown = np.count_nonzero(regions[min(k + 1, len(regions) - 1)])
        kept_share = np.count_nonzero(region) / max(1, grown)
        # a threshold is no cost: a region that the next one leaves alone lasts, more is not known
        lasts = 0.35 * float(np.clip((kept_share - 0.5) / 0.35, 0, 1))
        found.append((region, lasts))
    return found
