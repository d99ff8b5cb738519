"""Filters: what lies outside the region never comes into it, and what each one promises."""

from __future__ import annotations

import numpy as np
import pytest

from image_core.editors.classic.filters import filter_for, masked_blur, pixelated
from image_core.editors.classic.prepared import PreparedClassic
from image_core.errors import UnsupportedEdit
from image_core.testing import batch_of, scene
from image_core.types import EditStep, Image, Mask


def _filtered(
    image: Image, alpha: Mask, operation: str, amount: float = 1.0, strength: float = 1.0
) -> Image:
    step = EditStep(instruction="x", kind="filter", operation=operation, amount=amount)
    operator = filter_for(step, size=1.0).measured_on([batch_of([image], [alpha])])
    return PreparedClassic(operator).edit(batch_of([image], [alpha], strength=strength)).images[0]


@pytest.mark.parametrize("sigma", [0.5, 3.0, 9.0, 40.0])
def test_a_bright_thing_does_not_bleed_into_the_blurred_background(sigma: float) -> None:
    image = np.full((80, 100, 3), 0.2, np.float32)
    image[25:55, 40:70] = 1.0
    weight = (image[..., 0] < 0.5).astype(np.float32)
    blurred = masked_blur(image, weight, sigma)
    assert np.abs(blurred[weight > 0] - 0.2).max() < 2e-3


def test_the_blur_of_a_whole_picture_keeps_its_mean_and_loses_detail() -> None:
    image, _ = scene(64, 64)
    blurred = masked_blur(image, np.ones((64, 64), np.float32), 3.0)
    assert abs(blurred.mean() - image.mean()) < 0.01
    assert blurred.std() < image.std()


def test_a_blur_on_a_smaller_copy_matches_the_full_one() -> None:
    y, x = np.mgrid[0:160, 0:200].astype(np.float32)
    image = np.repeat((0.5 + 0.4 * np.sin(x / 20) * np.cos(y / 25))[..., None], 3, axis=2)
    weight = np.ones((160, 200), np.float32)
    import cv2

    exact = cv2.GaussianBlur(image, (0, 0), 12.0, borderType=cv2.BORDER_REFLECT)
    assert np.abs(masked_blur(image, weight, 12.0) - exact).max() < 0.01


def test_half_strength_is_a_narrower_blur_not_a_ghost() -> None:
    image = np.zeros((60, 60, 3), np.float32)
    image[:, 30:] = 1
    alpha = np.ones((60, 60), np.float32)
    half = _filtered(image, alpha, "blur", 8.0, 0.5)[30, :, 0]
    assert np.abs(np.diff(half)).max() < 0.2  # a blend would keep a step of one half


def test_pixels_of_a_cell_are_one_value_and_its_mean() -> None:
    image, _ = scene(40, 50)
    blocks = pixelated(image, np.ones((40, 50), np.float32), 10)
    assert (blocks[:10, :10] == blocks[0, 0]).all()
    assert np.abs(blocks[12, 23] - image[10:20, 20:30].mean(axis=(0, 1))).max() < 1e-4


def test_pixelation_mixes_only_pixels_of_the_region() -> None:
    image = np.full((20, 20, 3), 0.3, np.float32)
    image[:, 10:] = 1.0
    weight = (image[..., 0] < 0.5).astype(np.float32)
    assert np.abs(pixelated(image, weight, 7)[weight > 0] - 0.3).max() < 1e-6


def test_the_grid_stays_when_the_region_moves() -> None:
    image, _ = scene(60, 60)
    whole = pixelated(image, np.ones((60, 60), np.float32), 8)
    part = pixelated(image[8:56, 16:56], np.ones((48, 40), np.float32), 8, (16, 8))
    assert np.abs(part - whole[8:56, 16:56])[:, :40].max() < 1e-6


def test_a_face_is_left_with_few_cells() -> None:
    image = np.random.default_rng(0).random((200, 200, 3)).astype(np.float32)
    alpha = np.zeros((200, 200), np.float32)
    alpha[60:140, 70:130] = 1
    face = _filtered(image, alpha, "pixelate")[60:140, 70:130]
    cells = len(np.unique(face.reshape(-1, 3), axis=0))
    assert cells <= 150


def test_sharpening_steepens_edges_without_halos() -> None:
    image = np.full((40, 60, 3), 0.3, np.float32)
    image[:, 30:] = 0.7
    image = masked_blur(image, np.ones((40, 60), np.float32), 1.5)
    sharp = _filtered(image, np.ones((40, 60), np.float32), "sharpen", 2.0)
    assert np.diff(sharp[20, :, 0]).max() > 1.2 * np.diff(image[20, :, 0]).max()
    assert sharp.max() < 0.7 + 0.04
    assert sharp.min() > 0.3 - 0.04


def test_grey_is_grey_and_invert_twice_is_the_picture() -> None:
    image, _ = scene()
    alpha = np.ones(image.shape[:2], np.float32)
    gray = _filtered(image, alpha, "grayscale")
    assert (gray.max(axis=2) - gray.min(axis=2)).max() < 2e-3
    twice = _filtered(_filtered(image, alpha, "invert"), alpha, "invert")
    assert np.abs(twice - image).max() < 1e-6


def test_sepia_has_one_hue() -> None:
    image, _ = scene()
    sepia = _filtered(image, np.ones(image.shape[:2], np.float32), "sepia")
    assert (sepia[..., 0] >= sepia[..., 1]).all()
    assert (sepia[..., 1] >= sepia[..., 2]).all()


@pytest.mark.parametrize(("operation", "amount"), [("emboss", 1.0), ("", 1.0), ("blur", -1.0)])
def test_what_it_has_not_is_refused(operation: str, amount: float) -> None:
    step = EditStep(instruction="x", kind="filter", operation=operation, amount=amount)
    with pytest.raises(UnsupportedEdit) as caught:
        filter_for(step, size=1.0)
    assert caught.value.hint
