"""Classifier-free guidance: pushing a prediction along what a condition changes in it."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def guided(
    without: Float[Tensor, "b c h w"], given: Float[Tensor, "b c h w"], scale: float
) -> Float[Tensor, "b c h w"]:
    """Guide by one condition (Ho and Salimans, eq. 6, in the form w = scale).

    Args:
        without: The prediction for the empty condition.
        given: The prediction for the condition.
        scale: 1 gives ``given`` itself.
    """
    return without + scale * (given - without)


def guided_by_two(
    without: Float[Tensor, "b c h w"],
    image: Float[Tensor, "b c h w"],
    both: Float[Tensor, "b c h w"],
    *,
    image_scale: float,
    text_scale: float,
) -> Float[Tensor, "b c h w"]:
    """Guide by an image and by a text (InstructPix2Pix, eq. 3).

    Args:
        without: The prediction with neither.
        image: With the image alone.
        both: With image and text.
        image_scale: How near to the image (s_I).
        text_scale: How much of the text (s_T).
    """
    return without + image_scale * (image - without) + text_scale * (both - image)
