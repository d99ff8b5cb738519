"""Every kind of file through the command line: all outside the mask stays, and is proved.

Outputs are reopened with readers that insitu does not use for that kind of file.
"""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps
from skimage import data

MASK_BOX = (140, 350, 200, 420)


@pytest.fixture
def mask(tmp_path):
    levels = np.zeros((512, 512), np.uint8)
    x0, y0, x1, y1 = MASK_BOX
    levels[y0:y1, x0:x1] = 255
    iio.imwrite(tmp_path / "mask.png", levels)
    return "mask.png"


def _rgb():
    return data.astronaut()


def _deep():
    return _rgb().astype(np.uint16) * 257 + np.arange(512, dtype=np.uint16)[:, None] % 7


def _alpha():
    ramp = np.tile(np.arange(512) // 2, (512, 1)).astype(np.uint8)[..., None]
    return np.concatenate([_rgb(), ramp], axis=2)


def _write_png(path, array):
    if array.dtype == np.uint16:
        import cv2

        cv2.imwrite(str(path), array[..., ::-1])
    else:
        Image.fromarray(array).save(path)


SOURCES = {
    "rgb.png": lambda p: _write_png(p, _rgb()),
    "deep.png": lambda p: _write_png(p, _deep()),
    "alpha.png": lambda p: _write_png(p, _alpha()),
    "grey.png": lambda p: _write_png(p, _rgb()[..., 0]),
    "palette.png": lambda p: Image.fromarray(_rgb()).quantize(64).save(p),
    "rgb.tif": lambda p: tifffile.imwrite(p, _rgb(), photometric="rgb"),
    "deep.tif": lambda p: tifffile.imwrite(p, _deep(), photometric="rgb", compression="zlib"),
    "lossless.webp": lambda p: Image.fromarray(_alpha()).save(p, lossless=True, exact=True),
    "lossy.webp": lambda p: Image.fromarray(_rgb()).save(p, quality=80),
}


def _read(path):
    """Read with Pillow, or tifffile where Pillow would drop bits."""
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if path.name == "deep.png":
        import imagecodecs

        return imagecodecs.png_decode(path.read_bytes())
    picture = Image.open(path)
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    return np.asarray(picture)


@pytest.mark.parametrize("name", SOURCES)
def test_every_sample_outside_stays_and_is_proved(insitu, tmp_path, mask, name):
    source = tmp_path / name
    SOURCES[name](source)
    output = tmp_path / "out" / name
    output.parent.mkdir()
    assert insitu("image", source, "darken it", "--mask", mask, "-o", output).code == 0
    before, after = _read(source), _read(output)
    assert (before.dtype, before.shape) == (after.dtype, after.shape)
    differs = before != after
    changed = differs.any(axis=-1) if differs.ndim == 3 else differs
    x0, y0, x1, y1 = MASK_BOX
    assert changed[y0:y1, x0:x1].mean() > 0.5
    changed[y0:y1, x0:x1] = False
    assert not changed.any()
    ran = insitu("verify", output)
    assert (ran.code, "samples" in ran.out) == (0, True)


def _blocks(path):
    """Quantised luma coefficients, as jpeglib's public reader gives them."""
    import jpeglib

    return jpeglib.read_dct(str(path)).Y


@pytest.mark.parametrize(
    "options",
    [{"subsampling": 0}, {"subsampling": 2}, {"subsampling": 2, "progressive": True}],
    ids=["444", "420", "progressive"],
)
def test_a_jpeg_that_stays_one_keeps_the_blocks_outside(insitu, tmp_path, mask, options):
    Image.fromarray(_rgb()).save(tmp_path / "in.jpg", quality=88, **options)
    assert insitu("image", "in.jpg", "darken it", "--mask", mask, "-o", "out.jpg").code == 0
    changed = (_blocks(tmp_path / "in.jpg") != _blocks(tmp_path / "out.jpg")).any(axis=(2, 3))
    rows, columns = np.nonzero(changed)
    x0, y0, x1, y1 = MASK_BOX
    assert rows.size > 20
    assert (columns.min() * 8 + 7 >= x0, columns.max() * 8 < x1) == (True, True)
    assert (rows.min() * 8 + 7 >= y0, rows.max() * 8 < y1) == (True, True)
    ran = insitu("verify", "out.jpg", "--format", "json")
    assert (ran.code, ran.outcome["proof"]) == (0, "coefficients")
    luma_blocks, touched = 64 * 64, 8 * 10  # the mask's box, widened to whole 8x8 blocks
    luma = 64 * (luma_blocks - touched)
    if options["subsampling"] == 0:
        assert ran.outcome["compared"] == 3 * luma
    else:
        chroma_touched = 5 * 6  # and to whole 16x16 ones
        assert ran.outcome["compared"] == luma + 2 * 64 * (32 * 32 - chroma_touched)


def test_a_jpeg_becomes_a_png_unless_said_otherwise(insitu, tmp_path, mask):
    Image.fromarray(_rgb()).save(tmp_path / "in.jpg", quality=88)
    assert insitu("image", "in.jpg", "darken it", "--mask", mask).code == 0
    before = np.asarray(Image.open(tmp_path / "in.jpg"))
    after = np.asarray(Image.open(tmp_path / "in.edited.png"))
    assert np.array_equal(before[:340], after[:340])


def test_a_jpeg_from_another_source_is_lossy_and_verify_says_so(insitu, photo, mask):
    source = photo()
    assert insitu("image", source, "darken it", "--mask", mask, "-o", "out.jpg").code == 7
    command = ("image", source, "darken it", "--mask", mask, "-o", "out.jpg", "--lossy")
    assert insitu(*command).code == 0
    ran = insitu("verify", "out.jpg")
    assert ran.code == 0
    assert "only the hashes" in ran.out


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_count_upright_pixels_whatever_the_orientation(insitu, tmp_path, orientation):
    upright = np.full((90, 140, 3), 200, np.uint8)
    upright[20:50, 30:90] = (220, 40, 30)
    exif = Image.Exif()
    exif[0x0112] = orientation
    # the stored picture that this tag turns upright again
    inverse = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    tagged = Image.fromarray(upright)
    tagged.getexif()[0x0112] = inverse
    stored = ImageOps.exif_transpose(tagged)
    stored.save(tmp_path / "in.png", exif=exif)
    box = ("--box", 25, 15, 95, 55)
    assert insitu("image", "in.png", "turn it blue", *box, "-o", "out.png").code == 0
    output = Image.open(tmp_path / "out.png")
    assert output.getexif()[0x0112] == orientation
    after = np.asarray(ImageOps.exif_transpose(output))
    assert after[35, 60, 2] > after[35, 60, 0]
    assert after[80, 120].tolist() == [200, 200, 200]
    mask = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "out.png.mask.png")))
    assert mask.shape == (90, 140)
    assert mask[35, 60] == 255
    assert insitu("verify", "out.png").code == 0
