"""The parts of a shot: a reference frame each, and the user told where they meet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from video_files import picture

from image_core.types import Location, Region
from video.canonical_edits import fit_parts
from video.clip import Clip
from video.finding import ShotKey
from video.flow_fit import PRESETS
from video.frames import Span
from video.measuring import flows_of
from video.settings import VideoSettings

SIZE = (64, 48)
SETTINGS = VideoSettings(flow="dis", flow_preset="draft", fit=PRESETS["draft"])


def opened(folder: Path, pictures: list[np.ndarray]) -> Clip:
    folder.mkdir()
    for number, rgb in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number:03d}.png"), rgb[..., ::-1])
    return Clip.open(folder)


def key(span: Span, index: int) -> ShotKey:
    whole = np.ones(SIZE[::-1], np.float32)
    return ShotKey(
        span=span,
        index=index,
        image=np.zeros((*SIZE[::-1], 3), np.float32),
        location=Location(regions=(Region(alpha=whole, confidence=1.0, evidence="given"),)),
    )


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cached")
def test_a_shot_that_no_canonical_picture_holds_is_split_and_the_user_told_where(
    tmp_path: Path,
) -> None:
    draw = np.random.default_rng(3)
    noise = [draw.integers(0, 256, (*SIZE[::-1], 3), np.uint8) for _ in range(24)]
    with opened(tmp_path / "noise", noise) as clip:
        fits, made = fit_parts(
            clip, flows_of(clip, SETTINGS), key(Span(0, 24), 0), None, SETTINGS, name="whole"
        )
    assert [(fit.span.start, fit.span.stop) for fit in fits] == [(0, 12), (12, 24)]
    assert any("may jump at frame 12" in warning for warning in made.warnings)


@pytest.mark.usefixtures("cached")
def test_the_reference_frame_is_the_middle_one_not_the_frame_where_the_target_was_pointed_at(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "moving", [picture(number, SIZE) for number in range(9)]) as clip:
        fits, made = fit_parts(
            clip, flows_of(clip, SETTINGS), key(Span(0, 9), 0), None, SETTINGS, name="whole"
        )
    assert [fit.fit.deformation.reference for fit in fits] == [4]
    assert [row["reference"] for row in made.fits] == [4]
    assert not any("may jump" in warning for warning in made.warnings)
