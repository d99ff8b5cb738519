"""ICC profiles: whether a photo's values may be read as sRGB."""

from __future__ import annotations

from io import BytesIO

import numpy as np

_TOLERANCE = 4
"""Levels of 255 by which a profile may differ from sRGB and still count as it."""


def colour_space(profile: bytes) -> str:
    """Return the profile's data colour space ("RGB", "GRAY", "CMYK" …); ICC.1:2022, 7.2.8."""
    return profile[16:20].decode("ascii", errors="replace").strip()


def not_srgb(profile: bytes | None) -> tuple[str, ...]:
    """Return a warning where the profile means other colours than sRGB, else nothing.

    A few colours are taken through the profile; its name alone proves nothing.
    """
    if not profile:
        return ()
    from PIL import Image, ImageCms

    mode = {"RGB": "RGB", "GRAY": "L"}.get(colour_space(profile))
    if mode is None:
        return (f"The embedded colour profile is for {colour_space(profile)}, not for this photo.",)
    levels = np.array([0, 51, 102, 153, 204, 255], np.uint8)
    if mode == "RGB":
        probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
        expected = probe
    else:
        probe = levels[None]
        expected = np.repeat(probe[..., None], 3, axis=2)
    try:
        embedded = ImageCms.ImageCmsProfile(BytesIO(profile))
        name = ImageCms.getProfileDescription(embedded).strip() or "unnamed"
        seen = ImageCms.profileToProfile(
            Image.fromarray(probe), embedded, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return ("The embedded colour profile is unreadable; it is kept as it is.",)
    off = np.abs(np.asarray(seen).astype(int) - expected).max()
    if off <= _TOLERANCE:
        return ()
    return (f"The embedded colour profile is {name}; the photo's values are edited as if sRGB.",)
