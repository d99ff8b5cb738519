"""Which pixels of a frame show the target: what speaks for each, and the cut that follows.

Three things speak: where a pixel came from (its flow to the neighbour, and straight to the key
frame, as far as each is trusted), what the target must cover if nothing hides it, and its colour.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from image_core.distances import distance_within
from image_core.segmentation.cut import without_specks
from image_core.segmentation.edges import dilated
from image_core.types import Mask
from video.appearance import Sight
from video.band_cut import cut_open
from video.carrying import Prediction
from video.frames import Picture
from video.step_settings import StepSettings
from video.warping import grid, inside, warped

Evidence = Float32[np.ndarray, "_ _"]
"""Natural log odds of a pixel's belonging to the target."""


def weigh(
    picture: Picture,
    prediction: Prediction,
    key: Sight,
    colour: Evidence,
    ahead: Evidence,
    settings: StepSettings,
) -> Evidence:
    """Add up what all witnesses say of each pixel.

    Args:
        picture: The frame.
        prediction: What motion says.
        key: The key frame.
        colour: What each pixel's colour says.
        ahead: What its further way says.
        settings: What each counts.
    """
    told = settings.neighbour * prediction.trust * _depth(
        prediction.carried, settings.band
    ) + settings.key * prediction.vote_trust * _depth(prediction.voted, settings.band)
    unknown = 1 - np.maximum(prediction.trust, prediction.vote_trust)
    heard = settings.colour + (settings.unknown_colour - settings.colour) * unknown
    spoken = heard * cv2.blur(colour, (3, 3), borderType=cv2.BORDER_REPLICATE)
    extent = (settings.extent + settings.beyond) * prediction.extent - settings.beyond
    texture = settings.texture * prediction.extent * _likeness(picture, key.picture, prediction)
    return np.asarray(
        told + spoken + unknown * (extent + texture + settings.ahead * ahead), np.float32
    )


def _depth(alpha: Mask, band: int) -> Float32[np.ndarray, "_ _"]:
    """Return how deep inside (up to 1) or outside (down to -1) of an outline each pixel lies."""
    inside_ = alpha > 0.5
    if not inside_.any() or inside_.all():
        return np.full(alpha.shape, 1.0 if inside_.any() else -1.0, np.float32)
    deep = distance_within(inside_)
    far = distance_within(~inside_)
    return np.asarray(np.clip((deep - far) / band, -1, 1), np.float32)


_SAME, _UNLIKE = 8.0, 20.0
"""Grey levels by which the target's own texture is off, and by which another's is, at least."""

_TURNED = 0.25  # of what likeness says for it, unlikeness says against it: it may just have turned


def _likeness(picture: Picture, key: Picture, prediction: Prediction) -> Evidence:
    """Return in [-¼, 1] how a frame looks like the key frame's texture, moved as the target is."""
    height, width = picture.shape[:2]
    there = warped(key, prediction.to_key).astype(np.float32)
    off = np.abs(cv2.blur(there - picture.astype(np.float32), (3, 3))).max(axis=-1)
    alike = 1 - (1 + _TURNED) * np.clip((off - _SAME) / (_UNLIKE - _SAME), 0, 1)
    found = inside(grid((width, height)) + prediction.to_key, (width, height))
    return np.where(found, alike, 0).astype(np.float32)


def decide(
    picture: Picture, prediction: Prediction, evidence: Evidence, settings: StepSettings
) -> Bool[np.ndarray, "_ _"]:
    """Return the target's visible part, outlined by the picture's own edges."""
    first = evidence > 0
    near = dilated(np.maximum(prediction.carried, prediction.extent) > 0.5, 2 * settings.band)
    first &= near
    rim = dilated(first, settings.band) & dilated(~first, settings.band)
    doubted = (np.maximum(prediction.trust, prediction.vote_trust) < 0.5) & near
    cut = cut_open(picture, evidence, first, rim | doubted, smoothness=settings.smoothness)
    return without_specks(cut) if cut.any() else cut
