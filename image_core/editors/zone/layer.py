"""The layer that an edit is: what was made, with its weight, ready to be laid over the source."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.compositing import composite, support
from image_core.editors.zone.actions.labels import Action
from image_core.editors.zone.smoother import margin_of, smoothed_alpha
from image_core.errors import InvalidInput
from image_core.types import Image, Mask


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A picture with straight alpha.

    Attributes:
        colours: What was made, everywhere; in [0, 1], not multiplied by the alpha.
        alpha: Its weight; 0 is never written.
    """

    colours: Image
    alpha: Mask

    def over(self, base: Image) -> Image:
        """Return a picture with the layer laid over it; samples at alpha 0 are the picture's own.

        Raises:
            InvalidInput: The picture has another size.
        """
        if base.shape != self.colours.shape:
            raise InvalidInput(
                f"the layer is {self.colours.shape[1]}x{self.colours.shape[0]}, the picture "
                f"{base.shape[1]}x{base.shape[0]}",
                hint="Bring the layer to the picture's size first: layer.at_size(height, width).",
            )
        return composite(base, self.colours, self.alpha)

    def at_size(self, height: int, width: int) -> Layer:
        """Return the layer at another size, edge on edge."""
        if (height, width) == self.alpha.shape:
            return self
        return Layer(
            colours=np.clip(_scaled(self.colours, height, width, cv2.INTER_CUBIC), 0, 1),
            alpha=np.clip(_scaled(self.alpha, height, width, cv2.INTER_LINEAR), 0, 1),
        )

    def rgba(self) -> Float32[np.ndarray, "h w 4"]:
        """Return the layer as one array, straight alpha last; colours at alpha 0 are black."""
        inside = support(self.alpha)[..., None]
        colours = np.where(inside, self.colours, np.float32(0))
        return np.concatenate([colours, self.alpha[..., None]], axis=-1)


def layer_of(
    original: Image,
    styled: Image,
    region: Mask,
    action: Action,
    *,
    allowed: Mask | None = None,
    smooth: bool = True,
    margin: int | None = None,
) -> Layer:
    """Cut the layer of an edit out of a styled picture.

    Args:
        original: The source.
        styled: What was made of it, of the same size.
        region: Where the edit is: of the styled thing for changing and adding, of the thing itself
            for removing.
        action: A removal takes all of the widened region, so that no rim of the thing is left.
        allowed: A user's mask, which nothing leaves.
        smooth: Whether the smoother hides the seam.
        margin: How far the layer may reach over its region, in pixels; 4 of 512 by default.

    Raises:
        InvalidInput: The sizes differ, or the margin is negative.
    """
    margin = margin_of(*region.shape) if margin is None else margin
    if margin < 0:
        raise InvalidInput(f"margin={margin} is negative")
    alpha = weight_of(region, action, margin)
    reach = margin if smooth else 0
    alpha = smoothed_alpha(original, styled, alpha, margin=reach, allowed=allowed)
    return Layer(colours=styled, alpha=alpha)


def weight_of(region: Mask, action: Action, margin: int) -> Mask:
    """Return a layer's weight before the smoother: m, and for removals the whole of m+.

    Args:
        region: m.
        action: What the edit does.
        margin: m+ is m dilated by a square that reaches so far, 9x9 for 4.
    """
    if action != "remove":
        return region
    square = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    wide = cv2.dilate(support(region).astype(np.uint8), square)
    return np.asarray(wide, np.float32)


def _scaled(
    values: Float32[np.ndarray, "h w *c"], height: int, width: int, enlarging: int
) -> Float32[np.ndarray, "h2 w2 *c"]:
    shrinks = height * width < values.shape[0] * values.shape[1]
    way = cv2.INTER_AREA if shrinks else enlarging
    return np.asarray(cv2.resize(values, (width, height), interpolation=way), np.float32)
