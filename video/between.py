"""A region that the user marked on several frames, carried to all between and beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np

from image_core.compositing import on_8_bit_grid
from image_core.errors import InvalidInput
from image_core.types import Mask, no_progress
from video.fine_alpha import fine_alpha
from video.flow_types import Flows
from video.frames import Frames, Picture, Span
from video.propagate import CarriedFrame, CarrySettings, carry, check_region


def carry_between(
    frames: Frames,
    flows: Flows,
    span: Span,
    masks: Mapping[int, Mask],
    *,
    settings: CarrySettings | None = None,
    done: Mapping[int, Mask | None] | None = None,
    progress: Callable[[str, float], None] = no_progress,
) -> Iterator[CarriedFrame]:
    """Carry regions that are known on several frames.

    Between two of them each is carried towards the other and the nearer one counts more; before the
    first and behind the last there is but one. A frame with a mask of its own has that mask. Of the
    frames between two masks the alphas are held in memory, packed.

    Args:
        frames: At full size.
        flows: Between neighbours, at the working size.
        span: The frames that are wanted, of one shot.
        masks: Alphas by frame, (H, W) in [0, 1].
        settings: How they are carried.
        done: Frames that were yielded before; what lies between two masks is made anew unless all
            of it is there, and yields the same.
        progress: Told the stage "carry" and the done share.

    Yields:
        The frames of the stretch that are not done, from the first mask's on, then those before.

    Raises:
        InvalidInput: There is no mask in this stretch, or one does not fit its frame.
    """
    known = sorted(index for index in masks if index in span)
    if not known:
        raise InvalidInput(
            f"no mask belongs to one of the frames {span.start} to {span.stop - 1}",
            hint="Give a mask for at least one frame of each shot.",
        )
    for index in known:
        check_region(frames, span, index, masks[index])
    settings, done = settings or CarrySettings(), done or {}
    finished = 0

    def told(carried: CarriedFrame) -> Iterator[CarriedFrame]:
        nonlocal finished
        finished += 1
        progress("carry", finished / len(span))
        if carried.index not in done:
            yield carried

    for index, following in zip(known, [*known[1:], None], strict=True):
        own = CarriedFrame(index=index, alpha=masks[index], trust=1.0, agreement=1.0)
        yield from told(own)
        if following is None:
            part = Span(index, span.stop)
            for carried in _beyond(frames, flows, part, index, masks[index], settings, done):
                yield from told(carried)
            continue
        between = range(index + 1, following)
        if all(k in done for k in between):
            finished += len(between)
            continue
        ends = (index, masks[index]), (following, masks[following])
        for carried in _meeting(frames, flows, *ends, settings):
            yield from told(carried)
    part = Span(span.start, known[0] + 1)
    for carried in _beyond(frames, flows, part, known[0], masks[known[0]], settings, done):
        yield from told(carried)


def _beyond(
    frames: Frames,
    flows: Flows,
    part: Span,
    key: int,
    mask: Mask,
    settings: CarrySettings,
    done: Mapping[int, Mask | None],
) -> Iterator[CarriedFrame]:
    """Carry a mask to the end of the stretch, where no other one follows."""
    for carried in carry(frames, flows, part, key, mask, settings=settings, done=done):
        if carried.index != key:
            yield carried


def _meeting(
    frames: Frames,
    flows: Flows,
    first: tuple[int, Mask],
    second: tuple[int, Mask],
    settings: CarrySettings,
) -> Iterator[CarriedFrame]:
    """Carry two masks towards each other."""
    part = Span(first[0], second[0] + 1)
    back = {
        carried.index: _Packed(carried)
        for carried in carry(frames, flows, part, *second, settings=settings)
    }
    for carried in carry(frames, flows, part, *first, settings=settings):
        index = carried.index
        if index in (first[0], second[0]):
            continue
        share = (index - first[0]) / (second[0] - first[0])
        yield _joined(frames.rgb(index), carried, back.pop(index).unpacked(), share)


class _Packed:
    """A carried frame whose alpha, on the 8-bit grid, is packed as a PNG file is."""

    def __init__(self, carried: CarriedFrame) -> None:
        self._carried = carried
        self._data: np.ndarray | None = None
        if carried.alpha is not None:
            levels = np.rint(carried.alpha * 255).astype(np.uint8)
            self._data = np.asarray(cv2.imencode(".png", levels)[1])
        self._carried = CarriedFrame(
            index=carried.index, alpha=None, trust=carried.trust, agreement=carried.agreement
        )

    def unpacked(self) -> CarriedFrame:
        """Return the frame as it was."""
        if self._data is None:
            return self._carried
        levels = np.asarray(cv2.imdecode(self._data, cv2.IMREAD_GRAYSCALE), np.float32)
        return CarriedFrame(
            index=self._carried.index,
            alpha=levels / np.float32(255),
            trust=self._carried.trust,
            agreement=self._carried.agreement,
        )


def _joined(
    picture: Picture, first: CarriedFrame, second: CarriedFrame, share: float
) -> CarriedFrame:
    """Blend what two masks say of a frame; the second one has this share.

    Outlines that differ would blend into a ghost between them: the mean is cut in the middle and
    gets an edge of its own.
    """
    if first.alpha is None or second.alpha is None:
        return first if second.alpha is None else second
    mean = (1 - share) * first.alpha + share * second.alpha
    alpha = on_8_bit_grid(fine_alpha(picture, mean > 0.5))
    both = (first.alpha > 0.5) & (second.alpha > 0.5)
    either = (first.alpha > 0.5) | (second.alpha > 0.5)
    return CarriedFrame(
        index=first.index,
        alpha=alpha if alpha.any() else None,
        trust=(1 - share) * first.trust + share * second.trust,
        agreement=float(np.count_nonzero(both)) / max(1, int(np.count_nonzero(either))),
    )
