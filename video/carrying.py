"""How what is known of a target on one frame is moved to the next one.

Everything here happens at the size at which flow is measured. A target has a visible part, which is
what an edit may change, and an extent, which is all that it would cover if nothing hid it: so that
it comes back from behind what passes in front, and at the border where it left the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from image_core.segmentation.edges import dilated, disc
from image_core.types import Mask
from video.appearance import Sight
from video.flow_types import Confidence
from video.frames import Picture
from video.step_settings import StepSettings
from video.target_motion import target_motion
from video.warping import Field, chained, warped

_RIM = 2  # px; half the width of what counts as a mere rim
_BORDER = 3  # px along the picture's border, where a target leaves and enters


@dataclass(frozen=True, kw_only=True)
class State:
    """What is handed on from frame to frame, besides the visible part.

    Attributes:
        extent: What the target covers, hidden parts included, in [0, 1].
        to_key: From each pixel of the target, hidden or not, to the key frame.
        exits: Where the target touched the picture's border, and how lately, in [0, 1].
        held: How sure it is of each pixel whether it is the target's: 1 on the key frame, 0 where
            something has just appeared, and growing from frame to frame.
        motion: Of the target from this frame to the one before; None on the key frame.
    """

    extent: Mask
    to_key: Field
    exits: Mask
    held: Confidence
    motion: Field | None


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What motion alone says of the next frame.

    Attributes:
        carried: The neighbour's alpha, moved along the flow.
        trust: In that flow, and in what was known where it leads.
        voted: The key frame's alpha, moved along the chained flow.
        vote_trust: In that chain.
        extent: What the target would cover if nothing hid it.
        exits: As in ``State``.
        to_key: From each pixel to the key frame, if it were the target's.
        motion: Of the target, to the neighbour.
    """

    carried: Mask
    trust: Confidence
    voted: Mask
    vote_trust: Confidence
    extent: Mask
    exits: Mask
    to_key: Field
    motion: Field


def start(key: Sight) -> State:
    """Return the state at the key frame."""
    still = np.zeros((*key.alpha.shape, 2), np.float32)
    sure = np.ones_like(key.alpha)
    exits = _at_border(key.alpha)
    return State(extent=key.alpha, to_key=still, exits=exits, held=sure, motion=None)


_DIFFERENT = 20.0  # grey levels; motion that leads to so different a pixel is half believed
_CHANGED = 35.0  # the same for the key frame, since when light may have changed


def believed(
    picture: Picture, flow: tuple[Field, Confidence], there: Picture, level: float = _DIFFERENT
) -> tuple[Field, Confidence]:
    """Doubt a flow where it leads to other colours, however well forward and backward agree.

    A change of light that all of the picture shares is no reason.

    Args:
        picture: The frame in which the flow starts.
        flow: It, and its confidence.
        there: The frame in which it ends.
        level: Grey levels of difference at which half of the confidence is left.
    """
    off = picture.astype(np.float32) - warped(there, flow[0]).astype(np.float32)
    off = np.abs(cv2.blur(off, (3, 3)))
    largest = np.maximum(np.maximum(off[..., 0], off[..., 1]), off[..., 2])
    strange = np.maximum(largest - np.median(largest), 0) / np.float32(level)
    return flow[0], np.asarray(flow[1] / (1 + strange * strange), np.float32)


def predict(
    key: Sight,
    state: State,
    known: Mask,
    picture: Picture,
    flow: tuple[Field, Confidence],
    chain: tuple[Field, Confidence],
) -> Prediction:
    """Move all that is known to the next frame.

    Args:
        key: The key frame.
        state: At the neighbour.
        known: The target's visible part at the neighbour.
        picture: The next frame.
        flow: From it to the neighbour, as far as it is believed.
        chain: From the next frame to the key frame.
    """
    carried = warped(known, flow[0])
    extent = state.extent if state.motion is None else warped(state.extent, state.motion)
    motion = target_motion(*flow, carried, extent, state.motion)
    to_key = chained(motion, state.to_key)
    return Prediction(
        carried=carried,
        trust=np.asarray(flow[1] * warped(state.held, flow[0]), np.float32),
        voted=warped(key.alpha, chain[0]),
        vote_trust=believed(picture, chain, key.picture, _CHANGED)[1],
        extent=np.maximum(warped(state.extent, motion), state.exits),
        exits=state.exits,
        to_key=to_key,
        motion=motion,
    )


def update(prediction: Prediction, seen: Mask, settings: StepSettings) -> State:
    """Return the state at a frame whose visible part is now known.

    What should be covered and is not is remembered as hidden. A thin rim of it may be mere
    disagreement about the outline, and is forgotten within a few frames, unless it grows until then
    because something slow moves in front.
    """
    missing = (prediction.extent > 0.5) & (seen <= 0.5)
    opened = cv2.morphologyEx(missing.astype(np.uint8), cv2.MORPH_OPEN, disc(_RIM)) > 0
    hidden = dilated(opened, _RIM) & missing
    # moving it blurs it: its value is that of its middle, or it would wear off from its rim
    whole = cv2.dilate(prediction.extent, disc(2 * _RIM))
    rim = np.where(missing, settings.rim_memory * prediction.extent, 0)
    remembered = np.where(hidden, settings.memory * whole, rim)
    extent = np.maximum(seen, remembered).astype(np.float32)
    held = np.minimum(1, prediction.trust * (1 + settings.learning) + settings.learning)
    exits = np.maximum(_at_border(seen), settings.exit_memory * prediction.exits)
    return State(
        extent=extent,
        to_key=prediction.to_key,
        exits=exits.astype(np.float32),
        held=np.asarray(held, np.float32),
        motion=prediction.motion,
    )


def _at_border(alpha: Mask) -> Mask:
    """Return the part of an alpha that lies along the picture's border."""
    strip = alpha.copy()
    strip[_BORDER:-_BORDER, _BORDER:-_BORDER] = 0
    return strip
