"""The photo behind the things: it drifts, grows and turns slowly, as from a hand-held camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.colour import srgb_to_linear
from pocket.clip_motion import Swing

Light = Float32[np.ndarray, "h w 3"]
"""Linear RGB."""

PHOTOS = ("chelsea", "rocket", "astronaut", "coffee")
"""Photos that lie inside scikit-image's wheel."""

_DULL = 0.3  # share of the colourfulness that is kept: a thing's colour is nowhere else
_COOL = np.array([0.86, 1.0, 1.08], dtype=np.float32)  # away from the red of the target
_MARGIN = 0.74  # share of the photo's width or height that the picture shows at once


@dataclass(frozen=True, kw_only=True)
class Backdrop:
    """A photo seen through a window that moves.

    Attributes:
        photo: One of ``PHOTOS``.
        x: How the window drifts to the right, in shares of the picture's shorter side.
        y: How it drifts down, in the same.
        zoom: By which share it grows and shrinks.
        turn: How it turns, in degrees.
    """

    photo: str
    x: Swing
    y: Swing
    zoom: Swing
    turn: Swing

    def light(self, frame: int, *, width: int, height: int) -> Light:
        """Return what the window shows in a frame."""
        photo = _fitted(self.photo, width, height)
        scale = 1 + self.zoom.value(frame)
        matrix = cv2.getRotationMatrix2D(
            ((photo.shape[1] - 1) / 2, (photo.shape[0] - 1) / 2), self.turn.value(frame), scale
        )
        shorter = min(width, height)
        matrix[0, 2] += (width - photo.shape[1]) / 2 + shorter * self.x.value(frame)
        matrix[1, 2] += (height - photo.shape[0]) / 2 + shorter * self.y.value(frame)
        seen = cv2.warpAffine(
            photo, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(np.clip(seen, 0, 1), dtype=np.float32)


@lru_cache(maxsize=8)
def _fitted(name: str, width: int, height: int) -> Light:
    """Return a photo, dulled, at the size at which the window is about as sharp as the photo."""
    from skimage import data

    photo = getattr(data, name)()[..., :3]
    scale = max(width / photo.shape[1], height / photo.shape[0]) / _MARGIN
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    light = srgb_to_linear((photo / 255).astype(np.float32))
    grey = (light[..., :1] + light[..., 1:2] + light[..., 2:]) / np.float32(3)
    light = _COOL * (grey + np.float32(_DULL) * (light - grey))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    fitted = np.asarray(np.clip(cv2.resize(light, size, interpolation=way), 0, 1), np.float32)
    fitted.setflags(write=False)
    return fitted
