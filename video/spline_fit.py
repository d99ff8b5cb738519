"""One Gauss-Newton step of a frame's spline field towards the canonical picture.

Minimised is, over the frame's pixels p with place P(p) = P₀(p) + R(p), R the spline field,

    Σ w ρ(c(P) - f)² + s₁ Σ |∇R|² + s₂ Σ |∇∇R|² + s₃ Σ v |R - R̂|²

colours against the canonical picture c (robustly: ρ is Huber's), roughness, and the distance from
R̂, the field with which the measured flow to the neighbours would be followed exactly. The last
term is what keeps a painted pattern from swimming where the picture itself has nothing to hold on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from video.flow_types import Confidence
from video.splat_sums import Colours
from video.spline_field import Controls, Smoothness, SplineGrid
from video.warping import Field, sample

LONGEST_STEP = 1.5
"""Pixels that a step may move any place: a gradient tells nothing about what lies farther away."""

_FEW = 0.05  # share of weighted pixels around, under which no change of light is made out
_LEAST = 1e-6  # keeps divisions defined where a control touches no weighted pixel


@dataclass(frozen=True, kw_only=True)
class SplineSettings:
    """How spline fields are fitted.

    Attributes:
        cells: Along the longer side on the coarsest level; each level doubles them.
        sweeps: Over all frames, level by level.
        first: s₁, in squared colour units a squared slope.
        second: s₂, the same, in squares of a cell's side.
        steadiness: s₃, in squared colour units a squared pixel.
        noise: Colour difference from which a pixel counts less (Huber's).
        iterations: Of conjugate gradients a step.
        light: Share of the longer side over which a difference that many pixels share is taken
            for a change of light, and not matched; 0 matches all.
    """

    cells: int = 12
    sweeps: tuple[int, ...] = (1, 2, 3, 4)
    first: float = 3e-3
    second: float = 2e-4
    steadiness: float = 3e-3
    noise: float = 0.06
    iterations: int = 8
    light: float = 0.0


@dataclass(frozen=True)
class Slopes:
    """A picture and its slopes along x and y."""

    picture: Colours
    along_x: Colours
    along_y: Colours

    @classmethod
    def of(cls, picture: Colours) -> Slopes:
        """Differentiate a picture by central differences."""
        kernel = np.array([[-0.5, 0, 0.5]], np.float32)
        one = np.ones((1, 1), np.float32)
        along_x = cv2.sepFilter2D(picture, -1, kernel, one, borderType=cv2.BORDER_REPLICATE)
        along_y = cv2.sepFilter2D(picture, -1, one, kernel, borderType=cv2.BORDER_REPLICATE)
        return cls(picture, np.asarray(along_x), np.asarray(along_y))


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a frame's step is made from.

    Attributes:
        frame: Its colours in [0, 1].
        base: P₀, in canonical pixels.
        weight: w, how much each pixel counts.
        followed: R̂, in pixels.
        trust: v, how far it is trusted, in [0, 1].
    """

    frame: Colours
    base: Field
    weight: Confidence
    followed: Field
    trust: Confidence


def robust(difference: Colours, noise: float) -> Confidence:
    """Return Huber's weights by the largest difference over the channels."""
    channels = np.abs(difference)
    largest = np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])
    return np.asarray(np.minimum(1, noise / np.maximum(largest, _LEAST)), np.float32)


def stepped(
    over: SplineGrid,
    smoothness: Smoothness,
    controls: Controls,
    slopes: Slopes,
    sight: Sight,
    settings: SplineSettings,
) -> Controls:
    """Return the controls after one step."""
    residual = over.field(controls)
    places = sight.base + np.moveaxis(residual, 0, -1)
    difference = sample(slopes.picture, places) - sight.frame
    if settings.light > 0:
        trusted = sight.weight * robust(difference, settings.noise)
        difference = difference - _smooth(difference, trusted, settings.light * max(over.size))
    x, y = sample(slopes.along_x, places), sample(slopes.along_y, places)
    weight = sight.weight * robust(difference, settings.noise)
    hold = np.float32(settings.steadiness) * sight.trust
    squares = np.stack((weight * _dot(x, x) + hold, weight * _dot(y, y) + hold))
    cross = weight * _dot(x, y)
    away = residual - np.moveaxis(sight.followed, -1, 0)
    slope = np.stack((_dot(x, difference), _dot(y, difference))) * weight + hold * away

    def curved(direction: Controls) -> Controls:
        field = over.field(direction)
        image = squares * field + cross * field[::-1]
        return np.asarray(over.gathered(image) + smoothness.applied(direction))

    scale = over.gathered_squares(squares) + smoothness.diagonal() + np.float32(_LEAST)
    wanted = -over.gathered(slope) - smoothness.applied(controls)
    step = _conjugate_gradients(curved, wanted, scale, settings.iterations)
    farthest = float(np.abs(over.field(step)).max())
    return np.asarray(controls + step * np.float32(min(1.0, LONGEST_STEP / max(farthest, _LEAST))))


def _smooth(difference: Colours, weight: Confidence, width: float) -> Colours:
    """Return the weighted mean of a difference around each pixel."""
    total = cv2.GaussianBlur(difference * weight[..., None], (0, 0), width)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), width), np.float32(_FEW))
    return np.asarray(total / np.asarray(share)[..., None], np.float32)


def _dot(first: Colours, second: Colours) -> Confidence:
    product: Confidence = np.einsum("hwc,hwc->hw", first, second)
    return product


def _conjugate_gradients(
    applied: Callable[[Controls], Controls], right: Controls, scale: Controls, iterations: int
) -> Controls:
    """Solve a symmetric system roughly, from 0, preconditioned by its diagonal."""
    answer = np.zeros_like(right)
    left = right.copy()
    direction = left / scale
    size = float((left * direction).sum())
    for _ in range(iterations):
        image = applied(direction)
        along = float((direction * image).sum())
        if along <= 0 or size <= 0:
            break
        length = np.float32(size / along)
        answer += length * direction
        left -= length * image
        fresh = left / scale
        new = float((left * fresh).sum())
        direction = fresh + np.float32(new / size) * direction
        size = new
    return answer
