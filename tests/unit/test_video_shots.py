"""Cuts are found to the frame; what motion, a flash or a fade explains is none."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from skimage import data

from image_core.errors import InvalidInput
from video.frames import ArrayFrames, Picture, Span
from video.shots import as_records, find_shots, from_records, likeness


def pan(name: str, count: int, step: tuple[float, float]) -> list[Picture]:
    """A camera that moves over a photo by so many pixels a frame."""
    photo = np.ascontiguousarray(getattr(data, name)()[..., :3])
    move = [
        np.float32([[1, 0, -90 - step[0] * i], [0, 1, -50 - step[1] * i]]) for i in range(count)
    ]
    return [cv2.warpAffine(photo, m, (160, 120), borderMode=cv2.BORDER_REFLECT_101) for m in move]


def dimmed(pictures: list[Picture], first: float, last: float) -> list[Picture]:
    levels = np.linspace(first, last, len(pictures))
    return [(p * level).astype(np.uint8) for p, level in zip(pictures, levels, strict=True)]


def cuts(pictures: list[Picture]) -> list[int]:
    return [shot.start for shot in find_shots(ArrayFrames(pictures))][1:]


CAT, CUP, FACE = (pan(name, 9, (1.5, 1)) for name in ("chelsea", "coffee", "astronaut"))


def test_three_hard_cuts_are_found_to_the_frame() -> None:
    clip = CAT + CUP + FACE + CAT
    found = find_shots(ArrayFrames(clip))
    assert found == [Span(0, 9), Span(9, 18), Span(18, 27), Span(27, 36)]


def test_dark_shots_are_told_apart_too() -> None:
    assert cuts(dimmed(CAT, 0.12, 0.12) + dimmed(CUP, 0.12, 0.12)) == [9]


def test_a_cut_between_two_quick_pans_is_found() -> None:
    assert cuts(pan("chelsea", 7, (10, 4)) + pan("coffee", 7, (12, 3))) == [7]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_clip_of_few_frames_is_one_shot(count: int) -> None:
    assert find_shots(ArrayFrames(CAT[:count])) == [Span(0, count)]


@pytest.mark.parametrize("white", [1, 2])
def test_a_flash_is_no_cut(white: int) -> None:
    clip = [p.copy() for p in CAT]
    for k in range(white):
        clip[4 + k][:] = 255
    assert cuts(clip) == []


def test_light_that_is_switched_on_is_no_cut() -> None:
    assert (
        cuts([*CAT[:4], *(np.clip(p.astype(int) + 90, 0, 255).astype(np.uint8) for p in CAT[4:])])
        == []
    )


def test_fading_out_and_in_again_is_no_cut() -> None:
    black = [np.zeros_like(CAT[0])] * 4
    assert cuts(dimmed(CAT, 1, 0) + black + dimmed(CAT[::-1], 0, 1)) == []


def test_another_scene_behind_a_fade_is_one_cut() -> None:
    (cut,) = cuts(dimmed(CAT, 1, 0) + dimmed(CUP, 0, 1))
    assert 8 <= cut <= 10


def test_fast_motion_is_no_cut() -> None:
    assert cuts(pan("astronaut", 9, (25, 8))) == []
    assert cuts([CUP[0]] * 5 + pan("coffee", 5, (30, 0))) == []


def test_frames_that_show_nothing_are_one_shot() -> None:
    assert cuts([np.zeros_like(CAT[0])] * 6) == []


def test_progress_ends_at_one() -> None:
    told: list[float] = []
    find_shots(ArrayFrames(CAT), progress=lambda stage, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1


def test_likeness_undoes_motion_and_light() -> None:
    other = np.clip(CAT[3] * 0.5 + 20, 0, 255).astype(np.uint8)
    assert likeness(CAT[0], other) > 0.95
    assert likeness(CAT[0], FACE[0]) < 0.6


def test_shots_survive_json() -> None:
    shots = [Span(0, 4), Span(4, 9)]
    assert from_records(json.loads(json.dumps(as_records(shots))), 9) == shots


@pytest.mark.parametrize(
    "records",
    [None, [], [[0, 4]], [[0, 4], [5, 9]], [[0, 9, 1]], [[0, 9.0]], [[0, 0], [0, 9]], "x"],
)
def test_records_that_are_no_shots_of_the_clip_are_refused(records: object) -> None:
    with pytest.raises(InvalidInput):
        from_records(records, 9)
