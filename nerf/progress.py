"""What a run tells while it edits: pace, rounds and time left; and pictures for tensorboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from nerfstudio.utils import writer
from nerfstudio.utils.rich_utils import CONSOLE

from nerf.dataset_update import DatasetUpdate, EditedView, as_image

_EVERY = 10.0  # seconds between lines
_PANEL = "Edit/original, render, region, edit"


class Progress:
    """Counts what was edited and says so now and then."""

    def __init__(self, pipeline: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember whose views these are (held loosely: no part of its modules)."""
        self._datamanager = lambda: pipeline.datamanager
        self._clock = clock
        self._began: float | None = None
        self._told = -_EVERY
        self._views, self._area = 0, 0.0
        self._round = 0
        self._last: EditedView | None = None  # the one of an update that is shown

    def edited(self, edited: EditedView) -> None:
        """Take note of one view."""
        if self._began is None:
            self._began = self._clock()
        name = self._datamanager().names[edited.view]
        if edited.picture is None:
            CONSOLE.log(f"[yellow]{name} keeps what it had: {edited.why_not}[/yellow]")
            return
        self._views += 1
        self._area += float(edited.alpha.mean())
        self._last = edited

    def _panel(self, edited: EditedView) -> torch.Tensor:
        """Return original, render, region and edit side by side, float32 (h, 4 w, 3)."""
        assert edited.picture is not None
        original = as_image(self._datamanager().originals[edited.view])
        region = np.repeat(edited.alpha[..., None], 3, axis=-1)
        pictures = [original, edited.render, region, as_image(edited.picture)]
        return torch.from_numpy(np.concatenate(pictures, axis=1))

    def updated(self, update: DatasetUpdate, step: int) -> None:
        """Show the last view, and say how far the edit is: after a round, or some seconds."""
        if self._last is None:
            return
        if writer.is_initialized():
            writer.put_image(name=_PANEL, image=self._panel(self._last), step=step)
        self._last, now = None, self._clock()
        ended_round = update.round != self._round
        if not (ended_round or now - self._told >= _EVERY):
            return
        self._told, self._round = now, update.round
        CONSOLE.log(self.line(update, now))

    def line(self, update: DatasetUpdate, now: float) -> str:
        """Return the line that tells how far an edit is."""
        views = len(update.views)
        all_views = update.rounds * views
        done = update.round * views + update.position
        pace = (now - self._began) / max(1, self._views) if self._began is not None else 0.0
        left = time.strftime("%H:%M:%S", time.gmtime(pace * (all_views - done)))
        area = 100 * self._area / max(1, self._views)
        where = min(update.round + 1, update.rounds)
        return (
            f"edit: round {where} of {update.rounds}, view {done} of {all_views}, "
            f"{pace:.2f} s a view, {left} left, region {area:.1f} % of a view, "
            f"{update.skipped} skipped"
        )
