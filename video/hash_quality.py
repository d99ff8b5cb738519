"""How far trained fields agree with the flow, and what they cover. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from video.deformation import Deformation
from video.hash_fields import Fields
from video.hash_samples import Footage, Group, Motion

_APART = (
    1.0  # pixels that a flow's two ends may lie apart in the canonical picture for a trust of ½
)
_CHUNK = 2**15  # places at a time


@torch.no_grad()
def agreement(
    fields: Fields, shot: Footage, group: Group, opened: Sequence[float]
) -> UInt8[np.ndarray, "t h w"]:
    """Return how far each pixel's canonical place can be trusted, 255 = certain.

    A place is trusted where the flow, to the frame before or to the next one, leads to a pixel of
    the same place: t / (1 + d²) for the flow's own trust t and the distance d in pixels; the
    better of both. A frame without neighbours is trusted throughout.
    """
    count, height, width = group.weight.shape
    trust = torch.zeros((count, height, width), dtype=torch.uint8)
    levels = torch.tensor(opened, device=group.weight.device)
    for row in range(count):
        best = torch.zeros(height * width, device=levels.device)
        for motion, step in ((shot.ahead, 1), (shot.back, -1)):
            if 0 <= row + step < count:
                best = torch.maximum(best, _agreed(fields, shot, motion, row, step, levels))
        if count == 1:
            best += 1
        trust[row] = (best.view(height, width) * group.weight[row]).round().to(torch.uint8).cpu()
    return np.asarray(trust.numpy())


def _agreed(
    fields: Fields,
    shot: Footage,
    motion: Motion,
    row: int,
    step: int,
    levels: Float[Tensor, " l"],
) -> Float[Tensor, " n"]:
    width, height = shot.size
    sides = torch.tensor((width, height), dtype=torch.float32, device=levels.device)
    pixels = torch.arange(width * height, device=levels.device)
    centres = torch.stack((pixels % width, pixels // width), dim=1) + 0.5
    ends = centres + motion.flow[row].reshape(-1, 2).float()
    found = []
    for here, there in zip(torch.split(centres, _CHUNK), torch.split(ends, _CHUNK), strict=True):
        frame = torch.full((len(here),), float(shot.span.start + row), device=levels.device)
        one = fields.deformation(here / sides, frame, levels)
        other = fields.deformation(there / sides, frame + step, levels)
        found.append(((one - other) * sides).square().sum(dim=1))
    flow_trust = motion.trust[row].reshape(-1).float() / 255
    return flow_trust / (1 + torch.cat(found) / _APART**2)


def coverage(
    deformation: Deformation, weight: UInt8[np.ndarray, "t rows columns"]
) -> Float32[np.ndarray, "h w"]:
    """Return how many frames' pixels fall on each pixel of the canonical picture."""
    width, height = deformation.window.size
    total = np.zeros(width * height)
    for row, index in enumerate(deformation.span):
        nearest = np.rint(deformation.places(index)).astype(np.int64)
        x, y = nearest[..., 0], nearest[..., 1]
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        counts = weight[row][inside] / 255.0
        total += np.bincount((y * width + x)[inside], counts, width * height)
    return total.reshape(height, width).astype(np.float32)
