"""``insitu nerf regions``: the region search of a NeRF edit, looked at before any training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from image_core.compositing import union
from image_core.errors import InvalidInput
from image_core.local_editor import LocalEditor
from image_core.local_editor_config import LocalEditorConfig
from image_core.region_hints import check_hint
from image_core.types import EditPlan, Image, Location, RegionHint
from insitu.model_trees import model_tree
from insitu.overlay import encode_picture, region_overlay
from insitu.reporting import print_json
from insitu.request import region_summary
from insitu.waiting import stage_shown
from nerf.capture import View, originals, read_capture, samples_of
from nerf.mask_folder import find_by_masks
from nerf.regions import find_by_phrase, find_in_one_view
from nerf.whole_folder import check_new_folder, whole_folder, write_file

if TYPE_CHECKING:
    from insitu.nerf import NerfRegions

_ONE_VIEW = (
    "the box is cut out in its own view only; training carries it into the others by the "
    "reconstruction's depth"
)


def run_regions(command: NerfRegions) -> int:
    """Find the regions, draw them, and tell of them.

    Raises:
        InsituError: The capture, the instruction or a region in the user's hand cannot be used, or
            the target is found in too few views; then nothing is written.
    """
    _check_arguments(command)
    output = Path(command.output)
    capture = read_capture(Path(command.capture))
    check_new_folder(output)
    views = capture.views
    if command.box:
        views = (_view_of(capture.views, command.box_view or ""),)
    editor = LocalEditorConfig(
        language=command.language,
        grounder=command.grounder,
        segmenter=command.segmenter,
        device=command.device,
        models=None if command.models is None else model_tree(command.models),
    ).build()
    plan = editor.plan(command.instruction, then=command.then)
    images = originals(capture) if not command.box else [_image(views[0])]
    with stage_shown() as progress:
        locations = _locations(command, editor, plan, images, views, progress)
        files = _overlay_names(views)
        with whole_folder(output) as folder:
            for number, (image, location) in enumerate(zip(images, locations, strict=True)):
                progress("draw", number / len(images))
                if location is not None:
                    path = folder / files[number]
                    write_file(path, _overlay(image, location, path))
    _report(command, _outcome(output, views, files, locations))
    return 0


def _check_arguments(command: NerfRegions) -> None:
    if bool(command.box) != (command.box_view is not None):
        raise InvalidInput(
            "--box and --box-view belong together", hint="A box lies in one view: name it."
        )
    if command.box and command.mask_dir is not None:
        raise InvalidInput("--box and --mask-dir exclude each other", hint="Choose one.")
    if not 0 < command.min_share <= 1:
        raise InvalidInput(f"--min-share {command.min_share:g} is not above 0 and at most 1")


def _view_of(views: Sequence[View], name: str) -> View:
    exact = [view for view in views if view.name == PurePosixPath(name).as_posix()]
    found = exact or [view for view in views if PurePosixPath(view.name).name == name]
    if len(found) == 1:
        return found[0]
    raise InvalidInput(
        f"{len(found) or 'no'} view{'s' * (len(found) != 1)} of the capture have the name {name}",
        hint=f"Such as {views[0].name}.",
    )


def _image(view: View) -> Image:
    return samples_of(view.file).astype("float32") / 255


def _locations(
    command: NerfRegions,
    editor: LocalEditor,
    plan: EditPlan,
    images: Sequence[Image],
    views: Sequence[View],
    progress: Callable[[str, float], None],
) -> list[Location | None]:
    names = [view.name for view in views]
    if command.box:
        hint = RegionHint(boxes=command.box)
        check_hint(hint, width=images[0].shape[1], height=images[0].shape[0])
        return [find_in_one_view(editor, plan, images[0], hint)]
    if command.mask_dir is not None:
        return find_by_masks(editor, plan, images, names, Path(command.mask_dir))
    return find_by_phrase(
        editor, plan, images, names, min_share=command.min_share, progress=progress
    )


def _overlay_names(views: Sequence[View]) -> list[str]:
    """Return a file name for each view: its stem, or its path where two share a stem."""
    stems = [PurePosixPath(view.name).stem for view in views]
    return [
        f"{stem}.png"
        if stems.count(stem) == 1
        else "_".join(part for part in PurePosixPath(view.name).parts if part not in "/..") + ".png"
        for stem, view in zip(stems, views, strict=True)
    ]


def _overlay(image: Image, location: Location, path: Path) -> bytes:
    alpha = union([region.alpha for region in location.regions])
    summary = region_summary(location.regions)
    return encode_picture(
        region_overlay(image, alpha, f"{summary['confidence']:.2f}: {summary['evidence']}"), path
    )


def _outcome(
    output: Path, views: Sequence[View], files: Sequence[str], locations: Sequence[Location | None]
) -> dict[str, Any]:
    rows = []
    for view, file, location in zip(views, files, locations, strict=True):
        row: dict[str, Any] = {"view": view.name, "found": location is not None}
        if location is not None:
            summary = region_summary(location.regions)
            share = summary["area"] / (view.width * view.height)
            row |= {"overlay": str(output / file), **summary, "share": round(share, 4)}
        rows.append(row)
    found = sum(row["found"] for row in rows)
    return {
        "status": "dry_run",
        "exit_code": 0,
        "output": str(output),
        "found": found,
        "of": len(rows),
        "share": round(found / len(rows), 4),
        "views": rows,
    }


def _report(command: NerfRegions, outcome: dict[str, Any]) -> None:
    if command.format == "json":
        print_json({**outcome, "notes": [_ONE_VIEW] if command.box else []})
        return
    for row in outcome["views"]:
        if row["found"]:
            print(
                f"{row['view']}: {row['area']:,} pixels ({row['share']:.1%}), confidence "
                f"{row['confidence']:.2f} ({row['evidence']})"
            )
        else:
            print(f"{row['view']}: not found, keeps its pixels")
    print(f"found in {outcome['found']} of {outcome['of']} views ({outcome['share']:.0%})")
    if command.box:
        print(f"note: {_ONE_VIEW}")
    print(f"overlays: {outcome['output']}")
