"""How much is spent on a clip."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Literal

from video.flow import Preset
from video.flow_fit import FlowFitSettings
from video.propagate import CarrySettings


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """What decides how well motion is followed, and how long that takes.

    Attributes:
        flow: What measures motion: ``dis``, ``raft``, or ``auto`` (RAFT where its weights are
            present and a GPU is, else DIS).
        flow_preset: DIS's effort.
        flow_side: Longer side of the pictures that motion is measured on, in pixels.
        carry: How a region is carried from frame to frame.
        field: What ties frames to a canonical picture: flow and splines, or CoDeF's hash fields.
        fit: How the former is fitted; both are fitted on pictures of its size.
    """

    flow: Literal["auto", "dis", "raft"] = "auto"
    flow_preset: Preset = "best"
    flow_side: int = 320
    carry: CarrySettings = dataclass_field(default_factory=CarrySettings)
    field: Literal["splines", "hash"] = "splines"
    fit: FlowFitSettings = dataclass_field(default_factory=FlowFitSettings)
