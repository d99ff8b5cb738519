"""Fitting hash fields to a clip of which all is known: a sprite over a still background."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from image_core.errors import InvalidInput  # noqa: E402
from video.flow_types import PairFlow  # noqa: E402
from video.frames import ArrayFrames, Span  # noqa: E402
from video.hash_fit import HashFit, chosen_window, fit_hash  # noqa: E402
from video.hash_samples import Sampler, read_footage  # noqa: E402
from video.hash_settings import FAITHFUL, FIXED  # noqa: E402
from video.warping import grid, sample  # noqa: E402

SIDE, COUNT = 48, 8
FIRST, STEP = np.array([4.0, 14.0], np.float32), np.array([3.3, 1.2], np.float32)


def _texture(size: tuple[int, int], seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).random((size[1], size[0], 3), np.float32)
    smooth = cv2.GaussianBlur(drawn, (0, 0), 1.6)
    low, high = smooth.min(), smooth.max()
    return (smooth - low) / (high - low)


@dataclass(frozen=True)
class Clip:
    """Frames, the sprite's masks, and the true flow."""

    frames: ArrayFrames
    masks: list[np.ndarray]

    @property
    def size(self) -> tuple[int, int]:
        return self.frames.size

    def pair(self, index: int) -> PairFlow:
        flows, trusts = [], []
        for here, there, sign in ((index, index + 1, 1), (index + 1, index, -1)):
            flow = (self.masks[here] > 0.5)[..., None] * STEP * np.float32(sign)
            ends = sample(self.masks[there], grid(self.size) + flow)
            agrees = (ends > 0.5) == (self.masks[here] > 0.5)
            flows.append(flow.astype(np.float32))
            trusts.append(agrees.astype(np.float32))
        return PairFlow(
            forward=flows[0],
            backward=flows[1],
            forward_confidence=trusts[0],
            backward_confidence=trusts[1],
        )

    def region(self, index: int) -> np.ndarray | None:
        return self.masks[index]


def _clip(side: int, count: int) -> Clip:
    """Return a clip whose sprite covers a ninth of it."""
    wide = side // 3
    background, sprite = _texture((side, side), 0), _texture((wide, wide), 1)
    pictures, masks = [], []
    for index in range(count):
        places = grid((side, side)) - FIRST * np.float32(side / SIDE) - STEP * np.float32(index)
        alpha = sample(np.ones((wide, wide), np.float32), places, border="zero")
        shown = sample(sprite, places)
        picture = background + (shown - background) * alpha[..., None]
        pictures.append(np.rint(picture * 255).astype(np.uint8))
        masks.append(alpha)
    return Clip(ArrayFrames(pictures), masks)


CLIP, TINY = _clip(SIDE, COUNT), _clip(16, 3)
SETTINGS = replace(FIXED, steps=70, batch=1536, check_every=35)
QUICK = replace(SETTINGS, steps=9, batch=256, check_every=3)


def _fit(clip: Clip = CLIP, settings: Any = SETTINGS, **options: Any) -> HashFit:
    options = {"regions": clip.region, "device": "cpu"} | options
    return fit_hash(clip.frames, clip, Span(0, len(clip.frames)), settings, **options)


@pytest.fixture(scope="module")
def fit() -> HashFit:
    return _fit()


def _mean_psnr(fit: HashFit) -> float:
    return -10 * math.log10(np.mean([10 ** (-value / 10) for value in fit.psnr]))


def test_the_clip_is_reconstructed(fit: HashFit) -> None:
    assert _mean_psnr(fit) > 30
    assert min(fit.psnr) > 27


def test_the_sprites_path_is_recovered(fit: HashFit) -> None:
    deformation = fit.groups[0].deformation
    reference = deformation.reference
    for index in range(COUNT):
        inner = cv2.erode(CLIP.masks[index], np.ones((5, 5), np.uint8)) > 0.99
        found = (deformation.places(index) - deformation.window.origin)[inner]
        true = grid((SIDE, SIDE))[inner] + STEP * (reference - index)
        assert np.abs(found - true).mean() < 0.5


def test_the_background_lies_still(fit: HashFit) -> None:
    deformation = fit.groups[1].deformation
    for index in (0, COUNT - 1):
        behind = CLIP.masks[index] < 0.01
        moved = deformation.places(index) - deformation.window.origin - grid((SIDE, SIDE))
        assert np.abs(moved[behind]).mean() < 0.2


def test_trust_is_high_within_the_sprite_and_none_outside(fit: HashFit) -> None:
    trust = fit.groups[0].deformation.confidence(3)
    inner = cv2.erode(CLIP.masks[3], np.ones((5, 5), np.uint8)) > 0.99
    assert np.median(trust[inner]) > 0.8
    assert trust[CLIP.masks[3] == 0].max() == 0


def test_a_canonical_pixel_of_the_sprite_is_covered_by_every_frame(fit: HashFit) -> None:
    canonical = fit.groups[0].canonical
    middle = FIRST + STEP * fit.groups[0].deformation.reference + SIDE // 6
    x, y = (middle + canonical.window.origin).astype(int)
    around = canonical.coverage[y - 3 : y + 4, x - 3 : x + 4]
    assert around.mean() == pytest.approx(COUNT, abs=1)
    assert canonical.coverage.sum() <= sum(mask.sum() for mask in CLIP.masks) + 1


def test_a_colour_painted_on_the_canonical_sprite_follows_it(fit: HashFit) -> None:
    group = fit.groups[0]
    painted = np.zeros(group.canonical.picture.shape[:2], np.float32)
    reference = group.deformation.reference
    corner = FIRST + STEP * reference + group.canonical.window.origin
    x, y = np.rint(corner + 6).astype(int)
    painted[y : y + 10, x : x + 10] = 1
    for index in (0, COUNT - 1):
        carried = sample(painted, group.deformation.places(index), border="zero")
        carried = carried * (CLIP.masks[index] > 0.5)
        centre = (grid((SIDE, SIDE)) * carried[..., None]).sum(axis=(0, 1)) / carried.sum()
        true = np.array([x, y]) + 4.5 - group.canonical.window.origin + STEP * (index - reference)
        assert np.abs(centre - true).max() < 0.7
        assert carried.sum() == pytest.approx(100, rel=0.15)


def test_the_same_seed_gives_the_same_bits_and_another_other_ones() -> None:
    first, again, other = _fit(TINY, QUICK), _fit(TINY, QUICK), _fit(TINY, QUICK, seed=1)
    assert first.psnr == again.psnr != other.psnr
    for one, two in zip(first.groups, again.groups, strict=True):
        assert np.array_equal(one.canonical.picture, two.canonical.picture)
        assert np.array_equal(one.deformation.places(2), two.deformation.places(2))


class _Stopped(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    kept = tmp_path / "fit.pt"

    def stop(done: int, steps: int) -> None:
        if done == 5:
            raise _Stopped

    with pytest.raises(_Stopped):
        _fit(TINY, QUICK, checkpoint=kept, progress=stop)
    told: list[int] = []
    resumed = _fit(TINY, QUICK, checkpoint=kept, progress=lambda done, steps: told.append(done))
    assert told[0] == 4  # the last check was after three
    whole = _fit(TINY, QUICK)
    assert resumed.psnr == whole.psnr
    assert resumed.held_out_psnr == whole.held_out_psnr
    assert np.array_equal(resumed.groups[0].canonical.picture, whole.groups[0].canonical.picture)


@pytest.mark.parametrize("damage", ["cut", "text", "other"])
def test_a_checkpoint_of_no_use_is_left_aside(tmp_path: Path, damage: str) -> None:
    quick = replace(QUICK, steps=2, check_every=1)
    kept = tmp_path / "fit.pt"
    _fit(TINY, quick, checkpoint=kept, seed=5 if damage == "other" else 0)
    data = kept.read_bytes()
    if damage != "other":
        kept.write_bytes({"cut": data[: len(data) // 2], "text": b"no"}[damage])
    told: list[int] = []
    fit = _fit(TINY, quick, checkpoint=kept, progress=lambda done, steps: told.append(done))
    assert told == [1, 2]
    assert fit.psnr == _fit(TINY, quick).psnr


def test_a_group_that_is_never_seen_leaves_everything_finite() -> None:
    """The brief's check 8, for all frames and through the whole training."""
    nothing = Clip(TINY.frames, [np.zeros((16, 16), np.float32)] * 3)
    fit = _fit(nothing, QUICK)
    for group in fit.groups:
        assert all(torch.isfinite(value).all() for value in group.deformation.fields.parameters())
        assert np.isfinite(group.canonical.picture).all()
    assert fit.groups[0].canonical.coverage.sum() == 0
    assert np.isfinite(fit.psnr).all()


@pytest.mark.parametrize("count", [1, 2])
def test_a_shot_of_one_or_two_frames_is_fitted(count: int) -> None:
    fit = fit_hash(TINY.frames, TINY, Span(0, count), replace(QUICK, steps=40), device="cpu")
    assert len(fit.psnr) == count
    assert fit.groups[0].deformation.places(0).shape == (16, 16, 2)
    assert _mean_psnr(fit) > 15


def test_the_faithful_settings_train_whole_frames_of_a_group_each() -> None:
    small = replace(
        FAITHFUL,
        steps=2,
        canonical=replace(FAITHFUL.canonical, log2_size=10),
        deformation=replace(FAITHFUL.deformation, log2_size=10),
    )
    fit = _fit(TINY, small)
    assert fit.steps == 2
    window = fit.groups[0].deformation.window
    assert (window.left, window.top, window.right, window.bottom) == (5, 5, 5, 5)


def test_training_stops_when_held_out_pixels_cease_to_gain() -> None:
    frozen = replace(QUICK, steps=500, check_every=2, patience=3, table_rate=0.0, rate=0.0)
    fit = _fit(TINY, frozen)
    assert fit.steps == 2 * 4
    assert len(fit.held_out_psnr) == 4


def test_a_span_or_reference_outside_is_refused() -> None:
    with pytest.raises(InvalidInput, match="clip of 8"):
        fit_hash(CLIP.frames, CLIP, Span(5, 9))
    with pytest.raises(InvalidInput):
        fit_hash(CLIP.frames, CLIP, Span(5, 5))
    with pytest.raises(InvalidInput, match="reference"):
        fit_hash(CLIP.frames, CLIP, Span(0, 5), reference=7)


def _footage(**options: Any) -> Any:
    options = {"regions": CLIP.region, "chained": True, "held_out": 0.1} | options
    return read_footage(
        CLIP.frames, CLIP, Span(2, 8), 5, seed=0, device=torch.device("cpu"), **options
    )


def test_footage_is_what_was_given_frame_by_frame() -> None:
    shot = _footage()
    assert torch.equal(shot.colours[1], torch.from_numpy(CLIP.frames.rgb(3)))
    front, back = shot.groups
    assert (front.weight.int() + back.weight.int() - 255).abs().max() <= 1  # halves are rounded
    assert np.abs(front.weight[4] / 255 - CLIP.masks[6]).max() < 0.01
    assert not shot.ahead.trust[-1].any()
    assert not shot.back.trust[0].any()
    assert np.allclose(shot.back.flow[2], CLIP.pair(3).backward, atol=2e-3)
    assert shot.held_out.float().mean().item() == pytest.approx(0.1, abs=0.01)
    inner = cv2.erode(CLIP.masks[7], np.ones((7, 7), np.uint8)) > 0.99
    assert np.abs(front.chain.flow[5].numpy()[inner] + 2 * STEP).max() < 0.1


def test_samples_lie_where_the_group_is() -> None:
    shot = _footage()
    sampler = Sampler(shot.groups[0], side=4, pixels=1024, lone=0.5)
    samples = sampler.draw(torch.Generator().manual_seed(0), anywhere=0.0)
    assert samples.rectangles == (32, 4, 4)
    assert len(samples.rows) == len(samples.pixels) == 1024
    assert samples.read(shot.groups[0].weight).float().mean() > 0.6 * 255
    anywhere = sampler.draw(torch.Generator().manual_seed(0), anywhere=1.0)
    assert (
        samples.read(shot.groups[0].weight).float().mean()
        > anywhere.read(shot.groups[0].weight).float().mean() + 100
    )


def test_samples_read_the_pixels_at_their_centres() -> None:
    shot = _footage()
    sampler = Sampler(shot.groups[1], side=3, pixels=500, lone=0.3)
    samples = sampler.draw(torch.Generator().manual_seed(3), anywhere=0.2)
    x, y = samples.centres().long().unbind(dim=1)
    assert torch.equal(samples.read(shot.colours), shot.colours[samples.rows, y, x])
    squares = samples.squares(samples.centres())
    assert torch.equal(
        squares[:, 0, 1] - squares[:, 0, 0], torch.tensor([[1.0, 0.0]]).expand(len(squares), 2)
    )
    assert torch.equal(
        squares[:, 2, 0] - squares[:, 0, 0], torch.tensor([[0.0, 2.0]]).expand(len(squares), 2)
    )


def test_every_pixel_of_a_group_can_be_drawn() -> None:
    shot = _footage(regions=None)
    sampler = Sampler(shot.groups[0], side=4, pixels=4096, lone=0.5)
    seen = np.zeros((6, SIDE * SIDE), bool)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        samples = sampler.draw(generator, anywhere=0.0)
        seen[samples.rows, samples.pixels] = True
    assert seen.mean() > 0.99


def test_the_window_reaches_as_far_as_the_chained_flow_leads() -> None:
    panning = Clip(CLIP.frames, [np.ones((SIDE, SIDE), np.float32)] * COUNT)
    shot = read_footage(
        panning.frames,
        panning,
        Span(0, COUNT),
        4,
        chained=True,
        held_out=0.0,
        seed=0,
        device=torch.device("cpu"),
    )
    window = chosen_window(shot, shot.groups[0], None)
    # from frame 0 it is 4 steps ahead, from the last 3 back; 2 px of slack
    assert window.right == pytest.approx(4 * STEP[0] + 2, abs=2)
    assert window.left == pytest.approx(3 * STEP[0] + 2, abs=2)
    assert window.bottom == pytest.approx(4 * STEP[1] + 2, abs=2)
    assert chosen_window(shot, shot.groups[0], 0.25).size == (72, 72)
