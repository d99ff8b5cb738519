"""The editor around any generative method: it checks, crops, groups, retries and puts back."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from image_core.compositing import support
from image_core.devices import total_memory
from image_core.editors.generative.config import GenerativeConfig
from image_core.editors.generative.crops import planned, put_back, put_back_mask
from image_core.editors.generative.handing import (
    captions_of,
    check_conditions,
    found_regions,
    grouped_by_size,
    job_of,
)
from image_core.editors.generative.native import is_miniature, working_side
from image_core.editors.generative.outcomes import is_broken, is_unchanged
from image_core.editors.generative.tasks import Job, Made, Method, Task
from image_core.errors import (
    EditCancelled,
    MissingWeights,
    NonFiniteOutput,
    UnsupportedEdit,
)
from image_core.evaluations import counting
from image_core.strengths import strength_for
from image_core.types import Capabilities, Edit, EditBatch, EditStep, Image, Mask, Region, Strength
from image_core.weights import folder_of, is_present, memory_needed

_MODULES = ("torch", "diffusers", "transformers")


class GenerativeEditor:
    """An ``Editor`` made of a configuration, its capabilities and a way to load its method."""

    def __init__(
        self,
        name: str,
        config: GenerativeConfig,
        capabilities: Capabilities,
        load: Callable[[GenerativeConfig], Method],
        *,
        needs: Sequence[str] = (),
    ) -> None:
        """Load nothing yet.

        Args:
            name: The editor's name, for messages.
            config: Its options.
            capabilities: What it can do.
            load: Loads the networks and gives the method; it imports them when it is called.
            needs: Further models that must be there, beside ``config.model``.
        """
        self.name = name
        self.config = config
        self.capabilities = capabilities
        self.models = (config.model, *needs)
        self._load = load
        self._method: Method | None = None

    def why_not(self) -> str:
        """Return why it cannot run here now; empty when it can."""
        absent = _absent_modules()
        if absent:
            return f"the extra neural is not installed (no {', '.join(absent)})"
        absent = [model for model in self.models if not is_present(model)]
        return f"the weights of {' and '.join(absent)} are missing" if absent else ""

    def why_too_large(self) -> str:
        """Return why its networks do not fit this machine; empty when they do, or none knows."""
        needed = sum(memory_needed(model) or 0 for model in self.models)
        room, where = total_memory(self.config.device)
        if needed <= room:
            return ""
        return f"its networks take {needed / 1e9:.0f} GB; {where} has {room / 1e9:.0f} GB"

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> GenerativeEdit:
        """Settle the captions; nothing is measured on the reference.

        Raises:
            UnsupportedEdit: The step's kind is not its own.
            MissingWeights: A model or the extra is not on this machine.
        """
        del reference
        if step.kind not in self.capabilities.kinds:
            raise UnsupportedEdit(
                f"{self.name} cannot do {step.instruction!r}: it is an edit of the kind "
                f"{step.kind!r}",
                hint=f"It does {', '.join(sorted(self.capabilities.kinds))}.",
            )
        absent = _absent_modules()
        if absent:
            raise MissingWeights(
                f"{self.name} needs the extra neural, which is not installed "
                f"(no {', '.join(absent)})",
                hint="pip install 'insitu[neural]'",
            )
        for model in self.models:
            folder_of(model)
        source, edited = captions_of(step, self.config)
        return GenerativeEdit(editor=self, step=step, captions={"source": source, "edited": edited})

    def method(self) -> Method:
        """Return the loaded method, loading it the first time."""
        if self._method is None:
            self._method = self._load(self.config)
        return self._method

    def method_in_full_precision(self) -> Method | None:
        """Return the method in float32 in place of a 16-bit one; None when it is so already."""
        import torch

        from image_core.devices import placement

        if not placement(self.config.device, self.config.dtype).half:
            return None
        self._method = None  # frees the memory first
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.config = replace(self.config, dtype="float32")
        return self.method()


def _absent_modules() -> list[str]:
    return [module for module in _MODULES if importlib.util.find_spec(module) is None]


@dataclass(kw_only=True)
class GenerativeEdit:
    """A step whose captions are settled."""

    editor: GenerativeEditor
    step: EditStep
    captions: Mapping[str, str]
    pointwise: bool = field(default=False, init=False)

    def state_dict(self) -> dict[str, Any]:
        """Return the captions."""
        return {"captions": dict(self.captions)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the captions back."""
        self.captions = dict(state["captions"])

    def edit(self, work: EditBatch) -> Edit:
        """Edit each image's region.

        Raises:
            EditCancelled: ``work.cancelled`` said so.
            NonFiniteOutput: NaN, infinity or a black picture came out, in float32 too.
            EditFailed: The method could not do it.
        """
        if work.cancelled():
            raise EditCancelled("cancelled before the first network call")
        images: list[Image] = [np.array(image, np.float32) for image in work.images]
        strength = strength_for(self.editor.name, self.editor, work.strength)
        alphas = [self._alpha(region, work, n) for n, region in enumerate(work.regions)]
        active = [n for n, alpha in enumerate(alphas) if support(alpha).any() and strength != 0]
        if not active:
            return Edit(images=images)
        check_conditions(work)
        found: list[Mask | None] = [None] * len(images)
        # the method itself is not kept here: a retry in float32 needs its memory
        multiple = self.editor.method().multiple
        side, whole = self._size()
        plans = {
            n: planned(alphas[n], resolution=side, multiple=multiple, whole=whole) for n in active
        }
        groups = grouped_by_size(plans)
        notes: list[str] = []
        warnings: list[str] = []
        done = 0
        with counting() as rows:
            for numbers in groups:
                if work.cancelled():
                    raise EditCancelled("cancelled between two groups of pictures")
                jobs = [job_of(work, n, alphas[n], plans[n]) for n in numbers]
                task = self._task(work, strength, (done, len(numbers), len(active)))
                made = self._made(jobs, task)
                for place, n in enumerate(numbers):
                    images[n] = put_back(work.images[n], made.images[place], plans[n])
                    if made.masks is not None:
                        mask = made.masks[place]
                        found[n] = put_back_mask(alphas[n].shape, mask, plans[n])
                    # at the network's size, where scaling alone changes nothing
                    if is_unchanged(made.images[place], jobs[place].image, jobs[place].mask):
                        warnings.append(
                            f"{self.step.instruction!r} changed next to nothing; a higher "
                            "--strength or another --editor may"
                        )
                notes += made.notes
                warnings += made.warnings
                done += len(numbers)
        return Edit(
            images=images,
            regions=found_regions(work, found),
            evaluations=rows.total(),
            rows=dict(rows),
            notes=tuple(dict.fromkeys(notes)),
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _alpha(self, region: Region, work: EditBatch, number: int) -> Mask:
        """Return a region, empty where the picture itself has nothing finite in it."""
        inside = support(region.alpha)
        if inside.any() and not np.isfinite(work.images[number][inside]).any():
            return np.zeros_like(region.alpha)
        return region.alpha

    def _size(self) -> tuple[int, bool]:
        """Return the side that pictures are worked on at, and whether none of them is cropped."""
        config = self.editor.config
        whole = config.crop == "none" or self.step.whole_image
        if config.resolution is not None:
            return config.resolution, whole
        folder = folder_of(config.model)
        return working_side(folder), whole or is_miniature(folder)

    def _task(self, work: EditBatch, strength: Strength, counts: tuple[int, int, int]) -> Task:
        """Return the task of a group: of how many pictures, after how many, of how many in all."""
        before, here, total = counts

        def tick(done: float) -> None:
            work.progress("edit", min(1.0, (before + here * done) / total))

        return Task(
            step=self.step,
            source_caption=self.captions["source"],
            edited_caption=self.captions["edited"],
            strength=strength,
            tick=tick,
            cancelled=work.cancelled,
        )

    def _made(self, jobs: Sequence[Job], task: Task) -> Made:
        made = self.editor.method().run(jobs, task)
        if not any(is_broken(*pair) for pair in zip(made.images, jobs, strict=True)):
            return made
        full = self.editor.method_in_full_precision()
        if full is not None:
            made = full.run(jobs, replace(task, tick=lambda done: None))
            made = replace(
                made, warnings=(*made.warnings, "16 bits overflowed; done again in float32")
            )
        if any(is_broken(*pair) for pair in zip(made.images, jobs, strict=True)):
            raise NonFiniteOutput(
                f"{self.editor.name} gave a black picture, NaN or infinity",
                hint="Nothing was written. Try another editor or a lower --strength.",
            )
        return made
