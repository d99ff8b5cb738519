"""The capture's views in memory: the originals, and what each has become.

A VanillaDataManager whose cache lies in the data set's own order (nerfstudio shuffles it anew in
every process), so that a view's number means the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from nerfstudio.data.datamanagers.base_datamanager import (
    VanillaDataManager,
    VanillaDataManagerConfig,
)
from nerfstudio.data.dataparsers.base_dataparser import DataparserOutputs
from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig
from nerfstudio.data.datasets.base_dataset import InputDataset
from nerfstudio.data.pixel_samplers import PatchPixelSampler, PatchPixelSamplerConfig
from torch import Tensor

from image_core.errors import InvalidInput
from nerf.capture import check_views, name_in_capture, read_capture

_ALL = -1  # nerfstudio's way to say that every picture is cached


class OpaqueDataset(InputDataset):
    """Pictures without their alpha, which was found to be opaque when the views were checked."""

    def get_numpy_image(self, image_idx: int) -> Any:
        """Return a picture as uint8 (h, w, 3)."""
        return super().get_numpy_image(image_idx)[..., :3]


class WholePatchSampler(PatchPixelSampler):
    """Patches from anywhere in a picture; nerfstudio's never reach the last row and column."""

    def sample_method(
        self,
        batch_size: int,
        num_images: int,
        image_height: int,
        image_width: int,
        mask: Any = None,
        device: Any = "cpu",
    ) -> Any:
        """Return view, row and column of each pixel, patch by patch."""
        # a patch's first pixel is drawn below height - side, where height - side fits as well
        height, width = image_height + 1, image_width + 1
        return super().sample_method(batch_size, num_images, height, width, mask, device)


@dataclass
class InsituDataManagerConfig(VanillaDataManagerConfig):
    """A VanillaDataManager that can go over to patches."""

    _target: type = field(default_factory=lambda: InsituDataManager)
    edit_rays_per_batch: int = 16384
    """Rays a step while editing."""
    edit_patch_size: int = 1
    """Side of the patches that rays are taken in while editing; 1 for single pixels."""


class InsituDataManager(VanillaDataManager[OpaqueDataset]):
    """Holds the originals, takes edited views, and carries the edit's record in checkpoints."""

    config: InsituDataManagerConfig

    def __init__(self, config: InsituDataManagerConfig, *args: Any, **kwargs: Any) -> None:
        """Check the capture before nerfstudio reads it.

        Raises:
            InvalidInput: A picture or pose cannot be used, or a setting under which edits vanish.
        """
        if config.train_num_images_to_sample_from != _ALL:
            raise InvalidInput(
                "train-num-images-to-sample-from must be -1: edited views live in the cache of all "
                "pictures, and resampling would read the files again"
            )
        self._check_capture(config)
        self.record: dict[str, Any] = {}
        super().__init__(config, *args, **kwargs)

    @staticmethod
    def _check_capture(config: InsituDataManagerConfig) -> None:
        data = config.data or getattr(config.dataparser, "data", None)
        if data is None:
            raise InvalidInput("there is no capture", hint="Name its folder: --data CAPTURE.")
        path = Path(data)
        other_parser = not isinstance(config.dataparser, NerfstudioDataParserConfig)
        has_json = path.suffix == ".json" or (path / "transforms.json").is_file()
        if has_json or not (other_parser and path.is_dir()):
            read_capture(path)

    def create_train_dataset(self) -> OpaqueDataset:
        """Make the training data set, its views checked whatever parser they come from."""
        self._check(self.train_dataparser_outputs)
        made: OpaqueDataset = super().create_train_dataset()
        return made

    @staticmethod
    def _check(parsed: DataparserOutputs) -> None:
        poses = parsed.cameras.camera_to_worlds.detach().cpu().numpy()
        check_views(parsed.image_filenames, np.asarray(poses))

    def setup_train(self) -> None:
        """Cache all views in the data set's order and keep the originals apart."""
        super().setup_train()
        batch = self._cache()
        order = torch.argsort(batch["image_idx"].cpu())
        for key, value in batch.items():
            batch[key] = value[order.to(value.device)]
        cached = batch["image"].cpu().numpy()
        self.originals: UInt8[np.ndarray, "n h w 3"] = np.rint(cached * 255).astype(np.uint8)

    def _cache(self) -> dict[str, Tensor]:
        batch: Any = self.train_image_dataloader.cached_collated_batch
        if not isinstance(batch["image"], Tensor):
            raise InvalidInput("the pictures have different sizes", hint="Bring them to one size.")
        cached: dict[str, Tensor] = batch
        return cached

    @property
    def names(self) -> list[str]:
        """The views' names: their files, relative to the capture, as its json names them."""
        data = Path(self.get_datapath())
        folder = data.parent if data.suffix == ".json" else data
        factor = int(getattr(self.dataparser, "downscale_factor", None) or 1)
        files = self.train_dataset.image_filenames
        return [name_in_capture(Path(file), folder, factor) for file in files]

    def write(self, view: int, picture: UInt8[np.ndarray, "h w 3"]) -> None:
        """Supervise a view by this picture from now on."""
        batch = self._cache()
        image = torch.from_numpy(np.ascontiguousarray(picture).astype(np.float32) / 255.0)
        batch["image"][view] = image.to(batch["image"].device)

    def forget_edits(self) -> None:
        """Supervise every view by its original again."""
        for view, original in enumerate(self.originals):
            self.write(view, original)

    def begin_editing(self) -> int:
        """Take rays as the edit phase wants them, and return the side of their patches."""
        side = self.config.edit_patch_size
        rays = self.config.edit_rays_per_batch
        height, width = self.originals.shape[1:3]
        if side <= 1:
            self.train_pixel_sampler = self._get_pixel_sampler(self.train_dataset, rays)
            return 1
        if side > min(height, width):
            raise InvalidInput(
                f"patches of {side} pixels do not fit pictures of {width}x{height}",
                hint="--pipeline.datamanager.edit-patch-size 1 takes single pixels.",
            )
        config = PatchPixelSamplerConfig(_target=WholePatchSampler)
        self.train_pixel_sampler = config.setup(patch_size=side, num_rays_per_batch=rays)
        return side

    def get_extra_state(self) -> dict[str, Any]:
        """Return what a checkpoint carries: the edit's record, plain values only."""
        return self.record

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's record; its pictures are read by whoever goes on with the edit."""
        self.record = dict(state)
