"""Where the rays of all views end in the reconstruction as it stands, sampled once for many uses.

Finding the region in 3D asks the same rays again and again: for depth, to learn from, to show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from image_core.types import Mask
from nerf.depth_parts import whole
from nerf.field_views import FieldViews
from nerf.region_field import sampled
from nerf.view_camera import ViewCamera, points_at

REDUCED = 2
"""One ray for each block of so many pixels a side: outlines come from the pictures."""

_KEEP = 2**30  # bytes; larger captures are sampled anew each time


@dataclass(frozen=True)
class Sampled:
    """A view's rays, reduced.

    Attributes:
        positions: Of the samples, contracted to [0, 1].
        weights: Of volume rendering.
        depth: Median distance along each ray.
    """

    positions: Float[Tensor, "h w samples 3"]
    weights: Float[Tensor, "h w samples"]
    depth: Float32[np.ndarray, "h w"]


class ViewSamples:
    """The samples of a capture's views; of no use any more once the field has changed."""

    def __init__(self, views: FieldViews, *, keep: int = _KEEP) -> None:
        """Sample nothing yet.

        Args:
            views: The reconstruction.
            keep: Bytes that may be kept.
        """
        self.views = views
        self.count = len(views.datamanager.originals)
        height, width = views.size
        self.size = height // REDUCED, width // REDUCED
        each = self.size[0] * self.size[1] * views.model.config.num_nerf_samples_per_ray * 16
        self._keeps = each * self.count <= keep
        self._kept: dict[int, Sampled] = {}
        self._cameras: dict[int, ViewCamera] = {}
        self._points: dict[int, Float[np.ndarray, "h w 3"]] = {}

    def of(self, view: int) -> Sampled:
        """Return a view's samples."""
        if view in self._kept:
            return self._kept[view]
        model = self.views.model
        rays = self.views.rays(view, reduced=REDUCED).flatten()
        chunk = model.config.eval_num_rays_per_chunk
        parts = [sampled(model, rays[at : at + chunk]) for at in range(0, len(rays), chunk)]
        positions = torch.cat([part[0] for part in parts])
        weights = torch.cat([part[1] for part in parts])
        depth = torch.cat([part[2] for part in parts])
        made = Sampled(
            positions=positions.reshape(*self.size, *positions.shape[1:]),
            weights=weights.reshape(*self.size, -1),
            depth=depth.reshape(self.size).cpu().numpy().astype(np.float32),
        )
        if self._keeps:
            self._kept[view] = made
        return made

    def camera(self, view: int) -> ViewCamera:
        """Return a view's camera at the reduced size."""
        if view not in self._cameras:
            self._cameras[view] = self.views.view_camera(view, reduced=REDUCED)
        return self._cameras[view]

    def points(self, view: int) -> Float[np.ndarray, "h w 3"]:
        """Return the scene's points that a view's rays end at."""
        if view not in self._points:
            self._points[view] = points_at(self.camera(view), self.of(view).depth)
        return self._points[view]

    def at(
        self, places: Int[np.ndarray, "n 3"]
    ) -> tuple[Float[Tensor, "n samples 3"], Float[Tensor, "n samples"]]:
        """Return positions and weights of single rays.

        Args:
            places: View, and row and column at the reduced size.
        """
        if not self._keeps:
            corner = places * np.array([1, REDUCED, REDUCED])
            positions, weights, _ = sampled(self.views.model, self.views.rays_of(corner))
            return positions, weights
        near, heavy = [], []
        order = np.argsort(places[:, 0], kind="stable")
        views, starts = np.unique(places[order, 0], return_index=True)
        for view, group in zip(views, np.split(order, starts[1:]), strict=True):
            found = self.of(int(view))
            rows, columns = places[group, 1], places[group, 2]
            near.append(found.positions[rows, columns])
            heavy.append(found.weights[rows, columns])
        back = torch.from_numpy(np.argsort(order))
        return torch.cat(near)[back], torch.cat(heavy)[back]

    def reduced(self, alpha: Mask) -> Mask:
        """Return a mask of a view at the reduced size."""
        return whole(alpha, self.size)
