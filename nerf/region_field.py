"""One region in 3-D: a small field beside the NeRF's own, rendered with the NeRF's weights.

The field says for each point of the scene how surely it belongs to each step's region. It is
rendered as colours are, with the volume-rendering weights of the reconstruction, which it never
moves: the weights are constants to it. What is rendered from any camera is then one and the same
region, however the regions found in the single views disagree.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from jaxtyping import Float
from nerfstudio.data.scene_box import SceneBox
from nerfstudio.field_components.encodings import HashEncoding
from torch import Tensor, nn

MAX_STEPS = 4
"""Outputs of the field, used or not, so that a checkpoint's shape does not depend on the plan."""

_LEVELS, _COARSEST, _FINEST, _LOG2_TABLE = 6, 16, 128, 14
_HIDDEN = 32
_UNSEEN_LOGIT = -2.0  # what no ray has told of is outside
_NEGLIGIBLE = 1e-3  # samples of less weight are not asked


class RegionField(nn.Module):
    """How surely points belong to the regions: a hash grid and a small network."""

    def __init__(self, seed: int = 0) -> None:
        """Make an untrained one; the global random state is left as it was."""
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoding = HashEncoding(
                num_levels=_LEVELS,
                min_res=_COARSEST,
                max_res=_FINEST,
                log2_hashmap_size=_LOG2_TABLE,
                features_per_level=2,
                implementation="torch",
            )
            self.network = nn.Sequential(
                nn.Linear(2 * _LEVELS, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, MAX_STEPS)
            )
        last = cast(nn.Linear, self.network[-1])
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, _UNSEEN_LOGIT)

    def forward(self, positions: Float[Tensor, "n 3"]) -> Float[Tensor, "n steps"]:
        """Return the logits at positions in [0, 1] (see ``position_of``), one per possible step."""
        return cast(Tensor, self.network(self.encoding(positions)))

    def rendered(
        self,
        positions: Float[Tensor, "rays samples 3"],
        weights: Float[Tensor, "rays samples *one"],
    ) -> Float[Tensor, "rays steps"]:
        """Render the regions along rays: the mean membership of the samples by their weights.

        Args:
            positions: In [0, 1], see ``position_of``.
            weights: Of volume rendering, with or without a last axis of 1; no gradient goes into
                them.

        Returns:
            In [0, 1]; a ray that hits nothing is outside.
        """
        weights = weights.detach().reshape(positions.shape[:2])
        asked = weights > _NEGLIGIBLE
        heard = (weights * asked).sum(-1, keepdim=True)
        # what is not asked is taken to be as the rest of its ray
        kept = weights * (weights.sum(-1, keepdim=True) / heard.clamp_min(1e-9)).clamp_max(2)
        members = torch.sigmoid(self(positions.detach()[asked]))
        spread = members.new_zeros(*weights.shape, MAX_STEPS)
        # dense sums, not scattered additions: their order is fixed on every device
        spread[asked] = members * kept[asked][:, None]
        shown: Tensor = spread.sum(-2).clamp(0, 1)
        return shown


def position_of(
    points: Float[Tensor, "*n 3"],
    spatial_distortion: nn.Module | None,
    aabb: Float[Tensor, "2 3"],
) -> Float[Tensor, "*n 3"]:
    """Bring world points to [0, 1] as nerfacto's field does.

    Args:
        points: In world units.
        spatial_distortion: The field's contraction to [-2, 2], where it has one.
        aabb: The scene's box, used where it has none; what lies outside goes to its border.
    """
    if spatial_distortion is not None:
        positions = (spatial_distortion(points) + 2) / 4
    else:
        positions = SceneBox.get_normalized_positions(points, aabb)
    within: Tensor = positions.clamp(0, 1)
    return within


def sampled(
    model: Any, ray_bundle: Any
) -> tuple[Float[Tensor, "rays samples 3"], Float[Tensor, "rays samples"], Float[Tensor, " rays"]]:
    """Return where the samples of rays lie in a nerfacto model, their weights, and the depth.

    Sampled as for evaluation (no jitter, no random number drawn), without gradients; the model's
    mode and the schedule of its proposal networks are left as they were.

    Args:
        model: A ``NerfactoModel`` or a subclass.
        ray_bundle: A flat ``RayBundle`` on the model's device.

    Returns:
        Positions in [0, 1], see ``position_of``; the weights of volume rendering; and the median
        distance along each ray.
    """
    sampler, field = model.proposal_sampler, model.field
    training, since_update = model.training, sampler._steps_since_update
    model.eval()
    try:
        with torch.no_grad():
            bundle = ray_bundle if model.collider is None else model.collider(ray_bundle)
            samples = sampler(bundle, density_fns=model.density_fns)[0]
            density, _ = field.get_density(samples)
            weights = samples.get_weights(density)
            depth = model.renderer_depth(weights=weights, ray_samples=samples)
            points = samples.frustums.get_positions()
            positions = position_of(points, field.spatial_distortion, field.aabb)
            return positions, weights[..., 0], depth[..., 0]
    finally:
        model.train(training)
        sampler._steps_since_update = since_update
