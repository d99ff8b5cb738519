"""A fit that can be kept: the deformation and the canonical picture that belongs to it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_core.photo.atomic import write_atomically
from image_core.types import no_progress
from video.canonical import Canonical
from video.deformation import CanonicalWindow, Deformation, DenseDeformation
from video.frames import Span
from video.warping import grid

_FORMAT = 1  # changes whenever an older file must not be read


@dataclass(frozen=True, kw_only=True)
class FittedShot:
    """One canonical picture and how the frames of a span lie in it.

    Attributes:
        deformation: Where each pixel of each frame lies.
        canonical: The picture that the frames are read from with least error, at the fit's size.
        held_out_psnr: On pixels that the fit didn't see, after each sweep, in dB.
    """

    deformation: DenseDeformation
    canonical: Canonical
    held_out_psnr: tuple[float, ...]

    def save(self, path: Path) -> None:
        """Write it as one file, whole or not at all."""
        made, window = self.deformation, self.deformation.window
        buffer = io.BytesIO()
        np.savez(
            buffer,
            format=np.array(_FORMAT),
            span=np.array([made.span.start, made.span.stop, made.reference]),
            window=np.array([*window.frame, window.left, window.top, window.right, window.bottom]),
            steps=made.steps,
            trust=made.trust,
            picture=self.canonical.picture,
            coverage=self.canonical.coverage,
            held_out=np.array(self.held_out_psnr),
        )
        write_atomically(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> FittedShot | None:
        """Read one; None where there is none, or a torn or foreign file."""
        try:
            with np.load(path) as kept:
                if int(kept["format"]) != _FORMAT:
                    return None
                start, stop, reference = (int(number) for number in kept["span"])
                width, height, left, top, right, bottom = (int(n) for n in kept["window"])
                window = CanonicalWindow(
                    frame=(width, height), left=left, top=top, right=right, bottom=bottom
                )
                deformation = DenseDeformation(
                    span=Span(start, stop),
                    reference=reference,
                    window=window,
                    steps=kept["steps"],
                    trust=kept["trust"],
                )
                canonical = Canonical(
                    window=window, picture=kept["picture"], coverage=kept["coverage"]
                )
                held_out = tuple(float(value) for value in kept["held_out"])
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        return cls(deformation=deformation, canonical=canonical, held_out_psnr=held_out)


def baked(
    deformation: Deformation, *, progress: Callable[[str, float], None] = no_progress
) -> DenseDeformation:
    """Keep any model's deformation as displacements, so that an edit needs the model no more."""
    window, span = deformation.window, deformation.span
    displacements = {}
    for done, index in enumerate(span, start=1):
        displacements[index] = deformation.places(index) - grid(window.frame) - window.origin
        progress("keep", done / len(span))
    return DenseDeformation.of(
        displacements,
        {index: deformation.confidence(index) for index in span},
        span=span,
        reference=deformation.reference,
        window=window,
    )
