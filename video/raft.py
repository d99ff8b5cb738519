"""RAFT, where its weights lie on this machine.

Z. Teed and J. Deng, "RAFT: recurrent all-pairs field transforms for optical flow", ECCV 2020, as
torchvision has it. torch is imported only when a network is made.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from image_core.errors import MissingWeights
from video.flow import check_sizes
from video.frames import Picture
from video.padding import padded, padding_for, unpadded
from video.warping import Field

if TYPE_CHECKING:
    import torch

Size = Literal["small", "large"]

_MULTIPLE = 8  # its features have an eighth of the picture's size
_LEAST_SIDE = 128  # px; below, its coarsest correlations would have no pixel
_FILES: dict[Size, str] = {
    "small": "raft_small_C_T_V2-01064c6d.pth",
    "large": "raft_large_C_T_V2-1bb1363a.pth",
}


def weights_file(size: Size) -> Path:
    """Return where torch's hub keeps a network's weights, whether they are there or not."""
    home = os.environ.get("TORCH_HOME")
    if not home:
        home = str(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch")
    return Path(os.path.expandvars(home)).expanduser() / "hub" / "checkpoints" / _FILES[size]


def has_raft(size: Size) -> bool:
    """Tell whether a network's weights are on this machine."""
    return weights_file(size).is_file()


class Raft:
    """The network with weights that lie in torch's hub cache; nothing is downloaded."""

    def __init__(self, size: Size = "large", *, device: str = "cpu", updates: int = 12) -> None:
        """Load it.

        Args:
            size: Which network.
            device: Of torch.
            updates: How often the flow is refined.

        Raises:
            MissingWeights: torch or the weights are not on this machine.
        """
        self._size, self._updates = size, updates
        network = self._network(size)
        self._model = network.to(device).eval().requires_grad_(False)
        self._device = device

    @staticmethod
    def _network(size: Size) -> torch.nn.Module:
        file = weights_file(size)
        if not file.is_file():
            weights = f"Raft_{size.capitalize()}_Weights"
            raise MissingWeights(
                f"RAFT ({size}) is not on this machine: {file.name}",
                hint=f'Get it once with: python -c "from torchvision.models.optical_flow import '
                f'{weights} as w; w.C_T_V2.get_state_dict()", or take DIS, which needs none.',
            )
        try:
            import torch
            from torchvision.models.optical_flow import (  # type: ignore[import-untyped]
                raft_large,
                raft_small,
            )
        except ImportError as error:
            raise MissingWeights(
                "RAFT needs torch and torchvision", hint="pip install 'insitu[neural]'"
            ) from error
        network: torch.nn.Module = (raft_small if size == "small" else raft_large)(weights=None)
        try:
            network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        except Exception as error:  # torn downloads fail in many ways
            raise MissingWeights(
                f"the weights of RAFT ({size}) can't be read: {error}",
                hint=f"Delete {file} and get them again.",
            ) from error
        return network

    @property
    def name(self) -> str:
        """What it is and how it is set."""
        return f"raft-{self._size}-{self._updates}"

    def flow(self, first: Picture, second: Picture) -> Field:
        """Return where each pixel of ``first`` has gone in ``second``.

        Raises:
            InvalidInput: They are not of one size.
        """
        import torch

        check_sizes(first, second)
        height, width = first.shape[:2]
        around = padding_for((width, height), multiple=_MULTIPLE, least=_LEAST_SIDE)
        pair = [
            torch.from_numpy(_as_network_wants(padded(seen, around))).to(self._device)
            for seen in (first, second)
        ]
        with torch.inference_mode():
            flows = self._model(*pair, num_flow_updates=self._updates)
        last = flows[-1][0].permute(1, 2, 0).float().cpu().numpy()
        return unpadded(np.ascontiguousarray(last), around)


def _as_network_wants(picture: Picture) -> Float[np.ndarray, "1 3 h w"]:
    """Return a frame in [-1, 1], channels first."""
    scaled = picture.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])
