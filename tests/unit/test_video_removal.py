"""Removing from clips: what counts as background, and where the filling is laid."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from video.backdrop_picture import lightness_left
from video.background import background, common_motion
from video.background_fit import behind, fit_background
from video.flow import Dis, measured_pair
from video.flow_types import PairFlow
from video.frames import ArrayFrames, Span
from video.removal_alpha import removal_alpha
from video.warping import grid

SIZE = (128, 96)


def _texture(seed: int, size: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.zeros((size[1], size[0], 3), np.float32)
    for side in (3, 7, 16):
        coarse = rng.uniform(0, 80, (size[1] // side + 1, size[0] // side + 1, 3))
        picture += cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 0, 255).astype(np.uint8)


class _Measured:
    """Flows between frames in memory."""

    def __init__(self, frames: ArrayFrames) -> None:
        self._frames = frames
        self.size = frames.size

    def pair(self, index: int) -> PairFlow:
        return measured_pair(Dis(), self._frames.rgb(index), self._frames.rgb(index + 1))


@pytest.fixture(scope="module")
def world():
    """A backdrop that goes left by 2 px a frame, a hole in it, a block that goes right by 3."""
    backdrop, block = _texture(1, (200, 96)), _texture(2, (24, 30)) // 2
    pictures = []
    for number in range(6):
        picture = backdrop[:, 2 * number : 2 * number + SIZE[0]].copy()
        picture[10:40, 40:64] = (250, 0, 0)  # stands still: what is removed
        left = 20 + 3 * number
        picture[55:85, left : left + 24] = block
        pictures.append(picture)
    hole = np.zeros(SIZE[::-1], np.float32)
    hole[8:42, 38:66] = 1
    return ArrayFrames(pictures), hole


def test_what_moves_by_itself_is_no_background(world):
    frames, hole = world
    shown = background(frames, _Measured(frames), Span(0, 6), lambda index: hole, 2)
    assert not shown[hole > 0].any()
    assert shown[58:82, 29:47].mean() < 0.05  # the block in frame 2
    assert shown[:, 90:120].mean() > 0.9


def test_the_background_is_followed_behind_the_hole(world):
    frames, hole = world
    flows, span = _Measured(frames), Span(0, 6)
    masks = {index: background(frames, flows, span, lambda i: hole, index) for index in span}
    fit = fit_background(frames, flows, span, 3, masks.__getitem__, lambda index: hole)
    for index in span:
        moved = fit.deformation.places(index) - grid(SIZE) - fit.deformation.window.origin
        apart = moved[hole > 0] - np.array([2 * (index - 3), 0], np.float32)
        assert np.abs(apart).max() < 0.5


def test_the_common_motion_is_that_of_the_many():
    flow = np.zeros((60, 80, 2), np.float32)
    flow[..., 0] = 1 + 0.02 * grid((80, 60))[..., 1]
    true = flow.copy()
    flow[10:40, 10:40] += 9
    trend, _ = common_motion(flow, np.ones((60, 80), np.float32))
    assert np.abs(trend - true).max() < 0.1


def test_a_field_is_continued_affinely_behind_what_hides_it():
    places = grid((80, 60))
    field = np.stack([0.05 * places[..., 0], -0.03 * places[..., 1]], axis=-1)
    shown = np.ones((60, 80), np.float32)
    shown[20:45, 20:60] = 0
    spoilt = np.where(shown[..., None] > 0, field, 50).astype(np.float32)
    assert np.abs(behind(spoilt, shown) - field).max() < 0.05


def test_a_difference_of_light_is_continued_and_one_of_things_is_not():
    where = np.zeros((80, 80), bool)
    where[20:60, 20:60] = True
    difference = np.full((80, 80, 3), 0.04, np.float32)
    difference[25:30, 25:30] = 0.7
    found = lightness_left(difference, where)
    assert np.abs(found - 0.04).max() < 0.005


def test_a_users_mask_is_replaced_wholly_and_not_left():
    region = np.zeros((50, 50), np.float32)
    region[20:30, 20:30] = 0.4
    alpha = removal_alpha(region, np.ones((50, 50), bool), grow=False)
    assert np.array_equal(alpha, (region > 0).astype(np.float32))


def test_the_hole_grows_over_background_but_not_over_what_moves_beside_it():
    region = np.zeros((80, 80), np.float32)
    region[30:50, 30:50] = 1
    free = np.ones((80, 80), bool)
    free[:, 50:70] = False  # a post that touches it on the right
    alpha = removal_alpha(region, free, grow=True)
    assert (alpha[region > 0] == 1).all() or alpha[32:48, 32:48].min() == 1
    assert (alpha[35:45, 50:] == 0).all()
    assert (alpha[35:45, 27:30] > 0).all()
