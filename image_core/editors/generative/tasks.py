"""What a generative method is asked to do: jobs of one size that share one task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from image_core.types import EditStep, Image, Mask, Strength, never


def no_tick(done: float) -> None:
    """Take a progress report and do nothing with it."""
    del done


@dataclass(frozen=True, kw_only=True)
class Job:
    """One picture at the size the network works at; all values finite and in [0, 1].

    Attributes:
        image: ``(h, w, 3)``, what is to change.
        condition: ``(h, w, 3)``, the original; the very same array as ``image`` where they are one.
        mask: ``(h, w)``, above 0 where it may change.
        key: Keys its random draws.
        whole: It is the whole picture, not a crop around the region.
    """

    image: Image
    condition: Image
    mask: Mask
    key: int
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is the same for all jobs of a call.

    Attributes:
        step: The step being done.
        source_caption: What the picture shows.
        edited_caption: What it shall show.
        strength: How much, in (0, 1]; ``auto`` where the editor can choose.
        tick: Told the done share of the call.
        cancelled: Asked between network calls.
    """

    step: EditStep
    source_caption: str
    edited_caption: str
    strength: Strength = 1.0
    tick: Callable[[float], None] = no_tick
    cancelled: Callable[[], bool] = never


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a method made of its jobs.

    Attributes:
        images: One per job, of its size.
        masks: Where the method found its own region, at the jobs' size; else None.
        notes: What it chose, each one sentence, for the receipt.
        warnings: What the user should know, each one sentence.
    """

    images: Sequence[Image]
    masks: Sequence[Mask] | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Method(Protocol):
    """A way of editing with loaded networks."""

    @property
    def multiple(self) -> int:
        """What the sides of a job's pictures must be divisible by."""
        ...

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        """Edit jobs of one size.

        Raises:
            EditCancelled: ``task.cancelled`` said so.
            EditFailed: It could not; a safety checker's refusal says that it is one.
        """
        ...
