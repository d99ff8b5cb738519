"""A capture of the scene "table" on disk, as nerfstudio reads it, with the truth beside it.

    FOLDER/
      transforms.json               intrinsics and one frame a view, poses camera-to-world
      images/0001.png …             the views
      truth/truth.json              the instruction, its target, the things' names, units, a digest
      truth/edited/0001.png …       each view as it looks once the instruction has been carried out
      truth/masks/THING/0001.png …  the share of each pixel that shows a thing, 255 = all of it
      truth/depth/0001.png …        depth along the optical axis at pixel middles, 16 bits

No frame has a ``mask_path``: nerfstudio would train on the masked pixels alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from image_core.errors import InvalidInput
from image_core.types import no_progress
from pocket.cameras import Camera
from pocket.folders import check_folder, held, published, write_json, write_png, write_record
from pocket.render import coverage, develop, trace
from pocket.scene import Scene
from pocket.table import COLOUR, TARGET, VIEWPOINTS, table_scene

DEPTH_STEP = 1e-3
"""Units of the scene in one step of a depth file."""
FEWEST, MOST = 3, 2000
SMALLEST, LARGEST = 16, 1024
_RECORD = "truth/truth.json"
_FORM = 2  # of the files; another one is another capture


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A capture that lies on disk.

    Attributes:
        folder: Where.
        views: How many pictures it has.
        width: Of each in pixels.
        height: Of each in pixels.
        seed: What placement, textures and cameras were drawn with.
        instruction: The edit whose truth lies beside it.
        target: The thing that it changes.
        colour: What colour that gets, in words.
        things: Names of all things that have masks.
    """

    folder: Path
    views: int
    width: int
    height: int
    seed: int
    instruction: str
    target: str
    colour: str
    things: tuple[str, ...]


def write_capture(
    folder: str | Path,
    *,
    views: int = 40,
    width: int = 160,
    height: int = 120,
    seed: int = 0,
    target: str = TARGET,
    colour: str = COLOUR,
    progress: Callable[[str, float], None] = no_progress,
) -> Capture:
    """Render and write a capture; the folder appears when all of it is there.

    The same arguments give the same bytes. A folder that holds this very capture is left as it is.

    Args:
        folder: Where; it may exist when it is empty.
        views: How many pictures.
        width: Of each in pixels.
        height: Of each in pixels.
        seed: 0 is the tuned scene; another moves things and cameras a little.
        target: The thing that the true edit recolours.
        colour: The colour that it gets, in words.
        progress: Told the done share of the views.

    Raises:
        InvalidInput: A number is out of range, there is no such thing or colour, the folder holds
            something else or cannot be written.
    """
    _check(folder, views=views, width=width, height=height, seed=seed)
    scene = table_scene(seed)
    edited = scene.recoloured(target, colour)
    capture = Capture(
        folder=Path(folder),
        views=views,
        width=width,
        height=height,
        seed=seed,
        instruction=f"make the {target} {colour}",
        target=target,
        colour=colour,
        things=scene.names,
    )
    if held(capture.folder, _RECORD, _truth(capture)) is not None:
        return capture
    with published(capture.folder) as partial:
        cameras = VIEWPOINTS.cameras(views, width=width, height=height, seed=seed)
        for number, camera in enumerate(cameras, start=1):
            _write_view(partial, number, scene, edited, camera)
            progress("render", number / views)
        write_json(partial / "transforms.json", _transforms(cameras))
        write_record(partial, _RECORD, _truth(capture))
    return capture


def picture_name(number: int) -> str:
    """Return the file name of a view's pictures, counted from 1."""
    return f"{number:04d}.png"


def mask_folder(thing: str) -> str:
    """Return the name of the folder that a thing's masks lie in."""
    return thing.replace(" ", "_")


def check_picture(*, width: int, height: int, seed: int) -> None:
    """Refuse a size or a seed that no picture of the scene can have.

    Raises:
        InvalidInput: It is out of range.
    """
    for side in (width, height):
        if not SMALLEST <= side <= LARGEST:
            raise InvalidInput(
                f"pictures of {width} x {height} pixels",
                hint=f"Each side may have {SMALLEST} to {LARGEST} pixels.",
            )
    if seed < 0:
        raise InvalidInput(f"the seed {seed} is negative", hint="Take 0 or more.")


def _check(folder: str | Path, *, views: int, width: int, height: int, seed: int) -> None:
    check_folder(folder)
    if not FEWEST <= views <= MOST:
        raise InvalidInput(f"a capture of {views} views", hint=f"Take {FEWEST} to {MOST}.")
    check_picture(width=width, height=height, seed=seed)


def _write_view(folder: Path, number: int, scene: Scene, edited: Scene, camera: Camera) -> None:
    traced = trace(scene, camera)
    name = picture_name(number)
    write_png(folder / "images" / name, _bytes_of(develop(scene, traced)))
    write_png(folder / "truth/edited" / name, _bytes_of(develop(edited, traced)))
    for thing, mask in coverage(scene, traced).items():
        write_png(folder / "truth/masks" / mask_folder(thing) / name, _bytes_of(mask))
    steps = np.rint(traced.depth / DEPTH_STEP).astype(np.uint16)
    write_png(folder / "truth/depth" / name, steps)


def _transforms(cameras: Sequence[Camera]) -> dict[str, Any]:
    first = cameras[0]
    return {
        "camera_model": "PINHOLE",
        "w": first.width,
        "h": first.height,
        "fl_x": first.focal,
        "fl_y": first.focal,
        "cx": first.width / 2,
        "cy": first.height / 2,
        "frames": [
            {
                "file_path": f"images/{picture_name(number)}",
                "transform_matrix": camera.pose.tolist(),
            }
            for number, camera in enumerate(cameras, start=1)
        ],
    }


def _truth(capture: Capture) -> dict[str, Any]:
    return {
        **_asked(capture),
        "instruction": capture.instruction,
        "things": {thing: f"masks/{mask_folder(thing)}" for thing in capture.things},
        "edited": "edited",
        "depth": "depth",
        "depth_step": DEPTH_STEP,
        "units": "units of the scene, in which transforms.json gives the poses; the table is 2.7 "
        "across; depth files count steps of depth_step",
    }


def _asked(capture: Capture) -> dict[str, Any]:
    """Return all that decides what is written."""
    asked = asdict(capture)
    for derived in ("folder", "things", "instruction"):
        del asked[derived]
    return {"form": _FORM, "scene": "table", **asked}


def _bytes_of(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(values * 255), dtype=np.uint8)
