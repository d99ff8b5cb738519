"""The grounds: two muted tones, and where the second one shows."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

from pocket.flat.scenes import Scenes
from pocket.flat.words import GROUNDS

Shares = Float32[np.ndarray, "n h w"]

_STEER = 0.12  # share of the grain by which checks and dots are turned: they stay about upright
_BEND = 1.6  # radians by which waves bend their stripes: below 1 they would look straight
_DOT = 0.5  # cos + cos above which a dot is: about a quarter of the ground
_LIT = 0.07  # share by which the light makes the ground lighter or darker at its borders


def ground(scenes: Scenes, size: int) -> Float32[np.ndarray, "n 3 h w"]:
    """Render the grounds alone, sRGB in [0, 1], channels first."""
    steps = (2 * np.arange(size, dtype=np.float32) + 1) / np.float32(size) - 1
    share = np.zeros((len(scenes), size, size), dtype=np.float32)
    for kind, name in enumerate(GROUNDS):
        rows = np.flatnonzero(scenes.ground == kind)
        if len(rows) and name != "plain":
            share[rows] = _SHARES[name](scenes[rows], steps)
    light = scenes.light[:, :, None, None]
    lit = 1 + np.float32(_LIT) * (light[:, 0] * steps + light[:, 1] * steps[:, None])
    first, second = scenes.first[..., None, None], scenes.second[..., None, None]
    return np.asarray((first + share[:, None] * (second - first)) * lit[:, None])


def _along(
    scenes: Scenes, steps: Float32[np.ndarray, " w"], angle: Float32[np.ndarray, " n"], phase: int
) -> Shares:
    """Return the phase in radians of a wave that runs at an angle, which is 0 for rightwards."""
    pitch = np.float32(math.pi) * scenes.ground_pitch
    across = (pitch * np.cos(angle))[:, None, None] * steps
    down = (pitch * np.sin(angle))[:, None, None] * steps[:, None]
    return np.asarray(across + down + scenes.ground_phase[:, phase, None, None])


def _edge(scenes: Scenes, steps: Float32[np.ndarray, " w"]) -> Float32[np.ndarray, "n 1 1"]:
    """Return by how much a wave must be steepened for its edges to be a pixel wide."""
    slope = 2 * math.pi * scenes.ground_pitch / len(steps)
    return (1 / slope)[:, None, None].astype(np.float32)


def _sharp(wave: Shares, edge: Float32[np.ndarray, "n 1 1"]) -> Shares:
    return np.asarray(np.clip(np.float32(0.5) + wave * edge, 0, 1))


def _striped(scenes: Scenes, steps: Float32[np.ndarray, " w"]) -> Shares:
    wave = np.sin(_along(scenes, steps, scenes.ground_grain, 0))
    return _sharp(wave, _edge(scenes, steps))


def _both(scenes: Scenes, steps: Float32[np.ndarray, " w"]) -> tuple[Shares, Shares]:
    angle = np.float32(_STEER) * (scenes.ground_grain - np.float32(math.pi / 2))
    return (
        np.cos(_along(scenes, steps, angle, 0)),
        np.cos(_along(scenes, steps, angle + np.float32(math.pi / 2), 1)),
    )


def _checkered(scenes: Scenes, steps: Float32[np.ndarray, " w"]) -> Shares:
    across, down = _both(scenes, steps)
    return _sharp(across * down, _edge(scenes, steps))


def _dotted(scenes: Scenes, steps: Float32[np.ndarray, " w"]) -> Shares:
    across, down = _both(scenes, steps)
    return _sharp(across + down - np.float32(_DOT), _edge(scenes, steps))


def _wavy(scenes: Scenes, steps: Float32[np.ndarray, " w"]) -> Shares:
    turn = np.float32(math.pi / 2) + np.float32(_STEER) * (
        scenes.ground_grain - np.float32(math.pi / 2)
    )
    waves = (np.float32(math.pi) * scenes.wave_pitch)[:, None, None] * steps
    bend = np.float32(_BEND) * np.sin(waves + scenes.ground_phase[:, 1, None, None])
    wave = np.sin(_along(scenes, steps, turn, 0) + bend)
    return _sharp(wave, _edge(scenes, steps))


_SHARES = {"striped": _striped, "checkered": _checkered, "dotted": _dotted, "wavy": _wavy}
