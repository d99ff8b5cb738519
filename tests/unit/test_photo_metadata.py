"""What a file says about its photo goes with it, within and across containers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from photo_files import (
    ALPHA,
    GREY,
    ORIENTATION,
    RGB,
    RGBA,
    SOURCES,
    XMP,
    deep,
    edited,
    exif_with,
    srgb_profile,
)
from PIL import Image, ImageCms, PngImagePlugin

from image_core.photo import Photo, read_samples

CONTAINERS = ["png", "tif", "webp", "jpg"]


def _with_everything(path: Path) -> Path:
    """A photo with EXIF, profile, XMP and resolution, as Pillow writes it."""
    options: dict[str, object] = {"exif": exif_with(6), "icc_profile": srgb_profile()}
    if path.suffix in (".webp", ".jpg"):
        options |= {"xmp": XMP, "quality": 90}
    if path.suffix == ".png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        text.add_text("Title", "kept")
        text.add_text("Comment", "kept, too", zip=True)
        options |= {"pnginfo": text, "dpi": (300, 300)}
    if path.suffix == ".tif":
        info = Image.Exif()
        info.load(exif_with(6))
        info[700] = XMP
        options |= {"exif": info, "dpi": (300, 300)}
    if path.suffix == ".jpg":
        options["dpi"] = (300, 300)
    Image.fromarray(RGB).save(path, **options)
    return path


def _xmp(image: Image.Image) -> bytes:
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if found is None and hasattr(image, "tag_v2"):
        found = image.tag_v2.get(700)
    return found.encode() if isinstance(found, str) else bytes(found)


@pytest.mark.parametrize("target", CONTAINERS)
@pytest.mark.parametrize("start", CONTAINERS)
def test_exif_profile_xmp_and_resolution_travel(tmp_path: Path, start: str, target: str) -> None:
    source = _with_everything(tmp_path / f"in.{start}")
    photo, _ = edited(Photo.open(source))
    assert photo.orientation == 6
    assert photo.metadata.resolution == pytest.approx((300, 300), rel=1e-3)
    output = tmp_path / f"out.{target}"
    photo.save(output, lossy=True)
    with Image.open(output) as written:
        exif = written.getexif()
        assert exif[ORIENTATION] == 6
        assert (exif[271], exif[272]) == ("Maker", "Model X")
        assert float(exif.get_ifd(34665)[33434]) == pytest.approx(1 / 250)
        assert exif.get_ifd(34665)[36867] == "2026:01:02 03:04:05"
        assert exif.get_ifd(34853)[1] == "N"
        assert written.info["icc_profile"] == srgb_profile()
        assert _xmp(written) == XMP
        if target == "webp":
            assert float(exif[282]) == 300
        else:
            assert written.info["dpi"] == pytest.approx((300, 300), rel=1e-3)


@pytest.mark.parametrize("target", ["png", "tif", "webp", "jpg"])
def test_a_resolution_without_exif_travels(tmp_path: Path, target: str) -> None:
    Image.fromarray(RGB).save(tmp_path / "in.png", dpi=(240, 120))
    photo, _ = edited(Photo.open(tmp_path / "in.png"))
    photo.save(tmp_path / f"out.{target}", lossy=True)
    with Image.open(tmp_path / f"out.{target}") as written:
        if target == "webp":
            found = (float(written.getexif()[282]), float(written.getexif()[283]))
        else:
            found = written.info["dpi"]
    assert found == pytest.approx((240, 120), rel=1e-3)


def test_every_chunk_of_a_png_is_kept(tmp_path: Path) -> None:
    source = _with_everything(tmp_path / "in.png")
    photo, _ = edited(Photo.open(source))
    photo.save(tmp_path / "out.png")

    def chunks(path: Path) -> list[bytes]:
        data, found, position = path.read_bytes(), [], 8
        while position < len(data):
            end = position + 12 + int.from_bytes(data[position : position + 4], "big")
            found.append(data[position:end])
            position = end
        return [chunk for chunk in found if chunk[4:8] != b"IDAT"]

    before, after = chunks(source), chunks(tmp_path / "out.png")
    assert before == after
    assert len(after) >= 8


@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
def test_every_tag_of_a_tiff_is_kept(tmp_path: Path, compression: str | None) -> None:
    extra = [(65000, "I", 3, (7, 8, 9), True), (33432, "s", 0, "someone", True)]
    source = tmp_path / "in.tif"
    tifffile.imwrite(
        source,
        deep(RGB),
        photometric="rgb",
        rowsperstrip=8,
        compression=compression,
        extratags=extra,
        iccprofile=srgb_profile(),
        description="a picture",
        software="a camera",
        resolution=(300, 300),
    )
    photo, _ = edited(Photo.open(source))
    photo.save(tmp_path / "out.tif")
    with tifffile.TiffFile(source) as first, tifffile.TiffFile(tmp_path / "out.tif") as second:
        before = {tag.code: tag.value for tag in first.pages.first.tags}
        after = {tag.code: tag.value for tag in second.pages.first.tags}
    places = (273, 279)
    assert before.keys() == after.keys()
    assert all(before[code] == after[code] for code in before if code not in places)


def test_unchanged_strips_of_a_tiff_keep_their_bytes(tmp_path: Path) -> None:
    source = tmp_path / "in.tif"
    tifffile.imwrite(source, RGB, photometric="rgb", rowsperstrip=4, compression="lzw")
    photo = Photo.open(source)
    alpha = np.zeros(GREY.shape, np.float32)
    alpha[21:23, 10:40] = 1
    photo.with_edit(1 - photo.rgb(), alpha).save(tmp_path / "out.tif")
    with tifffile.TiffFile(source) as first, tifffile.TiffFile(tmp_path / "out.tif") as second:
        a, b = first.pages.first, second.pages.first
        segments = [
            (page.dataoffsets[index], page.databytecounts[index])
            for page in (a, b)
            for index in range(len(page.dataoffsets))
        ]
    half = len(segments) // 2
    before, after = source.read_bytes(), (tmp_path / "out.tif").read_bytes()
    same = [
        before[x : x + n] == after[y : y + m]
        for (x, n), (y, m) in zip(segments[:half], segments[half:], strict=True)
    ]
    assert same.count(False) == 1
    assert not same[5]


def test_a_wide_gamut_profile_is_named_and_kept(tmp_path: Path, shared_data: Path) -> None:
    photo = Photo.open(shared_data / "photos" / "rocket.jpg")
    assert any("Adobe RGB" in warning for warning in photo.warnings)
    edited(photo)[0].save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as written:
        assert written.info["icc_profile"] == photo.metadata.icc


def test_an_srgb_profile_is_no_reason_to_warn(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "in.png", icc_profile=srgb_profile())
    assert Photo.open(tmp_path / "in.png").warnings == ()


def test_a_broken_profile_is_told_and_kept(tmp_path: Path) -> None:
    profile = srgb_profile()[:200]
    Image.fromarray(RGB).save(tmp_path / "in.jpg", icc_profile=profile)
    photo = Photo.open(tmp_path / "in.jpg")
    assert any("profile" in warning for warning in photo.warnings)
    edited(photo)[0].save(tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as written:
        assert written.info["icc_profile"] == profile


def test_a_grey_profile_leaves_when_colour_comes(tmp_path: Path) -> None:
    grey_profile = bytearray(srgb_profile())
    grey_profile[16:20] = b"GRAY"
    Image.fromarray(GREY).save(tmp_path / "in.png", icc_profile=bytes(grey_profile))
    photo = Photo.open(tmp_path / "in.png")
    painted = photo.rgb()
    painted[10:20, 10:20] = [1, 0, 0]
    alpha = np.zeros(GREY.shape, np.float32)
    alpha[10:20, 10:20] = 1
    report = photo.with_edit(painted, alpha).save(tmp_path / "out.png")
    assert any("profile" in warning for warning in report.warnings)
    with Image.open(tmp_path / "out.png") as written:
        assert written.mode == "RGB"
        assert "icc_profile" not in written.info


def test_a_thumbnail_that_shows_the_old_photo_is_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    block = bytearray(exif.tobytes()[6:])
    order = "little" if block[:2] == b"II" else "big"
    start = int.from_bytes(block[4:8], order)
    after = start + 2 + 12 * int.from_bytes(block[start : start + 2], order)
    block[after : after + 4] = len(block).to_bytes(4, order)
    Image.fromarray(RGB).save(tmp_path / "in.jpg", exif=b"Exif\0\0" + bytes(block) + bytes(6))
    assert any("thumbnail" in warning for warning in Photo.open(tmp_path / "in.jpg").warnings)


def test_alpha_under_a_jpeg_is_left_out_and_told(tmp_path: Path) -> None:
    Image.fromarray(RGBA).save(tmp_path / "in.png")
    report = edited(Photo.open(tmp_path / "in.png"))[0].save(tmp_path / "out.jpg", lossy=True)
    assert any("transparency" in warning for warning in report.warnings)
    assert read_samples(tmp_path / "out.jpg").shape == (*ALPHA.shape, 3)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_impossible_orientation_counts_as_upright_and_is_told(
    tmp_path: Path, value: int
) -> None:
    Image.fromarray(RGB).save(tmp_path / "in.jpg", exif=exif_with(value))
    photo = Photo.open(tmp_path / "in.jpg")
    assert photo.orientation == 1
    assert any("orientation" in warning for warning in photo.warnings)


def test_broken_exif_is_told_and_kept(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "in.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    photo = Photo.open(tmp_path / "in.jpg")
    assert any("EXIF" in warning for warning in photo.warnings)
    for suffix in ("jpg", "png", "tif", "webp"):
        edited(photo)[0].save(tmp_path / f"out.{suffix}")
    assert b"Exif\0\0II*\0\xff\xff\xff\xff" in (tmp_path / "out.jpg").read_bytes()


def test_a_big_endian_exif_block_makes_a_readable_tiff(tmp_path: Path) -> None:
    block = exif_with(3)
    exif = Image.Exif()
    exif.load(block)
    exif.endian = ">"
    data = exif.tobytes()
    assert data[6:8] == b"MM"
    Image.fromarray(RGB).save(tmp_path / "in.jpg", exif=data, quality=95)
    photo, _ = edited(Photo.open(tmp_path / "in.jpg"))
    photo.save(tmp_path / "out.tif")
    with Image.open(tmp_path / "out.tif") as written:
        assert written.getexif()[271] == "Maker"
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), photo.samples)


@pytest.mark.parametrize("name", ["palette.png", "palette_transparent.png", "bits1.png"])
def test_chunks_that_fit_no_longer_are_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "in.png").write_bytes(SOURCES[name]())
    edited(Photo.open(tmp_path / "in.png"))[0].save(tmp_path / "out.png")
    written = (tmp_path / "out.png").read_bytes()
    assert b"PLTE" not in written
    assert b"tRNS" not in written


def test_the_profile_of_the_tests_is_a_real_one() -> None:
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.createProfile("sRGB"))
