"""The segmenter seam over any promptable network."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from image_core.compositing import bounding_box, grown_box
from image_core.segmentation.boxes import in_bytes
from image_core.segmentation.edges import edge_alpha
from image_core.segmentation.prompted.border import with_border
from image_core.segmentation.prompted.choosing import best_guess, box_fit, share_of_box, stability
from image_core.segmentation.prompted.prompts import (
    Guesses,
    Picture,
    Prompt,
    PromptedNetwork,
    grouped,
    prompt_of,
)
from image_core.types import Box, Detection, Image, Mask, Region

logger = logging.getLogger("insitu.segmentation")

_MOST_PROMPTS = 16


@dataclass(frozen=True, kw_only=True)
class CutConfig:
    """What becomes of a network's masks.

    Attributes:
        max_batch: Most pictures looked at in a call.
        kept: Pictures whose encoding is kept for the next prompt.
        least: A mask that fills less of its box, or whose own box agrees less with it, is taken for
            a failure. There is no upper bound: a screen or a painting fills its box.
        reach: Pixels by which the alpha's support may exceed the hard region.
        radius: Window of the guided filter at its edge, in pixels of a crop of ``fine_side``.
        epsilon: Flatness of the guided filter.
        fine_side: Longer side of the crop for which ``radius`` is meant.
    """

    max_batch: int = 4
    kept: int = 4
    least: float = 0.05
    reach: int = 3
    radius: int = 5
    epsilon: float = 1e-4
    fine_side: int = 640


class PromptedSegmenter:
    """Cuts by a promptable network; a picture is encoded once for all its detections."""

    def __init__(self, make: Callable[[], PromptedNetwork], cut: CutConfig, name: str) -> None:
        """Keep how to make the network.

        Args:
            make: Called at first use; it may import what is heavy.
            cut: What becomes of its masks.
            name: For the evidence.
        """
        self._make = make
        self.cut = cut
        self.name = name
        self._encoded: OrderedDict[str, Any] = OrderedDict()

    @cached_property
    def network(self) -> PromptedNetwork:
        """The network, made at first use."""
        return self._make()

    def segment(
        self, images: Sequence[Image], detections: Sequence[Sequence[Detection]]
    ) -> list[list[Region]]:
        """Return a region per detection that could be cut; one that could not is left out.

        A detection with a mask keeps it and only gets an alpha at its edge.

        Raises:
            ValueError: There are not as many lists of detections as images.
            MissingWeights: The weights or the extra are not on this machine.
        """
        asked = [_prompts(image, wanted) for image, wanted in zip(images, detections, strict=True)]
        pictures = {
            k: with_border(in_bytes(images[k])) for k, prompts in enumerate(asked) if prompts
        }
        encoded = dict(zip(pictures, self._encode(list(pictures.values())), strict=True))
        found = []
        for k, (image, wanted) in enumerate(zip(images, detections, strict=True)):
            masks = self._cut(encoded[k], asked[k], *pictures[k].shape[:2]) if k in pictures else {}
            regions = [
                self._region(image, detection, masks.get(number))
                for number, detection in enumerate(wanted)
            ]
            found.append([region for region in regions if region is not None])
        return found

    def _encode(self, pictures: Sequence[Picture]) -> list[Any]:
        """Return each picture's encoding, from what is kept where it was seen just before."""
        keys = [hashlib.sha256(repr(p.shape).encode() + p.tobytes()).hexdigest() for p in pictures]
        known = {key: self._encoded[key] for key in keys if key in self._encoded}
        new = {key: p for key, p in zip(keys, pictures, strict=True) if key not in known}
        waiting = list(new)
        for start in range(0, len(waiting), self.cut.max_batch):
            batch = waiting[start : start + self.cut.max_batch]
            known.update(zip(batch, self.network.encode([new[key] for key in batch]), strict=True))
        for key in keys:
            self._encoded[key] = known[key]
            self._encoded.move_to_end(key)
        while len(self._encoded) > self.cut.kept:
            self._encoded.popitem(last=False)
        return [known[key] for key in keys]

    def _cut(
        self, seen: Any, prompts: dict[int, Prompt], height: int, width: int
    ) -> dict[int, tuple[Bool[np.ndarray, "h w"], str]]:
        """Return, by detection, the best mask for its prompt and what speaks for it."""
        cut = {}
        for same in grouped((prompt.shape, number) for number, prompt in prompts.items()):
            for start in range(0, len(same), _MOST_PROMPTS):
                batch = same[start : start + _MOST_PROMPTS]
                answers = self.network.decode(seen, [prompts[number] for number in batch])
                for number, guesses in zip(batch, answers, strict=True):
                    cut[number] = self._best(guesses, prompts[number], height, width)
        return cut

    def _best(
        self, guesses: Guesses, prompt: Prompt, height: int, width: int
    ) -> tuple[Bool[np.ndarray, "h w"], str]:
        chosen = best_guess(guesses, prompt, height, width)
        logits = guesses.logits[chosen]
        steady = f"outline by {self.name}, stability {stability(logits):.2f}"
        return enlarged(logits, height, width) > 0, steady

    def _region(
        self,
        image: Image,
        detection: Detection,
        cut: tuple[Bool[np.ndarray, "h w"], str] | None,
    ) -> Region | None:
        if detection.mask is not None:
            if detection.mask.shape != image.shape[:2]:
                return None
            hard, outline = np.asarray(detection.mask > 0.5), ""
        elif cut is None:
            return None
        else:
            hard, outline = cut[0][: image.shape[0], : image.shape[1]], cut[1]
            if detection.box is not None and self._misses(hard, detection.box):
                logger.info("the mask fills too little of its box, or lies elsewhere: left out")
                return None
        if not hard.any():
            return None
        evidence = "; ".join(filter(None, [detection.evidence, outline]))
        return Region(
            alpha=self._alpha(image, hard), confidence=float(detection.score), evidence=evidence
        )

    def _misses(self, hard: Bool[np.ndarray, "h w"], box: Box) -> bool:
        height, width = hard.shape
        inside = (max(0.0, box[0]), max(0.0, box[1]), min(width, box[2]), min(height, box[3]))
        fit = min(share_of_box(hard, inside), box_fit(hard, inside, height, width))
        return fit < self.cut.least

    def _alpha(self, image: Image, hard: Bool[np.ndarray, "h w"]) -> Mask:
        """Give a hard region an alpha that follows the picture's edges, on a crop around it."""
        alpha = np.zeros(hard.shape, np.float32)
        bounds = bounding_box(hard)
        assert bounds is not None
        x0, y0, x1, y1 = bounds
        scale = max(1.0, max(x1 - x0, y1 - y0) / self.cut.fine_side)
        radius = round(self.cut.radius * scale)
        left, top, right, bottom = grown_box(bounds, 2 * radius + self.cut.reach, *hard.shape)
        window = (slice(top, bottom), slice(left, right))
        alpha[window] = edge_alpha(
            np.clip(np.nan_to_num(image[window]), 0, 1),
            hard[window],
            radius=radius,
            epsilon=self.cut.epsilon,
            reach=self.cut.reach,
            subsample=int(scale),
        )
        return alpha


def enlarged(
    logits: Float32[np.ndarray, "h w"], height: int, width: int
) -> Float32[np.ndarray, "h2 w2"]:
    """Bring logits that cover a picture to its size, bilinearly, as all SAMs do."""
    import torch
    from torch.nn.functional import interpolate

    grid = torch.from_numpy(np.ascontiguousarray(logits))[None, None]
    resized = interpolate(grid, (height, width), mode="bilinear", align_corners=False)
    return np.asarray(resized[0, 0].numpy())


def _prompts(image: Image, wanted: Sequence[Detection]) -> dict[int, Prompt]:
    """Return the prompts of those detections that bring no mask of their own."""
    height, width = image.shape[:2]
    prompts = {
        number: prompt_of(detection, height, width)
        for number, detection in enumerate(wanted)
        if detection.mask is None
    }
    return {number: prompt for number, prompt in prompts.items() if prompt is not None}
