"""Real picture files of every kind, made for the tests of ``Photo``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
import skimage.data
import tifffile
from PIL import Image, ImageCms, TiffImagePlugin

from image_core.photo import Photo

ORIENTATION = 274
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>kept</a></x:xmpmeta>'


def picture(height: int = 61, width: int = 83) -> np.ndarray:
    """A crop of a real photo, of odd size."""
    return np.ascontiguousarray(skimage.data.chelsea()[80 : 80 + height, 120 : 120 + width])


def deep(eight: np.ndarray) -> np.ndarray:
    """Sixteen bits whose low ones are all in use."""
    noise = np.random.default_rng(3).integers(0, 257, eight.shape)
    return np.minimum(eight.astype(np.uint32) * 257 + noise, 65535).astype(np.uint16)


def alpha_channel(height: int, width: int) -> np.ndarray:
    """Alpha with 0 and 255 and between; colour lies under the zeros too."""
    ramp = np.linspace(-80, 335, width)[None].repeat(height, axis=0)
    return np.clip(ramp, 0, 255).astype(np.uint8)


RGB = picture()
GREY = RGB[..., 1]
ALPHA = alpha_channel(*GREY.shape)
RGBA = np.dstack([RGB, ALPHA])
LA = np.dstack([GREY, ALPHA])


@lru_cache
def srgb_profile() -> bytes:
    """One profile for all: it holds the second in which it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_with(orientation: int = 1) -> bytes:
    """A block with a camera's name, an exposure, a place and a resolution."""
    exif = Image.Exif()
    exif[271], exif[272], exif[ORIENTATION] = "Maker", "Model X", orientation
    exif[282], exif[283], exif[296] = 300.0, 300.0, 2
    exif[34665] = {33434: TiffImagePlugin.IFDRational(1, 250), 36867: "2026:01:02 03:04:05"}
    exif[34853] = {1: "N", 2: (1.0, 2.0, 3.0)}
    return exif.tobytes()


def _pil(array: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
    out = BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(out, kind, **options)
    return out.getvalue()


def _palette(**options: object) -> bytes:
    out = BytesIO()
    Image.fromarray(RGB).quantize(64).save(out, "PNG", **options)
    return out.getvalue()


def _cv_png(array: np.ndarray) -> bytes:
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[1 if array.ndim == 2 else array.shape[2]]
    ok, data = cv2.imencode(".png", array if array.ndim == 2 else array[..., order])
    assert ok
    return data.tobytes()


def _tiff(array: np.ndarray, **options: object) -> bytes:
    out = BytesIO()
    kind = "minisblack" if array.ndim == 2 or array.shape[-1] == 2 else "rgb"
    options.setdefault("photometric", kind)
    if array.ndim == 3 and array.shape[-1] in (2, 4):
        options.setdefault("extrasamples", ["unassalpha"])
    tifffile.imwrite(out, array, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _planar(array: np.ndarray, **options: object) -> bytes:
    out = BytesIO()
    tifffile.imwrite(
        out, np.moveaxis(array, 2, 0), photometric="rgb", planarconfig="separate", **options
    )
    return out.getvalue()


SOURCES: dict[str, Callable[[], bytes]] = {
    "rgb8.png": lambda: _pil(RGB, "PNG"),
    "rgba8.png": lambda: _pil(RGBA, "PNG"),
    "grey8.png": lambda: _pil(GREY, "PNG"),
    "la8.png": lambda: _pil(LA, "PNG"),
    "rgb16.png": lambda: _cv_png(deep(RGB)),
    "rgba16.png": lambda: _cv_png(deep(RGBA)),
    "grey16.png": lambda: _cv_png(deep(GREY)),
    "palette.png": lambda: _palette(),
    "palette_transparent.png": lambda: _palette(transparency=bytes(range(0, 256, 4))),
    "colour_key.png": lambda: _pil(RGB, "PNG", transparency=tuple(int(v) for v in RGB[5, 5])),
    "grey_key.png": lambda: _pil(GREY, "PNG", transparency=int(GREY[5, 5])),
    "bits1.png": lambda: _pil(GREY, "PNG", mode="1"),
    "rgb8.tif": lambda: _tiff(RGB, rowsperstrip=16),
    "rgb8_lzw.tif": lambda: _tiff(RGB, rowsperstrip=16, compression="lzw"),
    "rgb8_lzw_predictor.tif": lambda: _tiff(RGB, compression="lzw", predictor=True),
    "rgb8_deflate.tif": lambda: _tiff(RGB, rowsperstrip=7, compression="deflate", predictor=True),
    "rgb8_packbits.tif": lambda: _tiff(RGB, rowsperstrip=16, compression="packbits"),
    "rgb8_zstd.tif": lambda: _tiff(RGB, rowsperstrip=16, compression="zstd"),
    "rgb8_tiled.tif": lambda: _tiff(RGB, tile=(32, 16), compression="deflate"),
    "rgb8_planar.tif": lambda: _planar(RGB, rowsperstrip=16),
    "rgb8_planar_tiled.tif": lambda: _planar(RGB, tile=(16, 32), compression="lzw"),
    "rgb8_big_endian.tif": lambda: _tiff(RGB, byteorder=">", rowsperstrip=16),
    "rgb8_bigtiff.tif": lambda: _tiff(RGB, bigtiff=True, compression="deflate"),
    "rgba8.tif": lambda: _tiff(RGBA, rowsperstrip=16, compression="lzw"),
    "grey8.tif": lambda: _tiff(GREY, rowsperstrip=16),
    "la8.tif": lambda: _tiff(LA, compression="deflate"),
    "rgb16.tif": lambda: _tiff(deep(RGB), rowsperstrip=16),
    "rgb16_deflate.tif": lambda: _tiff(deep(RGB), compression="deflate", predictor=True),
    "rgb16_big_endian.tif": lambda: _tiff(deep(RGB), byteorder=">", compression="lzw", predictor=2),
    "rgba16.tif": lambda: _tiff(deep(RGBA), tile=(32, 32), compression="lzw"),
    "grey16.tif": lambda: _tiff(deep(GREY), rowsperstrip=16, compression="deflate"),
    "white_is_zero.tif": lambda: _tiff(GREY, photometric="miniswhite"),
    "palette.tif": lambda: _pil(RGB, "TIFF", mode="P"),
    "bits1.tif": lambda: _pil(GREY, "TIFF", mode="1"),
    "lossless.webp": lambda: _pil(RGB, "WEBP", lossless=True),
    "lossless_alpha.webp": lambda: _pil(RGBA, "WEBP", lossless=True, exact=True),
    "lossy.webp": lambda: _pil(RGB, "WEBP", quality=80),
    "photo.jpg": lambda: _pil(RGB, "JPEG", quality=88),
}


def independent(path: Path) -> np.ndarray:
    """Read samples with a reader that our code doesn't use for the format, as RGBA of its depth.

    OpenCV for PNG and TIFF of 16 bits and with interlacing, Pillow for the rest of PNG, TIFF and
    WebP, imageio for JPEG.
    """
    if path.suffix in (".jpg", ".jpeg"):
        found = np.asarray(iio.imread(path, plugin="opencv", colorspace="RGB"))
    else:
        with Image.open(path) as image:
            transparent = "A" in image.getbands() or "transparency" in image.info
            found = np.asarray(image.convert("RGBA" if transparent else "RGB"))
        wide = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if wide is not None and wide.dtype == np.uint16:
            found = wide if wide.ndim == 2 else wide[..., [2, 1, 0, *range(3, wide.shape[2])]]
    if found.ndim == 2:
        found = found[..., None]
    if found.shape[2] < 3:
        found = found[..., :1].repeat(3, axis=2)
    if found.shape[2] == 3:
        top = np.iinfo(found.dtype).max
        found = np.dstack([found, np.full(found.shape[:2], top, found.dtype)])
    return found


def disc(height: int, width: int) -> np.ndarray:
    """A soft mask off the centre."""
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(rows - height * 0.45, columns - width * 0.4) - min(height, width) * 0.28
    return np.clip(-distance / 4, 0, 1).astype(np.float32)


def edited(photo: Photo, *, grey: bool = False) -> tuple[Photo, np.ndarray]:
    """Turn the disc's colours round (or darken it); NaN stands wherever nothing may be read."""
    width, height = photo.size
    alpha = disc(height, width)
    rgb = photo.rgb()
    changed = rgb * 0.6 + 0.05 if grey else rgb[..., [2, 0, 1]] * 0.8 + 0.1
    result = rgb + alpha[..., None] * (changed - rgb)
    result[alpha == 0] = np.nan
    return photo.with_edit(result.astype(np.float32), alpha), alpha
