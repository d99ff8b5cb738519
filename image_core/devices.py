"""On which device and in which precision networks run, and how much memory there is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from image_core.errors import InvalidInput

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a network lies.

    Attributes:
        device: Of torch, such as ``cpu`` or ``cuda:0``.
        dtype: Of its weights.
    """

    device: torch.device
    dtype: torch.dtype

    @property
    def half(self) -> bool:
        """Whether it computes in 16 bits, and so could overflow."""
        return self.dtype.itemsize < 4


def placement(device: str = "auto", dtype: Precision = "auto") -> Placement:
    """Choose device and precision.

    Args:
        device: ``auto`` takes CUDA where it is, then Apple's MPS, then the CPU.
        dtype: ``auto`` is bfloat16 on CUDA devices that have it, float16 on others, and float32
            on the CPU and on MPS.

    Raises:
        InvalidInput: The device is not on this machine, or there is no such precision.
    """
    import torch

    if dtype not in get_args(Precision):
        raise InvalidInput(f"dtype={dtype} is not one of {', '.join(get_args(Precision))}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu" and torch.backends.mps.is_available():
            device = "mps"
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).item()  # "meta" lets itself be made, but holds no values
    except (RuntimeError, AssertionError, ImportError) as error:
        raise InvalidInput(
            f"the device {device!r} cannot be used: {str(error).splitlines()[0]}",
            hint="--device cpu always works.",
        ) from error
    return Placement(device=chosen, dtype=_dtype(chosen, dtype))


def _dtype(device: torch.device, wanted: Precision) -> torch.dtype:
    import torch

    if wanted != "auto":
        found = getattr(torch, wanted)
        assert isinstance(found, torch.dtype)
        return found
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def total_memory(device: str = "auto") -> tuple[int, str]:
    """Return the bytes of memory that networks may take on a device, and its name.

    Networks may wait in main memory for their turn on a GPU, so that a GPU counts with it.
    """
    import torch

    main = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    on_gpu = torch.cuda.is_available() if device == "auto" else device.startswith("cuda")
    if not (on_gpu and torch.cuda.is_available()):
        return main, "main memory"
    own = torch.cuda.get_device_properties(0 if device == "auto" else torch.device(device))
    return min(main, 3 * own.total_memory), own.name


def free_memory(device: torch.device) -> int:
    """Return the bytes of a device's memory that new work can have.

    For main memory (and Apple's, which is shared) that counts what the system would free for it,
    such as cached files; where the system does not tell, all of the memory.
    """
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return _available()


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line[:13] == "MemAvailable:")
    except (OSError, StopIteration, ValueError, IndexError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
