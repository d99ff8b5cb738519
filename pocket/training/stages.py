"""The stages of a whole training: what needs what, and how the time is split.

Times are those of one quiet core, so that the same command does the same steps on any machine; on
one that is busy or slow it merely takes longer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from image_core.errors import InvalidInput
from pocket.training.pairs import PART
from pocket.zoo.denoiser import Flavour

FULL = 240.0
"""Minutes of two cores for which the shares below are meant."""
ON_GPU = 8
"""Times larger are batches on a GPU, and so many times fewer the steps."""

_PAIRS = 24_000  # edits that the denoisers learn from
_FEWEST_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One model's training, or the making of what is learned from.

    Attributes:
        name: Of the model.
        minutes: Of one core, of a full training.
        step: Seconds of one core that a step takes.
        scored: Steps between two scorings.
        needs: Files below the working folder that must be there first.
        gives: Steps of it, as a share, after which it writes a start for others.
    """

    name: str
    minutes: float
    step: float
    scored: int
    needs: tuple[str, ...] = ()
    gives: tuple[tuple[str, float], ...] = ()


def start_name(model: str) -> str:
    """Return where a denoiser's start lies, below the working folder."""
    return f"start-{model}.pt"


# first what others wait for
STAGES: tuple[Stage, ...] = (
    Stage(name="vae", minutes=30, step=0.5, scored=500),
    Stage(name="pairs", minutes=12, step=0.03 * PART, scored=0, needs=("vae/config.json",)),
    Stage(
        name="stable-diffusion",
        minutes=170,
        step=0.55,
        scored=1500,
        needs=("done/pairs.json",),
        gives=(("instruct-pix2pix", 0.35), ("inpainting", 0.6)),
    ),
    Stage(
        name="instruct-pix2pix",
        minutes=130,
        step=0.55,
        scored=1500,
        needs=("done/pairs.json", start_name("instruct-pix2pix")),
    ),
    Stage(
        name="inpainting",
        minutes=60,
        step=0.55,
        scored=1500,
        needs=("done/pairs.json", start_name("inpainting")),
    ),
    Stage(name="sam", minutes=12, step=0.18, scored=500),
    Stage(name="grounding-dino", minutes=24, step=0.3, scored=500),
    Stage(name="clip", minutes=12, step=0.3, scored=500),
)
NAMES = tuple(stage.name for stage in STAGES)
FLAVOURS: tuple[Flavour, ...] = get_args(Flavour)


def stage_of(name: str) -> Stage:
    """Return a stage by its name."""
    return next(stage for stage in STAGES if stage.name == name)


def steps_of(stage: Stage, minutes: float, *, gpu: bool) -> int:
    """Return a stage's steps in a training of so many minutes of two quiet cores."""
    if stage.name == "pairs":
        return max(2, round(_PAIRS / PART * min(1.0, minutes / FULL)))
    steps = 60 * stage.minutes / stage.step * minutes / FULL
    return max(_FEWEST_STEPS, round(steps / (ON_GPU if gpu else 1)))


def done_path(work: Path, name: str) -> Path:
    """Return the file that says how many steps of a stage are done."""
    return work / "done" / f"{name}.json"


def is_done(work: Path, stage: Stage, steps: int) -> bool:
    """Tell whether a stage has come to so many steps.

    The autoencoder is done for good once it is: all that was learned in its latents hangs on it.
    """
    try:
        done = json.loads(done_path(work, stage.name).read_text())["steps"]
    except (OSError, ValueError, KeyError):
        return False
    return stage.name == "vae" or bool(done >= steps)


def is_ready(work: Path, stage: Stage) -> bool:
    """Tell whether what a stage needs is there."""
    return all((work / name).exists() for name in stage.needs)


def chosen_stages(work: Path, only: tuple[str, ...]) -> tuple[Stage, ...]:
    """Return the stages that are asked for; all of them where none is named.

    Raises:
        InvalidInput: There is no such stage, or it needs one that is neither done nor asked for.
    """
    wrong = [name for name in only if name not in NAMES]
    if wrong:
        raise InvalidInput(
            f"there is nothing to train that is called {', '.join(map(repr, wrong))}",
            hint=f"Take some of {', '.join(NAMES)}.",
        )
    chosen = tuple(stage for stage in STAGES if not only or stage.name in only)
    names = {stage.name for stage in chosen}
    before = {"vae": (), "pairs": ("vae",), "stable-diffusion": ("pairs",),
              "instruct-pix2pix": ("pairs", "stable-diffusion"),
              "inpainting": ("pairs", "stable-diffusion")}  # fmt: skip
    for stage in chosen:
        lacking = [name for name in before.get(stage.name, ()) if name not in names]
        if lacking and not is_ready(work, stage):
            raise InvalidInput(
                f"{stage.name} needs {' and '.join(lacking)} trained first",
                hint=f"Name them too: --only {' '.join([*lacking, stage.name])}.",
            )
    return chosen
