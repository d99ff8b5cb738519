"""Training CoDeF's fields on a shot, step by step, in a way that can be stopped and gone on with.

Each step draws from a generator keyed by the seed and the step, so that what was done before is
wholly in the weights and the optimiser. Needs torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.disk_cache import content_key
from image_core.errors import EditFailed
from video.hash_fields import Extent, Fields
from video.hash_objective import objective
from video.hash_samples import Footage, Sampler
from video.hash_settings import HashSettings

_SAME = 1e-12  # keeps a logarithm defined
_CHUNK = 2**15  # places at a time when nothing is learned
_JUDGED = 2**14  # held-out pixels by which the training is judged, at most
_PROGRESS = 0.02  # dB that count as progress


class HashTraining:
    """The fields of all groups of a shot and how far they are trained.

    Attributes:
        fields: Of each group.
        step: Steps done.
        held_out_psnr: At each check, in dB.
    """

    def __init__(
        self,
        footage: Footage,
        extents: Sequence[Extent],
        settings: HashSettings,
        *,
        seed: int,
    ) -> None:
        """Draw the fields.

        Args:
            footage: The shot.
            extents: What the fields of each group span.
            settings: The model and its training.
            seed: Of all that is drawn.
        """
        self._footage, self._settings, self._seed = footage, settings, seed
        self._device = footage.colours.device
        self.fields = torch.nn.ModuleList(
            Fields(extent, settings, generator=self._generator("fields", number))
            for number, extent in enumerate(extents)
        ).to(self._device)
        self._samplers = [
            Sampler(group, side=settings.patch, pixels=settings.batch, lone=settings.scattered)
            for group in footage.groups
        ]
        tables: list[torch.nn.Parameter] = []
        networks: list[torch.nn.Parameter] = []
        for name, parameter in self.fields.named_parameters():
            (tables if name.endswith("grid.table") else networks).append(parameter)
        self._rates = (settings.table_rate, settings.rate)
        self._optimizer = torch.optim.Adam(
            [{"params": tables}, {"params": networks}], eps=settings.epsilon, fused=True
        )
        self._judged = self._held_out_pixels()
        self.step = 0
        self.held_out_psnr: list[float] = []

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or the held-out pixels have ceased to gain by them."""
        patience, seen = self._settings.patience, self.held_out_psnr
        if self.step >= self._settings.steps:
            return True
        opened = self._settings.annealing
        still_opening = self.step < (opened.start + opened.length) * self._settings.steps
        if still_opening or len(seen) <= patience:
            return False
        return max(seen[-patience:]) < max(seen[:-patience]) + _PROGRESS

    def advance(self) -> None:
        """Do one step.

        Raises:
            EditFailed: The loss is no number any more.
        """
        for rate, part in zip(self._rates, self._optimizer.param_groups, strict=True):
            part["lr"] = rate * self._rate_share()
        self._optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self._device)
        for number, group in enumerate(self._footage.groups):
            generator = self._generator("step", number, self.step)
            anywhere = self._settings.outside_share if len(self._footage.groups) > 1 else 0.0
            total = total + objective(
                self.group(number),
                self._footage,
                group,
                self._samplers[number].draw(generator, anywhere=anywhere),
                self.opened(),
                self._settings,
                done=self.step / self._settings.steps,
                backwards=self._settings.both_ways and self.step % 2 == 1,
            )
        if not torch.isfinite(total):
            raise EditFailed(
                f"the hash fields' loss is not finite after {self.step} steps",
                hint="Lower the learning rates, or use the other model (flow and splines).",
            )
        if total.requires_grad:
            total.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
        self.step += 1
        if self.step % self._settings.check_every == 0 and len(self._judged):
            self.held_out_psnr.append(self._psnr(self._judged))

    def opened(self) -> Float[Tensor, " l"]:
        """Return how far each level of the deformation is open now."""
        settings = self._settings
        weights = settings.annealing.weights(self.step, settings.steps, settings.deformation.levels)
        return torch.tensor(weights, device=self._device)

    def group(self, number: int) -> Fields:
        """Return one group's fields."""
        fields = self.fields[number]
        assert isinstance(fields, Fields)
        return fields

    def frame_psnr(self, row: int) -> float:
        """Return how well a frame, counted from the span's start, is shown, in dB."""
        width, height = self._footage.size
        first = row * width * height
        return self._psnr(torch.arange(first, first + width * height, device=self._device))

    @torch.no_grad()
    def colours(self, pixels: Tensor) -> Float[Tensor, "n 3"]:
        """Return what the fields show, all groups together.

        Args:
            pixels: (n,) places in the list of all pixels of all frames.
        """
        footage = self._footage
        width, height = footage.size
        sides = torch.tensor((width, height), device=self._device)
        out = []
        for chunk in torch.split(pixels, _CHUNK):
            rows, within = chunk // (width * height), chunk % (width * height)
            places = (torch.stack((within % width, within // width), dim=1) + 0.5) / sides
            frames = (rows + footage.span.start).float()
            shown = torch.zeros((len(chunk), 3), device=self._device)
            total = torch.full((len(chunk), 1), _SAME, device=self._device)
            for number, group in enumerate(footage.groups):
                weight = group.weight.view(-1)[chunk].float()[:, None]
                shown = shown + weight * self.group(number)(places, frames, self.opened())[1]
                total = total + weight
            out.append((shown / total).clamp(0, 1))
        return torch.cat(out)

    def state_dict(self) -> dict[str, Any]:
        """Return what another training of the same shot and settings can go on from."""
        return {
            "step": self.step,
            "held_out_psnr": list(self.held_out_psnr),
            "fields": self.fields.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken."""
        self.fields.load_state_dict(state["fields"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])
        self.held_out_psnr = [float(value) for value in state["held_out_psnr"]]

    def _generator(self, *key: str | int) -> torch.Generator:
        digest = content_key(str(self._seed), *map(str, key))
        return torch.Generator().manual_seed(int(digest[:15], 16))

    def _rate_share(self) -> float:
        done = self.step / self._settings.steps
        halved = 0.5 ** sum(done >= share for share in self._settings.halved_at)
        last = self._settings.final_rate
        return halved * (last + (1 - last) * (1 + math.cos(math.pi * done)) / 2)

    def _held_out_pixels(self) -> Tensor:
        pixels = self._footage.held_out.view(-1).nonzero()[:, 0]
        every = max(1, math.ceil(len(pixels) / _JUDGED))
        return pixels[::every]

    def _psnr(self, pixels: Tensor) -> float:
        wanted = self._footage.colours.view(-1, 3)[pixels].float() / 255
        error = (self.colours(pixels) - wanted).square().mean().item()
        return -10 * math.log10(max(error, _SAME))
