"""What a hole is filled with before any patch is copied: smooth areas that meet at straight lines.

Lines part the hole; each part is filled smoothly from its own border, so a wall behind a thing
stays a wall, with its shading, and does not run into the floor.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int64

Hole = Bool[np.ndarray, "h w"]
Planes = Float32[np.ndarray, "_ _ _"]

_LEAK = 1e-4


def guess(
    image: Planes, hole: Hole, part: Int64[np.ndarray, "h w"], trust: Float32[np.ndarray, "h w"]
) -> Planes:
    """Fill each part of a hole with the smoothest surface over its border (Laplace's equation).

    Border values are averages over a few known pixels of the same part, and pull the surface only
    as much as they are trusted, so that no single one draws a streak.

    Args:
        image: The picture; what lies in the hole is not looked at.
        hole: What to fill.
        part: The part to which each pixel belongs.
        trust: How far each known pixel is to be followed, in (0, 1].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    height, width = hole.shape
    calm = _averaged(image, hole, part, trust)
    index = np.full(hole.shape, -1, np.int64)
    pixels = np.argwhere(hole)
    count = len(pixels)
    index[hole] = np.arange(count)
    diagonal = np.full(count, 1e-9)
    right = np.zeros((count, image.shape[2]))
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        there = pixels + np.array([dy, dx])
        fits = ((there >= 0) & (there < (height, width))).all(axis=1)
        here, there = np.flatnonzero(fits), there[fits]
        same = part[pixels[here, 0], pixels[here, 1]] == part[there[:, 0], there[:, 1]]
        weight = np.where(same, 1.0, _LEAK)
        other = index[there[:, 0], there[:, 1]]
        known = other < 0
        weight = np.where(known, weight * trust[there[:, 0], there[:, 1]], weight)
        diagonal[here] += weight
        right[here[known]] += weight[known, None] * calm[there[known, 0], there[known, 1]]
        entries.append((here[~known], other[~known], -weight[~known]))
    entries.append((np.arange(count), np.arange(count), diagonal))
    rows, columns, values = (np.concatenate(items) for items in zip(*entries, strict=True))
    system = coo_matrix((values, (rows, columns)), shape=(count, count)).tocsc()
    result = image.copy()
    result[hole] = np.clip(spsolve(system, right).reshape(count, -1), 0, 1)
    return result


def _averaged(
    image: Planes, hole: Hole, part: Int64[np.ndarray, "h w"], trust: Float32[np.ndarray, "h w"]
) -> Planes:
    """Average known pixels, weighed by trust, over a 3 x 3 block within their own part."""
    total = np.zeros_like(image)
    mass = np.zeros(hole.shape, np.float32)
    padded = np.pad(np.where(hole[..., None], 0, image), ((1, 1), (1, 1), (0, 0)))
    known = np.pad(np.where(hole, 0, trust), 1)
    codes = np.pad(part, 1, constant_values=-1)
    height, width = hole.shape
    for dy in range(3):
        for dx in range(3):
            window = (slice(dy, dy + height), slice(dx, dx + width))
            counts = known[window] * (codes[window] == part)
            total += counts[..., None] * padded[window]
            mass += counts
    return np.asarray(total / np.maximum(mass, 1e-6)[..., None], dtype=np.float32)
