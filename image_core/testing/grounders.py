"""The promises of the grounder seam, tried one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from image_core.seams import Grounder
from image_core.testing.scenes import scene
from image_core.types import Detection, EditStep, Image, Target

STEP = EditStep(
    instruction="make the orange disc blue",
    kind="recolor",
    target=Target(phrase="orange disc", noun="disc", colours=("orange",)),
    value="blue",
)
"""What is looked for in the scenes, unless ``check_grounder`` is given another."""

_SIZES = ((60, 80), (60, 80), (72, 50))


def check_grounder(grounder: Grounder, *, step: EditStep = STEP, tolerance: float = 0.0) -> None:
    """Check that a grounder keeps what the seam promises; it need not find anything.

    Args:
        grounder: The grounder, built.
        step: Its target is looked for in pictures of an orange disc.
        tolerance: Largest difference of boxes, in pixels, and of scores between two runs that
            should be equal; 0 asks for equal bits.

    Raises:
        AssertionError: A promise is broken; the message says which.
    """
    name = type(grounder).__name__
    images = [scene(*size, seed=k)[0] for k, size in enumerate(_SIZES)]
    assert grounder.ground([], step) == [], f"{name}: no images must give no rows"
    found = grounder.ground(images, step)
    assert len(found) == len(images), f"{name}: {len(images)} images gave {len(found)} rows"
    for row, image in zip(found, images, strict=True):
        _check_row(name, row, image)
    _check_arguments(name, grounder, images, step)
    again = grounder.ground(images, step)
    _check_same(name, found, again, 0.0, "the same pictures must be grounded the same twice")
    alone = [grounder.ground([image], step)[0] for image in images]
    _check_same(name, found, alone, tolerance, "a batch must equal its pictures one by one")
    _check_odd_pictures(name, grounder, step)
    for target in (Target(pronoun=True), Target()):
        rows = grounder.ground(images[:1], replace(step, target=target))
        assert rows == [[]], f"{name}: a target that names nothing must give an empty row"
    limit = getattr(grounder, "min_confidence", 0.5)
    assert 0 < limit < 1, f"{name}: min_confidence {limit} is not between 0 and 1"


def _check_row(name: str, row: Sequence[Detection], image: Image) -> None:
    height, width = image.shape[:2]
    scores = [found.score for found in row]
    assert scores == sorted(scores, reverse=True), f"{name}: detections must come best first"
    for found in row:
        assert 0 <= found.score <= 1, f"{name}: the score {found.score} is not in [0, 1]"
        assert found.evidence, f"{name}: a detection must say why it was taken (evidence)"
        assert found.box is not None, f"{name}: what is found by phrase must have a box"
        x0, y0, x1, y1 = found.box
        assert 0 <= x0 < x1 <= width, f"{name}: the box {found.box} leaves the picture or is empty"
        assert 0 <= y0 < y1 <= height, f"{name}: the box {found.box} leaves the picture or is empty"
        if found.mask is not None:
            assert found.mask.shape == (height, width), f"{name}: a mask of another size"
            assert found.mask.dtype == np.float32, f"{name}: a mask must be float32"
            assert found.mask.min() >= 0, f"{name}: a mask leaves [0, 1]"
            assert 0 < found.mask.max() <= 1, f"{name}: a mask is empty or leaves [0, 1]"


def _check_arguments(
    name: str, grounder: Grounder, images: Sequence[Image], step: EditStep
) -> None:
    given = [image.copy() for image in images[-1:]]
    for image in given:
        image.flags.writeable = False
    try:
        grounder.ground(given, step)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise AssertionError(f"{name}: it writes into its arguments ({error})") from error


def _check_odd_pictures(name: str, grounder: Grounder, step: EditStep) -> None:
    """Pictures of any size and with broken pixels must be taken without a crash."""
    holed = scene(60, 80)[0]
    holed[0, 0], holed[-1, -1] = np.nan, np.inf
    odd = [
        holed,
        np.full((1, 1, 3), 0.4, np.float32),
        scene(12, 200)[0],
        scene(200, 9)[0],
    ]
    for image in odd:
        _check_row(name, grounder.ground([image], step)[0], image)


def _check_same(
    name: str,
    first: Sequence[Sequence[Detection]],
    second: Sequence[Sequence[Detection]],
    tolerance: float,
    message: str,
) -> None:
    for one, other in zip(first, second, strict=True):
        assert len(one) == len(other), f"{name}: {message}; {len(one)} and {len(other)} were found"
        for a, b in zip(one, other, strict=True):
            apart = max(
                float(np.abs(np.subtract(a.box or 0, b.box or 0)).max()), abs(a.score - b.score)
            )
            assert apart <= tolerance, f"{name}: {message}; they differ by {apart:.2g}"
