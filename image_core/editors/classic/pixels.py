"""Per-pixel maths over a region, in bounded memory, and the colour tools that it needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.colour import lch_to_lab, oklab_to_linear, oklab_to_srgb, srgb_to_oklab
from image_core.editors.classic.prepared import Piece
from image_core.types import Image

Pixels = Float32[np.ndarray, "n 3"]
Values = Float32[np.ndarray, " n"]

_CHUNK = 1 << 18
_LIGHTNESS_STEPS, _HUE_STEPS = 129, 361


def map_pixels(piece: Piece, change: Callable[[Pixels, slice, np.ndarray], Pixels]) -> Image:
    """Change the pixels inside a piece's region, some rows at a time.

    Args:
        piece: What to change.
        change: Given the sRGB pixels inside, the rows that they come from and the mask within these
            rows (so that maps of the piece's size can be sampled alike), returns them changed.
    """
    result = piece.image.copy()
    inside = piece.inside
    height, width = inside.shape
    rows = max(1, _CHUNK // width)
    for start in range(0, height, rows):
        window = slice(start, min(height, start + rows))
        here = inside[window]
        if here.any():
            result[window][here] = change(piece.image[window][here], window, here)
        piece.tick(window.stop / height)
    return result


def change_oklab(piece: Piece, change: Callable[[Pixels], Pixels]) -> Image:
    """Change a piece's pixels in OKLab; too much chroma is cut at constant lightness and hue."""
    return map_pixels(piece, lambda rgb, _rows, _here: oklab_in_gamut(change(srgb_to_oklab(rgb))))


@lru_cache(maxsize=1)
def gamut_table() -> Float32[np.ndarray, "lightness hue"]:
    """Return the largest chroma inside sRGB, by L in [0, 1] and hue in [0, 360] degrees."""
    lightness, hue = np.meshgrid(
        np.linspace(0, 1, _LIGHTNESS_STEPS), np.linspace(0, 360, _HUE_STEPS), indexing="ij"
    )
    low, high = np.zeros_like(lightness), np.full_like(lightness, 0.4)
    for _ in range(14):
        middle = (low + high) / 2
        linear = oklab_to_linear(lch_to_lab(np.stack([lightness, middle, hue], axis=-1)))
        fits = ((linear >= -1e-6) & (linear <= 1 + 1e-4)).all(axis=-1)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low.astype(np.float32)


def largest_chroma(lightness: Values, hue: Values) -> Values:
    """Return the largest chroma inside sRGB at each lightness and hue (degrees), interpolated."""
    x = (hue % 360) * np.float32((_HUE_STEPS - 1) / 360)
    y = np.clip(lightness, 0, 1) * np.float32(_LIGHTNESS_STEPS - 1)
    return bilinear(gamut_table(), x.astype(np.float32), y.astype(np.float32))


def bilinear(table: Float32[np.ndarray, "r c"], x: Values, y: Values) -> Values:
    """Read a table at fractional columns ``x`` and rows ``y``, clamped at its border."""
    rows, columns = table.shape
    x0 = np.clip(x.astype(np.int32), 0, max(columns - 2, 0))
    y0 = np.clip(y.astype(np.int32), 0, max(rows - 2, 0))
    x1, y1 = np.minimum(x0 + 1, columns - 1), np.minimum(y0 + 1, rows - 1)
    fx = np.clip(x - x0, 0, 1).astype(np.float32)
    fy = np.clip(y - y0, 0, 1).astype(np.float32)
    top = table[y0, x0] + fx * (table[y0, x1] - table[y0, x0])
    bottom = table[y1, x0] + fx * (table[y1, x1] - table[y1, x0])
    return np.asarray(top + fy * (bottom - top), dtype=np.float32)


def hue_of(lab: Pixels) -> Values:
    """Return hues in degrees (-180, 180].

    From contiguous copies: on strided float32, numpy's arctan2 rounds now one way, now the other,
    depending on where in memory the arrays happen to lie.
    """
    b, a = np.ascontiguousarray(lab[:, 2]), np.ascontiguousarray(lab[:, 1])
    return np.asarray(np.degrees(np.arctan2(b, a)), dtype=np.float32)


def oklab_in_gamut(lab: Pixels, *, knee: float = 1.0) -> Pixels:
    """Return sRGB pixels; chroma outside the gamut is reduced at constant lightness and hue.

    Args:
        lab: OKLab pixels.
        knee: Share of the largest chroma above which chroma is compressed softly, so that detail in
            saturated areas does not end in one flat value; 1 cuts hard and leaves the rest alone.
    """
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    hue = hue_of(lab)
    top = largest_chroma(lab[:, 0], hue)
    start = np.float32(knee) * top
    room = top - start
    over = np.maximum(chroma - start, 0)
    fitted = np.minimum(chroma, start) + room * over / np.maximum(room + over, 1e-6)
    scale = np.where(chroma > 1e-6, fitted / np.maximum(chroma, 1e-6), 1).astype(np.float32)
    lab = np.stack([np.clip(lab[:, 0], 0, 1), lab[:, 1] * scale, lab[:, 2] * scale], axis=1)
    return oklab_to_srgb(lab)


def small_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """Return (height, width) shrunk so that the longer side is at most ``longest``; never 0."""
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrink(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize by area averaging to (height, width)."""
    if plane.shape[:2] == size:
        return plane
    return np.asarray(cv2.resize(plane, (size[1], size[0]), interpolation=cv2.INTER_AREA))


def grow(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize linearly to (height, width)."""
    if plane.shape[:2] == size:
        return plane
    return np.asarray(cv2.resize(plane, (size[1], size[0]), interpolation=cv2.INTER_LINEAR))
