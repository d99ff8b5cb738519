"""Counting what goes through networks: rows, which is batch size times calls, by network.

A part calls ``count`` where a network runs. Whoever wants to know opens ``counting`` around the
work; without one, ``count`` does nothing. Counts are exact: they are made at the call itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OPEN: ContextVar[tuple[Counter[str], ...]] = ContextVar("open_counters", default=())


def count(network: str, rows: int) -> None:
    """Note that ``rows`` samples went through a network ("unet", "vae encoder", "sam" …)."""
    for counter in _OPEN.get():
        counter[network] += rows


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Give a counter of all rows that pass while the context is open; contexts may nest."""
    counter: Counter[str] = Counter()
    token = _OPEN.set((*_OPEN.get(), counter))
    try:
        yield counter
    finally:
        _OPEN.reset(token)
