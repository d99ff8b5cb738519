"""What the data-set update costs beside rendering, editing and training.

The editor blends the render with a colour: it takes next to no time itself, so the shares of the
rest are as large as they can be. Used as a plug-in file: ``nerf_loop.py:Blends``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from image_core import Capabilities, Edit, EditBatch, EditStep
from image_core.types import Image


@dataclass(frozen=True, kw_only=True)
class Blends:
    """Goes part of the way from what it is given to blue; its rounds build on each other."""

    share: float = 0.5
    capabilities = Capabilities(kinds=frozenset({"recolor"}), options=("share",))

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> PreparedBlend:
        """Measure nothing."""
        del step, reference
        return PreparedBlend(share=self.share)


@dataclass(frozen=True, kw_only=True)
class PreparedBlend:
    """A ``Blends`` at work; it is told that it needs renders."""

    share: float
    pointwise = False

    def edit(self, work: EditBatch) -> Edit:
        """Blend each picture."""
        return Edit(images=[self._blended(image) for image in work.images])

    def _blended(self, image: Image) -> Image:
        blue = np.array([0.1, 0.2, 0.8], np.float32)
        return np.asarray(image + np.float32(self.share) * (blue - image), np.float32)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: there is no state."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take nothing."""
        del state


def measured(
    capture: Path, folder: Path, instruction: str, *, threads: int, flags: tuple[str, ...]
) -> dict[str, Any]:
    """Run the loop through ``ns-train`` and return its seconds by part.

    Args:
        capture: The data.
        folder: Of the training.
        instruction: A recolouring.
        threads: Of torch.
        flags: Further ones, which come last.
    """
    from benchmarks.nerf_training import train

    own = ["--pipeline.instruction", instruction, "--pipeline.editor", f"{__file__}:Blends"]
    own += ["--pipeline.reconstruct-steps", "100", "--pipeline.settle-steps", "0"]
    ran = train("insitu-cpu", capture, folder, [*own, *flags], threads=threads)
    loop = ran["loop"]
    return {"threads": threads, "steps": ran["steps"], **loop, **shares(loop)}


def shares(loop: Mapping[str, Any]) -> dict[str, Any]:
    """Return each part's share of the loop, by the clock and in processor time."""
    found: dict[str, Any] = {}
    for place, kind in enumerate(("wall", "cpu")):
        total = loop["total"][place]
        parts = {name: seconds[place] / total for name, seconds in loop["inside"].items()}
        found[f"{kind}_shares"] = parts | {"rest": 1 - sum(parts.values())}
    return found
