"""Drawing scenes: which objects, of which colours and patterns, where, on what ground."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, Float64, Int64

from image_core.colour import lch_to_lab, oklab_to_srgb
from image_core.errors import InvalidInput
from pocket.flat.draws import uniforms
from pocket.flat.layout import draws_needed, place_objects
from pocket.flat.scenes import Scenes
from pocket.flat.settings import SLOTS, FlatSettings, Split, check_split
from pocket.flat.words import COLOURS, GROUNDS, PATTERNS, SHAPES

_TWINS = 0.3  # share of scenes whose second object has the first one's shape: "the left circle"
# share of big objects in scenes of 1 to 4: many big ones do not fit
_BIG_SHARES = np.array([0.6, 0.5, 0.35, 0.25])
_TURN = 0.15  # radians either way
_TONE = 0.08  # share by which an object is lighter or darker
_PITCH = (3.2, 4.2)  # cycles in a half-width: stripes of 4 to 5 pixels of 64
_GROUND_PITCH = (3.0, 5.5)  # cycles across the picture
_WAVE_PITCH = (1.5, 2.2)  # the same, of a wavy ground's waves
# OKLCh of the ground: lightness, chroma, and how much lighter or darker its second tone is
_LIGHTNESS, _CHROMA, _CONTRAST = (0.62, 0.86), (0.0, 0.032), (0.09, 0.15)


def sample_scenes(
    split: Split,
    *,
    seed: int = 0,
    start: int = 0,
    count: int,
    settings: FlatSettings | None = None,
) -> Scenes:
    """Draw the scenes ``start`` … ``start + count - 1`` of a stream.

    A scene depends on (split, seed, its number, settings) alone, not on the batch.

    Args:
        split: ``train``, ``validation`` or ``test``: disjoint streams.
        seed: 0 or more; another one is another stream.
        start: Number of the first scene.
        count: How many.
        settings: What they are drawn from; the full world where left out.

    Raises:
        InvalidInput: A number is negative, there is no such split, or held-out pairs are asked for
            in the training stream.
    """
    settings = settings or FlatSettings()
    check_split(split)
    if min(seed, start, count) < 0:
        raise InvalidInput(
            f"a negative number in seed {seed}, start {start}, count {count}",
            hint="Take 0 or more.",
        )
    if split == "train" and settings.pairs == "held-out":
        raise InvalidInput(
            "held-out pairs are not for training", hint="Take the validation or the test split."
        )
    index = np.arange(start, start + count, dtype=np.int64)
    slots = uniforms(split, seed, "scene", index, SLOTS * _SLOT_DRAWS + _SCENE_DRAWS)
    shared, per_slot = (
        slots[:, :_SCENE_DRAWS],
        slots[:, _SCENE_DRAWS:].reshape(count, SLOTS, _SLOT_DRAWS),
    )
    number = np.floor(shared[:, 0] * settings.most_objects).astype(np.int64)
    present = np.arange(SLOTS) <= number[:, None]
    colour, shape = _pairs(settings, shared[:, 1], per_slot[..., _TRAITS:])
    wanted = per_slot[..., 0] < _BIG_SHARES[number][:, None]
    layout = uniforms(split, seed, "layout", index, draws_needed())
    big, radius, centres = place_objects(layout, present, wanted, per_slot[..., 1])
    first, second = _tones(shared[:, 2:6])
    return Scenes(
        settings=settings,
        split=split,
        seed=seed,
        index=index,
        present=present,
        colour=colour,
        shape=shape,
        pattern=_patterns(per_slot[..., 2], settings.patterned),
        big=big,
        radius=radius,
        x=centres[..., 0],
        y=centres[..., 1],
        turn=_between(per_slot[..., 3], -_TURN, _TURN),
        tone=_between(per_slot[..., 4], 1 - _TONE, 1 + _TONE),
        grain=_between(per_slot[..., 5], 0, math.pi),
        pitch=_between(per_slot[..., 6], *_PITCH),
        phase=_between(per_slot[..., 7], 0, 2 * math.pi),
        ground=np.floor(shared[:, 6] * len(GROUNDS)).astype(np.int64),
        first=first,
        second=second,
        ground_pitch=_between(shared[:, 7], *_GROUND_PITCH),
        ground_grain=_between(shared[:, 8], 0, math.pi),
        ground_phase=_between(shared[:, 9:11], 0, 2 * math.pi),
        wave_pitch=_between(shared[:, 11], *_WAVE_PITCH),
        light=_light(shared[:, 12], shared[:, 13]),
    )


_TRAITS = 8  # draws a slot beside those for its pair
_SLOT_DRAWS = _TRAITS + len(COLOURS) * len(SHAPES)
_SCENE_DRAWS = 14


def _between(
    draws: Float64[np.ndarray, "*n"], low: float, high: float
) -> Float32[np.ndarray, "*n"]:
    return np.asarray(low + (high - low) * draws, dtype=np.float32)


def _pairs(
    settings: FlatSettings,
    twins: Float64[np.ndarray, " n"],
    draws: Float64[np.ndarray, "n 4 pairs"],
) -> tuple[Int64[np.ndarray, "n 4"], Int64[np.ndarray, "n 4"]]:
    """Choose a (colour, shape) pair for each slot, all of a scene different.

    The pair whose draw is the smallest wins; what must not win has its draw raised.
    """
    all_pairs = [(colour, shape) for colour in range(len(COLOURS)) for shape in range(len(SHAPES))]
    colours, shapes = np.array(all_pairs, dtype=np.int64).T
    banned = {
        pairs: np.array([pair not in settings.pair_list(pairs) for pair in all_pairs])
        for pairs in ("seen", "held-out")
    }
    chosen = np.zeros(draws.shape[:2], dtype=np.int64)
    taken = np.zeros((len(draws), len(all_pairs)), dtype=bool)
    rows = np.arange(len(draws))
    for slot in range(SLOTS):
        score = draws[:, slot] + 4.0 * (taken | banned[settings.pairs if slot == 0 else "seen"])
        if slot == 1:
            other_shape = shapes[None] != shapes[chosen[:, :1]]
            score = score + other_shape * (twins < _TWINS)[:, None]
        chosen[:, slot] = score.argmin(axis=1)
        taken[rows, chosen[:, slot]] = True
    return colours[chosen], shapes[chosen]


def _patterns(draws: Float64[np.ndarray, "n 4"], share: float) -> Int64[np.ndarray, "n 4"]:
    which = np.floor(draws / max(share, 1e-9) * (len(PATTERNS) - 1)).astype(np.int64) + 1
    return np.where(draws < share, np.minimum(which, len(PATTERNS) - 1), 0)


def _tones(
    draws: Float64[np.ndarray, "n 4"],
) -> tuple[Float32[np.ndarray, "n 3"], Float32[np.ndarray, "n 3"]]:
    """Draw the two muted tones of a ground; the second is the darker one."""
    lightness = _between(draws[:, 0], *_LIGHTNESS)
    chroma = _between(draws[:, 1], *_CHROMA)
    hue = _between(draws[:, 2], 0, 360)
    darker = lightness - _between(draws[:, 3], *_CONTRAST)
    # one product a scene: BLAS rounds a product of many rows by how many there are
    lch = np.stack([np.stack([one, chroma, hue], axis=1) for one in (lightness, darker)], axis=1)
    tones = oklab_to_srgb(lch_to_lab(lch))
    return tones[:, 0], tones[:, 1]


def _light(
    direction: Float64[np.ndarray, " n"], strength: Float64[np.ndarray, " n"]
) -> Float32[np.ndarray, "n 2"]:
    angle = 2 * math.pi * direction
    length = 0.4 + 0.6 * strength
    light = np.stack([np.cos(angle) * length, np.sin(angle) * length], axis=1)
    return np.asarray(light, dtype=np.float32)
