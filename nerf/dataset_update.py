"""The data-set update (Haque et al. 2023, "Instruct-NeRF2NeRF", section 4.2), kept local.

Rounds over the views: each is rendered as the field sees it now, edited where the instruction
says, and laid over the *original* view, so that all else stays supervised by the photograph. An
edit that is pointwise needs no rendering: it is applied to the originals in one round.

Nothing here knows nerfstudio or torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from image_core.compositing import support
from image_core.errors import EditCancelled, EditFailed, InsituError
from image_core.local_editor import LocalEditor
from image_core.preparing import PreparedPlan
from image_core.types import EditResult, Image, Location, Mask
from nerf.picture_store import PictureStore
from nerf.schedule import Schedule

Picture = UInt8[np.ndarray, "_ _ 3"]


def as_image(picture: Picture) -> Image:
    """Return 8-bit samples as float32 in [0, 1]."""
    return np.asarray(picture, np.float32) / np.float32(255)


def as_picture(image: Image, original: Picture, alpha: Mask) -> Picture:
    """Return an edited image in 8 bits; outside the region it is the original, bit for bit.

    Args:
        image: float32 ``(h, w, 3)``, the original outside the region.
        original: The view's own samples.
        alpha: Where it was edited.
    """
    rounded = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return np.where(support(alpha)[..., None], rounded, original)


@dataclass(frozen=True, kw_only=True)
class EditedView:
    """What one view became in an update.

    Attributes:
        view: Its number.
        round: In which round.
        picture: Its new samples; None where the edit failed and it keeps what it had.
        render: What the editor was given to change.
        alpha: Where it was changed.
        why_not: Why it failed.
        evaluations: Network rows spent on it.
    """

    view: int
    round: int
    picture: Picture | None
    render: Image
    alpha: Mask
    why_not: str = ""
    evaluations: int = 0


class DatasetUpdate:
    """The edit phase of one run: which views are edited at a step, and what became of them."""

    def __init__(
        self,
        *,
        editor: LocalEditor,
        prepared: PreparedPlan,
        names: Sequence[str],
        originals: Sequence[Picture],
        regions: Sequence[Location | None],
        schedule: Schedule,
        store: PictureStore,
        render: Callable[[int], Image],
        first_step: int,
    ) -> None:
        """Start at the first round.

        Args:
            editor: Applies the prepared plan.
            prepared: From ``LocalEditor.prepare`` over all originals: its statistics are frozen.
            names: A name per view; it keys the view's random draws.
            originals: The views' own samples, never changed.
            regions: Where each may change; None keeps a view as it is.
            schedule: The loop's numbers.
            store: Where edited views are kept.
            render: Gives a view as the field sees it now.
            first_step: The training step of the first update.
        """
        self.editor, self.prepared = editor, prepared
        self.names, self.originals, self.regions = names, originals, regions
        self.schedule, self.store, self.render = schedule, store, render
        self.first_step = first_step
        self.last_update: int | None = None
        self.round, self.position = 0, 0
        self.edited: list[str | None] = [None] * len(names)
        self.edits, self.skipped, self.evaluations = 0, 0, 0
        self._done_in_round = 0

    @property
    def views(self) -> list[int]:
        """The views that hold the target."""
        return [view for view, region in enumerate(self.regions) if region is not None]

    @property
    def pointwise(self) -> bool:
        """The edit is applied to the originals, once, without renders."""
        return self.prepared.pointwise

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return 1 if self.pointwise else self.schedule.rounds

    @property
    def finished(self) -> bool:
        """All rounds are done."""
        return self.round >= self.rounds or not self.views

    @property
    def end(self) -> int | None:
        """The first training step that is no longer run; None while updates are to come."""
        if not self.finished:
            return None
        last = self.first_step if self.last_update is None else self.last_update
        after = 0 if self.pointwise else self.schedule.update_every
        return last + after + self.schedule.settle_steps

    @property
    def expected_end(self) -> int:
        """Where the end will be if nobody pauses."""
        views = len(self.views)
        return self.first_step + self.schedule.length(views, pointwise=self.pointwise)

    def is_due(self, step: int) -> bool:
        """Tell whether views are edited before this training step."""
        if self.finished or step < self.first_step:
            return False
        return self.last_update is None or step - self.last_update >= self.schedule.update_every

    def advance(self, step: int) -> Iterator[EditedView]:
        """Edit the next views: those of one update, or all of them when the edit is pointwise.

        Args:
            step: The training step that comes next.

        Yields:
            Each view's outcome. A view whose edit fails or is not finite keeps what it had.

        Raises:
            EditFailed: Every view of a round failed.
            InvalidInput: An edited view cannot be stored.
        """
        number, self.last_update = self.round, step
        while not self.finished and self.round == number:
            yield from self._update()
            if not self.pointwise:
                return

    def _update(self) -> Iterator[EditedView]:
        order = self.schedule.order(self.round, self.views)
        chosen = order[self.position : self.position + self.schedule.views_per_update]
        originals = [as_image(self.originals[view]) for view in chosen]
        images = originals if self.pointwise else [self.render(view) for view in chosen]
        outcomes = self.editor.apply(
            self.prepared,
            images,
            [self._region(view) for view in chosen],
            keys=[self.schedule.key(self.names[view], self.round) for view in chosen],
            conditions=originals,
            composite_over=originals,
            strength=self.schedule.strength_in(self.round),
        )
        for view, image, outcome in zip(chosen, images, outcomes, strict=True):
            yield self._taken(view, image, outcome)
        self.position += len(chosen)
        if self.position >= len(order):
            self._end_round(outcomes)

    def _region(self, view: int) -> Location:
        region = self.regions[view]
        assert region is not None
        return region

    def _taken(self, view: int, image: Image, outcome: EditResult | InsituError) -> EditedView:
        """Store an outcome and count it."""
        if isinstance(outcome, EditCancelled) or (
            isinstance(outcome, InsituError) and not isinstance(outcome, EditFailed)
        ):
            raise outcome
        if isinstance(outcome, EditFailed):
            self.skipped += 1
            nowhere = np.zeros(image.shape[:2], np.float32)
            return EditedView(
                view=view,
                round=self.round,
                picture=None,
                render=image,
                alpha=nowhere,
                why_not=str(outcome),
            )
        picture = as_picture(outcome.image, self.originals[view], outcome.alpha)
        self.edited[view] = self.store.put(picture)
        self.edits += 1
        self.evaluations += outcome.evaluations
        self._done_in_round += 1
        return EditedView(
            view=view,
            round=self.round,
            picture=picture,
            render=image,
            alpha=outcome.alpha,
            evaluations=outcome.evaluations,
        )

    def _end_round(self, outcomes: Sequence[EditResult | InsituError]) -> None:
        done, self._done_in_round = self._done_in_round, 0
        self.round, self.position = self.round + 1, 0
        if done == 0:
            reasons = [str(outcome) for outcome in outcomes if isinstance(outcome, InsituError)]
            raise EditFailed(
                f"the editor failed on every view of round {self.round}: {reasons[-1]}",
                hint="Try another --pipeline.editor or a lower --pipeline.strength.",
            )

    def state_dict(self) -> dict[str, Any]:
        """Return where the loop stands, JSON-able."""
        return {
            "first_step": self.first_step,
            "last_update": self.last_update,
            "round": self.round,
            "position": self.position,
            "edited": list(self.edited),
            "edits": self.edits,
            "skipped": self.skipped,
            "evaluations": self.evaluations,
            "done_in_round": self._done_in_round,
            "prepared": self.prepared.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state_dict`` was taken."""
        self.first_step = int(state["first_step"])
        last = state["last_update"]
        self.last_update = None if last is None else int(last)
        self.round, self.position = int(state["round"]), int(state["position"])
        self.edited = list(state["edited"])
        self.edits, self.skipped = int(state["edits"]), int(state["skipped"])
        self.evaluations = int(state["evaluations"])
        self._done_in_round = int(state["done_in_round"])
        self.prepared.load_state_dict(state["prepared"])
