"""Telling a good result from a broken one, and from none."""

from __future__ import annotations

import numpy as np

from image_core.compositing import support
from image_core.editors.generative.tasks import Job
from image_core.types import Image, Mask

_BLACK = 1 / 255
_UNCHANGED = 1 / 255


def is_broken(image: Image, job: Job) -> bool:
    """Tell whether a result holds NaN or infinity, or is black where its source was not.

    Black is what a decoder gives after an overflow, and what a pipeline's safety filter leaves.
    """
    inside = job.mask > 0
    if not np.isfinite(image[inside]).all():
        return True
    return bool(inside.any() and image.max() <= _BLACK and job.image.max() > _BLACK)


def is_unchanged(edited: Image, image: Image, alpha: Mask) -> bool:
    """Tell whether an edit moved its region by less than one 8-bit step on average."""
    inside = support(alpha)
    change = np.abs(edited[inside] - image[inside])
    return bool(inside.any() and np.nanmean(change) < _UNCHANGED)
