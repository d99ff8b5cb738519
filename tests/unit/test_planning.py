"""From turns to one plan: captions in the user's hand, "it" in later turns, and who spoke."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from image_core.editors import ClassicConfig
from image_core.errors import InstructionNotUnderstood, InvalidInput
from image_core.grounding import ClassicGrounderConfig
from image_core.instructions import RulesConfig
from image_core.local_editor import LocalEditor
from image_core.local_editor_config import LocalEditorConfig
from image_core.planning import given_captions, plan_from_captions, plan_of_turns
from image_core.segmentation import GrabCutConfig
from image_core.types import EditPlan, EditStep, Target

BOTH = ("source_caption=a yellow chair", "edited_caption=a blue sofa")
CAPTIONS = ("a yellow chair", "a blue sofa")


@dataclass
class Listening:
    """A language processor that knows one answer and remembers what it was asked."""

    name: str = "listening"
    heard: list[tuple[str, str | None]] = field(default_factory=list)

    def parse(self, instruction: str, *, caption: str | None = None) -> EditPlan:
        self.heard.append((instruction, caption))
        step = EditStep(instruction=instruction, kind="replace", target=Target(phrase="chair"))
        return EditPlan(instruction=instruction, steps=(step,), processor=self.name)


def editor(language: Listening, *options: str) -> LocalEditor:
    return LocalEditor(
        language=language,
        grounder=ClassicGrounderConfig().build(),
        segmenter=GrabCutConfig().build(),
        editors={"classic": ClassicConfig().build()},
        config=LocalEditorConfig(editor="given", editor_options=options),
    )


def test_with_both_captions_given_no_language_processor_is_asked() -> None:
    language = Listening()
    plan = editor(language, *BOTH).plan("do the magic", image=np.zeros((4, 4, 3), np.float32))
    assert language.heard == []
    assert (plan.steps[0].source_caption, plan.steps[0].edited_caption) == CAPTIONS
    assert plan.processor == "captions given"


def test_an_edited_caption_may_stand_alone() -> None:
    assert given_captions(BOTH[1:]) == ("", CAPTIONS[1])


@pytest.mark.parametrize("options", [(), BOTH[:1], (BOTH[0], "edited_caption=  ")])
def test_without_an_edited_caption_the_language_processor_is_asked(
    options: tuple[str, ...],
) -> None:
    language = Listening()
    assert editor(language, *options).plan("do the magic").processor == "listening"
    assert language.heard == [("do the magic", None)]
    assert given_captions(options) is None


def test_given_captions_are_found_among_other_options_and_trimmed() -> None:
    options = ("steps=20", "source-caption= a yellow chair ", BOTH[1])
    assert given_captions(options) == CAPTIONS


def test_what_the_words_say_of_kind_and_target_stays_beside_given_captions() -> None:
    plan = plan_from_captions(["make the yellow chair blue"], CAPTIONS)
    (step,) = plan.steps
    assert (step.kind, step.target.noun, step.value) == ("recolor", "chair", "blue")
    assert (step.source_caption, step.edited_caption) == CAPTIONS


@pytest.mark.parametrize(
    "words", ["xyzzy plugh", "make the chair blue and remove the lamp", "chair -> sofa"]
)
def test_words_that_are_no_single_edit_become_a_replacement_of_what_is_pointed_at(
    words: str,
) -> None:
    plan = plan_from_captions([words], CAPTIONS)
    (step,) = plan.steps
    assert (step.kind, step.target.pronoun, step.instruction) == ("replace", True, words)
    assert (step.source_caption, step.edited_caption) == CAPTIONS


def test_several_turns_cannot_share_given_captions() -> None:
    with pytest.raises(InvalidInput, match="several turns") as caught:
        editor(Listening(), *BOTH).plan("make the chair blue", then=["now bigger"])
    assert caught.value.hint


def test_an_empty_instruction_is_refused_with_captions_too() -> None:
    with pytest.raises(InvalidInput):
        plan_from_captions(["  "], CAPTIONS)


def test_each_turn_is_read_in_order_and_with_the_caption() -> None:
    language = Listening()
    plan = plan_of_turns(language, ["first", "second"], "a room")
    assert language.heard == [("first", "a room"), ("second", "a room")]
    assert [step.instruction for step in plan.steps] == ["first", "second"]
    assert plan.instruction == "first"


def test_it_in_a_later_turn_is_what_the_turn_before_was_about() -> None:
    rules = RulesConfig().build()
    plan = plan_of_turns(rules, ["make the red car blue", "blur it", "remove it"], None)
    assert [step.target.noun for step in plan.steps] == ["car", "car", "car"]
    assert not any(step.target.pronoun for step in plan.steps)


def test_it_after_the_whole_picture_stays_open() -> None:
    plan = plan_of_turns(RulesConfig().build(), ["brighten the picture", "blur it"], None)
    assert plan.steps[0].whole_image
    assert plan.steps[1].target.pronoun or plan.steps[1].whole_image


def test_the_plan_names_everyone_who_spoke() -> None:
    rules, other = RulesConfig().build(), Listening(name="language_model small")

    class Either:
        def parse(self, instruction: str, *, caption: str | None = None) -> EditPlan:
            try:
                return rules.parse(instruction, caption=caption)
            except InstructionNotUnderstood:
                return other.parse(instruction, caption=caption)

    both = plan_of_turns(Either(), ["make the car red", "frobnicate the lamp", "blur it"], None)
    assert both.processor == "rules + language_model small"
    assert replace(both, steps=()).instruction == "make the car red"


def test_a_turn_that_nobody_understands_is_refused() -> None:
    with pytest.raises(InstructionNotUnderstood):
        plan_of_turns(RulesConfig().build(), ["make the car red", "frobnicate the lamp"], None)
