"""Where frames lie in a canonical picture: the window, sizes, keeping and inverting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from image_core.errors import InvalidInput
from video.canonical import Canonical
from video.deformation import STEP, CanonicalWindow, DenseDeformation
from video.fitted import FittedShot, baked
from video.frames import Span
from video.inverse import inverted
from video.warping import fold_measure, grid, sample

SIZE = (48, 32)


def _waves(size: tuple[int, int], amplitude: float, length: float = 24) -> np.ndarray:
    at = grid(size)
    shift = np.sin(at[..., ::-1] * np.float32(2 * np.pi / length)) * np.float32(amplitude)
    return shift.astype(np.float32)


def _deformation(**changes: object) -> DenseDeformation:
    displacements = {3: _waves(SIZE, 0.0), 4: _waves(SIZE, 1.0), 5: _waves(SIZE, 2.0)}
    ones = np.ones(SIZE[::-1], np.float32)
    return DenseDeformation.of(
        displacements,
        {3: ones, 4: ones * 0.5, 5: ones * 0},
        span=Span(3, 6),
        reference=3,
        window=CanonicalWindow(frame=SIZE, left=4, top=2, right=1, bottom=0),
    )


def test_the_window_holds_the_range_of_places() -> None:
    window = CanonicalWindow.holding((100, 50), (-7.2, 0.0), (99.0, 60.0))
    assert (window.left, window.top, window.right, window.bottom) == (8, 0, 0, 11)
    assert window.size == (108, 61)


def test_the_window_is_at_most_twice_a_frame() -> None:
    window = CanonicalWindow.holding((100, 50), (-300.0, 0.0), (199.0, 49.0))
    assert window.size[0] <= 200
    assert window.left == pytest.approx(3 * window.right, abs=3)


def test_the_reference_frame_lies_in_it_as_it_is_at_any_size() -> None:
    deformation = _deformation()
    for size in (SIZE, (96, 64), (131, 77)):
        places = deformation.places(3, size)
        window = deformation.window.resized(size)
        picture = np.random.default_rng(1).random((*window.size[::-1], 3), np.float32)
        assert np.abs(sample(picture, places) - window.crop(picture)).max() < 1e-5


def test_a_larger_frame_has_its_motion_in_its_own_pixels() -> None:
    deformation = _deformation()
    small, large = deformation.places(5), deformation.places(5, (96, 64))
    origin = deformation.window.resized((96, 64)).origin
    seen = (large - origin)[::2, ::2] + 0.5  # the places of top left quarters of small pixels
    expected = 2 * (small - deformation.window.origin) + 0.5
    assert np.abs(seen - expected)[2:-2, 2:-2].max() < 0.35


def test_places_are_kept_within_a_64th_of_a_pixel() -> None:
    deformation = _deformation()
    exact = grid(SIZE) + _waves(SIZE, 2.0) + deformation.window.origin
    assert np.abs(deformation.places(5) - exact).max() <= STEP / 2 + 1e-5
    assert deformation.confidence(4).mean() == pytest.approx(0.5, abs=1 / 255)


def test_a_frame_of_another_span_is_refused() -> None:
    with pytest.raises(InvalidInput, match="frame 6"):
        _deformation().places(6)


@pytest.mark.parametrize(("amplitude", "length"), [(1.0, 24), (2.0, 24), (2.0, 18), (1.0, 8)])
def test_a_canonical_pixel_leads_to_the_place_that_leads_to_it(
    amplitude: float, length: float
) -> None:
    places = grid(SIZE) + _waves(SIZE, amplitude, length)
    inverse = inverted(places, SIZE)
    inner = (slice(3, -3), slice(3, -3))
    assert np.abs(sample(places, inverse.places) - grid(SIZE))[inner].max() < 0.06
    assert inverse.seen[inner].all()


@pytest.mark.parametrize("amplitude", [1.0, 1.5])
def test_going_to_the_canonical_and_back_returns_within_a_tenth_of_a_pixel(
    amplitude: float,
) -> None:
    window = CanonicalWindow(frame=SIZE, left=4, top=2, right=1, bottom=0)
    places = grid(SIZE) + _waves(SIZE, amplitude) + window.origin + np.float32(0.37)
    inverse = inverted(places, window.size)
    away = np.abs(sample(inverse.places, places) - grid(SIZE)).max(axis=-1)
    assert fold_measure(places).min() > 0
    assert away[3:-3, 3:-3].max() < 0.1


def test_what_no_pixel_leads_to_is_not_seen() -> None:
    window = CanonicalWindow(frame=SIZE, left=10)
    inverse = inverted(grid(SIZE) + window.origin, window.size)
    assert not inverse.seen[:, :9].any()
    assert inverse.seen[:, 10:].all()


def _fitted() -> FittedShot:
    deformation = _deformation()
    width, height = deformation.window.size
    picture = np.random.default_rng(2).random((height, width, 3), np.float32)
    canonical = Canonical(
        window=deformation.window, picture=picture, coverage=np.ones((height, width), np.float32)
    )
    return FittedShot(deformation=deformation, canonical=canonical, held_out_psnr=(20.0, 30.0))


def test_a_kept_fit_is_the_fit_that_was_made(tmp_path: Path) -> None:
    fitted = _fitted()
    fitted.save(tmp_path / "fit.npz")
    kept = FittedShot.load(tmp_path / "fit.npz")
    assert kept is not None
    for index in fitted.deformation.span:
        assert np.array_equal(kept.deformation.places(index), fitted.deformation.places(index))
    assert np.array_equal(kept.canonical.picture, fitted.canonical.picture)
    assert kept.held_out_psnr == fitted.held_out_psnr
    assert kept.deformation.window == fitted.deformation.window


@pytest.mark.parametrize("harm", ["missing", "torn", "foreign", "empty"])
def test_a_fit_that_is_not_whole_is_not_read(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "fit.npz"
    if harm != "missing":
        _fitted().save(path)
        whole = path.read_bytes()
        path.write_bytes({"torn": whole[:-500], "foreign": b"hello", "empty": b""}[harm])
    assert FittedShot.load(path) is None


def test_a_baked_model_says_the_same() -> None:
    deformation = _deformation()
    again = baked(deformation)
    assert np.array_equal(again.steps, deformation.steps)
    assert np.array_equal(again.trust, deformation.trust)
