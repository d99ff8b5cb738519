"""The clip's sound: a slow run of tones over soft noise, different on the left and on the right."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

RATE = 48_000
"""Samples a second."""

Sound = Float32[np.ndarray, "2 n"]

_TONES = (220.0, 277.2, 329.6, 440.0, 329.6, 277.2)  # A major, in hertz
_BEAT = 0.4  # seconds a tone
_LOUD, _SOFT = 0.2, 0.01  # of full scale: the tone's peak, the noise's standard deviation
_SWELL = 0.03  # seconds in which a tone comes and goes


def sound(start: int, stop: int, *, seed: int) -> Sound:
    """Make a stretch of the sound.

    Args:
        start: Its first sample, counted from the clip's beginning.
        stop: The one after its last.
        seed: Keys the noise.

    Returns:
        Left and right, in [-1, 1].
    """
    time = np.arange(start, stop) / RATE
    beat = (time / _BEAT).astype(np.int64)
    within = time - beat * _BEAT
    swell = np.clip(np.minimum(within, _BEAT - within) / _SWELL, 0, 1)
    sides = []
    for ahead in (0, 2):
        pitch = np.array(_TONES)[(beat + ahead) % len(_TONES)]
        sides.append(_LOUD * swell * np.sin(2 * np.pi * pitch * within))
    generator = np.random.default_rng([seed, 3, start])
    noise = generator.standard_normal((2, stop - start), dtype=np.float32)
    return np.asarray(np.stack(sides) + _SOFT * noise, dtype=np.float32)
