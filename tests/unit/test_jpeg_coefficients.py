"""JPEG in, JPEG out: which coefficients change, and how well the edit comes out."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from photo_files import ORIENTATION, XMP, edited, exif_with, srgb_profile
from PIL import Image, ImageOps

from image_core.errors import IntegrityError, InvalidInput
from image_core.photo import Photo, to_upright
from image_core.photo.jpeg_coefficients import changed_coefficients, read, write
from image_core.photo.jpeg_layout import layout

SAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def _scene(height: int = 101, width: int = 139) -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[40 : 40 + height, 150 : 150 + width])


def _save(path: Path, array: np.ndarray, **options: object) -> Path:
    options.setdefault("quality", 85)
    Image.fromarray(array).save(path, "JPEG", **options)
    return path


def _library_blocks(path: Path) -> list[np.ndarray]:
    """Read coefficients by another route: jpeglib's own objects on another libjpeg."""
    import jpeglib

    jpeglib.version.set("9e")
    found = jpeglib.read_dct(str(path))
    planes = [found.Y, *((found.Cb, found.Cr) if found.has_chrominance else ())]
    return [np.array(plane) for plane in planes]


def _support(inside: np.ndarray, plane: np.ndarray, luma: np.ndarray, down: int, across: int):
    tall, wide = 8 * down, 8 * across
    found = np.zeros(plane.shape[:2], bool)
    for row in range(plane.shape[0]):
        for column in range(plane.shape[1]):
            area = inside[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
            found[row, column] = area.any()
    return found


def _assert_kept(source: Path, output: Path, inside: np.ndarray, down: int, across: int) -> None:
    before, after = _library_blocks(source), _library_blocks(output)
    for index, (a, b) in enumerate(zip(before, after, strict=True)):
        factors = (1, 1) if index == 0 else (down, across)
        touched = _support(inside, a, before[0], *factors)
        assert np.count_nonzero((a != b)[~touched]) == 0
        assert 0 < touched.sum() < touched.size
    changed = changed_coefficients(source, output, inside)
    assert changed[:2] == (0, 0)
    assert changed.touched > 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_blocks_without_support_keep_their_coefficients(
    tmp_path: Path, sampling: str, progressive: bool, orientation: int
) -> None:
    source = _save(
        tmp_path / "in.jpg",
        _scene(),
        subsampling=SAMPLINGS[sampling],
        progressive=progressive,
        exif=exif_with(orientation),
    )
    photo, _ = edited(Photo.open(source))
    report = photo.save(tmp_path / "out.jpg")
    assert report.how == "coefficients"
    assert photo.inside is not None
    _assert_kept(
        source,
        tmp_path / "out.jpg",
        photo.inside,
        down=2 if sampling == "4:2:0" else 1,
        across=1 if sampling == "4:4:4" else 2,
    )
    with Image.open(tmp_path / "out.jpg") as written:
        assert ("progression" in written.info) == progressive
        assert written.getexif()[ORIENTATION] == orientation
        seen = np.asarray(ImageOps.exif_transpose(written)).astype(int)
    # and the edit is there, the right way round
    wanted = to_upright(photo.samples, orientation).astype(int)
    unedited = to_upright(photo.original, orientation).astype(int)
    inside = to_upright(photo.inside, orientation)
    assert np.abs(seen - wanted)[inside].mean() < 6
    assert np.abs(seen - unedited)[inside].mean() > 25


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (17, 33), (64, 64), (481, 50)])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_every_size_works(tmp_path: Path, size: tuple[int, int], sampling: str) -> None:
    scene = np.ascontiguousarray(skimage.data.astronaut()[: size[0], : size[1]])
    source = _save(tmp_path / "in.jpg", scene, subsampling=SAMPLINGS[sampling], quality=95)
    photo = Photo.open(source)
    alpha = np.zeros(size, np.float32)
    alpha[-1, -1] = 1
    result = np.where(alpha[..., None] > 0, 1 - photo.rgb(), photo.rgb())
    photo.with_edit(result, alpha).save(tmp_path / "out.jpg")
    assert changed_coefficients(source, tmp_path / "out.jpg", alpha > 0)[:2] == (0, 0)
    assert cv2.imread(str(tmp_path / "out.jpg")).shape == (*size, 3)


def test_grey_jpegs_keep_their_blocks(tmp_path: Path) -> None:
    source = _save(tmp_path / "in.jpg", _scene()[..., 1])
    photo, _ = edited(Photo.open(source), grey=True)
    assert photo.save(tmp_path / "out.jpg").how == "coefficients"
    assert photo.inside is not None
    _assert_kept(source, tmp_path / "out.jpg", photo.inside, 1, 1)


def test_grey_jpegs_that_declare_odd_sampling_keep_their_blocks(tmp_path: Path) -> None:
    """With one plane the declared factors mean nothing, and some cameras write 2 x 2."""
    source = _save(tmp_path / "in.jpg", _scene()[..., 1])
    data = bytearray(source.read_bytes())
    frame = data.index(b"\xff\xc0")
    assert data[frame + 11] == 0x11
    data[frame + 11] = 0x22
    source.write_bytes(data)
    photo, _ = edited(Photo.open(source), grey=True)
    photo.save(tmp_path / "out.jpg")
    assert photo.inside is not None
    _assert_kept(source, tmp_path / "out.jpg", photo.inside, 1, 1)


def test_a_quantisation_step_of_0_is_refused(tmp_path: Path) -> None:
    source = _save(tmp_path / "in.jpg", _scene())
    data = bytearray(source.read_bytes())
    data[data.index(b"\xff\xdb") + 20] = 0
    source.write_bytes(data)
    with pytest.raises(InvalidInput, match="damaged"):
        edited(Photo.open(source))[0].save(tmp_path / "out.jpg")
    assert not (tmp_path / "out.jpg").exists()


def test_rgb_jpegs_keep_their_blocks(tmp_path: Path) -> None:
    source = _save(tmp_path / "in.jpg", _scene(), keep_rgb=True)
    assert layout(source.read_bytes()).is_rgb
    photo, _ = edited(Photo.open(source))
    photo.save(tmp_path / "out.jpg")
    assert photo.inside is not None
    assert changed_coefficients(source, tmp_path / "out.jpg", photo.inside)[:2] == (0, 0)
    seen = np.asarray(Image.open(tmp_path / "out.jpg")).astype(int)
    assert np.abs(seen - photo.samples)[photo.inside].mean() < 4


def test_real_photos_keep_their_blocks(tmp_path: Path, shared_data: Path) -> None:
    for source in sorted((shared_data / "photos").glob("*.jpg")):
        photo, _ = edited(Photo.open(source))
        assert photo.save(tmp_path / source.name).how == "coefficients"
        assert photo.inside is not None
        changed = changed_coefficients(source, tmp_path / source.name, photo.inside)
        assert changed[:2] == (0, 0)


def test_all_markers_are_kept_byte_for_byte(tmp_path: Path) -> None:
    source = _save(
        tmp_path / "in.jpg",
        _scene(),
        exif=exif_with(6),
        icc_profile=srgb_profile() * 200,
        xmp=XMP,
        comment=b"a comment",
        dpi=(240, 240),
    )
    source.write_bytes(source.read_bytes() + b"a trailer that some phones write")
    photo, _ = edited(Photo.open(source))
    photo.save(tmp_path / "out.jpg")
    before, after = source.read_bytes(), (tmp_path / "out.jpg").read_bytes()
    assert layout(after).described() == layout(before).described()
    assert len(layout(after).described()) >= 5
    assert after.endswith(b"a trailer that some phones write")


def test_tables_sampling_and_component_names_are_kept(tmp_path: Path) -> None:
    tables = [[*range(1, 65)], [*range(64, 0, -1)]]
    source = _save(tmp_path / "in.jpg", _scene(), qtables=tables, subsampling=1, quality=0)
    photo, _ = edited(Photo.open(source))
    photo.save(tmp_path / "out.jpg")
    with Image.open(source) as first, Image.open(tmp_path / "out.jpg") as second:
        assert first.quantization == second.quantization
    first_layout = layout(source.read_bytes())
    assert layout((tmp_path / "out.jpg").read_bytes()).components == first_layout.components


def test_writing_what_was_read_changes_no_coefficient() -> None:
    out = BytesIO()
    Image.fromarray(_scene()).save(out, "JPEG", quality=90, progressive=True)
    planes = read(out.getvalue())
    again = read(write(out.getvalue(), [plane.blocks for plane in planes]))
    assert all(np.array_equal(a.blocks, b.blocks) for a, b in zip(planes, again, strict=True))


def test_a_touched_block_changes_only_by_the_edit(tmp_path: Path) -> None:
    """A flat shift of a few levels leaves every coefficient but the blocks' means."""
    source = _save(tmp_path / "in.jpg", _scene(96, 128) // 2 + 60, subsampling=0, quality=92)
    photo = Photo.open(source)
    result = photo.rgb() + np.float32(16 / 255)
    photo.with_edit(result, np.ones(result.shape[:2], np.float32)).save(tmp_path / "out.jpg")
    before, after = _library_blocks(source), _library_blocks(tmp_path / "out.jpg")
    difference = after[0] - before[0]
    assert (difference[..., 0, 0] > 0).all()
    difference[..., 0, 0] = 0
    assert np.count_nonzero(difference) == 0
    assert all(np.array_equal(a, b) for a, b in zip(before[1:], after[1:], strict=True))


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_edit_comes_out_as_well_as_by_encoding_afresh(tmp_path: Path, sampling: str) -> None:
    options = {"subsampling": SAMPLINGS[sampling], "quality": 90}
    source = _save(tmp_path / "in.jpg", _scene(128, 160), **options)
    photo, _ = edited(Photo.open(source))
    photo.save(tmp_path / "out.jpg")
    _save(tmp_path / "afresh.jpg", photo.samples, **options)
    wanted, inside = photo.samples.astype(int), photo.inside

    def error(name: str) -> float:
        return float(np.square(np.asarray(Image.open(tmp_path / name)) - wanted)[inside].mean())

    assert error("out.jpg") <= 1.1 * error("afresh.jpg")


def test_white_that_overshoots_does_not_shine_through_the_edit(tmp_path: Path) -> None:
    """Dots on white make planes go beyond white; painting over them must hide that too."""
    page = np.full((64, 64, 3), 255, np.uint8)
    page[np.random.default_rng(0).random((64, 64)) < 0.12] = 0
    source = _save(tmp_path / "in.jpg", page, quality=60, subsampling=0)
    photo = Photo.open(source)
    alpha = np.ones((64, 64), np.float32)
    photo.with_edit(np.full((64, 64, 3), 0.5, np.float32), alpha).save(tmp_path / "out.jpg")
    seen = np.asarray(Image.open(tmp_path / "out.jpg")).astype(int)
    assert np.abs(seen - 128).max() <= 2


def test_an_edit_of_nothing_is_the_source_itself(tmp_path: Path) -> None:
    source = _save(tmp_path / "in.jpg", _scene())
    assert Photo.open(source).save(tmp_path / "out.jpg").how == "coefficients"
    assert (tmp_path / "out.jpg").read_bytes() == source.read_bytes()


def test_changes_outside_are_counted(tmp_path: Path) -> None:
    source = _save(tmp_path / "in.jpg", _scene(), subsampling=2)
    planes = read(source.read_bytes())
    blocks = [plane.blocks.copy() for plane in planes]
    blocks[0][1, 1, 2, 3] += 1
    blocks[1][2, 2, 0, 0] += 1
    blocks[2][2, 3, 0, 1] -= 1
    (tmp_path / "out.jpg").write_bytes(write(source.read_bytes(), blocks))
    nowhere = np.zeros(_scene().shape[:2], bool)
    assert changed_coefficients(source, tmp_path / "out.jpg", nowhere)[:3] == (1, 2, 0)
    inside = nowhere.copy()
    inside[8:16, 8:16] = True
    assert changed_coefficients(source, tmp_path / "out.jpg", inside)[:2] == (0, 2)


def test_other_tables_are_no_equal_coefficients(tmp_path: Path) -> None:
    source = _save(tmp_path / "in.jpg", _scene(), quality=90)
    other = _save(tmp_path / "out.jpg", _scene(), quality=80)
    with pytest.raises(IntegrityError):
        changed_coefficients(source, other, np.ones(_scene().shape[:2], bool))


def test_a_jpeg_from_another_source_needs_leave_to_lose(tmp_path: Path) -> None:
    Image.fromarray(_scene()).save(tmp_path / "in.png")
    photo, _ = edited(Photo.open(tmp_path / "in.png"))
    with pytest.raises(InvalidInput, match="JPEG") as caught:
        photo.save(tmp_path / "out.jpg")
    assert "--lossy" in caught.value.hint
    assert not (tmp_path / "out.jpg").exists()
    assert photo.save(tmp_path / "out.jpg", lossy=True).how == "lossy"
    written = np.asarray(Image.open(tmp_path / "out.jpg")).astype(int)
    assert np.abs(written - photo.samples).mean() < 3
    assert all(
        c.across == c.down == 1 for c in layout((tmp_path / "out.jpg").read_bytes()).components
    )


def test_colour_in_a_grey_jpeg_needs_leave_to_lose(tmp_path: Path) -> None:
    source = _save(tmp_path / "in.jpg", _scene()[..., 0])
    photo = Photo.open(source)
    result = photo.rgb()
    result[10:20, 10:20] = [1, 0, 0]
    alpha = np.zeros(result.shape[:2], np.float32)
    alpha[10:20, 10:20] = 1
    coloured = photo.with_edit(result, alpha)
    with pytest.raises(InvalidInput, match="grey"):
        coloured.save(tmp_path / "out.jpg")
    coloured.save(tmp_path / "out.png")
    assert coloured.save(tmp_path / "out.jpg", lossy=True).how == "lossy"
