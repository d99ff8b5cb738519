"""Checkpoints as nerfstudio names them, but written whole, checked when read, and refused aloud.

nerfstudio writes in place, so that a kill leaves a torn file under the newest name; takes any set
of keys, so that weights of another implementation load as random ones; and keeps no random state.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pickle
import random
import re
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from image_core.errors import InvalidInput
from image_core.photo.atomic import not_writable, sync_folder

_LOG = logging.getLogger("insitu.nerf")
_FILE = re.compile(r"step-(\d{9,})\.ckpt")
# read as step 0 should nerfstudio, which takes the number between "-" and "." of every file in a
# checkpoint folder, ever meet it there
_TEMPORARY = "insitu-0.part"
_WHERE = "Name the folder that holds the step-….ckpt files (nerfstudio_models of a run)."
# what zipfile and torch raise on files that are cut off or overwritten
_DAMAGE = (zipfile.BadZipFile, EOFError, RuntimeError, ValueError, struct.error)


def allow_numpy_scalars() -> None:
    """Let ``torch.load(weights_only=True)`` take numpy numbers.

    nerfstudio's learning rate schedules put numpy.float64 into every checkpoint, which torch
    refuses by default. It holds for the whole process; calling it again changes nothing.
    """
    scalar: Any = np.float64(0).__reduce__()[0]
    allowed: list[Any] = [
        # the module's name in numpy 1 and 2
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        type(np.dtype(np.float64)),
    ]
    torch.serialization.add_safe_globals(allowed)


class _Sink(io.BufferedWriter):
    """A file that remembers why writing failed: torch replaces that by an error of its own."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


def _write_through(state: Mapping[str, Any], path: Path) -> None:
    with _Sink(io.FileIO(path, "w")) as sink:
        try:
            torch.save(dict(state), sink)
        except RuntimeError:
            if sink.failure is not None:
                raise sink.failure from None
            raise
        os.fsync(sink.fileno())


def _place_for_temporary(path: Path) -> Path:
    """Choose the run's folder, where it lies on the same disk and may be written to."""
    run = path.parent.parent
    same_disk = os.stat(run).st_dev == os.stat(path.parent).st_dev
    return (run if same_disk and os.access(run, os.W_OK) else path.parent) / _TEMPORARY


def save_atomically(state: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all; those written before stay as they are.

    Args:
        state: Tensors, numbers, strings, lists and dicts.
        path: In the checkpoint folder, which is made if need be. The file is written beside that
            folder first, by one process at a time, flushed to the disk, and then renamed.

    Raises:
        InvalidInput: It can't be written: a full disk, no permission.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _place_for_temporary(path)
        try:
            _write_through(state, temporary)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise not_writable(path, error) from error
    sync_folder(path.parent)


def _steps(folder: Path) -> dict[int, Path]:
    """Return the checkpoints in a folder by step, newest first."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise InvalidInput(f"cannot list {folder}: {error.strerror}", hint=_WHERE) from error
    found = {int(match[1]): folder / match[0] for match in map(_FILE.fullmatch, names) if match}
    return dict(sorted(found.items(), reverse=True))


def _load(path: Path) -> dict[str, Any] | None:
    """Return a checkpoint, None where the file is torn.

    Raises:
        InvalidInput: It is whole, but holds what isn't loaded, or can't be read.
    """
    allow_numpy_scalars()
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None:  # torch itself leaves the checksums unread
                return None
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        unsafe = ", ".join(sorted(torch.serialization.get_unsafe_globals_in_checkpoint(str(path))))
        raise InvalidInput(
            f"{path} is refused: it holds more than weights, numbers and names"
            + (f" ({unsafe})" if unsafe else ""),
            hint="Loading it could run foreign code; use a checkpoint that ns-train wrote.",
        ) from error
    except OSError as error:
        what = f"cannot read {path}: {error.strerror or error}"
        raise InvalidInput(what, hint="Check its permissions.") from error
    except _DAMAGE:
        return None
    if not isinstance(state, dict):
        raise InvalidInput(
            f"{path} holds no checkpoint but a {type(state).__name__}",
            hint="Use a checkpoint that ns-train wrote.",
        )
    return state


def latest_loadable(folder: Path, step: int | None = None) -> tuple[Path, dict[str, Any]]:
    """Load the newest checkpoint that is whole; torn ones are passed over with a warning.

    Args:
        folder: Holds ``step-000001234.ckpt`` files; other names are left out of account.
        step: Load this one and no other.

    Returns:
        Its path, and its content on the CPU.

    Raises:
        InvalidInput: There is none, none is whole, the one of that step is missing or torn, or the
            one to be loaded holds objects that ``weights_only`` refuses.
    """
    present = _steps(folder)
    if step is not None and step not in present:
        known = ", ".join(map(str, present)) or "none"
        raise InvalidInput(
            f"{folder} has no checkpoint of step {step}", hint=f"Choose one of these: {known}."
        )
    wanted = present if step is None else {step: present[step]}
    for path in wanted.values():
        state = _load(path)
        if state is not None:
            return path, state
        if step is None:
            _LOG.warning("%s is damaged or cut off; going back to the one before", path)
    if not wanted:
        raise InvalidInput(f"{folder} holds no checkpoint", hint=_WHERE)
    names = ", ".join(path.name for path in wanted.values())
    raise InvalidInput(
        f"no checkpoint could be loaded from {folder}: damaged or cut off: {names}",
        hint="Train anew." if step is None else "Leave out the step to take the newest whole one.",
    )


def keep_newest(folder: Path, count: int = 2) -> None:
    """Delete all but the newest checkpoints of a folder; files with other names stay.

    Args:
        folder: Of the checkpoints.
        count: How many stay, at least 1: two, so that there is one to go back to.
    """
    if count < 1:
        raise ValueError("at least one checkpoint must stay")
    for path in list(_steps(folder).values())[count:]:
        path.unlink(missing_ok=True)


def random_state() -> dict[str, Any]:
    """Return the state of every global random generator: Python's, numpy's, torch's, CUDA's."""
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(words), gauss],
        "numpy": [kind, [int(key) for key in keys], int(position), int(has_gauss), float(cached)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Put every global random generator back to where ``random_state`` found it.

    States of GPUs that this machine hasn't got are left out.

    Raises:
        InvalidInput: This is no such state.
    """
    try:
        version, words, gauss = state["python"]
        kind, keys, position, has_gauss, cached = state["numpy"]
        random.setstate((version, tuple(words), gauss))
        np.random.set_state((kind, np.array(keys, np.uint32), position, has_gauss, cached))
        torch.set_rng_state(state["torch"].cpu())
        devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
        for device, one in enumerate(state["cuda"][:devices]):
            torch.cuda.set_rng_state(one.cpu(), device)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError) as error:
        raise InvalidInput(
            f"the random state in the checkpoint is damaged: {error}",
            hint="Use another checkpoint of this run.",
        ) from error


def check_state(
    loaded: Mapping[str, Any],
    expected: Mapping[str, Any],
    *,
    optional: Callable[[str], bool] = lambda key: False,
) -> None:
    """Make sure that a checkpoint's weights are those of this model, all of them, in its shapes.

    Args:
        loaded: The checkpoint's state dict.
        expected: The model's own.
        optional: Tells of a key whether it may be on one side only.

    Raises:
        InvalidInput: A key is missing, is unknown, or has another shape.
    """
    missing = [key for key in expected if key not in loaded and not optional(key)]
    unknown = [key for key in loaded if key not in expected and not optional(key)]
    reshaped = [
        f"{key} {tuple(loaded[key].shape)} instead of {tuple(value.shape)}"
        for key, value in expected.items()
        if isinstance(value, torch.Tensor)
        and isinstance(loaded.get(key), torch.Tensor)
        and loaded[key].shape != value.shape
    ]
    if not (missing or unknown or reshaped):
        return
    reason, hint = _other_implementation(missing, unknown)
    differences = (_listed("lacks", missing), _listed("adds", unknown), _listed("has", reshaped))
    raise InvalidInput(
        f"the checkpoint is of another model, {reason}: it {'; '.join(filter(None, differences))}",
        hint=hint,
    )


def _listed(what: str, keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return f"{what} {', '.join(keys[:3])}{more}" if keys else ""


def _other_implementation(missing: Sequence[str], unknown: Sequence[str]) -> tuple[str, str]:
    """Say what two sets of keys tell of their models, and what to do about it."""

    def differ(theirs: str, ours: str) -> bool:
        return any(theirs in key for key in unknown) and any(ours in key for key in missing)

    if differ("tcnn_encoding", "hash_table"):
        return (
            "trained with tinycudann, which is not installed here or not used, so that it would "
            "have loaded as random weights",
            "Install tinycudann, or train the run with --pipeline.model.implementation torch.",
        )
    if differ("hash_table", "tcnn_encoding"):
        return (
            "trained in torch, while this one is built with tinycudann, so that it would have "
            "loaded as random weights",
            "Set --pipeline.model.implementation torch.",
        )
    return (
        "so that parts of it would have loaded as random weights",
        "Give the model the settings that the run was trained with (its config.yml).",
    )
