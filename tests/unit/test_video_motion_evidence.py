"""Motion tells what of a region is the background's, and says nothing where it cannot know."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from image_core.types import EditPlan, EditStep, Location, Mask, Region, RegionHint, Target
from video.finding import ShotKey
from video.flow import Dis
from video.flow_store import FlowStore
from video.frames import ArrayFrames, Span
from video.key_motion import freed_key
from video.motion_ahead import ahead_odds
from video.motion_evidence import motion_evidence, without_background
from video.pointing import Pointing

WIDTH, HEIGHT, COUNT = 160, 120, 13
STEP = EditStep(instruction="make it red", kind="recolor", target=Target(pronoun=True))


def looked_at(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    photo = np.ascontiguousarray(getattr(data, name)())[..., :3]
    places = x.astype(np.float32), y.astype(np.float32)
    seen = cv2.remap(photo, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)


def clip(speed: float, pan: float) -> tuple[ArrayFrames, list[Mask]]:
    """A patterned disc that glides before a panned photo; and where it is."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    draws = np.random.default_rng(0)
    pictures, masks = [], []
    for i in range(COUNT):
        picture = looked_at("chelsea", x + 90 + pan * i, y + 60)
        across, down = x - 50 - speed * i, y - 60
        paint = looked_at("coffee", 330 + 2.5 * across, 170 + 2.5 * down)
        inside = np.hypot(across, down) < 24
        picture = np.where(inside[..., None], paint, picture) + draws.normal(0, 1, picture.shape)
        pictures.append(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
        masks.append(inside.astype(np.float32))
    return ArrayFrames(pictures), masks


def with_patch(mask: Mask) -> tuple[Mask, np.ndarray]:
    """Add some background left of the disc, as a cut by colour does; return the patch as well."""
    patch = np.zeros_like(mask)
    patch[48:72, 6:32] = 1
    patch = (patch > 0) & (mask == 0)
    return np.maximum(mask, patch).astype(np.float32), patch


@pytest.fixture(scope="module")
def gliding(tmp_path_factory: pytest.TempPathFactory) -> tuple[ArrayFrames, list[Mask], FlowStore]:
    frames, masks = clip(speed=2.5, pan=0.7)
    return frames, masks, FlowStore(tmp_path_factory.mktemp("flows"), frames, Dis())


def gone(frames: ArrayFrames, flows: FlowStore, region: Mask) -> np.ndarray:
    evidence = motion_evidence(flows, Span(0, COUNT), 0, region)
    return without_background(frames.rgb(0), region, evidence)


def test_what_stays_behind_when_the_target_moves_is_taken_from_its_region(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    frames, masks, flows = gliding
    region, patch = with_patch(masks[0])
    lost = gone(frames, flows, region)
    assert lost[patch].mean() > 0.9
    assert lost[masks[0] > 0].mean() < 0.03


def test_a_region_that_moves_as_a_whole_is_left_alone(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    frames, masks, flows = gliding
    assert not gone(frames, flows, masks[0]).any()


@pytest.mark.parametrize("pan", [0.0, 0.7])
def test_a_target_that_goes_with_the_background_is_left_alone(tmp_path: Path, pan: float) -> None:
    frames, masks = clip(speed=-pan, pan=pan)
    region, _ = with_patch(masks[0])
    flows = FlowStore(tmp_path, frames, Dis())
    assert not gone(frames, flows, region).any()
    odds = ahead_odds(flows, range(1, COUNT), 3, masks[3], np.ones_like(region))
    assert np.abs(odds[masks[3] > 0]).mean() < 0.2


def test_a_thing_of_which_only_a_part_moves_is_left_alone(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    frames, masks, flows = gliding
    region = masks[0].copy()
    region[10:110, 80:150] = 1  # most of it stands still, as one who waves does
    assert not gone(frames, flows, region).any()


def test_ahead_the_target_and_what_it_uncovers_are_told_apart(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    _, masks, flows = gliding
    region, patch = with_patch(masks[2])
    sure = np.where(patch, 0, 1).astype(np.float32)  # nothing is known yet of what has appeared
    odds = ahead_odds(flows, range(1, COUNT), 2, region, sure)
    core = cv2.erode(masks[2], np.ones((7, 7), np.uint8)) > 0
    assert np.median(odds[core]) > 1
    assert np.median(odds[patch]) < -1


def test_at_the_end_of_a_stretch_nothing_is_said(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    _, masks, flows = gliding
    sure = np.ones_like(masks[0])
    assert not ahead_odds(flows, range(1, COUNT), COUNT - 1, masks[-1], sure).any()
    assert not ahead_odds(flows, range(5, -1, -1), 0, masks[0], sure).any()


def freed(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore], step: EditStep, pointing: Pointing
) -> tuple[ShotKey, ShotKey]:
    frames, masks, flows = gliding
    region = Region(alpha=with_patch(masks[0])[0])
    image = frames.rgb(0).astype(np.float32) / np.float32(255)
    location = Location(regions=(region,), candidates=())
    key = ShotKey(span=Span(0, COUNT), index=0, image=image, location=location)
    plan = EditPlan(instruction=step.instruction, steps=(step,), processor="none")
    return key, freed_key(frames, flows, key, plan, pointing)


def test_a_key_frame_loses_the_background_and_keeps_the_rest_of_its_alpha(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    key, found = freed(gliding, STEP, Pointing(hint=RegionHint(boxes=((4.0, 30.0, 80.0, 90.0),))))
    before, after = key.location.regions[0].alpha, found.location.regions[0].alpha
    assert (after <= before).all()
    assert after[50:70, 8:20].max() == 0
    assert np.array_equal(after[:, 50:], before[:, 50:])
    assert np.array_equal(np.rint(after * 255) / np.float32(255), after)


@pytest.mark.parametrize(
    "target", [Target(noun="ball", all=True), Target(noun="ball", inverted=True)]
)
def test_several_things_need_not_move_as_one(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore], target: Target
) -> None:
    step = EditStep(instruction="make all balls red", kind="recolor", target=target)
    key, found = freed(gliding, step, Pointing())
    assert found is key


def test_a_mask_in_the_users_hand_is_never_changed(
    gliding: tuple[ArrayFrames, list[Mask], FlowStore],
) -> None:
    mask = np.ones((HEIGHT, WIDTH), np.float32)
    key, found = freed(gliding, STEP, Pointing(hint=RegionHint(mask=mask)))
    assert found is key
