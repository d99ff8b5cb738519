"""Carrying an edit of pixels into a JPEG's coefficients, as a difference.

The discrete cosine transform and the colour transform are linear, so the edit's difference is
transformed and added to what is there. Where nothing changed nothing is added, and nothing is
quantised twice. Colour transform: ITU-T T.871, 7; DCT: ITU-T T.81, A.3.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Int16, UInt8

from image_core.photo.jpeg_coefficients import Plane, touched_blocks

_TILE = 480
"""Pixels; a multiple of 8 times every sampling factor (1 to 4)."""
_CHROMA_STEPS = 4
_FROM_YCC = np.array(
    [[1, 0, 1.402], [1, -0.344136286, -0.714136286], [1, 1.772, 0]], dtype=np.float32
)
_TO_YCC = np.linalg.inv(_FROM_YCC.astype(np.float64)).astype(np.float32)
_CENTRE = np.float32(128)


def _dct_basis() -> Float32[np.ndarray, "8 8"]:
    frequency, sample = np.arange(8)[:, None], np.arange(8)[None]
    basis = np.cos((2 * sample + 1) * frequency * np.pi / 16) / 2
    basis[0] /= np.sqrt(2)
    return np.asarray(basis, dtype=np.float32)


_BASIS = _dct_basis()


def _to_samples(plane: Plane, rows: slice, columns: slice) -> Float32[np.ndarray, "h w"]:
    """Undo the DCT of some blocks: samples about 0, not clipped."""
    scaled = plane.blocks[rows, columns] * plane.table.astype(np.float32)
    blocks = _BASIS.T @ scaled @ _BASIS
    tall, wide = blocks.shape[:2]
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).reshape(8 * tall, 8 * wide)


def _to_frequencies(samples: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "rows columns 8 8"]:
    tall, wide = samples.shape[0] // 8, samples.shape[1] // 8
    blocks = samples.reshape(tall, 8, wide, 8).transpose(0, 2, 1, 3)
    return np.asarray(_BASIS @ blocks @ _BASIS.T)


def _doubled(samples: np.ndarray) -> np.ndarray:
    """Double the rows by libjpeg's triangle filter: 3/4 the nearer, 1/4 the further sample."""
    padded = np.pad(samples, ((1, 1), (0, 0)), mode="edge")
    near = np.float32(0.75) * samples
    pairs = [near + np.float32(0.25) * padded[:-2], near + np.float32(0.25) * padded[2:]]
    return np.stack(pairs, axis=1).reshape(2 * samples.shape[0], samples.shape[1])


def _upsampled(samples: np.ndarray, down: int, across: int) -> Float32[np.ndarray, "h w"]:
    rows = _doubled(samples) if down == 2 else np.repeat(samples, down, axis=0)
    return _doubled(rows.T).T if across == 2 else np.repeat(rows, across, axis=1)


def _downsampled(samples: np.ndarray, down: int, across: int) -> Float32[np.ndarray, "h w"]:
    parts = [samples[i::down, j::across] for i in range(down) for j in range(across)]
    return np.asarray(sum(parts) / np.float32(down * across))


def _padded_to(array: np.ndarray, height: int, width: int) -> np.ndarray:
    more = ((0, height - array.shape[0]), (0, width - array.shape[1]), (0, 0))
    return np.pad(array, more, mode="edge")


def _colour_difference(
    before: UInt8[np.ndarray, "h w c"],
    after: UInt8[np.ndarray, "h w c"],
    unclipped: Float32[np.ndarray, "h w c"],
) -> Float32[np.ndarray, "h w c"]:
    """Return what to add to the planes' colours so that they show ``after``.

    A decoder clips; where ``before`` stands at a limit the difference counts from what the
    planes really hold, else their overshoot would shine through the edit.
    """
    clipped = (before == 0) | (before == 255)
    base = np.where(clipped, unclipped, before.astype(np.float32))
    unequal = before != after
    changed = unequal[..., 0].copy()
    for channel in range(1, before.shape[2]):
        changed |= unequal[..., channel]
    return np.where(changed[..., None], after - base, np.float32(0))


def _subsampled_difference(
    plane_samples: Float32[np.ndarray, "h w"],
    difference: Float32[np.ndarray, "h2 w2"],
    may_change: Bool[np.ndarray, "h w"],
    down: int,
    across: int,
) -> Float32[np.ndarray, "h w"]:
    """Find the change of a smaller plane whose upsampling comes closest to a full-size change.

    Iterative back-projection: what is still missing at full size is averaged down and added.
    """
    if down == across == 1:
        return np.where(may_change, difference, np.float32(0))
    target = _upsampled(plane_samples, down, across) + difference
    current = plane_samples
    for _ in range(_CHROMA_STEPS):
        missing = target - _upsampled(current, down, across)
        current = current + np.where(may_change, _downsampled(missing, down, across), 0)
    return np.asarray(current - plane_samples, dtype=np.float32)


def edited_blocks(
    planes: Sequence[Plane],
    before: UInt8[np.ndarray, "h w c"],
    after: UInt8[np.ndarray, "h w c"],
    inside: Bool[np.ndarray, "h w"],
    *,
    is_rgb: bool = False,
) -> list[Int16[np.ndarray, "_ _ 8 8"]]:
    """Return all planes' coefficients with an edit in them.

    Blocks without support keep theirs. The work goes tile by tile, so memory stays small.

    Args:
        planes: The source's.
        before: Its pixels as decoded, in stored orientation.
        after: The same with the edit.
        inside: Where the edit may be.
        is_rgb: The planes are R, G and B rather than luma and chroma.
    """
    blocks = [plane.blocks.copy() for plane in planes]
    touched = [touched_blocks(inside, plane) for plane in planes]
    height, width = inside.shape
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            tile = slice(top, top + _TILE), slice(left, left + _TILE)
            if inside[tile].any():
                _edit_tile(planes, blocks, touched, before, after, top, left, is_rgb)
    return blocks


def _edit_tile(
    planes: Sequence[Plane],
    blocks: list[np.ndarray],
    touched: list[np.ndarray],
    before: np.ndarray,
    after: np.ndarray,
    top: int,
    left: int,
    is_rgb: bool,
) -> None:
    """Edit the blocks that begin in one tile, seeing one minimum coded unit around it."""
    unit_down, unit_across = (8 * max(getattr(p, a) for p in planes) for a in ("down", "across"))
    height, width = before.shape[:2]
    y0, x0 = max(0, top - unit_down), max(0, left - unit_across)
    y1, x1 = min(height, top + _TILE + unit_down), min(width, left + _TILE + unit_across)
    tall, wide = -(-(y1 - y0) // unit_down) * unit_down, -(-(x1 - x0) // unit_across) * unit_across
    samples, windows = [], []
    for plane in planes:
        h, w = 8 * plane.down, 8 * plane.across
        window = (
            slice(y0 // h, min((y0 + tall) // h, plane.blocks.shape[0])),
            slice(x0 // w, min((x0 + wide) // w, plane.blocks.shape[1])),
        )
        windows.append(window)
        held = _to_samples(plane, *window)
        samples.append(
            _padded_to(held[..., None], tall // plane.down, wide // plane.across)[..., 0]
        )
    full = np.stack(
        [_upsampled(s, p.down, p.across) for s, p in zip(samples, planes, strict=True)], axis=-1
    )
    is_ycc = len(planes) == 3 and not is_rgb
    unclipped = (full @ _FROM_YCC.T if is_ycc else full) + _CENTRE
    crop = slice(y0, y1), slice(x0, x1)
    difference = _colour_difference(before[crop], after[crop], unclipped[: y1 - y0, : x1 - x0])
    if is_ycc:
        difference = difference @ _TO_YCC.T
    difference = _padded_to(difference, tall, wide)
    for index, plane in enumerate(planes):
        rows, columns = windows[index]
        own = touched[index][rows, columns]
        may_change = np.zeros((tall // plane.down // 8, wide // plane.across // 8), bool)
        may_change[: own.shape[0], : own.shape[1]] = own
        change = _subsampled_difference(
            samples[index],
            difference[..., index],
            may_change.repeat(8, axis=0).repeat(8, axis=1),
            plane.down,
            plane.across,
        )
        steps = _to_frequencies(change)[: own.shape[0], : own.shape[1]] / plane.table
        whole = np.rint(np.clip(plane.blocks[rows, columns] + steps, -1023, 1023)).astype(np.int16)
        first = top // (8 * plane.down), left // (8 * plane.across)
        last = (top + _TILE) // (8 * plane.down), (left + _TILE) // (8 * plane.across)
        mine = own.copy()
        mine[: first[0] - rows.start] = mine[last[0] - rows.start :] = False
        mine[:, : first[1] - columns.start] = mine[:, last[1] - columns.start :] = False
        blocks[index][rows, columns][mine] = whole[mine]
