"""``insitu video CLIP "remove …"``: the background comes from the frames that show it."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

FRAMES, SIZE, SIDE = 14, (160, 120), 22


def _backdrop() -> np.ndarray:
    """Return a picture larger than the frames, smooth but nowhere plain."""
    rng = np.random.default_rng(4)
    picture = np.zeros((SIZE[1] + 40, SIZE[0] + 60, 3), np.float32)
    for side in (4, 9, 20):
        coarse = rng.uniform(0, 1, (picture.shape[0] // side, picture.shape[1] // side, 3))
        size = picture.shape[1::-1]
        picture += cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    grey = picture.mean(axis=-1, keepdims=True)
    picture = grey + 0.3 * (picture - grey)  # the square's red is nowhere else
    low, high = picture.min(), picture.max()
    return np.asarray(50 + 150 * (picture - low) / (high - low), np.uint8)


def _frames() -> tuple[list[np.ndarray], list[np.ndarray], list[tuple[int, int]]]:
    """Return frames with a red square, the same without, and the square's corners."""
    backdrop = _backdrop()
    shown, clean, corners = [], [], []
    for number in range(FRAMES):
        left, top = 5 + 2 * number, 8 + number
        frame = backdrop[top : top + SIZE[1], left : left + SIZE[0]].copy()
        clean.append(frame.copy())
        x, y = 20 + 7 * number, 40 + number
        frame[y : y + SIDE, x : x + SIDE] = (205, 25, 30)
        shown.append(frame)
        corners.append((x, y))
    return shown, clean, corners


def _write(path: Path, frames: list[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=12)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv444p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))


def _read(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture
def clip(tmp_path, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))
    shown, clean, corners = _frames()
    _write(tmp_path / "clip.mkv", shown)
    return tmp_path / "clip.mkv", clean, corners


def test_what_other_frames_show_behind_the_thing_is_put_in_its_place(insitu, clip):
    path, clean, corners = clip
    x, y = corners[6]
    ran = insitu(
        "video", path, "remove the square", "--box", x - 2, y - 2, x + SIDE + 2, y + SIDE + 2,
        "--at", 0.5, "-o", "out.mkv", "--lossless", "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.outcome["route"] == "removal"
    assert ran.outcome["edited_frames"] == FRAMES
    made = _read(Path("out.mkv"))
    assert len(made) == FRAMES
    for frame, truth, (left, top) in zip(made, clean, corners, strict=True):
        inside = (slice(top, top + SIDE), slice(left, left + SIDE))
        apart = frame[inside].astype(float) - truth[inside]
        assert 10 * np.log10(255**2 / np.mean(apart**2)) > 26
    assert insitu("verify", "out.mkv").code == 0


def test_a_mask_in_the_users_hand_is_not_left(insitu, clip):
    path, _, corners = clip
    x, y = corners[0]
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[y : y + SIDE, x : x + SIDE // 2] = 255
    cv2.imwrite("mask.png", mask)
    ran = insitu(
        "video", path, "remove the square", "--mask", "mask.png", "--at", 0,
        "-o", "out.mkv", "--lossless",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    before, after = _read(path)[0], _read(Path("out.mkv"))[0]
    assert np.array_equal(before[mask == 0], after[mask == 0])
    assert (before[mask > 0] != after[mask > 0]).mean() > 0.5


def test_a_thing_that_stands_still_is_made_up_and_that_is_said(insitu, tmp_path, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))
    _write(tmp_path / "still.mkv", [_frames()[0][5]] * 4)
    x, y = _frames()[2][5]
    ran = insitu(
        "video", "still.mkv", "remove the square", "--box", x - 2, y - 2, x + SIDE + 2,
        y + SIDE + 2, "--at", 0, "-o", "out.mkv", "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert any("seen in no frame" in warning for warning in ran.outcome["warnings"])
    for frame in _read(Path("out.mkv")):
        reds = frame[y : y + SIDE, x : x + SIDE].astype(int)
        assert (reds[..., 0] - reds[..., 1]).max() < 90
