"""Fitting CoDeF's fields to a shot: from frames and flows to a deformation and its picture.

Needs torch. Made and measured on a CPU; it runs on a GPU by the same code, which is untested.
"""

from __future__ import annotations

import io
import logging
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from image_core.devices import placement
from image_core.disk_cache import content_key
from image_core.errors import InvalidInput
from image_core.photo.atomic import write_atomically
from video.canonical import Canonical
from video.chains import Regions
from video.deformation import CanonicalWindow
from video.flow_types import Flows
from video.frames import Frames, Span
from video.hash_deformation import HashDeformation, canonical_colours
from video.hash_fields import Extent
from video.hash_quality import agreement, coverage
from video.hash_samples import Footage, Group, read_footage
from video.hash_settings import FIXED, HashSettings
from video.hash_training import HashTraining

_LOG = logging.getLogger("insitu.video")
_MARGIN = 0.1  # of the window, in shares of a side, where no chained flow tells how far it leads
_RARE = 0.002  # share of a frame's places at each end that may lie outside the window
_PRESENT = 128  # of 255, from which a pixel belongs to the group
_SLACK = 2  # pixels around them

# what zipfile and torch raise on files that are cut off, overwritten, or of something else
_DAMAGE = (zipfile.BadZipFile, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError)


@dataclass(frozen=True, kw_only=True)
class FittedGroup:
    """One group's result.

    Attributes:
        deformation: Where each frame's pixels lie.
        canonical: The picture at the size of the fit.
    """

    deformation: HashDeformation
    canonical: Canonical


@dataclass(frozen=True, kw_only=True)
class HashFit:
    """A shot's result.

    Attributes:
        groups: One, or the foreground and the background.
        psnr: Of each frame as the fields show it, in dB.
        held_out_psnr: On pixels that were not trained on, at each check, in dB.
        steps: How many were done.
    """

    groups: tuple[FittedGroup, ...]
    psnr: tuple[float, ...]
    held_out_psnr: tuple[float, ...]
    steps: int


def fit_hash(
    frames: Frames,
    flows: Flows,
    span: Span,
    settings: HashSettings = FIXED,
    *,
    reference: int | None = None,
    regions: Regions | None = None,
    seed: int = 0,
    device: str = "auto",
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> HashFit:
    """Fit the fields to a shot.

    Args:
        frames: The clip at the size of the fit.
        flows: Between its frames; they may be of another size.
        span: The shot.
        settings: The model and its training.
        reference: The frame that lies in the canonical picture as it is; the middle one if None.
        regions: The target's masks: it and the rest then have canonical pictures of their own.
        seed: Of all that is drawn. On a CPU, the same gives the same bits.
        device: Of torch; ``auto`` takes CUDA where it is.
        checkpoint: A file in which the training is kept at each check, and gone on from if it is
            of this very shot and these settings.
        progress: Is told the steps done and those of the whole training; may raise to stop it.

    Raises:
        InvalidInput: The span or the reference frame does not lie in the clip.
        EditFailed: The training diverged.
    """
    _check(frames, span, reference)
    middle = (span.start + span.stop - 1) // 2 if reference is None else reference
    where = placement(device, "float32").device
    shot = read_footage(
        frames,
        flows,
        span,
        middle,
        regions=regions,
        chained=settings.losses.chain > 0 or settings.margin is None,
        held_out=settings.held_out,
        seed=seed,
        device=where,
    )
    extents = [
        Extent(span=span, reference=middle, window=chosen_window(shot, group, settings.margin))
        for group in shot.groups
    ]
    training = HashTraining(shot, extents, settings, seed=seed)
    key = _key(shot, middle, settings, seed)
    if checkpoint is not None:
        _resume(training, checkpoint, key)
    while not training.finished:
        training.advance()
        if progress is not None:
            progress(training.step, settings.steps)
        if checkpoint is not None and training.step % settings.check_every == 0:
            _keep(training, checkpoint, key)
    if checkpoint is not None:
        _keep(training, checkpoint, key)
    return _result(training, shot)


def chosen_window(shot: Footage, group: Group, margin: float | None) -> CanonicalWindow:
    """Return the canonical window: of a given margin, or as far as the chained flow leads."""
    width, height = shot.size
    if margin is not None or group.chain is None:
        share = _MARGIN if margin is None else margin
        x, y = round(share * width), round(share * height)
        return CanonicalWindow(frame=(width, height), left=x, top=y, right=x, bottom=y)
    lowest, highest = [0.0, 0.0], [width - 1.0, height - 1.0]
    for row in range(len(shot.span)):
        # whether trusted or not: a chain that leaves the reference frame never is
        known = group.weight[row] >= _PRESENT
        if not known.any():
            continue
        led = group.chain.flow[row][known].float() + known.nonzero().flip(1)
        ends = torch.from_numpy(np.quantile(led.cpu().numpy(), [_RARE, 1 - _RARE], axis=0))
        for axis in range(2):
            lowest[axis] = min(lowest[axis], float(ends[0, axis]) - _SLACK)
            highest[axis] = max(highest[axis], float(ends[1, axis]) + _SLACK)
    return CanonicalWindow.holding(
        (width, height), (lowest[0], lowest[1]), (highest[0], highest[1])
    )


def _check(frames: Frames, span: Span, reference: int | None) -> None:
    if not 0 <= span.start < span.stop <= len(frames):
        raise InvalidInput(
            f"frames {span.start} to {span.stop - 1} are not all in a clip of {len(frames)}",
            hint="Give a span that holds at least one frame of the clip.",
        )
    if reference is not None and reference not in span:
        raise InvalidInput(
            f"the reference frame {reference} is not one of {span.start} to {span.stop - 1}",
            hint="Choose one of the shot's own frames.",
        )


def _result(training: HashTraining, shot: Footage) -> HashFit:
    opened = tuple(training.opened().tolist())
    groups = []
    for number, group in enumerate(shot.groups):
        fields = training.group(number)
        found = HashDeformation(
            fields=fields, opened=opened, trust=agreement(fields, shot, group, opened)
        )
        picture = Canonical(
            window=found.window,
            picture=canonical_colours(fields, found.window.size),
            coverage=coverage(found, group.weight.cpu().numpy()),
        )
        groups.append(FittedGroup(deformation=found, canonical=picture))
    return HashFit(
        groups=tuple(groups),
        psnr=tuple(training.frame_psnr(row) for row in range(len(shot.span))),
        held_out_psnr=tuple(training.held_out_psnr),
        steps=training.step,
    )


def _key(shot: Footage, reference: int, settings: HashSettings, seed: int) -> str:
    """Return what a checkpoint must agree in to be gone on from."""
    content: list[str | bytes] = [repr((shot.span, shot.size, reference, settings, seed))]
    content.append(shot.colours.cpu().numpy().tobytes())
    content += [group.weight.cpu().numpy().tobytes() for group in shot.groups]
    content += [motion.flow.cpu().numpy().tobytes() for motion in (shot.ahead, shot.back)]
    return content_key(*content)


def _keep(training: HashTraining, path: Path, key: str) -> None:
    held = io.BytesIO()
    torch.save({"key": key, **training.state_dict()}, held)
    write_atomically(path, held.getvalue())


def _resume(training: HashTraining, path: Path, key: str) -> None:
    """Go on from a checkpoint, where it is whole and of this very training."""
    if not path.is_file():
        return
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None:  # torch itself leaves the checksums unread
                raise ValueError("a checksum is wrong")
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if state["key"] == key:
            training.load_state_dict(state)
        else:
            _LOG.info("%s is of another shot or of other settings: starting anew", path)
    except _DAMAGE as error:
        _LOG.warning("%s is damaged, starting anew: %s", path, error)
