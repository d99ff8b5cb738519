"""Made pictures with known things in them: a check that grounding is not fitted to a few photos.

Coloured bodies with shading and cast shadows stand on textured grounds with noise. Every picture
comes with its bodies' masks and colour words, so that questions with known answers can be asked: a
colour that one body has, a colour that none has, one that two have, and the left or right of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from image_core.colour import lch_to_lab, oklab_to_srgb
from image_core.types import Image, Target

# typical OKLCh of each word: lightness, chroma, hue
_COLOURS = {
    "red": (0.55, 0.19, 26),
    "orange": (0.70, 0.16, 56),
    "yellow": (0.84, 0.16, 98),
    "green": (0.58, 0.14, 145),
    "blue": (0.50, 0.15, 258),
    "purple": (0.47, 0.15, 308),
    "pink": (0.77, 0.11, 356),
}
_GROUNDS = (
    (0.80, 0.02, 80),
    (0.62, 0.01, 250),
    (0.70, 0.03, 110),
    (0.45, 0.02, 60),
    (0.88, 0.01, 240),
)


@dataclass(frozen=True, kw_only=True)
class Body:
    """One thing in a made picture."""

    colour: str
    mask: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Question:
    """A phrase, and the masks that would answer it; none where it must be refused."""

    target: Target
    answers: tuple[np.ndarray, ...]


def _lab(lightness: float, chroma: float, hue: float) -> np.ndarray:
    return lch_to_lab(np.array([lightness, chroma, hue]))


def _cloud(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def _shape(
    rng: np.random.Generator, height: int, width: int, centre: tuple[int, int], size: int
) -> np.ndarray:
    canvas = np.zeros((height, width), dtype=np.uint8)
    kind, angle = rng.integers(3), float(rng.uniform(0, 180))
    axes = (size, int(size * rng.uniform(0.6, 1.0)))
    if kind == 0:
        cv2.ellipse(canvas, centre, axes, angle, 0, 360, 1, -1)
    else:
        corners = 4 if kind == 1 else int(rng.integers(5, 9))
        turns = np.sort(rng.uniform(0, 0.5, corners) + np.arange(corners)) / corners * 2 * np.pi
        points = np.stack([axes[0] * np.cos(turns), axes[1] * np.sin(turns)], axis=1) + centre
        cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 1)
    return canvas > 0


def made_scene(seed: int, *, height: int = 300, width: int = 420) -> tuple[Image, list[Body]]:
    """Return a picture and what stands in it; the same for the same seed."""
    rng = np.random.default_rng(seed)
    ground = _GROUNDS[int(rng.integers(len(_GROUNDS)))]
    lab = np.empty((height, width, 3), dtype=np.float32)
    lab[:] = _lab(*ground)
    lab[..., 0] += 0.03 * _cloud(rng, height, width, 5) + 0.02 * _cloud(rng, height, width, 40)
    lab[..., 1:] += 0.006 * _cloud(rng, height, width, 12)[..., None]
    count = int(rng.integers(1, 5))
    words = list(rng.choice(list(_COLOURS), size=count, replace=False))
    if count > 1 and rng.random() < 0.35:
        words[1] = words[0]
    slots = rng.permutation(4)[:count]
    bodies: list[Body] = []
    for word, slot in zip(words, slots, strict=True):
        centre = (
            int(width * (0.27 + 0.46 * (slot % 2)) + rng.integers(-12, 13)),
            int(height * (0.28 + 0.44 * (slot // 2)) + rng.integers(-8, 9)),
        )
        mask = _shape(rng, height, width, centre, int(rng.integers(26, 52)))
        shadow = cv2.GaussianBlur(np.roll(mask, (9, 7), (0, 1)).astype(np.float32), (0, 0), 5)
        for body in bodies:
            shadow[body.mask] *= 0.3
        lab[..., 0] *= 1 - 0.35 * np.where(mask, 0, shadow)
        rows, columns = np.nonzero(mask)
        light = (columns - centre[0] + rows - centre[1]) / 90.0
        lightness, chroma, hue = _COLOURS[word]
        paint = lch_to_lab(
            np.stack(
                [
                    lightness * np.clip(1 - 0.28 * light, 0.55, 1.25),
                    np.full(rows.size, chroma) * np.clip(1 - 0.2 * np.abs(light), 0.6, 1),
                    hue + rng.normal(0, 4) + np.zeros(rows.size),
                ],
                axis=-1,
            )
        )
        lab[mask] = paint + 0.012 * rng.standard_normal((rows.size, 1))
        bodies.append(Body(colour=str(word), mask=mask))
    rgb = oklab_to_srgb(lab)
    rgb = cv2.GaussianBlur(rgb, (0, 0), 0.8) + 0.012 * rng.standard_normal(rgb.shape)
    return np.clip(rgb, 0, 1).astype(np.float32), bodies


def questions(bodies: list[Body]) -> Iterator[Question]:
    """Yield phrases about a made picture with their answers."""
    have = [body.colour for body in bodies]
    for word in _COLOURS:
        masks = [body.mask for body in bodies if body.colour == word]
        plain = Target(phrase=f"{word} thing", noun="widget", colours=(word,))
        if len(masks) < 2:
            yield Question(target=plain, answers=tuple(masks))
            continue
        yield Question(target=plain, answers=())  # two of them: ambiguous
        middles = [np.nonzero(mask)[1].mean() for mask in masks]
        if abs(middles[0] - middles[1]) < 60:
            continue
        ordered = [
            mask for _, mask in sorted(zip(middles, masks, strict=True), key=lambda pair: pair[0])
        ]
        for place, mask in (("left", ordered[0]), ("right", ordered[-1])):
            target = Target(
                phrase=f"{place} {word} thing", noun="widget", colours=(word,), places=(place,)
            )
            yield Question(target=target, answers=(mask,))
    if "green" not in have:
        yield Question(target=Target(phrase="widget", noun="widget"), answers=())


__all__ = ["Body", "Question", "made_scene", "questions"]
