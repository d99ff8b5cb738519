"""A latent diffusion checkpoint (SD 1.x, 2.x, SDXL and their fine-tunes), loaded once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from image_core.devices import Placement
from image_core.diffusion.ddim import as_noise
from image_core.diffusion.schedule import Level, Schedule
from image_core.diffusion.text import TextEmbedding, TextEncoders
from image_core.errors import EditFailed
from image_core.evaluations import count
from image_core.types import Image


@dataclass(kw_only=True)
class LatentDiffusion:
    """The networks of a checkpoint, and what is asked of them.

    Latents are kept in at least float32; only what goes through a network is in its own precision.

    Attributes:
        unet: Predicts the noise; 4 input channels, or more where latents are joined to them.
        vae: Between pictures and latents.
        text: The text encoders.
        schedule: The noise levels.
        placement: Where and in which precision the networks compute.
        identity: What tells this checkpoint's numbers from another's, for caches.
        offload: Networks lie in main memory and visit the device when they are used.
        most_rows: Most rows in one call of the UNet; halved by itself where memory runs out.
    """

    unet: Any
    vae: Any
    text: TextEncoders
    schedule: Schedule
    placement: Placement
    identity: str = ""
    offload: bool = False
    most_rows: int = 16
    _known: dict[tuple[int, ...], Tensor] = field(default_factory=dict, init=False)

    @property
    def factor(self) -> int:
        """Pixels per latent cell along a side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def multiple(self) -> int:
        """What a picture's sides must be divisible by, for every UNet level to halve evenly."""
        return int(self.factor * 2 ** (len(self.unet.config.block_out_channels) - 1))

    @property
    def channels(self) -> int:
        """Channels of a latent."""
        return int(self.vae.config.latent_channels)

    @property
    def precision(self) -> torch.dtype:
        """In which latents are kept."""
        return torch.promote_types(self.placement.dtype, torch.float32)

    @torch.no_grad()
    def encode(self, images: Sequence[Image], *, scaled: bool = True) -> Float[Tensor, "b c h w"]:
        """Return the means of pictures' latent posteriors.

        Args:
            images: Equal sizes, sides divisible by ``multiple``.
            scaled: Times the VAE's scaling factor; InstructPix2Pix conditions on unscaled ones.
        """
        pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) * 2 - 1
        with self._visiting(self.vae):
            latents = []
            for one in torch.split(pixels, 1):  # one by one: the VAE's peak is the memory's
                count("vae encoder", 1)
                sent = one.to(self.placement.device, self._vae_dtype)
                latents.append(self.vae.encode(sent).latent_dist.mode())
        shift = self.vae.config.shift_factor or 0.0
        factor = self.vae.config.scaling_factor if scaled else 1.0
        return (torch.cat(latents).to(self.precision) - shift) * factor

    @torch.no_grad()
    def decode(self, latents: Float[Tensor, "b c h w"]) -> list[Image]:
        """Return the pictures of latents, clipped to [0, 1]; what is not finite stays so."""
        shift = self.vae.config.shift_factor or 0.0
        unscaled = latents / self.vae.config.scaling_factor + shift
        images = []
        with self._visiting(self.vae):
            for one in torch.split(unscaled, 1):
                count("vae decoder", 1)
                pixels = self.vae.decode(one.to(self._vae_dtype)).sample
                pixels = (pixels.float() / 2 + 0.5).clamp(0, 1)
                images.append(np.ascontiguousarray(pixels[0].permute(1, 2, 0).cpu().numpy()))
        return images

    @torch.no_grad()
    def predict(
        self,
        latents: Float[Tensor, "b c h w"],
        level: Level,
        text: TextEmbedding,
        *,
        joined: Float[Tensor, "b extra h w"] | None = None,
    ) -> Float[Tensor, "b d h w"]:
        """Return the predicted noise of latents at a level.

        Args:
            latents: At ``level``.
            level: Its time is told to the network.
            text: One embedding per sample.
            joined: Further channels that the network was trained to see.
        """
        sent = latents if joined is None else torch.cat([latents, joined.to(latents)], dim=1)
        start, parts = 0, []
        while start < len(sent):
            here = slice(start, start + self.most_rows)
            pooled = None if text.pooled is None else text.pooled[here]
            part = TextEmbedding(hidden=text.hidden[here], pooled=pooled)
            try:
                parts.append(self._called(sent[here], level, part))
            except torch.OutOfMemoryError as error:
                if self.most_rows == 1:
                    raise EditFailed(
                        "the device's memory does not hold one row of the UNet",
                        hint="Give a lower resolution=, memory=low, or --device cpu.",
                    ) from error
                self.most_rows = max(1, min(self.most_rows, len(sent)) // 2)
                torch.cuda.empty_cache()
                continue
            start += self.most_rows
        output = torch.cat(parts).to(latents.dtype)
        return as_noise(output, latents, level, self.schedule.prediction)

    def _called(self, sent: Tensor, level: Level, text: TextEmbedding) -> Tensor:
        output = self.unet(
            sent.to(self.placement.dtype),
            self._time(level),
            encoder_hidden_states=text.hidden.to(self.placement.device, self.placement.dtype),
            added_cond_kwargs=self._added(sent, text),
            return_dict=False,
        )[0]
        count("unet", len(sent))
        assert isinstance(output, Tensor)
        return output

    @torch.no_grad()
    def embed(self, prompt: str) -> TextEmbedding:
        """Return a prompt's embedding, as a batch of one."""
        with self._visiting(*self.text.encoders):
            return self.text.encode(prompt)

    @contextmanager
    def denoising(self) -> Iterator[None]:
        """Keep the UNet on its device while many predictions are asked of it."""
        with self._visiting(self.unet):
            yield

    def _added(self, latents: Tensor, text: TextEmbedding) -> dict[str, Tensor] | None:
        """Return SDXL's extra conditions: the pooled text, and sizes without a crop."""
        if text.pooled is None:
            return None
        height, width = (side * self.factor for side in latents.shape[-2:])
        sizes = self._on_device((height, width, 0, 0, height, width), self.placement.dtype)
        return {
            "text_embeds": text.pooled.to(self.placement.device, self.placement.dtype),
            "time_ids": sizes.expand(len(latents), -1),
        }

    def _time(self, level: Level) -> Tensor:
        """Return a level's time as the network is told it."""
        return self._on_device((level.time,), torch.int64)[0]

    def _on_device(self, values: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return small numbers on the device, copied there once: a copy waits for the device."""
        if values not in self._known:
            self._known[values] = torch.tensor(values, dtype=dtype, device=self.placement.device)
        return self._known[values]

    @property
    def _vae_dtype(self) -> torch.dtype:
        found = next(self.vae.parameters()).dtype
        assert isinstance(found, torch.dtype)
        return found

    @contextmanager
    def _visiting(self, *modules: Any) -> Iterator[None]:
        if not self.offload:
            yield
            return
        for module in modules:
            module.to(self.placement.device)
        try:
            yield
        finally:
            for module in modules:
                module.to("cpu")
