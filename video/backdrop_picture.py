"""The background of a stretch as one sharp picture, put together from the frames that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from image_core.types import Image, Mask
from video.chains import resized_mask
from video.deformation import CanonicalWindow, Deformation
from video.filling import pulled_and_pushed
from video.frame_edits import as_float
from video.frames import Frames
from video.inverse import inverted
from video.warping import Field, grid, inside, sample

_SEEN = 0.99  # of a pixel's surroundings that must be background for it to be taken
_SAFE = 2  # px around what hides the background whose colours are mixed with its own
_FEW = 16  # pixels that two frames must share for their light to be compared
_LIGHT = 8.0  # px over which the difference of light is averaged
_OUTLIER = 0.1  # of colours in [0, 1]: a difference beyond is none of light
_WITNESSES = 12  # frames at most that are asked what most of them show
_ENOUGH = 3  # frames from which a pixel's median says something
_GAPS = 1e-3  # how far a known difference is drawn to its surroundings

_Seen = tuple[Image, Bool[np.ndarray, "h w"]]


@dataclass(frozen=True, kw_only=True)
class BackdropPicture:
    """What lies behind.

    Attributes:
        window: Its extent, for frames of full size.
        picture: Its colours in [0, 1], on the 8-bit grid.
        known: Which of them a frame shows.
    """

    window: CanonicalWindow
    picture: Image
    known: Bool[np.ndarray, "_ _"]


def put_together(
    frames: Frames,
    deformation: Deformation,
    shown: Callable[[int], Mask],
    needed: Sequence[int],
    holes: Callable[[int], Mask | None],
) -> BackdropPicture:
    """Take each pixel from the frame nearest to the reference frame that shows it.

    Args:
        frames: At full size.
        deformation: How they lie in the picture.
        shown: Where each frame shows the background.
        needed: The frames that are filled; no more is sought than what they need.
        holes: What is to be filled of them.
    """
    window = deformation.window.resized(frames.size)
    reference = deformation.reference
    picture = np.zeros((*window.size[::-1], 3), np.float32)
    known = np.zeros(picture.shape[:2], bool)
    window.crop(picture)[...] = as_float(frames.rgb(reference))
    window.crop(known)[...] = _surely(shown(reference), frames.size)
    wanted = _wanted(frames, deformation, window, needed, holes)
    order = sorted(deformation.span, key=lambda other: (abs(other - reference), other))
    witnesses = order[:: max(1, -(-len(order) // _WITNESSES))]
    reads = [_read(frames, deformation, index, window, shown) for index in witnesses]
    agreed, sure = _agreed(reads, wanted)
    # what differs from what most frames show is none of the background, even if it seemed so
    known &= ~(sure & _differ(picture, agreed))
    others = _others(frames, deformation, order, witnesses, window, shown)
    for read, there in chain(reads, others):
        fresh = there & ~known & wanted
        if fresh.any():
            light = lightness_left(picture - read, there & known)
            lit = np.clip(read + light, 0, 1)
            fresh &= ~(sure & _differ(lit, agreed))
            picture[fresh] = lit[fresh]
            known |= fresh
        if not (wanted & ~known).any():
            break
    picture = pulled_and_pushed(picture, known.astype(np.float32), hold=1e-6)
    picture = np.rint(picture * 255).astype(np.float32) / np.float32(255)
    return BackdropPicture(window=window, picture=picture, known=known)


def _others(
    frames: Frames,
    deformation: Deformation,
    order: Sequence[int],
    done: Sequence[int],
    window: CanonicalWindow,
    shown: Callable[[int], Mask],
) -> Iterator[_Seen]:
    """Read the frames that were not asked yet, as long as someone wants them."""
    for index in order:
        if index not in done:
            yield _read(frames, deformation, index, window, shown)


def _read(
    frames: Frames,
    deformation: Deformation,
    index: int,
    window: CanonicalWindow,
    shown: Callable[[int], Mask],
) -> _Seen:
    """Return what a frame shows of the picture, and where that is background."""
    at = _places_in(deformation, index, window)
    seen = np.asarray(_surely(shown(index), frames.size), np.float32)
    there = (sample(seen, at, border="zero") > _SEEN) & inside(at, frames.size)
    read = np.asarray(sample(as_float(frames.rgb(index)), at, filter="cubic"))
    return read, there


def _agreed(
    reads: Sequence[_Seen], wanted: Bool[np.ndarray, "h w"]
) -> tuple[Image, Bool[np.ndarray, "h w"]]:
    """Return the median of what frames show of each wanted pixel, and where enough of them do."""
    count = np.sum([there[wanted] for _, there in reads], axis=0)
    colours = np.stack([np.where(there[..., None], read, np.nan)[wanted] for read, there in reads])
    agreed = np.zeros((*wanted.shape, 3), np.float32)
    sure = np.zeros(wanted.shape, bool)
    sure[wanted] = count >= _ENOUGH
    enough = count >= _ENOUGH
    middle = np.zeros((len(count), 3), np.float32)
    if enough.any():
        middle[enough] = np.nanmedian(colours[:, enough], axis=0)
    agreed[wanted] = middle
    return agreed, sure


def _differ(first: Image, second: Image) -> Bool[np.ndarray, "h w"]:
    return np.asarray(np.abs(first - second).max(axis=-1) > _OUTLIER)


def lightness_left(
    difference: Float32[np.ndarray, "h w 3"], where: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 3"]:
    """Return a difference of light, smooth, continued from where it is known.

    Args:
        difference: Of two pictures' colours.
        where: Where both show the same thing; large differences don't count even there.
    """
    weight = where & (np.abs(difference).max(axis=-1) < _OUTLIER)
    if weight.sum() < _FEW:
        return np.zeros_like(difference)
    share = weight.astype(np.float32)
    spread = cv2.GaussianBlur(share, (0, 0), _LIGHT)
    sums = cv2.GaussianBlur(np.where(weight[..., None], difference, 0), (0, 0), _LIGHT)
    smooth = np.asarray(sums / np.maximum(spread, 1e-6)[..., None], np.float32)
    return pulled_and_pushed(smooth, share, hold=_GAPS)


def _surely(shown: Mask, size: tuple[int, int]) -> Bool[np.ndarray, "_ _"]:
    """Return where a full-size frame shows nothing but background."""
    safe = 2 * round(_SAFE * max(1.0, size[0] / shown.shape[1])) + 1
    whole = (resized_mask(shown, size) > _SEEN).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (safe, safe))
    return np.asarray(cv2.erode(whole, disc) > 0)


def _wanted(
    frames: Frames,
    deformation: Deformation,
    window: CanonicalWindow,
    needed: Sequence[int],
    holes: Callable[[int], Mask | None],
) -> Bool[np.ndarray, "_ _"]:
    """Return the pixels of the picture that some frame's hole is filled from."""
    wanted = np.zeros(window.size[::-1], np.uint8)
    for index in needed:
        hole = holes(index)
        if hole is None:
            continue
        places = deformation.places(index, frames.size)[hole > 0]
        columns = np.clip(np.rint(places[:, 0]), 0, window.size[0] - 1).astype(int)
        rows = np.clip(np.rint(places[:, 1]), 0, window.size[1] - 1).astype(int)
        wanted[rows, columns] = 1
    # cubic reading looks two pixels around
    return np.asarray(cv2.dilate(wanted, np.ones((7, 7), np.uint8)) > 0)


def _places_in(deformation: Deformation, index: int, window: CanonicalWindow) -> Field:
    """Return where each pixel of the full-size picture lies in a frame of full size."""
    small = deformation.window
    inverse = inverted(deformation.places(index), small.size)
    scale = np.array(
        [window.frame[0] / small.frame[0], window.frame[1] / small.frame[1]], np.float32
    )
    # the same map for larger pictures: both ends in shares of a frame
    fine = (grid(window.size) - window.origin + np.float32(0.5)) / scale - np.float32(0.5)
    at = sample(inverse.places, np.asarray(fine + small.origin, np.float32))
    return np.asarray((at + np.float32(0.5)) * scale - np.float32(0.5), np.float32)
