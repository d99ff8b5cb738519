"""The eight orientations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from photo_files import ORIENTATION, RGB
from PIL import Image, ImageOps

from image_core.photo import Photo, read_samples, to_stored, to_upright

ORIENTATIONS = st.integers(1, 8)
ARRAYS = hnp.arrays(
    np.uint8,
    st.one_of(
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    ),
)


@given(ARRAYS, ORIENTATIONS)
def test_storing_undoes_uprighting(array: np.ndarray, orientation: int) -> None:
    assert np.array_equal(to_stored(to_upright(array, orientation), orientation), array)
    assert np.array_equal(to_upright(to_stored(array, orientation), orientation), array)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_is_what_a_viewer_shows(orientation: int) -> None:
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[ORIENTATION] = orientation
    shown = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(to_upright(RGB, orientation), shown)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_orientation_is_kept_and_never_baked_in(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    source, output = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(RGB).save(source, exif=exif, lossless=True)
    photo = Photo.open(source)
    width, height = photo.size
    assert (photo.orientation, (height, width)) == (
        orientation,
        to_upright(RGB, orientation).shape[:2],
    )
    alpha = np.zeros((height, width), np.float32)
    alpha[3:9, 5:20] = 1
    result = photo.rgb()
    result[3:9, 5:20] = [1, 0, 0]
    photo.with_edit(result, alpha).save(output)
    with Image.open(output) as written:
        assert written.getexif()[ORIENTATION] == orientation
        # Pillow turns TIFF by itself while it loads
        upright = np.asarray(written if suffix == "tif" else ImageOps.exif_transpose(written))
    assert read_samples(output).shape == RGB.shape
    expected = to_upright(RGB, orientation).copy()
    expected[3:9, 5:20] = [255, 0, 0]
    assert np.array_equal(upright, expected)
