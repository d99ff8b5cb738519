"""How one box lies to another, for the relations that an instruction may name.

Pure geometry on XYXY boxes. Depth cannot be seen in boxes: "behind" and "in front of" only ask that
the two are near each other. The limits are judgement, not fitted to data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import hypot, sqrt
from typing import Literal

from image_core.types import Box

Bearing = Literal["near", "on", "within", "has", "above", "below", "left of", "right of", "between"]

RULED_OUT = 0.25
"""What remains of the score of a thing that does not lie as the words say."""

_BEARINGS: dict[str, Bearing] = {
    "on the left of": "left of", "to the left of": "left of", "left of": "left of",
    "on the right of": "right of", "to the right of": "right of", "right of": "right of",
    "on top of": "on", "in front of": "near", "next to": "near", "close to": "near",
    "in the middle of": "within", "standing on": "on", "sitting on": "on", "lying on": "on",
    "hanging on": "on", "resting on": "on", "attached to": "near", "inside of": "within",
    "beside": "near", "near": "near", "by": "near", "at": "near", "behind": "near",
    "against": "near", "on": "on", "upon": "on", "of": "within", "in": "within",
    "inside": "within", "within": "within",
    "from": "within", "with": "has", "wearing": "has", "holding": "has", "carrying": "has",
    "having": "has", "containing": "has", "riding": "near", "above": "above", "over": "above",
    "under": "below", "below": "below", "beneath": "below", "underneath": "below",
    "between": "between",
}  # fmt: skip
_LONGEST_FIRST = sorted(_BEARINGS, key=len, reverse=True)


def bearing_of(relation: str) -> tuple[Bearing | None, str]:
    """Split "next to the lamp" into its bearing and "the lamp"; None when no bearing is known."""
    for words in _LONGEST_FIRST:
        if relation.startswith(words + " "):
            return _BEARINGS[words], relation[len(words) :].strip()
    first, _, rest = relation.partition(" ")
    return None, rest or first


def relation_factor(bearing: Bearing, box: Box, hosts: Sequence[Box]) -> float:
    """Return how well a box lies to any of the hosts, in [``RULED_OUT``, 1].

    Args:
        bearing: How it should lie.
        box: Of the thing.
        hosts: Boxes of what it is related to; at least one, for "between" two.
    """
    if bearing == "between":
        fits = [_between(box, one, other) for one, other in combinations(hosts, 2)]
    else:
        fits = [_FITS[bearing](box, host) for host in hosts]
    return max([RULED_OUT, *fits])


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _size(box: Box) -> float:
    return sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1e-9))


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _gap(box: Box, host: Box) -> float:
    """Return the distance between two boxes as a share of the smaller one's size."""
    across = max(0.0, host[0] - box[2], box[0] - host[2])
    down = max(0.0, host[1] - box[3], box[1] - host[3])
    return hypot(across, down) / min(_size(box), _size(host))


def _share(box: Box, host: Box) -> float:
    """Return which share of a box's area lies inside the host's."""
    across = min(box[2], host[2]) - max(box[0], host[0])
    down = min(box[3], host[3]) - max(box[1], host[1])
    return max(0.0, across) * max(0.0, down) / _size(box) ** 2


def _near(box: Box, host: Box) -> float:
    return 1 - _ramp(_gap(box, host), 0.5, 2.0)


def _beside(box: Box, host: Box) -> float:
    """Return the share of the narrower one's width that the two have in common."""
    common = min(box[2], host[2]) - max(box[0], host[0])
    return _ramp(common / max(min(box[2] - box[0], host[2] - host[0]), 1e-9), 0.0, 0.4)


def _on(box: Box, host: Box) -> float:
    """Stand on it or hang on it: the foot at or inside the host, and no gap between the two."""
    reach = 0.25 * _size(box)
    foot = host[1] - reach <= box[3] <= host[3] + reach
    hanging = _ramp(_share(box, host), 0.3, 0.7)
    standing = _beside(box, host) * (1 - _ramp(_gap(box, host), 0.1, 0.5)) if foot else 0.0
    return max(hanging, standing)


def _above(box: Box, host: Box) -> float:
    higher = _ramp((_centre(host)[1] - _centre(box)[1]) / _size(host), 0.0, 0.3)
    return higher * _beside(box, host)


def _left(box: Box, host: Box) -> float:
    return _ramp((_centre(host)[0] - _centre(box)[0]) / min(_size(box), _size(host)), 0.0, 0.5)


def _between(box: Box, one: Box, other: Box) -> float:
    """Lie between two: near the line that joins their centres, away from its ends."""
    (x, y), (x0, y0), (x1, y1) = _centre(box), _centre(one), _centre(other)
    length = (x1 - x0) ** 2 + (y1 - y0) ** 2
    if length == 0:
        return 0.0
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length
    aside = abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length
    return _ramp(min(along, 1 - along), 0.05, 0.2) * (1 - _ramp(aside, 0.4, 0.8))


_FITS: dict[Bearing, Callable[[Box, Box], float]] = {
    "near": _near,
    "on": _on,
    "within": lambda box, host: _ramp(_share(box, host), 0.3, 0.7),
    "has": lambda box, host: _ramp(_share(host, box), 0.3, 0.7),
    "above": _above,
    "below": lambda box, host: _above(host, box),
    "left of": _left,
    "right of": lambda box, host: _left(host, box),
}
