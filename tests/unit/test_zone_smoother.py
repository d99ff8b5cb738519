"""ZONE's smoother: the released code's numbers, and a ring that hides seams and makes no halo."""

from __future__ import annotations

import numpy as np
import pytest

from image_core.compositing import composite
from image_core.editors.zone.low_pass import low_passed, mean_where
from image_core.editors.zone.paper_code import (
    in_8_bits,
    passed_frequencies,
    pasted,
    smoothed,
    widened,
)
from image_core.editors.zone.seam_error import change_kept, seam_error
from image_core.editors.zone.smoother import margin_of, smoothed_alpha
from image_core.errors import InvalidInput


def brief_case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The parity case: ramps, a rectangle, and a layer that is brighter in its left part."""
    y, x = np.indices((512, 512))
    original = np.stack([x // 2, y // 2, (x + y) // 4], axis=-1).astype(np.uint8)
    region = (abs(y - 256) < 100) & (abs(x - 256) < 120)
    brighter = np.minimum(original.astype(int) + 90, 255).astype(np.uint8)
    return original, np.where((x < 256)[..., None], brighter, original), region


# the released code


def test_the_released_codes_smoother_gives_its_numbers():
    original, styled, region = brief_case()
    made = smoothed(original, styled, region)
    assert region.sum() == 47_561
    assert widened(region).sum() == 51_129
    assert made.differs.sum() == 25_461
    assert (made.edge & ~region).sum() == 1_780
    assert (made.edge & region).sum() == 23_880
    assert made.image.sum(dtype=np.int64) == 106_896_380


@pytest.mark.parametrize(("shape", "count"), [((384, 512), 109_570), ((512, 512), 125_629)])
def test_the_disc_of_frequencies_is_off_centre_on_all_but_square_pictures(shape, count):
    assert passed_frequencies(*shape).sum() == count


def test_grey_takes_blue_for_red():
    original, region = np.full((64, 64, 3), 20, np.uint8), np.zeros((64, 64), bool)
    region[16:48, 16:48] = True
    for channel, seen in ((0, False), (2, True)):
        styled = original.copy()
        styled[..., channel] = 220  # 0.114 · 200 = 23 and 0.299 · 200 = 60, around 30
        assert smoothed(original, styled, region).differs[32, 32] == seen


def test_differences_lose_their_fraction_and_wrap_at_256():
    assert in_8_bits(np.array([[30.99, 255.9, 256.0, 300.7]])).tolist() == [[30, 255, 0, 44]]


def test_outside_the_region_and_the_differences_every_pixel_is_the_originals():
    rng = np.random.default_rng(3)
    original, styled = rng.integers(0, 256, (2, 96, 160, 3), dtype=np.uint8)
    region = np.zeros((96, 160), bool)
    region[30:60, 40:90] = True
    made = smoothed(original, styled, region)
    outside = ~(made.differs | region)
    assert outside.any()
    assert (made.image[outside] == original[outside]).all()
    assert (made.alpha[outside] == 0).all()
    # the recorded weights are what was done, rounded down
    exact = original + made.alpha[..., None] * (styled.astype(float) - original)
    assert np.abs(made.image - exact).max() < 1.001


def test_only_removals_are_pasted_on_the_widened_region():
    original, styled, region = brief_case()
    styled = 255 - original
    for action, where in (("change", region), ("add", region), ("remove", widened(region))):
        changed = (pasted(original, styled, region, action) != original).any(axis=-1)
        assert (changed <= where).all()
        assert changed.sum() > 0.99 * where.sum()


# low-passed means


def test_the_low_pass_is_round_and_centred_on_pictures_that_are_not_square():
    point = np.zeros((61, 101, 1), np.float32)
    point[30, 50] = 1
    passed = low_passed(point, 3.0)[..., 0]
    assert passed.sum() == pytest.approx(1, abs=1e-3)
    assert np.allclose(passed, passed[::-1], atol=1e-6)
    assert np.allclose(passed, passed[:, ::-1], atol=1e-6)
    assert np.allclose(passed[30, 40:61], passed[20:41, 50], atol=1e-6)
    assert passed[30, 50] == pytest.approx(1 / (2 * np.pi * 9), rel=1e-3)


def test_the_low_pass_does_not_reach_round_to_the_other_border():
    edge = np.zeros((40, 60, 1), np.float32)
    edge[:, 0] = 1
    assert np.abs(low_passed(edge, 3.0)[:, -8:]).max() < 1e-4
    assert np.abs(low_passed(edge.swapaxes(0, 1), 3.0)[-8:]).max() < 1e-4


def test_means_count_only_what_has_weight():
    values = np.zeros((40, 60, 2), np.float32)
    values[:, :30], values[:, 30:] = (0.25, 0.5), 99
    weights = np.zeros((40, 60), np.float32)
    weights[:, :30] = 1
    means = mean_where(values, weights, 2.0)
    assert np.allclose(means[:, :34], (0.25, 0.5), atol=1e-3)
    assert (means[:, 50:] == 0).all()


# the fixed smoother


def disc(size: tuple[int, int], radius: float, centre: tuple[int, int]) -> np.ndarray:
    rows, columns = np.indices(size)
    return np.hypot(rows - centre[0], columns - centre[1]) <= radius


def picture(size: tuple[int, int]) -> np.ndarray:
    """A smooth picture with a little grain."""
    rows, columns = np.indices(size)
    smooth = np.stack([rows / size[0], columns / size[1], 0 * rows + 0.5], axis=-1) * 0.5 + 0.2
    return (smooth + np.random.default_rng(1).normal(0, 0.005, smooth.shape)).astype(np.float32)


@pytest.fixture(params=[(200, 200), (160, 260), (260, 140)], ids=str)
def scene(request):
    """A picture, a disc in it, and the pixels around that a ring may take."""
    size = request.param
    inside = disc(size, 40, (size[0] // 2, size[1] // 2))
    near = disc(size, 44, (size[0] // 2, size[1] // 2))
    return picture(size), inside, near


def test_a_drift_of_tone_fades_over_the_ring_and_shows_less(scene):
    original, inside, near = scene
    styled = original + np.float32(0.05)
    cut = inside.astype(np.float32)
    weight = smoothed_alpha(original, styled, cut, margin=4)
    ring = near & ~inside
    assert (weight[inside] == 1).all()
    assert (weight[~near] == 0).all()
    assert 0.3 < weight[ring].mean() < 0.7
    seams = [
        seam_error(original, styled, composite(original, styled, alpha), inside, 4)
        for alpha in (cut, weight)
    ]
    assert seams[1] < 0.65 * seams[0]


def test_a_layer_that_was_cut_too_tightly_goes_on_to_the_things_own_outline(scene):
    original, inside, _ = scene
    size = inside.shape
    thing = disc(size, 43, (size[0] // 2, size[1] // 2))
    styled = np.where(thing[..., None], np.float32([0.9, 0.1, 0.2]), original)
    weight = smoothed_alpha(original, styled, inside.astype(np.float32), margin=4)
    result = composite(original, styled, weight)
    assert weight[thing].min() > 0.9
    assert np.abs(result - styled).max() < 0.08


def test_the_ring_ends_where_layer_and_original_agree(scene):
    original, inside, _ = scene
    size, middle = inside.shape, (inside.shape[0] // 2, inside.shape[1] // 2)
    styled = np.where(disc(size, 42, middle)[..., None], np.float32([0.9, 0.1, 0.2]), original)
    weight = smoothed_alpha(original, styled, inside.astype(np.float32), margin=7)
    assert weight[disc(size, 42, middle)].min() > 0.8
    assert (weight[~disc(size, 45.5, middle)] == 0).all()


def test_along_a_things_own_outline_no_halo_is_made(scene):
    original, inside, _ = scene
    original = np.where(inside[..., None], 0.75 * original + 0.25, original).astype(np.float32)
    # a network that has tinted the whole picture
    styled = np.clip(original * np.float32([0.8, 1.0, 1.2]), 0, 1)
    cut = inside.astype(np.float32)
    assert np.abs(smoothed_alpha(original, styled, cut, margin=4) - cut).max() < 0.05


def test_an_added_thing_gets_no_halo_from_the_background_made_with_it(scene):
    original, inside, _ = scene
    styled = np.where(inside[..., None], np.float32([0.1, 0.6, 0.2]), original + np.float32(0.03))
    cut = inside.astype(np.float32)
    assert np.abs(smoothed_alpha(original, styled, cut, margin=4) - cut).max() < 0.05


def test_a_difference_too_large_to_hide_ends_within_a_pixel(scene):
    original, inside, _ = scene
    styled = np.clip(original + np.float32([0.4, -0.2, 0.0]), 0, 1)
    weight = smoothed_alpha(original, styled, inside.astype(np.float32), margin=4)
    size = inside.shape
    beyond = ~disc(size, 42, (size[0] // 2, size[1] // 2))
    assert weight[beyond].max() < 0.1


def test_colours_of_the_same_grey_are_told_apart():
    original = np.full((120, 120, 3), 0.5, np.float32)
    styled = (original + np.float32([0.06, -0.0306, 0.0])).astype(np.float32)
    inside = disc((120, 120), 30, (60, 60))
    weight = smoothed_alpha(original, styled, inside.astype(np.float32), margin=4)
    assert weight[~inside].max() > 0.5


def test_where_nothing_differs_around_it_the_layer_stays_as_it_was(scene):
    original, inside, _ = scene
    styled = np.where(inside[..., None], 1 - original, original)
    cut = inside.astype(np.float32)
    for alpha in (cut, 0 * cut, 0 * cut + 1):
        assert (smoothed_alpha(original, styled, alpha, margin=4) == alpha).all()
    assert (smoothed_alpha(original, original, cut, margin=4) == cut).all()
    assert (smoothed_alpha(original, original + 0.05, cut, margin=0) == cut).all()


def test_the_layer_stays_under_the_users_mask(scene):
    original, inside, _ = scene
    allowed = np.zeros(inside.shape, np.float32)
    allowed[: inside.shape[0] // 2] = 0.5
    cut = inside.astype(np.float32)
    weight = smoothed_alpha(original, original + np.float32(0.05), cut, margin=4, allowed=allowed)
    assert (weight <= allowed).all()
    assert weight[: inside.shape[0] // 2][~inside[: inside.shape[0] // 2]].max() > 0.3


def test_outside_the_weight_every_sample_is_the_originals_even_beside_nan(scene):
    original, inside, near = scene
    styled = original + np.float32(0.05)
    styled[~disc(inside.shape, 41, (inside.shape[0] // 2, inside.shape[1] // 2))] = np.nan
    weight = smoothed_alpha(original, styled, inside.astype(np.float32), margin=4)
    result = composite(original, styled, weight)
    assert np.isfinite(weight).all()
    assert (result[weight == 0] == original[weight == 0]).all()
    assert (weight[~near] == 0).all()


def test_a_large_picture_gets_the_same_ring_in_proportion():
    original = np.kron(picture((160, 260)), np.ones((4, 4, 1), np.float32))
    inside = disc((640, 1040), 160, (320, 520))
    assert margin_of(3000, 4000) == 31
    weight = smoothed_alpha(
        original, original + np.float32(0.05), inside.astype(np.float32), margin=16
    )
    assert (weight[inside] == 1).all()
    assert (weight[~disc((640, 1040), 176, (320, 520))] == 0).all()
    row = weight[320, 680:697]  # from the border outwards
    assert (np.diff(row) <= 0).all()
    assert np.diff(row).min() > -0.15


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (6, 5), (33, 300)])
def test_tiny_and_slim_pictures_are_taken(size):
    original, alpha = picture(size), np.zeros(size, np.float32)
    alpha[: max(1, size[0] // 2), : max(1, size[1] // 2)] = 1
    weight = smoothed_alpha(original, original + np.float32(0.05), alpha)
    assert np.isfinite(weight).all()
    assert (weight >= alpha).all()


def test_the_same_inputs_give_the_same_bits(scene):
    original, inside, _ = scene
    cut = inside.astype(np.float32)
    first, second = (smoothed_alpha(original, original + np.float32(0.05), cut) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_sizes_that_differ_and_negative_margins_are_refused():
    original, alpha = picture((40, 50)), np.ones((40, 50), np.float32)
    with pytest.raises(InvalidInput, match="size"):
        smoothed_alpha(original, picture((50, 40)), alpha)
    with pytest.raises(InvalidInput, match="size"):
        smoothed_alpha(original, original, alpha, allowed=np.ones((4, 5), np.float32))
    with pytest.raises(InvalidInput, match="negative"):
        smoothed_alpha(original, original, alpha, margin=-1)


# measures


def test_a_seam_is_what_neither_picture_has(scene):
    original, inside, _ = scene
    styled = original + np.float32(0.05)
    cut = composite(original, styled, inside.astype(np.float32))
    assert seam_error(original, styled, original, inside, 4) == 0
    assert seam_error(original, styled, styled, inside, 4) == 0
    assert seam_error(original, styled, cut, inside, 4) > 0.5
    thing = np.where(inside[..., None], np.float32(0.9), original)
    pasted_thing = composite(original, thing, inside.astype(np.float32))
    assert seam_error(original, thing, pasted_thing, inside, 4) == 0


def test_the_released_codes_smoother_loses_a_part_of_the_edit_and_ours_none():
    original, styled, region = brief_case()
    styled = np.minimum(original.astype(int) + 25, 255).astype(np.uint8)  # under its threshold
    before, made = (p.astype(np.float32) / 255 for p in (original, styled))
    theirs = smoothed(original, styled, region).image.astype(np.float32) / 255
    weight = smoothed_alpha(before, made, region.astype(np.float32))
    assert change_kept(before, made, theirs, region) == pytest.approx(0.6, abs=0.03)
    assert change_kept(before, made, composite(before, made, weight), region) == 1
    assert change_kept(before, before, before, region) == 1
    assert seam_error(before, made, before, region & False, 4) == 0
