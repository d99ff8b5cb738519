"""Enlarging a picture for an estimator that wants certain sizes, and taking its flow back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video.frames import Picture
from video.warping import Field


@dataclass(frozen=True, kw_only=True)
class Padding:
    """How many pixels were put around a picture."""

    left: int
    top: int
    right: int
    bottom: int


def padding_for(size: tuple[int, int], *, multiple: int = 1, least: int = 1) -> Padding:
    """Return what brings a width and height to multiples of a number, and to a least size.

    It is divided between opposite sides, so that no border gains all of the repeated pixels.
    """
    wanted = [-(-max(side, least) // multiple) * multiple - side for side in size]
    return Padding(
        left=wanted[0] // 2,
        top=wanted[1] // 2,
        right=wanted[0] - wanted[0] // 2,
        bottom=wanted[1] - wanted[1] // 2,
    )


def padded(picture: Picture, padding: Padding) -> Picture:
    """Put repeated border pixels around a picture."""
    sides = ((padding.top, padding.bottom), (padding.left, padding.right), (0, 0))
    return np.pad(picture, sides, mode="edge")


def unpadded(flow: Field, padding: Padding) -> Field:
    """Take the part of a padded picture's flow that belongs to the picture; its units stay."""
    height, width = flow.shape[:2]
    rows = slice(padding.top, height - padding.bottom)
    columns = slice(padding.left, width - padding.right)
    return np.ascontiguousarray(flow[rows, columns])
