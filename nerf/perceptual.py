"""LPIPS (Zhang et al. 2018) made when it is first asked for, since its AlexNet must be on disk.

nerfacto makes it whenever a model is made, so that nothing can be trained or viewed offline.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.errors import MissingWeights

ALEXNET = "alexnet-owt-7be5be79.pth"
_HOW_TO_GET = (
    'Where there is a network: python -c "import torchvision; torchvision.models.alexnet('
    "weights='IMAGENET1K_V1')\". Or do without: --pipeline.model.perceptual-weight 0, insitu-tiny."
)


def is_present() -> bool:
    """Tell whether torchvision's AlexNet lies in torch's cache."""
    return (Path(torch.hub.get_dir()) / "checkpoints" / ALEXNET).is_file()


def require() -> None:
    """Refuse to go on without it.

    Raises:
        MissingWeights: AlexNet is not on this machine.
    """
    if not is_present():
        raise MissingWeights(
            "the perceptual loss needs torchvision's AlexNet, which is not here", hint=_HOW_TO_GET
        )


class LazyPerceptual:
    """Stands where nerfacto keeps its LPIPS metric; no module, so nothing enters a checkpoint."""

    def __init__(self, *, normalize: bool = True) -> None:
        """Remember how it is asked for; pictures in [0, 1] are the only ones given."""
        self._normalize = normalize
        self._metric: Any = None

    def __call__(
        self, first: Float[Tensor, "b 3 h w"], second: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, ""]:
        """Return the mean distance of pictures in [0, 1]; NaN where the weights are missing."""
        if not is_present():
            return torch.tensor(math.nan, device=first.device)
        if self._metric is None:
            from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

            made = LearnedPerceptualImagePatchSimilarity(normalize=self._normalize)
            self._metric = made.requires_grad_(False)
        self._metric.to(first.device)
        value: Tensor = self._metric(first.clamp(0, 1), second.clamp(0, 1))
        self._metric.reset()
        return value


@contextlib.contextmanager
def lazily_made() -> Iterator[None]:
    """Let nerfstudio's models make a ``LazyPerceptual`` where they would load LPIPS.

    ``NerfactoModel.populate_modules`` imports the class when it runs and leaves no other way.
    """
    from torchmetrics.image import lpip

    stock = lpip.LearnedPerceptualImagePatchSimilarity
    replaced: Any = lpip
    replaced.LearnedPerceptualImagePatchSimilarity = LazyPerceptual
    try:
        yield
    finally:
        replaced.LearnedPerceptualImagePatchSimilarity = stock
