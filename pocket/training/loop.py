"""The training loop: the same for every model, resumable to the bit on one device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from image_core.errors import EditFailed
from pocket.training.average import AverageWeights
from pocket.training.checkpoint import Trainee, load_checkpoint, save_checkpoint
from pocket.training.curves import Curve
from pocket.training.lesson import Lesson, Scores

_MOST_SKIPPED = 20  # steps in a row whose gradient was not finite


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long a model is trained, and where its files lie.

    Attributes:
        steps: In all, over all sittings.
        checkpoint: Path of its checkpoint.
        curve: Path of its curve.
        key: What the training is about: another key starts anew.
        told_every: Steps between two lines of the loss.
        scored_every: Steps between two scorings.
        saved_every: Seconds between two checkpoints.
    """

    steps: int
    checkpoint: Path
    curve: Path
    key: str
    told_every: int = 50
    scored_every: int = 500
    saved_every: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """How a sitting ended.

    Attributes:
        step: Steps done in all.
        finished: Whether all of the plan's are.
        seconds: Spent in all sittings.
        losses: Means over the last told steps.
    """

    step: int
    finished: bool
    seconds: float
    losses: Scores


Keeper = Callable[[Trainee, Scores], None]
"""Gets the trainee, its average in the network, whenever it was scored."""


def train(
    lesson: Lesson,
    plan: Plan,
    *,
    stopped: Callable[[], bool],
    keep: Keeper,
    clock: Callable[[], float] = time.monotonic,
) -> Sitting:
    """Train a model from where it stands to the end of its plan, or until it is stopped.

    Args:
        lesson: What is learned.
        plan: How long.
        stopped: Asked after every step; the checkpoint is written before it returns.
        keep: See ``Keeper``.
        clock: In seconds.

    Raises:
        EditFailed: The loss is not finite any more.
        InvalidInput: The checkpoint is damaged.
    """
    trainee = start(lesson)
    plan.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    load_checkpoint(plan.checkpoint, trainee, plan.key)
    curve = Curve(path=plan.curve)
    curve.rewind(trainee.step)
    lesson.network.train()
    told: dict[str, float] = {}
    since: list[dict[str, float]] = []
    begun = saved = clock()
    before, skipped = trainee.seconds, 0
    while trainee.step < plan.steps and not stopped():
        found = _stepped(lesson, trainee, plan.steps)
        skipped = 0 if found else skipped + 1
        if skipped > _MOST_SKIPPED:
            raise EditFailed(
                f"the training of {lesson.name} broke down at step {trainee.step}: no finite loss",
                hint="Resume from an older checkpoint, or start it with another --seed.",
            )
        since += [found] if found else []
        trainee.step += 1
        now = clock()
        trainee.seconds = before + now - begun
        last = trainee.step == plan.steps
        if trainee.step % plan.told_every == 0 or last:
            told, since = _means(since), []
            curve.add(_line(lesson, trainee) | told)
        if trainee.step % plan.scored_every == 0 or last:
            with trainee.average.used(lesson.network, half=True), torch.no_grad():
                scores = lesson.scores()
                curve.add(_line(lesson, trainee) | {"scores": dict(scores)})
                keep(trainee, scores)
        if now - saved >= plan.saved_every:
            save_checkpoint(plan.checkpoint, trainee, plan.key)
            saved = now
    save_checkpoint(plan.checkpoint, trainee, plan.key)
    return Sitting(
        step=trainee.step,
        finished=trainee.step >= plan.steps,
        seconds=trainee.seconds,
        losses=told,
    )


def start(lesson: Lesson) -> Trainee:
    """Return a lesson's network with a fresh optimiser and average."""
    groups = [
        {"params": list(parameters), "factor": factor} for parameters, factor in lesson.groups()
    ]
    optimiser = torch.optim.AdamW(
        groups, lr=lesson.pace.rate, betas=(0.9, 0.99), weight_decay=lesson.pace.decay
    )
    return Trainee(
        network=lesson.network, optimiser=optimiser, average=AverageWeights(lesson.network)
    )


def _stepped(lesson: Lesson, trainee: Trainee, steps: int) -> dict[str, float]:
    """Do one step; return its losses, nothing where they were not finite and it was skipped."""
    rate = lesson.pace.rate_at(trainee.step, steps)
    for group in trainee.optimiser.param_groups:
        group["lr"] = rate * group["factor"]
    losses = lesson.losses(trainee.step)
    trainee.optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(losses["loss"])
    norm = torch.nn.utils.clip_grad_norm_(lesson.network.parameters(), lesson.pace.clip)
    if not bool(torch.isfinite(norm)):
        return {}
    trainee.optimiser.step()
    trainee.average.update(lesson.network, lesson.pace.average_at(trainee.step))
    return {name: float(value.detach()) for name, value in losses.items()}


def _means(found: list[dict[str, float]]) -> dict[str, float]:
    names = found[0] if found else {}
    return {name: sum(one[name] for one in found) / len(found) for name in names}


def _line(lesson: Lesson, trainee: Trainee) -> dict[str, float]:
    return {
        "step": trainee.step,
        "samples": trainee.step * lesson.pace.batch,
        "seconds": round(trainee.seconds, 1),
    }
