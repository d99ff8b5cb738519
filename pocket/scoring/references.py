"""What frames the comparison: doing nothing, the true edit, and the autoencoder's two bounds."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from image_core.errors import MissingWeights
from image_core.types import Image
from pocket.scoring.cases import ScoredCase, on_8_bit
from pocket.scoring.parts import digest_of

Reference = Literal["true edit", "do nothing", "VAE ceiling", "leak floor"]
REFERENCES: tuple[Reference, ...] = get_args(Reference)
"""``true edit``: must be right everywhere, or the measure is wrong. ``VAE ceiling``: the true edit
through the autoencoder; nothing that works on latents does better. ``leak floor``: the true edit's
latents in the source's, where it changes; what shows outside comes of the decoder alone."""

_CODED: tuple[Reference, ...] = ("VAE ceiling", "leak floor")


class References:
    """The pictures of references; the autoencoder is loaded when it is first needed."""

    def __init__(self, models: Path | None) -> None:
        """Take the autoencoder of text-to-image.

        Args:
            models: Folder of the miniature models; None for none.
        """
        self._folder = None if models is None else models / "stable-diffusion" / "vae"
        self._bounds: object | None = None

    @property
    def names(self) -> tuple[Reference, ...]:
        """Those that can be made here; the coded ones need an autoencoder and the extra neural."""
        ready = all(find_spec(module) is not None for module in ("torch", "diffusers"))
        if ready and self._folder is not None and self._folder.is_dir():
            return REFERENCES
        return tuple(name for name in REFERENCES if name not in _CODED)

    def digest(self, name: Reference) -> str:
        """Return what tells the autoencoder's weights from others; empty where it is not used."""
        if name not in _CODED or self._folder is None:
            return ""
        return digest_of(self._folder)

    def picture(self, name: Reference, case: ScoredCase) -> Image:
        """Return what a reference makes of a case, on the grid of 8 bits.

        Raises:
            MissingWeights: There is no autoencoder.
        """
        if name == "true edit":
            return case.truth
        if name == "do nothing":
            return case.source
        from pocket.scoring.coded import CodedPictures

        if self._folder is None:
            raise MissingWeights(
                f"{name} needs an autoencoder", hint="`insitu pocket train -o DIR` makes one."
            )
        if not isinstance(self._bounds, CodedPictures):
            self._bounds = CodedPictures(self._folder)
        made = self._bounds.ceiling(case) if name == "VAE ceiling" else self._bounds.leaked(case)
        return on_8_bit(made)
