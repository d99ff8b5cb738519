"""Model cards: what each folder's weights were trained on and how good they are, in float16."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from image_core.photo.atomic import write_atomically
from pocket.flat.words import HELD_OUT
from pocket.zoo.folders import stored_bytes

MODELS = (
    "stable-diffusion", "instruct-pix2pix", "inpainting", "clip", "sam", "grounding-dino",
)  # fmt: skip
"""Folders of the zoo."""
CARD = "card.json"

GOALS: Mapping[str, Mapping[str, float]] = {
    "vae": {"psnr": 32.0, "big_readable": 0.95, "small_readable": 0.85},
    "sam": {"iou": 0.87},
    "chain": {"easy": 0.8, "auc": 0.9},
    "stable-diffusion": {"colour": 0.95, "pair": 0.6, "shape_400": 0.65},
    "instruct-pix2pix": {"right_recolor": 0.8, "right_remove": 0.8},
}
"""What each part's scores shall reach; a score below is named on the card."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One model's training.

    Attributes:
        model: Its name.
        seed: Of weights and draws.
        steps: Done.
        samples: Seen.
        minutes: Spent.
        device: On what.
        main: The score that decides whether weights replace others.
        scores: On validation scenes, with the weights rounded to float16.
    """

    model: str
    seed: int
    steps: int
    samples: int
    minutes: float
    device: str
    main: str
    scores: Mapping[str, float]


def kept_if_better(folder: Path, card: Card, write: Callable[[Path], None]) -> bool:
    """Let a model take its folder unless what lies there scores higher.

    Args:
        folder: Of the model.
        card: Of the new weights.
        write: Writes them; the card is added.

    Returns:
        Whether it was written.
    """
    before = read_card(folder)
    if before is not None and before["scores"].get(card.main, 0.0) > card.scores[card.main]:
        return False
    write(folder)
    write_atomically(folder / CARD, (json.dumps(asdict(card), indent=2) + "\n").encode())
    return True


def read_card(folder: Path) -> dict[str, Any] | None:
    """Return the card in a model's folder, None where there is none."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return card if isinstance(card["scores"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def short_of(part: str, scores: Mapping[str, float]) -> list[str]:
    """Return which of a part's goals its scores miss, in words."""
    return [
        f"{name} {scores[name]:.3g} of {goal:g}"
        for name, goal in GOALS.get(part, {}).items()
        if name in scores and scores[name] < goal
    ]


def write_cards(folder: Path, extra: Mapping[str, Mapping[str, float]]) -> None:
    """Write ``card.json`` and ``README.md`` of the whole zoo from the cards in its folders.

    Args:
        folder: Of the zoo.
        extra: Further scores by part, such as those of the chain.
    """
    cards = {name: card for name in MODELS if (card := read_card(folder / name))}
    if vae := read_card(folder / "work" / "vae"):
        cards["vae"] = vae
    elif known := _known(folder).get("vae"):
        cards["vae"] = known
    scores = {name: card["scores"] for name, card in cards.items()} | dict(extra)
    short = {name: found for name, own in scores.items() if (found := short_of(name, own))}
    content = {
        "data": "procedural scenes of pocket.flat, 64 x 64 pixels, split train",
        "held_out_pairs": [" ".join(pair) for pair in HELD_OUT],
        "bytes": stored_bytes(folder, MODELS),
        "models": cards,
        "scores": dict(extra),
        "short_of_goals": short,
    }
    write_atomically(folder / CARD, (json.dumps(content, indent=2) + "\n").encode())
    write_atomically(folder / "README.md", _read_me(content).encode())


def _known(folder: Path) -> dict[str, Any]:
    try:
        models = json.loads((folder / CARD).read_text(encoding="utf-8"))["models"]
    except (OSError, ValueError, KeyError):
        return {}
    return dict(models)


def _read_me(content: Mapping[str, Any]) -> str:
    lines = [
        "# Pocket checkpoints",
        "",
        "Miniature models for tests and benches, of the same classes as those that users run,",
        "trained from nothing by `insitu pocket train`. They know a flat world of six shapes and",
        "six colours in pictures of 64 x 64 pixels, and nothing else.",
        "",
        f"Data: {content['data']}; never shown: {', '.join(content['held_out_pairs'])}.",
        f"Weights are float16, {content['bytes'] / 1e6:.1f} MB together; scores are those of the",
        "rounded weights on validation scenes.",
        "",
        "| model | seed | steps | samples | minutes | device | scores |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, card in content["models"].items():
        lines.append(
            f"| {name} | {card['seed']} | {card['steps']} | {card['samples']} "
            f"| {card['minutes']:.0f} | {card['device']} | {_told(card['scores'])} |"
        )
    for name, scores in content["scores"].items():
        lines.append(f"| {name} | | | | | | {_told(scores)} |")
    short = content["short_of_goals"]
    lines += ["", "Short of their goals:" if short else "All goals are reached.", ""]
    lines += [f"- {name}: {', '.join(found)}" for name, found in short.items()]
    return "\n".join(lines).rstrip() + "\n"


def _told(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in scores.items())
