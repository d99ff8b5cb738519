"""ZONE's smoother done anew: the layer's weight where it meets the original, so that no seam shows.

ZONE (Li et al., CVPR 2024) compares layer and original below a cut-off frequency and blends both
where they differ. Its code does so in grey and with one weight, inside the layer too (see
``paper_code``). Here the layer's inside stays whole, and a ring around it is told by low-passed
colours what it should do:

- Where layer or original has an edge of its own along the cut, it is a thing's outline and the
  ring stays empty: a blend would only make a halo. So it does where the cut makes no step.
- Where the styled picture comes back to the original within the ring, the layer was cut too
  tightly: it goes on at full weight until both agree.
- Where it does not, the layer fades out. Differences of tone fade over the whole ring, differences
  of structure over a narrow one, since half of each would be seen twice (the width of a blend goes
  with the wavelength: P. Burt, E. Adelson, "A multiresolution spline", 1983). A difference too
  large to be hidden fades over a pixel: a clean edge is better than a haze.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from image_core.compositing import bounding_box, grown_box, support
from image_core.distances import distance_within
from image_core.editors.zone.low_pass import mean_where
from image_core.errors import InvalidInput
from image_core.types import Image, Mask

_MARGIN = 4 / 512  # of the picture's longer side: what the released code's dilation reaches
_LEAST_MARGIN = 2
_COARSE_MARGIN = 4  # colours are compared on a picture reduced until the margin has so many pixels
_UNSEEN, _SEEN = 2 / 255, 8 / 255  # a step of colour that nobody sees, and one that everybody does
_WEAK_EDGE, _CLEAR_EDGE = 0.05, 0.15  # steps that either picture has along a thing's outline
_BESIDE = 2  # pixels on each side of the border: what is farther is no edge of it
_CLOSED, _OPEN = 0.25, 0.75  # difference beyond the ring against that in it: gone, and not gone
_SOFT, _HARD = 0.1, 0.3  # a difference that a fade hides, and one that it only turns into a haze
_FINE = 1.0  # pixels over which grain is averaged away
_FAINT = 1 / 255
_HALF = 0.5


def margin_of(height: int, width: int) -> int:
    """Return how far the layer may reach over its region: 4 pixels of 512, at least 2."""
    return max(_LEAST_MARGIN, round(_MARGIN * max(height, width)))


def smoothed_alpha(
    original: Image,
    styled: Image,
    alpha: Mask,
    *,
    margin: int | None = None,
    allowed: Mask | None = None,
) -> Mask:
    """Return the layer's weight with a ring around it that hides its seam.

    Args:
        original: The picture, in [0, 1].
        styled: What was made of it, of the same size; it must be sensible around the layer too.
        alpha: The layer's own weight.
        margin: How far the ring may reach, in pixels; 0 leaves the weight as it is.
        allowed: A user's mask; the ring stays under it, and so does the layer.

    Returns:
        At least ``alpha`` wherever ``allowed`` permits it, and 0 farther than ``margin`` from it.

    Raises:
        InvalidInput: The sizes differ, or the margin is negative.
    """
    shapes = {original.shape[:2], styled.shape[:2], alpha.shape}
    if len(shapes | ({allowed.shape} if allowed is not None else set())) > 1:
        raise InvalidInput("original, styled picture and masks differ in size")
    margin = margin_of(*alpha.shape) if margin is None else margin
    if margin < 0:
        raise InvalidInput(f"margin={margin} is negative")
    weight = _with_ring(original, styled, alpha, margin) if margin else alpha
    return weight if allowed is None else np.minimum(weight, allowed)


@dataclass(frozen=True, kw_only=True)
class RingFields:
    """What the ring should do, near each of its pixels; all in [0, 1].

    Attributes:
        shows: How visible the seam would be.
        closes: Whether layer and original agree beyond the ring.
        reach: Width of the fade as a share of the margin.
        differs: Whether layer and original differ at the pixel itself.
    """

    shows: Float32[np.ndarray, "h w"]
    closes: Float32[np.ndarray, "h w"]
    reach: Float32[np.ndarray, "h w"]
    differs: Float32[np.ndarray, "h w"]


def ring_fields(
    original: Image, styled: Image, inside: Bool[np.ndarray, "h w"], margin: int
) -> RingFields:
    """Compare layer and original on both sides of a region's border, below a cut-off frequency.

    Args:
        original: In [0, 1].
        styled: In [0, 1].
        inside: The region.
        margin: Width of the ring in pixels.
    """
    away = distance_within(~inside)
    within = distance_within(np.pad(inside, 1, mode="edge"))[1:-1, 1:-1]
    ring = ((away > 0) & (away <= margin)).astype(np.float32)
    beyond = ((away > margin) & (away <= 3 * margin)).astype(np.float32)
    at_border = min(_BESIDE, margin)
    inner = ((within > 0) & (within <= at_border)).astype(np.float32)
    outer = ((away > 0) & (away <= at_border)).astype(np.float32)
    styled_in, styled_out = mean_where(styled, inner, margin), mean_where(styled, outer, margin)
    before_in, before_out = mean_where(original, inner, margin), mean_where(original, outer, margin)
    own = np.maximum(np.abs(styled_in - styled_out), np.abs(before_in - before_out))
    new = np.maximum(np.abs(styled_in - before_out) - own, 0)
    outlined = _rising(own.max(axis=-1), _WEAK_EDGE, _CLEAR_EDGE)
    shows = _rising(new.max(axis=-1), _UNSEEN, _SEEN) * (1 - outlined)
    sigma = margin / 2
    difference = styled - original
    everywhere = np.ones(inside.shape, np.float32)
    size = np.abs(mean_where(difference, everywhere, _FINE)).max(axis=-1, keepdims=True)
    here = mean_where(size, ring, sigma)[..., 0]
    # the band beyond has more room: from the ring it is seen through a wider window
    there = mean_where(size, beyond, 2 * sigma)[..., 0]
    closes = 1 - _rising(there / np.maximum(here, _FAINT), _CLOSED, _OPEN)
    tone = np.abs(mean_where(difference, ring, sigma)).max(axis=-1)
    all_of_it = mean_where(np.abs(difference), ring, sigma).max(axis=-1)
    reach = np.clip(tone / np.maximum(all_of_it, _FAINT), 0, 1) * (1 - _rising(tone, _SOFT, _HARD))
    differs = _rising(size[..., 0], _UNSEEN, _SEEN)
    return RingFields(shows=shows, closes=closes, reach=reach.astype(np.float32), differs=differs)


def _with_ring(original: Image, styled: Image, alpha: Mask, margin: int) -> Mask:
    hard = alpha >= _HALF
    hard = hard if hard.any() else support(alpha)
    box = bounding_box(hard)
    if box is None or hard.all():
        return alpha
    x0, y0, x1, y1 = grown_box(box, 4 * margin, *alpha.shape)
    window = (slice(y0, y1), slice(x0, x1))
    before, after = (np.clip(np.nan_to_num(p[window]), 0, 1) for p in (original, styled))
    inside = hard[window]
    coarse = max(1, margin // _COARSE_MARGIN)
    fields = _resized_fields(before, after, inside, margin, coarse)
    away = distance_within(~inside)
    ring = (away > 0) & (away <= margin)
    fade = _rising(1 - away / (np.maximum(margin * fields.reach, 1) + 1), 0, 1)
    fade = fields.closes + (1 - fields.closes) * fade
    weight = np.where(ring, fields.shows * fade * fields.differs, 0)
    weight[weight < _FAINT] = 0
    result = alpha.copy()
    result[window] = np.maximum(alpha[window], weight)
    return result


def _resized_fields(
    original: Image, styled: Image, inside: Bool[np.ndarray, "h w"], margin: int, coarse: int
) -> RingFields:
    """Return the fields at full size, computed on a picture so many times smaller."""
    if coarse == 1:
        return ring_fields(original, styled, inside, margin)
    height, width = inside.shape
    size = (-(-width // coarse), -(-height // coarse))
    small = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (original, styled)]
    covered = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    few = covered >= _HALF if (covered >= _HALF).any() else covered > 0
    fields = ring_fields(small[0], small[1], few, max(1, round(margin / coarse)))
    shows, closes, reach, differs = (
        np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR))
        for field in (fields.shows, fields.closes, fields.reach, fields.differs)
    )
    return RingFields(shows=shows, closes=closes, reach=reach, differs=differs)


def _rising(
    values: Float32[np.ndarray, "h w"], low: float, high: float
) -> Float32[np.ndarray, "h w"]:
    """Map values to [0, 1]: 0 up to ``low``, 1 from ``high``, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
