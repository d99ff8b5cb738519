"""``insitu video`` from a file to a file: what it keeps, what it proves, what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from video_files import frame_times, sound_packets
from video_files import write_clip as write_moving

from pocket.clip import ClipSettings, write_clip

SIZE = (160, 120)
FRAMES = 10


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A clip of our own, made once; and a cache outside of the tests' folders."""
    root = tmp_path_factory.mktemp("world")
    settings = ClipSettings(frames=FRAMES, width=SIZE[0], height=SIZE[1])
    write_clip(root / "clip", settings)
    return root


@pytest.fixture
def clip(world, tmp_path, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(world / "cache"))
    path = tmp_path / "clip.mp4"
    path.write_bytes((world / "clip/clip.mp4").read_bytes())
    return path


@pytest.fixture
def truth(world):
    return json.loads((world / "clip/truth/truth.json").read_text())


def box_of(truth):
    return ("--box", *truth["key"]["box"], "--at", truth["key"]["time"])


def planes(path):
    """Return the luma and chroma planes of each frame, read by PyAV alone."""
    with av.open(str(path)) as container:
        return [
            [
                np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[
                    :, : plane.width
                ]
                for plane in frame.planes
            ]
            for frame in container.decode(video=0)
        ]


def test_a_lossless_edit_changes_the_region_alone_and_keeps_times_and_sound(insitu, clip, truth):
    ran = insitu(
        "video", clip, "make it blue", *box_of(truth), "-o", "out.mkv", "--lossless",
        "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = ran.outcome
    assert (told["status"], told["how"], told["route"]) == ("done", "planes", "pointwise")
    assert told["edited_frames"] >= FRAMES - 1
    out = Path("out.mkv")
    masks = [mask[0] for mask in planes("out.mkv.mask.mkv")]
    before, after = planes(clip), planes(out)
    assert len(before) == len(after) == len(masks) == FRAMES
    inside_changed = 0
    for old, new, mask in zip(before, after, masks, strict=True):
        assert np.array_equal(old[0][mask == 0], new[0][mask == 0])
        blocks = mask.reshape(SIZE[1] // 2, 2, SIZE[0] // 2, 2).max(axis=(1, 3))
        for chroma in (1, 2):
            assert np.array_equal(old[chroma][blocks == 0], new[chroma][blocks == 0])
        inside_changed += int((old[1] != new[1]).sum())
    assert inside_changed > 1000
    assert frame_times(out) == frame_times(clip)
    assert [packet[3] for packet in sound_packets(out)] == [
        packet[3] for packet in sound_packets(clip)
    ]
    verified = insitu("verify", out, "--format", "json")
    assert verified.code == 0, verified.err
    assert verified.outcome["proof"] == "planes"


def test_one_sample_outside_flipped_is_found(insitu, clip, truth):
    assert (
        insitu("video", clip, "make it blue", *box_of(truth), "-o", "out.mkv", "--lossless").code
        == 0
    )
    with av.open("out.mkv") as old, av.open("forged.mkv", "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=False)
        for number, frame in enumerate(old.decode(video=0)):
            if number == 4:
                samples = np.frombuffer(frame.planes[0], np.uint8).copy()
                samples[0] ^= 1
                frame.planes[0].update(samples.tobytes())
            new.mux(stream.encode(frame))
        new.mux(stream.encode(None))
    os.replace("forged.mkv", "out.mkv")
    receipt = json.loads(Path("out.mkv.json").read_text())
    assert insitu("verify", "out.mkv").code == 8
    # a forger who also mends the hashes in the receipt is found by the samples themselves
    from image_core.receipt import seal, sha256

    content = {k: v for k, v in receipt.items() if k not in ("sha256", "insitu_receipt")}
    content["output"]["sha256"] = sha256(Path("out.mkv").read_bytes())
    Path("out.mkv.json").write_bytes(seal(content))
    found = insitu("verify", "out.mkv")
    assert found.code == 8
    assert "1 samples outside the mask differ" in found.err
    assert "frame 4, plane Y, column 0, row 0" in found.err


def test_an_mp4_says_that_it_is_lossy(insitu, clip, truth):
    ran = insitu("video", clip, "make it blue", *box_of(truth), "-o", "out.mp4", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.outcome["how"] == "lossy"
    assert frame_times(Path("out.mp4")) == frame_times(clip)
    assert insitu("verify", "out.mp4").out.startswith("out.mp4: lossy: only the hashes")


def test_the_phrase_alone_finds_the_target_and_the_default_output_is_lossless(insitu, clip):
    ran = insitu("video", clip, "make the red ball blue", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.outcome["output"].endswith("clip.edited.mkv")
    assert ran.outcome["how"] == "planes"


def test_the_same_again_gives_the_same_bits(insitu, clip, truth):
    written = []
    for name in ("a.mp4", "b.mp4"):
        assert insitu("video", clip, "make it blue", *box_of(truth), "-o", name).code == 0
        written.append(Path(name).read_bytes())
    assert written[0] == written[1]


def test_a_dry_run_writes_a_sheet_and_nothing_else(insitu, clip, truth, tmp_path):
    ran = insitu(
        "video", clip, "make it blue", *box_of(truth), "--dry-run", "-o", "sheet.png",
        "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.outcome["status"] == "dry_run"
    assert ran.outcome["shots"][0]["key_frame"] == truth["key"]["frame"]
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "sheet.png"}


def test_only_the_named_stretch_is_edited_and_trim_cuts(insitu, clip, truth):
    at = truth["key"]["time"]
    times = [float(time) for time in frame_times(clip)]
    stretch = ("--start", at, "--end", times[-2])
    assert insitu(
        "video", clip, "make it blue", *box_of(truth), *stretch, "-o", "out.mkv", "--lossless"
    ).code == 0  # fmt: skip
    before, after = planes(clip), planes("out.mkv")
    changed = [not np.array_equal(a[1], b[1]) for a, b in zip(before, after, strict=True)]
    wanted = [at - 1e-6 <= time < times[-2] - 1e-6 for time in times]
    assert changed == wanted
    assert insitu(
        "video", clip, "make it blue", *box_of(truth), *stretch, "-o", "cut.mkv", "--lossless",
        "--trim",
    ).code == 0  # fmt: skip
    assert len(planes("cut.mkv")) == sum(wanted)
    assert frame_times(Path("cut.mkv"))[0] == 0
    assert insitu("verify", "cut.mkv").code == 0


def test_a_killed_edit_goes_on_and_ends_in_the_same_bits(tmp_path):
    """SIGKILL while parts are coded; what was coded is not coded again."""
    source = write_moving(tmp_path / "long.mp4", frames=200, sound=True)
    cache, out = tmp_path / "own cache", tmp_path / "out.mkv"
    box = ("--box", "-1", "-1", "13", "11", "--at", "0")
    command = [sys.executable, "-m", "insitu", "video", str(source), "make it blue", *box]
    environment = {**os.environ, "INSITU_CACHE": str(cache)}
    killed = subprocess.Popen([*command, "-o", str(out)], env=environment)
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and killed.poll() is None:
        if len(list(cache.glob("video-jobs/*/parts/*.json"))) >= 2:
            killed.send_signal(signal.SIGKILL)
        time.sleep(0.005)
    assert killed.wait() == -signal.SIGKILL
    assert not out.exists()
    kept = {path: path.stat().st_mtime_ns for path in cache.glob("video-jobs/*/parts/*.json")}
    assert len(kept) >= 2
    subprocess.run([*command, "-o", str(out), "--keep"], env=environment, check=True)
    for path, moment in kept.items():
        assert path.stat().st_mtime_ns == moment
    again = tmp_path / "again.mkv"
    fresh = {**environment, "INSITU_CACHE": str(tmp_path / "another cache")}
    subprocess.run([*command, "-o", str(again)], env=fresh, check=True)
    assert again.read_bytes() == out.read_bytes()


def test_pictures_stay_pictures_and_are_proved(insitu, clip, truth, world, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    with av.open(str(world / "clip/lossless.mkv")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            frame.to_image().save(frames / f"shot_{number}.png")
    box = ("--box", *truth["key"]["box"], "--at", truth["key"]["frame"] / 25)
    assert insitu("video", frames, "make it blue", *box, "-o", "edited").code == 0
    assert len(list(Path("edited").glob("*.png"))) == FRAMES
    assert insitu("verify", "edited").code == 0
    assert insitu("video", frames, "make it blue", *box, "-o", "edited").code == 7  # not empty
    assert insitu("video", frames, "make it blue", *box, "-o", "out.gif").code == 0
    with av.open("out.gif") as gif:
        assert sum(1 for _ in gif.decode(video=0)) == FRAMES


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("make it blue",), 3),
        (("sing a song",), 5),
        (("make it blue", "--box", 0, 0, 0, 10), 7),
        (("make it blue", "--box", 500, 500, 600, 600), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "--at", 99), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "--start", 3, "--end", 2), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "--shots", 7), 7),
        (("make it blue", "--mask", "none.png"), 7),
        (("make it blue", "--mask-dir", "none"), 7),
        (("make it blue", "--refine"), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "--strength", 2.0), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "--device", "tpu"), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "--lossless", "-o", "out.mp4"), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "-o", "out.xyz"), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "-o", "no/such/folder/out.mkv"), 7),
        (("make it blue", "--box", 10, 10, 60, 60, "-o", "clip.mp4"), 7),
        (("make it blue", "--lossless", "--codec", "h264"), 2),
        (("make it blue", "--crf", "20"), 2),
        (("make it blue", "--crf", "20", "-o", "out.gif"), 2),
        ((), 2),
        (("make the purple elephant green",), 3),
        (("replace the red ball with a cat",), 5),
        (("replace the red ball with a cat", "--editor", "instructedit"), 6),
    ],
)
def test_what_cannot_be_done_ends_in_its_code(insitu, clip, arguments, code):
    assert insitu("video", clip, *arguments).code == code
