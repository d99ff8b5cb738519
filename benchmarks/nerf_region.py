"""The one region in 3D, made from true regions of which a share was spoilt.

A spoilt view has either lost its region, or has in its place that of another thing, be it as large
as the floor. The reconstruction is a real one: what a run was before its edit began.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from image_core.types import Location, Mask, Region

Spoilt = Literal["dropped", "false hits", "half of each", "none"]
KINDS: tuple[Spoilt, ...] = ("dropped", "false hits", "half of each", "none")

Tell = Callable[[str], None]


def measured(
    run: Path,
    capture: Path,
    seeds: Sequence[int],
    tell: Tell,
    *,
    share: float = 0.3,
    iterations: int = 400,
) -> dict[str, Any]:
    """Spoil the scene's true regions, make them agree in 3D, and compare with the true ones.

    Args:
        run: A run of the scene that was edited.
        capture: The scene with its truth.
        seeds: Which views are spoilt, and how.
        tell: Told of each.
        share: Of the views that show the target.
        iterations: Training steps of the region.
    """
    views = _reconstruction(run)
    true, others = _true_regions(views, capture)
    untrained = {k: v.clone() for k, v in views.model.region_field.state_dict().items()}
    rows = []
    for kind in KINDS:
        for seed in seeds[:1] if kind == "none" else seeds:
            given = _spoilt(true, others, kind, share, seed)
            views.model.region_field.load_state_dict(untrained)
            row = {"spoilt": kind, "seed": seed}
            row |= _compared(views, true, given, iterations, seed)
            rows.append(row)
            tell(f"regions, {kind}, seed {seed}: {row}")
    return {"share": share, "iterations": iterations, "views": len(true), "rows": rows}


def _reconstruction(run: Path) -> Any:
    """Load the scene as it was before its edit."""
    from nerfstudio.utils.eval_utils import eval_setup

    from nerf.checkpoints import allow_numpy_scalars
    from nerf.field_views import FieldViews

    allow_numpy_scalars()
    _, loaded, _, _ = eval_setup(run / "reconstruction.yml", test_mode="test")
    pipeline: Any = loaded
    return FieldViews(pipeline.datamanager, pipeline.model)


def _true_regions(views: Any, capture: Path) -> tuple[list[Mask], list[list[tuple[str, Mask]]]]:
    """Return the target's true region in each training view, and the other things' with names."""
    import json

    from nerf.truth import Truth, read_truth

    folder = capture / "truth"
    truth = read_truth(folder)
    things = {
        thing: Truth(masks=folder / masks)
        for thing, masks in json.loads((folder / "truth.json").read_text())["things"].items()
    }
    height, width = views.size
    nothing = np.zeros((height, width), np.float32)
    true, others = [], []
    for name in views.datamanager.names:
        own = truth.region(name, width, height)
        true.append(nothing if own is None else own)
        seen = [(thing, one.region(name, width, height)) for thing, one in things.items()]
        others.append(
            [
                (thing, region)
                for thing, region in seen
                if region is not None
                and (region >= 0.5).any()
                and not ((region >= 0.5) & (true[-1] >= 0.5)).any()
            ]
        )
    return true, others


def _spoilt(
    true: Sequence[Mask],
    others: Sequence[Sequence[tuple[str, Mask]]],
    kind: Spoilt,
    share: float,
    seed: int,
) -> list[Mask | None]:
    """Return the views' regions, some of those that show the target without it or wrong."""
    rng = np.random.default_rng(seed)
    given: list[Mask | None] = [mask if (mask >= 0.5).any() else None for mask in true]
    if kind == "none":
        return given
    showing = [view for view, mask in enumerate(given) if mask is not None]
    chosen = rng.permutation(showing)[: round(share * len(showing))]
    for number, view in enumerate(chosen):
        wrong = kind == "false hits" or (kind == "half of each" and number % 2)
        candidates = others[view] if wrong else []
        if candidates:
            given[view] = candidates[int(rng.integers(len(candidates)))][1]
        else:
            given[view] = None
    return given


def _compared(
    views: Any, true: Sequence[Mask], given: Sequence[Mask | None], iterations: int, seed: int
) -> dict[str, Any]:
    from nerf.region_fusion import agreed, shown
    from nerf.view_samples import ViewSamples

    regions = [None if mask is None else Location(regions=(Region(alpha=mask),)) for mask in given]
    samples = ViewSamples(views)
    made = agreed(
        samples,
        regions,
        views.datamanager.originals,
        steps=1,
        iterations=iterations,
        seed=seed,
        tell=lambda line: None,
    )
    nothing = np.zeros_like(true[0])
    kinds = {
        "given": [nothing if mask is None else mask for mask in given],
        "rendered": [shown(samples, view, 1)[..., 0] for view in range(len(true))],
        "fused": [nothing if one is None else one.regions[0].alpha for one in made],
    }
    row: dict[str, Any] = {"area_true": _area(true)}
    for name, masks in kinds.items():
        row[f"iou_{name}"] = _mean_iou(masks, true)
        row[f"area_{name}"] = _area(masks)
    return row


def _mean_iou(masks: Sequence[Mask], true: Sequence[Mask]) -> float:
    """Return the mean over views; a view that shows no target counts 1 when it has no region."""
    from nerf.measures import iou

    each = [iou(one >= 0.5, other >= 0.5) for one, other in zip(masks, true, strict=True)]
    return float(np.mean([1.0 if value is None else value for value in each]))


def _area(masks: Sequence[Mask]) -> float:
    return float(np.mean([(mask >= 0.5).mean() for mask in masks]))
