"""What each witness counts when a region is carried from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StepSettings:
    """Log odds, unless a unit is named; pixels are those of the working size.

    Attributes:
        band: Pixels by which a trusted outline may still be moved onto the picture's edges.
        neighbour: The word of the neighbouring frame, ``band`` pixels away from the outline.
        key: The word of the key frame there.
        colour: Weight of the log ratio of colour densities where motion is trusted.
        unknown_colour: And where it is not.
        most_colour: What a single pixel's colour may say at most.
        extent: What a pixel gains that the target should cover, where motion is not trusted.
        beyond: What one loses that it should not.
        texture: The most that likeness to the key frame's very texture says there.
        ahead: Weight there of the log odds that a pixel moves on with the target.
        smoothness: Cost of a pixel of outline on flat ground.
        learning: How much surer each frame makes of a pixel that appeared after the key frame.
        memory: Share of a hidden part's extent that is remembered from frame to frame.
        rim_memory: The same of a thin rim, which may be no hidden part.
        exit_memory: The same of where the target touches the picture's border, and may come back.
        around: Width of the surroundings whose colours are learnt, in sizes of the target (the
            square root of its area).
    """

    band: int = 4
    neighbour: float = 4.0
    key: float = 2.0
    colour: float = 0.7
    unknown_colour: float = 1.0
    most_colour: float = 4.5
    extent: float = 1.5
    beyond: float = 2.2
    texture: float = 2.0
    ahead: float = 2.0
    smoothness: float = 2.0
    learning: float = 0.1
    memory: float = 0.97
    rim_memory: float = 0.88
    exit_memory: float = 0.985
    around: float = 0.35
