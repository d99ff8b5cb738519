"""What the rules promise: the plans of known instructions, and a clear refusal of all else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instructions.compare import compare, load, tally

from image_core.colour_names import parse_colour
from image_core.errors import InstructionNotUnderstood, InvalidInput
from image_core.instructions import RulesConfig, segmentation_phrase
from image_core.instructions.text import vocabulary
from image_core.types import EditPlan, EditStep, Target

PROCESSOR = RulesConfig().build()
DEVELOPMENT = load("development") or []
# What the grammar reaches on instructions that were written without knowledge of it.
HELD_OUT_FLOOR = 0.92

WORDS = sorted(
    {word for case in DEVELOPMENT for word in case["instruction"].split()}
    | vocabulary("and , . ; but except between instead of 's 20 % its which wear without \" '")
)


def only_step(instruction: str, caption: str | None = None) -> EditStep:
    plan = PROCESSOR.parse(instruction, caption=caption)
    assert len(plan.steps) == 1
    return plan.steps[0]


@pytest.mark.parametrize("case", DEVELOPMENT, ids=lambda case: case["instruction"][:60])
def test_an_instruction_of_the_development_set_gives_its_plan(case: dict[str, Any]) -> None:
    assert compare(PROCESSOR, case).problems == ()


def test_the_development_set_covers_every_kind() -> None:
    kinds = {step["kind"] for case in DEVELOPMENT for step in case.get("steps", [])}
    assert len(DEVELOPMENT) >= 130
    assert kinds == {
        "recolor", "tone", "filter", "texture", "style", "replace", "add", "remove", "attribute",
    }  # fmt: skip


def test_the_held_out_set_stays_at_what_was_reached() -> None:
    cases = load("held_out")
    if cases is None:
        pytest.skip("the held-out set is not here")
    right, total = tally([compare(PROCESSOR, case) for case in cases])["all"]
    assert right / total >= HELD_OUT_FLOOR


@pytest.mark.parametrize("instruction", ["", " ", "\n\t ", "\u00a0\u2003"])
def test_an_empty_instruction_is_invalid_input(instruction: str) -> None:
    with pytest.raises(InvalidInput, match="the instruction is empty"):
        PROCESSOR.parse(instruction)


@pytest.mark.parametrize(
    "instruction",
    ["make the chair\x00 blue", "make \x1b[31mthe chair blue", "blur\x07", "a\ud800b", "x" * 2001],
)
def test_control_characters_and_overlong_text_are_invalid_input(instruction: str) -> None:
    with pytest.raises(InvalidInput):
        PROCESSOR.parse(instruction)


@pytest.mark.parametrize(
    "instruction",
    [
        "把椅子变成蓝色", "сделай стул синим", "mach den Stuhl blau", "rends la chaise bleue",
        "the chair", "make", "rotate the picture", "how many chairs are there?", "!!!", "🙂", "42",
        "make and and and", "<script>alert(1)</script>", "make the the the",
    ],
)  # fmt: skip
def test_what_is_no_edit_is_refused_with_a_hint(instruction: str) -> None:
    with pytest.raises(InstructionNotUnderstood) as caught:
        PROCESSOR.parse(instruction)
    assert caught.value.hint


def test_the_hint_names_forms_that_are_themselves_understood() -> None:
    with pytest.raises(InstructionNotUnderstood) as caught:
        PROCESSOR.parse("xyzzy")
    assert "“make the <thing> <colour>”" in caught.value.hint
    filled = caught.value.hint.replace("<thing>", "chair").replace("<colour>", "blue")
    assert "make the chair blue" in filled
    assert only_step("make the chair blue").kind == "recolor"


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_ends_in_a_plan_or_a_documented_error(text: str) -> None:
    try:
        plan = PROCESSOR.parse(text)
    except (InvalidInput, InstructionNotUnderstood):
        return
    assert plan.steps


@given(st.lists(st.sampled_from(WORDS), max_size=40))
@settings(max_examples=600, deadline=None)
def test_any_mix_of_known_words_ends_in_a_plan_or_a_documented_error(words: list[str]) -> None:
    try:
        plan: EditPlan = PROCESSOR.parse(" ".join(words))
    except (InvalidInput, InstructionNotUnderstood):
        return
    for step in plan.steps:
        assert step.source_caption
        assert step.edited_caption
        assert step.target.noun or step.target.phrase or step.whole_image or step.target.pronoun


@pytest.mark.parametrize(
    "hostile",
    [
        "and " * 500, "a, " * 660, "the " * 500, "make the chair and " * 100, "'" * 1999,
        "make the " + "very " * 390 + "red", "to " * 660, "of the " * 280, "make " * 390,
        "add a cat and " * 140, "1" * 2000, "with " * 399, "#" * 2000, "but " * 400,
        "make the chair blue. " * 95, "everything but " * 130, "'s " * 600, "% " * 1000,
        "make the chair blue and the table red, " * 50, "replace a with b and " * 90,
    ],
)  # fmt: skip
def test_hostile_repetition_ends(hostile: str) -> None:
    with pytest.raises((InvalidInput, InstructionNotUnderstood)):
        PROCESSOR.parse(hostile[:2000] + " zz qq")


def test_case_quotes_and_courtesy_change_nothing() -> None:
    plain = only_step("make the red car blue")
    said = only_step("Could you PLEASE make the “red car” Blue, for me? Thanks")
    assert said.value.lower() == plain.value
    assert said.target == plain.target


@pytest.mark.parametrize(
    ("instruction", "amount"),
    [
        ("darken the sky", -1.0),
        ("slightly darken the sky", -0.5),
        ("make the sky much darker", -2.0),
        ("increase the contrast by 30 %", 0.6),
        ("reduce the saturation of the sky by 50 percent", -1.0),
        ("make the sky a bit less dark", 0.5),
        ("blur the sky strongly", 2.0),
    ],
)
def test_the_amount_is_signed_and_scaled(instruction: str, amount: float) -> None:
    assert only_step(instruction).amount == pytest.approx(amount)


def test_every_colour_that_a_recolour_names_can_be_read_as_a_colour() -> None:
    for case in DEVELOPMENT:
        for step in case.get("steps", []):
            if step["kind"] == "recolor":
                assert parse_colour(step["value"]) is not None, step["value"]


def test_the_side_that_an_ordinal_counts_from_is_read() -> None:
    assert only_step("remove the second chair from the right").target.ordinal_from == "right"
    assert only_step("remove the second chair").target.ordinal_from == "left"
    assert only_step("remove the third jar from the top").target.ordinal_from == "top"


def test_in_the_background_is_an_attribute_and_no_place() -> None:
    target = only_step("remove the car in the background").target
    assert target.places == ()
    assert target.attributes == ("in the background",)


def test_a_pronoun_means_what_was_named_before() -> None:
    plan = PROCESSOR.parse("Find the red chair. Make it blue and blur it.")
    assert [(step.kind, step.target.noun) for step in plan.steps] == [
        ("recolor", "chair"),
        ("filter", "chair"),
    ]
    assert not any(step.target.pronoun for step in plan.steps)


def test_a_caption_tells_what_it_is() -> None:
    step = only_step("turn it red", caption="Photo of a parrot on a branch.")
    assert step.target.noun == "parrot"
    assert step.edited_caption == "Photo of a red parrot on a branch"
    assert only_step("turn it red").target.pronoun


@pytest.mark.parametrize(
    ("instruction", "source", "edited"),
    [
        ("change the dog to a cat", "photo of a dog", "photo of a cat"),
        ("make the yellow chair blue", "photo of a yellow chair", "photo of a blue chair"),
        ("give the man a hat", "photo of a man", "photo of a man with a hat"),
        ("remove the spoon from the table", "photo of a spoon on the table",
         "photo of an empty table"),
        ("put a boat next to the tower", "photo of a tower", "photo of a boat next to the tower"),
        ("make the cat fluffy", "photo of a cat", "photo of a fluffy cat"),
        ("brighten the lamp", "photo of a lamp", "photo of a bright lamp"),
    ],
)  # fmt: skip
def test_captions_tell_before_and_after(instruction: str, source: str, edited: str) -> None:
    step = only_step(instruction)
    assert (step.source_caption, step.edited_caption) == (source, edited)


def test_a_given_caption_keeps_the_bystanders() -> None:
    step = only_step("change the dog to a fox", caption="photo of a dog and a cat on grass")
    assert step.source_caption == "photo of a dog and a cat on grass"
    assert step.edited_caption == "photo of a fox and a cat on grass"


def test_a_keep_clause_adds_no_step() -> None:
    for tail in (
        " but leave the background as it is", " and keep everything else", ", don't touch the rest",
        " without changing the wall", " while keeping the sky unchanged",
    ):  # fmt: skip
        assert only_step("make the chair blue" + tail).target.noun == "chair"


def test_quoted_words_are_not_taken_apart() -> None:
    step = only_step('remove the "salt and pepper shaker"')
    assert step.target.phrase == "salt and pepper shaker"


def test_the_segmentation_phrase_is_the_target_as_said() -> None:
    assert segmentation_phrase(only_step("make the big red chair blue").target) == "big red chair"
    assert segmentation_phrase(only_step("blur everything but the sky").target) == "sky"
    assert segmentation_phrase(Target(pronoun=True)) == ""
