"""A trained run loaded through nerfstudio: its views' originals, cameras and renders."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from image_core.errors import InsituError, InvalidInput, MissingWeights
from image_core.types import Image, Mask
from nerf.capture import name_in_capture
from nerf.run_record import run_folder
from nerf.view_camera import ViewCamera


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a run shows from a view.

    Attributes:
        rgb: In [0, 1].
        depth: Along the rays.
        region: The one region in 3D seen from here, in [0, 1]; None where none was trained.
    """

    rgb: Image
    depth: Float32[np.ndarray, "h w"]
    region: Mask | None


class LoadedViews:
    """The training views, or the held-out ones, of a loaded run."""

    def __init__(self, pipeline: Any, dataset: Any) -> None:
        """Keep where the views come from.

        Args:
            pipeline: nerfstudio's, in eval mode.
            dataset: One of its datamanager's.
        """
        self._pipeline, self._dataset = pipeline, dataset
        data = _data_of(pipeline)
        folder = data.parent if data.suffix == ".json" else data
        parser = getattr(pipeline.datamanager, "dataparser", None)
        reduced = int(getattr(parser, "downscale_factor", None) or 1)
        files = [Path(file) for file in dataset.image_filenames]
        self.names = [name_in_capture(file, folder, reduced) for file in files]
        self._rendered: dict[int, Rendered] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self.names)

    def original(self, index: int) -> Image:
        """Return a view's picture as the file has it, at the size of the training."""
        image = self._dataset.get_image_float32(index)[..., :3]
        return np.ascontiguousarray(image.cpu().numpy(), np.float32)

    def size(self, index: int) -> tuple[int, int]:
        """Return a view's width and height in pixels."""
        cameras = self._dataset.cameras
        return int(cameras.width[index]), int(cameras.height[index])

    def is_rendered(self, index: int) -> bool:
        """Tell whether a view was rendered before, and costs nothing now."""
        return index in self._rendered

    def camera(self, index: int) -> ViewCamera:
        """Return a view's camera in the coordinates of the training.

        Raises:
            InvalidInput: It is no perspective camera.
        """
        camera = self._dataset.cameras[index]
        if int(camera.camera_type) != 1:
            raise InvalidInput(f"{self.names[index]} was not taken by a perspective camera")
        bend = camera.distortion_params
        k1, k2, k3, k4, p1, p2 = [0.0] * 6 if bend is None else [float(v) for v in bend.reshape(-1)]
        return ViewCamera(
            camera_to_world=camera.camera_to_worlds.cpu().numpy().astype(np.float64),
            fx=float(camera.fx),
            fy=float(camera.fy),
            cx=float(camera.cx),
            cy=float(camera.cy),
            width=int(camera.width),
            height=int(camera.height),
            distortion=(k1, k2, k3, k4, p1, p2),
        )

    def rendered(self, index: int) -> Rendered:
        """Return a view as the run shows it; each is rendered once."""
        if index not in self._rendered:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nerfstudio's calls are older than this torch
                camera = self._dataset.cameras[index : index + 1].to(self._pipeline.device)
                outputs = self._pipeline.model.get_outputs_for_camera(camera)

            def values(name: str) -> Any:
                return outputs[name].float().cpu().numpy()

            self._rendered[index] = Rendered(
                rgb=np.clip(values("rgb"), 0, 1),
                depth=values("depth")[..., 0],
                region=values("region").max(axis=-1) if "region" in outputs else None,
            )
        return self._rendered[index]


@dataclass(frozen=True, kw_only=True)
class LoadedRun:
    """A run in eval mode.

    Attributes:
        folder: The run's.
        data: Its capture.
        step: Of its checkpoint.
        training: The views that it was trained on.
        held_out: Those that it was not.
    """

    folder: Path
    data: Path
    step: int
    training: LoadedViews
    held_out: LoadedViews


def load_run(run: Path) -> LoadedRun:
    """Load a run's newest checkpoint; no editor is loaded.

    Args:
        run: Its ``config.yml`` or folder, or the ``reconstruction.yml`` of what it was before.

    Raises:
        MissingWeights: nerfstudio is not installed.
        InvalidInput: The run, its capture or checkpoint is missing or cannot be used.
    """
    folder = run_folder(run)
    if importlib.util.find_spec("nerfstudio") is None:
        raise MissingWeights(
            "nerfstudio, which renders the run, is not installed",
            hint="pip install 'insitu[nerf]'",
        )
    # nerfstudio reports on stdout, where a command's own result goes
    with (
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
        _as_invalid_input(folder),
    ):
        warnings.simplefilter("ignore")  # nerfstudio's calls are older than this torch
        from nerfstudio.utils.eval_utils import eval_setup

        from nerf.checkpoints import allow_numpy_scalars

        allow_numpy_scalars()
        _, loaded, _, step = eval_setup(
            run if run.is_file() else folder / "config.yml",
            test_mode="test",
            update_config_callback=lambda config: _where_it_lies(config, folder),
        )
        pipeline: Any = loaded
        return LoadedRun(
            folder=folder,
            data=_data_of(pipeline),
            step=int(step),
            training=LoadedViews(pipeline, pipeline.datamanager.train_dataset),
            held_out=LoadedViews(pipeline, pipeline.datamanager.eval_dataset),
        )


def _data_of(pipeline: Any) -> Path:
    return Path(pipeline.datamanager.get_datapath())


def _where_it_lies(config: Any, folder: Path) -> Any:
    """Look for checkpoints beside the config; its own paths count from where it was trained."""
    beside = folder.resolve()
    if len(beside.parts) > 3 and beside.parent.name == config.method_name:
        config.timestamp = beside.name
        config.experiment_name = beside.parent.parent.name
        config.output_dir = beside.parent.parent.parent
    return config


@contextlib.contextmanager
def _as_invalid_input(folder: Path) -> Iterator[None]:
    """Turn whatever nerfstudio raises on a run that it cannot load into the documented error."""
    try:
        yield
    except InsituError:
        raise
    except (Exception, SystemExit) as error:
        raise InvalidInput(
            f"the run {folder} cannot be loaded: {error or type(error).__name__}",
            hint="Its capture and checkpoint must lie where they did; run it from the folder in "
            "which it was trained.",
        ) from error
