"""``insitu demo``: real photos edited from nothing, side by side, with what was proved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    import numpy as np

    from image_core.local_editor import LocalEditor


@dataclass(frozen=True, kw_only=True)
class DemoCommand:
    """Edit photos that come with scikit-image and write a captioned picture of the result."""

    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")] = "demo_output"
    """Where the pictures go."""
    nerf: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """A scene of our own instead: reconstructed and edited on the CPU, in minutes."""
    video: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """A clip of our own instead: rendered, and edited by both routes on the CPU."""
    format: Literal["text"] = "text"
    """Only text."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code. The last line is the picture's path."""
        from image_core.errors import InvalidInput
        from image_core.local_editor import LocalEditor

        folder = Path(self.output)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"{folder} cannot be made: {error.strerror}") from error
        if self.nerf:
            from insitu.demo_nerf import nerf_demo

            return nerf_demo(folder)
        if self.video:
            from insitu.demo_video import video_demo

            return video_demo(folder)
        editor = LocalEditor.default()
        rows = [_row(editor, scene, folder) for scene in _SCENES]
        print(_write_sheet(rows, folder / "demo.png"))
        return 0


@dataclass(frozen=True, kw_only=True)
class _Scene:
    name: str
    instruction: str
    boxes: tuple[tuple[float, float, float, float], ...] = ()


_SCENES = (
    _Scene(name="astronaut", instruction="make the orange suit royal blue"),
    _Scene(
        name="chelsea",
        instruction="make the eyes bright blue",
        boxes=((139, 86, 204, 144), (262, 92, 341, 162)),
    ),
    _Scene(name="rocket", instruction="make the sky pink"),
)


def _row(editor: LocalEditor, scene: _Scene, folder: Path) -> np.ndarray:
    """Edit one photo, prove it, and return its captioned row."""
    import numpy as np
    from skimage import data, io

    from image_core.photo import Photo
    from image_core.types import RegionHint
    from image_core.verification import verify
    from insitu.overlay import captioned_row, region_overlay

    source = folder / f"{scene.name}.png"
    io.imsave(source, getattr(data, scene.name)(), check_contrast=False)
    output = folder / f"{scene.name}.edited.png"
    hint = RegionHint(boxes=scene.boxes) if scene.boxes else None
    photo = Photo.open(source)
    result = editor.edit(photo, scene.instruction, hint=hint)
    result.save(output)
    proof = verify(output)
    pictures = [photo.rgb(), result.photo.rgb()]
    before, after = (np.rint(picture * 255).astype(np.uint8) for picture in pictures)
    region = result.result.regions[0]
    print(f'{source}: "{scene.instruction}"')
    print(f"  region: confidence {region.confidence:.2f} ({region.evidence})")
    print(f"  proved: all {proof.compared:,} samples outside the region equal the source's")
    print(f"  result: {output}")
    overlay = region_overlay(pictures[0], result.result.alpha)
    captions = ("source", "region", f'"{scene.instruction}"')
    return captioned_row((before, overlay, after), captions)


def _write_sheet(rows: list[np.ndarray], path: Path) -> Path:
    import numpy as np

    from image_core.photo import write_atomically
    from insitu.overlay import encode_picture

    write_atomically(path, encode_picture(np.concatenate(rows), path))
    return path
