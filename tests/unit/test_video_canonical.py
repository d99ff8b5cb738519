"""The canonical picture: least squares, chains, fits, the sharp picture, spans, measures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from image_core.errors import InvalidInput
from video import measures
from video.canonical import Laid, least_squares, painted_upon, read_back, sharpness
from video.chains import chains
from video.deformation import CanonicalWindow
from video.fit_report import FrameQuality, ShotQuality, fit_quality
from video.fitted import FittedShot
from video.flow_fit import FlowFitSettings, fit_flow
from video.flow_types import PairFlow
from video.frames import ArrayFrames, Span
from video.relocking import RelockSettings
from video.spans import SplitSettings, best_reference, split
from video.splat_sums import SplatSums
from video.spline_fit import SplineSettings
from video.warping import grid, sample

SIZE = (64, 48)
STEP = np.array([1.5, 0.5], np.float32)  # how the camera pans, pixels a frame
COUNT = 7
QUICK = FlowFitSettings(side=64, splines=SplineSettings(cells=4, sweeps=(1, 2)))


def _texture(size: tuple[int, int], seed: int, scale: float = 2.5) -> np.ndarray:
    noise = np.random.default_rng(seed).random((size[1], size[0], 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), scale)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return np.asarray(smooth, np.float32)


class TrueFlows:
    """Flows that are known: a shift, the same between all frames."""

    def __init__(self, shift: np.ndarray, *, trust: Callable[[int], np.ndarray] | None = None):
        self._flow = np.broadcast_to(shift.astype(np.float32), (SIZE[1], SIZE[0], 2)).copy()
        self._trust = trust or (lambda index: np.ones(SIZE[::-1], np.float32))

    @property
    def size(self) -> tuple[int, int]:
        return SIZE

    def pair(self, index: int) -> PairFlow:
        trust = self._trust(index)
        return PairFlow(
            forward=self._flow,
            backward=-self._flow,
            forward_confidence=trust,
            backward_confidence=trust,
        )


@cache
def _panned() -> ArrayFrames:
    """Frames of a camera that pans over a picture: frame t shows it from t · STEP on."""
    world = _texture((100, 80), 1)
    frames = [sample(world, grid(SIZE) + STEP * index + 6) for index in range(COUNT)]
    return ArrayFrames([np.rint(frame * 255).astype(np.uint8) for frame in frames])


@cache
def _fit() -> FittedShot:
    # what the camera sees moves against it
    return fit_flow(_panned(), TrueFlows(-STEP), Span(0, COUNT), reference=3, settings=QUICK)


def test_the_sums_solve_the_same_system_as_dense_matrices() -> None:
    size, frame_size = (9, 7), (8, 6)
    rng = np.random.default_rng(0)
    sums = SplatSums(size)
    rows, values = [], []
    for _ in range(3):
        places = grid(frame_size) + rng.uniform(-0.9, 1.4, (6, 8, 2)).astype(np.float32)
        colours = rng.random((6, 8, 3)).astype(np.float32)
        weight = rng.random((6, 8)).astype(np.float32)
        sums.add(colours, places, weight)
        for (x, y), colour, much in zip(
            places.reshape(-1, 2), colours.reshape(-1, 3), weight.ravel(), strict=True
        ):
            if not (0 <= x <= 8 and 0 <= y <= 6):
                continue
            row = np.zeros((7, 9))
            left, top = min(int(x), 7), min(int(y), 5)
            for down in (0, 1):
                for across in (0, 1):
                    share = (1 - abs(x - left - across)) * (1 - abs(y - top - down))
                    row[top + down, left + across] = share
            rows.append(row.ravel() * np.sqrt(much))
            values.append(colour * np.sqrt(much))
    matrix, right = np.array(rows), np.array(values)
    prior = rng.random((7, 9, 3)).astype(np.float32)
    normal = matrix.T @ matrix + 0.1 * np.eye(63)
    expected = np.linalg.solve(normal, matrix.T @ right + 0.1 * prior.reshape(-1, 3))
    found = sums.solved(prior, trust=0.1, iterations=60)
    assert np.abs(found.reshape(-1, 3) - expected).max() < 1e-3


def test_least_squares_is_sharper_than_the_mean() -> None:
    truth = _texture((60, 40), 2, 1.0)
    window = CanonicalWindow(frame=(60, 40))
    rng = np.random.default_rng(3)
    laid = []
    for _ in range(6):
        places = grid((60, 40)) + rng.uniform(-0.5, 0.5, 2).astype(np.float32)
        laid.append(Laid(sample(truth, places), places, np.ones((40, 60), np.float32)))
    solved = least_squares(laid, window)
    sums = SplatSums(window.size)
    for frame in laid:
        sums.add(frame.colours, frame.places, frame.weight)
    inner = (slice(3, -3), slice(3, -3))
    error = np.abs(solved.picture - truth)[inner].mean()
    assert error < 0.3 * np.abs(sums.mean() - truth)[inner].mean()


def test_a_chain_adds_up_its_links_in_both_directions() -> None:
    found = dict(chains(TrueFlows(-STEP), Span(0, COUNT), 3, size=SIZE))
    assert set(found) == set(range(COUNT))
    for index, chain in found.items():
        # a thing at p in frame t was, or will be, at p - STEP (3 - t) in the reference frame
        assert np.abs(chain.displacement - STEP * (index - 3)).max() < 1e-3


def test_a_chain_at_half_size_is_in_half_pixels() -> None:
    found = dict(chains(TrueFlows(-STEP), Span(0, COUNT), 3, size=(32, 24)))
    assert np.abs(found[5].displacement - STEP).max() < 1e-3


def test_a_targets_chain_passes_behind_what_hides_it() -> None:
    """Half of the target is hidden for a frame, and the hiding thing's flow is quite another."""

    class Crossed(TrueFlows):
        def pair(self, index: int) -> PairFlow:
            pair = super().pair(index)
            wrong = pair.forward.copy()
            if index in (2, 3):
                wrong[:, 16:48] = (6, -4)  # it reaches onto what is seen beside
            return PairFlow(
                forward=wrong,
                backward=-wrong,
                forward_confidence=pair.forward_confidence,
                backward_confidence=pair.backward_confidence,
            )

    target = np.zeros(SIZE[::-1], np.float32)
    target[8:40, 12:52] = 1
    hidden = target.copy()
    hidden[:, 20:44] = 0
    found = dict(
        chains(
            Crossed(-STEP),
            Span(0, COUNT),
            0,
            size=SIZE,
            regions=lambda index: hidden if index in (2, 3, 4) else target,
        )
    )
    away = np.abs(found[6].displacement - STEP * 6).max(axis=-1)
    assert away[target > 0].max() < 0.5


def test_a_pan_gives_a_larger_canonical_picture_that_shows_the_frames() -> None:
    fitted = _fit()
    window = fitted.deformation.window
    assert window.size[0] >= SIZE[0] + 6
    assert window.size[1] > SIZE[1] + 1
    for index in range(COUNT):
        shown = read_back(fitted.canonical, fitted.deformation.places(index))
        frame = _panned().rgb(index).astype(np.float32) / 255
        assert measures.likeness(shown, frame) > 38


def test_a_fit_is_the_same_bits_again() -> None:
    again = fit_flow(_panned(), TrueFlows(-STEP), Span(0, COUNT), reference=3, settings=QUICK)
    assert np.array_equal(again.deformation.steps, _fit().deformation.steps)
    assert np.array_equal(again.canonical.picture, _fit().canonical.picture)


def test_splines_take_up_what_the_flow_missed() -> None:
    """The flow is wrong by a fifth: chains drift, and the fit brings them back."""
    flows = TrueFlows(-STEP * np.float32(0.8))
    plain = FlowFitSettings(side=64, relock=None, splines=None)
    wrong = fit_flow(_panned(), flows, Span(0, COUNT), reference=3, settings=plain)
    right = fit_flow(_panned(), flows, Span(0, COUNT), reference=3, settings=QUICK)
    assert right.held_out_psnr[-1] > wrong.held_out_psnr[-1] + 3
    at = right.deformation
    truth = grid(SIZE) + STEP * 3 + at.window.origin
    assert np.median(np.abs(at.places(6) - truth)) < 0.2


def test_a_targets_chain_is_brought_back_before_its_errors_add_up() -> None:
    flows = TrueFlows(-STEP * np.float32(0.8))
    target = np.zeros(SIZE[::-1], np.float32)
    target[8:40, 14:50] = 1
    away = []
    for relock in (None, RelockSettings(cells=(4, 8))):
        made = fit_flow(
            _panned(),
            flows,
            Span(0, COUNT),
            reference=3,
            settings=FlowFitSettings(side=64, splines=None, relock=relock),
            regions=lambda index: target,
        ).deformation
        truth = grid(SIZE) + STEP * 3 + made.window.origin
        away.append(float(np.median(np.abs(made.places(6) - truth)[target > 0])))
    assert away[0] > 0.5
    assert away[1] < 0.3


def test_one_frame_is_its_own_canonical_picture() -> None:
    fitted = fit_flow(_panned(), TrueFlows(-STEP), Span(2, 3), reference=2, settings=QUICK)
    shown = read_back(fitted.canonical, fitted.deformation.places(2))
    assert measures.likeness(shown, _panned().rgb(2).astype(np.float32) / 255) > 45


def test_a_reference_outside_the_span_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reference frame 9"):
        fit_flow(_panned(), TrueFlows(-STEP), Span(0, COUNT), reference=9, settings=QUICK)


def test_a_target_that_is_nowhere_seen_gives_a_finite_fit() -> None:
    fitted = fit_flow(
        _panned(),
        TrueFlows(-STEP),
        Span(0, COUNT),
        reference=3,
        settings=QUICK,
        regions=lambda index: None,
    )
    assert np.isfinite(fitted.canonical.picture).all()
    assert np.isfinite(fitted.deformation.places(0)).all()


def test_the_picture_that_is_painted_on_holds_the_reference_frame_bit_for_bit() -> None:
    canonical = painted_upon(_panned(), _fit().deformation, _fit().canonical)
    eight = np.rint(canonical.picture * 255).astype(np.uint8)
    assert np.array_equal(canonical.window.crop(eight), _panned().rgb(3))


def test_its_margins_come_from_the_frames_that_show_them() -> None:
    canonical = painted_upon(_panned(), _fit().deformation, _fit().canonical)
    world = _texture((100, 80), 1)
    window = canonical.window
    expected = sample(world, grid(window.size) - window.origin + STEP * 3 + 6)
    covered = canonical.coverage > 0.9
    assert covered.mean() > 0.85
    assert np.abs(canonical.picture - expected)[covered].mean() < 0.02
    own = sharpness(expected, covered.astype(np.float32))
    assert sharpness(canonical.picture, covered.astype(np.float32)) == pytest.approx(own, rel=0.1)


def test_the_margins_are_the_same_picture_for_larger_frames() -> None:
    large = ArrayFrames(
        [
            np.asarray(cv2.resize(_panned().rgb(i), (128, 96), interpolation=cv2.INTER_CUBIC))
            for i in range(COUNT)
        ]
    )
    canonical = painted_upon(large, _fit().deformation, _fit().canonical)
    window = canonical.window
    assert window.frame == (128, 96)
    assert np.array_equal(
        window.crop(np.rint(canonical.picture * 255).astype(np.uint8)), large.rgb(3)
    )
    world = cv2.resize(_texture((100, 80), 1), (200, 160), interpolation=cv2.INTER_CUBIC)
    # the middle of a small pixel is at 2 p + 0.5 of the large picture
    offset = 2 * (STEP * 3 + 6 - window.origin / 2 + 0.5) - 0.5
    expected = sample(np.asarray(world), (grid(window.size) + offset).astype(np.float32))
    covered = canonical.coverage > 0.9
    beside = covered.copy()
    window.crop(beside)[...] = False
    assert np.abs(canonical.picture - expected)[beside].mean() < 0.016


def test_a_shot_whose_motion_stays_connected_is_one_span() -> None:
    assert split(TrueFlows(STEP * 0), Span(0, 60)) == [Span(0, 60)]


def test_a_shot_whose_motion_breaks_is_cut_into_parts_that_hold() -> None:
    broken = TrueFlows(
        STEP * 0,
        trust=lambda index: np.full(SIZE[::-1], 0.0 if index == 29 else 1.0, np.float32),
    )
    parts = split(broken, Span(0, 60))
    assert Span(0, 30) in parts
    assert [frame for part in parts for frame in part] == list(range(60))
    assert min(len(part) for part in parts) >= 12


def test_a_long_shot_is_cut_so_that_memory_stays_bounded() -> None:
    parts = split(TrueFlows(STEP * 0), Span(0, 100), settings=SplitSettings(longest=40))
    assert [frame for part in parts for frame in part] == list(range(100))
    assert max(len(part) for part in parts) <= 40


def test_the_reference_is_where_most_of_the_target_is_seen() -> None:
    def regions(index: int) -> np.ndarray | None:
        if index == 5:
            return np.ones((4, 4), np.float32)
        return None if index < 4 else np.full((4, 4), 0.3, np.float32)

    assert best_reference(Span(0, 9)) == 4
    assert best_reference(Span(0, 9), regions) == 5


def test_a_good_fit_is_not_warned_of_and_a_bad_one_is_with_its_numbers() -> None:
    good = fit_quality(_fit(), _panned(), TrueFlows(-STEP))
    assert good.warning() is None
    assert good.mean("folds") == 0
    assert good.mean("slip") < 0.2
    assert good.coverage > 0.9
    torn = FrameQuality(index=4, psnr=19.0, psnr_all=20, folds=0.2, followed=0.3, slip=3.0)
    bad = ShotQuality(frames=(torn,), coverage=1.0, blur=0.5)
    said = bad.warning() or ""
    assert "19.0 dB" in said
    assert "20.0%" in said
    assert "70%" in said
    assert "3.0 pixels" in said


def test_what_jumps_between_frames_is_told_as_warp_error_and_flicker() -> None:
    flows = TrueFlows(-STEP)
    greys = [measures.grey_levels(_panned().rgb(i).astype(np.float32) / 255) for i in range(COUNT)]
    region = np.zeros(SIZE[::-1], np.float32)
    region[10:-10, 10:-10] = 1
    pair = flows.pair(0)
    still = measures.warp_error(greys[2], greys[3], pair, region)
    assert still < 1.5
    assert measures.warp_error(greys[2], greys[3] + 9, pair, region) == pytest.approx(9, abs=1)
    jumps = measures.flicker(greys[1], greys[2] + 9, greys[3], pair, pair, region)
    assert jumps == pytest.approx(9, abs=1)
    steady = measures.flicker(greys[1], greys[2] + 9, greys[3] + 18, pair, pair, region)
    assert steady < 1.5
    nowhere = np.zeros_like(region)
    assert np.isnan(measures.warp_error(greys[2], greys[3], pair, nowhere))


def test_a_region_that_moves_with_the_flow_is_stable() -> None:
    pair = TrueFlows(np.array([4.0, 0.0])).pair(0)
    first = np.zeros(SIZE[::-1], np.float32)
    first[10:30, 10:30] = 1
    moved = np.roll(first, 4, axis=1)
    assert measures.region_stability(first, moved, pair) > 0.99
    assert measures.region_stability(first, first, pair) == pytest.approx(16 / 24, abs=0.01)


def test_drift_is_how_far_what_is_shown_lies_from_where_it_belongs() -> None:
    places = grid(SIZE) + np.array([3.0, 4.0], np.float32)
    points = np.array([[10.0, 10.0], [20.5, 30.25]], np.float32)
    assert measures.drift(places, points, points).tolist() == pytest.approx([5.0, 5.0])
    away = measures.drift(places, points, points - np.array([3.0, 4.0], np.float32))
    assert away.tolist() == pytest.approx([0, 0], abs=1e-5)


def test_likeness_is_the_psnr_inside_a_part() -> None:
    first = np.zeros((4, 4, 3), np.float32)
    second = first.copy()
    second[:2] = 0.1
    upper = np.zeros((4, 4), np.float32)
    upper[:2] = 1
    assert measures.likeness(first, second, upper) == pytest.approx(20)
    assert measures.likeness(first, second, 1 - upper) == measures.HIGHEST
    assert np.isnan(measures.likeness(first, second, upper * 0))
