"""A picture as the grounder sees it: small, smoothed, cut into superpixels; measured once."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from image_core.colour import lab_to_lch, srgb_to_oklab
from image_core.grounding.classic.saliency import saliency
from image_core.segmentation.boxes import in_bytes, reduced
from image_core.segmentation.superpixels import Superpixels, superpixels
from image_core.types import Image


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The measured picture.

    Attributes:
        rgb: It, reduced; 8 bit for the cuts and detectors.
        lab: Smoothed OKLab.
        lch: The same in OKLCh.
        parts: Its superpixels.
        salient: Saliency of each pixel in [0, 1].
        edges: Strength of the colour step at each pixel, in OKLab units.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    lab: Float32[np.ndarray, "h w 3"]
    lch: Float32[np.ndarray, "h w 3"]
    parts: Superpixels
    salient: Float[np.ndarray, "h w"]
    edges: Float[np.ndarray, "h w"]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.rgb.shape[0], self.rgb.shape[1]


def colour_steps(lab: Float32[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    """Return the OKLab distance between the two sides of each pixel, the larger of both axes."""
    padded = np.pad(lab, ((2, 2), (2, 2), (0, 0)), mode="edge")
    across = np.linalg.norm(padded[2:-2, 4:] - padded[2:-2, :-4], axis=2)
    down = np.linalg.norm(padded[4:, 2:-2] - padded[:-4, 2:-2], axis=2)
    return np.asarray(np.maximum(across, down))


def look(image: Image, side: int) -> Scene:
    """Measure a picture at ``side`` pixels on its longer side."""
    picture = in_bytes(reduced(image, side))
    smooth = cv2.bilateralFilter(picture, 5, 24, 3)
    lab = srgb_to_oklab(smooth.astype(np.float32) / 255)
    parts = superpixels(lab)
    return Scene(
        rgb=picture,
        lab=lab,
        lch=lab_to_lch(lab),
        parts=parts,
        salient=parts.spread(saliency(parts)),
        edges=colour_steps(lab),
    )


def otsu(values: Float[np.ndarray, "h w"], low: float, high: float) -> float:
    """Return Otsu's threshold of a map in [0, 1], kept within [low, high]."""
    bytes_ = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    threshold, _ = cv2.threshold(bytes_, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(np.clip(threshold / 255, low, high))


def full_size(
    mask: Bool[np.ndarray, "h w"], height: int, width: int
) -> Float32[np.ndarray, "h2 w2"]:
    """Bring a mask back to the picture's size as 0 and 1."""
    scaled = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return (scaled > 0.5).astype(np.float32)
