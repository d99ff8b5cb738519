"""Regions from phrases and hints: refusals, several matches, inversion, 8-bit alphas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_core.compositing import on_8_bit_grid
from image_core.errors import AmbiguousTarget, InvalidInput, TargetNotFound
from image_core.grounding import ClassicGrounderConfig
from image_core.locating import locate_step
from image_core.region_hints import check_hint
from image_core.segmentation import GrabCutConfig
from image_core.types import Detection, EditStep, Location, Region, RegionHint, Target

IMAGE = np.zeros((20, 30, 3), np.float32)


def _mask(x0, y0, x1, y1):
    mask = np.zeros((20, 30), np.float32)
    mask[y0:y1, x0:x1] = 1
    return mask


@dataclass
class Finds:
    """A grounder that finds what it is told."""

    detections: list[Detection]

    def ground(self, images, step):
        return [list(self.detections) for _ in images]


class CutsBoxes:
    """A segmenter whose region is the mask or box itself; it cannot cut boxes under 4 pixels."""

    def segment(self, images, detections):
        return [[region for found in row if (region := self._cut(found))] for row in detections]

    def _cut(self, found):
        if found.mask is not None:
            return Region(alpha=found.mask, evidence=found.evidence)
        x0, y0, x1, y1 = (int(v) for v in found.box or (*found.points[0], 0, 0))
        if found.box and (x1 - x0) * (y1 - y0) < 4:
            return None
        return Region(alpha=_mask(x0, y0, x1, y1), evidence=found.evidence)


def _locate_in(images, target, detections=(), hints=None, **changes):
    options = {"instruction": "make it blue", "kind": "recolor", "target": target, **changes}
    return locate_step(
        images,
        EditStep(**options),
        hints or [None] * len(images),
        grounder=Finds(list(detections)),
        segmenter=CutsBoxes(),
        min_confidence=0.5,
    )


def _locate(target, detections=(), hint=None, **changes):
    outcome = _locate_in([IMAGE], target, detections, [hint], **changes)[0]
    if isinstance(outcome, Exception):
        raise outcome
    region, candidates = outcome
    return Location(regions=(region,), candidates=candidates)


def _found(score, x0=0, evidence="colour"):
    return Detection(
        box=(x0, 0, x0 + 5, 5), score=score, mask=_mask(x0, 0, x0 + 5, 5), evidence=evidence
    )


CHAIR = Target(phrase="yellow chair", noun="chair", colours=("yellow",))


def test_the_best_sure_detection_is_the_region():
    location = _locate(CHAIR, [_found(0.9), _found(0.55, 10)])
    assert location.regions[0].alpha.sum() == 25
    assert location.regions[0].confidence == 0.9
    assert len(location.candidates) == 2


def test_an_unsure_detection_is_refused_with_its_evidence():
    with pytest.raises(TargetNotFound, match=r"0\.42.*colour only") as caught:
        _locate(CHAIR, [_found(0.42, evidence="colour only")])
    assert "--box" in caught.value.hint


def test_nothing_found_is_not_found():
    with pytest.raises(TargetNotFound, match="yellow chair"):
        _locate(CHAIR)


def test_two_like_matches_are_ambiguous_and_listed():
    with pytest.raises(AmbiguousTarget) as caught:
        _locate(CHAIR, [_found(0.9), _found(0.8, 10), _found(0.3, 20)])
    assert len(caught.value.candidates) == 2


def test_all_takes_every_sure_match_with_the_lowest_confidence():
    target = Target(phrase="yellow chairs", noun="chair", all=True)
    region = _locate(target, [_found(0.9), _found(0.8, 10), _found(0.3, 20)]).regions[0]
    assert region.alpha.sum() == 50
    assert region.confidence == 0.8


def test_everything_but_the_thing_is_its_complement():
    target = Target(phrase="chair", noun="chair", inverted=True)
    region = _locate(target, [_found(0.9)]).regions[0]
    assert region.alpha.sum() == 20 * 30 - 25
    assert region.alpha[0, 0] == 0


def test_an_instruction_that_names_nothing_needs_a_pointer():
    with pytest.raises(TargetNotFound):
        _locate(Target(pronoun=True))
    box = RegionHint(boxes=((0, 0, 5, 5),))
    assert _locate(Target(pronoun=True), hint=box).regions[0].alpha.sum() == 25


def test_the_whole_image_is_all_of_it():
    assert _locate(Target(), whole_image=True).regions[0].alpha.min() == 1


def test_with_a_hint_the_phrase_is_not_grounded():
    hint = RegionHint(boxes=((3, 3, 7, 7), (10, 10, 12, 12)))
    assert _locate(CHAIR, [], hint).regions[0].alpha.sum() == 16 + 4


def test_a_box_that_cannot_be_cut_is_not_found():
    with pytest.raises(TargetNotFound):
        _locate(CHAIR, [], RegionHint(boxes=((0, 0, 5, 5), (3, 3, 4, 4))))


def test_a_box_over_the_border_is_clipped():
    assert _locate(CHAIR, [], RegionHint(boxes=((-5, -5, 4, 4),))).regions[0].alpha.sum() == 16


def test_a_mask_keeps_its_support_and_is_not_inverted():
    hint = RegionHint(mask=_mask(2, 2, 12, 12))
    region = _locate(Target(phrase="chair", noun="chair", inverted=True), [], hint).regions[0]
    assert np.array_equal(region.alpha > 0, hint.mask > 0)
    assert region.alpha.min() == 0
    assert region.alpha[2, 2] < region.alpha[7, 7] == 1


def test_a_removal_takes_the_whole_support_and_a_little_around_it():
    box = RegionHint(boxes=((10, 8, 16, 12),))
    alpha = _locate(Target(pronoun=True), hint=box, kind="remove").regions[0].alpha
    assert set(np.unique(alpha)) == {0, 1}
    assert alpha[10, 7] == 1
    assert alpha[10, 5] == 0
    mask = RegionHint(mask=_mask(10, 8, 16, 12))
    alpha = _locate(Target(pronoun=True), hint=mask, kind="remove").regions[0].alpha
    assert np.array_equal(alpha, mask.mask)


def test_what_a_removed_thing_stands_on_goes_with_it():
    image = np.full((160, 160, 3), 0.7, np.float32)
    block = np.zeros((160, 160), np.float32)
    block[40:100, 30:120] = 1
    image[block > 0] = (0.8, 0.7, 0.1)
    for left in (36, 104):
        image[100:122, left : left + 4] = 0.05
    chair = Detection(box=(30, 40, 120, 100), score=0.9, mask=block, evidence="colour")

    def alpha_of(kind):
        return _locate_in([image], CHAIR, [chair], kind=kind)[0][0].alpha

    assert alpha_of("remove")[115, 38] == 1
    assert alpha_of("recolor")[115, 38] == 0


def test_each_image_has_its_own_outcome():
    box, outside = RegionHint(boxes=((0, 0, 5, 5),)), RegionHint(boxes=((90, 0, 95, 5),))
    images = [IMAGE, IMAGE, IMAGE]
    outcomes = _locate_in(images, CHAIR, [_found(0.9)], [box, outside, None])
    assert outcomes[0][0].evidence == "the given box"
    assert isinstance(outcomes[1], InvalidInput)
    assert outcomes[2][0].evidence == "colour"


@pytest.mark.parametrize(
    "hint",
    [
        RegionHint(boxes=((5, 5, 5, 9),)),
        RegionHint(boxes=((9, 9, 5, 5),)),
        RegionHint(boxes=((40, 0, 50, 5),)),
        RegionHint(boxes=((0, 0, float("nan"), 5),)),
        RegionHint(boxes=((0, 0, float("inf"), 5),)),
        RegionHint(points=((30, 5),)),
        RegionHint(points=((-1, 5),)),
        RegionHint(not_points=((1, 5),)),
        RegionHint(mask=np.zeros((20, 30), np.float32)),
        RegionHint(mask=np.ones((30, 20), np.float32)),
    ],
)
def test_hints_that_do_not_fit_are_invalid_input(hint):
    with pytest.raises(InvalidInput):
        check_hint(hint, width=30, height=20)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_an_8_bit_file_holds_the_alpha_exactly(values):
    alpha = np.float32([values])
    rounded = on_8_bit_grid(alpha)
    levels = np.rint(rounded * 255).astype(np.uint8)
    assert np.array_equal(levels.astype(np.float32) / np.float32(255), rounded)
    assert np.array_equal(levels > 0, alpha > 0)


def test_an_editor_that_finds_its_own_region_gets_the_picture_where_the_name_leads_nowhere():
    step = EditStep(
        instruction="x", kind="replace", target=Target(phrase="unicorn", noun="unicorn"), value="y"
    )
    image = np.full((40, 50, 3), 0.5, np.float32)
    parts = {
        "grounder": ClassicGrounderConfig().build(),
        "segmenter": GrabCutConfig().build(),
        "min_confidence": 0.5,
    }
    (refused,) = locate_step([image], step, [None], **parts)
    assert isinstance(refused, TargetNotFound)
    ((region, _),) = locate_step([image], step, [None], anywhere=True, **parts)
    assert (region.alpha == 1).all()
    assert region.confidence == 0
    assert "itself" in region.evidence
