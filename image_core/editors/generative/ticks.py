"""Progress and cancellation inside a method's loop."""

from __future__ import annotations

from dataclasses import dataclass

from image_core.editors.generative.tasks import Task
from image_core.errors import EditCancelled


@dataclass(kw_only=True)
class Ticks:
    """Called after each network call: tells the done share, and stops when it is told to.

    Attributes:
        task: Whose progress it is.
        total: How many calls are to come.
        done: How many have been.
    """

    task: Task
    total: int
    done: int = 0

    def __call__(self) -> None:
        """Count one.

        Raises:
            EditCancelled: The task was cancelled.
        """
        if self.task.cancelled():
            raise EditCancelled("cancelled between two network calls")
        self.done += 1
        self.task.tick(min(1.0, self.done / self.total))
