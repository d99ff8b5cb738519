"""A carried region stays on its target: behind what passes, at the border, over a break."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from image_core.errors import AmbiguousTarget, InsituError, InvalidInput, TargetNotFound
from image_core.types import Image, Location, Mask, Region
from video.band_cut import cut_open
from video.between import carry_between
from video.fine_alpha import fine_alpha, steadied
from video.flow import Dis
from video.flow_store import FlowStore
from video.frames import ArrayFrames, ScaledFrames, Span
from video.key_frame import best_key, freedom, samples_of
from video.propagate import carry
from video.target_motion import target_motion
from video.warping import grid

SIZE = (160, 120)
FRAMES = 22


def looked_at(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    photo = np.ascontiguousarray(getattr(data, name)())
    photo = np.repeat(photo[..., None], 3, 2) if photo.ndim == 2 else photo[..., :3]
    places = x.astype(np.float32), y.astype(np.float32)
    seen = cv2.remap(photo, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)


def clip(
    count: int = FRAMES, *, post: bool = True, leaves: bool = False
) -> tuple[ArrayFrames, list[Mask]]:
    """A red disc that rolls over a panning photo, behind a post; and where it is seen."""
    width, height = SIZE
    y, x = (np.mgrid[: 2 * height, : 2 * width] + 0.5) / 2 - 0.5
    draws = np.random.default_rng(0)
    pictures, masks = [], []
    for i in range(count):
        picture = looked_at("chelsea", x + 90 + 0.8 * i, y + 60 + 0.3 * i)
        along = 40 + 3.2 * i if not leaves else 118 + 8 * min(i, 24 - i)
        across, down = (x - along) / 22, (y - 60 - 8 * np.sin(i / 6)) / 22
        turn = 0.05 * i
        u = across * np.cos(turn) - down * np.sin(turn)
        v = across * np.sin(turn) + down * np.cos(turn)
        paint = looked_at("coffee", 330 + 70 * u, 170 + 70 * v) * np.float32([0.9, 0.5, 0.5]) + 25
        inside = np.hypot(across, down) < 1
        picture = np.where(inside[..., None], paint, picture)
        left = 112 - 2.5 * i
        hidden = (x > left) & (x < left + 20) & (y > 20) & post
        stone = looked_at("brick", x - left + 60, y) * np.float32([0.8, 0.9, 1])
        picture = np.where(hidden[..., None], stone, picture)
        seen = np.where(hidden, 0, inside).astype(np.float32)
        small = cv2.resize(picture.astype(np.float32), SIZE, interpolation=cv2.INTER_AREA)
        small += draws.normal(0, 2, small.shape)
        pictures.append(np.clip(np.rint(small), 0, 255).astype(np.uint8))
        masks.append(cv2.resize(seen, SIZE, interpolation=cv2.INTER_AREA))
    return ArrayFrames(pictures), masks


def overlap(first: Mask | None, second: Mask) -> float:
    one = np.zeros_like(second) if first is None else first
    either = np.count_nonzero((one > 0.5) | (second > 0.5))
    return np.count_nonzero((one > 0.5) & (second > 0.5)) / max(1, either)


@pytest.fixture(scope="module")
def rolling(tmp_path_factory: pytest.TempPathFactory) -> tuple[ArrayFrames, list[Mask], FlowStore]:
    frames, masks = clip()
    return frames, masks, FlowStore(tmp_path_factory.mktemp("flows"), frames, Dis())


@pytest.fixture(scope="module")
def carried(rolling: tuple[ArrayFrames, list[Mask], FlowStore]) -> dict[int, Mask | None]:
    frames, masks, flows = rolling
    return {c.index: c.alpha for c in carry(frames, flows, Span(0, FRAMES), 0, masks[0])}


def test_the_region_recedes_behind_a_post_and_comes_back(
    rolling: tuple[ArrayFrames, list[Mask], FlowStore], carried: dict[int, Mask | None]
) -> None:
    _, masks, _ = rolling
    assert min(mask.sum() for mask in masks) < 0.45 * masks[0].sum()  # more than half is hidden
    found = [overlap(carried[i], masks[i]) for i in range(FRAMES)]
    assert np.mean(found) > 0.93
    assert min(found) > 0.8


def test_every_alpha_lies_on_the_8_bit_grid_and_has_a_soft_edge_only(
    rolling: tuple[ArrayFrames, list[Mask], FlowStore], carried: dict[int, Mask | None]
) -> None:
    for index in range(1, FRAMES):
        alpha = carried[index]
        assert alpha is not None
        steps = np.rint(alpha * 255).astype(np.float32)
        assert np.array_equal(steps / np.float32(255), alpha)
        inside = (alpha > 0.5).astype(np.uint8)
        rim = cv2.dilate(inside, np.ones((11, 11))) - cv2.erode(inside, np.ones((15, 15)))
        assert np.isin(alpha[rim == 0], (0, 1)).all()


def test_a_run_that_goes_on_gives_the_same_bits(
    rolling: tuple[ArrayFrames, list[Mask], FlowStore], carried: dict[int, Mask | None]
) -> None:
    frames, masks, flows = rolling
    # as an 8-bit file gives them back
    done = {
        i: None if alpha is None else np.rint(alpha * 255).astype(np.uint8) / np.float32(255)
        for i, alpha in carried.items()
        if i <= 13
    }
    rest = {c.index: c.alpha for c in carry(frames, flows, Span(0, FRAMES), 0, masks[0], done=done)}
    assert sorted(rest) == list(range(14, FRAMES))
    for i, alpha in rest.items():
        assert np.array_equal(alpha, carried[i])


def test_from_a_key_in_the_middle_it_goes_both_ways(
    rolling: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    frames, masks, flows = rolling
    told: list[float] = []
    found = list(
        carry(frames, flows, Span(2, 9), 5, masks[5], progress=lambda s, d: told.append(d))
    )
    assert [c.index for c in found] == [5, 6, 7, 8, 4, 3, 2]
    assert found[0].alpha is masks[5]
    assert told[-1] == 1
    assert all(overlap(c.alpha, masks[c.index]) > 0.9 for c in found)
    assert all(c.trust > 0.5 and c.agreement > 0.8 for c in found)


def test_a_target_that_leaves_is_dropped_and_found_where_it_left(tmp_path: Path) -> None:
    frames, masks = clip(24, post=False, leaves=True)
    flows = FlowStore(tmp_path, frames, Dis())
    assert all(masks[i].sum() == 0 for i in range(9, 16))
    found = {c.index: c.alpha for c in carry(frames, flows, Span(0, 24), 0, masks[0])}
    assert all(found[i] is None for i in range(9, 16))
    inside = [i for i in found if masks[i].sum() > 0.2 * masks[0].sum()]
    assert min(overlap(found[i], masks[i]) for i in inside) > 0.8


def test_another_scene_has_no_region(tmp_path: Path) -> None:
    frames, masks = clip(4, post=False)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    other = [looked_at("astronaut", x + 100 + i, y + 40).astype(np.uint8) for i in range(4)]
    both = ArrayFrames([*frames.pictures, *other])
    flows = FlowStore(tmp_path, both, Dis())
    found = {c.index: c.alpha for c in carry(both, flows, Span(0, 8), 0, masks[0])}
    assert all(found[i] is not None for i in range(4))
    assert all(found[i] is None for i in range(4, 8))


def test_a_background_region_grows_with_what_enters_at_the_border(tmp_path: Path) -> None:
    height, width = 90, 120
    pictures, masks = [], []
    for i in range(12):
        y, x = np.mgrid[:height, :width].astype(float)
        ground = y > 45 + 12 * np.sin((x + 4 * i) / 17)
        sky = np.stack((90 + y / 2, 140 + y / 2, 220 + 0 * y), -1)
        sky += 6 * np.sin((x + 4 * i) / 5)[..., None] * np.sin(y / 7)[..., None]
        earth = looked_at("gravel", x + 4 * i, y) * np.float32([0.8, 0.7, 0.4])
        pictures.append(np.clip(np.where(ground[..., None], earth, sky), 0, 255).astype(np.uint8))
        masks.append((~ground).astype(np.float32))
    frames = ArrayFrames(pictures)
    flows = FlowStore(tmp_path, frames, Dis())
    found = {c.index: c.alpha for c in carry(frames, flows, Span(0, 12), 0, masks[0])}
    assert min(overlap(found[i], masks[i]) for i in found) > 0.95


def test_alphas_have_the_frames_full_size(tmp_path: Path) -> None:
    frames, masks = clip(4, post=False)
    flows = FlowStore(tmp_path, ScaledFrames(frames, (91, 68)), Dis())
    found = {c.index: c.alpha for c in carry(frames, flows, Span(0, 4), 0, masks[0])}
    assert all(overlap(found[i], masks[i]) > 0.93 for i in range(4))


@pytest.mark.parametrize(
    ("region", "key", "why"),
    [
        (np.zeros(SIZE[::-1], np.float32), 0, "holds nothing"),
        (np.full(SIZE[::-1], np.nan, np.float32), 0, "holds nothing"),
        (np.ones(SIZE, np.float32), 0, "pixels"),
        (np.ones(SIZE[::-1], np.float32), 3, "not one of the frames"),
    ],
)
def test_a_region_that_does_not_fit_is_refused(
    rolling: tuple[ArrayFrames, list[Mask], FlowStore], region: Mask, key: int, why: str
) -> None:
    frames, _, flows = rolling
    with pytest.raises(InvalidInput, match=why):
        list(carry(frames, flows, Span(0, 3), key, region))


def test_marks_on_several_frames_are_kept_and_met_between(
    rolling: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    frames, masks, flows = rolling
    given = {3: masks[3], 9: masks[9], 40: masks[0]}
    found = {c.index: c.alpha for c in carry_between(frames, flows, Span(1, 12), given)}
    assert sorted(found) == list(range(1, 12))
    assert found[3] is masks[3]
    assert found[9] is masks[9]
    assert min(overlap(found[i], masks[i]) for i in found) > 0.85
    done = {i: found[i] for i in (3, 4, 5)}
    again = {c.index: c.alpha for c in carry_between(frames, flows, Span(1, 12), given, done=done)}
    assert sorted(again) == sorted(set(found) - set(done))
    assert all(np.array_equal(again[i], found[i]) for i in again)
    with pytest.raises(InvalidInput, match="no mask"):
        list(carry_between(frames, flows, Span(15, 18), given))


def test_a_cut_is_the_cheapest_of_all() -> None:
    draws = np.random.default_rng(4)
    picture = draws.integers(0, 255, (3, 4, 3), np.uint8)
    evidence = draws.normal(0, 2, (3, 4)).astype(np.float32)
    fixed = draws.random((3, 4)) > 0.5
    open_ = np.ones((3, 4), bool)
    open_[0, 0] = open_[2, 3] = False

    colours = picture.astype(np.float64)
    pairs = [
        ((r, c), (r + dr, c + dc))
        for r, c in itertools.product(range(3), range(4))
        for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1))
        if 0 <= r + dr < 3 and 0 <= c + dc < 4
    ]
    changes = [((colours[a] - colours[b]) ** 2).sum() for a, b in pairs]
    beta = 1 / (2 * np.mean(changes))
    costs = [
        1.5 * np.exp(-beta * change) / np.hypot(a[0] - b[0], a[1] - b[1])
        for change, (a, b) in zip(changes, pairs, strict=True)
    ]

    def energy(inside: np.ndarray) -> float:
        divided = sum(k for k, (a, b) in zip(costs, pairs, strict=True) if inside[a] != inside[b])
        return float(divided + evidence[open_ & ~inside].sum())

    best = np.inf
    for values in itertools.product((False, True), repeat=int(open_.sum())):
        guess = fixed.copy()
        guess[open_] = values
        best = min(best, energy(guess))
    found = cut_open(picture, evidence, fixed, open_, smoothness=1.5)
    assert energy(found) == pytest.approx(best, abs=0.02)
    assert np.array_equal(found[~open_], fixed[~open_])


def test_nothing_open_changes_nothing() -> None:
    fixed = np.eye(5, dtype=bool)
    nowhere = np.zeros((5, 5), bool)
    picture = np.zeros((5, 5, 3), np.uint8)
    found = cut_open(picture, np.zeros((5, 5), np.float32), fixed, nowhere, smoothness=1.0)
    assert np.array_equal(found, fixed)


def test_a_hidden_part_turns_with_the_part_that_is_seen() -> None:
    places = grid((80, 60)) - np.float32([40, 30])
    turn = np.stack((-0.03 * places[..., 1] + 2, 0.03 * places[..., 0]), axis=-1)
    turn = turn.astype(np.float32)
    extent = (np.hypot(places[..., 0], places[..., 1]) < 20).astype(np.float32)
    visible = extent * (places[..., 0] < -10)  # a narrow strip at its left
    flow = np.where(visible[..., None] > 0, turn, np.float32(-5)).astype(np.float32)
    sure = np.ones_like(extent)
    found = target_motion(flow, sure, visible, extent, turn)
    assert np.abs(found - turn)[extent > 0].max() < 0.3
    nothing = target_motion(flow, sure, 0 * visible, extent, turn)
    assert np.array_equal(nothing, turn)


def test_alphas_follow_the_neighbour_only_as_far_as_flow_is_trusted() -> None:
    alpha = np.zeros((20, 30), np.float32)
    alpha[5:15, 5:15] = 1
    before = np.zeros_like(alpha)
    before[5:15, 7:17] = 1
    flow = np.zeros((20, 30, 2), np.float32)
    flow[..., 0] = 2
    sure = np.ones_like(alpha)
    assert np.array_equal(steadied(alpha, before, (flow, sure), 0.5), alpha)
    assert np.array_equal(steadied(alpha, 0 * before, (flow, 0 * sure), 0.5), alpha)
    half = steadied(alpha, 0 * before, (flow, sure), 0.5)
    assert half[6, 6] == pytest.approx(0.5, abs=1 / 255)
    # a neighbour that is all target leaves nothing far from this frame's own outline
    ghost = steadied(alpha, np.ones_like(alpha), (0 * flow, sure), 0.5)
    assert ghost[10, 16] == pytest.approx(0.5, abs=1 / 255)
    assert (ghost[:, 20:] == 0).all()


def test_an_outline_at_half_size_finds_the_full_frames_edge() -> None:
    picture = np.full((80, 100, 3), 40, np.uint8)
    picture[20:60, 31:72] = 200
    rough = np.zeros((40, 50), bool)
    rough[11:30, 15:37] = True  # off by up to two pixels
    alpha = fine_alpha(picture, rough)
    assert overlap(alpha, (picture[..., 0] > 100).astype(np.float32)) > 0.95
    assert not fine_alpha(picture, np.zeros((40, 50), bool)).any()


def marked(*shares: float, confidence: float = 0.9) -> Location:
    """A region that covers these parts of the picture: left, top, right, bottom."""
    alpha = np.zeros((60, 80), np.float32)
    left, top, right, bottom = shares
    rows = slice(round(60 * top), round(60 * bottom))
    alpha[rows, round(80 * left) : round(80 * right)] = 1
    return Location(regions=(Region(alpha=alpha, confidence=confidence),))


def numbered(count: int) -> ArrayFrames:
    return ArrayFrames([np.full((60, 80, 3), i, np.uint8) for i in range(count)])


def test_the_key_frame_is_the_one_that_shows_the_target_best() -> None:
    outcomes: dict[int, Location | InsituError] = {
        1: marked(0.4, 0.4, 0.6, 0.6),  # small
        4: marked(0, 0.1, 0.5, 0.9),  # large, cut off
        7: marked(0.3, 0.15, 0.75, 0.9),  # large and free
        10: marked(0.3, 0.15, 0.75, 0.9, confidence=0.6),
        13: TargetNotFound("not here"),
    }

    def locate(images: Sequence[Image]) -> list[Location | InsituError]:
        return [outcomes[round(float(image[0, 0, 0]) * 255)] for image in images]

    span = Span(0, 15)
    assert samples_of(span, 5) == sorted(outcomes)
    found = best_key(numbered(15), span, locate, samples=5)
    assert found.index == 7
    assert found.location is outcomes[7]
    assert 0 < found.quality <= 0.9


def test_a_target_seen_nowhere_raises_what_was_said_most_often() -> None:
    errors = iter([AmbiguousTarget("two"), TargetNotFound("a"), TargetNotFound("b")])
    with pytest.raises(TargetNotFound, match="a"):
        best_key(numbered(3), Span(0, 3), lambda images: [next(errors) for _ in images])


def test_samples_are_spread_and_never_more_than_there_are() -> None:
    assert samples_of(Span(3, 5), 9) == [3, 4]
    assert samples_of(Span(10, 20), 1) == [15]
    with pytest.raises(InvalidInput):
        samples_of(Span(0, 5), 0)


def test_a_region_on_the_border_is_less_free() -> None:
    free, cut, full = np.zeros((3, 40, 40), np.float32)
    free[10:30, 10:30] = 1
    cut[10:30, :20] = 1
    full[:] = 1
    assert freedom(free) == 1
    assert freedom(full) <= freedom(cut) < 1
    assert freedom(0 * free) == 0
