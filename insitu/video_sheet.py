"""``insitu video --dry-run``: shots, key frames and the carried region on a sheet of frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from image_core.compositing import union
from image_core.photo import write_atomically
from insitu.overlay import captioned_row, encode_picture, region_overlay
from video.clip import Clip
from video.finding import ShotKey, exact_image
from video.frames import Span
from video.regions import StepRegion
from video.survey import Survey

Sheet = UInt8[np.ndarray, "h w 3"]

_ACROSS = 5  # frames in a row: the key frame and four others
_SHOTS = 8  # rows, at most
_WIDTH = 300  # of a frame on the sheet, in pixels


def sheet_of(clip: Clip, survey: Survey) -> Sheet:
    """Draw a row for each shot: its key frame with the region, then frames spread over it."""
    keys = {key.span.start: index for index, key in enumerate(survey.sought.found)}
    rows = []
    for number, shot in enumerate(survey.shots[:_SHOTS], start=1):
        index = next((index for start, index in keys.items() if start in shot), None)
        if index is None:
            rows.append(_plain_row(clip, number, shot))
        else:
            found = survey.sought.found[index]
            rows.append(_row(clip, number, found, survey.regions[index]))
    return np.concatenate(rows)


def write_sheet(sheet: Sheet, path: Path) -> None:
    """Write the sheet in the format that the file's ending names."""
    write_atomically(path, encode_picture(sheet, path))


def trust_of(regions: Sequence[StepRegion]) -> dict[str, Any]:
    """Return how surely a shot's region was carried, and in which frames it is not seen."""
    shares = [share for region in regions for share in region.trust.values()]
    unseen = sorted(
        {
            index
            for region in regions
            if region.alphas is not None
            for index in region.alphas
            if not region.alphas[index].any()
        }
    )
    return {
        "motion_confirmed": round(float(np.mean(shares)), 3) if shares else None,
        "unseen_frames": unseen,
    }


def _row(clip: Clip, number: int, key: ShotKey, regions: Sequence[StepRegion]) -> Sheet:
    panels, captions = [], []
    others = [index for index in _spread(key.span, _ACROSS) if index != key.index]
    for index in [key.index, *others[: _ACROSS - 1]]:
        alpha = union([region.at(index).alpha for region in regions])
        panels.append(region_overlay(exact_image(clip, index), alpha))
        place = f"shot {number}, key frame" if index == key.index else f"frame {index}"
        captions.append(f"{place}, {float(clip.info.seconds(index)):.2f} s")
    return _padded(panels, captions)


def _plain_row(clip: Clip, number: int, shot: Span) -> Sheet:
    index = (shot.start + shot.stop) // 2
    return _padded([clip.rgb(index)], [f"shot {number}: stays as it is"])


def _padded(panels: list[np.ndarray], captions: list[str]) -> Sheet:
    blank = np.full_like(panels[0], 255)
    missing = _ACROSS - len(panels)
    return captioned_row([*panels, *[blank] * missing], [*captions, *[""] * missing], _WIDTH)


def _spread(span: Span, count: int) -> list[int]:
    places = np.rint(np.linspace(span.start, span.stop - 1, min(count, len(span))))
    return sorted({int(place) for place in places})
