"""Presets of video editing, by quality."""

from __future__ import annotations

from typing import Literal

from video.flow import Preset
from video.flow_fit import PRESETS
from video.settings import VideoSettings

Quality = Literal["draft", "normal", "best"]


_FLOWS: dict[Quality, tuple[Preset, int]] = {
    "draft": ("draft", 240),
    "normal": ("best", 320),
    "best": ("best", 480),
}


def video_settings(
    quality: Quality = "normal",
    *,
    flow: Literal["auto", "dis", "raft"] = "auto",
    field: Literal["splines", "hash"] = "splines",
) -> VideoSettings:
    """Return the settings of a quality.

    Args:
        quality: ``draft`` for a look, ``normal``, or ``best`` for the last word.
        flow: What measures motion.
        field: What ties frames to a canonical picture.
    """
    preset, side = _FLOWS[quality]
    return VideoSettings(
        flow=flow, flow_preset=preset, flow_side=side, field=field, fit=PRESETS[quality]
    )
