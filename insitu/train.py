"""``insitu train``: the small networks of our own that an editor needs beside its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from collections.abc import Mapping

    from image_core.editors.zone.actions.scoring import Score, Voice
    from image_core.editors.zone.actions.training import Trained

    Scores = Mapping[str, Mapping[Voice, Score]]

_CACHE_NAME = "zone-actions"


@dataclass(frozen=True, kw_only=True)
class TrainCommand:
    """Train a small network that an editor needs beside its checkpoint: ZONE's action classifier.

    It tells from an instruction whether to change, add or remove something. It learns from 450
    generated sentences on a checkpoint's text encoder, which stays as it is, and is scored on 150
    others and on hard ones written by hand, beside the rules. The same arguments give the same
    classifier. Prints the folder last.
    """

    what: tyro.conf.Positional[Literal["action-classifier"]]
    """Which network."""
    model: str = "timbrooks/instruct-pix2pix"
    """Whose text encoder it reads: a catalogue name, hub id or folder."""
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None
    """Where it goes; where the editor looks for it, unless given."""
    seed: int = 0
    """Of the sentences and of the first weights."""
    epochs: Annotated[int, tyro.conf.arg(metavar="N")] = 60
    """Steps over all sentences."""
    learning_rate: Annotated[float, tyro.conf.arg(metavar="F")] = 0.003
    """Of Adam at the start."""
    device: str = "auto"
    """Of the text encoder."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.extras import need_extra

        need_extra("neural", "torch", "transformers")
        from image_core.devices import placement
        from image_core.disk_cache import DiskCache
        from image_core.editors.zone.actions import default_folder
        from image_core.editors.zone.actions.encoding import load_text_encoder
        from image_core.editors.zone.actions.fitting import FitSettings
        from image_core.editors.zone.actions.saved import Card, check_free, save_classifier
        from image_core.editors.zone.actions.scoring import scores_of
        from image_core.editors.zone.actions.training import train_classifier
        from insitu.bars import bars_shown
        from insitu.reporting import print_json

        settings = FitSettings(seed=self.seed, epochs=self.epochs, learning_rate=self.learning_rate)
        folder = Path(self.output).expanduser() if self.output else default_folder(self.model)
        check_free(folder)
        text = load_text_encoder(self.model, placement(self.device))
        with bars_shown(self.format) as progress:
            trained = train_classifier(
                text, settings, cache=DiskCache(name=_CACHE_NAME), progress=progress
            )
        scores = {"plain": scores_of(trained.plain), "hard": scores_of(trained.hard)}
        figures = _figures(trained, scores)
        card = Card(model=self.model, seed=self.seed, figures=figures)
        save_classifier(folder, trained.classifier, card)
        if self.format == "json":
            print_json(
                {
                    "status": "ok",
                    "exit_code": 0,
                    "output": str(folder),
                    "model": self.model,
                    "seed": self.seed,
                    **figures,
                }
            )
        else:
            print(_told(trained, scores))
            print(folder)
        return 0


def _figures(trained: Trained, scores: Scores) -> dict[str, Any]:
    return {
        "pooling": trained.classifier.pooling,
        "held_back": {how: round(share, 4) for how, share in trained.held_back.items()},
        "temperature": round(trained.temperature, 4),
        **{
            name: {
                voice: {"accuracy": round(score.accuracy, 4), "confusion": score.confusion}
                for voice, score in voices.items()
            }
            for name, voices in scores.items()
        },
    }


def _told(trained: Trained, scores: Scores) -> str:
    held_back = ", ".join(f"{how} {share:.3f}" for how, share in trained.held_back.items())
    lines = [f"pooling {trained.classifier.pooling} (on frames held back: {held_back})"]
    for name, voices in scores.items():
        count = sum(map(sum, voices["rules"].confusion))
        lines.append(f"{name} sentences ({count})      change   add  remove  nothing")
        for voice, one in voices.items():
            lines.append(f"  {voice}: {one.accuracy:.1%} right")
            for true, row in zip(("change", "add", "remove"), one.confusion, strict=True):
                lines.append(f"    {true:>8} said as {row[0]:>10}{row[1]:>6}{row[2]:>8}{row[3]:>9}")
    return "\n".join(lines)
