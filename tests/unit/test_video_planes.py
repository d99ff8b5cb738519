"""The planes of frames: stored layouts, RGB, and edits laid into them."""

from __future__ import annotations

import av
import numpy as np
import pytest

from image_core.errors import InvalidInput
from video.colour_planes import edited_support, from_rgb, laid_in, to_rgb
from video.colour_tags import FULL, LIMITED, ColourTags
from video.converting import converted
from video.frame_planes import from_frame, to_frame
from video.plane_formats import PlaneFormat, layout_of
from video.planes import Orientation, Planes, upright, upright_format
from video.writing_plan import held_format

SIZE = (13, 9)
FORMATS = [
    PlaneFormat(kind="yuv", sx=2, sy=2),
    PlaneFormat(kind="yuv", sx=2, sy=1),
    PlaneFormat(kind="yuv"),
    PlaneFormat(kind="yuv", sx=1, sy=2),
    PlaneFormat(kind="yuv", sx=4, sy=1),
    PlaneFormat(kind="yuv", bits=10, sx=2, sy=2),
    PlaneFormat(kind="yuv", bits=12),
    PlaneFormat(kind="yuv", sx=2, sy=2, alpha=True),
    PlaneFormat(kind="gray"),
    PlaneFormat(kind="gray", bits=10),
    PlaneFormat(kind="rgb"),
    PlaneFormat(kind="rgb", bits=10),
    PlaneFormat(kind="rgb", alpha=True),
    PlaneFormat(kind="rgb", bits=16, alpha=True),
]
NAMES = [
    *("yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv420p10le", "yuv420p10be"),
    *("yuva420p", "gray", "gray10le", "ya8", "gbrp", "gbrap", "gbrp10le", "rgb24", "bgr24"),
    *("bgr0", "0rgb", "rgba", "argb", "rgb48le", "rgba64be", "nv12", "nv21", "nv16", "p010le"),
]


def random_planes(format: PlaneFormat, size=SIZE, seed: int = 0) -> Planes:
    rng = np.random.default_rng(seed)
    return Planes(
        format=format,
        arrays=tuple(
            rng.integers(0, format.peak + 1, shape, dtype=np.uint16).astype(format.dtype)
            for shape in format.shapes(size)
        ),
    )


def named(format: PlaneFormat) -> str:
    return format.name


@pytest.mark.parametrize("format", FORMATS, ids=named)
def test_a_format_is_found_again_by_its_name(format):
    assert layout_of(format.name).format == format


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_those_that_the_library_itself_finds(name):
    layout = layout_of(name)
    # swscale leaves out the last chroma column of an odd p010 frame
    planar = random_planes(layout.format, (12, 8) if name == "p010le" else SIZE)
    frame = to_frame(planar, layout_of(layout.format.name))
    if name == layout.format.name:
        assert from_frame(frame, layout).equals(planar)
        return
    # the same samples packed by swscale: no mixing, so nothing may be rounded
    packed = frame.reformat(format=name)
    assert from_frame(packed, layout).equals(planar)


@pytest.mark.parametrize("name", ["yuv420p", "gbrap", "gray10le", "bgr0", "bgra", "ya8"])
def test_what_is_laid_into_a_frame_is_found_in_it(name):
    layout = layout_of(name)
    planes = random_planes(layout.format)
    assert from_frame(to_frame(planes, layout), layout).equals(planes)


@pytest.mark.parametrize("name", ["pal8", "gbrpf32le", "bayer_rggb8", "monow", "xyz12le"])
def test_other_kinds_of_samples_are_refused(name):
    with pytest.raises(InvalidInput) as caught:
        layout_of(name)
    assert "ffmpeg" in caught.value.hint


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", [(12, 8), (13, 9)])
def test_upright_planes_show_the_upright_picture(rotation, mirrored, size):
    """The planes' RGB is the stored frame's RGB, turned: no chroma moves against the luma."""
    format = PlaneFormat(kind="yuv", sx=2, sy=2)
    planes, orientation = (
        random_planes(format, size),
        Orientation(rotation=rotation, mirrored=mirrored),
    )
    model = ColourTags().model(format, size[1])
    stored = to_rgb(planes, model)
    wanted = np.rot90(stored[:, ::-1] if mirrored else stored, rotation // 90)
    turned = upright(planes, orientation)
    assert turned.format == upright_format(format, size, orientation)
    assert np.array_equal(to_rgb(turned, model), wanted)


def test_a_quarter_turn_swaps_the_chroma_axes():
    wide = PlaneFormat(kind="yuv", sx=2, sy=1)
    turned = upright(random_planes(wide, (12, 8)), Orientation(rotation=90))
    assert turned.format.name == "yuv440p"
    assert [plane.shape for plane in turned.arrays] == [(12, 8), (6, 8), (6, 8)]


@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("range", [LIMITED, FULL])
@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p12le"])
def test_rgb_follows_the_clips_own_matrix_and_range(matrix, range, name):
    format = layout_of(name).format
    model = ColourTags(matrix=matrix, range=range).model(format, 480)
    # a colour of one block size: what chroma does between samples doesn't matter
    colours = np.random.default_rng(1).integers(0, 256, (3, 5, 3))
    rgb = colours.repeat(2, axis=0).repeat(2, axis=1).astype(np.float32) / 255
    planes = from_rgb(rgb, format, model)
    assert np.abs(to_rgb(planes, model).astype(int) - np.rint(rgb * 255)).max() <= 2
    frame = to_frame(planes, layout_of(name))
    library = {1: "ITU709", 5: "ITU601", 9: "BT2020"}[matrix]
    kind = "JPEG" if range == FULL else "MPEG"
    theirs = frame.reformat(
        format="rgb24",
        src_colorspace=library,
        src_color_range=kind,
        dst_color_range="JPEG",
        interpolation="POINT",
    ).to_ndarray()
    assert np.abs(to_rgb(planes, model).astype(int) - theirs).max() <= 4


def test_black_white_and_grey_are_exact():
    format = PlaneFormat(kind="yuv", sx=2, sy=2)
    limited = ColourTags(matrix=1, range=LIMITED).model(format, 1080)
    for luma, grey in ((16, 0), (235, 255), (126, 128), (0, 0), (255, 255)):
        arrays = tuple(np.full(shape, 128, np.uint8) for shape in format.shapes(SIZE))
        planes = Planes(format=format, arrays=(np.full_like(arrays[0], luma), *arrays[1:]))
        assert (to_rgb(planes, limited) == grey).all()


def test_untagged_clips_are_taken_as_players_take_them():
    yuv, gray = PlaneFormat(kind="yuv"), PlaneFormat(kind="gray")
    assert ColourTags().model(yuv, 576).kr == 0.299
    assert ColourTags().model(yuv, 720).kr == 0.2126
    assert not ColourTags().model(yuv, 576).full_range
    assert ColourTags().model(gray, 576).full_range
    with pytest.raises(InvalidInput):
        ColourTags(matrix=8).model(yuv, 576)


@pytest.mark.parametrize("format", FORMATS, ids=named)
def test_an_edit_that_changes_nothing_changes_no_sample(format):
    planes = random_planes(format)
    model = ColourTags().model(format, SIZE[1])
    rgb = to_rgb(planes, model).astype(np.float32) / 255
    everywhere = np.ones(SIZE[::-1], bool)
    assert laid_in(planes, rgb, rgb, everywhere, model).equals(planes)


@pytest.mark.parametrize("format", FORMATS, ids=named)
def test_samples_outside_the_support_are_the_very_same(format):
    planes = random_planes(format)
    model = ColourTags().model(format, SIZE[1])
    rng = np.random.default_rng(2)
    before = to_rgb(planes, model).astype(np.float32) / 255
    after = rng.random(before.shape, np.float32)
    support = rng.random(SIZE[::-1]) < 0.1
    wanted = laid_in(planes, before, after, support, model)
    after[~support] = np.nan  # what an editor leaves there must not leak in, not even into chroma
    edited = laid_in(planes, before, after, support, model)
    assert edited.equals(wanted)
    allowed = edited_support(support, format)
    assert edited.format == format
    for was, now, may in zip(planes.arrays, edited.arrays, allowed, strict=True):
        assert was.shape == may.shape
        assert np.array_equal(was[~may], now[~may])
    assert any((was != now).any() for was, now in zip(planes.arrays, edited.arrays, strict=True))
    if format.alpha:
        assert np.array_equal(planes.arrays[-1], edited.arrays[-1])


def test_a_chroma_sample_may_change_when_any_pixel_of_its_block_may():
    format = PlaneFormat(kind="yuv", sx=2, sy=2)
    support = np.zeros((9, 13), bool)
    support[8, 12] = support[3, 4] = True
    luma, u, _ = edited_support(support, format)
    assert luma is support
    assert u.shape == (5, 7)
    assert sorted(map(tuple, np.argwhere(u))) == [(1, 2), (4, 6)]


def test_chroma_takes_the_mean_change_of_its_block_counting_what_is_outside_as_none():
    format = PlaneFormat(kind="yuv", sx=2, sy=2)
    model = ColourTags(matrix=1, range=FULL).model(format, 480)
    planes = Planes(
        format=format, arrays=tuple(np.full(s, 100, np.uint8) for s in format.shapes((4, 4)))
    )
    before = np.zeros((4, 4, 3), np.float32)
    after = np.zeros_like(before)
    after[..., 2] = 0.4
    support = np.zeros((4, 4), bool)
    support[0, 0] = True
    edited = laid_in(planes, before, after, support, model)
    whole = 0.4 * 255 / 2  # blue alone: half of its change is blue-difference, for a whole block
    expected = 100 + round(whole * (1 - model.kb) / (1 - model.kb) / 4)
    assert edited.arrays[1][0, 0] == expected
    assert edited.arrays[0][0, 0] == 100 + round(0.4 * 255 * model.kb)


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv420p10le", "yuv444p"])
def test_a_painted_colour_leaves_nothing_of_the_old_one(name):
    format = layout_of(name).format
    size = (12, 8)
    model = ColourTags().model(format, size[1])
    # colours well inside what RGB can show, so that nothing is clipped on the way
    rng = np.random.default_rng(3)
    soft = rng.uniform(0.3, 0.7, (size[1], size[0], 3)).astype(np.float32)
    planes = from_rgb(soft, format, model)
    before = to_rgb(planes, model).astype(np.float32) / 255
    after = np.full_like(before, 0.5)
    after[..., 0] = 0.8
    edited = laid_in(planes, before, after, np.ones(size[::-1], bool), model)
    shown = to_rgb(edited, model).astype(int)
    assert np.abs(shown - np.rint(after * 255)).max() <= 3


def test_a_grey_ramp_stays_one():
    format = PlaneFormat(kind="yuv", sx=2, sy=2)
    ramp = np.repeat(np.arange(256, dtype=np.float32)[None, :, None], 3, axis=2) / 255
    for range in (LIMITED, FULL):
        model = ColourTags(range=range).model(format, 2)
        planes = from_rgb(ramp, format, model)
        rgb = to_rgb(planes, model)
        assert (np.diff(rgb[0, :, 1].astype(int)) >= 0).all()
        assert np.abs(rgb[0].astype(int) - np.arange(256)[:, None]).max() <= 1
        float_rgb = rgb.astype(np.float32) / 255
        again = laid_in(planes, float_rgb, float_rgb, np.ones((1, 256), bool), model)
        assert again.equals(planes)
    assert np.array_equal(rgb[0, :, 0], np.arange(256))


def test_an_edit_stays_in_the_samples_range():
    format = PlaneFormat(kind="yuv", bits=10)
    planes = Planes(format=format, arrays=tuple(np.full((4, 4), 1000, np.uint16) for _ in range(3)))
    model = ColourTags(range=FULL).model(format, 4)
    ones, zeros = np.ones((4, 4, 3), np.float32), np.zeros((4, 4, 3), np.float32)
    assert laid_in(planes, zeros, ones, np.ones((4, 4), bool), model).arrays[0].max() == 1023
    assert laid_in(planes, ones, zeros, np.ones((4, 4), bool), model).arrays[0].min() == 0


@pytest.mark.parametrize(
    ("codec", "name", "size", "held", "notes"),
    [
        ("h264", "yuv420p", (64, 48), "yuv420p", 0),
        ("h264", "yuv420p", (63, 48), "yuv444p", 1),
        ("h264", "yuv422p", (64, 47), "yuv422p", 0),
        ("h264", "yuv420p10le", (64, 48), "yuv420p10le", 0),
        ("h264", "yuv440p", (64, 48), "yuv444p", 1),
        ("h264", "yuv444p12le", (64, 48), "yuv444p10le", 1),
        ("h264", "gbrp", (64, 48), "yuv444p", 1),
        ("h264", "gbrap16le", (64, 48), "yuv444p10le", 3),
        ("h264", "yuva420p", (64, 48), "yuv420p", 1),
        ("h265", "yuv422p12le", (64, 48), "yuv422p12le", 0),
        ("ffv1", "yuv420p", (63, 47), "yuv420p", 0),
        ("ffv1", "yuva420p10le", (63, 47), "yuva420p10le", 0),
        ("ffv1", "gbrap", (63, 47), "gbrap", 0),
        ("ffv1", "yuv440p14le", (63, 47), "yuv444p14le", 1),
    ],
)
def test_a_codec_gets_the_nearest_format_that_it_holds(codec, name, size, held, notes):
    found, said = held_format(codec, layout_of(name).format, size)
    assert (found.name, len(said)) == (held, notes)
    model = ColourTags().model(found, size[1])
    made = converted(random_planes(layout_of(name).format, size), found, model)
    assert made.format == found
    assert [plane.shape for plane in made.arrays] == list(found.shapes(size))
    assert all(plane.dtype == found.dtype for plane in made.arrays)


def test_unshared_chroma_looks_the_same():
    planes = random_planes(PlaneFormat(kind="yuv", sx=2, sy=2))
    model = ColourTags().model(planes.format, SIZE[1])
    whole = converted(planes, PlaneFormat(kind="yuv"), model)
    assert np.array_equal(to_rgb(whole, model), to_rgb(planes, model))


def test_a_frame_can_be_made_for_every_format_that_is_written():
    for format in FORMATS:
        frame = to_frame(random_planes(format), layout_of(format.name))
        assert isinstance(frame, av.VideoFrame)
