"""Choosing the encoding ratio: the paper's named future work, by directional CLIP similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_core.compositing import grown_box, window_of
from image_core.devices import Placement
from image_core.editors.generative import Job, Task
from image_core.metrics.clip_direction import ClipDirection
from image_core.types import Image


@dataclass(frozen=True, kw_only=True)
class RatioChooser:
    """Scores a sweep's candidates inside the region and takes the best.

    Attributes:
        metric: Directional CLIP similarity.
    """

    metric: ClipDirection

    @classmethod
    def loaded(cls, clip_model: str, placement: Placement) -> RatioChooser:
        """Load the CLIP model that judges.

        Raises:
            MissingWeights: It is not on this machine.
        """
        return cls(metric=ClipDirection.loaded(clip_model, placement))

    def choose(
        self,
        jobs: Sequence[Job],
        task: Task,
        ratios: Sequence[float],
        candidates: Sequence[Sequence[Image]],
    ) -> tuple[list[Image], tuple[str, ...]]:
        """Return each job's best candidate, and what was chosen in words.

        Args:
            jobs: What was edited.
            task: Its captions.
            ratios: The encoding ratios.
            candidates: For each ratio, a picture per job.
        """
        chosen, notes = [], []
        for n, job in enumerate(jobs):
            made = [row[n] for row in candidates]
            seen = [_seen(_laid(job, image), job) for image in made]
            scores = self.metric.scores(
                [_seen(job.condition, job)],
                seen,
                task.source_caption,
                task.edited_caption,
            )
            sound = [bool(np.isfinite(image).all()) for image in made]
            best = int(np.argmax(np.where(sound, scores, -np.inf)))
            chosen.append(made[best])
            told = ", ".join(f"{r:g}: {s:.3f}" for r, s in zip(ratios, scores, strict=True))
            notes.append(f"encoding ratio {ratios[best]:g} by directional CLIP similarity ({told})")
        return chosen, tuple(notes)


def _laid(job: Job, image: Image) -> Image:
    """Return the original with a candidate laid into its region."""
    return np.where(job.mask[..., None] > 0, image, job.condition)


def _seen(image: Image, job: Job) -> Image:
    """Return what the judge sees: the region with a little around it."""
    window = window_of(job.mask)
    if window is None:
        return image
    rows, columns = window
    margin = round(0.1 * max(rows.stop - rows.start, columns.stop - columns.start))
    box = (columns.start, rows.start, columns.stop, rows.stop)
    x0, y0, x1, y1 = grown_box(box, margin, *job.mask.shape)
    return np.ascontiguousarray(image[y0:y1, x0:x1])
