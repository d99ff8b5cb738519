"""The losses of a deformation and a canonical field, each a weighted mean that is 0 for no weight.

After CoDeF (Ouyang et al., CVPR 2024, section 3.3), robust and with regularisers. Needs torch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

LEAST_AREA = 0.2
"""Share of a pixel's area in the frame, below which its area in the canonical one is punished."""

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
# divided by the sum of one side, so that a ramp of slope 1 a pixel gives 1
_SOBEL = ((-0.125, 0.0, 0.125), (-0.25, 0.0, 0.25), (-0.125, 0.0, 0.125))

Scalar = Float[Tensor, ""]


def weighted_mean(values: Float[Tensor, "*n"], weight: Float[Tensor, "*n"]) -> Scalar:
    """Return the mean of values by weight; 0 where nothing has any.

    What has no weight may hold anything, NaN too.
    """
    counted = torch.where(weight > 0, values, 0) * weight
    return counted.sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


def colour_difference(
    seen: Float[Tensor, "n 3"],
    wanted: Float[Tensor, "n 3"],
    weight: Float[Tensor, " n"],
    *,
    noise: float | None = None,
) -> Scalar:
    """Return the mean squared difference of colours.

    Args:
        seen: By the fields.
        wanted: Of the frame, in [0, 1].
        weight: What each counts.
        noise: Difference from which it grows only linearly (Huber's); None for never.
    """
    if noise is None:
        squares = (seen - wanted).square()
    else:
        squares = 2 * functional.huber_loss(seen, wanted, reduction="none", delta=noise)
    return weighted_mean(squares.mean(dim=-1), weight)


def sobel(colours: Float[Tensor, "p h w 3"]) -> Float[Tensor, "p 2 h-2 w-2"]:
    """Return the luma's slopes along x and y, a pixel, where all neighbours are there."""
    luma = (colours * colours.new_tensor(_LUMA)).sum(dim=-1)
    kernel = colours.new_tensor(_SOBEL)
    return functional.conv2d(luma[:, None], torch.stack((kernel, kernel.t()))[:, None])


def gradient_difference(
    seen: Float[Tensor, "p h w 3"],
    wanted: Float[Tensor, "p h w 3"],
    weight: Float[Tensor, "p h w"],
) -> Scalar:
    """Return the mean absolute difference of the luma's Sobel gradients in patches.

    Each counts as the least of the nine pixels that it is made of. 0 where patches are too small.
    """
    if min(seen.shape[1:3]) < 3:
        return seen.new_zeros(())
    apart = (sobel(seen) - sobel(wanted)).abs().mean(dim=1)
    return weighted_mean(apart, -functional.max_pool2d(-weight, 3, stride=1))


def ends_apart(
    here: Float[Tensor, "n 2"],
    there: Float[Tensor, "n 2"],
    weight: Float[Tensor, " n"],
    *,
    sides: Float[Tensor, " 2"],
) -> Scalar:
    """Return the mean L1 distance of two canonical places that should be one.

    Args:
        here: One, in shares of the reference frame.
        there: The other.
        weight: Confidence that they are one.
        sides: What the shares are multiplied by along x and y: 1 and 1 for CoDeF's own measure,
            width and height over the longer of them for one that is alike in all directions.
    """
    return weighted_mean(((here - there) * sides).abs().sum(dim=-1), weight)


def beyond_window(unit: Float[Tensor, "n 2"], weight: Float[Tensor, " n"]) -> Scalar:
    """Return how far places lie outside the canonical picture on average, in shares of it."""
    return weighted_mean((unit - unit.clamp(0, 1)).abs().sum(dim=-1), weight)


def area(places: Float[Tensor, "p h w 2"]) -> Float[Tensor, "p h-1 w-1"]:
    """Return the determinant of a map's Jacobian by forward differences; both in pixels."""
    right = places[:, :-1, 1:] - places[:, :-1, :-1]
    down = places[:, 1:, :-1] - places[:, :-1, :-1]
    return right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]


def folding(places: Float[Tensor, "p h w 2"], weight: Float[Tensor, "p h w"]) -> Scalar:
    """Return how far cells fall short of ``LEAST_AREA``, on average."""
    return weighted_mean(torch.relu(LEAST_AREA - area(places)), weight[:, :-1, :-1])


def roughness(displacement: Float[Tensor, "p h w 2"], weight: Float[Tensor, "p h w"]) -> Scalar:
    """Return the mean squared slope of a displacement; both in pixels."""
    right = (displacement[:, :, 1:] - displacement[:, :, :-1]).square().sum(dim=-1)
    down = (displacement[:, 1:] - displacement[:, :-1]).square().sum(dim=-1)
    return weighted_mean(right, weight[:, :, 1:]) + weighted_mean(down, weight[:, 1:])
