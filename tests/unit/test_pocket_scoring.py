"""Scoring on the flat world: what is asked for, what is measured, what a summary says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from image_core.errors import InvalidInput, MissingWeights, UnsupportedEdit
from pocket.flat import HELD_OUT, TASKS
from pocket.scoring import Setting, conditions_of, parts_of, scored, summed
from pocket.scoring.attempts import attempted
from pocket.scoring.bench import Ledger
from pocket.scoring.cases import ScoredCase, cases_of
from pocket.scoring.conditions import Condition
from pocket.scoring.measures import Measures, measured, overlap, region_overlap
from pocket.scoring.records import LINES, Record
from pocket.scoring.report import notes_of
from pocket.scoring.sheet import SheetRow, Tile, drawn_sheet
from pocket.scoring.summary import ALL, differences, mean_of

WEIGHT_FREE = {"grounder": "classic", "segmenter": "grabcut"}


@pytest.fixture(scope="module")
def cases() -> list[ScoredCase]:
    return cases_of(Setting(count=12, held_out=6))


def no_time() -> float:
    return 0.0


# --- cases


def test_kinds_take_turns(cases: list[ScoredCase]) -> None:
    seen = [case.case.task for case in cases if case.pairs == "seen"]
    assert seen == [*TASKS, *TASKS]
    held_out = [case.case.task for case in cases if case.pairs == "held-out"]
    assert held_out == ["recolor", "replace", "add"] * 2


def test_held_out_edits_make_what_training_never_shows_and_the_others_do_not(
    cases: list[ScoredCase],
) -> None:
    for case in cases:
        made = {(thing.colour, thing.shape) for thing in case.case.after} & set(HELD_OUT)
        assert bool(made) == (case.pairs == "held-out")
    assert len({case.source.tobytes() for case in cases}) == len(cases)


def test_pictures_are_on_the_grid_of_files_and_equal_where_nothing_changes(
    cases: list[ScoredCase],
) -> None:
    for case in cases:
        for picture in (case.source, case.truth):
            assert np.array_equal(picture, np.rint(picture * 255).astype(np.float32) / 255)
        assert np.array_equal(case.source[case.changed == 0], case.truth[case.changed == 0])


def test_a_split_and_a_seed_are_other_scenes() -> None:
    first = cases_of(Setting(count=2))
    for other in (Setting(count=2, split="test"), Setting(count=2, seed=1)):
        for one, two in zip(first, cases_of(other), strict=True):
            assert not np.array_equal(one.source, two.source)
            assert one.key(0) != two.key(0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"held_out": -1},
        {"seed": -1},
        {"tasks": ()},
        {"tasks": ("recolor", "recolor")},
        {"tasks": ("remove",), "held_out": 1},
        {"split": "train"},
    ],
)
def test_settings_that_no_scoring_can_be_made_of_are_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        Setting(**wrong)


# --- conditions


def test_sweeps_of_an_editor_are_combined_and_regions_are_given_to_all() -> None:
    found = conditions_of(
        ["instructedit", "instruct-pix2pix"],
        options=["instruct-pix2pix:regions=whole", "instruct-pix2pix:image-guidance=1.3"],
        sweeps=["instructedit:strength=0.5,auto", "instructedit:guidance=4,7.5"],
        regions=["found", "true"],
    )
    first = [one for one in found if one.editor == "instructedit"]
    assert {(one.strength, one.options, one.regions) for one in first} == {
        (strength, (f"guidance={scale}",), regions)
        for strength in (0.5, "auto")
        for scale in ("4", "7.5")
        for regions in ("found", "true")
    }
    assert [one for one in found if one not in first] == [
        Condition(editor="instruct-pix2pix", options=("image_guidance=1.3",), regions="whole")
    ]
    assert len({(one.label, one.regions) for one in found}) == len(found)


def test_an_editor_in_a_file_takes_options() -> None:
    (one,) = conditions_of(["my/plug.py:Mine"], options=["my/plug.py:Mine:size=3"])
    assert (one.editor, one.options) == ("my/plug.py:Mine", ("size=3",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"editors": []},
        {"editors": ["auto"]},
        {"editors": ["classic"], "options": ["classic:steps"]},
        {"editors": ["classic"], "options": ["steps=3"]},
        {"editors": ["classic"], "options": ["diffedit:steps=3"]},
        {"editors": ["classic"], "sweeps": ["classic:steps=,"]},
        {"editors": ["classic"], "options": ["classic:strength=much"]},
        {"editors": ["classic"], "options": ["classic:strength=1.5"]},
        {"editors": ["classic"], "regions": ["left"]},
    ],
)
def test_conditions_of_another_form_are_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        conditions_of(**wrong)


# --- measures


def test_the_true_edit_is_right_and_exact_and_the_source_is_neither(
    cases: list[ScoredCase],
) -> None:
    for case in cases:
        best, worst = (measured(case, one, placed=True) for one in (case.truth, case.source))
        assert best.right
        assert not worst.right
        assert (best.inside_mae, best.inside_psnr, best.outside_mae) == (0.0, 100.0, 0.0)
        assert worst.outside_mae == 0.0
        inside = case.changed > 0
        assert worst.inside_mae == pytest.approx(
            float(np.abs(case.source - case.truth)[inside].mean())
        )


def test_a_change_outside_counts_outside_alone(cases: list[ScoredCase]) -> None:
    case = next(case for case in cases if case.case.task == "recolor")
    spoilt = case.truth.copy()
    place = tuple(np.argwhere(case.changed == 0)[0])
    spoilt[place] = np.where(spoilt[place] > 0.5, spoilt[place] - 0.5, spoilt[place] + 0.5)
    found = measured(case, spoilt)
    assert found.inside_mae == 0.0
    assert found.outside_mae == pytest.approx(0.5 / (case.changed == 0).sum(), rel=1e-4)


def test_regions_are_compared_with_what_is_named_and_with_what_changes(
    cases: list[ScoredCase],
) -> None:
    case = next(case for case in cases if case.case.task == "replace")
    found = measured(case, case.truth, found=case.target, region=case.changed)
    assert (found.found_iou, found.region_iou) == (1.0, 1.0)
    crossed = measured(case, case.truth, found=case.changed, region=case.target)
    assert crossed.found_iou == crossed.region_iou == region_overlap(case.target, case.changed)
    assert crossed.found_iou < 1.0


def test_an_addition_is_compared_with_a_place_only_where_it_was_given_one(
    cases: list[ScoredCase],
) -> None:
    case = next(case for case in cases if case.case.task == "add")
    free = measured(case, case.truth, found=case.changed, region=case.changed)
    assert free == Measures(right=True, objects=True)
    assert measured(case, case.truth, placed=True).outside_mae == 0.0


def test_overlap_of_nothing_with_nothing_is_none() -> None:
    empty, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    half = np.arange(16).reshape(4, 4) < 8
    assert overlap(empty, empty) == 0.0
    assert overlap(half, full) == 0.5
    assert overlap(half, ~half) == 0.0


# --- attempts, by parts that need no weights


def test_an_edit_with_the_true_region_leaves_all_else_as_it_was(cases: list[ScoredCase]) -> None:
    setting = Setting(count=1, **WEIGHT_FREE)
    (condition,) = conditions_of(["classic"], regions=["true"])
    editor = parts_of(setting, [condition]).editor(condition)
    case = next(case for case in cases if case.case.task == "recolor")
    made = attempted(editor, condition, case, captions=None, seed=0, clock=no_time)
    assert made.error is None
    assert made.picture is not None
    assert made.found is None
    assert np.array_equal(made.region > 0, case.changed > 0)
    found = measured(case, made.picture, region=made.region, placed=True)
    assert found.right
    assert found.outside_mae == 0.0


def test_what_was_found_is_measured_before_it_was_grown(cases: list[ScoredCase]) -> None:
    setting = Setting(count=1, **WEIGHT_FREE)
    (condition,) = conditions_of(["classic"])
    editor = parts_of(setting, [condition]).editor(condition)
    case = next(case for case in cases if case.case.task == "remove")
    made = attempted(editor, condition, case, captions=None, seed=0, clock=no_time)
    assert made.found is not None
    assert made.region is not None
    assert (made.region >= 0.5).sum() > (made.found >= 0.5).sum()
    assert region_overlap(made.found, case.target) > region_overlap(made.region, case.target)


def test_refusals_are_counted_by_type_and_are_not_right() -> None:
    setting = Setting(count=6, tasks=("recolor", "replace", "add"), **WEIGHT_FREE)
    conditions = conditions_of(["classic"], regions=["true"])
    records = scored(setting, conditions, parts_of(setting, conditions), clock=count().__next__)
    row = next(row for row in summed(records, seed=0) if row.label == "classic")
    assert row.refusals["UnsupportedEdit"] == 4  # replace and add
    assert row.made == row.count - sum(row.refusals.values())
    assert row.means["right"].count == 6
    assert row.means["inside_mae"].count == row.made
    assert row.means["seconds"].mean == 1.0  # one tick of the clock, networks' loading left out
    for record in records:
        assert not (record.refusal and record.measures.right)
        assert bool(record.refusal) == bool(record.message)


PLUGIN = """
import numpy as np

from image_core.types import Capabilities, Edit

NOW, CALLS = [0.0], []


class Slow:
    capabilities = Capabilities(kinds=frozenset({"recolor"}))
    pointwise = True

    def prepare(self, step, reference):
        return self

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass

    def edit(self, work):
        NOW[0] += 2.0 if CALLS else 100.0  # the first time it loads what it needs
        CALLS.append(work.keys[0])
        return Edit(images=[np.full_like(image, self.value) for image in work.images])

    value = 0.5


class Broken(Slow):
    value = np.nan
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[str]:
    file = tmp_path / "pocket_slow.py"
    file.write_text(PLUGIN)
    yield str(file)
    sys.modules.pop("insitu_plugin_pocket_slow", None)


def test_loading_is_in_no_cases_seconds(plugin: str) -> None:
    setting = Setting(count=3, tasks=("recolor",), **WEIGHT_FREE)
    conditions = conditions_of([f"{plugin}:Slow"], regions=["true"])
    parts = parts_of(setting, conditions)

    def clock() -> float:
        return sys.modules["insitu_plugin_pocket_slow"].NOW[0]

    records = scored(setting, conditions, parts, clock=clock)
    own = [record for record in records if record.regions]
    assert [record.seconds for record in own] == [2.0, 2.0, 2.0]
    assert len(set(sys.modules["insitu_plugin_pocket_slow"].CALLS)) == 3


def test_an_editor_that_breaks_is_a_refusal_of_its_type(plugin: str) -> None:
    setting = Setting(count=2, tasks=("recolor",), **WEIGHT_FREE)
    conditions = conditions_of([f"{plugin}:Broken"], regions=["true"])
    records = scored(setting, conditions, parts_of(setting, conditions))
    own = [record for record in records if record.regions]
    assert [record.refusal for record in own] == ["NonFiniteOutput"] * 2
    # its region was none that was looked for
    assert all(record.measures.found_iou is None for record in own)


def test_what_an_editor_is_told_are_the_scenes_own_captions(cases: list[ScoredCase]) -> None:
    case = cases[0].case
    assert Setting().told(case) is None
    assert Setting(captions="true").told(case) == (case.source_caption, case.target_caption)


def test_what_is_missing_or_impossible_is_told_before_anything_runs(tmp_path) -> None:
    setting = Setting(models=tmp_path, **WEIGHT_FREE)
    with pytest.raises(MissingWeights, match="instructedit"):
        parts_of(setting, conditions_of(["classic", "instructedit"]))
    for wrong in ("classic:steps=3", "classic:strength=auto"):
        conditions = conditions_of(["classic"], options=[wrong])
        with pytest.raises(UnsupportedEdit):
            parts_of(replace(setting, models=None), conditions)
    with pytest.raises(InvalidInput):
        parts_of(setting, conditions_of(["no-such-editor"]))


def test_auto_takes_the_weight_free_parts_where_the_models_have_none(tmp_path) -> None:
    parts = parts_of(Setting(models=tmp_path), conditions_of(["classic"]))
    assert dict(parts.names) == {
        "language": "rules",
        "grounder": "classic",
        "segmenter": "grabcut",
    }


def test_an_attempt_is_made_anew_when_its_parts_or_options_are_others(tmp_path) -> None:
    setting = Setting(models=tmp_path, **WEIGHT_FREE)
    steps = conditions_of(["instructedit"], sweeps=["instructedit:steps=10,20"], regions=["true"])
    found = conditions_of(["classic"], regions=["found", "true"])
    weights = tmp_path / "stable-diffusion" / "unet.bin"
    weights.parent.mkdir()
    told = []
    for content in (b"one", b"two"):
        weights.write_bytes(content)
        parts = parts_of(setting, found)
        told += [parts.identity(condition) for condition in (*steps, *found)]
    assert len(set(told)) == 2 * 2 + 2  # classic has no weights


# --- summaries


def record(
    label: str, case: str, *, right: bool, outside: float | None = 0.0, regions: str = "found"
) -> Record:
    return Record(
        key=f"{label} {case}",
        label=label,
        regions=regions,
        case=case,
        pairs="seen",
        task="recolor",
        instruction="make it so",
        measures=Measures(right=right, objects=right, outside_mae=outside),
    )


def test_intervals_hold_the_mean_narrow_with_the_count_and_are_keyed() -> None:
    values = [0.0, 1.0] * 20
    few, many = mean_of(values[:10], seed=0), mean_of(values, seed=0)
    for found in (few, many):
        assert found.low <= found.mean == 0.5 <= found.high
    assert many.high - many.low < few.high - few.low
    # of 40 fair draws: 1.96 times a standard error of 0.079
    assert many.high - many.low == pytest.approx(0.31, abs=0.06)
    assert mean_of(values, seed=0) == many
    assert mean_of([0.25], seed=0).low == 0.25


def test_a_difference_is_of_the_same_cases() -> None:
    first = [record("a", f"{n}", right=n % 2 == 0, outside=0.01 * n + 0.5) for n in range(20)]
    second = [record("b", f"{n}", right=n % 2 == 0, outside=0.01 * n) for n in range(4, 24)]
    alone = [record("do nothing", f"{n}", right=False, regions="") for n in range(20)]
    (found,) = differences([*first, *second, *alone], seed=0)
    assert (found.first, found.second) == ("a, found", "b, found")
    assert found.means["outside_mae"].count == 16
    # each case differs by as much, however much cases differ: the interval has no width
    for end in ("mean", "low", "high"):
        assert getattr(found.means["outside_mae"], end) == pytest.approx(0.5)
        assert getattr(found.means["right"], end) == 0.0


def test_a_value_that_no_case_has_is_left_out() -> None:
    rows = summed([record("a", "1", right=True, outside=None)], seed=0)
    assert [row.task for row in rows] == [ALL, "recolor"]
    assert "outside_mae" not in rows[0].means
    assert rows[0].means["right"].mean == 1.0


# --- what is kept


def test_records_and_pictures_are_found_again(tmp_path) -> None:
    picture = np.full((8, 8, 3), 51 / 255, np.float32)
    kept = record("a", "1", right=True)
    lost = replace(record("a", "2", right=False), refusal="TargetNotFound", message="no")
    ledger = Ledger(tmp_path / "run")
    ledger.put(kept, picture)
    ledger.put(lost, None)
    again = Ledger(tmp_path / "run")
    assert again.get(kept.key) == kept
    assert again.get(lost.key) == lost
    assert again.picture(lost) is None
    assert np.array_equal(again.picture(kept), picture)
    assert again.get("another") is None


def test_what_other_code_made_is_told(tmp_path) -> None:
    picture = np.zeros((8, 8, 3), np.float32)
    old = Ledger(tmp_path, commit="a" * 40).put(record("a", "1", right=True), picture)
    new = Ledger(tmp_path, commit="b" * 40).put(record("a", "2", right=True), picture)
    setting = Setting(models=tmp_path)
    assert Ledger(tmp_path).get(old.key) == old
    (note,) = (one for one in notes_of(setting, [old, new], "b" * 40) if "kept from" in one)
    assert "a" * 40 in note
    assert "b" * 40 not in note
    assert not any("kept from" in one for one in notes_of(setting, [new], "b" * 40))


def test_a_torn_line_and_a_lost_picture_are_made_again(tmp_path) -> None:
    picture = np.zeros((8, 8, 3), np.float32)
    one, two, three = (record("a", name, right=True) for name in "123")
    ledger = Ledger(tmp_path)
    ledger.put(one, picture)
    ledger.put(two, picture)
    lines = tmp_path / LINES
    lines.write_bytes(lines.read_bytes()[:-20])
    again = Ledger(tmp_path)
    assert again.get(one.key) == one
    assert again.get(two.key) is None
    again.put(three, picture)
    assert Ledger(tmp_path).get(three.key) == three
    (tmp_path / "pictures" / f"{one.key}.png").unlink()
    assert Ledger(tmp_path).get(one.key) is None


def test_nothing_can_be_kept_in_a_file(tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidInput):
        Ledger(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


# --- the contact sheet


def test_pictures_stand_on_the_sheet_in_frames_that_tell_right_from_wrong() -> None:
    picture = np.full((64, 64, 3), [0.2, 0.4, 0.6], np.float32)
    tiles = [
        Tile(picture=picture),
        Tile(picture=picture, right=True),
        Tile(picture=picture, right=False),
        Tile(picture=None, right=False, note="TargetNotFound"),
    ]
    row = SheetRow(instruction="make the left red circle green", below="recolor", tiles=tiles)
    one = drawn_sheet(["source", "a", "b", "c"], [row])
    two = drawn_sheet(["source", "a", "b", "c"], [row, row])
    assert np.array_equal(two[: one.shape[0] - 8], one[:-8])  # but for the lower margin
    # a long name gets lines of its own above the pictures
    long = drawn_sheet(["source", "a long name " * 6, "b", "c"], [row])
    assert np.array_equal(long[-136:, :300], one[-136:, :300])
    assert long.shape[0] > one.shape[0]
    shown = (one == [51, 102, 153]).all(axis=2)
    assert shown.sum() == 3 * 128 * 128
    # the frame of the second picture is greener than red, that of the third the other way round
    columns = np.flatnonzero(np.diff(shown.any(axis=0).astype(int)) == 1)
    top = np.flatnonzero(shown.any(axis=1))[0]
    frames = [one[top, column].astype(int) for column in columns]
    assert (frames[0] == 255).all()
    assert frames[1][1] > frames[1][0]
    assert frames[2][0] > frames[2][1]
