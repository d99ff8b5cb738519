"""Pictures that explain: a region over its photo, candidates' boxes, captioned panels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from image_core.compositing import bounding_box, support
from image_core.errors import InvalidInput
from image_core.types import Detection, Image, Mask

_ACCENT = (255, 0, 170)
_SUFFIXES = {
    ".png": ".png",
    ".jpg": ".jpg",
    ".jpeg": ".jpg",
    ".webp": ".webp",
    ".tif": ".tif",
    ".tiff": ".tif",
}


def check_picture_suffix(path: Path) -> None:
    """Refuse a name that is none of a picture's.

    Raises:
        InvalidInput: Its suffix is not among the known ones.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InvalidInput(
            f"{path.name} does not end in a picture's suffix", hint="Use .png, .jpg, .tif or .webp."
        )


def region_overlay(image: Image, alpha: Mask, caption: str = "") -> UInt8[np.ndarray, "h w 3"]:
    """Draw a region: what stays is dimmed and greyed, the support's outline is drawn.

    Args:
        image: The picture.
        alpha: The region.
        caption: Written into a corner that the region leaves free, when there is room.
    """
    inside = support(alpha)
    grey = image.mean(axis=2, keepdims=True)
    dimmed = 0.45 * (0.4 * image + 0.6 * grey) + 0.12
    weight = alpha[..., None]
    picture = _to_bytes(weight * image + (1 - weight) * dimmed)
    contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    width = max(1, round(max(inside.shape) / 400))
    cv2.drawContours(picture, contours, -1, _ACCENT, width, cv2.LINE_AA)
    if caption:
        picture = _with_label(picture, caption, at_top=_free_at_top(inside))
    return picture


def candidates_picture(image: Image, candidates: Sequence[Detection]) -> UInt8[np.ndarray, "h w 3"]:
    """Draw the candidates' boxes, numbered best first, with their scores."""
    canvas = PillowImage.fromarray(_to_bytes(image))
    draw = ImageDraw.Draw(canvas)
    size = max(11, round(max(canvas.size) / 40))
    font = ImageFont.load_default(size)
    for number, candidate in enumerate(candidates, start=1):
        box = candidate.box
        if box is None:
            continue
        draw.rectangle(
            (box[0], box[1], box[2] - 1, box[3] - 1), outline=_ACCENT, width=max(1, size // 8)
        )
        text = f"{number}: {candidate.score:.2f}"
        corner = (min(box[0] + 3, canvas.width - 4 * size), max(0, box[1] + 2))
        draw.rectangle(draw.textbbox(corner, text, font=font), fill=(0, 0, 0))
        draw.text(corner, text, fill=(255, 255, 255), font=font)
    return np.asarray(canvas)


def captioned_row(
    panels: Sequence[UInt8[np.ndarray, "h w 3"]], captions: Sequence[str], width: int = 440
) -> UInt8[np.ndarray, "height total 3"]:
    """Put pictures of one size side by side on white, each with its caption below.

    Args:
        panels: The pictures.
        captions: One for each.
        width: Of a panel in the row, in pixels.
    """
    gap, text_height = 14, 44
    font = ImageFont.load_default(18)
    height = round(panels[0].shape[0] * width / panels[0].shape[1])
    total = (width + gap) * len(panels) + gap
    canvas = PillowImage.new("RGB", (total, height + gap + text_height), "white")
    draw = ImageDraw.Draw(canvas)
    for place, (panel, caption) in enumerate(zip(panels, captions, strict=True)):
        left = gap + place * (width + gap)
        scaled = cv2.resize(panel, (width, height), interpolation=cv2.INTER_AREA)
        canvas.paste(PillowImage.fromarray(scaled), (left, gap))
        middle = left + width / 2
        draw.text((middle, height + gap + 10), caption, fill=(40, 40, 40), font=font, anchor="ma")
    return np.asarray(canvas)


def encode_picture(picture: UInt8[np.ndarray, "h w *c"], path: Path) -> bytes:
    """Encode a picture in the container that the path's suffix names."""
    check_picture_suffix(path)
    done, data = cv2.imencode(
        _SUFFIXES[path.suffix.lower()], picture[..., ::-1] if picture.ndim == 3 else picture
    )
    if not done:
        raise InvalidInput(f"a picture of this size cannot be written as {path.suffix}")
    return data.tobytes()


def _to_bytes(image: Image) -> UInt8[np.ndarray, "h w 3"]:
    return np.asarray(np.rint(np.clip(image, 0, 1) * 255), np.uint8)


def _free_at_top(inside: np.ndarray) -> bool:
    box = bounding_box(inside)
    return box is None or box[1] > inside.shape[0] - box[3]


def _with_label(
    picture: UInt8[np.ndarray, "h w 3"], text: str, *, at_top: bool
) -> UInt8[np.ndarray, "h w 3"]:
    canvas = PillowImage.fromarray(picture)
    size = max(11, round(max(canvas.size) / 45))
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(canvas)
    while text and draw.textlength(text, font=font) > canvas.width - 2 * size:
        text = text[:-2].rstrip(" …") + "…" if len(text) > 2 else ""
    corner = (size, size // 2 if at_top else canvas.height - round(1.8 * size))
    draw.rectangle(draw.textbbox(corner, text, font=font), fill=(0, 0, 0))
    draw.text(corner, text, fill=(255, 255, 255), font=font)
    return np.asarray(canvas)
