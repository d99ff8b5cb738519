"""A run in numbers: what was kept, what was reached, and how well its views agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from image_core.errors import InvalidInput
from image_core.types import Image, Mask, no_progress
from nerf.clip_scores import clip_scores
from nerf.measures import Way, iou, psnr, sides, ssim, warped, way_to
from nerf.rendered_run import LoadedRun, LoadedViews, load_run
from nerf.run_record import RunRecord, ViewRecord, read_record
from nerf.truth import Truth, truth_of
from nerf.view_pairs import neighbours

_SPACES = ("oklab", "rgb")


def evaluate_run(
    config: Path,
    truth: Path | None = None,
    *,
    masks: Path | None = None,
    pairs: int = 8,
    clip: str = "auto",
    progress: Callable[[str, float], None] = no_progress,
) -> dict[str, Any]:
    """Measure a run of nerfstudio, edited or not.

    Args:
        config: The run's ``config.yml`` or folder.
        truth: Folder with ``truth.json``; the capture's own unless given.
        masks: Folder with masks of the region, where they come from elsewhere.
        pairs: Pairs of training views that are warped into each other.
        clip: CLIP's name or folder; ``auto`` where it is present, or ``none``.
        progress: Told the stage and its done share.

    Returns:
        Plain values for JSON; None stands for what could not be measured, and ``notes`` says why.
        ``held_out`` compares renders of views that were not trained on: outside the region with the
        originals, inside with the true edit. ``consistency`` compares training views warped into
        their neighbours: the renders, the edited pictures, and for scale the originals.
        ``regions`` compares the regions that were edited, the one region in 3D and the true ones,
        over all training views and over those that were rendered.

    Raises:
        MissingWeights: nerfstudio, or a CLIP that was named, is not here.
        InvalidInput: The run or the truth cannot be used.
        IntegrityError: The run's record or a picture of it is damaged.
    """
    if pairs < 0:
        raise InvalidInput(f"{pairs} pairs of views cannot be compared", hint="0 or more.")
    loaded = load_run(config)
    record = _record_of(loaded)
    known, notes = truth_of(truth, masks, loaded.data, record.instruction if record else None)
    run = _Measured(loaded=loaded, record=record, truth=known)
    report: dict[str, Any] = {
        "run": str(loaded.folder),
        "step": loaded.step,
        "instruction": record.instruction if record else None,
        "phase": record.phase if record else None,
        "held_out": run.held_out(progress),
        "consistency": run.consistency(pairs, progress),
        "regions": run.regions(),
    }
    report["clip"], said = clip_scores(record, loaded.held_out, clip)
    report["notes"] = [*notes, *run.notes(), *said]
    return report


def _record_of(loaded: LoadedRun) -> RunRecord | None:
    there = (loaded.folder / "edits" / "record.json").exists()
    return read_record(loaded.folder) if there else None


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """A loaded run with all that is known of it."""

    loaded: LoadedRun
    record: RunRecord | None
    truth: Truth | None

    def held_out(self, progress: Callable[[str, float], None]) -> dict[str, Any]:
        """Measure the renders of held-out views."""
        views = self.loaded.held_out
        rows, ways = [], {space: Way() for space in _SPACES}
        for index, name in enumerate(views.names):
            progress("held-out views", index / len(views))
            original, shown = views.original(index), views.rendered(index).rgb
            row: dict[str, Any] = {"view": name, "psnr": psnr(shown, original)}
            region, _ = self._region(views, index, name)
            if region is not None:
                inside, outside = sides(region)
                row |= {
                    "inside_share": float(inside.mean()),
                    "outside_psnr": psnr(shown, original, outside),
                    "outside_ssim": ssim(shown, original, outside),
                    "inside_psnr_to_original": psnr(shown, original, inside),
                }
                row |= self._to_truth(name, shown, original, inside, ways)
            rows.append(row)
        return {
            "count": len(rows),
            **_means(rows),
            # pooled over all pixels: views that show little of the thing weigh little
            **{f"way_{space}": way.share for space, way in ways.items()},
            "views": rows,
        }

    def _to_truth(
        self,
        name: str,
        shown: Image,
        original: Image,
        inside: Bool[np.ndarray, "h w"],
        ways: dict[str, Way],
    ) -> dict[str, Any]:
        """Compare with the true edit, and add this view's part to the ways."""
        height, width = shown.shape[:2]
        goal = self.truth.picture(name, width, height) if self.truth else None
        if goal is None:
            return {}
        for space in _SPACES:
            ways[space] += way_to(shown, goal, original, inside, space=space)
        return {
            "inside_psnr_to_truth": psnr(shown, goal, inside),
            "inside_ssim_to_truth": ssim(shown, goal, inside),
            "way_oklab": way_to(shown, goal, original, inside).share,
        }

    def consistency(self, pairs: int, progress: Callable[[str, float], None]) -> dict[str, Any]:
        """Warp training views into their neighbours by rendered depth, and compare."""
        views = self.loaded.training
        poses = [views.camera(index).camera_to_world for index in range(len(views))]
        chosen = neighbours(poses, self._edited(), pairs)
        rows = []
        for number, (target, source) in enumerate(chosen):
            progress("pairs of views", number / len(chosen))
            rows.append(self._pair(target, source))
        return {"count": len(rows), **_means(rows), "pairs": rows}

    def _pair(self, target: int, source: int) -> dict[str, Any]:
        views = self.loaded.training
        shown, other = views.rendered(target), views.rendered(source)
        pictures = {
            "rendered": (shown.rgb, other.rgb),
            "originals": (views.original(target), views.original(source)),
        }
        edited = [self._picture(index) for index in (target, source)]
        if edited[0] is not None and edited[1] is not None:
            pictures["edited"] = (edited[0], edited[1])
        region, _ = self._region(views, target, views.names[target])
        row: dict[str, Any] = {"view": views.names[target], "from": views.names[source]}
        for kind, (here, there) in pictures.items():
            moved, visible = warped(
                there, views.camera(source), other.depth, views.camera(target), shown.depth
            )
            inside, outside = sides(region) if region is not None else (visible, visible)
            row |= {
                "visible_share": float(visible.mean()),
                f"{kind}_outside_psnr": psnr(here, moved, visible & outside),
                f"{kind}_outside_difference": _difference(here, moved, visible & outside),
            }
            if region is not None:
                row[f"{kind}_inside_psnr"] = psnr(here, moved, visible & inside)
                row[f"{kind}_inside_difference"] = _difference(here, moved, visible & inside)
        return row

    def regions(self) -> dict[str, Any]:
        """Compare the regions that were edited, the one region in 3D, and the true ones."""
        views, rows = self.loaded.training, []
        for index, name in enumerate(views.names):
            used = self._used(name)
            row: dict[str, Any] = {"view": name}
            shown = views.rendered(index).region if views.is_rendered(index) else None
            true = self._true(name, views.size(index))
            if used is not None:
                row["used_share"] = float((used >= 0.5).mean())
            if shown is not None:
                row["rendered_share"] = float((shown >= 0.5).mean())
            for what, one, two in (
                ("used_to_rendered", used, shown),
                ("used_to_truth", used, true),
                ("rendered_to_truth", shown, true),
            ):
                if one is not None and two is not None:
                    row[what] = iou(one >= 0.5, two >= 0.5)
            rows.append(row)
        rendered = [row for row in rows if "rendered_share" in row]
        return {
            "trained": {"count": len(rows), **_means(rows, but="rendered")},
            "rendered": {"count": len(rendered), **_means(rendered)},
            "views": rows,
        }

    def notes(self) -> list[str]:
        """Say what the numbers do not tell."""
        said = []
        source = {
            self._region(self.loaded.held_out, i, name)[1]
            for i, name in enumerate(self.loaded.held_out.names)
        }
        said += [f"the region of held-out views is {where}" for where in sorted(source)]
        if self.truth is None or self.truth.edited is None:
            said.append("the true edit is not known: nothing is said of the inside")
        shared = set(self.loaded.held_out.names) & set(self.loaded.training.names)
        if shared:
            said.append(f"{len(shared)} of the held-out views were trained on (eval-mode all)")
        if self.record is None:
            said.append("the run has no record of an edit")
        return said

    def _region(self, views: LoadedViews, index: int, name: str) -> tuple[Mask | None, str]:
        """Return the region to measure by, and where it comes from."""
        true = self._true(name, views.size(index))
        if true is not None:
            return true, "the true one"
        shown = views.rendered(index).region
        if shown is not None:
            return shown, "the one in 3D, as rendered"
        return None, "not known: the numbers are of whole pictures"

    def _true(self, name: str, size: tuple[int, int]) -> Mask | None:
        return self.truth.region(name, *size) if self.truth else None

    def _views(self) -> Mapping[str, ViewRecord]:
        return {view.name: view for view in self.record.views} if self.record else {}

    def _edited(self) -> list[int]:
        """Return the numbers of the edited training views; of all where none is."""
        known = self._views()
        names = self.loaded.training.names
        edited = [i for i, name in enumerate(names) if name in known and known[name].edited]
        return edited or list(range(len(names)))

    def _picture(self, index: int) -> Image | None:
        view = self._views().get(self.loaded.training.names[index])
        if self.record is None or view is None or view.edited is None:
            return None
        return self.record.pictures.get(view.edited).astype(np.float32) / np.float32(255)

    def _used(self, name: str) -> Mask | None:
        """Return the region that a view was edited in, over all steps of the plan."""
        view = self._views().get(name)
        if self.record is None or view is None or not view.region:
            return None
        alphas = [self.record.regions.get(part) for part in view.region]
        return np.asarray(np.maximum.reduce(alphas), np.float32) / np.float32(255)


def _difference(one: Image, other: Image, where: Bool[np.ndarray, "h w"]) -> float | None:
    return float(np.abs(one[where] - other[where]).mean()) if where.any() else None


def _means(rows: Sequence[Mapping[str, Any]], *, but: str = "") -> dict[str, float | None]:
    """Return each number's mean over the rows that have it, but for keys with that word."""
    keys = [key for key in dict.fromkeys(_numbers(rows)) if not but or but not in key]
    return {key: _mean(row.get(key) for row in rows) for key in keys}


def _numbers(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    for row in rows:
        yield from (key for key, value in row.items() if not isinstance(value, str))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
