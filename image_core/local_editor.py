"""``LocalEditor``: an instruction becomes a plan, regions, a prepared edit and edited images.

The stages can be called one by one, so that a NeRF run or a video plans and locates once, prepares
once and applies many times; ``edit`` chains them for one photo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from image_core.applying import apply_steps, value_of
from image_core.choosing import chosen_editor, models_of, name_of, refusal
from image_core.errors import InsituError
from image_core.instructions.captioner import needs_caption
from image_core.local_editor_config import LocalEditorConfig
from image_core.locating import Found, locate_step, location_of
from image_core.photo import Photo
from image_core.photo_result import PartRecord, PhotoResult, StageClock
from image_core.planning import given_captions, plan_from_captions, plan_of_turns
from image_core.preparing import PreparedPlan, prepare_steps, refuse_unsupported
from image_core.region_hints import check_hint
from image_core.seams import Captioner, Editor, Grounder, LanguageProcessor, Segmenter
from image_core.strengths import strength_for
from image_core.types import (
    EditBatch,
    EditPlan,
    EditResult,
    EditStep,
    Image,
    Location,
    RegionHint,
    Strength,
    never,
    no_progress,
)

MIN_CONFIDENCE = 0.5
"""Below this a region found by phrase is refused, unless the grounder has a bound of its own
(measured for the classic one: see docs/grounding.md)."""


class LocalEditor:
    """Edits the part of an image that an instruction names, and only that."""

    def __init__(
        self,
        *,
        language: LanguageProcessor,
        grounder: Grounder,
        segmenter: Segmenter,
        editors: Mapping[str, Any],
        captioner: Captioner | None = None,
        config: LocalEditorConfig | None = None,
    ) -> None:
        """Chain parts that are already made.

        Args:
            language: Reads instructions.
            captioner: Looks at the picture where an instruction leaves open what it is about.
            grounder: Finds what a phrase names.
            segmenter: Cuts it out.
            editors: ``Editor``s by name, in the order of preference; they may be made lazily.
            config: Kept for the receipt.
        """
        self.language = language
        self.captioner = captioner
        self.grounder = grounder
        self.segmenter = segmenter
        self.editors = editors
        self.config = config or LocalEditorConfig(editor="given")
        self._choices: dict[EditStep, str | None] = {}

    @classmethod
    def default(cls) -> LocalEditor:
        """Make the one that ``auto`` gives: on a machine without weights it needs no torch."""
        return LocalEditorConfig().build()

    def plan(
        self,
        instruction: str,
        *,
        then: Sequence[str] = (),
        caption: str | None = None,
        image: Image | None = None,
    ) -> EditPlan:
        """Read an instruction and further turns.

        "it" in a later turn is what the turn before was about. Where both captions stand in the
        editor's options, no model is asked for a plan.

        Args:
            instruction: The user's words.
            then: Further turns.
            caption: What the picture shows, when known.
            image: Shown to the captioner, where there is one, if the words leave open what they
                are about (InstructEdit, section 4.4).

        Raises:
            InstructionNotUnderstood: A turn is in no form that the language processor knows.
            InvalidInput: A turn is empty or no text.
        """
        turns = (instruction, *then)
        captions = given_captions(self.config.editor_options)
        if captions is not None:
            return plan_from_captions(turns, captions)
        plan = plan_of_turns(self.language, turns, caption)
        if caption is None and image is not None and self.captioner and needs_caption(plan):
            seen = self.captioner.caption([image])[0]
            plan = replace(plan_of_turns(self.language, turns, seen or None), caption=seen)
        return plan

    def choice(self, step: EditStep) -> str | None:
        """Return the name of the editor that will do a step; None when none can."""
        if step not in self._choices:
            auto = self.config.editor == "auto"
            self._choices[step] = chosen_editor(self.editors, step, auto=auto)
        return self._choices[step]

    def editor_for(self, step: EditStep) -> tuple[str, Editor]:
        """Return the editor that will do a step, and its name.

        Raises:
            UnsupportedEdit: None of the chosen editors has its kind.
        """
        name = self.choice(step)
        if name is not None:
            return name, self.editors[name]
        raise refusal(step, self.editors, auto=self.config.editor == "auto")

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
            key = (step.target, step.whole_image, step.kind, step.relation)
            if key not in known:
                known[key] = locate_step(
                    images,
                    step,
                    hints,
                    grounder=self.grounder,
                    segmenter=self.segmenter,
                    min_confidence=self.min_confidence,
                    anywhere=self._finds_region(step),
                )
            rows.append(known[key])
        return [location_of(column) for column in zip(*rows, strict=True)]

    @property
    def min_confidence(self) -> float:
        """Regions found by phrase below this are refused."""
        if self.config.min_confidence is not None:
            return self.config.min_confidence
        return float(getattr(self.grounder, "min_confidence", MIN_CONFIDENCE))

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
        strength: Strength | None = None,
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
            strength: In [0, 1], or ``auto``; each editor's own measure unless given.
            progress: Told a stage's name and its done share.
            cancelled: Asked between pieces of work.

        Returns:
            One outcome per image: a result, equal to ``composite_over`` outside the regions, or
            the error that belongs to this image.
        """
        strengths = self.strengths(prepared.plan, strength)
        batch = EditBatch(
            images=images,
            conditions=images if conditions is None else conditions,
            composite_over=images if composite_over is None else composite_over,
            regions=[location.regions[0] for location in locations],
            keys=keys,
            progress=progress or no_progress,
            cancelled=cancelled or never,
        )
        sizes = [self.editor_for(step)[1].capabilities.max_batch for step in prepared.plan.steps]
        return apply_steps(
            prepared.plan.steps, prepared.edits, sizes, batch, locations, strengths=strengths
        )

    def strengths(self, plan: EditPlan, wanted: Strength | None) -> list[Strength]:
        """Return the strength of each step.

        Raises:
            InvalidInput: It is not between 0 and 1.
            UnsupportedEdit: A step's editor has no such strength.
        """
        return [strength_for(*self.editor_for(step), wanted) for step in plan.steps]

    def edit(
        self,
        photo: Photo,
        instruction: str,
        *,
        then: Sequence[str] = (),
        plan: EditPlan | None = None,
        hint: RegionHint | None = None,
        seed: int = 0,
        strength: Strength | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> PhotoResult:
        """Edit one photo: plan, locate, prepare and apply.

        Args:
            photo: From ``Photo.open``.
            instruction: The user's words.
            then: Further turns.
            plan: The plan that was made of them before; then they are not read again.
            hint: The region in the user's hand; then phrases are not grounded.
            seed: Keys every random draw.
            strength: In [0, 1], or ``auto``; each editor's own measure unless given.
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
            if plan is None:
                looks = self.captioner is not None and hint is None
                plan = self.plan(instruction, then=then, image=photo.rgb() if looks else None)
            strengths = self.strengths(plan, strength)
            # what cannot be done, and what is missing for it, is told before any region
            refuse_unsupported(plan, [self.editor_for(step)[1] for step in plan.steps])
        with clock.stage("decode"):
            image = photo.rgb()
        with clock.stage("locate"):
            location = value_of(self.locate([image], plan, [hint])[0])
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
            rows=clock.rows,
            parts=self.part_record(plan, strengths),
        )

    def models(self, plan: EditPlan) -> tuple[str, ...]:
        """Return the models whose networks a plan runs; empty on the weight-free route."""
        editors = [self.editor_for(step)[1] for step in plan.steps]
        spoke = [self.language] if "language_model" in plan.processor else []
        looked = [self.captioner] if plan.caption else []
        return models_of([*spoke, *looked, self.grounder, self.segmenter, *editors])

    def part_record(self, plan: EditPlan, strengths: Sequence[Strength]) -> PartRecord:
        """Return the names of the parts that a plan's edit is made by, for a receipt."""
        return PartRecord(
            language=plan.processor,
            grounder=name_of(self.grounder, "grounding", self.config.grounder),
            segmenter=name_of(self.segmenter, "segmentation", self.config.segmenter),
            editors=tuple(self.editor_for(step)[0] for step in plan.steps),
            editor=self.config.editor,
            editor_options=self.config.editor_options,
            min_confidence=self.min_confidence,
            strengths=tuple(strengths),
            models=self.models(plan),
            model_tree=str(self.config.models or ""),
        )
