"""Reading the kind of ground: how much it varies, which ways its edges run, where its ridges are.

Objects hide up to half of it. Edges are looked at where the ground is bare; for the spectrum what
is hidden is filled in with what the strongest waves of the rest say.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Float32

# OKLab lightness by which a ground with a pattern varies at least; the drawn ones do by 0.04
_VARIED = 0.02
# how much of the edges' energy runs one way, 0 to 1: none in checks and dots, nearly all in stripes
_GRID, _STRAIGHT = 0.26, 0.92
_SOFT = 1 / 64  # width of the blur before edges are looked at, as a share of the picture
_FILLS = 3  # rounds of filling in
_STRONG = 0.4  # of the strongest wave's amplitude: what is kept for filling in
_LOWEST = 2.0  # cycles across the picture of a pattern at least
_DIAGONAL = 22.5  # degrees from the picture's axes, above which a ridge counts as diagonal


def read_ground(lightness: Float32[np.ndarray, "h w"], covered: Bool[np.ndarray, "h w"]) -> str:
    """Tell the kind of a ground.

    Args:
        lightness: OKLab L of the picture.
        covered: Where objects are.

    Returns:
        One of ``GROUNDS``; ``plain`` where no ground is seen.
    """
    hidden = cv2.dilate(covered.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    bare = ~hidden
    if bare.mean() < 0.05:
        return "plain"
    flat = _without_light(lightness, bare)
    if flat[bare].std() < _VARIED:
        return "plain"
    one_way = _one_way(flat, bare)
    if one_way > _GRID:
        return "striped" if one_way > _STRAIGHT else "wavy"
    return "checkered" if _ridge(flat, hidden) > _DIAGONAL else "dotted"


def _without_light(
    lightness: Float32[np.ndarray, "h w"], bare: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """Take away the plane that fits the bare ground: the light's fall-off; 0 where hidden."""
    basis = _basis(*lightness.shape)
    seen = basis[:, bare]
    plane = np.linalg.solve(seen @ seen.T, seen @ lightness[bare]).astype(np.float32)
    rest = lightness - (plane[0] + plane[1] * basis[1] + plane[2] * basis[2])
    return np.asarray(np.where(bare, rest, 0), dtype=np.float32)


@lru_cache(maxsize=4)
def _basis(height: int, width: int) -> Float32[np.ndarray, "3 h w"]:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(np.stack([np.ones_like(x), x, y]), dtype=np.float32)


def _one_way(flat: Float32[np.ndarray, "h w"], bare: Bool[np.ndarray, "h w"]) -> float:
    """Return how much of the edges' energy runs one way (the structure tensor's anisotropy)."""
    # against noise, whose edges run all ways
    soft = cv2.GaussianBlur(flat, (0, 0), _SOFT * len(flat))
    # what lies near a border is left out, for blur and differences reach beyond the bare ground
    inner = cv2.erode(bare.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=(0,)).astype(
        bool
    )
    across = cv2.Scharr(soft, cv2.CV_32F, 1, 0)[inner]
    down = cv2.Scharr(soft, cv2.CV_32F, 0, 1)[inner]
    a, b, c = float(across @ across), float(across @ down), float(down @ down)
    return float(np.hypot(a - c, 2 * b) / max(a + c, 1e-12))


def _ridge(flat: Float32[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"]) -> float:
    """Return by how many degrees the strongest wave runs askew of the picture's axes."""
    filled = flat.copy()
    for _ in range(_FILLS):
        waves = np.fft.rfft2(filled)
        size = np.abs(waves)
        waves[size < _STRONG * size.max()] = 0
        filled[hidden] = np.fft.irfft2(waves, s=flat.shape)[hidden]
    height, width = flat.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.rfft2(filled * window))
    down = np.fft.fftfreq(height, 1 / height)[:, None]
    across = np.fft.rfftfreq(width, 1 / width)[None]
    power[np.hypot(down, across) < _LOWEST] = 0
    row, column = np.unravel_index(int(power.argmax()), power.shape)
    angle = np.degrees(np.arctan2(abs(float(down[row, 0])), float(across[0, column])))
    return float(min(angle, 90 - angle))
