"""``edits/record.json`` of a run: what was edited so far, for tools that need no torch.

The pipeline writes it whole at every checkpoint; the pictures that it names lie in the run's
``edits`` and ``regions`` folders under the hash of their content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_core.errors import IntegrityError, InvalidInput
from nerf.picture_store import PictureStore

VERSION = 1
_PHASES = ("reconstruct", "edit", "done")


@dataclass(frozen=True, kw_only=True)
class ViewRecord:
    """What is known of one training view.

    Attributes:
        name: As ``nerf.capture.View.name``.
        edited: The edited picture's name in the store; None while it is as it was.
        region: The region's name in the store for each step of the plan; None where the target is
            not seen or was not looked for yet.
    """

    name: str
    edited: str | None
    region: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What a run has done to its training views.

    Attributes:
        folder: The run's, with ``config.yml`` in it.
        instruction: The user's words.
        plan: As ``dataclasses.asdict`` gives an ``EditPlan``.
        editor: Its name.
        seed: Of the run.
        phase: reconstruct, edit or done.
        round: How many rounds over the views were begun.
        step: Of the checkpoint that it was written with.
        data: The capture, as the run was told of it.
        width: Of the pictures that were trained on, in pixels.
        height: The same vertically.
        views: The training views.
    """

    folder: Path
    instruction: str
    plan: Mapping[str, Any]
    editor: str
    seed: int
    phase: str
    round: int
    step: int
    data: Path
    width: int
    height: int
    views: tuple[ViewRecord, ...]

    @property
    def pictures(self) -> PictureStore:
        """The edited pictures."""
        return PictureStore(self.folder / "edits")

    @property
    def regions(self) -> PictureStore:
        """The views' regions, 8-bit alphas."""
        return PictureStore(self.folder / "regions")


def run_folder(run: Path) -> Path:
    """Return a run's folder, given it or the ``config.yml`` in it.

    Raises:
        InvalidInput: It is not there.
    """
    folder = run if run.is_dir() else run.parent
    if not run.exists() or not (folder / "config.yml").is_file():
        raise InvalidInput(
            f"{run} is no run of nerfstudio",
            hint="Give the config.yml that ns-train printed, outputs/<scene>/insitu/<time>/.",
        )
    return folder


def read_record(run: Path) -> RunRecord:
    """Read what a run has edited.

    Args:
        run: Its ``config.yml`` or folder.

    Raises:
        InvalidInput: There is no run, it has no record, or one of another version.
        IntegrityError: The record is damaged.
    """
    folder = run_folder(run)
    path = folder / "edits" / "record.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidInput(
            f"the run {folder} has edited nothing: there is no {path}",
            hint='Edit it first: ns-train insitu --load-dir … --pipeline.instruction "…"; the '
            "record is written with every checkpoint.",
        ) from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    if isinstance(content, dict) and content.get("version", VERSION) != VERSION:
        raise InvalidInput(
            f"{path} has version {content['version']}, this insitu reads {VERSION}",
            hint="Use the insitu that made the run.",
        )
    try:
        return _record(content, folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> IntegrityError:
    return IntegrityError(
        f"{path} is damaged ({error!r})",
        hint="Go on with the run from its last checkpoint: the next one writes it anew.",
    )


def _record(content: Any, folder: Path) -> RunRecord:
    phase = _is(content["phase"], str)
    width, height = _is(content["width"], int), _is(content["height"], int)
    if phase not in _PHASES or min(width, height) < 1:
        raise ValueError(f"phase {phase!r}, {width}x{height} pixels")
    return RunRecord(
        folder=folder,
        instruction=_is(content["instruction"], str),
        plan=_is(content["plan"], dict),
        editor=_is(content["editor"], str),
        seed=_is(content["seed"], int),
        phase=phase,
        round=_is(content["round"], int),
        step=_is(content["step"], int),
        data=Path(_is(content["data"], str)),
        width=width,
        height=height,
        views=tuple(_view(view) for view in _is(content["views"], list)),
    )


def _view(view: Any) -> ViewRecord:
    edited, region = view["edited"], view["region"]
    return ViewRecord(
        name=_is(view["name"], str),
        edited=None if edited is None else _is(edited, str),
        region=None if region is None else tuple(_is(name, str) for name in _is(region, list)),
    )


def _is(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
