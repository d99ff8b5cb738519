"""Training SAM: boxes and points to the masks of the objects that they point at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from pocket.flat.render import object_masks, render
from pocket.flat.scenes import Scenes
from pocket.training.lesson import Pace, Scores, fresh_generator, step_generator
from pocket.training.pictures import train_scenes, validation_scenes
from pocket.zoo.segmenter import SIDE, build_segmenter

_PROMPTS = 2  # a picture
_BOX_NOISE = 1.5  # pixels that a box's sides stray by, as a detector's do
_POINTS_EVERY = 4  # every so manieth step asks by a point in place of a box
_RATING = 0.5  # weight of the rating of the masks
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of SAM's processor
_VALIDATION = 128


class SegmenterLesson:
    """Training of SAM."""

    name = "sam"
    main = "iou"

    def __init__(self, *, seed: int, device: torch.device, batch: int = 32) -> None:
        """Build it with fresh weights."""
        self.pace = Pace(batch=batch, rate=1e-3, average=0.998, warm=200)
        self.seed, self.device = seed, device
        self._sam = build_segmenter(fresh_generator(seed, self.name)).to(device)

    @property
    def network(self) -> nn.Module:
        """SAM."""
        sam: nn.Module = self._sam
        return sam

    def groups(self) -> Sequence[tuple[Sequence[nn.Parameter], float]]:
        """Return all parameters as one group."""
        return [(list(self.network.parameters()), 1.0)]

    def losses(self, step: int) -> dict[str, Tensor]:
        """Return how far the masks for a batch's prompts lie from the objects."""
        random = step_generator(self.seed, self.name, step)
        scenes = train_scenes(step, self.pace.batch, seed=self.seed)
        wanted, boxes = chosen_objects(scenes, random)
        prompts: dict[str, Tensor]
        if step % _POINTS_EVERY == _POINTS_EVERY - 1:
            prompts = points_in(wanted, random)
        else:
            strayed = boxes + _BOX_NOISE * torch.randn(boxes.shape, generator=random)
            prompts = {"input_boxes": strayed.clamp(0, SIDE)}
        logits, rated = masks_for(self._sam, seen(render(scenes)), prompts, self.device)
        return mask_losses(logits, rated, wanted.to(self.device))

    def scores(self) -> Scores:
        """Return the IoU of the mask that the network rates best, for boxes and for points."""
        scenes = validation_scenes(_VALIDATION)
        wanted, boxes = chosen_objects(scenes, step_generator(0, "sam validation", 0))
        random = step_generator(0, "sam validation", 1)
        strayed = boxes + _BOX_NOISE * torch.randn(boxes.shape, generator=random)
        prompts = {
            "iou": {"input_boxes": boxes},
            "iou_strayed_boxes": {"input_boxes": strayed.clamp(0, SIDE)},
            "iou_points": points_in(wanted, random),
        }
        pixels = seen(render(scenes))
        return {name: self._iou(pixels, asked, wanted) for name, asked in prompts.items()}

    def _iou(self, pixels: Tensor, prompts: dict[str, Tensor], wanted: Tensor) -> float:
        logits, rated = masks_for(self._sam, pixels, prompts, self.device)
        best = rated.argmax(dim=2)[:, :, None, None, None].expand(-1, -1, 1, SIDE, SIDE)
        masks = logits.gather(2, best)[:, :, 0].cpu() > 0
        return float(overlap(masks, wanted > 0.5).mean())


def seen(pictures: Float32[np.ndarray, "b h w 3"]) -> Float[Tensor, "b 3 h w"]:
    """Return pictures in [0, 1] as SAM's and Grounding DINO's processors normalise them."""
    planes = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    mean, std = torch.tensor(_MEAN)[:, None, None], torch.tensor(_STD)[:, None, None]
    return (planes - mean) / std


def chosen_objects(
    scenes: Scenes, random: torch.Generator
) -> tuple[Float[Tensor, "b n h w"], Float[Tensor, "b n 4"]]:
    """Choose objects of each scene, the same ones twice where it has too few.

    Returns:
        What they cover, in [0, 1], and their boxes, XYXY in pixels.
    """
    masks = torch.from_numpy(object_masks(scenes))
    present = torch.from_numpy(scenes.present).float()
    slots = torch.multinomial(present, _PROMPTS, replacement=True, generator=random)
    wanted = masks.gather(1, slots[..., None, None].expand(-1, -1, SIDE, SIDE))
    return wanted, boxes_of(wanted > 0.5)


def boxes_of(masks: Bool[Tensor, "b n h w"]) -> Float[Tensor, "b n 4"]:
    """Return the boxes around masks, XYXY half-open; zeros around empty ones."""
    steps = torch.arange(masks.shape[-1])
    sides = []
    for shown in (masks.any(dim=2), masks.any(dim=3)):
        first = torch.where(shown, steps, masks.shape[-1]).amin(dim=2)
        last = torch.where(shown, steps + 1, 0).amax(dim=2)
        sides.append((torch.minimum(first, last), last))
    (x0, x1), (y0, y1) = sides
    return torch.stack([x0, y0, x1, y1], dim=2).float()


def points_in(masks: Float[Tensor, "b n h w"], random: torch.Generator) -> dict[str, Tensor]:
    """Draw a point in each mask, as SAM's inputs: (b, n, 1, 2) and labels (b, n, 1)."""
    flat = (masks > 0.5).float().flatten(2)
    flat = flat + (flat.sum(dim=2, keepdim=True) == 0)
    place = torch.multinomial(flat.flatten(0, 1), 1, generator=random).reshape(flat.shape[:2])
    x, y = place % masks.shape[-1], place // masks.shape[-1]
    points = torch.stack([x, y], dim=2).float() + 0.5
    return {
        "input_points": points[:, :, None],
        "input_labels": torch.ones((*points.shape[:2], 1), dtype=torch.int64),
    }


def masks_for(
    sam: Any, pixels: Tensor, prompts: dict[str, Tensor], device: torch.device
) -> tuple[Float[Tensor, "b n k h w"], Float[Tensor, "b n k"]]:
    """Return SAM's three masks for each prompt, logits at the pictures' size, and its ratings."""
    asked = {name: value.to(device) for name, value in prompts.items()}
    output = sam(pixel_values=pixels.to(device), multimask_output=True, **asked)
    masks = output.pred_masks.float()
    whole = interpolate(masks.flatten(0, 1), (SIDE, SIDE), mode="bilinear", align_corners=False)
    return whole.reshape(*masks.shape[:3], SIDE, SIDE), output.iou_scores.float()


def mask_losses(
    logits: Float[Tensor, "b n k h w"],
    rated: Float[Tensor, "b n k"],
    wanted: Float[Tensor, "b n h w"],
) -> dict[str, Tensor]:
    """Return cross-entropy and Dice of all masks, and how far off their ratings are.

    All three masks learn the object: nothing in this world is a part of something.
    """
    target = wanted[:, :, None].expand_as(logits)
    entropy = binary_cross_entropy_with_logits(logits, target)
    shares = logits.sigmoid()
    common = (shares * target).sum(dim=(3, 4))
    dice = 1 - (2 * common + 1) / (shares.sum(dim=(3, 4)) + target.sum(dim=(3, 4)) + 1)
    with torch.no_grad():
        true = overlap(logits > 0, target > 0.5)
    rating = ((rated - true) ** 2).mean()
    loss = 2 * entropy + dice.mean() + _RATING * rating
    return {"loss": loss, "entropy": entropy, "dice": dice.mean(), "rating": rating,
            "iou": true.mean()}  # fmt: skip


def overlap(one: Bool[Tensor, "*b h w"], other: Bool[Tensor, "*b h w"]) -> Float[Tensor, "*b"]:
    """Return the intersection over union of masks; 1 for two empty ones."""
    common = (one & other).sum(dim=(-2, -1)).float()
    total = (one | other).sum(dim=(-2, -1)).float()
    return torch.where(total > 0, common / total.clamp(min=1), torch.ones_like(total))
