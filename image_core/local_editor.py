"""``LocalEditor``: an instruction becomes a plan, regions, a prepared edit and edited images.

The stages can be called one by one, so that a NeRF run or a video plans and locates once, prepares
once and applies many times; ``edit`` chains them for one photo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from image_core import discovery
from image_core.applying import apply_steps, value_of
from image_core.errors import InsituError, InvalidInput, UnsupportedEdit
from image_core.locating import Found, locate_step, location_of
from image_core.photo import Photo
from image_core.photo_result import PartRecord, PhotoResult, StageClock
from image_core.preparing import PreparedPlan, prepare_steps, refuse_unsupported
from image_core.region_hints import check_hint
from image_core.seams import Editor, Grounder, LanguageProcessor, Segmenter
from image_core.types import (
    EditBatch,
    EditPlan,
    EditResult,
    EditStep,
    Image,
    Location,
    RegionHint,
    never,
    no_progress,
)

MIN_CONFIDENCE = 0.5
"""Below this a region found by phrase is refused (measured: see docs/grounding.md)."""


@dataclass(frozen=True, kw_only=True)
class LocalEditorConfig:
    """Which parts a ``LocalEditor`` is made of, by name.

    Attributes:
        language: The language processor.
        grounder: Finds what a phrase names.
        segmenter: Cuts it out.
        editor: ``auto`` takes, for each step, the first editor that has its kind.
        editor_options: ``key=value`` texts for a named editor.
        min_confidence: Regions found by phrase below this are refused.
    """

    language: str = "rules"
    grounder: str = "classic"
    segmenter: str = "grabcut"
    editor: str = "auto"
    editor_options: tuple[str, ...] = ()
    min_confidence: float = MIN_CONFIDENCE

    def build(self) -> LocalEditor:
        """Make the parts and the editor that chains them.

        Raises:
            InvalidInput: A name or value is wrong.
            UnsupportedEdit: An editor option does not exist.
            MissingWeights: A part's weights or extra are missing.
        """
        editor_names = list(AUTO_ORDER) if self.editor == "auto" else [self.editor]
        return LocalEditor(
            language=discovery.build("instructions", self.language),
            grounder=discovery.build("grounding", self.grounder),
            segmenter=discovery.build("segmentation", self.segmenter),
            editors=discovery.Lazy("editors", editor_names, self.editor_options),
            config=self,
        )


AUTO_ORDER = ("classic",)
"""The editors that ``auto`` tries, strongest first."""


class LocalEditor:
    """Edits the part of an image that an instruction names, and only that."""

    def __init__(
        self,
        *,
        language: LanguageProcessor,
        grounder: Grounder,
        segmenter: Segmenter,
        editors: Mapping[str, Any],
        config: LocalEditorConfig | None = None,
    ) -> None:
        """Chain parts that are already made.

        Args:
            language: Reads instructions.
            grounder: Finds what a phrase names.
            segmenter: Cuts it out.
            editors: ``Editor``s by name, in the order of preference; they may be made lazily.
            config: Kept for the receipt.
        """
        self.language = language
        self.grounder = grounder
        self.segmenter = segmenter
        self.editors = editors
        self.config = config or LocalEditorConfig()

    @classmethod
    def default(cls) -> LocalEditor:
        """Make the one that needs no weights, no GPU and no torch."""
        return LocalEditorConfig().build()

    def plan(
        self, instruction: str, *, then: Sequence[str] = (), caption: str | None = None
    ) -> EditPlan:
        """Read an instruction and further turns.

        "it" in a later turn is what the turn before was about.

        Raises:
            InstructionNotUnderstood: A turn is in no form that the language processor knows.
            InvalidInput: A turn is empty or no text.
        """
        plans = [self.language.parse(text, caption=caption) for text in (instruction, *then)]
        steps: list[EditStep] = []
        for step in (step for plan in plans for step in plan.steps):
            earlier = steps[-1] if steps else None
            if step.target.pronoun and earlier is not None and not earlier.whole_image:
                step = replace(step, target=earlier.target)
            steps.append(step)
        return replace(plans[0], steps=tuple(steps))

    def choice(self, step: EditStep) -> str | None:
        """Return the name of the editor that will do a step; None when none has its kind."""
        fitting = (name for name, e in self.editors.items() if step.kind in e.capabilities.kinds)
        return next(fitting, None)

    def editor_for(self, step: EditStep) -> tuple[str, Editor]:
        """Return the editor that will do a step, and its name.

        Raises:
            UnsupportedEdit: None of the chosen editors has its kind.
        """
        name = self.choice(step)
        if name is not None:
            return name, self.editors[name]
        raise UnsupportedEdit(
            f"{step.instruction!r} is an edit of the kind {step.kind!r}, "
            f"which {' or '.join(self.editors)} cannot do",
            hint=_who_could(step),
        )

    def locate(
        self,
        images: Sequence[Image],
        plan: EditPlan,
        hints: Sequence[RegionHint | None] | None = None,
    ) -> list[Location | InsituError]:
        """Find where each step applies, in each image by itself.

        Args:
            images: Of any sizes.
            plan: From ``plan``.
            hints: One per image; where it is given, phrases are not grounded.

        Returns:
            One outcome per image: a location, or the error that belongs to this image
            (``TargetNotFound``, ``AmbiguousTarget``, ``InvalidInput``).
        """
        hints = hints if hints is not None else [None] * len(images)
        known: dict[Any, list[Found | InsituError]] = {}
        rows = []
        for step in plan.steps:
            key = (step.target, step.whole_image, step.kind == "remove")
            if key not in known:
                known[key] = locate_step(
                    images,
                    step,
                    hints,
                    grounder=self.grounder,
                    segmenter=self.segmenter,
                    min_confidence=self.config.min_confidence,
                    anywhere=self._finds_region(step),
                )
            rows.append(known[key])
        return [location_of(column) for column in zip(*rows, strict=True)]

    def _finds_region(self, step: EditStep) -> bool:
        name = self.choice(step)
        return name is not None and self.editors[name].capabilities.finds_region

    def prepare(
        self,
        plan: EditPlan,
        images: Sequence[Image],
        locations: Sequence[Location],
        *,
        keys: Sequence[int],
    ) -> PreparedPlan:
        """Measure and freeze what each step keeps the same over all images to come.

        Step k is measured on what step k-1 made of the reference images.

        Raises:
            UnsupportedEdit: No chosen editor can do a step.
        """
        editors = [self.editor_for(step)[1] for step in plan.steps]
        return prepare_steps(plan, editors, images, locations, keys)

    def apply(
        self,
        prepared: PreparedPlan,
        images: Sequence[Image],
        locations: Sequence[Location],
        *,
        keys: Sequence[int],
        conditions: Sequence[Image] | None = None,
        composite_over: Sequence[Image] | None = None,
        strength: float = 1.0,
        progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[EditResult | InsituError]:
        """Edit images with what was prepared.

        Args:
            prepared: From ``prepare``.
            images: What is to change.
            locations: Where, one per image.
            keys: One opaque integer per image, which keys its random draws.
            conditions: The originals; ``images`` unless given.
            composite_over: What the edits are laid over; ``images`` unless given.
            strength: In [0, 1].
            progress: Told a stage's name and its done share.
            cancelled: Asked between pieces of work.

        Returns:
            One outcome per image: a result, equal to ``composite_over`` outside the regions, or
            the error that belongs to this image.
        """
        if not 0 <= strength <= 1:
            raise InvalidInput(f"strength {strength} is not between 0 and 1")
        batch = EditBatch(
            images=images,
            conditions=images if conditions is None else conditions,
            composite_over=images if composite_over is None else composite_over,
            regions=[location.regions[0] for location in locations],
            keys=keys,
            strength=strength,
            progress=progress or no_progress,
            cancelled=cancelled or never,
        )
        sizes = [self.editor_for(step)[1].capabilities.max_batch for step in prepared.plan.steps]
        return apply_steps(prepared.plan.steps, prepared.edits, sizes, batch, locations)

    def edit(
        self,
        photo: Photo,
        instruction: str,
        *,
        then: Sequence[str] = (),
        hint: RegionHint | None = None,
        seed: int = 0,
        strength: float = 1.0,
        progress: Callable[[str, float], None] | None = None,
    ) -> PhotoResult:
        """Edit one photo: plan, locate, prepare and apply.

        Args:
            photo: From ``Photo.open``.
            instruction: The user's words.
            then: Further turns.
            hint: The region in the user's hand; then phrases are not grounded.
            seed: Keys every random draw.
            strength: In [0, 1].
            progress: Told a stage's name and its done share.

        Returns:
            The edited photo with all that its receipt will say; ``save`` writes it.

        Raises:
            InsituError: One of its children, see ``image_core.errors``.
        """
        clock = StageClock(progress)
        width, height = photo.size
        if hint is not None:
            check_hint(hint, width=width, height=height)
        with clock.stage("plan"):
            plan = self.plan(instruction, then=then)
            for step in plan.steps:
                self.editor_for(step)
        with clock.stage("decode"):
            image = photo.rgb()
        with clock.stage("locate"):
            outcome = self.locate([image], plan, [hint])[0]
            if isinstance(outcome, InsituError):  # what no editor could do is told first
                refuse_unsupported(plan, [self.editor_for(step)[1] for step in plan.steps])
            location = value_of(outcome)
        with clock.stage("prepare"):
            prepared = self.prepare(plan, [image], [location], keys=[seed])
        with clock.stage("apply"):
            results = self.apply(
                prepared, [image], [location], keys=[seed], strength=strength, progress=progress
            )
            result = value_of(results[0])
        with clock.stage("composite"):
            edited = photo.with_edit(result.image, result.alpha)
        return PhotoResult(
            source=photo,
            photo=edited,
            plan=plan,
            result=result,
            location=location,
            prepared=prepared.state_dict(),
            then=tuple(then),
            hint=hint,
            seed=seed,
            strength=strength,
            seconds=clock.seconds,
            parts=self._part_record(plan),
        )

    def _part_record(self, plan: EditPlan) -> PartRecord:
        return PartRecord(
            language=plan.processor,
            grounder=self.config.grounder,
            segmenter=self.config.segmenter,
            editors=tuple(self.editor_for(step)[0] for step in plan.steps),
            editor=self.config.editor,
            editor_options=self.config.editor_options,
            min_confidence=self.config.min_confidence,
        )


def _who_could(step: EditStep) -> str:
    if step.kind in {"replace", "add", "style", "attribute"}:
        return (
            "That takes a generative editor (InstructEdit, FLUX.2 klein, Qwen-Image-Edit …); this "
            "version has none built in: plug one in with --editor FILE.py:Class (docs/plugin.md)."
        )
    return f"The built-in editor {AUTO_ORDER[0]} can: leave --editor away."
