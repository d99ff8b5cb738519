"""``insitu video`` on clips as phones, cutters and broken copies leave them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest
from video_files import frame_times, sound_packets, trimmed, write_clip, write_sound

BOX = ("--box", 0, 0, 14, 12, "--at", 0)  # the small rectangle that ``video_files.picture`` moves


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path_factory.mktemp("cache")))


def shown(path: Path) -> int:
    return len(frame_times(path))


@pytest.mark.parametrize(
    "kind",
    [
        {"frames": 1},
        {"frames": 2},
        {"size": (63, 47), "pix_fmt": "yuv444p"},
        {"rotation": 90},
        {"times": [0, 1, 5, 6, 7, 20, 21, 30], "frames": 8},
        {"pix_fmt": "yuv420p10le"},
        {"codec": "libx265"},
    ],
    ids=["one frame", "two frames", "odd size", "rotated", "uneven times", "10 bit", "H.265"],
)
def test_an_unusual_clip_keeps_its_frames_and_times_and_is_proved(insitu, tmp_path, kind):
    source = write_clip(tmp_path / "clip.mp4", **{"frames": 6, "sound": True, **kind})
    ran = insitu("video", source, "make it blue", *BOX, "-o", "out.mkv", "--lossless")
    assert ran.code == 0, ran.err
    assert frame_times(Path("out.mkv")) == frame_times(source)
    assert [p[3] for p in sound_packets(Path("out.mkv"))] == [p[3] for p in sound_packets(source)]
    verified = insitu("verify", "out.mkv")
    assert verified.code == 0, verified.err
    if "rotation" in kind:
        with av.open("out.mkv") as container:
            assert (container.streams.video[0].width, container.streams.video[0].height) == (48, 64)


def test_a_clip_trimmed_by_edit_list_keeps_what_players_show(insitu, tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", frames=30, sound=True, options={"g": "30"})
    source = trimmed(whole, tmp_path / "clip.mp4", 1.5)
    with av.open(str(source)) as container:
        wanted = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert len(wanted) < 30
    mask = tmp_path / "mask.png"
    _half_mask(mask)
    at = ("--at", float(wanted[0]))
    ran = insitu("video", source, "darken it", "--mask", mask, *at, "-o", "out.mkv", "--lossless")
    assert ran.code == 0, ran.err
    assert shown(Path("out.mkv")) == len(wanted)


def test_of_three_shots_the_one_pointed_at_is_edited_and_the_others_are_told_of(
    insitu, tmp_path_factory
):
    from pocket.clip import ClipSettings
    from pocket.clip import write_clip as write_world

    world = tmp_path_factory.mktemp("shots") / "clip"
    write_world(world, ClipSettings(frames=24, width=96, height=72, shots=3))
    ran = insitu(
        "video", world / "clip.mp4", "make the red ball blue", "-o", "out.mkv", "--format", "json"
    )
    assert ran.code == 0, ran.err
    assert [shot["edited"] for shot in ran.outcome["shots"]] == [True, False, True]
    assert [shot["frames"] for shot in ran.outcome["shots"]] == [[0, 8], [8, 16], [16, 24]]
    assert any("shot 2 stays as it is" in warning for warning in ran.outcome["warnings"])


def _half_mask(path: Path) -> None:
    import cv2
    import numpy as np

    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 10:40] = 255
    cv2.imwrite(str(path), mask)


def test_what_is_no_whole_clip_is_refused(insitu, tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("this is no film\n" * 50)
    write_sound(tmp_path / "sound.m4a")
    whole = write_clip(tmp_path / "whole.mkv", frames=40, options={"g": "5"}).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    interlaced = write_clip(
        tmp_path / "fields.mkv", codec="mpeg2video", options={"flags": "+ildct+ilme"}
    )
    for source in ("empty.mp4", "text.mp4", "sound.m4a", "cut.mkv", interlaced.name, "none.mp4"):
        ran = insitu("video", source, "make it blue", *BOX, "-o", "out.mkv")
        assert ran.code == 7, (source, ran.err)


def test_a_full_disk_leaves_nothing_under_the_name(tmp_path):
    source = write_clip(tmp_path / "clip.mp4", frames=60, size=(160, 120))
    limit = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from insitu.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["video", str(source), "make it blue", *map(str, BOX)]
    ran = subprocess.run(
        [sys.executable, "-c", limit, *arguments, "-o", str(tmp_path / "out.mkv"), "--lossless"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert ran.returncode == 7, ran.stderr
    assert ran.stderr.startswith("insitu: ")
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4"}


def test_an_interruption_ends_in_130_and_leaves_nothing_under_the_name(tmp_path):
    source = write_clip(tmp_path / "clip.mp4", frames=300)
    cache = Path(os.environ["INSITU_CACHE"])
    command = [sys.executable, "-m", "insitu", "video", str(source), "make it blue"]
    running = subprocess.Popen(
        [*command, *map(str, BOX), "-o", str(tmp_path / "out.mkv")],
        stderr=subprocess.PIPE,
        text=True,
        # a shell that runs the tests in the background has interruptions ignored, and so do they
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not list(cache.glob("video/flow-*/*.flow")):
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in said
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4"}


def test_times_that_matroska_must_round_are_told(insitu, tmp_path):
    source = write_clip(tmp_path / "clip.mp4", frames=6, rate=Fraction(30000, 1001))
    ran = insitu("video", source, "make it blue", *BOX, "-o", "out.mkv", "--lossless")
    assert ran.code == 0, ran.err
    assert "whole milliseconds" in ran.err
    far = max(
        abs(a - b) for a, b in zip(frame_times(Path("out.mkv")), frame_times(source), strict=True)
    )
    assert far <= Fraction(1, 1000)
