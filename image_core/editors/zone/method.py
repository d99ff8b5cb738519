"""ZONE: edit the whole picture, see where the network looked, and keep that part alone.

Source: Li et al., ZONE: Zero-Shot Instruction-Guided Local Editing, CVPR 2024, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from image_core.compositing import support
from image_core.diffusion.keyed_noise import keyed_noise
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.safety import SafetyChecker
from image_core.editors.generative import Job, Made, Task
from image_core.editors.generative.networks import load_networks
from image_core.editors.generative.ticks import Ticks
from image_core.editors.zone.actions import Action, decide, found_folder
from image_core.editors.zone.actions.classifier import ActionClassifier
from image_core.editors.zone.actions.saved import load_classifier
from image_core.editors.zone.attention import captured, last_mark
from image_core.editors.zone.config import ZoneConfig
from image_core.editors.zone.fused import Given, beta_of, fused, start_of
from image_core.editors.zone.layer import layer_of
from image_core.editors.zone.prompts import prompts_of
from image_core.editors.zone.rough import AttentionMaps, RoughRegion, rough_region
from image_core.editors.zone.second import load_second
from image_core.editors.zone.segments import RegionChoice, chosen_region
from image_core.editors.zone.solver import DpmPath, DpmSolver
from image_core.seams import Segmenter
from image_core.segmentation import GrabCutConfig
from image_core.segmentation.sam import SamConfig
from image_core.types import Image, Mask
from image_core.weights import folder_of


@dataclass(kw_only=True)
class Zone:
    """The method, with its networks.

    Attributes:
        network: InstructPix2Pix.
        solver: Walks its levels.
        config: The options.
        segmenter: Refines rough regions; None leaves them rough.
        classifier: Tells the action; None where none was trained.
        safety: The checkpoint's own checker, if it is heeded.
    """

    network: LatentDiffusion
    solver: DpmSolver
    config: ZoneConfig
    segmenter: Segmenter | None
    classifier: ActionClassifier | None = None
    safety: SafetyChecker | None = None
    _second: LatentDiffusion | None = field(default=None, init=False)

    @classmethod
    def loaded(cls, config: ZoneConfig) -> Zone:
        """Load the networks that every edit needs.

        Raises:
            MissingWeights: They are not on this machine.
            InvalidInput: They are of another kind.
        """
        network, safety = load_networks(config, "InstructPix2Pix")
        trained = found_folder(config.model)
        return cls(
            network=network,
            solver=DpmSolver.from_folder(folder_of(config.model)),
            config=config,
            segmenter=_segmenter(config),
            classifier=None if trained is None else load_classifier(trained, network.text),
            safety=safety,
        )

    @property
    def multiple(self) -> int:
        """What the sides of pictures must be divisible by."""
        return self.network.multiple

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        """Edit pictures of one size, each where the network looked.

        In rounds (NeRF) the network always sees the original as its source, and a removal's region
        is cut in it; a rendering counts where strength is below 1. A picture in which attention
        tells no region comes back as it is, its region empty.

        Rows of the UNets: three a level; as many again of the second for removals.

        Raises:
            EditCancelled: Between two network calls.
            EditFailed: The safety checker refused a result.
            MissingWeights: The second network or SAM is not on this machine.
        """
        action = self.config.action
        decided = decide(
            task.step.instruction,
            task.step.kind,
            self.classifier,
            action=None if action == "auto" else action,
        )
        removing = decided.action == "remove"
        beta = beta_of(removing=removing, recipe="fixed", asked=self.config.beta)
        second = self._drawing() if beta > 0 else None
        path = self.solver.path(self.config.steps, float(task.strength))
        ticks = Ticks(task=task, total=len(path.levels) * (1 if second is None else 2) + 1)
        mark = last_mark(self.network.text, task.step.instruction)
        start = self._start(jobs, path, whole=float(task.strength) == 1)
        given = self._given(jobs, task)
        with ExitStack() as while_denoising:
            for network in (self.network, second):
                if network is not None:
                    while_denoising.enter_context(network.denoising())
            capture = while_denoising.enter_context(
                captured(
                    self.network.unet,
                    size=(start.shape[2], start.shape[3]),
                    jobs=len(jobs),
                    last=mark.column,
                )
            )
            latents = fused(
                start,
                self.network.predict,
                None if second is None else second.predict,
                given,
                path,
                beta=beta,
                tick=ticks,
            )
        styled = self.network.decode(latents)
        if self.safety is not None:
            self.safety.check(styled)
        found = [
            self._layer(job, image, maps, decided.action)
            for job, image, maps in zip(jobs, styled, capture.untold(), strict=True)
        ]
        ticks()
        return Made(
            images=styled,
            masks=[one.alpha for one in found],
            notes=(decided.note, *dict.fromkeys(one.reason for one in found)),
            warnings=_warnings(mark.note, found),
        )

    def _drawing(self) -> LatentDiffusion:
        """Return the second network, loading it for the first removal."""
        if self._second is None:
            self._second = load_second(
                self.network, self.config.second_model, compiled=self.config.compile
            )
        return self._second

    def _start(self, jobs: Sequence[Job], path: DpmPath, *, whole: bool) -> Tensor:
        height, width = (side // self.network.factor for side in jobs[0].image.shape[:2])
        like = torch.empty(0, device=self.network.placement.device, dtype=self.network.precision)
        shape = (self.network.channels, height, width)
        noise = keyed_noise(shape, [job.key for job in jobs], "start", like)
        clean = None if whole else self.network.encode([job.image for job in jobs])
        return start_of(noise, path, clean)

    def _given(self, jobs: Sequence[Job], task: Task) -> Given:
        return Given(
            told=self.network.embed(task.step.instruction).repeated(len(jobs)),
            untold=self.network.embed("").repeated(len(jobs)),
            sources=self.network.encode([job.condition for job in jobs], scaled=False),
            text_scale=self.config.guidance,
            image_scale=self.config.image_guidance,
        )

    def _layer(self, job: Job, styled: Image, maps: AttentionMaps, action: Action) -> _Found:
        height, width = job.mask.shape
        rough = rough_region([maps], (height, width), threshold=self.config.threshold)
        allowed = support(job.mask).astype(np.float32)
        where = rough.evidence * rough.mask * allowed
        if not where.any():
            return _Found(alpha=np.zeros_like(where), reason=_nowhere(rough), empty=True)
        choice = self._refined(job.condition if action == "remove" else styled, where)
        # not finite pixels are refused later, by name; here they must not reach the comparison
        layer = layer_of(
            job.image, styled, choice.alpha, action, allowed=allowed, smooth=self.config.smooth
        )
        return _Found(alpha=layer.alpha, reason=choice.reason)

    def _refined(self, picture: Image, rough: Mask) -> RegionChoice:
        segments: list[Mask] = []
        if self.segmenter is not None:
            readable = np.clip(np.nan_to_num(picture), 0, 1)
            cut = self.segmenter.segment([readable], [prompts_of(rough)])[0]
            segments = [region.alpha for region in cut]
        return chosen_region(segments, rough)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """One picture's region: its alpha, why it is that one, and whether there is none."""

    alpha: Mask
    reason: str
    empty: bool = False


def _segmenter(config: ZoneConfig) -> Segmenter | None:
    if config.segmenter == "none":
        return None
    sam = SamConfig(model=config.sam_model, device=config.device, dtype=config.dtype).build()
    if config.segmenter == "grabcut" or (config.segmenter == "auto" and sam.why_not()):
        return GrabCutConfig().build()
    return sam


def _nowhere(rough: RoughRegion) -> str:
    return rough.reason or "what the network attends to lies outside the given region"


def _warnings(cut_off: str, found: Sequence[_Found]) -> tuple[str, ...]:
    nowhere = [
        f"{one.reason}; a higher threshold= finds more, --mask gives the region by hand"
        for one in found
        if one.empty
    ]
    return tuple(dict.fromkeys([*([cut_off] if cut_off else []), *nowhere]))
