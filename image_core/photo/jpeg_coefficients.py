"""A JPEG file's quantised DCT coefficients, in and out, and the comparison of two files by them.

Everything goes through jpeglib's binding to libjpeg. Its own reading and writing objects are
passed by: they decode the picture once more to count scans, and leave their temporary files
behind when the disk is full.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int16, UInt16

from image_core.errors import IntegrityError, InvalidInput
from image_core.photo.atomic import not_writable
from image_core.photo.decoded import damaged
from image_core.photo.jpeg_layout import Layout, bare_file, blank_file, layout, with_segments
from image_core.photo.reading import read_bytes

_SEQUENTIAL, _PROGRESSIVE = "turbo210", "mozjpeg300"
_GREY, _RGB, _YCC = 1, 2, 3
_LIBRARY = threading.Lock()


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """One component's coefficients.

    Attributes:
        blocks: Quantised, by block row, block column, vertical and horizontal frequency.
        table: Its quantisation steps.
        across: How many picture columns one of its samples spans.
        down: How many picture rows.
    """

    blocks: Int16[np.ndarray, "rows columns 8 8"]
    table: UInt16[np.ndarray, "8 8"]
    across: int
    down: int


class CoefficientChanges(NamedTuple):
    """How two JPEG files differ.

    Attributes:
        luma_outside: Coefficients that differ in blocks without support; first plane.
        chroma_outside: The same over the other planes.
        touched: Blocks with support, over all planes.
        compared: Coefficients in blocks without support, over all planes.
    """

    luma_outside: int
    chroma_outside: int
    touched: int
    compared: int


@contextlib.contextmanager
def _library(version: str) -> Iterator[Any]:
    """Lend the binding; it holds global state, so to one at a time."""
    import jpeglib
    from jpeglib._bind import CJpegLib

    with _LIBRARY:
        jpeglib.version.set(version)
        yield CJpegLib


def _plane_shapes(found: Layout) -> list[tuple[int, int, int, int]]:
    """Return block rows, block columns, samples down and across for each plane (T.81, A.1.1)."""
    most_across = max(c.across for c in found.components)
    most_down = max(c.down for c in found.components)
    shapes = []
    for c in found.components:
        if most_across % c.across or most_down % c.down:
            raise InvalidInput(
                "this JPEG's planes are sampled at a rare ratio",
                hint="Write a .png, .tif or .webp instead.",
            )
        rows = -(-found.height * c.down // (8 * most_down))
        columns = -(-found.width * c.across // (8 * most_across))
        shapes.append((rows, columns, most_down // c.down, most_across // c.across))
    return shapes


def read(data: bytes) -> tuple[Plane, ...]:
    """Read a JPEG's coefficients, one plane for grey, three for colour.

    Raises:
        InvalidInput: The file is damaged, or its planes are sampled at a ratio that isn't whole.
    """
    import ctypes

    found = layout(data)
    shapes = _plane_shapes(found)
    blocks = [np.zeros((rows, columns, 8, 8), np.int16) for rows, columns, _, _ in shapes]
    pointers = [b.ctypes.data_as(ctypes.c_void_p) for b in blocks] + [None] * (4 - len(blocks))
    tables = np.zeros((4, 8, 8), np.uint16)
    assigned = np.zeros(4, np.int16)
    with tempfile.TemporaryDirectory(prefix="insitu-") as folder:
        source = os.path.join(folder, "source.jpg")
        with _writing(source) as file:
            file.write(bare_file(data, found))
        with _library(_SEQUENTIAL) as library:
            # the function itself, since its wrapper prints when it fails
            done = library.get().read_jpeg_dct(
                library.cstr(source),
                *pointers,
                tables.ctypes.data_as(ctypes.c_void_p),
                assigned.ctypes.data_as(ctypes.c_void_p),
            )
        if not done:
            raise damaged("JPEG", "its coefficients can't be read")
    if (tables[assigned[: len(blocks)]] == 0).any():
        raise damaged("JPEG", "a quantisation step is 0")
    return tuple(
        Plane(blocks=b, table=tables[assigned[i]], across=shapes[i][3], down=shapes[i][2])
        for i, b in enumerate(blocks)
    )


@contextlib.contextmanager
def _writing(path: str) -> Iterator[io.BufferedWriter]:
    try:
        with open(path, "wb") as file:
            yield file
    except OSError as error:
        raise not_writable(Path(path), error) from error


def write(source: bytes, blocks: list[Int16[np.ndarray, "_ _ 8 8"]]) -> bytes:
    """Write a JPEG that is ``source`` with other coefficients.

    Tables, sampling, component names, the progressive mode and every segment stay; the Huffman
    codes are made anew to fit.

    Args:
        source: The file to follow.
        blocks: All planes, shaped as ``read`` gives them.

    Raises:
        InvalidInput: The folder for temporary files is full, or the source is damaged.
    """
    import ctypes

    found = layout(source)
    planes = [np.ascontiguousarray(plane) for plane in blocks]
    if any(plane.min() < -1024 or plane.max() > 1023 for plane in planes):
        raise damaged("JPEG", "it holds coefficients that no picture has")
    pointers = [p.ctypes.data_as(ctypes.c_void_p) for p in planes] + [None] * (4 - len(planes))
    space = _GREY if len(planes) == 1 else _RGB if found.is_rgb else _YCC
    factors = np.array([(c.down, c.across) for c in found.components], np.int32)
    sides = np.array([found.height, found.width], np.int32)
    with tempfile.TemporaryDirectory(prefix="insitu-") as folder:
        follow, made = os.path.join(folder, "source.jpg"), os.path.join(folder, "made.jpg")
        with _writing(follow) as file:
            file.write(blank_file(found))
        try:
            with _library(_PROGRESSIVE if found.progressive else _SEQUENTIAL) as library:
                library.write_jpeg_dct(
                    follow,
                    made,
                    *pointers,
                    image_dims=sides.ctypes.data_as(ctypes.c_void_p),
                    block_dims=None,
                    in_color_space=space,
                    in_components=len(planes),
                    samp_factor=factors.ctypes.data_as(ctypes.c_void_p),
                    qt=None,
                    quality=-1,
                    quant_tbl_no=None,
                    num_markers=0,
                    marker_types=None,
                    marker_lengths=None,
                    markers=None,
                    flags=["+OPTIMIZE_CODING"],
                )
            written = Path(made).read_bytes()
        except OSError as error:
            raise InvalidInput(
                f"the JPEG could not be written in {folder}: {error}",
                hint="Free some space there, or set TMPDIR to another folder.",
            ) from error
    return with_segments(written, found.described()) + source[found.end + 2 :]


def touched_blocks(
    inside: Bool[np.ndarray, "h w"], plane: Plane
) -> Bool[np.ndarray, "rows columns"]:
    """Tell which of a plane's blocks have support anywhere in the picture area that they cover."""
    rows, columns = plane.blocks.shape[:2]
    tall, wide = 8 * plane.down, 8 * plane.across
    padded = np.zeros((rows * tall, columns * wide), bool)
    padded[: inside.shape[0], : inside.shape[1]] = inside
    # eight samples at a time
    eights = padded.view(np.uint64) != 0
    return np.asarray(eights.reshape(rows, tall, columns, plane.across).any(axis=(1, 3)))


def changed_coefficients(
    source_path: str | Path, output_path: str | Path, inside_stored: Bool[np.ndarray, "h w"]
) -> CoefficientChanges:
    """Compare two JPEG files coefficient by coefficient.

    Args:
        source_path: The photo before.
        output_path: And after.
        inside_stored: Where the edit had support, in stored orientation.

    Raises:
        IntegrityError: They differ in size, sampling or quantisation, so that equal coefficients
            would not mean equal pictures.
    """
    first, second = (read(read_bytes(path)) for path in (source_path, output_path))
    same = len(first) == len(second) and all(
        a.blocks.shape == b.blocks.shape
        and (a.across, a.down) == (b.across, b.down)
        and np.array_equal(a.table, b.table)
        for a, b in zip(first, second, strict=True)
    )
    if not same:
        raise IntegrityError(
            f"{output_path} and {source_path} differ in size, sampling or quantisation tables"
        )
    outside, touched, compared = [], 0, 0
    for a, b in zip(first, second, strict=True):
        support = touched_blocks(inside_stored, a)
        touched += int(support.sum())
        compared += 64 * int((~support).sum())
        outside.append(int(np.count_nonzero((a.blocks != b.blocks)[~support])))
    return CoefficientChanges(outside[0], sum(outside[1:]), touched, compared)
