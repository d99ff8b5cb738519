"""The promises of the editor seam, tried one by one."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import get_args

import numpy as np

from image_core.errors import EditFailed, UnsupportedEdit
from image_core.seams import Editor, PreparedEdit
from image_core.testing.scenes import STEPS, batch_of, scene
from image_core.types import Edit, EditBatch, EditStep, Image, Kind, Mask


def check_editor(
    editor: Editor,
    *,
    kinds: Collection[Kind] | None = None,
    steps: Collection[EditStep] = (),
    size: tuple[int, int] = (48, 64),
    tolerance: float = 0.0,
) -> None:
    """Check that an editor keeps what the seam promises.

    Args:
        editor: The editor, built.
        kinds: Kinds to try; all that it declares unless given.
        steps: Steps to try instead of the table's own ``STEPS`` (their kinds must be declared).
        size: Height and width of the scenes; larger for models that need it.
        tolerance: Largest difference between two runs that should be equal; 0 asks for equal bits,
            which some GPU kernels cannot give.

    Raises:
        AssertionError: A promise is broken; the message says which, by what step.
    """
    declared = editor.capabilities.kinds
    _check_capabilities(editor)
    wanted = declared if kinds is None else frozenset(kinds)
    assert wanted <= declared, (
        f"asked to check {sorted(wanted - declared)}, but capabilities.kinds is {sorted(declared)}"
    )
    tried = list(steps) or [STEPS[kind] for kind in sorted(wanted)]
    for step in tried:
        _Check(editor, step, size, tolerance).run()


def _check_capabilities(editor: Editor) -> None:
    capabilities = editor.capabilities
    known = set(get_args(Kind))
    assert capabilities.kinds, "capabilities.kinds is empty: the editor says that it can do nothing"
    assert capabilities.kinds <= known, (
        f"capabilities.kinds holds {sorted(capabilities.kinds - known)}; known are {sorted(known)}"
    )
    assert capabilities.max_batch >= 0, "capabilities.max_batch must be 0 (no bound) or more"


class _Check:
    """The promises, for one editor and one step."""

    def __init__(
        self, editor: Editor, step: EditStep, size: tuple[int, int], tolerance: float
    ) -> None:
        self.editor, self.step, self.size, self.tolerance = editor, step, size, tolerance
        self.image, self.alpha = scene(*size)

    def run(self) -> None:
        """Try all promises."""
        prepared = self._prepare()
        whole = self._edit(prepared, batch_of([self.image], [self.alpha])).images[0]
        self._sound(whole, self.image, self.alpha)
        self._arguments_stay()
        self._repeats(prepared, whole)
        self._batches(prepared)
        self._strength(prepared, whole)
        self._empty_region(prepared)
        self._sizes(prepared)
        self._state(prepared, whole)
        self._bad_pixels_stay_outside(prepared)
        self._cancels(prepared)

    def _prepare(self) -> PreparedEdit:
        prepared = self.editor.prepare(self.step, [batch_of([self.image], [self.alpha])])
        self._demand(
            isinstance(getattr(prepared, "pointwise", None), bool),
            "the prepared edit needs an attribute `pointwise`, True or False",
        )
        return prepared

    def _edit(self, prepared: PreparedEdit, work: EditBatch) -> Edit:
        made = prepared.edit(work)
        self._demand(
            len(made.images) == len(work.images),
            f"edit() got {len(work.images)} images and gave back {len(made.images)}",
        )
        return made

    def _demand(self, holds: bool, message: str) -> None:
        name = type(self.editor).__name__
        assert holds, f"{name}, {self.step.kind} ({self.step.instruction!r}): {message}"

    def _same(self, first: np.ndarray, second: np.ndarray, message: str) -> None:
        if self.tolerance == 0:
            self._demand(np.array_equal(first, second), f"{message}, bit for bit")
        else:
            apart = float(np.abs(first - second).max(initial=0))
            self._demand(apart <= self.tolerance, f"{message}; they differ by {apart:.2g}")

    def _sound(self, edited: np.ndarray, image: Image, alpha: Mask) -> None:
        self._demand(
            edited.shape == image.shape and edited.dtype == np.float32,
            f"an edited image must be float32 of its input's shape {image.shape}; "
            f"this is {edited.dtype} {edited.shape}",
        )
        inside = edited[alpha > 0]
        self._demand(bool(np.isfinite(inside).all()), "NaN or infinity inside the region")
        self._demand(
            bool(((inside >= 0) & (inside <= 1)).all()), "values inside the region leave [0, 1]"
        )

    def _arguments_stay(self) -> None:
        work = batch_of([self.image.copy()], [self.alpha.copy()])
        for array in (work.images[0], work.regions[0].alpha):
            array.flags.writeable = False
        try:
            prepared = self.editor.prepare(self.step, [work])
            made = self._edit(prepared, work)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise AssertionError(
                f"{type(self.editor).__name__}, {self.step.kind}: it writes into its arguments "
                f"({error}); copy before changing"
            ) from error
        self._demand(
            not np.shares_memory(made.images[0], work.images[0]),
            "the edited image shares memory with the given one; give back a new array",
        )

    def _repeats(self, prepared: PreparedEdit, whole: Image) -> None:
        again = self._edit(prepared, batch_of([self.image], [self.alpha])).images[0]
        self._same(whole, again, "the same image with the same key must be edited the same twice")
        fresh = self._edit(self._prepare(), batch_of([self.image], [self.alpha])).images[0]
        self._same(whole, fresh, "preparing again on the same reference must give the same edit")

    def _batches(self, prepared: PreparedEdit) -> None:
        if self.editor.capabilities.max_batch == 1:
            return
        other, other_alpha = scene(self.size[0] + 8, self.size[1] - 8, seed=5)
        pair = batch_of([self.image, other], [self.alpha, other_alpha], keys=[7, 9])
        both = self._edit(prepared, pair).images
        alone = [
            self._edit(prepared, batch_of([image], [alpha], keys=[key])).images[0]
            for image, alpha, key in ((self.image, self.alpha, 7), (other, other_alpha, 9))
        ]
        for together, single in zip(both, alone, strict=True):
            self._same(together, single, "a batch must equal its images edited one by one")

    def _strength(self, prepared: PreparedEdit, whole: Image) -> None:
        inside = self.alpha > 0
        changes = []
        if not self.editor.capabilities.has_strength:
            self._has_no_strength(prepared)
            return
        for strength in (0.0, 0.5):
            work = batch_of([self.image], [self.alpha], strength=strength)
            edited = self._edit(prepared, work).images[0]
            changes.append(float(np.abs(edited - self.image)[inside].mean()))
        full = float(np.abs(whole - self.image)[inside].mean())
        self._demand(full > 0, "full strength changes nothing in the test scene")
        self._demand(changes[0] <= self.tolerance, "strength 0 must leave the image as it is")
        if not self.editor.capabilities.finds_region:
            self._demand(
                changes[0] <= changes[1] <= full * 1.05 + self.tolerance,
                f"strength 0.5 changes the region by {changes[1]:.4f}, which is not between "
                f"strength 0 ({changes[0]:.4f}) and 1 ({full:.4f})",
            )

    def _has_no_strength(self, prepared: PreparedEdit) -> None:
        work = batch_of([self.image], [self.alpha], strength=0.5)
        try:
            prepared.edit(work)
        except UnsupportedEdit:
            return
        self._demand(False, "it says that it has no strength, but takes strength 0.5")

    def _empty_region(self, prepared: PreparedEdit) -> None:
        if not self.editor.capabilities.needs_region:
            return
        work = batch_of([self.image], [np.zeros_like(self.alpha)])
        self._sound(self._edit(prepared, work).images[0], self.image, work.regions[0].alpha)

    def _sizes(self, prepared: PreparedEdit) -> None:
        height, width = self.size
        for shape in ((height - 11, width - 5), (height + 3, height + 3)):
            image, alpha = scene(*shape, seed=2)
            self._sound(self._edit(prepared, batch_of([image], [alpha])).images[0], image, alpha)
        dot = np.zeros_like(self.alpha)
        dot[height // 2, width // 2] = 1
        made = self._edit(prepared, batch_of([self.image], [dot]))
        self._sound(made.images[0], self.image, dot)
        if (height, width) <= (64, 64):  # models with a smallest size give larger scenes
            one = np.full((1, 1, 3), 0.4, np.float32)
            made = self._edit(prepared, batch_of([one], [np.ones((1, 1), np.float32)]))
            self._sound(made.images[0], one, np.ones((1, 1), np.float32))

    def _state(self, prepared: PreparedEdit, whole: Image) -> None:
        try:
            text = json.dumps(prepared.state_dict(), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise AssertionError(
                f"{type(self.editor).__name__}, {self.step.kind}: state_dict() is not JSON-able: "
                f"{error}"
            ) from error
        self._demand(len(text) < 1_000_000, "state_dict() is larger than a megabyte as JSON")
        other, other_alpha = scene(*self.size, seed=11)
        elsewhere = self.editor.prepare(self.step, [batch_of([1 - other], [other_alpha])])
        elsewhere.load_state_dict(json.loads(text))
        restored = self._edit(elsewhere, batch_of([self.image], [self.alpha])).images[0]
        self._same(
            whole, restored, "after load_state_dict() an edit must equal that of the saved one"
        )
        blank = self.editor.prepare(self.step, [])
        blank.load_state_dict(json.loads(text))
        restored = self._edit(blank, batch_of([self.image], [self.alpha])).images[0]
        self._same(whole, restored, "a state must also load into an edit prepared on nothing")

    def _bad_pixels_stay_outside(self, prepared: PreparedEdit) -> None:
        holed = self.image.copy()
        holed[0, 0], holed[-1, -1] = np.nan, np.inf
        edited = self._edit(prepared, batch_of([holed], [self.alpha])).images[0]
        self._demand(
            bool(np.isfinite(edited[self.alpha > 0]).all()),
            "a NaN outside the region came into it",
        )

    def _cancels(self, prepared: PreparedEdit) -> None:
        told: list[float] = []
        work = replace(
            batch_of([self.image], [self.alpha]), progress=lambda _stage, done: told.append(done)
        )
        self._edit(prepared, work)
        self._demand(
            all(0 <= done <= 1 for done in told) and told == sorted(told),
            f"progress must rise within [0, 1]; it was told {told}",
        )
        try:
            made = prepared.edit(replace(work, cancelled=lambda: True))
        except EditFailed:
            return
        self._demand(
            len(made.images) == 1 and made.images[0].shape == self.image.shape,
            "a cancelled edit must raise EditCancelled, or give whole images",
        )


__all__ = ["STEPS", "batch_of", "check_editor", "scene"]
