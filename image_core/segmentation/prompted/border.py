"""Pictures too slim for a network that sees them at one size or cuts them into cells."""

from __future__ import annotations

import cv2
import numpy as np

from image_core.segmentation.prompted.prompts import Picture

SLIMMEST = 8
"""A picture longer than this times its width would leave a network too few cells, or none."""

_GREY = (124, 116, 104)  # ImageNet's mean, which the networks see as 0


def with_border(picture: Picture) -> Picture:
    """Give a very slim picture a grey border below or to the right; pixels stay where they are."""
    height, width = picture.shape[:2]
    down = max(0, -(-width // SLIMMEST) - height)
    across = max(0, -(-height // SLIMMEST) - width)
    if not down and not across:
        return picture
    bordered = cv2.copyMakeBorder(
        picture, 0, down, 0, across, borderType=cv2.BORDER_CONSTANT, value=_GREY
    )
    return np.asarray(bordered, dtype=np.uint8)
