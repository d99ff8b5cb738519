"""What every generative editor does alike, tried with a small method that paints regions red."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from image_core.editors.generative import (
    GenerativeConfig,
    GenerativeEditor,
    Job,
    Made,
    Method,
    Task,
)
from image_core.errors import (
    EditCancelled,
    EditFailed,
    InvalidInput,
    MissingWeights,
    NonFiniteOutput,
    UnsupportedEdit,
)
from image_core.evaluations import count
from image_core.testing import STEPS, batch_of, check_editor, scene
from image_core.types import Capabilities, EditBatch, EditStep, Image, Mask, Region

STEP = STEPS["replace"]
ABLE = Capabilities(kinds=frozenset({"replace", "add", "style"}), automatic_strength=True)
RED = np.array([1, 0, 0], np.float32)

Spoil = Callable[[Image, str], Image]


@dataclass
class Painter:
    """A method that paints a job's region red, a little differently for each key.

    Attributes:
        config: Its editor's.
        spoil: What it does to a finished picture, told its precision.
        own: Whether it finds its own region: the left half of what it sees.
        seen: The jobs and tasks of its calls.
    """

    config: GenerativeConfig
    spoil: Spoil = lambda image, dtype: image
    own: bool = False
    multiple: int = 8
    seen: list[tuple[Sequence[Job], Task]] = field(default_factory=list)

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        self.seen.append((jobs, task))
        images = []
        for n, job in enumerate(jobs):
            if task.cancelled():
                raise EditCancelled("cancelled between two pictures")
            count("painter", 2)
            task.tick((n + 1) / len(jobs))
            images.append(self.spoil(painted(job, task), self.config.dtype))
        half = [
            np.where(np.arange(job.mask.shape[1]) < job.mask.shape[1] // 2, 1, 0) for job in jobs
        ]
        masks = [
            np.float32(h)[None].repeat(len(j.mask), 0) for h, j in zip(half, jobs, strict=True)
        ]
        return Made(images=images, masks=masks if self.own else None, notes=("painted",))


def painted(job: Job, task: Task) -> Image:
    share = 1.0 if task.strength == "auto" else float(task.strength)
    colour = RED * np.float32(np.random.default_rng(job.key).uniform(0.8, 1))
    return np.where(job.mask[..., None] > 0, job.image + share * (colour - job.image), job.image)


@dataclass
class Bench:
    """An editor, and the methods that it has loaded."""

    editor: GenerativeEditor
    loaded: list[Painter]

    def edit(self, work: EditBatch, step: EditStep = STEP) -> Any:
        return self.editor.prepare(step, ()).edit(work)

    @property
    def tasks(self) -> list[Task]:
        return [task for painter in self.loaded for _, task in painter.seen]

    @property
    def jobs(self) -> list[list[Job]]:
        return [list(jobs) for painter in self.loaded for jobs, _ in painter.seen]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "painter.pt").write_bytes(b"red")
    return folder


def bench(
    weights: Path, *, can: Capabilities = ABLE, needs: Sequence[str] = (), **options: Any
) -> Bench:
    about = {key: options.pop(key) for key in ("spoil", "own", "multiple") if key in options}
    loaded: list[Painter] = []

    def load(config: GenerativeConfig) -> Method:
        loaded.append(Painter(config, **about))
        return loaded[-1]

    config = GenerativeConfig(
        **{"model": str(weights), "resolution": 64, "device": "cpu", **options}
    )
    return Bench(GenerativeEditor("painter", config, can, load, needs=needs), loaded)


def one(strength: Any = 1.0, *, size: tuple[int, int] = (64, 64), key: int = 1) -> EditBatch:
    image, alpha = scene(*size)
    return replace(batch_of([image], [alpha], keys=[key]), strength=strength)


def spot(size: tuple[int, int], box: tuple[int, int, int, int]) -> Mask:
    alpha = np.zeros(size, np.float32)
    alpha[box[1] : box[3], box[0] : box[2]] = 1
    return alpha


def test_it_keeps_the_editor_contract(weights: Path) -> None:
    check_editor(bench(weights).editor)


def test_it_paints_the_region_and_hands_the_rest_back_untouched_by_its_crop(weights: Path) -> None:
    work = one()
    made = bench(weights).edit(work)
    inside = work.regions[0].alpha > 0
    assert (made.images[0][inside][:, 1] < 0.01).all()
    assert (made.images[0][inside][:, 0] > 0.75).all()
    np.testing.assert_array_equal(made.images[0][~inside], work.images[0][~inside])


@pytest.mark.parametrize("strength", [0, 0.0])
def test_at_strength_0_nothing_is_loaded_and_nothing_changes(
    weights: Path, strength: float
) -> None:
    mine = bench(weights)
    made = mine.edit(one(strength))
    np.testing.assert_array_equal(made.images[0], one().images[0])
    assert (mine.loaded, made.evaluations, made.regions) == ([], 0, None)


def test_an_empty_region_loads_nothing_and_beside_others_costs_nothing(weights: Path) -> None:
    mine = bench(weights)
    image, alpha = scene(64, 64)
    empty = np.zeros_like(alpha)
    np.testing.assert_array_equal(mine.edit(batch_of([image], [empty])).images[0], image)
    assert mine.loaded == []
    made = mine.edit(batch_of([image, image, image], [empty, alpha, empty]))
    np.testing.assert_array_equal(made.images[0], image)
    np.testing.assert_array_equal(made.images[2], image)
    assert made.evaluations == 2
    assert np.abs(made.images[1] - image).max() > 0.1


def test_mixed_sizes_are_grouped_and_come_back_in_their_order(weights: Path) -> None:
    mine = bench(weights)
    sizes = [(64, 64), (96, 32), (64, 64), (40, 90), (96, 32)]
    pairs = [scene(*size, seed=n) for n, size in enumerate(sizes)]
    work = batch_of([p[0] for p in pairs], [p[1] for p in pairs], keys=[5, 6, 7, 8, 9])
    made = mine.edit(work)
    assert [[job.key for job in jobs] for jobs in mine.jobs] == [[5, 7], [6, 9], [8]]
    assert all(len({job.image.shape for job in jobs}) == 1 for jobs in mine.jobs)
    for n, (image, alpha) in enumerate(pairs):
        alone = bench(weights).edit(batch_of([image], [alpha], keys=[5 + n])).images[0]
        np.testing.assert_array_equal(made.images[n], alone)


def test_crops_of_one_size_from_pictures_of_many_share_a_call(weights: Path) -> None:
    mine = bench(weights)
    sizes = [(300, 300), (200, 400), (333, 222)]
    images = [scene(*size)[0] for size in sizes]
    alphas = [spot(size, (90, 90, 100, 100)) for size in sizes]
    made = mine.edit(batch_of(images, alphas))
    assert [len(jobs) for jobs in mine.jobs] == [3]
    for image, alpha, edited in zip(images, alphas, made.images, strict=True):
        assert edited.shape == image.shape
        # half of the longer side lies around the region as context, no more is touched
        np.testing.assert_array_equal(edited[:60], image[:60])
        assert (np.abs(edited - image)[alpha > 0].mean()) > 0.1


def test_without_crops_the_whole_picture_is_sent(weights: Path) -> None:
    image, alpha = scene(300, 300)[0], spot((300, 300), (90, 90, 100, 100))
    shares = {}
    for crop in ("auto", "none"):
        mine = bench(weights, crop=crop)
        mine.edit(batch_of([image], [alpha]))
        shares[crop] = float((mine.jobs[0][0].mask > 0).mean())
    assert shares["none"] <= (3 / 64) ** 2  # every cell that its 10 of 300 pixels touch
    assert shares["auto"] > 20 * shares["none"]


def test_keys_are_handed_through_and_decide_the_draws(weights: Path) -> None:
    mine = bench(weights)
    first = mine.edit(one(key=3)).images[0]
    assert mine.jobs[0][0].key == 3
    assert not np.array_equal(first, mine.edit(one(key=4)).images[0])
    np.testing.assert_array_equal(first, mine.edit(one(key=3)).images[0])


def test_a_picture_that_is_its_own_original_is_one_array(weights: Path) -> None:
    mine = bench(weights)
    work = one()
    mine.edit(work)
    mine.edit(replace(work, conditions=[work.images[0].copy()]))
    mine.edit(replace(work, conditions=[1 - work.images[0]]))
    (same,), (equal,), (other,) = mine.jobs
    assert same.image is same.condition
    assert equal.image is equal.condition
    np.testing.assert_allclose(other.condition, 1 - other.image, atol=1e-6)


def test_an_original_with_nan_where_the_picture_has_it_is_still_the_same(weights: Path) -> None:
    mine, work = bench(weights), one()
    image = work.images[0].copy()
    image[0, 0] = np.nan
    mine.edit(replace(work, images=[image], conditions=[image.copy()]))
    (job,) = mine.jobs[0]
    assert job.image is job.condition
    assert np.isfinite(job.image).all()


def test_an_original_of_another_size_is_refused(weights: Path) -> None:
    work = replace(one(), conditions=[scene(32, 64)[0]])
    with pytest.raises(InvalidInput, match="64 x 64 has an original of 64 x 32"):
        bench(weights).edit(work)


def test_bad_samples_inside_the_region_are_painted_over(weights: Path) -> None:
    work = one()
    holed = work.images[0].copy()
    holed[30, 28], holed[32, 29] = np.nan, np.inf
    made = bench(weights).edit(batch_of([holed], [work.regions[0].alpha]))
    assert np.isfinite(made.images[0][work.regions[0].alpha > 0]).all()


def test_a_region_with_nothing_finite_in_it_is_left_to_the_caller(weights: Path) -> None:
    mine, work = bench(weights), one()
    made = mine.edit(batch_of([np.full_like(work.images[0], np.nan)], [work.regions[0].alpha]))
    assert np.isnan(made.images[0]).all()
    assert mine.loaded == []


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_cancelling_stops_at_the_next_call_whenever_it_comes(weights: Path, calls: int) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > calls

    sizes = [(64, 64), (96, 32)]
    pairs = [scene(*size) for size in sizes]
    work = batch_of([p[0] for p in pairs], [p[1] for p in pairs])
    with pytest.raises(EditCancelled):
        bench(weights).edit(replace(work, cancelled=cancelled))
    assert len(asked) == calls + 1


def test_a_method_that_never_asks_is_stopped_between_its_groups(weights: Path) -> None:
    mine = bench(weights)
    pairs = [scene(64, 64), scene(96, 32)]
    work = batch_of([p[0] for p in pairs], [p[1] for p in pairs])
    told: list[float] = []
    with pytest.raises(EditCancelled):
        mine.edit(
            replace(
                work,
                progress=lambda _, done: told.append(done),
                cancelled=lambda: bool(told),
            )
        )
    assert told == [0.5]
    assert len(mine.jobs) == 1


@pytest.mark.parametrize("number", [1, 2, 3, 5, 7])
def test_progress_rises_to_the_end_over_all_groups(weights: Path, number: int) -> None:
    told: list[tuple[str, float]] = []
    pairs = [scene(64 + 16 * n, 64) for n in range(number)]
    work = batch_of([p[0] for p in pairs], [p[1] for p in pairs])
    bench(weights, crop="none").edit(
        replace(work, progress=lambda stage, done: told.append((stage, done)))
    )
    assert {stage for stage, _ in told} == {"edit"}
    shares = [done for _, done in told]
    assert shares == sorted(shares)
    assert shares == pytest.approx([(n + 1) / number for n in range(number)])
    assert shares[-1] == 1


def nan_in_half(image: Image, dtype: str) -> Image:
    return image if dtype == "float32" else np.full_like(image, np.nan)


def black_in_half(image: Image, dtype: str) -> Image:
    return image if dtype == "float32" else np.zeros_like(image)


@pytest.mark.parametrize("spoil", [nan_in_half, black_in_half])
def test_a_result_that_16_bits_broke_is_made_again_in_float32(weights: Path, spoil: Spoil) -> None:
    mine = bench(weights, dtype="bfloat16", spoil=spoil)
    made = mine.edit(one())
    np.testing.assert_array_equal(made.images[0], bench(weights).edit(one()).images[0])
    assert [painter.config.dtype for painter in mine.loaded] == ["bfloat16", "float32"]
    assert any("float32" in warning for warning in made.warnings)
    assert made.evaluations == 4  # both tries were paid for
    mine.edit(one())
    assert len(mine.loaded) == 2  # and it stays in float32


def test_progress_does_not_fall_back_when_a_result_is_made_again(weights: Path) -> None:
    told: list[float] = []
    work = replace(one(), progress=lambda _, done: told.append(done))
    bench(weights, dtype="bfloat16", spoil=nan_in_half).edit(work)
    assert told == sorted(told)


def test_the_first_method_is_let_go_before_the_second_is_loaded(weights: Path) -> None:
    import gc
    import weakref

    alive: list[bool] = []
    first: list[Any] = []

    def load(config: GenerativeConfig) -> Method:
        gc.collect()
        alive.append(bool(first) and first[0]() is not None)
        made = Painter(config, spoil=nan_in_half)
        first.append(weakref.ref(made))
        return made

    config = GenerativeConfig(model=str(weights), resolution=64, device="cpu", dtype="float16")
    GenerativeEditor("painter", config, ABLE, load).prepare(STEP, ()).edit(one())
    assert alive == [False, False]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda image, dtype: np.full_like(image, np.nan),
        lambda image, dtype: np.zeros_like(image),
        lambda image, dtype: np.where(np.arange(64)[:, None, None] == 32, np.inf, image),
    ],
)
def test_what_is_broken_in_float32_too_is_an_error(weights: Path, spoil: Spoil, dtype: str) -> None:
    mine = bench(weights, dtype=dtype, spoil=lambda i, d: np.asarray(spoil(i, d), np.float32))
    with pytest.raises(NonFiniteOutput, match="painter") as caught:
        mine.edit(one())
    assert caught.value.hint
    assert len(mine.loaded) == (1 if dtype == "float32" else 2)


def test_a_nan_outside_the_region_is_none_of_the_results_business(weights: Path) -> None:
    def corner(image: Image, dtype: str) -> Image:
        out = image.copy()
        out[0, 0] = np.nan
        return out

    work = one()
    made = bench(weights, spoil=corner).edit(work)
    assert np.isfinite(made.images[0][work.regions[0].alpha > 0]).all()


def test_a_black_picture_stays_allowed_to_be_black(weights: Path) -> None:
    black = np.zeros((64, 64, 3), np.float32)
    made = bench(weights, spoil=lambda i, d: np.zeros_like(i)).edit(
        batch_of([black], [np.ones((64, 64), np.float32)])
    )
    assert not made.images[0].any()


@pytest.mark.parametrize("size", [(64, 64), (300, 200)])
def test_an_edit_that_changes_next_to_nothing_says_so(weights: Path, size: tuple[int, int]) -> None:
    drawn = np.random.default_rng(0)
    image = drawn.uniform(0, 1, (*size, 3)).astype(np.float32)  # scaling alone changes it a lot
    alpha = np.ones(size, np.float32)
    lazy = bench(weights).edit(replace(batch_of([image], [alpha]), strength=0.001))
    assert any("next to nothing" in warning for warning in lazy.warnings)
    busy = bench(weights).edit(batch_of([image], [alpha]))
    assert not busy.warnings


def test_a_warning_of_many_pictures_is_given_once(weights: Path) -> None:
    pairs = [scene(64, 64), scene(96, 32)]
    work = batch_of([p[0] for p in pairs], [p[1] for p in pairs])
    made = bench(weights).edit(replace(work, strength=0.001))
    assert len(made.warnings) == 1
    assert made.notes == ("painted",)


def test_a_methods_own_regions_lie_within_those_that_it_was_given(weights: Path) -> None:
    alpha = spot((64, 64), (8, 8, 56, 40)) * np.float32(0.5)
    image = scene(64, 64)[0]
    empty = np.zeros_like(alpha)
    made = bench(weights, own=True, crop="none").edit(batch_of([image, image], [alpha, empty]))
    assert made.regions is not None
    expected = np.where(np.arange(64) < 32, alpha, 0)
    np.testing.assert_array_equal(made.regions[0].alpha, expected)
    np.testing.assert_array_equal(made.regions[1].alpha, empty)


def test_a_methods_own_region_in_a_crop_lies_where_the_crop_was(weights: Path) -> None:
    size, alpha = (300, 300), spot((300, 300), (90, 90, 110, 110))
    given = Region(alpha=alpha, confidence=0.7, evidence="pointed at")
    work = replace(batch_of([scene(*size)[0]], [alpha]), regions=[given])
    made = bench(weights, own=True).edit(work)
    assert made.regions is not None
    found = made.regions[0]
    assert (found.confidence, found.evidence) == (0.7, "pointed at")
    assert (found.alpha <= alpha).all()
    assert (found.alpha[90:110, 90:98] == 1).all()
    assert not found.alpha[:, 103:].any()


def test_rows_are_counted_by_network_and_in_all(weights: Path) -> None:
    pairs = [scene(64, 64), scene(96, 32)]
    made = bench(weights).edit(batch_of([p[0] for p in pairs], [p[1] for p in pairs]))
    assert (made.evaluations, made.rows) == (4, {"painter": 4})


def test_networks_are_loaded_once_and_only_when_they_are_used(weights: Path) -> None:
    mine = bench(weights)
    prepared = mine.editor.prepare(STEP, ())
    assert mine.loaded == []
    for _ in range(3):
        prepared.edit(one())
    mine.edit(one(), STEPS["add"])
    assert len(mine.loaded) == 1


def test_a_kind_that_it_has_not_is_refused_before_weights_are_looked_for() -> None:
    with pytest.raises(UnsupportedEdit, match="tone") as caught:
        bench(Path("/no/such/weights")).editor.prepare(STEPS["tone"], ())
    assert "add, replace, style" in caught.value.hint


def test_missing_weights_are_told_at_prepare_and_by_why_not(weights: Path, tmp_path: Path) -> None:
    for mine in (
        bench(tmp_path / "nowhere"),
        bench(weights, needs=[str(tmp_path / "no-judge")]),
        bench(weights, needs=["someone/no-such-model"]),
    ):
        with pytest.raises(MissingWeights) as caught:
            mine.editor.prepare(STEP, ())
        assert caught.value.hint
        assert "missing" in mine.editor.why_not()
        assert mine.loaded == []
    assert bench(weights).editor.why_not() == ""


def test_a_missing_extra_is_told_at_prepare_and_by_why_not(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "diffusers" else found(name)
    )
    editor = bench(weights).editor
    assert "diffusers" in editor.why_not()
    with pytest.raises(MissingWeights, match="diffusers") as caught:
        editor.prepare(STEP, ())
    assert "insitu[neural]" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "step", "captions"),
    [
        (
            {"source_caption": " my disc ", "edited_caption": "my ball"},
            STEP,
            ("my disc", "my ball"),
        ),
        ({}, STEP, ("a disc", "a ball")),
        ({}, STEPS["style"], ("", "oil painting")),
        ({}, EditStep(instruction="do it", kind="style"), ("", "do it")),
    ],
)
def test_captions_are_the_users_then_the_plans_then_the_words(
    weights: Path, options: dict[str, str], step: EditStep, captions: tuple[str, str]
) -> None:
    mine = bench(weights, **options)
    mine.edit(one(), step)
    (task,) = mine.tasks
    assert (task.source_caption, task.edited_caption) == captions
    assert task.step is step


def test_the_strength_reaches_the_method_and_auto_only_where_it_can_be_chosen(
    weights: Path,
) -> None:
    mine = bench(weights)
    for strength in (0.3, 1.0, "auto"):
        mine.edit(one(strength))
    assert [task.strength for task in mine.tasks] == [0.3, 1.0, "auto"]
    with pytest.raises(UnsupportedEdit, match="no automatic strength"):
        bench(weights, can=Capabilities(kinds=ABLE.kinds)).edit(one("auto"))


def test_an_editor_without_a_strength_refuses_all_but_nothing_and_everything(
    weights: Path,
) -> None:
    mine = bench(weights, can=Capabilities(kinds=ABLE.kinds, has_strength=False))
    with pytest.raises(UnsupportedEdit, match="no strength"):
        mine.edit(one(0.5))
    mine.edit(one(1.0))
    np.testing.assert_array_equal(mine.edit(one(0.0)).images[0], one().images[0])


def test_the_state_is_its_captions_and_goes_through_json(weights: Path) -> None:
    mine = bench(weights)
    prepared = mine.editor.prepare(STEP, ())
    state = json.loads(json.dumps(prepared.state_dict()))
    blank = mine.editor.prepare(EditStep(instruction="do it", kind="replace"), ())
    blank.load_state_dict(state)
    assert blank.state_dict() == prepared.state_dict()
    blank.edit(one())
    assert (mine.tasks[0].source_caption, mine.tasks[0].edited_caption) == ("a disc", "a ball")


def test_a_methods_own_error_comes_through(weights: Path) -> None:
    def refuse(image: Image, dtype: str) -> Image:
        raise EditFailed("the model's safety checker refused the result")

    with pytest.raises(EditFailed, match="refused"):
        bench(weights, spoil=refuse).edit(one())


@pytest.mark.parametrize(
    "options",
    [
        {"model": " "},
        {"steps": 0},
        {"steps": 1001},
        {"guidance": -1.0},
        {"guidance": float("nan")},
        {"guidance": float("inf")},
        {"resolution": 8},
        {"resolution": 10_000},
        {"source_caption": "a disc"},
        {"edited_caption": "a ball"},
        {"source_caption": "a disc", "edited_caption": "  "},
    ],
)
def test_values_that_no_model_could_use_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        GenerativeConfig(**{"model": "someone/something", **options})
