"""What lies outside the support is copied, whatever happens inside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from image_core.compositing import (
    bounding_box,
    composite,
    composite_native,
    difference_outside,
    feather_inwards,
    grown_box,
    is_finite_inside,
    support,
    union,
)

SIZES = st.tuples(st.integers(1, 17), st.integers(1, 17))
LEVELS = st.sampled_from([0.0, 0.0, 0.0, 1 / 255, 0.5, 1.0, 1.0])


@st.composite
def scenes(draw, dtype=np.uint8, channels=3):
    height, width = draw(SIZES)
    top = np.iinfo(dtype).max
    native = draw(hnp.arrays(dtype, (height, width, channels), elements=st.integers(0, top)))
    edited = draw(
        hnp.arrays(
            np.float32,
            (height, width, channels),
            elements=st.floats(-1, 2, width=32) | st.just(np.nan) | st.just(np.inf),
        )
    )
    alpha = draw(hnp.arrays(np.float32, (height, width), elements=LEVELS.map(np.float32)))
    return native, edited, alpha


@given(scenes())
@settings(deadline=None, max_examples=150)
def test_composite_copies_every_sample_outside_even_beside_nan(scene):
    native, edited, alpha = scene
    base = native.astype(np.float32) / 255
    result = composite(base, edited, alpha)
    outside = ~support(alpha)
    assert np.array_equal(result[outside], base[outside])
    full = alpha == 1
    assert np.array_equal(result[full], edited[full], equal_nan=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_native_samples_outside_keep_their_bits(dtype, channels, data):
    native, edited, alpha = data.draw(scenes(dtype, channels))
    written = composite_native(native, edited, support(alpha))
    assert written.dtype == native.dtype
    assert difference_outside(native, written, support(alpha)) == 0


def test_native_samples_inside_take_the_nearest_level():
    native = np.zeros((1, 3, 1), np.uint16)
    result = np.array([[[0.5], [1.7], [-0.3]]], np.float32)
    written = composite_native(native, result, np.ones((1, 3), bool))
    assert written.ravel().tolist() == [32768, 65535, 0]


def test_composite_leaves_its_arguments_alone():
    base, edited = np.zeros((2, 2, 3), np.float32), np.ones((2, 2, 3), np.float32)
    composite(base, edited, np.ones((2, 2), np.float32))
    assert base.max() == 0


def test_half_alpha_is_halfway():
    base, edited = np.zeros((1, 1, 3), np.float32), np.ones((1, 1, 3), np.float32)
    assert composite(base, edited, np.full((1, 1), 0.5, np.float32)).tolist() == [[[0.5] * 3]]


@given(hnp.arrays(np.float32, SIZES, elements=LEVELS.map(np.float32)), st.integers(0, 5))
@settings(deadline=None, max_examples=100)
def test_feathering_keeps_the_support_and_never_raises_a_weight(mask, width):
    feathered = feather_inwards(mask, width)
    assert np.array_equal(support(feathered), support(mask))
    assert (feathered <= mask).all()


def test_feather_rises_inside_the_border_but_not_at_the_picture_s_own():
    mask = np.zeros((9, 9), np.float32)
    mask[:, :6] = 1
    row = feather_inwards(mask, 2)[4]
    assert np.allclose(row[:6], [1, 1, 1, 1, 2 / 3, 1 / 3], atol=0.02)
    assert row[6:].max() == 0


def test_difference_outside_counts_single_samples():
    first = np.zeros((4, 4, 3), np.uint8)
    second = first.copy()
    second[0, 0, 1] = 1
    inside = np.zeros((4, 4), bool)
    assert difference_outside(first, second, inside) == 1
    inside[0, 0] = True
    assert difference_outside(first, second, inside) == 0


def test_boxes_are_half_open_and_clipped():
    inside = np.zeros((6, 8), bool)
    assert bounding_box(inside) is None
    inside[2:4, 3:7] = True
    assert bounding_box(inside) == (3, 2, 7, 4)
    assert grown_box((3, 2, 7, 4), 2, 6, 8) == (1, 0, 8, 6)


def test_union_is_the_pointwise_maximum():
    first, second = np.float32([[0, 0.5]]), np.float32([[0.25, 0.25]])
    assert union([first, second]).tolist() == [[0.25, 0.5]]


def test_non_finite_values_count_inside_only():
    image = np.zeros((2, 2, 3), np.float32)
    image[0, 0] = np.nan
    alpha = np.ones((2, 2), np.float32)
    assert not is_finite_inside(image, alpha)
    alpha[0, 0] = 0
    assert is_finite_inside(image, alpha)
