"""Crops: what a network is handed holds the region and its context, and goes back in its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_core.editors.generative.crops import (
    CropPlan,
    planned,
    put_back,
    put_back_mask,
    taken,
    taken_mask,
)
from image_core.testing import scene
from image_core.types import Image, Mask

SIZES = [
    (1, 1),
    (1, 9),
    (1025, 1),
    (3, 3),
    (17, 1025),
    (64, 64),
    (100, 67),
    (511, 300),
    (1025, 769),
]


def smooth(height: int, width: int) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [0.5 + 0.4 * np.sin(x / 40 + k) * np.cos(y / 50) for k in range(3)]
    return np.stack(waves, axis=-1).astype(np.float32)


def boxed(height: int, width: int, box: tuple[int, int, int, int]) -> Mask:
    alpha = np.zeros((height, width), np.float32)
    alpha[box[1] : box[3], box[0] : box[2]] = 1
    return alpha


def plan_for(
    alpha: Mask, *, resolution: int = 64, multiple: int = 8, whole: bool = False
) -> CropPlan:
    return planned(alpha, resolution=resolution, multiple=multiple, whole=whole)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("multiple", [8, 16, 64])
def test_pictures_of_any_size_are_sent_with_divisible_sides_and_about_the_right_area(
    size: tuple[int, int], multiple: int
) -> None:
    plan = plan_for(np.ones(size, np.float32), multiple=multiple)
    assert all(side % multiple == 0 and side >= multiple for side in plan.size)
    assert all(0 < a <= b for a, b in zip(plan.inner, plan.size, strict=True))
    assert all(b - a < multiple for a, b in zip(plan.inner, plan.size, strict=True))
    assert plan.inner[0] * plan.inner[1] <= 1.1 * 64**2
    sent = taken(smooth(*size), plan)
    assert sent.shape == (*plan.size, 3)
    assert taken_mask(np.ones(size, np.float32), plan).shape == plan.size
    assert put_back(smooth(*size), sent, plan).shape == (*size, 3)


@pytest.mark.parametrize("size", [(64, 64), (100, 67), (17, 1025), (511, 300)])
@pytest.mark.parametrize("resolution", [64, 512])
def test_the_shape_of_what_is_sent_is_that_of_the_picture(
    size: tuple[int, int], resolution: int
) -> None:
    plan = plan_for(np.ones(size, np.float32), resolution=resolution)
    stretch = (plan.inner[0] / size[0]) / (plan.inner[1] / size[1])
    least = min(plan.inner)
    assert abs(stretch - 1) <= 0.045 + 1 / least


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((300, 400), (180, 130, 210, 160)),
        ((1025, 769), (0, 0, 40, 40)),
        ((1025, 769), (729, 985, 769, 1025)),
        ((640, 640), (100, 0, 130, 90)),
        ((300, 1000), (500, 100, 501, 101)),
    ],
)
def test_a_small_region_is_cropped_with_its_context_and_enlarged_no_more_than_four_times(
    size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    plan = plan_for(boxed(*size, box), resolution=256)
    x0, y0, x1, y1 = plan.box
    longer = max(box[2] - box[0], box[3] - box[1])
    assert 0 <= x0 <= box[0] < box[2] <= x1 <= size[1]
    assert 0 <= y0 <= box[1] < box[3] <= y1 <= size[0]
    assert min(x1 - x0, y1 - y0) >= 2 * longer
    assert (x1 - x0) * (y1 - y0) < size[0] * size[1]
    assert plan.inner[0] <= 4.1 * (y1 - y0)
    # the region lies in the middle unless the border is in the way
    if x0 > 0 and x1 < size[1]:
        assert abs((x0 + x1) - (box[0] + box[2])) <= 2


@pytest.mark.parametrize("box", [(10, 10, 80, 80), (0, 0, 100, 40), (45, 0, 55, 100)])
def test_a_large_region_takes_the_whole_picture(box: tuple[int, int, int, int]) -> None:
    assert plan_for(boxed(100, 100, box)).box == (0, 0, 100, 100)


def test_the_whole_picture_is_taken_when_it_is_asked_for() -> None:
    alpha = boxed(300, 400, (180, 130, 210, 160))
    assert plan_for(alpha).box != (0, 0, 400, 300)
    assert plan_for(alpha, whole=True).box == (0, 0, 400, 300)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 400),
    width=st.integers(1, 400),
    multiple=st.sampled_from([8, 32]),
    seed=st.integers(0, 10_000),
)
def test_any_region_lies_in_its_crop_and_survives_the_way_there_and_back(
    height: int, width: int, multiple: int, seed: int
) -> None:
    drawn = np.random.default_rng(seed)
    alpha = np.zeros((height, width), np.float32)
    y, x = int(drawn.integers(0, height)), int(drawn.integers(0, width))
    tall, wide = int(drawn.integers(1, 60)), int(drawn.integers(1, 60))
    alpha[y : y + tall, x : x + wide] = np.float32(drawn.uniform(0.004, 1))
    plan = plan_for(alpha, multiple=multiple)
    x0, y0, x1, y1 = plan.box
    rest = alpha.copy()
    rest[y0:y1, x0:x1] = 0
    assert not rest.any()
    assert all(side % multiple == 0 for side in plan.size)
    sent = taken_mask(alpha, plan)
    assert 0 <= sent.min() <= sent.max() <= 1
    back = put_back_mask(alpha.shape, (sent > 0).astype(np.float32), plan)
    assert (back[alpha > 0] > 0).all()


@pytest.mark.parametrize(("size", "resolution"), [((64, 64), 64), ((64, 80), 64), ((300, 400), 64)])
def test_an_unedited_picture_goes_back_as_it_was_but_for_resampling(
    size: tuple[int, int], resolution: int
) -> None:
    image = smooth(*size)
    alpha = boxed(*size, (20, 20, 40, 40))
    plan = plan_for(alpha, resolution=resolution)
    back = put_back(image, taken(image, plan), plan)
    assert np.abs(back - image).max() < 0.01
    x0, y0, x1, y1 = plan.box
    outside = np.ones(size, bool)
    outside[y0:y1, x0:x1] = False
    np.testing.assert_array_equal(back[outside], image[outside])


def test_at_the_networks_own_size_not_one_bit_changes_on_the_way() -> None:
    image = scene(64, 64)[0]
    plan = plan_for(np.ones((64, 64), np.float32))
    np.testing.assert_array_equal(taken(image, plan), image)
    np.testing.assert_array_equal(put_back(image, taken(image, plan), plan), image)


@pytest.mark.parametrize("shape", ["dot", "line", "column"])
@pytest.mark.parametrize("place", [(0, 0), (101, 57), (899, 899), (450, 333)])
def test_a_dot_and_a_line_of_one_pixel_survive_a_shrinking_of_the_whole_picture(
    shape: str, place: tuple[int, int]
) -> None:
    alpha = np.zeros((900, 900), np.float32)
    y, x = place
    row = slice(None) if shape == "column" else slice(y, y + 1)
    column = slice(None) if shape == "line" else slice(x, x + 1)
    alpha[row, column] = 1 / 255
    plan = plan_for(alpha, whole=True)
    sent = taken_mask(alpha, plan) > 0
    scale = plan.inner[0] / 900
    rows = range(900) if shape == "column" else [y]
    columns = range(900) if shape == "line" else [x]
    assert all(sent[int(r * scale), int(c * scale)] for r in rows for c in columns)
    assert sent.sum() <= 4 * max(1, sent.any(axis=0).sum(), sent.any(axis=1).sum())


def test_the_padding_is_no_part_of_the_region_and_continues_the_picture() -> None:
    image = smooth(50, 90)
    plan = plan_for(np.ones((50, 90), np.float32), resolution=50, multiple=64)
    assert plan.size != plan.inner
    mask, sent = taken_mask(np.ones((50, 90), np.float32), plan), taken(image, plan)
    assert not mask[plan.inner[0] :].any()
    assert not mask[:, plan.inner[1] :].any()
    edge = sent[plan.inner[0] - 1, : plan.inner[1]]
    np.testing.assert_array_equal(sent[-1, : plan.inner[1]], edge)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -5.0])
@pytest.mark.parametrize("resolution", [16, 48, 96])
def test_bad_samples_neither_enter_nor_spread(bad: float, resolution: int) -> None:
    image = smooth(48, 48)
    image[3, 3] = bad
    plan = plan_for(np.ones((48, 48), np.float32), resolution=resolution)
    sent = taken(image, plan)
    assert np.isfinite(sent).all()
    assert sent.min() >= 0
    assert sent.max() <= 1
    clean = taken(smooth(48, 48), plan)
    away = int(8 * resolution / 48)
    np.testing.assert_array_equal(sent[away:, away:], clean[away:, away:])


def test_only_the_box_is_written_and_the_given_picture_stays() -> None:
    image = smooth(300, 400)
    image[0, 0] = np.nan
    image.flags.writeable = False
    alpha = boxed(300, 400, (180, 130, 210, 160))
    plan = plan_for(alpha)
    out = put_back(image, np.ones((*plan.size, 3), np.float32), plan)
    x0, y0, x1, y1 = plan.box
    assert (out[y0:y1, x0:x1] == 1).all()
    out[y0:y1, x0:x1] = image[y0:y1, x0:x1]
    np.testing.assert_array_equal(out, image)


def test_a_broken_answer_stays_broken_so_that_it_is_seen() -> None:
    image = smooth(64, 64)
    plan = plan_for(np.ones((64, 64), np.float32))
    answer = taken(image, plan)
    answer[5, 5] = np.nan
    assert np.isnan(put_back(image, answer, plan)[5, 5]).all()


def test_a_methods_own_mask_goes_back_to_where_it_was_found() -> None:
    alpha = boxed(300, 400, (180, 130, 210, 160))
    plan = plan_for(alpha)
    back = put_back_mask(alpha.shape, taken_mask(alpha, plan), plan)
    assert back.dtype == np.float32
    assert 0 <= back.min() <= back.max() <= 1
    assert np.abs(back - alpha).mean() < 0.002
    assert (back[132:158, 182:208] > 0.99).all()
    x0, y0, x1, y1 = plan.box
    back[y0:y1, x0:x1] = 0
    assert not back.any()


def test_an_edited_spot_goes_back_to_its_own_place() -> None:
    image = np.full((300, 400, 3), 0.5, np.float32)
    alpha = boxed(300, 400, (180, 130, 210, 160))
    plan = plan_for(alpha)
    answer = np.where(taken_mask(alpha, plan)[..., None] > 0.5, 1, taken(image, plan))
    out = put_back(image, answer.astype(np.float32), plan)
    y, x = np.nonzero(out[..., 0] > 0.75)
    assert (x.min(), x.max() + 1, y.min(), y.max() + 1) == pytest.approx(
        (180, 210, 130, 160), abs=1
    )
