"""nerfacto as the edit needs it: right initial density, no LPIPS at load, patch losses, a region.

The field is nerfacto's own, so checkpoints go either way; what is added is one small region field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from nerfstudio.model_components.renderers import AccumulationRenderer
from nerfstudio.models.nerfacto import NerfactoModel, NerfactoModelConfig
from torch import Tensor

from nerf.contraction import quicken
from nerf.hash_encoding import accelerate
from nerf.perceptual import LazyPerceptual, lazily_made
from nerf.region_field import RegionField


@dataclass
class InsituModelConfig(NerfactoModelConfig):
    """nerfacto's settings, and how edited pixels are supervised."""

    _target: type = field(default_factory=lambda: InsituModel)
    average_init_density: float = 0.01
    """As in nerfstudio's own nerfacto method; its model's default is 100 times that."""
    edit_loss: Literal["l1", "mse"] = "l1"
    """Colour loss while editing: l1 forgives views that disagree (Instruct-NeRF2NeRF)."""
    perceptual_weight: float = 0.0
    """Weight of LPIPS on patches while editing; needs patches and torchvision's AlexNet."""
    quick_on_cpu: bool = True
    """On a CPU, hash encodings and contraction go a faster way to the same values."""


class _RememberingAccumulation(AccumulationRenderer):
    """Keeps the last weights, which nerfacto does not give out in eval mode."""

    weights: Tensor

    def forward(self, weights: Tensor, **kwargs: Any) -> Tensor:  # type: ignore[override]
        self.weights = weights
        accumulated: Tensor = super().forward(weights, **kwargs)
        return accumulated


class InsituModel(NerfactoModel):
    """nerfacto with a region field, and losses for edited views."""

    config: InsituModelConfig
    patch_size: int = 1
    """Side of the patches that rays come in; 1 for single pixels."""
    editing: bool = False
    """The edit phase has begun."""
    region_outputs: Tensor
    """How many of the region field's outputs were trained, one for each step of the plan."""

    def populate_modules(self) -> None:
        """Make nerfacto's parts without loading LPIPS, and the region field beside them."""
        with lazily_made():
            super().populate_modules()
        self.region_field = RegionField()
        self.register_buffer("region_outputs", torch.zeros((), dtype=torch.int64))
        self._accumulation = self.renderer_accumulation = _RememberingAccumulation()
        device = torch.device(self.kwargs.get("device", "cpu"))
        if self.config.quick_on_cpu and device.type == "cpu":
            moves_cameras = self.config.camera_optimizer.mode != "off"
            accelerate(self, position_gradient=moves_cameras or self.config.predict_normals)
            quicken(self)

    def get_outputs(self, ray_bundle: Any) -> dict[str, Any]:
        """Return nerfacto's outputs; in eval mode also the region, once trained.

        ``region`` (rays, 1) is in [0, 1], over all steps of the plan; a plan of several also gives
        ``region_1``, ``region_2`` …
        """
        outputs: dict[str, Any] = super().get_outputs(ray_bundle)
        steps = int(self.region_outputs)
        if steps and not self.training:
            # where the field was asked last: the main samples, contracted to the unit cube
            asked: Any = self.field._sample_locations
            weights = self._accumulation.weights.detach()
            each = self.region_field.rendered(asked.detach(), weights)[..., :steps]
            outputs["region"] = each.amax(dim=-1, keepdim=True)
            if steps > 1:
                outputs |= {f"region_{k + 1}": each[..., k : k + 1] for k in range(steps)}
        return outputs

    def begin_editing(self, patch_size: int) -> None:
        """Supervise edited views from now on: cameras and appearance codes stay as they are.

        An edit differs between views until they agree; neither the poses nor a code per view may
        take up that difference.
        """
        self.editing, self.patch_size = True, patch_size
        self.camera_optimizer.requires_grad_(False)
        if self.field.embedding_appearance is not None:
            self.field.embedding_appearance.requires_grad_(False)

    def get_loss_dict(
        self, outputs: Any, batch: Any, metrics_dict: Any = None
    ) -> dict[str, Tensor]:
        """Return nerfacto's losses; while editing with the edit's colour and patch losses."""
        losses: dict[str, Tensor] = super().get_loss_dict(outputs, batch, metrics_dict)
        if not (self.editing and self.training):
            return losses
        wanted = batch["image"].to(self.device)
        if self.config.edit_loss == "l1":
            losses["rgb_loss"] = torch.nn.functional.l1_loss(outputs["rgb"], wanted)
        if self.config.perceptual_weight and self.patch_size > 1:
            distance = self.perceptual(self._patches(wanted), self._patches(outputs["rgb"]))
            losses["perceptual_loss"] = self.config.perceptual_weight * distance
        return losses

    @property
    def perceptual(self) -> LazyPerceptual:
        """LPIPS, made at its first use."""
        found: Any = self.lpips
        lazy: LazyPerceptual = found
        return lazy

    def _patches(self, rays: Tensor) -> Tensor:
        """Return rays (n p p, 3) in patch-major, row-major order as pictures (n, 3, p, p)."""
        side = self.patch_size
        return rays.reshape(-1, side, side, 3).permute(0, 3, 1, 2)

    def get_image_metrics_and_images(
        self, outputs: dict[str, Tensor], batch: dict[str, Any]
    ) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Return nerfacto's metrics; LPIPS is left out where its weights are missing."""
        metrics, images = super().get_image_metrics_and_images(outputs, batch)
        if metrics["lpips"] != metrics["lpips"]:  # NaN
            del metrics["lpips"]
        if "region" in outputs:
            images["region"] = outputs["region"]
        return metrics, images
