"""Reading clips: what awkward files hold, and which files are refused."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from video_files import frame_times, picture, sound_packets, trimmed, write_clip, write_sound

from image_core.errors import InvalidInput
from video.clip import Clip
from video.clip_info import ClipInfo
from video.probe import probe
from video.quick_reader import quick_reader

CENTI = Fraction(1, 100)


@pytest.fixture(autouse=True)
def quiet():
    """The library tells of broken files on its own."""
    logging.getLogger("libav").setLevel(logging.CRITICAL)


def exact(clip: Clip) -> list:
    return list(clip.planes())


def far_from(rgb: np.ndarray, wanted: np.ndarray) -> float:
    """Return the mean difference in grey levels; a lossy codec stays below 10 on these pictures."""
    assert rgb.shape == wanted.shape
    return float(np.abs(rgb.astype(int) - wanted).mean())


def test_frames_times_and_sound_are_measured(tmp_path):
    path = write_clip(tmp_path / "a.mp4", sound=True, metadata={"title": "Waves"})
    info = probe(path)
    assert len(info) == 12
    assert info.size == (64, 48)
    assert info.format.name == "yuv420p"
    assert [info.seconds(index) for index in range(12)] == frame_times(path)
    assert info.duration == Fraction(12, 10)
    assert info.rate == 10
    assert [(sound.codec, sound.packets) for sound in info.audio] == [
        ("aac", len(sound_packets(path)))
    ]
    assert info.metadata == {"title": "Waves"}
    assert info.warnings == ()
    assert info.sha256 == probe(path).sha256


def test_every_frame_is_the_one_that_was_put_there(tmp_path):
    with Clip.open(write_clip(tmp_path / "a.mp4", options={"crf": "4"})) as clip:
        for frame in clip.planes():
            assert far_from(frame.rgb, picture(frame.index)) < 6
            assert far_from(clip.rgb(frame.index), frame.rgb) < 2


def test_a_frame_is_the_same_in_any_order_of_asking(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=40, options={"g": "12", "bf": "3"})
    clip = Clip.open(path)
    frames = exact(clip)
    assert [frame.index for frame in frames] == list(range(40))
    for start, stop in ((0, 1), (39, 40), (11, 14), (25, 25), (12, 40)):
        again = list(clip.planes(start, stop))
        assert [frame.index for frame in again] == list(range(start, stop))
        assert all(frame.planes.equals(frames[frame.index].planes) for frame in again)
    clip._quick = None  # the exact reader, asked forward, backward and at random
    order = [5, 6, 7, 30, 29, 28, 0, 39, *range(39, -1, -1), 20]
    for index in order:
        assert np.array_equal(clip.rgb(index), frames[index].rgb)


def test_a_frame_that_is_not_there_is_an_index_error(tmp_path):
    clip = Clip.open(write_clip(tmp_path / "a.mp4", frames=2))
    for index in (-1, 2):
        with pytest.raises(IndexError):
            clip.rgb(index)
    with pytest.raises(IndexError):
        next(clip.planes(1, 3))


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_and_mirrored_clips_are_read_upright(tmp_path, rotation, mirrored):
    path = write_clip(
        tmp_path / "a.mp4",
        rotation=rotation,
        mirrored=mirrored,
        options={"crf": "4"},
        aspect=Fraction(4, 3),
    )
    clip = Clip.open(path)
    turned = np.rot90(picture(5), rotation // 90)
    wanted = turned[:, ::-1] if mirrored else turned
    assert clip.size == wanted.shape[1::-1]
    assert far_from(exact(clip)[5].rgb, wanted) < 6
    assert far_from(clip.rgb(5), wanted) < 8
    assert clip.info.sample_aspect == (Fraction(4, 3) if rotation == 180 else Fraction(3, 4))


def test_a_variable_frame_rate_is_kept(tmp_path):
    times = [0, 10, 11, 40, 41, 45, 90, 91, 130]
    path = write_clip(tmp_path / "a.mp4", frames=9, times=times, time_base=CENTI)
    info = probe(path)
    assert [info.seconds(index) for index in range(9)] == [time * CENTI for time in times]
    assert info.index_at(0.42) == 4
    assert info.index_at(0.44) == 5
    assert info.index_at(-3) == 0
    assert info.index_at(99) == 8
    assert (info.span_between(0.1, 0.9).start, info.span_between(0.1, 0.9).stop) == (1, 6)
    assert info.span_between(None, None).stop == 9


def test_how_long_the_last_frame_of_a_variable_rate_is_shown_is_no_damage(tmp_path):
    with Clip.open(
        write_clip(tmp_path / "a.mkv", frames=3, times=[0, 10, 11], time_base=CENTI, codec="ffv1")
    ) as clip:
        assert len(clip) == 3


def test_an_edit_list_hides_what_it_cuts(tmp_path):
    whole = write_clip(tmp_path / "a.mp4", frames=60, sound=True, options={"g": "30", "crf": "4"})
    path = trimmed(whole, tmp_path / "b.mp4", 1.5)
    clip = Clip.open(path)
    assert len(clip) == 45
    assert clip.info.times[0] == 0
    assert clip.info.warnings == ()
    for index in (0, 20, 44):
        assert far_from(next(clip.planes(index)).rgb, picture(15 + index)) < 6
        assert far_from(clip.rgb(index), picture(15 + index)) < 8


def test_decord_is_passed_over_where_it_sees_another_clip(tmp_path):
    whole = write_clip(tmp_path / "a.mp4", frames=60, options={"g": "30"})
    plain, cut = Clip.open(whole), Clip.open(trimmed(whole, tmp_path / "b.mp4", 1.5))
    assert quick_reader(plain.info, {0: exact(plain)[0].rgb}) is not None
    assert quick_reader(plain.info, {0: exact(plain)[0].rgb[::-1]}) is None
    assert quick_reader(cut.info, {}) is None


def test_decord_leaves_other_libraries_alone(tmp_path):
    """Loaded as it asks to be, its old zlib makes PNGs unreadable."""
    cv2.imwrite(str(tmp_path / "a.png"), picture(0))
    code = "import sys; from video.quick_reader import _decord; _decord(); "
    code += "from image_core.photo import Photo; print(Photo.open(sys.argv[1]).size)"
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code, str(tmp_path / "a.png")],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.strip() == "(64, 48)", ran.stderr


def test_a_clock_that_starts_anywhere_is_set_to_its_start(tmp_path):
    info = probe(write_clip(tmp_path / "a.ts", sound=True))
    assert 0 <= info.seconds(0) < 0.1
    assert info.index_at(0.5) in (4, 5)


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("odd.mp4", {"size": (63, 47), "pix_fmt": "yuv444p"}, "yuv444p"),
        ("odd.mkv", {"size": (63, 47), "codec": "ffv1"}, "yuv420p"),
        ("deep.mp4", {"pix_fmt": "yuv420p10le"}, "yuv420p10le"),
        ("av1.mp4", {"codec": "libsvtav1", "options": {"preset": "12"}}, "yuv420p"),
        ("hevc.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=0"}}, "yuv420p"),
        ("prores.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}, "yuv422p10le"),
        ("motion.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}, "yuv420p"),
        ("rgb.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}, "gbrp"),
        ("gray.mkv", {"codec": "ffv1", "pix_fmt": "gray"}, "gray"),
        ("one.mp4", {"frames": 1}, "yuv420p"),
        ("two.mp4", {"frames": 2}, "yuv420p"),
        ("web.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime"}}, "yuv420p"),
        ("moving.gif", {"codec": "gif", "pix_fmt": "rgb8"}, "gbrp"),
    ],
)
def test_kinds_of_clips_are_read(tmp_path, name, given, held):
    path = write_clip(tmp_path / name, **{"size": (64, 64), **given})
    clip = Clip.open(path)
    size = given.get("size", (64, 64))
    assert clip.info.format.name == held
    assert clip.size == size
    frames = exact(clip)
    assert len(frames) == len(clip) == given.get("frames", 12)
    last = frames[-1]
    assert [plane.shape for plane in last.planes.arrays] == list(clip.info.format.shapes(size))
    wanted = picture(last.index, size)
    if held == "gray":
        wanted = cv2.cvtColor(cv2.cvtColor(wanted, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    close = 20 if name.endswith("gif") else 12
    assert far_from(last.rgb, wanted) < close
    assert far_from(clip.rgb(last.index), wanted) < close


@pytest.mark.parametrize("range", [1, 2])
def test_colour_tags_are_read(tmp_path, range):
    tags = {"colorspace": 1, "color_range": range, "color_primaries": 1, "color_trc": 1}
    info = probe(write_clip(tmp_path / "a.mp4", tags=tags))
    found = info.tags
    assert (found.matrix, found.range, found.primaries, found.transfer) == (1, range, 1, 1)
    assert info.colour.kr == 0.2126
    assert info.colour.full_range == (range == 2)


def test_high_dynamic_range_is_told(tmp_path):
    tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": 16}
    path = write_clip(tmp_path / "a.mp4", tags=tags, pix_fmt="yuv420p10le")
    assert "PQ" in " ".join(probe(path).warnings)


def _refused(path, *words: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        probe(path)
    for word in (*words, path.name):
        assert word in str(caught.value)
    assert caught.value.hint
    return caught.value


def test_files_that_are_no_clips_are_refused(tmp_path):
    _refused(tmp_path / "missing.mp4", "no such file")
    (tmp_path / "zero.mp4").write_bytes(b"")
    _refused(tmp_path / "zero.mp4", "empty")
    (tmp_path / "text.mp4").write_text("This is a letter.\n" * 100)
    _refused(tmp_path / "text.mp4", "can't be read as a video")
    (tmp_path / "lines.txt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n\n" * 9)
    _refused(tmp_path / "lines.txt")
    _refused(write_sound(tmp_path / "sound.m4a"), "only sound")
    (tmp_path / "empty").mkdir()
    _refused(tmp_path / "empty", "no pictures")
    with pytest.raises(InvalidInput, match="matches no file"):
        probe(tmp_path / "empty" / "*.png")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_clip_that_was_cut_off_is_refused(tmp_path, name, share):
    path = write_clip(
        tmp_path / name,
        frames=60,
        size=(128, 96),
        sound=True,
        container_options={"movflags": "+faststart"} if name == "a.mp4" else {},
    )
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    if name == "a.ts":  # a stream of packets that doesn't say how long it is
        with contextlib.suppress(InvalidInput):
            assert len(probe(path)) < 60
        return
    if name == "a.avi" and share > 0.9:  # its pictures are there, its index isn't
        _refused(path)
        return
    refused = _refused(path, "damaged or cut off", "frames could be read")
    assert "ffmpeg" in refused.hint


def test_a_clip_without_its_table_of_contents_is_refused(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=60, size=(128, 96))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    _refused(path, "can't be read as a video")
    path.write_bytes(data[: data.index(b"moov") + 300])
    _refused(path)


def test_damage_inside_is_refused(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=30, size=(128, 96))
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][10]
        place, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[place + 20 : place + size] = bytes(size - 20)
    path.write_bytes(data)
    _refused(path, "damaged", "30 frames could be read")


def test_interlaced_clips_are_refused(tmp_path):
    path = write_clip(tmp_path / "a.mp4", options={"flags": "+ildct+ilme"})
    assert "bwdif" in _refused(path, "interlaced").hint


def test_a_size_that_changes_on_the_way_is_refused(tmp_path):
    one = write_clip(tmp_path / "a.ts", size=(64, 48))
    two = write_clip(tmp_path / "b.ts", size=(96, 64))
    (tmp_path / "c.ts").write_bytes(one.read_bytes() + two.read_bytes())
    _refused(tmp_path / "c.ts", "64 x 48", "96 x 64")


def test_a_stream_without_times_is_refused(tmp_path):
    _refused(write_clip(tmp_path / "a.h264"), "time")


def test_a_file_that_changed_meanwhile_is_noticed(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=12)
    info = probe(path)
    write_clip(path, frames=6)
    with pytest.raises(InvalidInput, match="frame 6"):
        exact(Clip(info))


def _write_pictures(folder, count: int, dtype=np.uint8, channels: int = 3) -> list[np.ndarray]:
    folder.mkdir()
    rng = np.random.default_rng(0)
    made = []
    for index in range(count):
        top = np.iinfo(dtype).max
        made.append(rng.integers(0, top, (9, 13, channels), dtype=dtype, endpoint=True))
        order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
        cv2.imwrite(str(folder / f"frame_{index}.png"), made[-1][..., order])
    return made


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_folder_of_pictures_is_a_clip_in_natural_order(tmp_path, dtype, channels):
    made = _write_pictures(tmp_path / "clip", 12, dtype, channels)
    (tmp_path / "clip" / "notes.txt").write_text("not a picture")
    for path in (tmp_path / "clip", tmp_path / "clip" / "frame_*.png"):
        clip = Clip.open(path)
        assert (len(clip), clip.size) == (12, (13, 9))
        for frame, wanted in zip(clip.planes(), made, strict=True):
            found = np.stack(frame.planes.arrays, axis=-1)
            assert found.dtype == dtype
            assert np.array_equal(found, wanted)
        assert clip.info.rate == 25
    assert probe(tmp_path / "clip", rate=Fraction(10)).seconds(3) == Fraction(3, 10)
    assert clip.rgb(11).shape == (9, 13, 3)


def test_pictures_of_two_sizes_are_no_clip(tmp_path):
    _write_pictures(tmp_path / "clip", 2)
    cv2.imwrite(str(tmp_path / "clip" / "frame_5.png"), np.zeros((5, 5, 3), np.uint8))
    _refused(tmp_path / "clip", "5 x 5", "13 x 9")


def test_a_grey_picture_among_coloured_ones_is_coloured(tmp_path):
    _write_pictures(tmp_path / "clip", 2)
    cv2.imwrite(str(tmp_path / "clip" / "frame_1.png"), np.full((9, 13), 77, np.uint8))
    clip = Clip.open(tmp_path / "clip")
    assert clip.info.format.name == "gbrp"
    assert (clip.rgb(1) == 77).all()


def test_durations_tile_the_clip(tmp_path):
    info: ClipInfo = probe(
        write_clip(tmp_path / "a.mp4", frames=4, times=[0, 3, 4, 9], time_base=CENTI)
    )
    assert sum(info.durations()) == info.end - info.times[0]
    assert all(
        second - first == lasting
        for (first, second), lasting in zip(pairwise(info.times), info.durations(), strict=False)
    )
    assert info.span_between(0, 99).stop == 4
