"""The classic editor and its configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from image_core.editors.classic.filters import filter_for
from image_core.editors.classic.prepared import Operator, PreparedClassic
from image_core.editors.classic.recolor import recolor_for
from image_core.editors.classic.removal import Removal
from image_core.editors.classic.texture import texture_for
from image_core.editors.classic.tone import tone_for
from image_core.errors import InvalidInput, UnsupportedEdit
from image_core.types import Capabilities, EditBatch, EditStep, Kind

_KINDS: frozenset[Kind] = frozenset({"recolor", "tone", "filter", "texture", "remove"})


@dataclass(frozen=True, kw_only=True)
class ClassicConfig:
    """Options of the classic editor.

    Attributes:
        lightness: Recolouring: share of the way to the new colour's lightness, in [0, 1].
        hue_variation: Recolouring: share of a thing's differences in hue that is kept, in [0, 1].
        reference: Texture: a picture of the material that fills the region.
        pattern_scale: Texture: factor on the size of a repeat.
        filter_size: Filters: factor on the blur's width and on the pixelation's cells.
        patch_radius: Removal: half the side of the patches that are compared, in pixels.
        vote_percentile: Removal: percentile of patch distances that says what a good match is.
        solve_megapixels: Removal: size at which matches are searched; beyond it one only votes.
    """

    lightness: float = 0.9
    hue_variation: float = 0.35
    reference: str = ""
    pattern_scale: float = 1.0
    filter_size: float = 1.0
    patch_radius: int = 4
    vote_percentile: float = 30.0
    solve_megapixels: float = 0.5

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            InvalidInput: A value lies outside its range.
        """
        ranges: dict[str, tuple[float, float]] = {
            "lightness": (0, 1),
            "hue_variation": (0, 1),
            "pattern_scale": (0.05, 20),
            "filter_size": (0.05, 20),
            "patch_radius": (1, 15),
            "vote_percentile": (1, 99),
            "solve_megapixels": (0.01, 16),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidInput(f"{name} must be from {low:g} to {high:g}, not {value}")

    def build(self) -> ClassicEditor:
        """Make the editor."""
        return ClassicEditor(self)


class ClassicEditor:
    """Edits with no weights: recolour, tone, filters, patterns and removal (seam ``Editor``)."""

    def __init__(self, config: ClassicConfig | None = None) -> None:
        """Keep the options."""
        self.config = config or ClassicConfig()
        self.capabilities = Capabilities(
            kinds=_KINDS,
            needs_region=True,
            options=tuple(item.name for item in fields(ClassicConfig)),
        )

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> PreparedClassic:
        """Read the step and measure the reference regions, in one pass over them.

        Args:
            step: What to do.
            reference: Batches with the images and regions to measure on. Where all are empty, the
                edit leaves empty regions alone and fails on others until a state is loaded.

        Raises:
            UnsupportedEdit: The kind, operation or value is not among its own.
            InvalidInput: The texture's reference file cannot be read.
        """
        return PreparedClassic(self._operator(step, reference))

    def _operator(self, step: EditStep, reference: Iterable[EditBatch]) -> Operator:
        config = self.config
        if step.kind == "recolor":
            recolor = recolor_for(
                step, lightness=config.lightness, hue_variation=config.hue_variation
            )
            return recolor.measured_on(reference)
        if step.kind == "tone":
            return tone_for(step).measured_on(reference)
        if step.kind == "filter":
            return filter_for(step, size=config.filter_size).measured_on(reference)
        if step.kind == "texture":
            texture = texture_for(step, reference=config.reference, scale=config.pattern_scale)
            return texture.measured_on(reference)
        if step.kind == "remove":
            return Removal(
                radius=config.patch_radius,
                percentile=config.vote_percentile,
                megapixels=config.solve_megapixels,
            )
        raise UnsupportedEdit(
            f"the classic editor cannot {_VERBS.get(step.kind, step.kind)}",
            hint="It recolours, changes tone, filters, fills with a pattern and removes; "
            "anything new in the picture needs a diffusion editor.",
        )


_VERBS: dict[Kind, str] = {
    "style": "repaint in a style",
    "replace": "replace one thing by another",
    "add": "add a thing",
    "attribute": "give a thing another attribute",
}
