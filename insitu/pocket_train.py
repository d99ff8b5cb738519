"""``insitu pocket train``: the miniature models, from nothing."""

from __future__ import annotations

import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class PocketTrain:
    """Train miniature models on the flat world: for hours on a CPU, minutes on a GPU.

    What is there already is gone on with: the same command resumes after an interruption, which
    loses nothing but the steps since the last checkpoint. A model's folder is only replaced by a
    better one. Prints the folder last.
    """

    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """Where the models go; checkpoints go to work/ in it, loss curves to curves/."""
    minutes: Annotated[float, tyro.conf.arg(metavar="N")] = 240.0
    """Of two quiet cores, split over the models; decides how many steps each is trained."""
    only: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME")] = ()
    """Some of vae, pairs, stable-diffusion, instruct-pix2pix, inpainting, sam, grounding-dino,
    clip."""
    seed: int = 0
    """Of weights, scenes and noise."""
    device: str = "auto"
    """auto takes CUDA where it is, else the CPU."""
    processes: Annotated[int, tyro.conf.arg(metavar="N")] = 2
    """On a CPU: how many models are trained at once, on a core each."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.extras import need_extra

        need_extra("neural", "torch", "diffusers", "transformers")
        from image_core.devices import placement
        from insitu.bars import bars_shown
        from insitu.exit_codes import ExitCode
        from insitu.reporting import print_json
        from pocket.training.cards import write_cards
        from pocket.training.chain import chain_scores
        from pocket.training.scheduler import TrainingSettings, run_training

        folder = Path(self.output).absolute()
        settings = TrainingSettings(
            folder=folder,
            minutes=self.minutes,
            only=tuple(self.only),
            seed=self.seed,
            device=placement(self.device).device.type,
            processes=self.processes,
        )
        asked: list[int] = []
        before = {
            number: signal.signal(number, lambda caught, _: asked.append(caught))
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            with bars_shown(self.format) as progress:
                done = run_training(settings, stopped=lambda: bool(asked), progress=progress)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        extra = {}
        if not asked and all((folder / name / "config.json").exists() for name in _CHAIN):
            extra["chain"] = asdict(chain_scores(folder, device=settings.device))
        write_cards(folder, extra)
        if self.format == "json":
            print_json(
                {
                    "status": "interrupted" if asked else "ok",
                    "exit_code": int(ExitCode.INTERRUPTED if asked else ExitCode.DONE),
                    "output": str(folder),
                    "done": list(done),
                }
            )
        else:
            print(f"done: {', '.join(done) or 'nothing yet'}")
            print(folder)
        return int(ExitCode.INTERRUPTED if asked else ExitCode.DONE)


_CHAIN = ("sam", "grounding-dino")
"""What the chain from a phrase to a mask takes."""
