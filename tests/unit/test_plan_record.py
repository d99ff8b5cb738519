"""A plan comes back from its receipt as it was, and anything else is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from image_core.errors import InstructionNotUnderstood, IntegrityError, InvalidInput
from image_core.instructions import RulesConfig
from image_core.plan_record import plan_of_record
from image_core.types import EditPlan, EditStep, Target

DEVELOPMENT = Path(__file__).resolve().parents[1] / "instructions" / "development.json"
PLAN = EditPlan(
    instruction="put a red hat on the two cats at the top left",
    steps=(
        EditStep(
            instruction="put a red hat on the cats",
            kind="add",
            target=Target(
                phrase="two cats", noun="cat", places=("top", "left"), size="big", all=True
            ),
            value="red hat",
            relation="on",
            amount=2,
        ),
    ),
    processor="rules",
    caption="two cats on a sofa",
)


def written(plan: EditPlan) -> Any:
    return json.loads(json.dumps(asdict(plan)))


def test_every_plan_of_the_development_instructions_comes_back_as_it_was() -> None:
    rules = RulesConfig().build()
    plans = []
    for row in json.loads(DEVELOPMENT.read_text()):
        try:
            plans.append(rules.parse(row["instruction"]))
        except (InstructionNotUnderstood, InvalidInput):  # some rows must be refused
            continue
    assert len(plans) > 100
    for plan in plans:
        assert plan_of_record(written(plan)) == plan


def test_tuples_size_and_caption_come_back() -> None:
    assert plan_of_record(written(PLAN)) == PLAN
    assert plan_of_record(asdict(PLAN)) == PLAN
    assert hash(plan_of_record(written(PLAN)).steps[0])  # steps are keys of mappings


def test_a_record_from_before_captions_is_read() -> None:
    record = written(PLAN)
    del record["caption"]
    assert plan_of_record(record).caption == ""


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(record: Any) -> None:
        for key in path[:-1]:
            record = record[key]
        record[path[-1]] = value

    return change


STEP = ("steps", 0)
TAMPERED = {
    "no steps": put("steps", value=[]),
    "steps a word": put("steps", value="make it red"),
    "steps a mapping": put("steps", value={}),
    "a step that is none": put(*STEP, value=7),
    "an unknown kind": put(*STEP, "kind", value="explode"),
    "a kind that is a list": put(*STEP, "kind", value=["add"]),
    "an amount in words": put(*STEP, "amount", value="much"),
    "an amount that is true": put(*STEP, "amount", value=True),
    "an amount without end": put(*STEP, "amount", value=float("inf")),
    "a value that is nothing": put(*STEP, "value", value=None),
    "a target that is a word": put(*STEP, "target", value="cat"),
    "an unknown size": put(*STEP, "target", "size", value="vast"),
    "an unknown place": put(*STEP, "target", "places", value=["north"]),
    "colours in one word": put(*STEP, "target", "colours", value="red"),
    "colours in lists": put(*STEP, "target", "colours", value=[["red"]]),
    "an ordinal in half": put(*STEP, "target", "ordinal", value=1.5),
    "whole_image as 1": put(*STEP, "whole_image", value=1),
    "an instruction of numbers": put("instruction", value=12),
    "a caption of nothing": put("caption", value=None),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_record_is_refused(name: str) -> None:
    record = written(PLAN)
    TAMPERED[name](record)
    with pytest.raises(IntegrityError):
        plan_of_record(record)


@pytest.mark.parametrize("field", ["kind", "target", "value", "amount", "edited_caption"])
def test_a_step_that_lacks_a_field_is_refused(field: str) -> None:
    record = written(PLAN)
    del record["steps"][0][field]
    with pytest.raises(IntegrityError, match=field):
        plan_of_record(record)


@pytest.mark.parametrize("record", [None, [], "plan", 3, {}, {"steps": None}])
def test_what_is_no_record_at_all_is_refused(record: Any) -> None:
    with pytest.raises(IntegrityError):
        plan_of_record(record)
