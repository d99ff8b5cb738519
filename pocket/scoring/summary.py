"""Means of records with bootstrap intervals, by condition and task, and paired differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from jaxtyping import Float64, Int64

from image_core.disk_cache import content_key
from pocket.flat.settings import Pairs
from pocket.scoring.records import Record

ALL = "all"
"""In place of a task: over all of them."""

_DRAWS = 2000  # resamples of a bootstrap
_TAILS = (2.5, 97.5)  # per cent: an interval of 95
_SEED_DIGITS = 16  # hexadecimal


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean and the interval that 95 % of resampled means lie in (percentile bootstrap).

    Attributes:
        mean: Of the values.
        low: The interval's lower end.
        high: Its upper end.
        count: Of how many values.
    """

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one condition or reference came to on one kind of edit.

    Errors and regions are of the edits that were made, ``right`` of all: a refusal is not right.

    Attributes:
        pairs: Whether edits make what training showed.
        label: The editor with what was chosen for it, or a reference's name.
        regions: What region it was given; empty for a reference.
        task: Or ``ALL``.
        count: How many cases.
        made: Of how many there is a picture.
        refusals: How many were refused, by the error's type.
        means: By the name of the measure, ``rows`` and ``seconds`` among them; those that no case
            has a value of are left out.
        rows: Mean of what went through each network.
    """

    pairs: Pairs
    label: str
    regions: str
    task: str
    count: int
    made: int
    refusals: Mapping[str, int]
    means: Mapping[str, Mean]
    rows: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much one condition differs from another on the same cases.

    Attributes:
        pairs: Whether edits make what training showed.
        first: Label and regions.
        second: The same of the other.
        means: First minus second, by measure, over the cases that both have a value of.
    """

    pairs: Pairs
    first: str
    second: str
    means: Mapping[str, Mean]


def _measure(name: str) -> Callable[[Record], float | None]:
    def value(record: Record) -> float | None:
        found = getattr(record.measures, name)
        return None if found is None else float(found)

    return value


MEASURES: Mapping[str, Callable[[Record], float | None]] = {
    "right": _measure("right"),
    "objects": _measure("objects"),
    "found_iou": _measure("found_iou"),
    "region_iou": _measure("region_iou"),
    "inside_mae": _measure("inside_mae"),
    "inside_psnr": _measure("inside_psnr"),
    "outside_mae": _measure("outside_mae"),
    "rows": lambda record: float(sum(record.rows.values())),
    "seconds": lambda record: record.seconds,
}
"""What is averaged, in the order in which it is told."""
_COMPARED = ("right", "found_iou", "region_iou", "inside_mae", "outside_mae")


def summed(records: Iterable[Record], *, seed: int) -> list[Row]:
    """Sum records up: for each pairs, condition or reference, and task, ``ALL`` first.

    Args:
        records: In the order in which conditions shall be told.
        seed: Of the bootstrap.
    """
    rows = []
    for (pairs, label, regions), own in _grouped(records).items():
        tasks = [ALL, *dict.fromkeys(record.task for record in own)]
        for task in tasks:
            some = [record for record in own if task in (ALL, record.task)]
            rows.append(_row(pairs, label, regions, task, some, seed))
    return rows


def differences(records: Iterable[Record], *, seed: int) -> list[Difference]:
    """Compare every two conditions, references left out, over the cases of both.

    Args:
        records: Of all conditions.
        seed: Of the bootstrap; cases are resampled, each with both its values.
    """
    found = []
    own = {who: rows for who, rows in _grouped(records).items() if who[2]}
    for first, second in combinations(own, 2):
        if first[0] != second[0]:
            continue
        other = {record.case: record for record in own[second]}
        both = [(one, other[one.case]) for one in own[first] if one.case in other]
        means = {}
        for name in _COMPARED:
            value = MEASURES[name]
            pairs = [(value(one), value(two)) for one, two in both]
            apart = [a - b for a, b in pairs if a is not None and b is not None]
            if apart:
                means[name] = mean_of(apart, seed=seed)
        found.append(
            Difference(pairs=first[0], first=_who(first), second=_who(second), means=means)
        )
    return found


def mean_of(values: Sequence[float], *, seed: int) -> Mean:
    """Return the mean of values with its interval.

    Args:
        values: At least one.
        seed: With the count it keys the resampling, so that values of the same cases are resampled
            alike.
    """
    array = np.asarray(values, dtype=np.float64)
    low, high = np.percentile(_resampled(array, seed), _TAILS)
    return Mean(mean=float(array.mean()), low=float(low), high=float(high), count=len(array))


def _resampled(values: Float64[np.ndarray, " n"], seed: int) -> Float64[np.ndarray, " draws"]:
    return np.asarray(values[_draws(len(values), seed)].mean(axis=1))


@lru_cache(maxsize=8)
def _draws(count: int, seed: int) -> Int64[np.ndarray, "draws n"]:
    key = content_key("bootstrap", str(seed), str(count))[:_SEED_DIGITS]
    return np.random.default_rng(int(key, 16)).integers(count, size=(_DRAWS, count))


_Who = tuple[Pairs, str, str]


def _grouped(records: Iterable[Record]) -> dict[_Who, list[Record]]:
    groups: dict[_Who, list[Record]] = {}
    for record in records:
        groups.setdefault((record.pairs, record.label, record.regions), []).append(record)
    return dict(sorted(groups.items(), key=lambda group: group[0][0] != "seen"))  # stable


def _who(condition: _Who) -> str:
    return f"{condition[1]}, {condition[2]}"


def _row(
    pairs: Pairs, label: str, regions: str, task: str, records: Sequence[Record], seed: int
) -> Row:
    means = {}
    for name, value in MEASURES.items():
        found = [one for one in map(value, records) if one is not None]
        if found:
            means[name] = mean_of(found, seed=seed)
    networks = dict.fromkeys(name for record in records for name in record.rows)
    return Row(
        pairs=pairs,
        label=label,
        regions=regions,
        task=task,
        count=len(records),
        made=sum(not record.refusal for record in records),
        refusals=dict(Counter(record.refusal for record in records if record.refusal)),
        means=means,
        rows={
            name: sum(record.rows.get(name, 0) for record in records) / len(records)
            for name in networks
        },
    )
