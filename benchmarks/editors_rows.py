"""Rows through the networks in one edit, by editor; exact, since they are counted at each call.

The counts do not depend on the size of the networks; they are taken at miniature size, and the
UNet's are counted a second time by a hook on it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.editors_measuring import machine, rows_through
from image_core.editors.diffedit import DiffEditConfig
from image_core.editors.generative import GenerativeConfig
from image_core.editors.generative.editor import GenerativeEditor
from image_core.editors.inpainting import InpaintingConfig
from image_core.editors.instruct_pix2pix import InstructPix2PixConfig
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.editors.mdp import MdpConfig
from image_core.testing import STEPS, batch_of, scene
from image_core.testing.miniature.stable_diffusion import Flavour, write_stable_diffusion

SIDE = 32


@dataclass(frozen=True, kw_only=True)
class Line:
    """An editor with settings, and edits made one after another from an empty cache.

    Attributes:
        label: What the table calls it.
        config: Its options; the weights are put in.
        flavour: Of the miniature checkpoint.
        before: Strengths of edits made before, not counted.
        strengths: Of the edits whose rows are added up.
        most: The most rows of the UNet that the project allows itself; 0 where it said nothing.
    """

    label: str
    config: GenerativeConfig
    flavour: Flavour = "text-to-image"
    before: Sequence[float] = ()
    strengths: Sequence[float] = (1.0,)
    most: int = 0


def lines() -> list[Line]:
    """Return what is counted."""
    fifty = InstructEditConfig(model="-", steps=50)
    return [
        Line(label="instructedit, r 0.5, first edit", config=fifty, strengths=(0.5,), most=75),
        Line(
            label="instructedit, r 0.5, second edit of the picture",
            config=fifty,
            before=(0.5,),
            strengths=(0.5,),
            most=50,
        ),
        Line(
            label="instructedit, sweep r = 0.5, 0.7, 0.9",
            config=fifty,
            strengths=(0.5, 0.7, 0.9),
            most=255,
        ),
        Line(
            label="instructedit, quick: steps=12, r 0.7",
            config=replace(fifty, steps=12),
            strengths=(0.7,),
            most=25,
        ),
        Line(
            label="instruct-pix2pix, its 20 steps",
            config=InstructPix2PixConfig(model="-"),
            flavour="instruct-pix2pix",
        ),
        Line(
            label="instruct-pix2pix, 50 steps",
            config=InstructPix2PixConfig(model="-", steps=50),
            flavour="instruct-pix2pix",
        ),
        Line(
            label="inpainting, 50 steps",
            config=InpaintingConfig(model="-", steps=50),
            flavour="inpainting",
        ),
        Line(
            label="diffedit, 50 steps, r 0.5, 10 maps",
            config=DiffEditConfig(model="-", steps=50, threshold=0),  # finds one, whatever it sees
            strengths=(0.5,),
        ),
        Line(label="mdp, 50 steps", config=MdpConfig(model="-", steps=50)),
    ]


def measured() -> dict[str, object]:
    """Count all lines."""
    with tempfile.TemporaryDirectory() as name:
        return {"machine": machine(), "lines": [_counted(line, Path(name)) for line in lines()]}


def _counted(line: Line, folder: Path) -> dict[str, object]:
    model = folder / line.flavour
    if not model.exists():
        write_stable_diffusion(model, flavour=line.flavour)
    cache = tempfile.mkdtemp(dir=folder)
    os.environ["INSITU_CACHE"] = cache
    config = replace(line.config, model=str(model), resolution=SIDE, crop="none", device="cpu")
    editor = _built(config)
    edit = editor.prepare(STEPS["replace"], ())
    image, mask = scene(SIDE, SIDE)
    work = batch_of([image], [mask])
    for strength in line.before:
        edit.edit(replace(work, strength=strength))
    method: Any = editor.method()
    unet = getattr(method, "masked", method).network.unet  # DiffEdit edits by InstructEdit's method
    with rows_through(unet=unet) as hooked:
        made = [edit.edit(replace(work, strength=strength)) for strength in line.strengths]
    rows: dict[str, int] = {}
    for one in made:
        for network, number in one.rows.items():
            rows[network] = rows.get(network, 0) + number
    return {"label": line.label, "rows": rows, "by_hook": hooked["unet"], "most": line.most}


def _built(config: GenerativeConfig) -> GenerativeEditor:
    made = config.build()  # type: ignore[attr-defined]
    assert isinstance(made, GenerativeEditor)
    return made
