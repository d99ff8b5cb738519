"""One stage in a process of its own."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from image_core.disk_cache import content_key
from image_core.photo.atomic import write_atomically
from pocket.training.autoencoder import AutoencoderLesson
from pocket.training.cards import Card, kept_if_better
from pocket.training.checkpoint import Trainee
from pocket.training.denoiser import Denoiser, fresh_denoiser
from pocket.training.detector import DetectorLesson
from pocket.training.inpaint import InpaintLesson
from pocket.training.instruct import InstructLesson
from pocket.training.lesson import Lesson, Scores
from pocket.training.loop import Plan, train
from pocket.training.painter import PainterLesson
from pocket.training.pairs import load_pairs, make_pairs
from pocket.training.scorer import ScorerLesson
from pocket.training.segmenter import SegmenterLesson
from pocket.training.stages import (
    FLAVOURS,
    ON_GPU,
    done_path,
    stage_of,
    start_name,
    steps_of,
)
from pocket.training.whitening import folded
from pocket.zoo.autoencoder import load_autoencoder
from pocket.zoo.detector import detector_processor
from pocket.zoo.folders import write_model, write_pipeline
from pocket.zoo.scorer import scorer_processor
from pocket.zoo.segmenter import segmenter_processor
from pocket.zoo.words import clip_tokenizer


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a process is to do.

    Attributes:
        folder: Of the zoo.
        stage: Name of the stage.
        minutes: Of the whole training.
        seed: Of all that is drawn.
        device: Of torch.
    """

    folder: Path
    stage: str
    minutes: float
    seed: int
    device: str

    @property
    def work(self) -> Path:
        """Where checkpoints lie."""
        return self.folder / "work"

    @property
    def gpu(self) -> bool:
        """Whether batches are large."""
        return self.device != "cpu"

    def steps(self, stage: str) -> int:
        """Return how many steps a stage has."""
        return steps_of(stage_of(stage), self.minutes, gpu=self.gpu)


def work_as_process(order: Order) -> None:
    """Carry out an order; SIGTERM, or the end of the parent, lets it write its checkpoint first."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and passes it on
    parent = os.getppid()
    if not order.gpu:
        torch.set_num_threads(1)
    carry_out(order, stopped=lambda: bool(asked) or os.getppid() != parent)


def carry_out(order: Order, *, stopped: Callable[[], bool]) -> bool:
    """Carry out an order from where it stands; tell whether it came to its end.

    Args:
        order: Which stage.
        stopped: Asked after every step.

    Raises:
        InvalidInput: A checkpoint is damaged, or nothing can be written.
        EditFailed: A training broke down.
    """
    steps = order.steps(order.stage)
    if order.stage == "pairs":
        finished = _make_pairs(order, steps, stopped)
    else:
        finished = _train(order, steps, stopped)
    if finished:
        path = done_path(order.work, order.stage)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"steps": steps}).encode())
    return finished


def _make_pairs(order: Order, parts: int, stopped: Callable[[], bool]) -> bool:
    device = torch.device(order.device)
    vae, _ = _vae(order, device)
    return make_pairs(
        _pairs_folder(order), vae, parts=parts, seed=order.seed, device=device, stopped=stopped
    )


def _train(order: Order, steps: int, stopped: Callable[[], bool]) -> bool:
    stage = stage_of(order.stage)
    lesson, about = _lesson(order)

    def keep(trainee: Trainee, scores: Scores) -> None:
        card = Card(
            model=order.stage,
            seed=order.seed,
            steps=trainee.step,
            samples=trainee.step * lesson.pace.batch,
            minutes=round(trainee.seconds / 60, 1),
            device=_device_name(order.device),
            main=lesson.main,
            scores={name: float(f"{value:.4g}") for name, value in scores.items()},
        )
        _export(order, lesson, card, finished=trainee.step >= steps)
        for model, share in stage.gives:
            path = order.work / start_name(model)
            if trainee.step >= share * steps and not path.exists():
                buffer = BytesIO()
                torch.save(lesson.network.state_dict(), buffer)
                write_atomically(path, buffer.getvalue())

    plan = Plan(
        steps=steps,
        checkpoint=order.work / f"{order.stage}.pt",
        curve=order.folder / "curves" / f"{order.stage}.jsonl",
        key=content_key("pocket training", order.stage, str(order.seed), *about),
        scored_every=max(1, stage.scored // (ON_GPU if order.gpu else 1)),
    )
    return train(lesson, plan, stopped=stopped, keep=keep).finished


def _lesson(order: Order) -> tuple[Lesson, tuple[str, ...]]:
    """Return what an order is to train, and what beside the seed it hangs on."""
    device, times = torch.device(order.device), ON_GPU if order.gpu else 1
    small: dict[str, tuple[Any, int]] = {
        "vae": (AutoencoderLesson, 16),
        "sam": (SegmenterLesson, 32),
        "grounding-dino": (DetectorLesson, 16),
        "clip": (ScorerLesson, 64),
    }
    lesson: Lesson
    if order.stage in small:
        kind, batch = small[order.stage]
        lesson = kind(seed=order.seed, device=device, batch=times * batch)
        return lesson, ()
    vae, key = _vae(order, device)
    pairs = load_pairs(_pairs_folder(order), order.steps("pairs"))
    batch = times * 32
    if order.stage == "stable-diffusion":
        lesson = PainterLesson(pairs, vae, seed=order.seed, device=device, batch=batch)
        return lesson, (key,)
    heir: Any = InstructLesson if order.stage == "instruct-pix2pix" else InpaintLesson
    start = (order.work / start_name(order.stage)).read_bytes()
    parent = fresh_denoiser(order.seed)
    parent.load_state_dict(torch.load(BytesIO(start), weights_only=True, map_location="cpu"))
    lesson = heir(pairs, vae, parent, seed=order.seed, device=device, batch=batch)
    return lesson, (key, content_key(start))


def _export(order: Order, lesson: Lesson, card: Card, *, finished: bool) -> None:
    """Write a model's folder if it is the best so far; the autoencoder's once it is finished."""
    network: Any = lesson.network
    if order.stage == "vae":
        if finished:
            whole = folded(network, torch.device(order.device))
            kept_if_better(order.work / "vae", card, lambda place: write_model(place, whole))
        return
    target = order.folder / order.stage
    if isinstance(network, Denoiser):
        flavour = next(one for one in FLAVOURS if one == order.stage)
        vae, _ = _vae(order, torch.device("cpu"))
        kept_if_better(
            target,
            card,
            lambda place: write_pipeline(
                place,
                flavour,
                unet=network.unet,
                vae=vae,
                text_encoder=network.text_encoder,
            ),
        )
        return
    beside: dict[str, Callable[[], tuple[Any, ...]]] = {
        "sam": lambda: (segmenter_processor(),),
        "grounding-dino": lambda: (detector_processor(),),
        "clip": lambda: (scorer_processor(), clip_tokenizer()),
    }
    parts = beside[order.stage]()
    kept_if_better(target, card, lambda place: write_model(place, network, *parts))


def _vae(order: Order, device: torch.device) -> tuple[Any, str]:
    """Return the finished autoencoder and a key of its weights."""
    folder = order.work / "vae"
    weights = (folder / "diffusion_pytorch_model.safetensors").read_bytes()
    return load_autoencoder(folder).to(device).eval().requires_grad_(False), content_key(weights)


def _pairs_folder(order: Order) -> Path:
    _, key = _vae(order, torch.device("cpu"))
    return order.work / f"pairs-{key[:12]}"


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(0) if device.startswith("cuda") else "CPU, one core"
