"""The edit layer: what was painted, carried to the frames, and where something hides it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from image_core.errors import InvalidInput
from video.canonical import Canonical, read_back
from video.deformation import CanonicalWindow
from video.layer import EditLayer, carried_to, identity_places, laid_over, samples_needed
from video.measures import likeness
from video.visibility import visibility
from video.warping import grid, sample

SIZE = (64, 48)
WINDOW = CanonicalWindow(frame=SIZE, left=6, top=3, right=2, bottom=1)


def _texture(size: tuple[int, int], seed: int, scale: float = 3.0) -> np.ndarray:
    noise = np.random.default_rng(seed).random((size[1], size[0], 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), scale)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return np.asarray(np.rint(smooth * 200 + 20) / 255, np.float32)


def _canonical() -> Canonical:
    ones = np.ones(WINDOW.size[::-1], np.float32)
    return Canonical(window=WINDOW, picture=_texture(WINDOW.size, 1), coverage=ones)


def _painted(canonical: Canonical) -> np.ndarray:
    after = canonical.picture.copy()
    after[20:36, 24:48] = (0.9, 0.2, 0.1)
    return after


def _waving() -> np.ndarray:
    at = grid(SIZE)
    shift = np.sin(at[..., ::-1] * np.float32(2 * np.pi / 32)) * np.float32(1.5)
    return np.asarray(at + shift + WINDOW.origin, np.float32)


def test_on_the_reference_frame_the_edit_is_what_was_painted() -> None:
    canonical = _canonical()
    after = _painted(canonical)
    layer = EditLayer.between(canonical, after)
    frame = WINDOW.crop(canonical.picture)
    for mode in ("residual", "replace"):
        made = laid_over(layer, identity_places(WINDOW), frame, mode=mode)
        assert np.abs(made.image - WINDOW.crop(after)).max() < 1e-5


def test_an_unpainted_canonical_picture_changes_no_sample_of_any_frame() -> None:
    canonical = _canonical()
    layer = EditLayer.between(canonical, canonical.picture.copy())
    assert layer.is_empty
    frame = np.random.default_rng(2).random((48, 64, 3)).astype(np.float32)
    made = laid_over(layer, _waving(), frame)
    assert np.array_equal(made.image, frame)
    assert not made.alpha.any()


def test_exported_and_taken_back_it_gives_the_same_reconstruction() -> None:
    canonical = _canonical()
    exported = np.rint(canonical.picture * 255).astype(np.uint8)
    taken = exported.astype(np.float32) / 255
    again = Canonical(window=WINDOW, picture=taken, coverage=canonical.coverage)
    shown = read_back(canonical, _waving())
    assert likeness(read_back(again, _waving()), shown) > 40
    # and the layer that lays all of it anew shows the very frame
    layer = EditLayer.between(canonical, taken, alpha=np.ones(WINDOW.size[::-1], np.float32))
    made = laid_over(layer, _waving(), shown, mode="replace")
    assert likeness(made.image, shown) > 40


def test_outside_the_alpha_the_frames_samples_are_the_very_same() -> None:
    canonical = _canonical()
    layer = EditLayer.between(canonical, _painted(canonical))
    frame = np.random.default_rng(3).random((48, 64, 3)).astype(np.float32)
    made = laid_over(layer, _waving(), frame)
    outside = made.alpha == 0
    assert 0.3 < outside.mean() < 0.95
    assert np.array_equal(made.image[outside], frame[outside])


def test_what_is_not_finite_beside_the_paint_does_not_leak() -> None:
    canonical = _canonical()
    after = _painted(canonical)
    after[0, 0] = np.nan
    alpha = np.zeros(WINDOW.size[::-1], np.float32)
    alpha[20:36, 24:48] = 1
    layer = EditLayer.between(canonical, after, alpha=alpha)
    frame = WINDOW.crop(canonical.picture)
    made = laid_over(layer, _waving(), frame)
    assert np.isfinite(made.image).all()


def test_the_residual_keeps_the_frames_own_shading_where_replacing_does_not() -> None:
    canonical = _canonical()
    after = np.clip(canonical.picture + np.float32(0.05), 0, 1)
    layer = EditLayer.between(canonical, after)
    darker = WINDOW.crop(canonical.picture) * np.float32(0.5)
    kept = laid_over(layer, identity_places(WINDOW), darker)
    laid = laid_over(layer, identity_places(WINDOW), darker, mode="replace")
    assert np.abs(kept.image - darker - 0.05).max() < 1e-3
    assert np.abs(laid.image - WINDOW.crop(after)).max() < 1e-5


def test_nothing_is_laid_over_what_does_not_show_the_target() -> None:
    canonical = _canonical()
    layer = EditLayer.between(canonical, _painted(canonical))
    frame = WINDOW.crop(canonical.picture)
    shown = np.ones(SIZE[::-1], np.float32)
    shown[:, 30:] = 0
    shown[:, 35:] = 0.002  # rounds to nothing
    made = laid_over(layer, identity_places(WINDOW), frame, shown=shown)
    assert np.array_equal(made.image[:, 30:], frame[:, 30:])
    assert (made.alpha[:, :30] > 0).any()


def test_a_canonical_picture_of_another_size_is_refused() -> None:
    canonical = _canonical()
    with pytest.raises(InvalidInput, match="64x48"):
        EditLayer.between(canonical, WINDOW.crop(canonical.picture))
    with pytest.raises(InvalidInput, match="alpha"):
        EditLayer.between(canonical, canonical.picture, alpha=np.ones((2, 2), np.float32))


def test_a_difference_of_one_grey_level_counts_and_rounding_does_not() -> None:
    canonical = _canonical()
    after = canonical.picture.copy()
    after[10, 10, 1] += 1 / 255
    after[12, 12, 1] += 0.2 / 255
    alpha = EditLayer.between(canonical, after).alpha
    assert alpha[10, 10] == 1
    assert alpha.sum() == 1


def _board(size: int, side: int) -> np.ndarray:
    down, across = np.mgrid[:size, :size]
    board = ((down // side + across // side) % 2).astype(np.float32)
    return np.repeat(board[..., None], 4, axis=-1)


def test_a_shrunk_pattern_is_averaged_and_does_not_alias() -> None:
    """A board of single pixels, seen three times smaller, is even grey."""
    places = (grid((40, 40)) * 3 + 4).astype(np.float32)
    assert samples_needed(places) == 3
    made = carried_to(_board(128, 1), places)[1:-1, 1:-1]
    assert np.abs(made - 0.5).max() < 0.06
    alone = sample(_board(128, 1), places)[1:-1, 1:-1]
    assert np.abs(alone - 0.5).max() > 0.4


def test_a_shrunk_and_turned_edge_has_the_coverage_of_its_pixels() -> None:
    """Against sixteen samples a side of the same half plane, at twice less size."""
    angle = np.float32(0.4)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    half = np.zeros((260, 260, 4), np.float32)
    half[:, 130:] = 1
    middle = np.float32(31.5)

    def seen(at: np.ndarray) -> np.ndarray:
        return np.asarray((at - middle) @ turn.T * 2 + 129.5, np.float32)

    made = carried_to(half, seen(grid((64, 64))))[..., 0]
    offsets = (np.arange(16, dtype=np.float32) + 0.5) / 16 - 0.5
    exact = np.mean(
        [
            seen(grid((64, 64)) + np.array([x, y], np.float32))[..., 0] > 129.5
            for x in offsets
            for y in offsets
        ],
        axis=0,
    )
    assert np.abs(made - exact).max() < 0.2
    assert np.abs(made - exact).mean() < 0.005


def test_outside_the_canonical_picture_there_is_no_edit() -> None:
    canonical = _canonical()
    layer = EditLayer.between(canonical, np.zeros_like(canonical.picture))
    frame = np.full((48, 64, 3), 0.5, np.float32)
    far = identity_places(WINDOW) + np.float32(200)
    assert np.array_equal(laid_over(layer, far, frame).image, frame)


def test_a_thing_that_passes_in_front_is_not_painted_and_a_shadow_is() -> None:
    canonical = _canonical()
    places = identity_places(WINDOW)
    frame = WINDOW.crop(canonical.picture).copy()
    trust = np.ones(SIZE[::-1], np.float32)
    frame[10:30, 20:34] = (0.0, 1.0, 0.0)  # it hides the target, and the flow is lost there
    trust[8:32, 18:36] = 0
    frame[34:46, 40:60] *= 0.6  # a shadow, through which the flow goes on
    seen = visibility(frame, canonical, places, trust)
    assert seen[13:27, 23:31].max() < 0.1
    assert seen[36:44, 42:58].min() > 0.9
    assert np.median(seen[:, :16]) > 0.98


def test_a_pixel_whose_track_was_lost_is_painted_again_where_it_looks_as_it_should() -> None:
    canonical = _canonical()
    frame = WINDOW.crop(canonical.picture)
    lost = np.zeros(SIZE[::-1], np.float32)
    assert visibility(frame, canonical, identity_places(WINDOW), lost).min() > 0.95
