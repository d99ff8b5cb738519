"""What every container's reader gives back, and the limits that all of them keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from image_core.errors import InvalidInput

MAX_PIXELS = 250_000_000
"""Largest picture taken; a header that claims more is refused before anything is decoded."""

TAKEN = "PNG, TIFF, WebP and JPEG are taken"

Samples = Shaped[np.ndarray, "_ _ _"]
"""A file's own samples: uint8 or uint16; grey, grey + alpha, RGB or RGBA."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Metadata:
    """What a container says about its picture, without the container's wrapping.

    Attributes:
        exif: The EXIF block, from its TIFF header on.
        icc: The colour profile.
        xmp: The XMP packet.
        resolution: Pixels per inch across and down.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    resolution: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """A file's content.

    Attributes:
        samples: Native, in stored orientation.
        orientation: The EXIF value, 1 to 8.
        metadata: To carry into another container.
        warnings: What the user should know.
    """

    samples: Samples
    orientation: int = 1
    metadata: Metadata = Metadata()
    warnings: tuple[str, ...] = ()


def unsupported(what: str, *, hint: str = "") -> InvalidInput:
    """Make the error for a picture of a kind that isn't taken."""
    return InvalidInput(what, hint=hint or "Convert it to an 8 or 16 bit RGB PNG first.")


def damaged(container: str, reason: object) -> InvalidInput:
    """Make the error for a file that can't be decoded to its end."""
    return InvalidInput(
        f"the {container} file is damaged or cut off: {reason}",
        hint="Get the file again from where it came, or open and re-save it in a photo program.",
    )


def check_size(
    width: int, height: int, *, container: str, claimed: int = 0, held: int = 0, ratio: float = 0
) -> None:
    """Refuse sizes that can't be true or can't be held, before any sample is decoded.

    Args:
        width: As the header says.
        height: As the header says.
        container: For the message.
        claimed: How many bytes the samples would take.
        held: How many bytes of coded samples the file can have.
        ratio: The most that the container's coding can shrink; 0 where there is no bound.

    Raises:
        InvalidInput: Nothing in it, too many pixels, or fewer bytes than they could be coded in.
    """
    if width <= 0 or height <= 0:
        raise damaged(container, f"its size is {width} x {height}")
    if width * height > MAX_PIXELS:
        raise InvalidInput(
            f"the {container} file claims {width} x {height} pixels, more than the "
            f"{MAX_PIXELS // 1_000_000} megapixels that are taken",
            hint="Scale it down or cut out a part first.",
        )
    if ratio and claimed > ratio * (held + 1024):
        raise damaged(container, f"it claims {width} x {height} pixels in {held} bytes")


def with_channels(samples: Samples, channels: int) -> Samples:
    """Write the same picture with as many channels, or more: grey is repeated, alpha is opaque.

    This is what lets two files be compared whose containers hold different kinds of arrays.

    Args:
        samples: Grey, grey + alpha, RGB or RGBA.
        channels: 1 to 4; alpha can't be taken away, nor colour.
    """
    have = samples.shape[2]
    if have == channels:
        return samples
    grey, alpha = have < 3, have in (2, 4)
    if have > channels or (alpha and channels == 3):
        raise ValueError(f"{have} channels can't be written as {channels} without loss")
    colour = samples[..., :1] if grey else samples[..., :3]
    if grey and channels >= 3:
        colour = np.repeat(colour, 3, axis=2)
    if channels in (1, 3):
        return colour
    opaque = np.full((*samples.shape[:2], 1), np.iinfo(samples.dtype).max, samples.dtype)
    return np.concatenate([colour, samples[..., -1:] if alpha else opaque], axis=2)
