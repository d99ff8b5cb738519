"""How alike CLIP finds neighbouring frames; needs torch and weights, and imports them only then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from video.frame_edits import as_float
from video.frames import Picture
from video.needs_torch import has_torch, need_torch

if TYPE_CHECKING:
    from image_core.metrics.clip_direction import ClipDirection

_MODELS = ("clip-large", "clip")  # that of most papers first


@dataclass
class ClipConsistency:
    """Cosines between neighbouring frames' embeddings, for several versions of a clip.

    Attributes:
        name: The model.
        scorer: It.
        cosines: Of each version, pair by pair.
    """

    name: str
    scorer: ClipDirection
    cosines: dict[str, list[float]] = field(default_factory=dict)
    _last: tuple[int, Any] | None = field(default=None, repr=False)

    def add(self, index: int, pictures: Mapping[str, Picture], *, cut: bool) -> None:
        """Take the next frame.

        Args:
            index: Its number.
            pictures: Its versions; the same names in the same order each time.
            cut: Whether a new shot begins with it, so that it has no neighbour before.
        """
        embedded = self.scorer.embedded([as_float(picture) for picture in pictures.values()])
        if self._last is not None and self._last[0] == index - 1 and not cut:
            products = (embedded * self._last[1]).sum(dim=-1).tolist()
            for name, cosine in zip(pictures, products, strict=True):
                self.cosines.setdefault(name, []).append(float(cosine))
        self._last = index, embedded

    def report(self) -> dict[str, Any]:
        """Return the model's name and each version's mean cosine."""
        means = {name: float(np.mean(cosines)) for name, cosines in self.cosines.items()}
        return {"model": self.name, **means}


def consistency_by(model: str) -> tuple[ClipConsistency | None, tuple[str, ...]]:
    """Load what measures it.

    Args:
        model: A CLIP by name or folder; ``auto`` for one that is here, ``none`` for no score.

    Returns:
        None where it is not measured, and notes that say why.

    Raises:
        MissingWeights: A model that was named, or torch for it, is not on this machine.
    """
    if model == "none":
        return None, ()
    name: str | None = model
    if model == "auto":
        from image_core.weights import is_present

        here = (one for one in _MODELS if has_torch() and is_present(one))
        name = next(here, None)
    if name is None:
        return None, ("no CLIP scores: no CLIP is here (insitu models pull clip)",)
    need_torch("CLIP")
    from image_core.devices import placement
    from image_core.metrics.clip_direction import ClipDirection

    return ClipConsistency(name=name, scorer=ClipDirection.loaded(name, placement())), ()
