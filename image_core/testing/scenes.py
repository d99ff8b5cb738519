"""Made scenes and a step of each kind, for the contract checks and for tests of plug-ins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from image_core.types import EditBatch, EditStep, Image, Kind, Mask, Region, Target

STEPS: dict[Kind, EditStep] = {
    "recolor": EditStep(
        instruction="make the disc blue",
        kind="recolor",
        target=Target(phrase="disc", noun="disc"),
        value="blue",
        source_caption="a disc",
        edited_caption="a blue disc",
    ),
    "tone": EditStep(instruction="brighten the disc", kind="tone", operation="brightness"),
    "filter": EditStep(instruction="blur the disc", kind="filter", operation="blur"),
    "texture": EditStep(
        instruction="fill the disc with red and white stripes",
        kind="texture",
        operation="fill",
        value="red and white stripes",
    ),
    "style": EditStep(
        instruction="paint the disc as an oil painting", kind="style", value="oil painting"
    ),
    "replace": EditStep(
        instruction="replace the disc with a ball",
        kind="replace",
        value="ball",
        source_caption="a disc",
        edited_caption="a ball",
    ),
    "add": EditStep(
        instruction="put a hat on the disc",
        kind="add",
        value="hat",
        relation="on",
        source_caption="a disc",
        edited_caption="a disc with a hat",
    ),
    "remove": EditStep(instruction="remove the disc", kind="remove"),
    "attribute": EditStep(
        instruction="make the disc furry", kind="attribute", value="furry", source_caption="a disc"
    ),
}
"""A step of each kind, tried unless ``check_editor`` is given others."""


def scene(height: int = 48, width: int = 64, *, seed: int = 0) -> tuple[Image, Mask]:
    """Return a picture of an orange disc before a noisy, graded ground, and the disc's mask."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    down = (y / max(1, height))[..., None]
    ground = np.array([0.35, 0.5, 0.6]) * (1 - down) + np.array([0.3, 0.25, 0.2]) * down
    ground = ground + 0.06 * np.sin(0.9 * x)[..., None]
    away = np.hypot((x - 0.45 * width) / width, (y - 0.5 * height) / height)
    light = 1 - 0.9 * np.hypot(x / width - 0.38, y / height - 0.4)
    disc = np.array([0.9, 0.5, 0.12]) * light[..., None]
    inside = away < 0.25
    picture = np.where(inside[..., None], disc, ground) + generator.normal(
        0, 0.01, (height, width, 3)
    )
    image = np.clip(picture, 0, 1).astype(np.float32)
    return image, inside.astype(np.float32)


def batch_of(
    images: Sequence[Image],
    alphas: Sequence[Mask],
    *,
    keys: Sequence[int] | None = None,
    strength: float = 1.0,
) -> EditBatch:
    """Return a batch in which the images are their own originals."""
    return EditBatch(
        images=list(images),
        conditions=list(images),
        composite_over=list(images),
        regions=[Region(alpha=alpha) for alpha in alphas],
        keys=list(keys) if keys is not None else list(range(1, len(images) + 1)),
        strength=strength,
    )
