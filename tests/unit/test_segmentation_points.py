"""Points lead to the thing they lie on, and not to what is barred or unclear."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from image_core.segmentation.merge_tree import merge_tree
from image_core.segmentation.points import grown_from_points
from image_core.segmentation.superpixels import from_labels
from image_core.segmentation.surroundings import cut_from_surroundings, unlike_surroundings


def _ellipse(centre: tuple[int, int], axes: tuple[int, int]) -> np.ndarray:
    canvas = np.zeros((200, 260), np.uint8)
    cv2.ellipse(canvas, centre, axes, 0, 0, 360, (1,), -1)
    return canvas > 0


BALL, OTHER = _ellipse((90, 100), (45, 40)), _ellipse((200, 100), (30, 50))


def _scene() -> np.ndarray:
    """A shaded red ball and a blue one on grey."""
    noise = np.random.default_rng(1).normal(0, 3, (200, 260, 3))
    picture = np.full((200, 260, 3), (150.0, 155.0, 150.0))
    shade = np.linspace(1.0, 0.6, 260)[None, :, None]
    picture = np.where(BALL[..., None], np.array([210.0, 60.0, 50.0]) * shade, picture)
    picture = np.where(OTHER[..., None], np.array([50.0, 80.0, 200.0]), picture)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.parametrize(
    ("point", "thing"), [((70, 90), BALL), ((110, 110), BALL), ((200, 80), OTHER)]
)
def test_one_point_finds_the_thing_that_it_lies_on(
    point: tuple[float, float], thing: np.ndarray
) -> None:
    grown = grown_from_points(_scene(), [point], [])
    assert grown is not None
    region, trust = grown
    assert _overlap(region, thing) > 0.93
    assert 0.5 <= trust <= 0.9


def test_a_region_holds_every_point_inside_and_none_outside() -> None:
    inside, outside = [(70.0, 90.0), (200.0, 80.0)], [(145.0, 20.0)]
    grown = grown_from_points(_scene(), inside, outside)
    assert grown is not None
    region, _ = grown
    assert all(region[int(y), int(x)] for x, y in inside)
    assert not any(region[int(y), int(x)] for x, y in outside)


def test_growing_twice_gives_the_same() -> None:
    first = grown_from_points(_scene(), [(70.0, 90.0)], [])
    cv2.setRNGSeed(99)
    second = grown_from_points(_scene(), [(70.0, 90.0)], [])
    assert first is not None
    assert second is not None
    assert np.array_equal(first[0], second[0])
    assert first[1] == second[1]


def test_the_most_alike_neighbours_merge_first_and_heights_never_fall() -> None:
    labels = np.repeat(np.arange(4), 5)[None].repeat(8, axis=0).astype(np.int64)
    values = np.array([0.0, 0.05, 0.5, 0.6])[labels]
    lab = np.dstack([values, np.zeros_like(values), np.zeros_like(values)])
    parts = from_labels(labels, lab)
    tree = merge_tree(parts, parts.lab, np.zeros(labels.shape))
    assert tree.parent[0] == tree.parent[1]
    assert tree.parent[2] == tree.parent[3]
    for leaf in range(4):
        heights = [tree.height[node] for node in tree.path(leaf)]
        assert heights == sorted(heights)
    pair = int(tree.parent[0])
    assert tree.leaves_under([pair]).tolist() == [True, True, False, False]


BOX = (60.0, 20.0, 200.0, 180.0)


def _mast() -> tuple[np.ndarray, np.ndarray]:
    """A thin cross on a sky that gets lighter downwards."""
    sky = np.linspace(60, 140, 200)[:, None, None] * np.array([0.6, 0.8, 1.0])
    picture = np.broadcast_to(sky, (200, 260, 3)).copy()
    thin = np.zeros((200, 260), bool)
    thin[20:180, 125:132] = True
    thin[90:97, 60:200] = True
    picture[thin] = (240, 230, 210)
    return picture.astype(np.uint8), thin


def test_thin_parts_that_differ_from_the_surroundings_are_kept() -> None:
    picture, thin = _mast()
    cut = cut_from_surroundings(picture, BOX)
    assert cut is not None
    assert _overlap(cut, thin) > 0.9


def test_a_frame_holds_what_it_encloses() -> None:
    picture = np.full((200, 260, 3), 200, np.uint8)
    cv2.rectangle(picture, (60, 20), (199, 179), (20, 20, 20), 8)
    cut = cut_from_surroundings(picture, (56.0, 16.0, 204.0, 184.0))
    assert cut is not None
    assert cut[100, 130]
    assert not cut[5, 5]


def test_nothing_differs_in_an_even_picture() -> None:
    even = np.full((100, 100, 3), 120, np.uint8)
    assert unlike_surroundings(even, (20.0, 20.0, 80.0, 80.0)) is None
    assert cut_from_surroundings(even, (20.0, 20.0, 80.0, 80.0)) is None
