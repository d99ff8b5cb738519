"""From attention maps to the rough region of an edit.

Source: Li et al., ZONE, section 3.3: where the network looks less at its prompt's first mark than
at its last, the edit acts. ``paper_code_region`` keeps to the released bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image as PillowImage

from image_core.errors import InvalidInput, NonFiniteOutput
from image_core.types import Mask

HALF_OF_THE_RANGE = 0.5
"""Of the range of ``1 - evidence``."""

_LEAST_CONTRAST = 1 / 255
"""One step of the released code's bytes: it cannot see less, and rounding may be all there is."""

PAPER_THRESHOLD = 54
"""Of the released code, on differences of maps from 0 to 255: it doubles them and takes 108."""


@dataclass(frozen=True, kw_only=True)
class AttentionMaps:
    """How much each cell attends to two of the prompt's tokens.

    Attributes:
        first: ``(h, w)``, to the mark of its begin.
        last: ``(h, w)``, to the mark of its end.
    """

    first: Mask
    last: Mask


@dataclass(frozen=True, kw_only=True)
class RoughRegion:
    """Where an edit acts, as coarse as the attention that tells it.

    Attributes:
        mask: 1 inside, else 0.
        evidence: In [0, 1] and of the mask's size; 1 where the edit acts most surely.
        contrast: What the evidence spans, in shares of the maps' maxima: 0 tells nothing, and
            nothing is above 2.
        reason: Why the region is empty; else empty itself.
    """

    mask: Mask
    evidence: Mask
    contrast: float
    reason: str = ""


def rough_region(
    maps: Sequence[AttentionMaps],
    size: tuple[int, int],
    *,
    threshold: float = HALF_OF_THE_RANGE,
) -> RoughRegion:
    """Find the region in float maps, by a threshold on the range that they span.

    Otsu's threshold would part the cells into two groups of like size: on simulated 16 x 16 maps
    with 5 % noise, of things of 1 % of the picture, it reaches an IoU of 0.39, half of the range
    0.68; above a tenth of the picture the two are alike.

    Args:
        maps: Of one picture; each counts alike (those under the empty prompt, as released; those
            under the instruction besides or instead).
        size: Height and width of the picture in pixels.
        threshold: In [0, 1]; more gives a larger region.

    Raises:
        InvalidInput: The threshold is outside its range, or there are no maps.
        NonFiniteOutput: The maps hold NaN or infinity.
    """
    if not maps:
        raise InvalidInput("no attention maps were given")
    if not 0 <= threshold <= 1:
        raise InvalidInput(f"threshold={threshold:g} is not in [0, 1]")
    coarse = np.mean([_shares(one.last) - _shares(one.first) for one in maps], axis=0)
    contrast = float(np.ptp(coarse))
    if contrast < _LEAST_CONTRAST:
        nothing = np.zeros(size, np.float32)
        return RoughRegion(
            mask=nothing,
            evidence=nothing,
            contrast=contrast,
            reason="the network's attention is the same everywhere, so it tells no region",
        )
    height, width = size
    fine = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    evidence = np.clip((fine - coarse.min()) / contrast, 0, 1).astype(np.float32)
    mask = (1 - evidence <= threshold).astype(np.float32)
    reason = "" if mask.any() else f"no pixel passes the threshold {threshold:g}"
    return RoughRegion(mask=mask, evidence=evidence, contrast=contrast, reason=reason)


def paper_code_region(
    maps: AttentionMaps, size: tuple[int, int], *, threshold: int = PAPER_THRESHOLD
) -> RoughRegion:
    """Find the region as the released code does: in bytes, cut off at 0, Pillow's bicubic.

    Maps that are the same everywhere give the whole picture, as there.

    Args:
        maps: Of one picture, under the empty prompt.
        size: Height and width of the picture in pixels.
        threshold: From 0 to 255; more gives a larger region.

    Raises:
        NonFiniteOutput: The maps hold NaN or infinity.
    """
    apart = cv2.subtract(_bytes(maps.first), _bytes(maps.last))
    height, width = size
    fine = np.asarray(
        PillowImage.fromarray(apart).resize((width, height), PillowImage.Resampling.BICUBIC)
    )
    return RoughRegion(
        mask=(fine <= threshold).astype(np.float32),
        evidence=(1 - fine / np.float32(255)).astype(np.float32),
        contrast=float(np.ptp(apart)) / 255,
    )


def _shares(attention: Mask, scale: float = 1.0) -> Float32[np.ndarray, "h w"]:
    """Return a map in shares of its maximum, times ``scale``; one of zeros stays so.

    Raises:
        NonFiniteOutput: It holds NaN or infinity.
    """
    if not np.isfinite(attention).all():
        raise NonFiniteOutput(
            "the network's attention holds NaN or infinity",
            hint="Give dtype=float32: 16 bits overflow in some checkpoints.",
        )
    most = attention.max()
    return scale * attention / most if most > 0 else attention


def _bytes(attention: Mask) -> UInt8[np.ndarray, "h w"]:
    return _shares(attention, 255).astype(np.uint8)
