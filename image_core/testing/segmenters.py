"""The promises of the segmenter seam, tried one by one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from image_core.compositing import bounding_box
from image_core.seams import Segmenter
from image_core.testing.scenes import scene
from image_core.types import Detection, Image, Mask, Region

REACH = 3
"""Pixels by which an alpha's support may exceed the hard region."""

_MOVED = 5  # pixels by which a segmenter may move a given mask's edge onto the picture's


def check_segmenter(segmenter: Segmenter, *, tolerance: float = 0.0) -> None:
    """Check that a segmenter keeps what the seam promises.

    Args:
        segmenter: The segmenter, built.
        tolerance: Largest share of a picture's pixels in which two runs that should be equal may
            differ; 0 asks for equal bits.

    Raises:
        AssertionError: A promise is broken; the message says which.
    """
    name = type(segmenter).__name__
    images, masks = zip(*(scene(*size) for size in ((96, 128), (96, 128), (120, 80))), strict=True)
    wanted = [_detections(mask) for mask in masks]
    assert segmenter.segment([], []) == [], f"{name}: no images must give no rows"
    assert segmenter.segment(images, [[], [], []]) == [[], [], []], (
        f"{name}: an image without detections must give an empty row"
    )
    found = segmenter.segment(images, wanted)
    assert len(found) == len(images), f"{name}: {len(images)} images gave {len(found)} rows"
    for row, detections, image in zip(found, wanted, images, strict=True):
        _check_row(name, row, detections, image)
    _check_arguments(name, segmenter, images, wanted)
    again = segmenter.segment(images, wanted)
    _check_same(name, found, again, 0.0, "the same detections must be cut the same twice")
    pairs = zip(images, wanted, strict=True)
    alone = [segmenter.segment([image], [detections])[0] for image, detections in pairs]
    _check_same(name, found, alone, tolerance, "a batch must equal its pictures one by one")
    single = [
        region
        for detection in wanted[0]
        for region in segmenter.segment(images[:1], [[detection]])[0]
    ]
    _check_same(name, found[:1], [single], tolerance, "detections must not influence each other")
    _check_masks(name, segmenter, images[0], masks[0])
    _check_unusable(name, segmenter, images[0])
    try:
        segmenter.segment(images, wanted[:1])
    except ValueError:
        return
    raise AssertionError(f"{name}: lists of different lengths must raise ValueError")


def _detections(mask: Mask) -> list[Detection]:
    bounds = bounding_box(mask > 0)
    assert bounds is not None
    x0, y0, x1, y1 = (float(side) for side in bounds)
    centre = ((x0 + x1) / 2, (y0 + y1) / 2)
    box = (x0 - 1, y0 - 1, x1 + 1, y1 + 1)
    return [
        Detection(box=box, score=0.8, evidence="a disc"),
        Detection(box=None, points=(centre,), not_points=((1.0, 1.0),), evidence="a point in it"),
        Detection(box=box, mask=mask, score=0.6, evidence="its outline"),
        Detection(box=box, points=(centre,), score=0.7, evidence="both"),
    ]


def _check_row(
    name: str, row: Sequence[Region], detections: Sequence[Detection], image: Image
) -> None:
    assert len(row) <= len(detections), f"{name}: more regions than detections"
    for region in row:
        alpha = region.alpha
        assert alpha.shape == image.shape[:2], f"{name}: an alpha must have the picture's size"
        assert alpha.dtype == np.float32, f"{name}: an alpha must be float32; this is {alpha.dtype}"
        assert np.isfinite(alpha).all(), f"{name}: NaN or infinity in an alpha"
        assert alpha.min() >= 0, f"{name}: an alpha leaves [0, 1]"
        assert 0 < alpha.max() <= 1, f"{name}: an alpha is empty or leaves [0, 1]"
        assert region.evidence, f"{name}: a region must say where it comes from (evidence)"
        most = max(detection.score for detection in detections)
        assert 0 < region.confidence <= most, (
            f"{name}: confidence {region.confidence} is more than the detections' {most}"
        )


def _check_arguments(
    name: str,
    segmenter: Segmenter,
    images: Sequence[Image],
    wanted: Sequence[Sequence[Detection]],
) -> None:
    given = [image.copy() for image in images]
    masks = [found.mask for row in wanted for found in row if found.mask is not None]
    for array in (*given, *masks):
        array.flags.writeable = False
    try:
        segmenter.segment(given, wanted)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise AssertionError(f"{name}: it writes into its arguments ({error})") from error
    finally:
        for mask in masks:
            mask.flags.writeable = True


def _check_masks(name: str, segmenter: Segmenter, image: Image, mask: Mask) -> None:
    """A detection with a mask keeps it but for its edge."""
    rows = segmenter.segment([image], [[Detection(box=None, mask=mask, score=0.6)]])
    assert len(rows[0]) == 1, f"{name}: a detection with a mask must give its region"
    alpha, inside = rows[0][0].alpha, mask > 0.5
    near = _grown(inside, _MOVED + REACH)
    assert not (alpha[~near] > 0).any(), f"{name}: a given mask's region reaches far beyond it"
    core = ~_grown(~inside, _MOVED + 2 * REACH)
    assert (alpha[core] > 0.5).all(), f"{name}: a given mask's inside was lost"


def _check_unusable(name: str, segmenter: Segmenter, image: Image) -> None:
    """What cannot be cut is left out, and harms nothing else."""
    nan = float("nan")
    unusable = [
        Detection(box=(-50.0, -50.0, -10.0, -10.0)),
        Detection(box=(500.0, 10.0, 600.0, 20.0)),
        Detection(box=(20.0, 20.0, 20.0, 40.0)),
        Detection(box=(nan, 0.0, 10.0, 10.0)),
        Detection(box=None, points=((500.0, 500.0),)),
        Detection(box=None),
        Detection(box=None, mask=np.zeros(image.shape[:2], np.float32)),
        Detection(box=None, mask=np.ones((3, 5), np.float32)),
    ]
    for detection in unusable:
        row = segmenter.segment([image], [[detection]])[0]
        assert row == [], f"{name}: {detection} cannot be cut and must be left out"
    for shape in ((1, 1), (2, 300), (300, 3)):
        odd = np.full((*shape, 3), 0.4, np.float32)
        whole = Detection(box=(0.0, 0.0, float(shape[1]), float(shape[0])))
        _check_row(name, segmenter.segment([odd], [[whole]])[0], [whole], odd)
    holed = image.copy()
    holed[0, 0], holed[-1, -1] = np.nan, np.inf
    wanted = Detection(box=(30.0, 20.0, 90.0, 80.0))
    _check_row(name, segmenter.segment([holed], [[wanted]])[0], [wanted], holed)


def _grown(inside: np.ndarray, radius: int) -> np.ndarray:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(inside.astype(np.uint8), disc) > 0)


def _check_same(
    name: str,
    first: Sequence[Sequence[Region]],
    second: Sequence[Sequence[Region]],
    tolerance: float,
    message: str,
) -> None:
    for one, other in zip(first, second, strict=True):
        assert len(one) == len(other), f"{name}: {message}; {len(one)} and {len(other)} were cut"
        for a, b in zip(one, other, strict=True):
            apart = float(np.mean(np.abs(a.alpha - b.alpha) > tolerance))
            assert apart <= tolerance, f"{name}: {message}; {apart:.2%} of the pixels differ"
