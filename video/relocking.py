"""Keeping chained flow from drifting: each frame is aligned with what the frames before it show.

A chain adds up the errors of its links. Here the frames are laid, one after the other and outwards
from the reference frame, into one growing picture; each chain is pulled onto that picture by a few
steps of a coarse spline field before the next link is put before it. What the picture shows is of
the frames nearest to the reference: later frames add what they are the first to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from video.chains import Chain
from video.filling import pulled_and_pushed
from video.flow_types import Confidence
from video.splat_sums import Colours, SplatSums
from video.spline_field import Smoothness, SplineGrid
from video.spline_fit import Sight, Slopes, SplineSettings, stepped
from video.warping import Field, grid, sample

_KNOWN = 2.0  # frames that have shown a pixel, from which on further ones add nothing to it
_GAPS = 1e-3  # how far a shown pixel is drawn to its surroundings when gaps are filled


# light that stays in place while a target turns would else pull its texture back
_GENTLE = SplineSettings(steadiness=5e-4, light=0.03)


@dataclass(frozen=True, kw_only=True)
class RelockSettings:
    """How chains are aligned.

    Attributes:
        cells: Of the spline fields, from coarse to fine, along the longer side.
        steps: On each of them.
        splines: What else a step weighs.
    """

    cells: tuple[int, ...] = (12, 24)
    steps: int = 2
    splines: SplineSettings = field(default_factory=lambda: _GENTLE)


class Relock:
    """Betters the chains of a span; give ``corrected`` to ``chains``."""

    def __init__(
        self,
        frame: Callable[[int], Colours],
        weight: Callable[[int], Confidence],
        *,
        reference: int,
        size: tuple[int, int],
        settings: RelockSettings,
    ) -> None:
        """Lay the reference frame.

        Args:
            frame: A frame's colours, at the size of the chains.
            weight: How much each of its pixels counts.
            reference: The reference frame.
            size: Width and height of the frames.
            settings: How.
        """
        self._frame, self._weight, self._size = frame, weight, size
        self._settings = settings
        self._sums = SplatSums(size)
        self._add(reference, grid(size))

    def corrected(self, index: int, chain: Chain) -> Chain:
        """Align a frame's chain, and lay the frame into the picture."""
        shown = np.minimum(1, self._sums.coverage)
        slopes = Slopes.of(pulled_and_pushed(self._sums.mean(), shown, hold=_GAPS))
        places = grid(self._size) + chain.displacement
        frame, splines = self._frame(index), self._settings.splines
        for cells in self._settings.cells:
            over = SplineGrid.over(self._size, cells)
            smoothness = Smoothness(over, first=splines.first, second=splines.second)
            controls = np.zeros((2, *over.shape), np.float32)
            sight = Sight(
                frame=frame,
                base=places,
                weight=self._weight(index) * sample(shown, places, border="zero"),
                followed=np.zeros_like(places),
                trust=chain.confidence,
            )
            for _ in range(self._settings.steps):
                controls = stepped(over, smoothness, controls, slopes, sight, splines)
            places = places + np.moveaxis(over.field(controls), 0, -1)
        self._add(index, places)
        return Chain(displacement=places - grid(self._size), confidence=chain.confidence)

    def _add(self, index: int, places: Field) -> None:
        known = sample(self._sums.coverage, places, border="zero")
        fresh = np.clip(1 - known / np.float32(_KNOWN), 0, 1)
        self._sums.add(self._frame(index), places, np.asarray(self._weight(index) * fresh))
