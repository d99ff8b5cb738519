"""The contact sheet: source, true edit and what each editor made of it, with the instruction."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from image_core.types import Image
from pocket.flat.render import to_bytes

Sheet = UInt8[np.ndarray, "h w 3"]

_SIDE = 128  # pixels of a picture on the sheet: twice its own
_GAP = 8
_WORDS = 170  # width of the column with the instructions
_FONT, _SMALL = 13, 11  # pixels
_LEADING = 2  # pixels between lines
_LETTER = 0.52  # of the font's size: the built-in font's letters, on average
_INK, _PAPER, _REFUSED = (20, 20, 20), (255, 255, 255), (225, 225, 225)
_RIGHT, _WRONG = (30, 150, 60), (205, 40, 40)  # of the frames
_FRAME = 3


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One editor's picture on the sheet.

    Attributes:
        picture: sRGB in [0, 1]; None where the edit was refused.
        right: Whether it is what was asked for; None for no judgement.
        note: Written where there is no picture.
    """

    picture: Image | None
    right: bool | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One instruction with its pictures.

    Attributes:
        instruction: Written beside them.
        below: Written below it, smaller.
        tiles: As many as there are headings.
    """

    instruction: str
    below: str
    tiles: Sequence[Tile]


def drawn_sheet(headings: Sequence[str], rows: Sequence[SheetRow]) -> Sheet:
    """Draw a sheet.

    Args:
        headings: Of the columns of pictures.
        rows: Each with a tile a heading; a picture that is right has a green frame, one that is
            not a red one.
    """
    across = _SIDE + 2 * _FRAME + _GAP
    width = _WORDS + across * len(headings) + _GAP
    longest = max(len(_lines(heading, _SIDE + 2 * _FRAME, _SMALL)) for heading in headings)
    head = 2 * _GAP + longest * (_SMALL + _LEADING)
    height = head + across * len(rows) + _GAP
    canvas = PillowImage.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(canvas)
    for column, heading in enumerate(headings):
        _write(draw, (_WORDS + column * across, _GAP), heading, _SIDE + 2 * _FRAME, _SMALL)
    for number, row in enumerate(rows):
        top = head + number * across
        used = _write(draw, (_GAP, top), row.instruction, _WORDS - 2 * _GAP, _FONT)
        _write(draw, (_GAP, top + used + _LEADING), row.below, _WORDS - 2 * _GAP, _SMALL)
        for column, tile in enumerate(row.tiles):
            _place(canvas, draw, tile, (_WORDS + column * across, top))
    return np.asarray(canvas)


def _place(
    canvas: PillowImage.Image, draw: ImageDraw.ImageDraw, tile: Tile, corner: tuple[int, int]
) -> None:
    left, top = corner
    outer = (left, top, left + _SIDE + 2 * _FRAME - 1, top + _SIDE + 2 * _FRAME - 1)
    frame = _PAPER if tile.right is None else _RIGHT if tile.right else _WRONG
    draw.rectangle(outer, fill=frame)
    inner = (left + _FRAME, top + _FRAME)
    if tile.picture is None:
        draw.rectangle((*inner, inner[0] + _SIDE - 1, inner[1] + _SIDE - 1), fill=_REFUSED)
        _write(draw, (inner[0] + 4, inner[1] + 4), tile.note, _SIDE - 8, _SMALL)
        return
    picture = PillowImage.fromarray(to_bytes(tile.picture))
    canvas.paste(picture.resize((_SIDE, _SIDE), PillowImage.Resampling.NEAREST), inner)


def _write(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, width: int, size: int
) -> int:
    """Write a text into a column, and return the height that it took."""
    font = ImageFont.load_default(size)
    lines = _lines(text, width, size)
    for number, line in enumerate(lines):
        place = (corner[0], corner[1] + number * (size + _LEADING))
        draw.text(place, line, fill=_INK, font=font)
    return len(lines) * (size + _LEADING)


def _lines(text: str, width: int, size: int) -> list[str]:
    """Break a text into lines of a column's width."""
    return textwrap.wrap(text, max(4, int(width / (_LETTER * size))))
