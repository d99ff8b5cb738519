"""The capture's own views as the field sees them: pose correction once, own appearance code.

Instruct-NeRF2NeRF under nerfstudio 1 renders each view with the first view's code and applies two
pose corrections (briefs: 5 to 8 px off); here a view's rays are the very rays it is trained on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int
from nerfstudio.cameras.rays import RayBundle

from image_core.types import Image
from nerf.datamanager import InsituDataManager
from nerf.model import InsituModel
from nerf.view_camera import ViewCamera


class FieldViews:
    """Renders training views without a trace in the training's own state."""

    def __init__(self, datamanager: InsituDataManager, model: InsituModel) -> None:
        """Keep what renders and what is rendered."""
        self.datamanager, self.model = datamanager, model

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the views."""
        height, width = self.datamanager.originals.shape[1:3]
        return int(height), int(width)

    def camera(self, view: int) -> Any:
        """Return a view's camera, as nerfstudio's ``Cameras`` of length 1 on the CPU."""
        return self.datamanager.train_dataset.cameras[view : view + 1]

    def rays(self, view: int, *, reduced: int = 1) -> RayBundle:
        """Return a view's rays (h, w), corrected as in training, labelled with its own number.

        Args:
            view: Which.
            reduced: One ray for each block of that many pixels a side, through its middle.
        """
        camera = self.camera(view).to(self.model.device)
        height, width = self.size
        rows = torch.arange(height // reduced) * reduced + reduced / 2
        columns = torch.arange(width // reduced) * reduced + reduced / 2
        coords = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)
        bundle: RayBundle = camera.generate_rays(
            camera_indices=0, coords=coords.to(self.model.device), keep_shape=True
        )
        assert bundle.camera_indices is not None
        bundle.camera_indices = torch.full_like(bundle.camera_indices, view)
        flat = bundle.flatten()
        self.model.camera_optimizer.apply_to_raybundle(flat)
        bundle.origins = flat.origins.view(bundle.origins.shape)
        bundle.directions = flat.directions.view(bundle.directions.shape)
        return bundle

    def rays_of(self, places: Int[np.ndarray, "n 3"]) -> RayBundle:
        """Return the rays (n) of single pixels, corrected as in training.

        Args:
            places: View, row and column of each.
        """
        generate = self.datamanager.train_ray_generator
        bundle: RayBundle = generate(torch.from_numpy(places))
        self.model.camera_optimizer.apply_to_raybundle(bundle)
        return bundle

    @contextlib.contextmanager
    def undisturbed(self, *, own_code: bool = True) -> Iterator[None]:
        """Render in eval mode; the sampler's schedule and the training mode stay as they were.

        Args:
            own_code: With the view's own appearance code instead of the mean of all.
        """
        model, sampler = self.model, self.model.proposal_sampler
        training, since, step = model.training, sampler._steps_since_update, sampler._step
        model.eval()
        model.field.training = own_code  # decides about the appearance code and nothing else
        try:
            with torch.no_grad():
                yield
        finally:
            model.train(training)
            sampler._steps_since_update, sampler._step = since, step

    def outputs(self, view: int, *, reduced: int = 1) -> dict[str, Float32[np.ndarray, "h w c"]]:
        """Return all that the model renders of a view: ``rgb``, ``depth``, ``region`` …."""
        with self.undisturbed():
            made = self.model.get_outputs_for_camera_ray_bundle(self.rays(view, reduced=reduced))
        return {name: value.float().cpu().numpy() for name, value in made.items()}

    def image(self, view: int) -> Image:
        """Return a view as the field sees it now, float32 (h, w, 3) in [0, 1]."""
        return np.clip(self.outputs(view)["rgb"], 0, 1)

    def view_camera(self, view: int, *, reduced: int = 1) -> ViewCamera:
        """Return a view's camera with its correction, for pictures reduced by a whole number."""
        camera = self.camera(view)
        pose = camera.camera_to_worlds[0]
        number = torch.tensor([view], device=self.model.device)
        with torch.no_grad():
            correction = self.model.camera_optimizer(number)[0].cpu()
        rotation = correction[:, :3] @ pose[:, :3]
        moved = pose[:, 3:] + correction[:, 3:]
        lens = camera.distortion_params
        bent = [0.0] * 6 if lens is None else [float(value) for value in lens[0]]
        height, width = self.size
        return ViewCamera(
            camera_to_world=torch.cat([rotation, moved], dim=-1).double().numpy(),
            fx=float(camera.fx[0]) / reduced,
            fy=float(camera.fy[0]) / reduced,
            cx=float(camera.cx[0]) / reduced,
            cy=float(camera.cy[0]) / reduced,
            width=width // reduced,
            height=height // reduced,
            distortion=(bent[0], bent[1], bent[2], bent[3], bent[4], bent[5]),
        )
