"""ZONE's layer: what each action lays over the source, and that nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest

from image_core.editors.zone.layer import Layer, layer_of, weight_of
from image_core.errors import InvalidInput


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An original, a styled picture that differs everywhere, and a region."""
    rng = np.random.default_rng(5)
    original, styled = rng.random((2, 90, 140, 3)).astype(np.float32)
    region = np.zeros((90, 140), np.float32)
    region[30:60, 50:80] = 1
    return original, styled, region


def test_a_removal_takes_the_region_widened_by_nine_pixels_square(pictures):
    *_, region = pictures
    widened = np.zeros_like(region)
    widened[26:64, 46:84] = 1
    assert (weight_of(region, "remove", 4) == widened).all()
    assert (weight_of(0.3 * region, "remove", 4) == widened).all()  # no rim shines through
    assert weight_of(region, "change", 4) is region
    assert weight_of(region, "add", 4) is region


@pytest.mark.parametrize("action", ["change", "add", "remove"])
@pytest.mark.parametrize("smooth", [False, True])
def test_the_region_is_the_styled_pictures_and_the_rest_the_originals(pictures, action, smooth):
    original, styled, region = pictures
    layer = layer_of(original, styled, region, action, smooth=smooth, margin=4)
    result = layer.over(original)
    outside = layer.alpha == 0
    assert (result[outside] == original[outside]).all()
    assert (result[region == 1] == styled[region == 1]).all()
    assert outside[:20].all()
    if action == "remove":
        assert (result[26:64, 46:84] == styled[26:64, 46:84]).all()
    elif not smooth:
        assert (layer.alpha == region).all()


def test_no_action_leaves_the_users_mask(pictures):
    original, styled, region = pictures
    allowed = np.zeros_like(region)
    allowed[:, :65] = 1
    for action in ("change", "add", "remove"):
        layer = layer_of(original, styled, region, action, allowed=allowed)
        assert not layer.alpha[:, 65:].any()
        assert layer.alpha[40, 60] == 1


def test_the_rgba_layer_has_straight_alpha_and_hides_nothing(pictures):
    original, styled, region = pictures
    region[30:60, 50] = 0.25
    layer = layer_of(original, styled, region, "change", smooth=False)
    rgba = layer.rgba()
    assert rgba.shape == (90, 140, 4)
    assert (rgba[..., 3] == layer.alpha).all()
    assert (rgba[40, 50, :3] == styled[40, 50]).all()  # not multiplied by its quarter
    assert (rgba[rgba[..., 3] == 0] == 0).all()
    again = Layer(colours=rgba[..., :3], alpha=rgba[..., 3]).over(original)
    assert (again == layer.over(original)).all()


def test_a_layer_is_brought_to_the_sources_size_edge_on_edge(pictures):
    original, styled, region = pictures
    layer = layer_of(original, styled, region, "change", smooth=False)
    large = layer.at_size(270, 420)
    assert large.colours.shape == (270, 420, 3)
    assert large.alpha[96:174, 156:234].min() == 1
    assert large.alpha.sum() == pytest.approx(9 * region.sum(), rel=1e-3)
    source = np.random.default_rng(6).random((270, 420, 3)).astype(np.float32)
    result = large.over(source)
    assert (result[large.alpha == 0] == source[large.alpha == 0]).all()
    assert (result[100:170, 160:230] == large.colours[100:170, 160:230]).all()
    assert large.colours.min() >= 0
    assert large.colours.max() <= 1
    assert layer.at_size(90, 140) is layer
    assert layer.at_size(45, 70).alpha.sum() == pytest.approx(region.sum() / 4)


def test_nan_beyond_the_region_stays_out(pictures):
    original, styled, region = pictures
    styled[region == 0] = np.nan
    result = layer_of(original, styled, region, "change", smooth=False).over(original)
    assert np.isfinite(result).all()


def test_what_does_not_fit_is_refused(pictures):
    original, styled, region = pictures
    layer = layer_of(original, styled, region, "change")
    with pytest.raises(InvalidInput, match="140x90") as caught:
        layer.over(np.zeros((9, 9, 3), np.float32))
    assert "at_size" in caught.value.hint
    with pytest.raises(InvalidInput, match="negative"):
        layer_of(original, styled, region, "remove", margin=-2)
    with pytest.raises(InvalidInput, match="size"):
        layer_of(original, styled[:50], region, "change")
