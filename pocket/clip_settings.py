"""What a clip of our own shows, and which of it cannot be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from image_core.errors import InvalidInput
from pocket.clip_world import COLOUR, TARGET
from pocket.scene import reflectance

SMALLEST, LARGEST = 32, 2048
MOST_FRAMES, MOST_SHOTS = 10_000, 9
SLOWEST, QUICKEST = 1.0, 240.0


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """What a clip shows.

    Attributes:
        frames: How many.
        width: Of each in pixels; even, since 4:2:0 shares chroma among 2 x 2 pixels.
        height: The same.
        fps: Frames a second.
        shots: How many hard-cut shots; every second one lacks the target.
        seed: 0 is the tuned world; another moves things a little and takes other photos.
        target: The thing that the true edit recolours, and that the pattern is painted on.
        colour: The colour that it gets, in words.
    """

    frames: int = 40
    width: int = 320
    height: int = 240
    fps: float = 20.0
    shots: int = 1
    seed: int = 0
    target: str = TARGET
    colour: str = COLOUR

    @property
    def rate(self) -> Fraction:
        """Frames a second, exactly."""
        return Fraction(str(self.fps))

    @property
    def instruction(self) -> str:
        """The edit whose truth is written."""
        return f"make the {self.target} {self.colour}"


def check_settings(settings: ClipSettings) -> None:
    """Refuse what no clip can show.

    Raises:
        InvalidInput: A number is out of range, or the colour is none.
    """
    size = f"frames of {settings.width} x {settings.height} pixels"
    for side in (settings.width, settings.height):
        if not SMALLEST <= side <= LARGEST:
            raise InvalidInput(size, hint=f"Each side may have {SMALLEST} to {LARGEST} pixels.")
        if side % 2:
            raise InvalidInput(size, hint="4:2:0 video has even sides; take the next even number.")
    if not 1 <= settings.shots <= MOST_SHOTS:
        raise InvalidInput(f"{settings.shots} shots", hint=f"Take 1 to {MOST_SHOTS}.")
    if not settings.shots <= settings.frames <= MOST_FRAMES:
        raise InvalidInput(
            f"a clip of {settings.frames} frames in {settings.shots} shots",
            hint=f"Take at least one frame a shot, and at most {MOST_FRAMES}.",
        )
    if not (math.isfinite(settings.fps) and SLOWEST <= settings.fps <= QUICKEST):
        raise InvalidInput(
            f"{settings.fps} frames a second", hint=f"Take {SLOWEST:g} to {QUICKEST:g}."
        )
    if settings.seed < 0:
        raise InvalidInput(f"the seed {settings.seed} is negative", hint="Take 0 or more.")
    reflectance(settings.colour)  # refuses what is no colour
