"""The data-set update: what is edited when, laid over what, and going on from a saved state."""

from __future__ import annotations

import json
from pathlib import Path

import nerf_editors
import numpy as np
import pytest

from image_core.applying import value_of
from image_core.errors import EditFailed, InvalidInput
from image_core.local_editor_config import LocalEditorConfig
from image_core.types import Location, Region
from nerf.dataset_update import DatasetUpdate, as_image
from nerf.picture_store import PictureStore
from nerf.schedule import Schedule

EDITORS = Path(nerf_editors.__file__)
VIEWS, HEIGHT, WIDTH = 5, 12, 16


def originals() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(VIEWS)]


def regions(missing: tuple[int, ...] = ()) -> list[Location | None]:
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[3:9, 4:12] = 1
    alpha[3, 4:12] = 0.5
    return [
        None if view in missing else Location(regions=(Region(alpha=alpha),))
        for view in range(VIEWS)
    ]


def an_update(
    folder: Path,
    *,
    editor: str = f"{EDITORS}:BlendsTheRender",
    options: tuple[str, ...] = (),
    instruction: str = "make it blue",
    schedule: Schedule | None = None,
    missing: tuple[int, ...] = (),
    renders: list[np.ndarray] | None = None,
) -> DatasetUpdate:
    made = LocalEditorConfig(editor=editor, editor_options=options, language="rules").build()
    plan = made.plan(instruction)
    where = regions(missing)
    pictures = originals()
    shown = [view for view in range(VIEWS) if where[view] is not None]
    prepared = made.prepare(
        plan,
        [as_image(pictures[view]) for view in shown],
        [where[view] for view in shown],
        keys=list(range(len(shown))),
    )
    drawn = renders if renders is not None else [as_image(picture) for picture in pictures]
    return DatasetUpdate(
        editor=made,
        prepared=prepared,
        names=[f"images/{view}.png" for view in range(VIEWS)],
        originals=pictures,
        regions=where,
        schedule=schedule or Schedule(update_every=3, views_per_update=2, rounds=2, seed=7),
        store=PictureStore(folder),
        render=lambda view: drawn[view],
        first_step=10,
    )


def run(update: DatasetUpdate, steps: range) -> list[tuple[int, int, int]]:
    """Return (step, round, view) of all edits in these steps."""
    seen = []
    for step in steps:
        if update.is_due(step):
            seen += [(step, edited.round, edited.view) for edited in update.advance(step)]
    return seen


def test_each_round_visits_every_view_once_in_an_order_of_its_own(tmp_path: Path) -> None:
    seen = run(an_update(tmp_path), range(0, 60))
    rounds = [[view for _, number, view in seen if number == wanted] for wanted in (0, 1)]
    assert all(sorted(order) == list(range(VIEWS)) for order in rounds)
    assert rounds[0] != rounds[1]
    assert [step for step, _, _ in seen] == [10, 10, 13, 13, 16, 19, 19, 22, 22, 25]


def test_the_order_follows_from_the_seed(tmp_path: Path) -> None:
    first = run(an_update(tmp_path), range(60))
    again = run(an_update(tmp_path), range(60))
    other = Schedule(update_every=3, views_per_update=2, rounds=2, seed=8)
    assert first == again != run(an_update(tmp_path, schedule=other), range(60))


def test_a_view_outside_its_region_is_the_original_bit_for_bit(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    renders = [noise.random((HEIGHT, WIDTH, 3), np.float32) for _ in range(VIEWS)]
    update = an_update(tmp_path, renders=renders)
    outside = regions()[0].regions[0].alpha == 0
    for edited in update.advance(10):
        original = originals()[edited.view]
        assert np.array_equal(edited.picture[outside], original[outside])
        assert not np.array_equal(edited.picture[~outside], original[~outside])


def test_a_generated_edit_depends_on_what_is_rendered(tmp_path: Path) -> None:
    bright = [np.ones((HEIGHT, WIDTH, 3), np.float32)] * VIEWS
    dark = [np.zeros((HEIGHT, WIDTH, 3), np.float32)] * VIEWS
    made = [next(iter(an_update(tmp_path, renders=r).advance(10))) for r in (bright, dark)]
    assert made[0].view == made[1].view
    inside = regions()[0].regions[0].alpha == 1
    assert made[0].picture[inside].mean() > made[1].picture[inside].mean() + 50


def test_a_pointwise_edit_takes_one_round_of_the_originals_and_no_render(tmp_path: Path) -> None:
    update = an_update(tmp_path, editor="classic")

    def no_render(view: int) -> np.ndarray:
        raise AssertionError("rendered")

    update.render = no_render
    seen = run(update, range(60))
    assert {step for step, _, _ in seen} == {10}
    assert sorted(view for _, _, view in seen) == list(range(VIEWS))
    assert update.finished
    assert update.end == 10


def test_a_pointwise_edit_uses_statistics_of_all_views(tmp_path: Path) -> None:
    update = an_update(tmp_path, editor="classic")
    together = {edited.view: edited.picture for edited in update.advance(10)}
    alone = update.editor
    view = 2
    prepared = alone.prepare(
        update.prepared.plan, [as_image(originals()[view])], [regions()[view]], keys=[0]
    )
    single = value_of(
        alone.apply(prepared, [as_image(originals()[view])], [regions()[view]], keys=[0])[0]
    )
    assert np.abs(as_image(together[view]) - single.image).max() > 2 / 255


def test_a_view_without_the_target_is_left_alone(tmp_path: Path) -> None:
    update = an_update(tmp_path, missing=(1, 3))
    seen = run(update, range(60))
    assert {view for _, _, view in seen} == {0, 2, 4}
    assert update.edited[1] is None
    assert update.edited[3] is None


@pytest.mark.parametrize("stop", [11, 14, 17, 20, 26])
def test_going_on_from_a_saved_state_gives_the_same_bits(tmp_path: Path, stop: int) -> None:
    whole = an_update(tmp_path / "whole")
    run(whole, range(60))
    first = an_update(tmp_path / "parts")
    run(first, range(stop))
    state = json.loads(json.dumps(first.state_dict()))
    second = an_update(tmp_path / "parts")
    second.load_state_dict(state)
    run(second, range(stop, 60))
    assert second.edited == whole.edited
    assert second.state_dict() == whole.state_dict()


def test_a_view_that_comes_out_not_finite_keeps_what_it_had_and_is_counted(tmp_path: Path) -> None:
    update = an_update(tmp_path, editor=f"{EDITORS}:GivesNaN")
    outcomes = [
        edited for step in range(60) if update.is_due(step) for edited in update.advance(step)
    ]
    failed = [edited for edited in outcomes if edited.picture is None]
    assert failed
    assert update.skipped == len(failed)
    assert all("NaN" in edited.why_not for edited in failed)
    assert update.edits == len(outcomes) - len(failed)


def test_an_editor_that_fails_on_every_view_ends_the_run(tmp_path: Path) -> None:
    update = an_update(tmp_path, editor=f"{EDITORS}:GivesNaN", options=("every=1",))
    with pytest.raises(EditFailed, match="every view of round 1"):
        run(update, range(60))


def test_the_strength_goes_from_the_first_round_to_the_last() -> None:
    schedule = Schedule(rounds=5, strength=(1.0, 0.5))
    assert [schedule.strength_in(number) for number in range(5)] == [1.0, 0.875, 0.75, 0.625, 0.5]
    assert Schedule(rounds=3, strength=(0.4,)).strength_in(2) == 0.4
    assert Schedule(rounds=3).strength_in(0) is None
    assert Schedule(rounds=1, strength=(0.9, 0.1)).strength_in(0) == 0.9


def test_strength_reaches_the_editor(tmp_path: Path) -> None:
    schedule = Schedule(rounds=1, strength=(0.0,), views_per_update=1)
    update = an_update(tmp_path, schedule=schedule, options=("noise=0.0",))
    edited = next(iter(update.advance(10)))
    assert np.array_equal(edited.picture, originals()[edited.view])


def test_keys_differ_by_seed_view_and_round() -> None:
    schedule = Schedule(seed=1)
    keys = {
        schedule.key("a", 0),
        schedule.key("a", 1),
        schedule.key("b", 0),
        Schedule(seed=2).key("a", 0),
    }
    assert len(keys) == 4
    assert all(0 <= key < 2**63 for key in keys)
    assert schedule.key("a", 0) == Schedule(seed=1).key("a", 0)


def test_the_length_of_a_phase_is_what_it_takes(tmp_path: Path) -> None:
    schedule = Schedule(update_every=3, views_per_update=2, rounds=2, settle_steps=4, seed=7)
    update = an_update(tmp_path, schedule=schedule)
    expected = update.expected_end
    run(update, range(100))
    assert update.end == expected == 10 + 2 * 3 * 3 + 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"update_every": 0},
        {"views_per_update": 0},
        {"rounds": 0},
        {"settle_steps": -1},
        {"seed": -1},
        {"strength": (1.5,)},
        {"strength": (float("nan"),)},
    ],
)
def test_numbers_that_no_loop_can_have_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Schedule(**wrong)


def test_an_edited_view_that_cannot_be_stored_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    update = an_update(tmp_path / "taken")
    with pytest.raises(InvalidInput):
        list(update.advance(10))
