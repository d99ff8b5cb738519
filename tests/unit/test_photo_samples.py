"""Samples outside an edit, over every kind of source."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from photo_files import ALPHA, GREY, LA, RGB, RGBA, SOURCES, deep, edited, independent
from PIL import Image

from image_core.errors import InvalidInput
from image_core.photo import Photo, read_samples, to_stored, with_channels

LOSSLESS = [name for name in SOURCES if not name.endswith(".jpg")]


def _make(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(SOURCES[name]())
    return path


def _outside(alpha: np.ndarray, photo: Photo) -> np.ndarray:
    return to_stored(alpha == 0, photo.orientation)


@pytest.mark.parametrize("name", LOSSLESS)
def test_samples_outside_are_untouched_in_the_same_container(tmp_path: Path, name: str) -> None:
    source = _make(tmp_path, name)
    photo, alpha = edited(Photo.open(source), grey="grey" in name or "la8" in name)
    output = tmp_path / f"out{source.suffix}"
    report = photo.save(output)
    before, after = independent(source), independent(output)
    outside = _outside(alpha, photo)
    assert before.dtype == after.dtype
    assert np.count_nonzero(before[outside] != after[outside]) == 0
    assert (before[~outside] != after[~outside]).any(axis=1).mean() > 0.8
    assert report.how == "samples"
    assert report.sha256 == hashlib.sha256(output.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("name", list(SOURCES))
def test_samples_outside_are_untouched_across_containers(
    tmp_path: Path, name: str, suffix: str
) -> None:
    source = _make(tmp_path, name)
    photo, alpha = edited(Photo.open(source))
    output = tmp_path / f"out.{suffix}"
    if suffix == "webp" and photo.samples.dtype == np.uint16:
        with pytest.raises(InvalidInput, match="16"):
            photo.save(output)
        assert not output.exists()
        return
    photo.save(output)
    before, after = independent(source), independent(output)
    outside = _outside(alpha, photo)
    assert before.dtype == after.dtype
    assert np.count_nonzero(before[outside] != after[outside]) == 0
    assert np.array_equal(after, with_channels(read_samples(output), 4))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rgb8.png", RGB),
        ("rgba8.png", RGBA),
        ("grey8.png", GREY[..., None]),
        ("la8.png", LA),
        ("rgb16.png", deep(RGB)),
        ("rgba16.png", deep(RGBA)),
        ("grey16.png", deep(GREY)[..., None]),
        ("rgb8_planar_tiled.tif", RGB),
        ("rgb16_big_endian.tif", deep(RGB)),
        ("rgba16.tif", deep(RGBA)),
        ("la8.tif", LA),
        ("white_is_zero.tif", 255 - GREY[..., None]),
        ("lossless_alpha.webp", RGBA),
    ],
)
def test_samples_are_read_in_their_native_form(
    tmp_path: Path, name: str, expected: np.ndarray
) -> None:
    samples = Photo.open(_make(tmp_path, name)).samples
    assert samples.dtype == expected.dtype
    assert np.array_equal(samples, expected)


@pytest.mark.parametrize("name", ["rgba8.png", "la8.png", "rgba8.tif", "lossless_alpha.webp"])
def test_alpha_is_the_same_inside_the_edit_too(tmp_path: Path, name: str) -> None:
    source = _make(tmp_path, name)
    photo, _ = edited(Photo.open(source))
    photo.save(tmp_path / f"out{source.suffix}")
    assert np.array_equal(independent(tmp_path / f"out{source.suffix}")[..., 3], ALPHA)


def test_colour_under_alpha_0_survives_in_webp(tmp_path: Path) -> None:
    photo, alpha = edited(Photo.open(_make(tmp_path, "rgba8.png")))
    photo.save(tmp_path / "out.webp")
    hidden = (ALPHA == 0) & (alpha == 0)
    assert hidden.sum() > 100
    assert np.array_equal(independent(tmp_path / "out.webp")[hidden], RGBA[hidden])


def test_an_alpha_that_is_opaque_all_over_stays_in_webp(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([RGB, np.full_like(GREY, 255)])).save(tmp_path / "in.png")
    photo, _ = edited(Photo.open(tmp_path / "in.png"))
    photo.save(tmp_path / "out.webp")
    assert np.array_equal(read_samples(tmp_path / "out.webp"), photo.samples)
    with Image.open(tmp_path / "out.webp") as written:
        assert np.array_equal(np.asarray(written.convert("RGBA")), photo.samples)


def test_a_grey_photo_stays_grey_under_a_grey_edit(tmp_path: Path) -> None:
    photo, _ = edited(Photo.open(_make(tmp_path, "grey16.png")), grey=True)
    photo.save(tmp_path / "out.png")
    assert photo.samples.shape[2] == 1
    with Image.open(tmp_path / "out.png") as written:
        assert written.mode.startswith("I")


@pytest.mark.parametrize("name", ["grey8.png", "la8.png", "grey8.tif"])
def test_a_grey_photo_becomes_rgb_under_a_coloured_edit_and_says_so(
    tmp_path: Path, name: str
) -> None:
    before = Photo.open(_make(tmp_path, name))
    photo, alpha = edited(before)
    # the colours of a grey photo turned round are grey again, so paint it
    result = before.rgb()
    result[alpha > 0] = [0.9, 0.1, 0.2]
    photo = before.with_edit(result, alpha)
    assert photo.samples.shape[2] in (3, 4)
    assert any("grey" in warning for warning in photo.warnings)
    output = tmp_path / f"out.{name.split('.')[1]}"
    photo.save(output)
    after = independent(output)
    assert np.array_equal(after[alpha == 0][:, :3], GREY[alpha == 0][:, None].repeat(3, axis=1))
    assert (after[alpha > 0][:, :3] == [230, 26, 51]).all()


def test_the_edit_keeps_sixteen_bits_of_precision(tmp_path: Path) -> None:
    photo = Photo.open(_make(tmp_path, "rgb16.png"))
    result = photo.rgb() + np.float32(1 / 65535)
    alpha = np.zeros(result.shape[:2], np.float32)
    alpha[10:20, 10:20] = 1
    photo.with_edit(result, alpha).save(tmp_path / "out.png")
    expected = deep(RGB)[10:20, 10:20].astype(int) + 1
    written = independent(tmp_path / "out.png")[10:20, 10:20, :3]
    assert np.array_equal(written, np.minimum(expected, 65535))


def test_rgb_and_an_edit_of_nothing_give_the_file_back(tmp_path: Path) -> None:
    for name in ("rgb8.png", "rgb16.tif", "la8.png", "palette.png", "photo.jpg"):
        source = _make(tmp_path, name)
        photo = Photo.open(source)
        same = photo.with_edit(photo.rgb(), np.ones(photo.rgb().shape[:2], np.float32))
        assert np.array_equal(same.samples, photo.samples)
        same.save(tmp_path / f"out{source.suffix}")
        assert (tmp_path / f"out{source.suffix}").read_bytes() == source.read_bytes()


def test_two_edits_in_turn_keep_what_lies_outside_of_both(tmp_path: Path) -> None:
    photo = Photo.open(_make(tmp_path, "rgb8.png"))
    inside = np.zeros(GREY.shape, bool)
    for corner in (0, 30):
        alpha = np.zeros(GREY.shape, np.float32)
        alpha[corner : corner + 8, corner : corner + 8] = 1
        inside |= alpha > 0
        photo = photo.with_edit(1 - photo.rgb(), alpha)
    photo.save(tmp_path / "out.png")
    changed = (independent(tmp_path / "out.png")[..., :3] != RGB).any(axis=2)
    assert photo.inside is not None
    assert np.array_equal(photo.inside, inside)
    assert not (changed & ~inside).any()
    assert changed[inside].all()


def test_an_edit_of_another_size_is_refused(tmp_path: Path) -> None:
    photo = Photo.open(_make(tmp_path, "rgb8.png"))
    with pytest.raises(InvalidInput, match="but the photo is"):
        photo.with_edit(photo.rgb()[:-1], np.ones(GREY.shape, np.float32)[:-1])


@pytest.mark.parametrize("name", ["rgb8.tif", "rgb8_lzw.tif", "rgb16_deflate.tif"])
def test_what_the_edit_replaced_does_not_stay_in_the_tiff(tmp_path: Path, name: str) -> None:
    source = _make(tmp_path, name)
    photo = Photo.open(source)
    alpha = np.ones(GREY.shape, np.float32)
    result = np.random.default_rng(0).random((*GREY.shape, 3), np.float32)
    photo.with_edit(result, alpha).save(tmp_path / "out.tif")
    before, after = source.read_bytes(), (tmp_path / "out.tif").read_bytes()
    strip = before[len(before) // 2 : len(before) // 2 + 40]
    assert strip not in after
