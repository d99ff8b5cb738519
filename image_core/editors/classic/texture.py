"""Filling a region with a pattern or a picture's texture, under the region's own light.

Flat: it knows nothing of the thing's form, so it reads as a print upon it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.colour import linear_to_srgb, srgb_to_linear
from image_core.compositing import bounding_box, support
from image_core.editors.classic.patterns import Pattern, draw, parse_pattern
from image_core.editors.classic.prepared import Piece, measured, reference_pixels, statistics_from
from image_core.editors.classic.statistics import count_colours, weighted_quantile
from image_core.errors import InvalidInput, UnsupportedEdit
from image_core.types import EditBatch, EditStep, Image

_LONGEST_TILE = 1024
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, kw_only=True)
class PrintPlace:
    """Where a print lies and how bright its ground was.

    Attributes:
        x: The anchor, as a share of the picture's width.
        y: The anchor, as a share of its height.
        region: Side of a square with the region's area, as a share of the picture's.
        lightness: OKLab lightness that counts as fully lit.
    """

    x: float
    y: float
    region: float
    lightness: float


@dataclass(frozen=True, kw_only=True)
class Texture:
    """Prints a pattern or a tile on a region (seam ``Operator``).

    Attributes:
        pattern: What to draw, unless there is a tile.
        tile: sRGB texture, laid side by side and mirrored so that no seam shows.
        scale: Factor on the size of a repeat.
        statistics: Place and light of the reference region, once measured.
    """

    pattern: Pattern | None = None
    tile: Image | None = None
    scale: float = 1.0
    statistics: PrintPlace | None = None

    name: ClassVar[str] = "texture"
    pointwise: ClassVar[bool] = False
    scales_itself: ClassVar[bool] = False

    def margin(self, picture_size: float) -> int:
        """See nothing beyond the region."""
        del picture_size
        return 0

    def measured_on(self, reference: Iterable[EditBatch]) -> Texture:
        """Return the same with the light of the reference regions and the place of the first."""
        places: list[tuple[float, float, float]] = []

        def noting_the_first() -> Iterator[EditBatch]:
            for batch in reference:
                for region in batch.regions:
                    box = bounding_box(support(region.alpha))
                    if box is not None and not places:
                        height, width = region.alpha.shape
                        area = float(region.alpha.mean(dtype=np.float64))
                        centre = (box[0] + box[2]) / 2 / width, (box[1] + box[3]) / 2 / height
                        places.append((*centre, area**0.5))
                yield batch

        count = count_colours(reference_pixels(noting_the_first()))
        if count.weight.size == 0:
            return self
        x, y, region = places[0]
        lightness = max(weighted_quantile(count.lab[:, 0], count.weight, 0.7), 0.1)
        return replace(self, statistics=PrintPlace(x=x, y=y, region=region, lightness=lightness))

    def restored(self, state: Mapping[str, Any] | None) -> Texture:
        """Return the same with saved statistics."""
        return replace(self, statistics=statistics_from(PrintPlace, state))

    def apply(self, piece: Piece) -> tuple[Image, tuple[str, ...]]:
        """Print on a piece."""
        place = measured(self.statistics, self.name)
        result = piece.image.copy()
        height, width = piece.alpha.shape
        rows = max(1, (1 << 18) // width)
        for start in range(0, height, rows):
            stop = min(height, start + rows)
            print_ = self._print(piece, place, start, stop)
            light = lighting(piece.image[start:stop], place.lightness)
            # the ceiling keeps a pale print from bleaching where gloss lay
            result[start:stop] = linear_to_srgb(_compressed(print_ * light[..., None]))
            piece.tick(stop / height)
        return result, ()

    def _print(
        self, piece: Piece, place: PrintPlace, start: int, stop: int
    ) -> Float32[np.ndarray, "h w 3"]:
        """Return the unlit print of some rows, in linear light."""
        height, width = piece.picture
        x = np.arange(piece.alpha.shape[1], dtype=np.float32) + (piece.origin[0] - place.x * width)
        y = np.arange(start, stop, dtype=np.float32) + (piece.origin[1] - place.y * height)
        grid_x, grid_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        side = piece.picture_size * place.region
        if self.pattern is not None:
            bands = len(self.pattern.colours) / 2 if self.pattern.shape == "stripes" else 1
            period = max(4.0, side * 0.17 * bands * self.scale * self.pattern.scale)
            return draw(self.pattern, grid_x, grid_y, period)
        assert self.tile is not None
        return _tiled(self.tile, grid_x, grid_y, side * 0.6 * self.scale)


def texture_for(step: EditStep, *, reference: str, scale: float) -> Texture:
    """Read a texture step; a reference file, when given, is what fills the region.

    Raises:
        UnsupportedEdit: The value names no pattern and there is no reference.
        InvalidInput: The reference cannot be read.
    """
    if reference:
        return Texture(tile=read_tile(reference), scale=scale)
    pattern = parse_pattern(step.value)
    if pattern is None:
        raise UnsupportedEdit(
            f"the classic editor has no pattern {step.value!r}; it draws stripes, checks and dots",
            hint="For another material pass a picture of it: --editor-options reference=FILE.",
        )
    return Texture(pattern=pattern, scale=scale)


def read_tile(file: str) -> Image:
    """Read a picture as a texture, at most 1024 pixels long.

    Raises:
        InvalidInput: It is missing, too large or no picture.
    """
    from PIL import Image as PillowImage
    from PIL import ImageOps

    path = Path(file).expanduser()
    try:
        with PillowImage.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            upright.thumbnail((_LONGEST_TILE, _LONGEST_TILE))
            return np.asarray(upright, dtype=np.float32) / np.float32(255)
    except (OSError, ValueError, SyntaxError, PillowImage.DecompressionBombError) as error:
        raise InvalidInput(
            f"the texture reference {file!r} cannot be read: {error}",
            hint="Pass a PNG or JPEG picture of the material.",
        ) from error


def lighting(image: Image, lit: float) -> Float32[np.ndarray, "h w"]:
    """Return how much light falls on each pixel, 1 where it is as light as ``lit`` (OKLab L).

    Luminance goes with the cube of OKLab lightness. The power below 1 keeps deep folds from going
    black under a print that is darker than the old cloth.
    """
    luminance = srgb_to_linear(image) @ _LUMA
    ratio = np.maximum(luminance, 1e-4) / np.float32(lit**3)
    return np.asarray(np.minimum(ratio ** np.float32(0.85), 2.5), dtype=np.float32)


def _compressed(linear: np.ndarray) -> np.ndarray:
    """Bend linear light above 0.8 towards 1, so that lit folds keep their detail."""
    over = np.maximum(linear - 0.8, 0)
    return np.asarray(np.minimum(linear, 0.8) + 0.2 * (1 - np.exp(-over / 0.2)), dtype=np.float32)


def _tiled(
    tile: Image, x: Float32[np.ndarray, "h w"], y: Float32[np.ndarray, "h w"], width: float
) -> Float32[np.ndarray, "h w 3"]:
    """Lay a tile ``width`` pixels wide, mirrored at each repeat, and return its linear light."""
    zoom = max(2.0, width) / tile.shape[1]
    size = (max(2, round(tile.shape[1] * zoom)), max(2, round(tile.shape[0] * zoom)))
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    scaled = srgb_to_linear(np.clip(cv2.resize(tile, size, interpolation=way), 0, 1))
    columns = _mirrored(np.rint(x[0]).astype(np.int64), size[0])
    rows = _mirrored(np.rint(y[:, 0]).astype(np.int64), size[1])
    return np.asarray(scaled[rows][:, columns], dtype=np.float32)


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    inside = places % (2 * length)
    return np.asarray(np.where(inside < length, inside, 2 * length - 1 - inside))
