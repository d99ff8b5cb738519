"""Where networks run: what is asked for, what the machine has, and what cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from image_core.devices import Placement, free_memory, placement  # noqa: E402
from image_core.errors import InvalidInput  # noqa: E402


class Cuda:
    """A machine's CUDA, as much of it as is asked about."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, there: bool, bf16: bool = True) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)
        made = torch.zeros
        monkeypatch.setattr(torch, "zeros", lambda n, device: made(n))


def test_on_a_machine_without_an_accelerator_auto_is_the_cpu_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Cuda(monkeypatch, there=False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    chosen = placement()
    assert (chosen.device.type, chosen.dtype) == ("cpu", torch.float32)
    assert not chosen.half


@pytest.mark.parametrize(("bf16", "dtype"), [(True, "bfloat16"), (False, "float16")])
def test_auto_takes_cuda_in_the_16_bits_that_it_has(
    monkeypatch: pytest.MonkeyPatch, bf16: bool, dtype: str
) -> None:
    Cuda(monkeypatch, there=True, bf16=bf16)
    chosen = placement()
    assert (chosen.device.type, chosen.dtype) == ("cuda", getattr(torch, dtype))
    assert chosen.half


def test_auto_takes_mps_before_the_cpu_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    Cuda(monkeypatch, there=False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    chosen = placement()
    assert (chosen.device.type, chosen.dtype) == ("mps", torch.float32)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_precision_that_is_asked_for_is_taken(dtype: Any) -> None:
    chosen = placement("cpu", dtype)
    assert chosen.dtype is getattr(torch, dtype)
    assert chosen.half == (dtype != "float32")


@pytest.mark.parametrize("device", ["nonsense", "", "CPU", "cpu ", "cuda:x", "meta", "hpu", "xpu"])
def test_a_device_that_cannot_be_used_is_refused_with_one_that_can(device: str) -> None:
    with pytest.raises(InvalidInput, match="device") as caught:
        placement(device)
    assert "cpu" in caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_cuda_is_refused_where_there_is_none(device: str) -> None:
    with pytest.raises(InvalidInput):
        placement(device)


def test_what_is_no_precision_is_refused() -> None:
    # in a child, where no shape checks refuse the value first
    code = (
        "from image_core.devices import placement\n"
        "from image_core.errors import InvalidInput\n"
        "for dtype in ('int8', 'float64', 'nonsense', 'load', ''):\n"
        "    try: print(placement('cpu', dtype))\n"
        "    except InvalidInput as error: print('refused', 'dtype' in str(error))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines() == ["refused True"] * 5, ran.stderr


def test_free_memory_counts_what_a_cache_of_files_would_give_back() -> None:
    free = free_memory(torch.device("cpu"))
    table = Path("/proc/meminfo")
    assert free > 0
    if table.exists():
        values = dict(line.split()[:2] for line in table.read_text().splitlines())
        assert free < 1024 * int(values["MemTotal:"])
        assert free == pytest.approx(1024 * int(values["MemAvailable:"]), rel=0.2)


def test_a_system_that_does_not_tell_what_is_free_tells_its_whole_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert free_memory(torch.device("mps")) >= 2**28


def test_half_is_what_could_overflow() -> None:
    cpu = torch.device("cpu")
    halves = [Placement(device=cpu, dtype=t).half for t in (torch.float16, torch.bfloat16)]
    wholes = [Placement(device=cpu, dtype=t).half for t in (torch.float32, torch.float64)]
    assert all(halves)
    assert not any(wholes)
