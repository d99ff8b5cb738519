"""COCO's eighty things, with the articles that sentences about them take."""

from __future__ import annotations

from collections.abc import Mapping

THINGS: tuple[str, ...] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
    "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant",
    "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""As the paper's supplement (C.2) lists them."""

COLOURS = ("red", "blue", "green", "yellow", "black", "white", "purple", "orange", "brown", "pink")

_IRREGULAR: Mapping[str, str] = {
    "skis": "a pair of skis",
    "scissors": "a pair of scissors",
    "broccoli": "some broccoli",
}


def indefinite(thing: str) -> str:
    """Return a thing as something new: "a cat", "an apple", "a pair of scissors"."""
    return _IRREGULAR.get(thing) or f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def definite(thing: str) -> str:
    """Return a thing as one in the picture: "the cat"."""
    return f"the {thing}"
