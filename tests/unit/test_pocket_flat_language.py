"""What is said of flat scenes: a closed vocabulary, true and unambiguous, read by the rules."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from image_core.errors import InstructionNotUnderstood, InvalidInput
from image_core.instructions import RulesConfig
from image_core.types import EditPlan, Target
from pocket.flat import NOUNS, PATTERNS, TASKS, WORDS, Edits, FlatThing, caption, edits
from pocket.flat.sampling import sample_scenes
from pocket.flat.words import SIDES

SHAPE_OF = {noun: shape for shape, nouns in NOUNS.items() for noun in nouns}

Plans = list[EditPlan | None]


@pytest.fixture(scope="module")
def batch() -> Edits:
    return edits(sample_scenes("validation", seed=1, count=200))


@pytest.fixture(scope="module")
def plans(batch: Edits) -> Plans:
    """Return how the rules read the instructions; None for what they do not."""
    parser = RulesConfig().build()
    read: Plans = []
    for case in batch.cases:
        try:
            read.append(parser.parse(case.instruction))
        except InstructionNotUnderstood:
            read.append(None)
    return read


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text)


def test_every_word_is_of_the_list_and_every_word_of_the_list_is_used() -> None:
    used: Counter[str] = Counter()
    for draw in range(3):
        for case in edits(sample_scenes("train", count=160), draw=draw).cases:
            for text in (case.instruction, case.source_caption, case.target_caption):
                assert text == text.lower()
                used.update(words_of(text))
    assert set(used) == set(WORDS)
    assert len(WORDS) == len(set(WORDS)) < 80


def test_captions_name_every_object_and_paraphrase() -> None:
    scenes = sample_scenes("train", count=100)
    for row in range(100):
        told = {caption(scenes, row, draw=draw) for draw in range(12)}
        assert len(told) > 5
        for text in told:
            for thing in scenes.things(row):
                nouns = "|".join(NOUNS[thing.shape])
                assert re.search(rf"\b{thing.colour} ({nouns})\b", text), text


def test_the_same_wording_tells_both_sides_of_an_edit(batch: Edits) -> None:
    for case in batch.cases:
        before, after = words_of(case.source_caption), words_of(case.target_caption)
        if case.task in ("recolor", "texture") and len(before) == len(after):
            differing = [one for one in zip(before, after, strict=True) if one[0] != one[1]]
            assert len(differing) == 1
        assert before != after


def test_every_task_is_asked_for_in_several_ways(batch: Edits) -> None:
    tasks = Counter(case.task for case in batch.cases)
    assert set(tasks) == set(TASKS)
    assert min(tasks.values()) > 12
    for task in TASKS:
        openings = {case.instruction.split()[0] for case in batch.cases if case.task == task}
        assert len(openings) >= 3, task
    phrases = [case.phrase for case in batch.cases if case.task not in ("add", "ground")]
    for word in ("left", "right", "top", "bottom", "small", "striped", "ball"):
        assert any(word in phrase.split() for phrase in phrases), word


def matching(things: tuple[FlatThing, ...], target: Target) -> list[FlatThing]:
    """Return the things that the words of a target fit, place aside."""
    patterns = [word for word in target.attributes if word in PATTERNS]
    return [
        thing
        for thing in things
        if SHAPE_OF[target.noun] == thing.shape
        and (not target.colours or target.colours == (thing.colour,))
        and (target.size is None or (target.size == "big") == thing.big)
        and all(word == thing.pattern for word in patterns)
    ]


def test_the_phrase_leads_to_the_one_object_that_changes(batch: Edits, plans: Plans) -> None:
    placed = 0
    for case, plan in zip(batch.cases, plans, strict=True):
        if case.task in ("add", "ground") or plan is None:
            continue
        target = plan.steps[0].target
        if target.phrase != case.phrase:
            continue  # misread; how often, another test says
        found = matching(case.before, target)
        changed = [thing for thing in case.before if thing not in case.after]
        assert len(changed) == 1
        if len(found) > 1:
            placed += 1
            (place,) = target.places
            sign, axis = (-1 if place in ("left", "top") else 1), "xy"[place in ("top", "bottom")]
            found = sorted(found, key=lambda thing: sign * getattr(thing, axis))[-1:]
        assert found == changed, case
    assert placed >= 8


def test_an_edit_changes_what_it_says_and_leaves_the_rest(batch: Edits) -> None:
    for case in batch.cases:
        gone = [thing for thing in case.before if thing not in case.after]
        new = [thing for thing in case.after if thing not in case.before]
        match case.task:
            case "ground":
                assert (gone, new) == ([], [])
                assert case.ground == case.new
            case "remove":
                assert (len(gone), new) == (1, [])
            case "add":
                assert (gone, new) == ([], [case.after[case.number]])
                assert not case.side or case.side in SIDES
            case _:
                assert (len(gone), len(new)) == (1, 1)
                assert new == [case.after[case.number]]
                before, after = gone[0], new[0]
                assert (before.x, before.y, before.radius) == (after.x, after.y, after.radius)
                assert (before.colour != after.colour) or case.task != "recolor"
                assert (before.shape != after.shape) == (case.task == "replace")
                assert (before.pattern != after.pattern) == (case.task == "texture")
        if new and case.task != "texture":
            assert new[0].colour in case.new


def test_the_rules_read_instructions_as_they_are_meant(batch: Edits, plans: Plans) -> None:
    agreed, misread = 0, []
    for case, plan in zip(batch.cases, plans, strict=True):
        if plan is None:
            misread.append(case.instruction)
            continue
        step = plan.steps[0]
        right = (
            len(plan.steps) == 1 and step.kind == case.kind and step.target.phrase == case.phrase
        )
        if case.task in ("recolor", "replace", "add"):
            right &= step.value == case.new
        agreed += right
        if not right:
            misread.append(case.instruction)
    assert agreed == len(batch.cases), misread


def test_an_edit_depends_on_its_scene_and_draw_alone() -> None:
    scenes = sample_scenes("train", count=30)
    whole = edits(scenes, draw=5)
    assert edits(scenes[12:15], draw=5).cases == whole.cases[12:15]
    assert edits(scenes, draw=6).cases != whole.cases


def test_no_tasks_at_all_are_refused() -> None:
    scenes = sample_scenes("train", count=1)
    with pytest.raises(InvalidInput, match="the tasks"):
        edits(scenes, tasks=())


def test_only_the_tasks_that_were_asked_for_come_where_they_are_possible() -> None:
    scenes = sample_scenes("train", count=80)
    for task in TASKS:
        got = Counter(case.task for case in edits(scenes, tasks=(task,)).cases)
        assert got[task] >= (40 if task == "add" else 78), got
