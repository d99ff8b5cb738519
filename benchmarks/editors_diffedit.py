"""InstructEdit side by side with diffusers' DiffEdit pipeline: one UNet, our mask, in turn.

*Equal maths*: both invert without guidance and denoise with it, equal steps, r and captions, to the
same latents (which is checked, over the whole picture, where blending plays no part). *Its
defaults*: guidance 7.5 in the inversion too, and strength 0.8. The pipeline keeps nothing between
calls, so that a second edit of a picture costs it as much as the first. Its blend joins latents one
level apart, as the published InstructEdit code does; ours joins equal levels.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.editors_measuring import Case, Times, interleaved, machine, middle, ratio
from benchmarks.editors_networks import parameters, write_small
from image_core.diffusion.latent_masks import latent_masks
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.trajectories import inverted
from image_core.editors.generative.editor import GenerativeEdit, GenerativeEditor
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.editors.masked_ddim.method import MaskedDdim
from image_core.testing import STEPS, batch_of, scene
from image_core.types import Edit, Image, Mask

SIDE = 64
STEPS_TAKEN = 50
SWEEP = (0.5, 0.7, 0.9)
BEFORE, AFTER = "a photo of a disc", "a photo of a ball"


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Our editor, as the command line drives it, over the small checkpoint."""

    edit: GenerativeEdit
    image: Image
    mask: Mask
    cache: Path

    @property
    def method(self) -> MaskedDdim:
        """The loaded method."""
        found = self.edit.editor.method()
        assert isinstance(found, MaskedDdim)
        return found

    @property
    def network(self) -> LatentDiffusion:
        """Its checkpoint."""
        return self.method.network

    def run(self, *strengths: float) -> list[Edit]:
        """Edit the picture at each strength in turn."""
        work = batch_of([self.image], [self.mask])
        return [self.edit.edit(replace(work, strength=strength)) for strength in strengths]

    def forget(self) -> None:
        """Bring the caches to the state of a picture that was never seen."""
        for path in self.cache.rglob("*.npy"):
            path.unlink()
        self.forget_captions()

    def forget_captions(self) -> None:
        """Forget embedded captions: a second edit has a caption of its own."""
        self.network.text._known.clear()


def ours(folder: Path) -> Ours:
    """Write the small checkpoint under a folder and load it as the editor does."""
    model = write_small(folder / "model")
    os.environ["INSITU_CACHE"] = str(folder / "cache")
    image, mask = scene(SIDE, SIDE)
    config = InstructEditConfig(
        model=str(model),
        steps=STEPS_TAKEN,
        resolution=SIDE,
        crop="none",
        device="cpu",
        source_caption=BEFORE,
        edited_caption=AFTER,
    )
    editor: GenerativeEditor = config.build()
    edit = editor.prepare(STEPS["replace"], ())
    return Ours(edit=edit, image=image, mask=mask, cache=folder / "cache")


@dataclass(frozen=True, kw_only=True)
class Theirs:
    """diffusers' pipeline over the very same networks."""

    pipeline: Any
    pixels: torch.Tensor
    mask: torch.Tensor

    @classmethod
    def over(cls, mine: Ours) -> Theirs:
        """Make the pipeline of the networks that our editor has loaded."""
        from diffusers import DDIMInverseScheduler, DDIMScheduler
        from diffusers.pipelines.deprecated.stable_diffusion_diffedit import (
            StableDiffusionDiffEditPipeline,
        )

        network = mine.network
        kinds: Any = (DDIMScheduler, DDIMInverseScheduler, StableDiffusionDiffEditPipeline)
        forward, backward, made = kinds
        scheduler = forward.from_pretrained(mine.edit.editor.config.model, subfolder="scheduler")
        pipeline = made(
            vae=network.vae,
            text_encoder=network.text.encoders[0],
            tokenizer=network.text.tokenizers[0],
            unet=network.unet,
            scheduler=scheduler,
            inverse_scheduler=backward.from_config(scheduler.config),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        pixels = torch.from_numpy(mine.image).permute(2, 0, 1)[None]
        mask = latent_masks([mine.mask], network.factor, torch.zeros(1))
        return cls(pipeline=pipeline, pixels=pixels, mask=mask)

    def run(self, *strengths: float, inversion_guidance: float) -> list[np.ndarray]:
        """Invert and edit at each strength in turn."""
        return [self._once(strength, inversion_guidance) for strength in strengths]

    def path(self, strength: float, guidance: float, image: torch.Tensor) -> torch.Tensor:
        """Return inverted latents, the noisiest first."""
        found = self.pipeline.invert(
            prompt=BEFORE,
            image=image,
            num_inference_steps=STEPS_TAKEN,
            inpaint_strength=strength,
            guidance_scale=guidance,
            generator=torch.Generator().manual_seed(0),
        ).latents
        assert isinstance(found, torch.Tensor)
        return found

    def edited(self, path: torch.Tensor, mask: torch.Tensor, strength: float, kind: str) -> Any:
        """Denoise from the end of a path."""
        return self.pipeline(
            prompt=AFTER,
            mask_image=mask.clone(),
            image_latents=path,
            num_inference_steps=STEPS_TAKEN,
            inpaint_strength=strength,
            output_type=kind,
        ).images

    def _once(self, strength: float, guidance: float) -> np.ndarray:
        path = self.path(strength, guidance, self.pixels)
        return np.asarray(self.edited(path, self.mask, strength, "np"))


def apart(mine: Ours, other: Theirs) -> dict[str, float]:
    """Return how far the two are apart on equal maths: their paths, and a whole-picture edit.

    Both start from one clean latent (the pipeline's own encoding draws a sample, ours is the mean).
    """
    network = mine.network
    clean = network.encode([mine.image])
    levels = network.schedule.levels(STEPS_TAKEN)
    source = network.embed(BEFORE)
    path = inverted(clean, lambda x, level: network.predict(x, level, source), levels, 25)
    found = other.path(0.5, 1.0, clean)
    with torch.no_grad():
        decoded = other.edited(found, torch.ones_like(other.mask), 0.5, "np")[0]
    whole = replace(batch_of([mine.image], [np.ones_like(mine.mask)]), strength=0.5)
    edited = mine.edit.edit(whole).images[0]
    mine.forget()
    return {
        "paths": float((found[0].flip(0) - path[1:, 0]).abs().max()),
        "whole_picture_edits": float(np.abs(decoded - edited).max()),
        "spread_of_the_edit": float(edited.std()),
    }


def measured(rounds: int) -> dict[str, object]:
    """Time both; return all figures.

    Args:
        rounds: Of the long cases; the short ones take three times as many.
    """
    with tempfile.TemporaryDirectory() as name:
        mine = ours(Path(name))
        other = Theirs.over(mine)
        distance = apart(mine, other)
        mine.run(0.5)
        short = {
            "ours, first": Case(run=lambda: mine.run(0.5), before=mine.forget),
            "theirs, equal maths": Case(run=lambda: other.run(0.5, inversion_guidance=1.0)),
            "ours, cached": Case(run=lambda: mine.run(0.5), before=lambda: _seen(mine)),
        }
        long = {
            "ours, sweep": Case(run=lambda: mine.run(*SWEEP), before=mine.forget),
            "theirs, sweep": Case(run=lambda: other.run(*SWEEP, inversion_guidance=1.0)),
            "ours, 0.8": Case(run=lambda: mine.run(0.8), before=mine.forget),
            "theirs, defaults": Case(run=lambda: other.run(0.8, inversion_guidance=7.5)),
        }
        times = {
            **interleaved(short, mine.network, 3 * rounds),
            **interleaved(long, mine.network, rounds),
        }
        return {
            "machine": machine(),
            "rounds": rounds,
            "unet_parameters": parameters(mine.network.unet),
            "picture": SIDE,
            "apart": distance,
            "cases": {
                name: {
                    "rows": one.rows,
                    "wall": middle(one.wall),
                    "busy": middle(one.busy),
                    "outside": middle(one.outside),
                }
                for name, one in times.items()
            },
            "ratios": {
                "first edit": _ratios(times, "theirs, equal maths", "ours, first", 0.97),
                "cached trajectory": _ratios(times, "theirs, equal maths", "ours, cached", 1.4),
                "sweep r = 0.5, 0.7, 0.9": _ratios(times, "theirs, sweep", "ours, sweep", 1.2),
                "its defaults (r = 0.8)": _ratios(times, "theirs, defaults", "ours, 0.8", None),
            },
        }


def _seen(mine: Ours) -> None:
    """Bring the caches to the state of a picture that was edited before, by another caption."""
    if not list(mine.cache.rglob("*.npy")):
        mine.run(0.5)
    mine.forget_captions()


def _ratios(
    times: dict[str, Times], theirs: str, own: str, target: float | None
) -> dict[str, object]:
    return {
        "rows": times[theirs].rows / times[own].rows,
        "wall": ratio(times[theirs].wall, times[own].wall),
        "busy": ratio(times[theirs].busy, times[own].busy),
        "busy_medians": statistics.median(times[theirs].busy) / statistics.median(times[own].busy),
        "busy_quickest": min(times[theirs].busy) / min(times[own].busy),
        "target": target,
    }
