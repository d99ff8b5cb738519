"""Presets of the image editors, registered by name under the entry points ``insitu.editors``."""

from __future__ import annotations

from dataclasses import dataclass

from image_core.editors.masked_ddim import InstructEditConfig


@dataclass(frozen=True, kw_only=True)
class InstructEditFast(InstructEditConfig):
    """InstructEdit in 12 steps: 24 rows of the network an edit at its own strength, not 105."""

    steps: int = 12


@dataclass(frozen=True, kw_only=True)
class InstructEditXl(InstructEditConfig):
    """InstructEdit with Stable Diffusion XL at its own resolution."""

    model: str = "stabilityai/stable-diffusion-xl-base-1.0"
    resolution: int = 1024
