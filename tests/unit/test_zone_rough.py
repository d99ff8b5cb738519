"""The rough region: the released bytes, a threshold that only adds, and maps that tell nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from image_core.editors.zone.rough import (
    AttentionMaps,
    paper_code_region,
    rough_region,
)
from image_core.errors import InvalidInput, NonFiniteOutput


def peaked(height: int = 16, width: int = 16) -> AttentionMaps:
    """Return the brief's maps: one round thing in the middle."""
    down, across = np.mgrid[:height, :width]
    thing = np.exp(-((down - height / 2) ** 2 + (across - width / 2) ** 2) / 12.5)
    return maps(1 - 0.8 * thing, (0.2 + 0.8 * thing) / 76)


def maps(first: np.ndarray, last: np.ndarray) -> AttentionMaps:
    return AttentionMaps(first=first.astype(np.float32), last=last.astype(np.float32))


def disc(size: int, x: float, y: float, radius: float) -> np.ndarray:
    down, across = np.mgrid[:size, :size] + 0.5
    return (down - y) ** 2 + (across - x) ** 2 < radius**2


def seen_from(region: np.ndarray, cells: int = 16) -> AttentionMaps:
    """Return maps of a region: each cell sees the share that it covers."""
    side = region.shape[0] // cells
    covered = region.reshape(cells, side, cells, side).mean(axis=(1, 3))
    return maps(0.97 - 0.5 * covered, (0.3 + 0.7 * covered) / 250)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float(((one > 0) & (other > 0)).sum() / ((one > 0) | (other > 0)).sum())


attentions = arrays(
    np.float32, (5, 6), elements=st.floats(0.0009765625, 1, width=32), fill=st.nothing()
)


@pytest.mark.parametrize("grid", [(16, 16), (12, 16)])
def test_it_gives_the_released_codes_area(grid: tuple[int, int]) -> None:
    region = paper_code_region(peaked(*grid), (32 * grid[0], 32 * grid[1]))
    assert region.mask.shape == (32 * grid[0], 32 * grid[1])
    assert region.mask.sum() == 41_220
    assert set(np.unique(region.mask)) == {0, 1}


def test_the_released_code_cuts_bytes_off_and_does_not_wrap() -> None:
    first = np.array([[1.0, 0.5], [0.2, 0.999]])
    last = np.array([[0.2, 1.0], [1.0, 0.79]])
    # bytes: 255 - 51 = 204; 127 - 255 -> 0; 51 - 255 -> 0; 254 - 201 = 53
    region = paper_code_region(maps(first, last), (2, 2))
    assert region.mask.tolist() == [[0, 1], [1, 1]]
    np.testing.assert_allclose(region.evidence, 1 - np.array([[204, 0], [0, 53]]) / 255, atol=1e-6)
    assert paper_code_region(maps(first, last), (2, 2), threshold=52).mask[1, 1] == 0


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.3])
def test_the_region_of_a_round_thing_is_found_whatever_its_size(share: float) -> None:
    thing = disc(512, 210, 290, np.sqrt(share / np.pi) * 512)
    found = rough_region([seen_from(thing)], thing.shape)
    assert iou(found.mask, thing) > (0.6 if share < 0.02 else 0.8)
    assert found.reason == ""


def test_weak_attention_is_found_as_strong_is_and_the_released_threshold_is_not_so() -> None:
    thing = disc(512, 210, 290, 90)
    strong = seen_from(thing)
    # a tenth of the dip: nothing comes below 54 of 255, or nothing stays above it
    weak = maps(0.97 - (0.97 - strong.first) / 10, 0.004 + strong.last / 20)
    assert iou(rough_region([weak], thing.shape).mask, thing) > 0.85
    assert iou(paper_code_region(strong, thing.shape).mask, thing) > 0.7
    assert iou(paper_code_region(weak, thing.shape).mask, thing) < 0.2


def test_sides_of_a_picture_may_differ() -> None:
    region = rough_region([peaked(12, 16)], (384, 512))
    assert region.mask.shape == region.evidence.shape == (384, 512)
    rows, columns = np.nonzero(region.mask)
    # the thing's middle is the cell (6, 8), so half a cell past the picture's
    assert abs(rows.mean() - 208) < 2
    assert abs(columns.mean() - 272) < 2


@given(first=attentions, last=attentions, low=st.integers(0, 255), high=st.integers(0, 255))
def test_a_higher_threshold_only_adds(
    first: np.ndarray, last: np.ndarray, low: int, high: int
) -> None:
    low, high = sorted((low, high))
    both = AttentionMaps(first=first, last=last)
    smaller = paper_code_region(both, (20, 24), threshold=low).mask
    assert (smaller <= paper_code_region(both, (20, 24), threshold=high).mask).all()
    smaller = rough_region([both], (20, 24), threshold=low / 255).mask
    assert (smaller <= rough_region([both], (20, 24), threshold=high / 255).mask).all()


@given(first=attentions, last=attentions, scale=st.sampled_from([0.25, 0.5, 2.0]))
def test_how_much_attention_there_is_in_all_does_not_count(
    first: np.ndarray, last: np.ndarray, scale: float
) -> None:
    plain = rough_region([AttentionMaps(first=first, last=last)], (20, 24))
    scaled = rough_region([AttentionMaps(first=first * scale, last=last)], (20, 24))
    np.testing.assert_allclose(plain.evidence, scaled.evidence, atol=1e-4)


def test_the_evidence_reaches_from_no_to_sure_and_keeps_its_order() -> None:
    region = rough_region([peaked()], (512, 512))
    assert region.evidence.min() == 0
    assert region.evidence.max() > 0.95
    assert region.evidence[272, 272] > region.evidence[272, 380] > region.evidence[20, 20]
    np.testing.assert_array_equal(region.mask > 0, region.evidence >= 0.5)


@pytest.mark.parametrize("level", [0.0, 1 / 77, 1.0])
def test_constant_maps_give_no_region_and_a_reason(level: float) -> None:
    flat = np.full((16, 16), level)
    region = rough_region([maps(flat, flat)], (64, 48))
    assert not region.mask.any()
    assert "same everywhere" in region.reason
    assert region.contrast == 0
    noise = 1e-5 * np.random.default_rng(0).random((16, 16))
    assert not rough_region([maps(flat + 0.1 + noise, flat + 0.1)], (64, 48)).mask.any()
    # the released code takes the whole picture then; where it divided by 0 it does here too
    assert paper_code_region(maps(flat, flat), (64, 48)).mask.all()


def test_a_threshold_that_nothing_passes_gives_a_reason() -> None:
    # no pixel's centre is a cell's, so none has the highest evidence
    region = rough_region([peaked()], (512, 512), threshold=0)
    assert not region.mask.any()
    assert "threshold" in region.reason


def test_maps_count_alike() -> None:
    left, right = seen_from(disc(512, 130, 256, 80)), seen_from(disc(512, 390, 256, 80))
    both = rough_region([left, right], (512, 512))
    assert iou(both.mask, disc(512, 130, 256, 80) | disc(512, 390, 256, 80)) > 0.8
    np.testing.assert_array_equal(both.mask, rough_region([right, left], (512, 512)).mask)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_maps_that_are_not_finite_are_refused(wrong: float) -> None:
    first = np.ones((4, 4))
    first[1, 2] = wrong
    broken = maps(first, np.ones((4, 4)))
    with pytest.raises(NonFiniteOutput, match="NaN"):
        rough_region([broken], (32, 32))
    with pytest.raises(NonFiniteOutput, match="NaN"):
        paper_code_region(broken, (32, 32))


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_thresholds_outside_their_range_are_refused(threshold: float) -> None:
    with pytest.raises(InvalidInput, match="threshold"):
        rough_region([peaked()], (32, 32), threshold=threshold)


def test_no_maps_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no attention maps"):
        rough_region([], (32, 32))
