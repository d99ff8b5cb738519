"""The stages: batches of different sizes, steps on top of each other, outcomes per image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from image_core import LocalEditor
from image_core.errors import InvalidInput, NonFiniteOutput, TargetNotFound, UnsupportedEdit
from image_core.types import (
    Capabilities,
    Edit,
    EditPlan,
    EditStep,
    Location,
    Region,
    RegionHint,
    Target,
)


class Words:
    """Each instruction is one filter step; "it" is a pronoun."""

    def parse(self, instruction, *, caption=None):
        phrase = instruction.split()[-1]
        pronoun = phrase == "it"
        target = Target(pronoun=True) if pronoun else Target(phrase=phrase, noun=phrase)
        step = EditStep(instruction=instruction, kind="filter", operation="invert", target=target)
        return EditPlan(instruction=instruction, steps=(step,), processor="words")


class FindsNothing:
    def ground(self, images, step):
        return [[] for _ in images]


class CutsTheBox:
    def segment(self, images, detections):
        return [
            [self._region(image, found) for found in row]
            for image, row in zip(images, detections, strict=True)
        ]

    def _region(self, image, found):
        alpha = np.zeros(image.shape[:2], np.float32)
        x0, y0, x1, y1 = (int(value) for value in found.box)
        alpha[y0:y1, x0:x1] = 1
        return Region(alpha=alpha)


@dataclass
class Adds:
    """Adds 0.25 everywhere; gives NaN on images keyed 13."""

    capabilities = Capabilities(kinds=frozenset({"filter"}), max_batch=2)
    sizes: list[int] = field(default_factory=list)
    own_region: bool = False

    def prepare(self, step, reference):
        self.reference = [image for batch in reference for image in batch.images]
        return self

    pointwise = True

    def edit(self, work):
        self.sizes.append(len(work.images))
        images = [
            np.full_like(image, np.nan) if key == 13 else image + np.float32(0.25 * work.strength)
            for image, key in zip(work.images, work.keys, strict=True)
        ]
        regions = None
        if self.own_region:
            regions = [Region(alpha=np.tri(*i.shape[:2], dtype=np.float32)) for i in images]
        return Edit(images=images, regions=regions, evaluations=2 * len(images))

    def state_dict(self):
        return {"n": len(self.reference)}

    def load_state_dict(self, state):
        self.reference = [None] * state["n"]


@pytest.fixture
def adds():
    return Adds()


@pytest.fixture
def editor(adds):
    return LocalEditor(
        language=Words(), grounder=FindsNothing(), segmenter=CutsTheBox(), editors={"adds": adds}
    )


def _images():
    return [np.zeros((6, 8, 3), np.float32), np.full((3, 5, 3), 0.5, np.float32)] * 2


BOX = RegionHint(boxes=((1.0, 1.0, 3.0, 3.0),))


def _run(editor, images, hints=None, keys=None, then=(), **options):
    plan = editor.plan("invert this", then=then)
    hints = hints or [BOX] * len(images)
    locations = editor.locate(images, plan, hints)
    keys = keys or list(range(len(images)))
    prepared = editor.prepare(plan, images, locations, keys=keys)
    return editor.apply(prepared, images, locations, keys=keys, **options)


def test_images_of_different_sizes_are_edited_in_their_boxes_only(editor, adds):
    images = _images()
    for image, result in zip(images, _run(editor, images), strict=True):
        expected = image.copy()
        expected[1:3, 1:3] += 0.25
        assert np.array_equal(result.image, expected)
        assert result.evaluations == 2
    assert adds.sizes == [2, 2]


def test_locating_gives_one_outcome_per_image(editor):
    images = _images()[:2]
    outcomes = editor.locate(images, editor.plan("invert chair"), [BOX, None])
    assert isinstance(outcomes[0], Location)
    assert isinstance(outcomes[1], TargetNotFound)


def test_a_non_finite_image_fails_alone(editor):
    results = _run(editor, _images(), keys=[0, 13, 2, 3])
    assert isinstance(results[1], NonFiniteOutput)
    assert all(not isinstance(results[n], Exception) for n in (0, 2, 3))


def test_later_turns_edit_what_earlier_ones_made_and_it_is_the_same_thing(editor):
    images = _images()[:1]
    plan = editor.plan("invert chair", then=["invert it"])
    assert plan.steps[1].target.noun == "chair"
    result = _run(editor, images, then=["invert it"])[0]
    assert result.image[1, 1, 0] == pytest.approx(0.5)
    assert result.evaluations == 4


def test_preparing_a_later_step_sees_the_earlier_ones_pixels(editor, adds):
    _run(editor, _images()[:1], then=["invert it"])
    assert adds.reference[0][1, 1, 0] == pytest.approx(0.25)


def test_a_rendering_is_laid_over_the_original(editor):
    rendering, original = np.full((2, 6, 8, 3), 0.0, np.float32)
    original[:] = 0.9
    result = _run(editor, [rendering], composite_over=[original], conditions=[original])[0]
    assert result.image[1, 1, 0] == pytest.approx(0.25)
    assert np.array_equal(result.image[4:], original[4:])


def test_strength_reaches_the_editor_and_must_lie_between_0_and_1(editor):
    assert _run(editor, _images()[:1], strength=0.5)[0].image[1, 1, 0] == pytest.approx(0.125)
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInput):
            _run(editor, _images()[:1], strength=bad)


def test_an_edit_that_changes_nothing_is_said(editor):
    assert "changed nothing" in _run(editor, _images()[:1], strength=0.0)[0].warnings[0]


def test_an_editor_s_own_region_is_cut_to_the_user_s():
    editor = LocalEditor(
        language=Words(),
        grounder=FindsNothing(),
        segmenter=CutsTheBox(),
        editors={"adds": Adds(own_region=True)},
    )
    result = _run(editor, _images()[:1])[0]
    assert result.alpha[1:3, 1:3].tolist() == [[1, 0], [1, 1]]
    assert result.alpha.sum() == 3


def test_a_kind_that_no_editor_has_is_unsupported(editor):
    step = EditStep(instruction="add a hat", kind="add", target=Target(phrase="dog", noun="dog"))
    with pytest.raises(UnsupportedEdit):
        editor.editor_for(step)


def test_the_frozen_state_goes_out_and_comes_back(editor, adds):
    images = _images()[:2]
    plan = editor.plan("invert this")
    locations = editor.locate(images, plan, [BOX, BOX])
    prepared = editor.prepare(plan, images, locations, keys=[0, 1])
    assert prepared.pointwise
    state = prepared.state_dict()
    adds.reference = []
    prepared.load_state_dict(state)
    assert len(adds.reference) == 2
