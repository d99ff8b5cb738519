"""The route for edits that change each pixel by itself: on the source's own frames, no canonical.

The operator's statistics were frozen on the key frames, the regions were carried from there; so
detail, motion and shading stay the source's, and nothing flickers that did not flicker before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_core.applying import value_of
from image_core.compositing import support
from image_core.local_editor import LocalEditor
from image_core.preparing import PreparedPlan
from image_core.types import Location, Strength
from video.frame_edits import FrameResult, as_float, frame_key
from video.frames import Picture, Span
from video.regions import StepRegion


@dataclass(frozen=True, kw_only=True)
class PointwiseEdits:
    """A prepared pointwise plan on the frames of a span.

    Attributes:
        span: The frames.
        editor: What applies the plan.
        prepared: The plan with its frozen statistics.
        regions: One per step.
        strength: In [0, 1]; the editor's own measure where None.
        seed: Keys random draws, with the frame's number.
    """

    span: Span
    editor: LocalEditor
    prepared: PreparedPlan
    regions: Sequence[StepRegion]
    strength: Strength | None
    seed: int = 0

    def edited(self, index: int, picture: Picture) -> FrameResult | None:
        """See ``FrameEdits.edited``."""
        regions = tuple(region.at(index) for region in self.regions)
        if not any(np.any(support(region.alpha)) for region in regions):
            return None
        result = value_of(
            self.editor.apply(
                self.prepared,
                [as_float(picture)],
                [Location(regions=regions)],
                keys=[frame_key(self.seed, index)],
                strength=self.strength,
            )[0]
        )
        return FrameResult(
            image=result.image,
            alpha=result.alpha,
            evaluations=result.evaluations,
            warnings=result.warnings,
        )
