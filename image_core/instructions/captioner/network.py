"""BLIP-2 asked InstructEdit's two questions, and captioning models that need no question."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from image_core.devices import Placement
from image_core.errors import InvalidInput
from image_core.instructions.language_model.greedy import be_greedy, rows_counted
from image_core.types import Image
from image_core.weights import folder_of, loaded

QUESTION = "Is this a photo, a painting, a drawing or another kind of art?"
_MEDIA = {
    "photo": "photo", "photograph": "photo", "photography": "photo", "painting": "painting",
    "drawing": "drawing", "sketch": "sketch", "illustration": "illustration",
    "cartoon": "cartoon", "comic": "comic", "watercolor": "watercolour painting",
    "watercolour": "watercolour painting", "mosaic": "mosaic", "sculpture": "sculpture",
    "statue": "statue", "rendering": "rendering", "render": "rendering", "engraving": "engraving",
    "print": "print", "collage": "collage", "poster": "poster", "graphic": "graphic",
}  # fmt: skip
_UNKNOWN_MEDIUM = "picture"
_QUESTIONED, _PLAIN = ("blip-2",), ("blip", "git")


class CaptioningNetwork:
    """A captioning model on a device; loaded once, deterministic."""

    def __init__(self, model: str, *, place: Placement, max_tokens: int) -> None:
        """Load processor and weights.

        Args:
            model: Hub id or folder.
            place: Device and precision.
            max_tokens: Most tokens of one answer.

        Raises:
            MissingWeights: They are not on this machine.
            InvalidInput: The folder holds another kind of model, or a BLIP-2 in an old form.
        """
        folder = folder_of(model)
        kind = loaded(AutoConfig, folder).model_type
        if kind not in (*_QUESTIONED, *_PLAIN):
            raise InvalidInput(
                f"{model} is a model of the type {kind!r}, which the captioner does not know",
                hint=f"It knows {', '.join((*_QUESTIONED, *_PLAIN))}.",
            )
        self._questioned = kind in _QUESTIONED
        self._processor = loaded(AutoProcessor, folder)
        self._model = loaded(AutoModelForImageTextToText, folder, dtype=place.dtype)
        self._model.to(place.device).eval()
        self._place = place
        self._max_tokens = max_tokens
        self._writer = getattr(
            self._model, "language_model", getattr(self._model, "text_decoder", self._model)
        )
        be_greedy(self._writer)
        if self._questioned:
            self._check_image_tokens(model)

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Return a caption per image; all go through the network as one batch."""
        pictures = [np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8) for image in images]
        if not self._questioned:
            return [tidy(text) for text in self._answers(pictures, None)]
        media = [medium_in(answer) for answer in self._answers(pictures, QUESTION)]
        captions = [""] * len(pictures)
        for medium in dict.fromkeys(media):  # one text a batch, so that nothing is padded
            chosen = [index for index, one in enumerate(media) if one == medium]
            beginning = f"{medium} of"
            told = self._answers([pictures[index] for index in chosen], beginning.capitalize())
            for index, text in zip(chosen, told, strict=True):
                captions[index] = continued(beginning, tidy(text))
        return captions

    def _answers(self, pictures: Sequence[Any], text: str | None) -> list[str]:
        """Return what the model writes under each picture after a text."""
        texts = None if text is None else [text] * len(pictures)
        inputs = self._processor(images=list(pictures), text=texts, return_tensors="pt")
        inputs = inputs.to(self._place.device, self._place.dtype)
        with torch.inference_mode(), rows_counted(self._networks()):
            output = self._model.generate(**inputs, max_new_tokens=self._max_tokens)
        if text is not None and not self._model.config.is_encoder_decoder:
            output = output[:, inputs["input_ids"].shape[1] :]  # it repeats the prompt
        answers = self._processor.batch_decode(output, skip_special_tokens=True)
        return [str(answer) for answer in answers]

    def _networks(self) -> dict[str, torch.nn.Module]:
        eye = getattr(self._model, "git", self._model)  # GIT's lies inside its text model
        parts = {
            "captioner vision": getattr(eye, "vision_model", getattr(eye, "image_encoder", None)),
            "captioner qformer": getattr(self._model, "qformer", None),
            "captioner language": self._writer,
        }
        if self._writer.config.is_encoder_decoder:
            parts["captioner text encoder"] = self._writer.get_encoder()
        return {name: part for name, part in parts.items() if part is not None}

    def _check_image_tokens(self, model: str) -> None:
        """Refuse BLIP-2 from before its processor wrote the image's tokens (transformers 4.46)."""
        if self._processor.num_query_tokens is None or self._model.config.image_token_id is None:
            raise InvalidInput(
                f"{model} is BLIP-2 in an old form, without the image's tokens in its processor",
                hint=f"Get it anew: insitu models pull {model}",
            )


def medium_in(answer: str) -> str:
    """Return the medium that an answer names first ("it's a painting" → "painting")."""
    words = re.findall(r"[^\W_]+", answer.casefold())
    return next((_MEDIA[word] for word in words if word in _MEDIA), _UNKNOWN_MEDIUM)


def continued(beginning: str, text: str) -> str:
    """Join "photo of" and what continues it; models that repeat the beginning are understood."""
    rest = re.sub(rf"^(?:an? )?{re.escape(beginning)}\b", "", text, flags=re.IGNORECASE).strip()
    return f"{beginning} {rest}" if rest else ""


def tidy(text: str) -> str:
    """Drop control characters, spare spaces and the full stop."""
    kept = "".join(mark if unicodedata.category(mark)[0] != "C" else " " for mark in text)
    return " ".join(kept.split()).strip(" .")
