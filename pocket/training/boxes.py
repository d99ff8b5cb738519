"""Boxes and focal loss: the pieces of a detector's loss."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

_GAMMA = 2.0  # of the focal loss


def as_corners(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Turn centre and size into XYXY."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def as_centres(corners: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Turn XYXY into centre and size."""
    low, high = corners[..., :2], corners[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def iou_and_giou(
    one: Float[Tensor, "*#n 4"], other: Float[Tensor, "*#n 4"]
) -> tuple[Float[Tensor, ...], Float[Tensor, ...]]:
    """Return the (generalised) intersection over union of XYXY boxes, which broadcast.

    Source: Rezatofighi et al., Generalized Intersection over Union, CVPR 2019, algorithm 1.
    """
    low = torch.maximum(one[..., :2], other[..., :2])
    high = torch.minimum(one[..., 2:], other[..., 2:])
    common = (high - low).clamp(min=0).prod(dim=-1)
    total = _area(one) + _area(other) - common
    hull = torch.maximum(one[..., 2:], other[..., 2:]) - torch.minimum(one[..., :2], other[..., :2])
    around = hull.clamp(min=0).prod(dim=-1).clamp(min=1e-6)
    iou = common / total.clamp(min=1e-6)
    return iou, iou - (around - total) / around


def focal(
    logits: Float[Tensor, "*n"], truth: Float[Tensor, "*n"], counted: Bool[Tensor, "*n"]
) -> Float[Tensor, ""]:
    """Return the sum of the focal loss over what is counted (Lin et al., ICCV 2017, eq. 4).

    Logits that are not counted may be infinite.
    """
    safe = torch.where(counted, logits, torch.zeros_like(logits))
    entropy = binary_cross_entropy_with_logits(safe, truth, reduction="none")
    share = safe.sigmoid()
    missed = share * (1 - truth) + (1 - share) * truth
    return (missed**_GAMMA * entropy * counted).sum()


def _area(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n"]:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)
