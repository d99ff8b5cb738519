"""What the segmenters share that take boxes and points as prompts: SAM, SAM 2, Segment Anything."""

from __future__ import annotations

from image_core.segmentation.prompted.prompts import Guesses, Prompt, PromptedNetwork
from image_core.segmentation.prompted.segmenter import CutConfig, PromptedSegmenter

__all__ = ["CutConfig", "Guesses", "Prompt", "PromptedNetwork", "PromptedSegmenter"]
