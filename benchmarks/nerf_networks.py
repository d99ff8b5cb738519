"""Full-size networks of random weights behind the loop, as a plug-in: ``nerf_networks.py:Random``.

It imports nothing of torch before it edits, as the command line asks of plug-ins.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from image_core import Capabilities, EditBatch, EditStep
from image_core.types import Kind

_KINDS: frozenset[Kind] = frozenset(get_args(Kind))
METHODS = ("instruct-pix2pix", "masked-ddim")
_ALEXNET_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Random:
    """InstructPix2Pix or the masked DDIM, whose pictures are of no use.

    Attributes:
        method: One of ``METHODS``.
        miniature: Tiny networks, to try the benchmark itself.
        device: Where they run.
    """

    method: str = METHODS[0]
    miniature: bool = False
    device: str = "auto"
    capabilities = Capabilities(kinds=_KINDS, options=("method", "miniature", "device"))

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> Any:
        """Make the networks; they paint what they paint."""
        del reference
        from image_core.editors.generative.editor import GenerativeEdit

        captions = {"source": "a photo of a ball", "edited": "a photo of a blue ball"}
        return GenerativeEdit(editor=_editor(self), step=step, captions=captions)


def _editor(asked: Random) -> Any:
    from benchmarks.editors_networks import in_memory
    from image_core.devices import placement
    from image_core.editors.generative import GenerativeConfig, GenerativeEditor
    from image_core.editors.instruct_pix2pix import InstructPix2PixConfig
    from image_core.editors.instruct_pix2pix.method import InstructPix2Pix
    from image_core.editors.masked_ddim import InstructEditConfig
    from image_core.editors.masked_ddim.method import MaskedDdim

    network = in_memory("sd15", placement(asked.device), miniature=asked.miniature)
    size = {"steps": 2, "resolution": 64} if asked.miniature else {}
    where: dict[str, Any] = {"device": asked.device, "crop": "none", **size}
    config: GenerativeConfig
    method: Any
    if asked.method == METHODS[0]:
        network.unet = _of_eight_channels(network.unet)
        config = InstructPix2PixConfig(**where)
        method = InstructPix2Pix(network=network, config=config)
    else:
        config = InstructEditConfig(**where, cache=False)
        method = MaskedDdim(network=network, config=config)
    return GenerativeEditor(asked.method, config, Random.capabilities, lambda config: method)


def _of_eight_channels(unet: Any) -> Any:
    """Return the UNet with room for a picture's latents beside the noisy ones."""
    # the rest of diffusers' own notes would bring the default of 4 back
    given = {key: value for key, value in unet.config.items() if not key.startswith("_")}
    made = type(unet).from_config(given | {"in_channels": 8})
    return made.to(unet.device, unet.dtype).eval().requires_grad_(False)


def write_random_alexnet(folder: Path) -> None:
    """Write an untrained AlexNet where torchvision looks for the trained one.

    Args:
        folder: What ``TORCH_HOME`` will be.
    """
    import torch

    from nerf.perceptual import ALEXNET

    checkpoints = folder / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(_ALEXNET_SEED)
    models: Any = importlib.import_module("torchvision.models")  # without types
    torch.save(models.alexnet(weights=None).state_dict(), checkpoints / ALEXNET)
