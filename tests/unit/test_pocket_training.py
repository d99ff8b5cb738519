"""Training the pocket zoo: resumable to the bit, judged in 16 bits, learned from exact truth."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from torch import Tensor, nn  # noqa: E402

from image_core.errors import EditFailed, InvalidInput  # noqa: E402
from pocket.flat import FlatSettings, edits, region_masks, render, sample_scenes  # noqa: E402
from pocket.flat.scenes import FlatThing  # noqa: E402
from pocket.training import (  # noqa: E402
    autoencoder,
    classifier,
    detector,
    editing,
    inpaint,
    instruct,
    painter,
    sampling,
    scorer,
    segmenter,
)
from pocket.training.auc import area_under_curve  # noqa: E402
from pocket.training.autoencoder import AutoencoderLesson, readable, with_holes  # noqa: E402
from pocket.training.average import AverageWeights, rounded  # noqa: E402
from pocket.training.boxes import as_centres, as_corners, focal, iou_and_giou  # noqa: E402
from pocket.training.cards import Card, kept_if_better, read_card, write_cards  # noqa: E402
from pocket.training.curves import Curve  # noqa: E402
from pocket.training.detector import (  # noqa: E402
    DetectorLesson,
    proposal_losses,
    query_losses,
)
from pocket.training.lesson import Lesson, Pace, Scores, step_generator  # noqa: E402
from pocket.training.loop import Plan, Sitting, train  # noqa: E402
from pocket.training.noise import drawn_times, noise_loss, with_noise  # noqa: E402
from pocket.training.pairs import (  # noqa: E402
    Pairs,
    filling_of,
    hole_around,
    load_pairs,
    make_pairs,
    pairs_of,
    part_path,
    tokens_of,
)
from pocket.training.phrases import absent_pairs, drawn_phrase, question_of, words_of  # noqa: E402
from pocket.training.scheduler import TrainingSettings, run_training  # noqa: E402
from pocket.training.segmenter import (  # noqa: E402
    SegmenterLesson,
    boxes_of,
    chosen_objects,
    mask_losses,
    overlap,
    points_in,
)
from pocket.training.stages import (  # noqa: E402
    STAGES,
    chosen_stages,
    done_path,
    is_done,
    stage_of,
    steps_of,
)
from pocket.zoo.autoencoder import build_autoencoder  # noqa: E402

CPU = torch.device("cpu")


class Line:
    """A lesson of a straight line, as quick as can be."""

    name = "line"
    main = "closeness"
    pace = Pace(batch=4, rate=0.1, warm=2, average=0.9)

    def __init__(self, *, broken_from: int = 1000) -> None:
        torch.manual_seed(0)
        self._line = nn.Linear(2, 1)
        self._broken_from = broken_from

    @property
    def network(self) -> nn.Module:
        return self._line

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [([self._line.weight], 1.0), ([self._line.bias], 0.5)]

    def losses(self, step: int) -> dict[str, Tensor]:
        x = torch.randn(4, 2, generator=step_generator(0, self.name, step))
        loss = ((self._line(x)[:, 0] - x.sum(dim=1)) ** 2).mean()
        return {"loss": loss / 0 if step >= self._broken_from else loss}

    def scores(self) -> Scores:
        return {"closeness": -float((self._line.weight - 1).abs().max())}


def plan(folder: Path, steps: int = 30, key: str = "k") -> Plan:
    return Plan(
        steps=steps,
        checkpoint=folder / "line.pt",
        curve=folder / "line.jsonl",
        key=key,
        told_every=5,
        scored_every=10,
    )


def run(folder: Path, lesson: Lesson, *, until: int = 1000, **settings: int | str) -> Sitting:
    """Train until a number of steps of this sitting are done."""
    done = iter(range(until + 1))
    planned = plan(folder, **settings)  # type: ignore[arg-type]
    return train(lesson, planned, stopped=lambda: next(done, until) >= until, keep=lambda *_: None)


def test_a_line_satisfies_the_protocol() -> None:
    assert isinstance(Line(), Lesson)


def test_a_resumed_training_ends_in_the_same_bits(tmp_path: Path) -> None:
    whole, parted = Line(), Line()
    assert run(tmp_path / "a", whole).finished
    sitting = run(tmp_path / "b", parted, until=13)
    assert (sitting.step, sitting.finished) == (13, False)
    again = Line()
    assert run(tmp_path / "b", again).finished
    assert all(
        torch.equal(one, other)
        for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True)
    )
    ends = [Curve(path=tmp_path / name / "line.jsonl").lines()[-1] for name in "ab"]
    assert ends[0]["scores"] == ends[1]["scores"]


def test_a_training_about_something_else_starts_anew(tmp_path: Path) -> None:
    run(tmp_path, Line(), until=13)
    assert run(tmp_path, Line(), until=3, key="other").step == 3


def test_a_finished_training_can_be_asked_for_more(tmp_path: Path) -> None:
    run(tmp_path, Line(), steps=20)
    assert run(tmp_path, Line(), steps=25, until=100).step == 25


def test_a_damaged_checkpoint_is_told_of(tmp_path: Path) -> None:
    run(tmp_path, Line(), until=3)
    path = tmp_path / "line.pt"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InvalidInput, match="cannot be used"):
        run(tmp_path, Line())


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    with pytest.raises(EditFailed, match="broke down"):
        run(tmp_path, Line(broken_from=5), steps=60)


def test_the_curve_forgets_what_is_done_again(tmp_path: Path) -> None:
    curve = Curve(path=tmp_path / "c" / "x.jsonl")
    for step in (1, 2, 3):
        curve.add({"step": step, "loss": 1 / 3})
    with curve.path.open("a") as file:
        file.write('{"step": 4, "lo')
    curve.rewind(2)
    assert curve.lines() == [{"step": 1, "loss": 0.33333}, {"step": 2, "loss": 0.33333}]


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    pace = Pace(batch=1, rate=1.0, warm=10, falls=0.2)
    assert pace.rate_at(0, 100) == pytest.approx(0.1)
    assert pace.rate_at(50, 100) == 1.0
    assert pace.rate_at(90, 100) == pytest.approx(0.5)
    assert pace.rate_at(99, 100) == pytest.approx(0.05)


def test_the_average_is_lent_in_sixteen_bits_and_taken_back() -> None:
    network = nn.Linear(3, 2)
    own = network.weight.detach().clone()
    average = AverageWeights(network)
    with torch.no_grad():
        network.weight.add_(1.0)
    average.update(network, 0.75)
    expected = rounded({"w": own + 0.25})["w"]
    with average.used(network, half=True):
        assert torch.allclose(network.weight, expected, atol=1e-3)
        assert torch.equal(network.weight, network.weight.half().float())
        assert not network.training
    assert torch.equal(network.weight, own + 1.0)
    assert network.training


def test_what_is_drawn_hangs_on_seed_model_and_step_alone() -> None:
    first = SegmenterLesson(seed=0, device=CPU, batch=2)
    later = SegmenterLesson(seed=0, device=CPU, batch=2)
    later.losses(0)
    assert torch.equal(first.losses(5)["loss"], later.losses(5)["loss"])
    assert not torch.equal(first.losses(6)["loss"], first.losses(5)["loss"])


def test_boxes_lie_around_masks_and_points_in_them() -> None:
    scenes = sample_scenes("validation", count=12)
    random = torch.Generator().manual_seed(0)
    wanted, boxes = chosen_objects(scenes, random)
    prompts = points_in(wanted, random)
    for k in range(12):
        for n in range(wanted.shape[1]):
            rows, columns = np.nonzero(wanted[k, n].numpy() > 0.5)
            assert boxes[k, n].tolist() == [
                columns.min(), rows.min(), columns.max() + 1, rows.max() + 1,
            ]  # fmt: skip
            x, y = prompts["input_points"][k, n, 0].floor().long().tolist()
            assert wanted[k, n, y, x] > 0.5
    assert boxes_of(torch.zeros(1, 1, 4, 4, dtype=torch.bool)).tolist() == [[[0, 0, 0, 0]]]


def test_a_perfect_mask_costs_next_to_nothing_and_a_wrong_one_much() -> None:
    wanted = torch.zeros(1, 1, 8, 8)
    wanted[..., 2:6, 2:6] = 1
    logits = (wanted * 40 - 20)[:, :, None].expand(-1, -1, 3, -1, -1)
    perfect = mask_losses(logits, torch.ones(1, 1, 3), wanted)
    assert float(perfect["loss"]) < 1e-3
    assert float(perfect["iou"]) == 1
    assert float(mask_losses(-logits, torch.ones(1, 1, 3), wanted)["loss"]) > 10
    shifted = torch.roll(wanted, 2, dims=3) > 0.5
    assert overlap(shifted, wanted > 0.5).item() == pytest.approx(8 / 24)


def test_overlaps_of_boxes_are_those_of_the_paper() -> None:
    one, other = torch.tensor([0.0, 0, 2, 2]), torch.tensor([3.0, 0, 5, 2])
    iou, giou = iou_and_giou(one, other)
    assert iou.item() == 0
    assert giou.item() == pytest.approx(-0.2)
    iou, giou = iou_and_giou(one, one)
    assert (iou.item(), giou.item()) == (1, 1)
    assert torch.allclose(as_corners(as_centres(other)), other)


def test_the_focal_loss_heeds_only_what_counts() -> None:
    logits = torch.tensor([0.0, -math.inf, 30.0])
    truth = torch.tensor([1.0, 0.0, 1.0])
    loss = focal(logits, truth, torch.tensor([True, False, True]))
    assert loss.item() == pytest.approx(0.25 * math.log(2), abs=1e-5)


def thing(colour: str, shape: str, *, big: bool = True, pattern: str = "solid") -> FlatThing:
    return FlatThing(colour=colour, shape=shape, pattern=pattern, big=big, x=0.0, y=0.0, radius=0.4)


def test_words_are_true_of_what_they_name_only() -> None:
    assert words_of(thing("red", "circle")) == {"red", "big", "solid", "plain", "circle", "ball"}
    assert "plain" not in words_of(thing("red", "star", pattern="dotted"))


def test_about_half_of_the_phrases_are_true_and_the_others_miss_by_a_word() -> None:
    random = np.random.default_rng(0)
    only = thing("blue", "square", pattern="striped")
    missed = [
        sum(word not in words_of(only) for word in drawn_phrase([only], random)) for _ in range(400)
    ]
    assert set(missed) == {0, 1}
    assert 0.4 < np.mean(missed) < 0.6


def test_absent_pairs_are_absent() -> None:
    absent = absent_pairs([thing("red", "circle"), thing("blue", "star")])
    assert ("red", "circle") not in absent
    assert ("red", "star") in absent
    assert len(absent) == 34


def test_questions_are_tokenised_as_production_code_does() -> None:
    lesson = DetectorLesson(seed=0, device=CPU, batch=2)
    scenes = sample_scenes("validation", count=1)
    asked_of = question_of(scenes, 0, [("small", "red", "ball"), ("star",)])
    from pocket.zoo.words import bert_tokenizer

    asked = lesson.asked(scenes, [asked_of])
    assert asked.ids[0].tolist() == bert_tokenizer()(asked_of.text).input_ids
    assert int(asked.words.sum()) == 4


def test_perfect_detections_cost_less_than_the_same_on_other_objects() -> None:
    lesson = DetectorLesson(seed=0, device=CPU, batch=2)
    scenes = sample_scenes("validation", count=6)
    first = [scenes.thing(row, scenes.slots(row)[0]) for row in range(6)]
    asked = lesson.asked(
        scenes, [question_of(scenes, k, [(one.colour,)]) for k, one in enumerate(first)]
    )
    logits = torch.full((6, 12, asked.ids.shape[1]), -12.0)
    logits[:, :4] = torch.where(asked.truth > 0, 12.0, -12.0)
    boxes = torch.full((6, 12, 4), 0.5)
    boxes[:, :4] = asked.boxes
    right = query_losses(logits, boxes, asked)
    assert float(right["words"]) < 1e-3
    assert float(right["boxes"]) < 1e-3
    assert float(query_losses(-logits, boxes, asked)["words"]) > 1
    cells = 16 * 16 + 8 * 8 + 4 * 4
    dark = proposal_losses(torch.full((6, cells, 64), -12.0), torch.zeros(6, cells, 4), asked)
    assert float(dark["proposed_words"]) > 1
    assert float(dark["proposed_boxes"]) > 0.5


def test_the_area_under_the_curve_counts_ties_half() -> None:
    assert area_under_curve(np.array([1.0, 2.0]), np.array([0.0, 2.0])) == pytest.approx(0.625)


def test_clean_pictures_are_readable_and_bare_ones_not() -> None:
    scenes = sample_scenes("validation", count=20)
    pictures = render(scenes)
    read = [right for row in range(20) for right, _ in readable(scenes, row, pictures[row])]
    assert np.mean(read) > 0.97
    assert not any(right for right, _ in readable(scenes, 0, np.full((64, 64, 3), 0.5, np.float32)))


def test_holes_are_grey_and_leave_the_given_pictures_alone() -> None:
    pictures = torch.ones(64, 3, 16, 16)
    holed = with_holes(pictures, torch.Generator().manual_seed(0))
    share = (holed != pictures).flatten(1).any(dim=1).float().mean()
    assert 0.02 < share < 0.4
    assert set(holed.unique().tolist()) == {0.0, 1.0}
    assert bool((pictures == 1).all())


def test_the_autoencoders_loss_is_finite_and_reaches_all_weights() -> None:
    lesson = AutoencoderLesson(seed=0, device=CPU, batch=2)
    losses = lesson.losses(0)
    torch.autograd.backward(losses["loss"])
    assert all(bool(torch.isfinite(value)) for value in losses.values())
    assert all(one.grad is not None for one in lesson.network.parameters())


def test_a_hole_covers_all_that_changes() -> None:
    batch = edits(sample_scenes("validation", count=40))
    random = np.random.default_rng(0)
    for region in region_masks(batch) > 0:
        assert not (region & ~hole_around(region, random)).any()


def test_pairs_are_made_once_and_know_what_is_removed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    vae = build_autoencoder().eval()
    batch = edits(sample_scenes("train", count=6), tasks=["remove"])
    made = pairs_of(batch, vae, device=CPU, seed=0, number=0)
    empty = tokens_of([""])[0]
    assert bool((made.filling == empty).all())
    assert filling_of("recolor", "a red ball") == "a red ball"
    assert not bool((made.region & ~made.hole).any())
    assert made.before.dtype == torch.float16
    assert not make_pairs(tmp_path, vae, parts=1, seed=0, device=CPU, stopped=lambda: True)
    saved = {name: getattr(made, name) for name in made.__dataclass_fields__}
    torch.save(saved, part_path(tmp_path, 0))
    assert make_pairs(tmp_path, vae, parts=1, seed=0, device=CPU, stopped=lambda: True)
    assert torch.equal(load_pairs(tmp_path, 1).after, made.after)


def test_noise_levels_are_spread_over_a_batch() -> None:
    times = drawn_times(10, torch.Generator().manual_seed(0)).sort().values
    assert all(100 * k <= int(time) < 100 * (k + 1) for k, time in enumerate(times))


def test_the_right_noise_costs_nothing_and_objects_count_more() -> None:
    noise = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    times = torch.tensor([300, 300])
    nothing = torch.zeros(2, 4, 4, dtype=torch.bool)
    assert noise_loss(noise, noise, times, nothing)["loss"].item() == 0
    off = noise.clone()
    off[:, :, 0, 0] += 1
    there = nothing.clone()
    there[:, 0, 0] = True
    plain = noise_loss(off, noise, times, nothing)["loss"].item()
    weighted = noise_loss(off, noise, times, there)["loss"].item()
    assert weighted == pytest.approx(plain * 3 / (18 / 16), rel=1e-5)
    clean = torch.ones(2, 4, 4, 4)
    noisy = with_noise(clean, torch.zeros_like(clean), torch.tensor([0, 999]))
    assert noisy[0].mean() > 0.999
    assert noisy[1].mean() < 0.1


def card(score: float) -> Card:
    return Card(
        model="sam", seed=0, steps=1, samples=2, minutes=0.1, device="CPU", main="iou",
        scores={"iou": score},
    )  # fmt: skip


def test_a_folder_gives_way_to_better_weights_only(tmp_path: Path) -> None:
    folder = tmp_path / "sam"

    def write(text: str) -> object:
        def written(place: Path) -> None:
            place.mkdir(exist_ok=True)
            (place / "weights").write_text(text)

        return written

    assert kept_if_better(folder, card(0.5), write("first"))  # type: ignore[arg-type]
    assert not kept_if_better(folder, card(0.4), write("worse"))  # type: ignore[arg-type]
    assert (folder / "weights").read_text() == "first"
    assert kept_if_better(folder, card(0.6), write("better"))  # type: ignore[arg-type]
    assert read_card(folder)["scores"] == {"iou": 0.6}  # type: ignore[index]
    write_cards(tmp_path, {"chain": {"easy": 0.9, "auc": 0.7}})
    told = (tmp_path / "README.md").read_text()
    assert "- sam: iou 0.6 of 0.87" in told
    assert "- chain: auc 0.7 of 0.9" in told


def test_minutes_decide_the_steps_and_a_gpu_takes_fewer_larger_ones() -> None:
    stage = stage_of("stable-diffusion")
    whole = steps_of(stage, 240, gpu=False)
    assert steps_of(stage, 120, gpu=False) == pytest.approx(whole / 2, abs=1)
    assert steps_of(stage, 240, gpu=True) == pytest.approx(whole / 8, abs=1)
    # all fit into the minutes of two cores
    assert sum(stage.minutes for stage in STAGES) <= 2 * 240


def test_the_autoencoder_stays_once_it_is_done(tmp_path: Path) -> None:
    for name in ("vae", "sam"):
        path = done_path(tmp_path, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"steps": 10}')
    assert is_done(tmp_path, stage_of("vae"), 1000)
    assert not is_done(tmp_path, stage_of("sam"), 1000)


def test_what_cannot_be_trained_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="'sam2'"):
        chosen_stages(tmp_path, ("sam2",))
    with pytest.raises(InvalidInput, match="needs pairs and stable-diffusion"):
        chosen_stages(tmp_path, ("inpainting",))
    with pytest.raises(InvalidInput, match="minutes"):
        TrainingSettings(folder=tmp_path, minutes=0)
    with pytest.raises(InvalidInput, match="seed"):
        TrainingSettings(folder=tmp_path, seed=-1)
    with pytest.raises(InvalidInput, match="processes"):
        TrainingSettings(folder=tmp_path, processes=0)


def test_a_training_that_is_stopped_at_once_starts_nothing(tmp_path: Path) -> None:
    settings = TrainingSettings(folder=tmp_path, only=("sam",))
    assert run_training(settings, stopped=lambda: True) == ()
    assert not (tmp_path / "work" / "sam.pt").exists()


def test_held_out_pairs_never_come_into_training() -> None:
    with pytest.raises(InvalidInput, match="not for training"):
        sample_scenes("train", count=1, settings=FlatSettings(pairs="held-out"))


@pytest.fixture(scope="module")
def few() -> tuple[Pairs, object]:
    """A handful of pairs, and the untrained autoencoder that they are of."""
    torch.manual_seed(0)
    vae = build_autoencoder().eval().requires_grad_(False)
    batch = edits(sample_scenes("train", count=8))
    return pairs_of(batch, vae, device=CPU, seed=0, number=0), vae


def test_all_denoisers_learn_and_are_scored(
    few: tuple[Pairs, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    # few of everything that is scored, else it takes a minute
    for module, name in (
        (classifier, "_PICTURES"),
        (painter, "_SAMPLES"),
        (editing, "_EDITS"),
        (sampling, "_STEPS"),
    ):
        monkeypatch.setattr(module, name, 2)
    pairs, vae = few
    parent = painter.PainterLesson(pairs, vae, seed=0, device=CPU, batch=4)
    lessons: list[Lesson] = [
        parent,
        instruct.InstructLesson(pairs, vae, parent.denoiser, seed=0, device=CPU, batch=4),
        inpaint.InpaintLesson(pairs, vae, parent.denoiser, seed=0, device=CPU, batch=4),
    ]
    for lesson in lessons:
        torch.autograd.backward(lesson.losses(0)["loss"])
        heard = [one.grad is not None for one in lesson.network.parameters()]
        assert np.mean(heard) > 0.95
        lesson.network.eval()
        with torch.no_grad():
            scores = lesson.scores()
        assert lesson.main in scores
        shares = [value for name, value in scores.items() if not name.startswith("nearest")]
        assert all(0 <= value <= 1 for value in shares)
        # an heir's weights are its own
        assert lesson is parent or lesson.network is not parent.network


def test_the_small_models_learn_and_are_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (segmenter, detector, scorer, autoencoder):
        monkeypatch.setattr(module, "_VALIDATION", 66)
    lessons: list[Lesson] = [
        SegmenterLesson(seed=0, device=CPU, batch=2),
        DetectorLesson(seed=0, device=CPU, batch=2),
        scorer.ScorerLesson(seed=0, device=CPU, batch=4),
        AutoencoderLesson(seed=0, device=CPU, batch=2),
    ]
    for lesson in lessons:
        torch.autograd.backward(lesson.losses(0)["loss"])
        lesson.network.eval()
        with torch.no_grad():
            scores = lesson.scores()
        assert lesson.main in scores
        assert all(math.isfinite(value) for value in scores.values())


def test_the_distance_to_what_was_learned_from_is_that_to_the_nearest() -> None:
    random = torch.Generator().manual_seed(0)
    known = torch.randn(painter._COMPARED + 3, 4, 2, 2, generator=random)
    copies = known[[0, 5, painter._COMPARED + 2]]
    assert painter.nearest_distance(copies, known) == pytest.approx(0, abs=1e-3)
    far = known[:1] + 100
    want = (far - known).square().mean(dim=(1, 2, 3)).sqrt().min().item()
    assert painter.nearest_distance(far, known) == pytest.approx(want, rel=1e-4)
