"""How near pictures are to each other, inside a region and outside, and between views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32
from skimage.metrics import structural_similarity

from image_core.colour import srgb_to_oklab
from image_core.compositing import dilated
from image_core.errors import InvalidInput
from image_core.types import Image, Mask
from nerf.lifting import seen
from nerf.view_camera import ViewCamera, pixel_index, points_at, project

MARGIN = 2
"""Pixels around a region that belong to neither side: both colours mix there."""
BEST_PSNR = 100.0
"""Of equal pictures, in dB."""

_SSIM_SIGMA = 1.5
_SSIM_WINDOW = 11


def sides(
    region: Mask, *, margin: int = MARGIN
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Return the pixels inside a region, and those that are clearly outside.

    Args:
        region: Inside is 0.5 and more.
        margin: Pixels nearer than this to the inside are on neither side.
    """
    inside = np.asarray(region >= 0.5)
    return inside, ~dilated(inside, margin)


def psnr(one: Image, other: Image, where: Bool[np.ndarray, "h w"] | None = None) -> float | None:
    """Return the peak signal-to-noise ratio in dB over some pixels; None where there are none."""
    if where is None:
        where = np.ones(one.shape[:2], bool)
    if not where.any():
        return None
    error = float(np.mean((one[where].astype(np.float64) - other[where]) ** 2))
    return BEST_PSNR if error <= 0 else min(BEST_PSNR, float(-10 * np.log10(error)))


def ssim(one: Image, other: Image, where: Bool[np.ndarray, "h w"] | None = None) -> float | None:
    """Return the structural similarity, in [-1, 1], averaged over some pixels.

    Gaussian windows as in Wang et al. (2004); those of pixels at the border of ``where`` reach over
    it. None where there are no pixels, or the picture is smaller than a window.
    """
    if min(one.shape[:2]) < _SSIM_WINDOW or (where is not None and not where.any()):
        return None
    compare: Any = structural_similarity  # without types
    _, each = compare(
        one,
        other,
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=_SSIM_SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    pixels = np.asarray(each).mean(axis=2)
    return float(pixels.mean() if where is None else pixels[where].mean())


def colour_distances(
    one: Float32[np.ndarray, "*n 3"], other: Float32[np.ndarray, "*n 3"], *, space: str
) -> Float[np.ndarray, "*n"]:
    """Return the Euclidean distance of each pixel's colours.

    Args:
        one: sRGB in [0, 1].
        other: The same.
        space: ``oklab``, in which equal distances look alike, or ``rgb``.
    """
    if space == "oklab":
        one, other = srgb_to_oklab(np.clip(one, 0, 1)), srgb_to_oklab(np.clip(other, 0, 1))
    elif space != "rgb":
        raise InvalidInput(f"there is no colour space {space!r}", hint="oklab or rgb.")
    return np.asarray(np.linalg.norm(one.astype(np.float64) - other, axis=-1))


@dataclass(frozen=True, kw_only=True)
class Way:
    """How far an edit has come, summed over pixels; of several views the sums are added.

    Attributes:
        left: Summed colour distance from what is shown to the true edit.
        whole: The same from the original.
    """

    left: float = 0.0
    whole: float = 0.0

    def __add__(self, other: Way) -> Way:
        return Way(left=self.left + other.left, whole=self.whole + other.whole)

    @property
    def share(self) -> float | None:
        """1 at the true edit, 0 as far from it as the original; None without a way to go."""
        return 1 - self.left / self.whole if self.whole > 0 else None


def way_to(
    shown: Image,
    truth: Image,
    original: Image,
    where: Bool[np.ndarray, "h w"],
    *,
    space: str = "oklab",
) -> Way:
    """Measure how much of the way from the original to the true edit was gone, over some pixels."""
    left = colour_distances(shown[where], truth[where], space=space)
    whole = colour_distances(original[where], truth[where], space=space)
    return Way(left=float(left.sum()), whole=float(whole.sum()))


def iou(one: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> float | None:
    """Return the intersection of two regions over their union; None when both are empty."""
    union = int(np.count_nonzero(one | other))
    return np.count_nonzero(one & other) / union if union else None


def warped(
    picture: Image,
    camera: ViewCamera,
    depth: Float[np.ndarray, "h w"],
    into: ViewCamera,
    into_depth: Float[np.ndarray, "h2 w2"],
) -> tuple[Float32[np.ndarray, "h2 w2 3"], Bool[np.ndarray, "h2 w2"]]:
    """Show one view's picture as another view would see it, by depth.

    Args:
        picture: Of the first view.
        camera: Of the first view.
        depth: What the first view renders, along its rays.
        into: The second view.
        into_depth: What that one renders.

    Returns:
        The picture, sampled bilinearly, and where it is known: where the first view sees the same
        point, and its depth has no edge there.
    """
    points = points_at(into, into_depth)
    visible = seen(points, camera, depth) & ~_at_edge(into_depth)
    xy, _ = project(points, camera)
    rows, columns, _ = pixel_index(xy, camera)
    visible &= ~_at_edge(depth)[rows, columns]
    # OpenCV counts from the first pixel's centre
    at = np.nan_to_num(xy - 0.5, nan=-1.0).astype(np.float32)
    across, down = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    made = cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(made, np.float32), np.asarray(visible)


def _at_edge(depth: Float[np.ndarray, "h w"], *, step: float = 0.1) -> Bool[np.ndarray, "h w"]:
    """Return the pixels beside a jump of depth, whose colours mix two things."""
    kernel = np.ones((3, 3), np.uint8)
    values = np.asarray(depth, np.float32)
    return np.asarray(cv2.dilate(values, kernel) > (1 + step) * cv2.erode(values, kernel))
