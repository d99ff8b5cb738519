"""From a target's outline at the working size to its alpha on the full frame."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.compositing import bounding_box, grown_box, on_8_bit_grid
from image_core.segmentation.edges import dilated, edge_alpha
from image_core.types import Mask
from video.flow_types import Confidence
from video.frames import Picture
from video.warping import Field, resized_flow, warped

_RADIUS = 5  # px of the guided filter's window, where an outline is known to the pixel
_REACH = 3  # px by which the alpha may exceed the outline, as in image_core's regions
_FAINT = 4 / 255  # less than this is no coverage, but what averaging has left behind
_MARGIN = 4  # windows of the guided filter around the region


def resized_alpha(alpha: Mask, size: tuple[int, int]) -> Mask:
    """Bring an alpha to a width and height."""
    height, width = alpha.shape
    if (width, height) == size:
        return alpha
    filter = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(alpha, size, interpolation=filter), np.float32)


def fine_alpha(picture: Picture, outline: Bool[np.ndarray, "_ _"]) -> Mask:
    """Return an alpha that is soft near the outline only, where the full frame's edges are.

    Args:
        picture: The full frame.
        outline: The region at the same or at a smaller size.
    """
    height, width = picture.shape[:2]
    rough = resized_alpha(outline.astype(np.float32), (width, height)) > 0.5
    alpha = np.zeros((height, width), np.float32)
    bounds = bounding_box(rough)
    if bounds is None:
        return alpha
    # an outline known to some pixels only needs a window that holds the true edge
    scale = max(1.0, width / outline.shape[1])
    radius = round(_RADIUS * scale)
    left, top, right, bottom = grown_box(bounds, _MARGIN * radius, height, width)
    window = slice(top, bottom), slice(left, right)
    guide = picture[window].astype(np.float32) / 255
    subsample = max(1, round(scale))
    alpha[window] = edge_alpha(
        guide, rough[window], radius=radius, reach=_REACH, subsample=subsample
    )
    return alpha


def steadied(alpha: Mask, before: Mask, flow: tuple[Field, Confidence], amount: float) -> Mask:
    """Average an alpha's edge with the neighbour's, moved along the flow, as far as it is trusted.

    Only near the frame's own outline: elsewhere the neighbour would leave ghosts behind.

    Args:
        alpha: Of a frame.
        before: Of its neighbour, at the same size.
        flow: From the frame to the neighbour, at any size, and its confidence.
        amount: What share the neighbour has at most.

    Returns:
        The mean, on the 8-bit grid.
    """
    size = (alpha.shape[1], alpha.shape[0])
    carried = warped(before, resized_flow(flow[0], size))
    share = amount * resized_alpha(flow[1], size)
    full = alpha > 0.5
    edge = dilated(full, _REACH) & dilated(~full, 2 * _REACH)
    mean = np.where(edge, alpha + share * (carried - alpha), alpha)
    return on_8_bit_grid(np.where(mean < _FAINT, 0, mean).astype(np.float32))
