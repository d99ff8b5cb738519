"""The edit as a layer on the canonical picture, and carrying it to each frame.

What is carried is the *change*, not the canonical picture: a frame keeps its own pixels, shading
and noise, and what the fit can't show well does no harm where nothing was painted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.errors import InvalidInput
from image_core.types import Image, Mask
from video.canonical import Canonical
from video.deformation import CanonicalWindow
from video.flow_types import Confidence
from video.splat_sums import Colours
from video.warping import Field, grid, sample

Mode = Literal["residual", "replace"]
"""``residual`` adds the change to the frame; ``replace`` lays the edited colours over it."""

LEAST_CHANGE = 1 / 255
"""The smallest difference that an 8-bit picture can show."""

MOST_SAMPLES = 4
"""Samples a side that a frame's pixel is averaged from, at most."""

_MINIFIED = 1.25
"""Canonical pixels a frame's pixel from which one sample would skip some of them."""

_FAINT = 1 / 255  # an alpha below it would round to nothing
_TYPICAL = 0.9  # quantile of the local scales that decides about sampling


@dataclass(frozen=True, kw_only=True)
class EditLayer:
    """What was painted on a canonical picture.

    Attributes:
        window: The canonical picture's extent, at its own size.
        edit: Its colours after the edit, times alpha.
        change: After minus before, times alpha.
        alpha: Where it was edited, in [0, 1].
    """

    window: CanonicalWindow
    edit: Colours
    change: Colours
    alpha: Mask

    @classmethod
    def between(
        cls,
        before: Canonical,
        after: Image,
        *,
        alpha: Mask | None = None,
        least: float = LEAST_CHANGE,
    ) -> EditLayer:
        """Make the layer that turns a canonical picture into an edited one.

        Args:
            before: What was painted on.
            after: What became of it, in [0, 1].
            alpha: Where it counts; by default wherever it differs.
            least: The difference in any channel from which a pixel counts as edited.

        Raises:
            InvalidInput: The edited picture, or the alpha, has another size.
        """
        width, height = before.window.size
        for name, given in (("edited canonical picture", after), ("alpha", alpha)):
            if given is not None and given.shape[:2] != (height, width):
                raise InvalidInput(
                    f"the {name} is {given.shape[1]}x{given.shape[0]},"
                    f" the canonical picture {width}x{height}",
                    hint="Keep the size of the exported picture when painting on it.",
                )
        change = after - before.picture
        # half a step of tolerance: both come from 8 bits
        differs = np.abs(change).max(axis=-1) > least - LEAST_CHANGE / 2
        shown = differs.astype(np.float32) if alpha is None else alpha.astype(np.float32)
        # selected, not multiplied: what isn't finite where nothing is edited must not leak
        touched = (shown > 0)[..., None]
        return cls(
            window=before.window,
            edit=np.where(touched, after * shown[..., None], 0).astype(np.float32),
            change=np.where(touched, change * shown[..., None], 0).astype(np.float32),
            alpha=shown,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was painted."""
        return not bool((self.alpha > 0).any())


@dataclass(frozen=True, kw_only=True)
class CarriedEdit:
    """A frame with the layer laid in.

    Attributes:
        image: Its colours; the very same as the frame's where alpha is 0.
        alpha: Where it may differ.
    """

    image: Image
    alpha: Mask


def laid_over(
    layer: EditLayer,
    places: Field,
    frame: Image,
    *,
    shown: Confidence | None = None,
    mode: Mode = "residual",
) -> CarriedEdit:
    """Carry a layer to a frame.

    Args:
        layer: The edit.
        places: Each of the frame's pixels' place in the layer's canonical picture.
        frame: The frame's own colours in [0, 1].
        shown: How far each pixel shows the target: its region and what is visible of it; all of
            it by default.
        mode: How the edit meets the frame's colours.
    """
    colours = layer.change if mode == "residual" else layer.edit
    carried = carried_to(np.dstack((colours, layer.alpha)), places)
    alpha = np.clip(carried[..., 3], 0, 1)
    laid = carried[..., :3]
    if shown is not None:
        alpha = alpha * shown
        laid = laid * shown[..., None]
    alpha = np.where(alpha < _FAINT, 0, alpha).astype(np.float32)
    under = frame if mode == "residual" else frame * (1 - alpha[..., None])
    mixed = np.clip(under + laid, 0, 1)
    image = np.where((alpha > 0)[..., None], mixed, frame).astype(np.float32)
    return CarriedEdit(image=image, alpha=alpha)


def carried_to(
    picture: Float32[np.ndarray, "hc wc 4"], places: Field
) -> Float32[np.ndarray, "h w 4"]:
    """Read a picture at places, with as many samples a pixel as it takes not to skip any.

    Outside the picture there is nothing: 0.
    """
    samples = samples_needed(places)
    if samples == 1 or min(places.shape[:2]) == 1:
        return np.asarray(sample(picture, places, border="zero"), np.float32)
    height, width = places.shape[:2]
    x = (np.arange(width * samples, dtype=np.float32) + 0.5) / samples - 0.5
    y = (np.arange(height * samples, dtype=np.float32) + 0.5) / samples - 0.5
    fine = np.stack(np.meshgrid(x, y), axis=-1)
    dense = np.asarray(sample(_continued(places), fine + np.float32(1)))
    read = np.asarray(sample(picture, dense, border="zero"))
    return np.asarray(cv2.resize(read, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _continued(places: Field) -> Field:
    """Return places with one more pixel on each side, as the last two go on."""
    tall = np.concatenate((places[:1] * 2 - places[1:2], places, places[-1:] * 2 - places[-2:-1]))
    left, right = tall[:, :1] * 2 - tall[:, 1:2], tall[:, -1:] * 2 - tall[:, -2:-1]
    return np.asarray(np.concatenate((left, tall, right), axis=1))


def samples_needed(places: Field) -> int:
    """Return how many samples a side a pixel needs, by how far neighbours' places lie apart."""
    steps = []
    for axis in (0, 1):
        if places.shape[axis] > 1:
            apart = np.diff(places, axis=axis)
            steps.append(float(np.quantile(np.hypot(apart[..., 0], apart[..., 1]), _TYPICAL)))
    largest = max(steps, default=1.0)
    return 1 if largest <= _MINIFIED else min(MOST_SAMPLES, int(np.ceil(largest)))


def identity_places(window: CanonicalWindow) -> Field:
    """Return where the reference frame's pixels lie in the canonical picture."""
    return np.asarray(grid(window.frame) + window.origin)
