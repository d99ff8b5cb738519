"""Writing clips: frame times, colour tags and sound of the source, and nothing half-written."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from video_files import frame_times, picture, sound_packets, trimmed, write_clip

from image_core.errors import InvalidInput
from video.assembling import assemble, sound_of
from video.clip import Clip
from video.clip_info import ClipInfo
from video.encoding import encode_part
from video.frames import Span
from video.gif import gif_durations, write_gif
from video.mask_clip import write_mask_clip
from video.picture_folder import write_pictures
from video.plane_formats import layout_of
from video.planes import Planes
from video.probe import probe
from video.timing import Timing, timing_of
from video.writing_plan import output_kind, plan_writing

CENTI = Fraction(1, 100)


def written(
    source: Path, output: Path, *, codec="h264", part: int = 5, span: Span | None = None, crf=None
) -> ClipInfo:
    """Write a clip as a job does: in parts, with the sound copied."""
    clip = Clip.open(source)
    plan = plan_writing(output, clip.info, codec=codec, crf=crf)
    stretch = span or Span(0, len(clip))
    folder = output.parent / f"parts of {output.name}"
    folder.mkdir()
    parts = []
    for number, start in enumerate(range(stretch.start, stretch.stop, part)):
        frames = clip.planes(start, min(start + part, stretch.stop))
        parts.append(folder / f"{number}.mkv")
        encode_part(parts[-1], (frame.planes for frame in frames), plan.settings)
    assemble(
        parts,
        output,
        plan.settings,
        timing_of(clip.info, span),
        sound=sound_of(clip.info, span),
        metadata=clip.info.metadata,
    )
    return clip.info


def planes_of(path: Path) -> list[Planes]:
    return [frame.planes for frame in Clip.open(path).planes()]


def shown_difference(first: Path, second: Path) -> float:
    pairs = zip(Clip.open(first).planes(), Clip.open(second).planes(), strict=True)
    return max(float(np.abs(a.rgb.astype(int) - b.rgb).mean()) for a, b in pairs)


VARIABLE = {"times": [0, 10, 11, 40, 41, 45, 90, 91, 92, 93, 95, 130], "time_base": CENTI}


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("given", [{}, VARIABLE, {"frames": 1}, {"frames": 2}])
def test_frame_times_and_sound_are_the_sources(tmp_path, codec, ending, given):
    source = write_clip(tmp_path / "a.mp4", sound=True, **given)
    output = tmp_path / f"b.{ending}"
    written(source, output, codec=codec)
    assert frame_times(output) == frame_times(source)
    ours, theirs = sound_packets(output), sound_packets(source)
    assert [packet[3] for packet in ours] == [packet[3] for packet in theirs]
    for mine, yours in zip(ours, theirs, strict=True):
        if ending == "mkv":  # in whole milliseconds
            assert all(abs(mine[k] - yours[k]) <= Fraction(1, 1000) for k in range(2))
        else:
            assert mine == yours
    assert shown_difference(source, output) < 8
    assert [packet.codec for packet in probe(output).audio] == ["aac"]
    if codec == "h265" and ending != "mkv":
        with av.open(str(output)) as container:
            assert container.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("part", [1, 5, 12])
def test_b_frames_of_each_part_are_shown_in_order(tmp_path, part):
    source = write_clip(tmp_path / "a.mp4", frames=12)
    output = tmp_path / "b.mp4"
    written(source, output, part=part)
    with av.open(str(output)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    decoded = [packet.dts for packet in packets]
    assert decoded == sorted(set(decoded))
    assert all(packet.dts <= packet.pts for packet in packets)
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    assert set(range(0, 12, part)) <= set(keys)
    for index, planes in enumerate(planes_of(output)):
        wanted = cv2.cvtColor(picture(index), cv2.COLOR_RGB2GRAY).astype(int)
        assert np.abs((planes.arrays[0].astype(int) - 16) * 255 / 219 - wanted).mean() < 8


LOSSLESS = [
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "gray", "gray10le"),
    *("bgr0", "bgra", "gbrp10le", "yuva420p", "yuv440p", "yuv420p16le"),
]


@pytest.mark.parametrize("pix_fmt", LOSSLESS)
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_lossless_keeps_every_sample(tmp_path, pix_fmt, size):
    format = layout_of(pix_fmt).format
    rng = np.random.default_rng(0)
    frames = [
        Planes(
            format=format,
            arrays=tuple(
                rng.integers(0, format.peak, shape, dtype=np.uint16, endpoint=True).astype(
                    format.dtype
                )
                for shape in format.shapes(size)
            ),
        )
        for _ in range(3)
    ]
    source = write_clip(tmp_path / "a.mkv", frames=3, size=size, codec="ffv1", pix_fmt=pix_fmt)
    plan = plan_writing(tmp_path / "b.mkv", probe(source), codec="ffv1")
    settings = plan.settings
    if format.alpha:  # the source's own opacity is full, so that it counts as none
        assert not settings.format.alpha
        settings = type(settings)(**{**vars(settings), "format": format})
    assert settings.format == format
    parts = [tmp_path / "0.mkv", tmp_path / "1.mkv"]
    encode_part(parts[0], frames[:2], settings)
    encode_part(parts[1], frames[2:], settings)
    assemble(parts, tmp_path / "b.mkv", settings, timing_of(probe(source)))
    for found, wanted in zip(planes_of(tmp_path / "b.mkv"), frames, strict=True):
        assert found.equals(wanted)


def test_lossless_of_a_whole_clip_is_the_clip(tmp_path):
    source = write_clip(tmp_path / "a.mp4", frames=20, sound=True)
    written(source, tmp_path / "b.mkv", codec="ffv1")
    for found, wanted in zip(planes_of(tmp_path / "b.mkv"), planes_of(source), strict=True):
        assert found.equals(wanted)


@pytest.mark.parametrize("codec", ["h264", "h265", "ffv1"])
@pytest.mark.parametrize("range", [1, 2])
def test_colour_tags_and_pixel_shape_are_kept(tmp_path, codec, range):
    tags = {"colorspace": 1, "color_range": range, "color_primaries": 1, "color_trc": 13}
    source = write_clip(tmp_path / "a.mp4", tags=tags, aspect=Fraction(4, 3), frames=3)
    output = tmp_path / "b.mkv" if codec == "ffv1" else tmp_path / "b.mp4"
    before = written(source, output, codec=codec)
    after = probe(output)
    assert after.tags == before.tags
    if codec != "ffv1":  # Matroska, through PyAV, has it in the coded pictures only
        assert after.sample_aspect == Fraction(4, 3)
    assert shown_difference(source, output) < 8


def test_a_turned_clip_is_written_upright(tmp_path):
    source = write_clip(tmp_path / "a.mp4", rotation=90, aspect=Fraction(4, 3), sound=True)
    output = tmp_path / "b.mp4"
    written(source, output)
    after = probe(output)
    assert after.orientation.is_upright
    assert after.size == (48, 64)
    assert after.sample_aspect == Fraction(3, 4)
    assert shown_difference(source, output) < 8
    assert frame_times(output) == frame_times(source)


def test_a_clip_cut_by_an_edit_list_stays_in_step_with_its_sound(tmp_path):
    whole = write_clip(tmp_path / "w.mp4", frames=60, sound=True, options={"g": "30"})
    source = trimmed(whole, tmp_path / "a.mp4", 1.5)
    output = tmp_path / "b.mp4"
    written(source, output, part=20)
    assert frame_times(output) == frame_times(source)
    assert sound_packets(output) == sound_packets(source)


@pytest.mark.parametrize(
    ("pix_fmt", "size", "kind"),
    [
        ("yuv420p", (63, 47), "yuv444p"),
        ("yuv420p10le", (64, 48), "yuv420p10le"),
        ("bgr0", (64, 48), "yuv444p"),
        ("gray", (64, 48), "gray"),
        ("yuv440p", (64, 48), "yuv444p"),
    ],
)
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_what_a_codec_cannot_hold_is_written_as_the_nearest_and_said(
    tmp_path, pix_fmt, size, kind, codec
):
    source = write_clip(tmp_path / "a.mkv", frames=3, size=size, codec="ffv1", pix_fmt=pix_fmt)
    output = tmp_path / "b.mp4"
    plan = plan_writing(output, probe(source), codec=codec)
    assert plan.settings.format.name == kind
    assert bool(plan.notes) == (layout_of(pix_fmt).format.name != kind)
    written(source, output, codec=codec)
    assert probe(output).size == size
    if kind != "gray":  # which decoders give a neutral chroma
        assert probe(output).format.name == kind
    assert shown_difference(source, output) < 8


def test_a_stretch_starts_at_0_with_the_sound_of_that_stretch(tmp_path):
    source = write_clip(tmp_path / "a.mp4", frames=60, sound=True)
    output = tmp_path / "b.mp4"
    info = written(source, output, span=Span(20, 45), part=10)
    assert frame_times(output) == [time - 2 for time in frame_times(source)[20:45]]
    packets = sound_packets(output)
    whole = {data: begin for begin, _, _, data in sound_packets(source)}
    for begin, _, lasting, data in packets:
        assert abs(begin + 2 - whole[data]) <= Fraction(1, 44_100)
        assert begin + lasting > 0
        assert begin < Fraction(5, 2)
    heard = sum(lasting for _, _, lasting, _ in packets)
    assert abs(heard - Fraction(5, 2)) < Fraction(1, 20)
    assert len(info) == 60


def test_the_same_frames_give_the_same_bytes(tmp_path):
    # large enough for all of the encoders' vector code
    source = write_clip(tmp_path / "a.mp4", sound=True, size=(480, 320), frames=6)
    for codec, ending in (("h264", "mp4"), ("h265", "mp4"), ("ffv1", "mkv")):
        digests = set()
        for name in ("one", "two"):
            output = tmp_path / f"{name}.{codec}.{ending}"
            written(source, output, codec=codec)
            digests.add(hashlib.sha256(output.read_bytes()).hexdigest())
        assert len(digests) == 1


def test_parts_that_do_not_belong_together_are_refused(tmp_path):
    source = write_clip(tmp_path / "a.mp4")
    clip = Clip.open(source)
    plan = plan_writing("b.mp4", clip.info)
    other = plan_writing("b.mp4", clip.info, codec="h265")
    one, two = tmp_path / "1.mkv", tmp_path / "2.mkv"
    assert encode_part(one, (frame.planes for frame in clip.planes(0, 6)), plan.settings) == 6
    encode_part(two, (frame.planes for frame in clip.planes(6, 12)), other.settings)
    output = tmp_path / "b.mp4"
    for parts in ([one], [one, two]):
        with pytest.raises(InvalidInput):
            assemble(parts, output, plan.settings, timing_of(clip.info))
        assert not output.exists()
    two.write_bytes(two.read_bytes()[:100])
    with pytest.raises(InvalidInput):
        assemble([one, two], output, plan.settings, timing_of(clip.info))


def test_a_failing_frame_leaves_no_part_behind(tmp_path):
    clip = Clip.open(write_clip(tmp_path / "a.mp4"))
    plan = plan_writing("b.mp4", clip.info)

    def frames():
        for frame in clip.planes(0, 3):
            yield frame.planes
        raise KeyboardInterrupt

    before = set(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        encode_part(tmp_path / "0.mkv", frames(), plan.settings)
    assert set(tmp_path.iterdir()) == before


_FULL_DISK = """
import resource, sys
from pathlib import Path
from video.assembling import assemble, sound_of
from video.clip import Clip
from video.encoding import encode_part
from video.timing import timing_of
from video.writing_plan import plan_writing
from image_core.errors import InvalidInput
clip = Clip.open("a.mp4")
plan = plan_writing("b.mkv", clip.info, codec="ffv1")
encode_part("p.mkv", (frame.planes for frame in clip.planes()), plan.settings)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
def part():
    encode_part("q.mkv", (frame.planes for frame in clip.planes()), plan.settings)
def whole():
    assemble(["p.mkv"], sys.argv[2], plan.settings, timing_of(clip.info), sound=sound_of(clip.info))
for work in (part, whole):
    try:
        work()
    except InvalidInput as error:
        print(error, "|", error.hint)
"""


@pytest.mark.parametrize(
    ("limit", "output"), [(0, "b.mp4"), (500, "b.mkv"), (20_000, "b.mp4"), (20_000, "b.mkv")]
)
def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path, limit, output):
    write_clip(tmp_path / "a.mp4", frames=30, sound=True)
    (tmp_path / output).write_text("old")
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-B", "-c", _FULL_DISK, str(limit), output],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    lines = ran.stdout.splitlines()
    assert len(lines) == 2, ran.stderr
    assert all("cannot write" in line and line.split("|")[1].strip() for line in lines)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.mp4", output, "p.mkv"])
    assert (tmp_path / output).read_text() == "old"


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    clip = Clip.open(write_clip(tmp_path / "a.mp4", frames=2))
    plan = plan_writing("b.mp4", clip.info)
    part = tmp_path / "p.mkv"
    encode_part(part, (frame.planes for frame in clip.planes()), plan.settings)
    (tmp_path / "folder.mp4").mkdir()
    for output in (tmp_path / "none" / "b.mp4", tmp_path / "folder.mp4", Path("/dev/null")):
        with pytest.raises(InvalidInput) as caught:
            assemble([part], output, plan.settings, timing_of(clip.info))
        assert caught.value.hint


def test_outputs_that_cannot_work_are_refused_before_any_work(tmp_path):
    info = probe(write_clip(tmp_path / "a.mov", sound=True, sound_codec="pcm_s16le"))
    for output, codec, crf in (
        ("b.webm", "h264", None),
        ("b", "h264", None),
        ("b.mp4", "ffv1", None),
        ("b.mkv", "h264", 52),
    ):
        with pytest.raises(InvalidInput):
            plan_writing(output, info, codec=codec, crf=crf)
    assert plan_writing("b.mov", info).notes == ()
    odd = probe(write_clip(tmp_path / "c.mkv", sound=True, sound_codec="tta"))
    with pytest.raises(InvalidInput, match="sound"):
        plan_writing("b.mp4", odd)
    assert plan_writing("b.mkv", odd).settings.codec == "h264"
    kinds = [output_kind(name) for name in ("b.gif", "frames", "b.mp4", str(tmp_path))]
    assert kinds == ["gif", "pictures", "stream", "pictures"]


def test_quality_is_what_was_asked_for(tmp_path):
    source = write_clip(tmp_path / "a.mp4", frames=20, size=(128, 96), options={"crf": "1"})
    sizes = []
    for crf in (10, 40):
        written(source, tmp_path / f"{crf}.mp4", crf=crf)
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
    assert sizes[0] > 3 * sizes[1]


@pytest.mark.parametrize("variable", [False, True])
def test_masks_are_kept_to_the_bit(tmp_path, variable):
    rng = np.random.default_rng(0)
    masks = [rng.integers(0, 256, (47, 63), dtype=np.uint8) for _ in range(4)]
    times = (0, 7, 8, 30) if variable else (0, 10, 20, 30)
    timing = Timing(times=times, time_base=CENTI, last_duration=25 if variable else 10)
    path = tmp_path / "b.mkv.mask.mkv"
    write_mask_clip(path, masks, (63, 47), timing)
    clip = Clip.open(path)
    assert [clip.info.seconds(index) for index in range(4)] == [time * CENTI for time in times]
    assert clip.info.last_duration * clip.info.time_base == timing.last_duration * CENTI
    for frame, mask in zip(clip.planes(), masks, strict=True):
        assert np.array_equal(frame.planes.arrays[0], mask)
        assert np.array_equal(frame.rgb[..., 0], mask)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_gif_keeps_every_frame_and_how_long_it_is_shown(tmp_path):
    frames = [picture(0), picture(1), picture(1), np.zeros_like(picture(0)), picture(4)]
    timing = Timing(times=(0, 10, 30, 35, 65), time_base=CENTI, last_duration=7)
    assert write_gif(tmp_path / "a.gif", iter(frames), timing) == 5
    with av.open(str(tmp_path / "a.gif")) as container:
        found = [(frame.pts, frame.duration) for frame in container.decode(video=0)]
    assert found == [(0, 10), (10, 20), (30, 5), (35, 30), (65, 7)]
    clip = Clip.open(tmp_path / "a.gif")
    assert clip.info.format.name == "gbrp"
    for frame, wanted in zip(clip.planes(), frames, strict=True):
        assert np.abs(frame.rgb.astype(int) - wanted).mean() < 8


def test_a_gifs_rounded_durations_do_not_add_up_to_a_drift():
    timing = Timing(times=tuple(range(300)), time_base=Fraction(1, 30), last_duration=1)
    assert abs(sum(gif_durations(timing)) - 1000) <= 1
    assert set(gif_durations(timing)) == {3, 4}


def test_a_gif_of_another_number_of_frames_is_refused(tmp_path):
    timing = Timing(times=(0, 10), time_base=CENTI, last_duration=10)
    for count in (0, 1, 3):
        with pytest.raises(InvalidInput):
            write_gif(tmp_path / "a.gif", [picture(index) for index in range(count)], timing)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_are_written_as_they_were_read(tmp_path, channels, dtype):
    rng = np.random.default_rng(0)
    (tmp_path / "a").mkdir()
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    for index in range(11):
        made = rng.integers(0, np.iinfo(dtype).max, (9, 13, channels), dtype=dtype, endpoint=True)
        cv2.imwrite(str(tmp_path / "a" / f"{index}.png"), made[..., order])
    clip = Clip.open(tmp_path / "a")
    frames = (frame.planes for frame in clip.planes())
    assert write_pictures(tmp_path / "b", frames, clip.info.colour) == 11
    assert sorted(os.listdir(tmp_path / "b"))[10] == "frame_00010.png"
    for found, wanted in zip(planes_of(tmp_path / "b"), clip.planes(), strict=True):
        assert found.equals(wanted.planes)


def test_a_folder_of_something_else_is_not_written_over(tmp_path):
    clip = Clip.open(write_clip(tmp_path / "a.mp4", frames=3))

    def write() -> int:
        frames = (frame.planes for frame in clip.planes())
        return write_pictures(tmp_path / "b", frames, clip.info.colour)

    (tmp_path / "b").mkdir()
    assert write() == 3
    assert write() == 3  # frames of an earlier run are replaced
    (tmp_path / "b" / "holiday.jpg").write_text("mine")
    with pytest.raises(InvalidInput, match=r"holiday\.jpg"):
        write()
    (tmp_path / "b" / "holiday.jpg").unlink()

    def failing():
        yield next(clip.planes()).planes
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pictures(tmp_path / "b", failing(), clip.info.colour)
    assert len(os.listdir(tmp_path / "b")) == 3
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "b"]


def test_the_wolf_comes_back_frame_by_frame(shared_data, tmp_path):
    source = shared_data / "videos" / "wolf.mp4"
    output = tmp_path / "wolf.mkv"
    info = written(source, output, codec="ffv1", part=20)
    assert (len(info), info.size) == (40, (480, 480))
    assert frame_times(output) == frame_times(source)
    assert [packet[3] for packet in sound_packets(output)] == [
        packet[3] for packet in sound_packets(source)
    ]
    with av.open(str(source)) as first, av.open(str(output)) as second:
        for mine, yours in zip(second.decode(video=0), first.decode(video=0), strict=True):
            assert np.array_equal(mine.to_ndarray(), yours.to_ndarray())
