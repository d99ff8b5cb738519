"""Files that must be refused with a reason and a next step, quickly and quietly."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from photo_files import GREY, RGB, RGBA, SOURCES
from PIL import Image

from image_core.errors import InvalidInput
from image_core.photo import Photo


def _pil(array: np.ndarray, kind: str, **options: object) -> bytes:
    out = BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def _jpeg(**options: object) -> bytes:
    return _pil(RGB, "JPEG", **options)


def _mode(mode: str, kind: str, **options: object) -> bytes:
    out = BytesIO()
    Image.fromarray(RGB).convert(mode).save(out, kind, **options)
    return out.getvalue()


def _frames(kind: str, **options: object) -> bytes:
    out = BytesIO()
    first = Image.fromarray(RGB)
    more = [Image.fromarray(255 - RGB), Image.fromarray(RGB[::-1].copy())]
    first.save(out, kind, save_all=True, append_images=more, **options)
    return out.getvalue()


def _tiff(array: np.ndarray, **options: object) -> bytes:
    out = BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(2000))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(_jpeg())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _tiff_claiming(width: int, height: int) -> bytes:
    data = bytearray(_tiff(RGB, photometric="rgb", compression="deflate"))
    with tifffile.TiffFile(BytesIO(bytes(data))) as tif:
        tags = tif.pages.first.tags
        for code, value in ((256, width), (257, height), (278, height)):
            tag = tags[code]
            struct.pack_into("<H" if int(tag.dtype) == 3 else "<I", data, tag.valueoffset, value)
    return bytes(data)


def _half(name: str) -> Callable[[], bytes]:
    return lambda: (lambda data: data[: len(data) // 2])(SOURCES[name]())


def _with_end(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)] + b"\xff\xd9"


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty.png": lambda: b"",
    "one_byte.png": lambda: b"\x89",
    "only_signature.png": lambda: b"\x89PNG\r\n\x1a\n",
    "text.png": lambda: b"not a picture at all\n" * 50,
    "random.jpg": lambda: np.random.default_rng(0).bytes(5000),
    "zeros.tif": lambda: bytes(5000),
    "html.jpg": lambda: b"<!DOCTYPE html><html><body>404</body></html>",
    "gif.png": lambda: _pil(RGB, "GIF"),
    "bmp.png": lambda: _pil(RGB, "BMP"),
    "jpeg2000.png": lambda: b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(100),
    "heic.jpg": lambda: b"\x00\x00\x00\x18ftypheic" + bytes(100),
    "avif.jpg": lambda: b"\x00\x00\x00\x18ftypavif" + bytes(100),
    "video.png": lambda: b"\x00\x00\x00\x18ftypisom" + bytes(100),
    "pdf.png": lambda: b"%PDF-1.7\n" + bytes(100),
    "svg.png": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "psd.tif": lambda: b"8BPS" + bytes(100),
    "half.png": _half("rgb8.png"),
    "half16.png": _half("rgb16.png"),
    "half_palette.png": _half("palette.png"),
    "no_end.png": lambda: SOURCES["rgb8.png"]()[:-12],
    "half.webp": _half("lossless.webp"),
    "half_lossy.webp": _half("lossy.webp"),
    "half.tif": _half("rgb8.tif"),
    "half_lzw.tif": _half("rgb8_lzw.tif"),
    "half_deflate.tif": _half("rgb8_deflate.tif"),
    "half_packbits.tif": _half("rgb8_packbits.tif"),
    "half_tiled.tif": _half("rgb8_tiled.tif"),
    "half_planar.tif": _half("rgb8_planar.tif"),
    "half.jpg": _half("photo.jpg"),
    "header_only.jpg": lambda: _jpeg()[:200],
    "no_end.jpg": lambda: _jpeg()[:-2],
    "half_with_end.jpg": lambda: _with_end(_jpeg(), 0.6),
    "most_with_end.jpg": lambda: _with_end(_jpeg(), 0.97),
    "half_with_end_grey.jpg": lambda: _with_end(_pil(GREY, "JPEG"), 0.6),
    "half_with_end_420.jpg": lambda: _with_end(_jpeg(subsampling=2), 0.7),
    "half_progressive.jpg": lambda: _jpeg(progressive=True)[:1200],
    "half_with_end_progressive.jpg": lambda: _with_end(_jpeg(progressive=True), 0.6),
    "most_with_end_progressive.jpg": lambda: _with_end(_jpeg(progressive=True), 0.97),
    "restarts_with_end.jpg": lambda: _with_end(_jpeg(restart_marker_rows=1), 0.6),
    "flipped_bit.png": lambda: (lambda d: d[:900] + bytes([d[900] ^ 4]) + d[901:])(
        SOURCES["rgb8.png"]()
    ),
    "animated.png": lambda: _frames("PNG"),
    "animated.webp": lambda: _frames("WEBP"),
    "pages.tif": lambda: _frames("TIFF"),
    "cmyk.jpg": lambda: _mode("CMYK", "JPEG"),
    "cmyk.tif": lambda: _mode("CMYK", "TIFF"),
    "lab.tif": lambda: _mode("LAB", "TIFF"),
    "float.tif": lambda: _tiff(RGB.astype(np.float32), photometric="rgb"),
    "half_float.tif": lambda: _tiff(RGB.astype(np.float16), photometric="rgb"),
    "int32.tif": lambda: _tiff(GREY.astype(np.uint32)),
    "signed.tif": lambda: _tiff(GREY.astype(np.int16)),
    "five_channels.tif": lambda: _tiff(
        np.dstack([RGBA, GREY]), photometric="rgb", extrasamples=["unassalpha", "unspecified"]
    ),
    "raw.tif": lambda: _tiff(
        RGB, photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0), True)]
    ),
    "bomb.png": lambda: _png_claiming(60000, 60000),
    "tiny_but_huge.png": lambda: _png_claiming(15000, 15000),
    "zero_size.png": lambda: _png_claiming(0, 10),
    "bomb.jpg": lambda: _jpeg_claiming(65000, 65000),
    "tiny_but_huge.jpg": lambda: _jpeg_claiming(12000, 12000),
    "zero_size.jpg": lambda: _jpeg_claiming(0, 10),
    "bomb.tif": lambda: _tiff_claiming(60000, 60000),
    "tiny_but_huge.tif": lambda: _tiff_claiming(14000, 14000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_reason_and_next_step(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(HOSTILE[name]())
    with pytest.raises(InvalidInput) as caught:
        Photo.open(path)
    assert name in str(caught.value)
    assert caught.value.hint.endswith(".")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


@pytest.mark.parametrize("name", list(SOURCES))
def test_no_cut_of_a_real_file_gets_through_or_breaks_anything(tmp_path: Path, name: str) -> None:
    """Whatever the place of the cut: refused, or (only padding was lost) equal samples."""
    data = SOURCES[name]()
    path = tmp_path / name
    path.write_bytes(data)
    whole = Photo.open(path).samples
    for end in np.linspace(0, len(data) - 1, 25).astype(int):
        path.write_bytes(data[:end])
        try:
            samples = Photo.open(path).samples
        except InvalidInput:
            continue
        assert np.array_equal(samples, whole)


@pytest.mark.parametrize("name", list(SOURCES))
def test_flipped_bytes_raise_nothing_but_the_documented_error(tmp_path: Path, name: str) -> None:
    data = bytearray(SOURCES[name]())
    rng = np.random.default_rng(len(name))
    path = tmp_path / name
    for _ in range(25):
        broken = bytearray(data)
        for place in rng.integers(0, min(len(data), 600), 3):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(broken)
        try:
            photo = Photo.open(path)
        except InvalidInput:
            continue
        assert photo.samples.dtype in (np.uint8, np.uint16)
        assert photo.samples.shape[2] in (1, 2, 3, 4)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        Photo.open(tmp_path / "nothing.png")
    with pytest.raises(InvalidInput, match="no such file"):
        Photo.open(tmp_path / "no" / "such" / "folder.png")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="folder"):
        Photo.open(tmp_path)


def test_odd_paths_are_refused(tmp_path: Path) -> None:
    for path in ("", "nul\0byte.png", "x" * 5000 + ".png"):
        with pytest.raises(InvalidInput):
            Photo.open(path)
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with pytest.raises(InvalidInput):
        Photo.open(tmp_path / "loop.png")


def test_special_files_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero", "/dev/null"):
        with pytest.raises(InvalidInput, match="regular"):
            Photo.open(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.png"
    path.write_bytes(SOURCES["rgb8.png"]())
    path.chmod(0)
    with pytest.raises(InvalidInput, match="permission"):
        Photo.open(path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "in.png"
    path.write_bytes(SOURCES["rgb8.png"]())
    os.truncate(path, 3 << 30)
    with pytest.raises(InvalidInput, match="MB"):
        Photo.open(path)


def test_a_wrong_name_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(SOURCES["rgb8.png"]())
    assert Photo.open(path).format == "png"
