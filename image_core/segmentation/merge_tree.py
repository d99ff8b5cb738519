"""A picture's parts merged two by two, the most alike first: nested regions around any point.

P. Salembier, L. Garrido, "Binary partition tree as an efficient representation for image
processing", IEEE TIP 2000, over superpixels.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from image_core.segmentation.superpixels import Superpixels


@dataclass(frozen=True, kw_only=True)
class MergeTree:
    """The order in which ``n`` parts were merged into one.

    Attributes:
        parent: Of each of up to 2n-1 nodes, the parts first; -1 at a root.
        height: The cost at which each node came about; it never falls towards the root.
        leaves: n.
    """

    parent: Int[np.ndarray, " m"]
    height: Float[np.ndarray, " m"]
    leaves: int

    def path(self, leaf: int) -> list[int]:
        """Return a part's nodes from itself to its root."""
        nodes = [leaf]
        while self.parent[nodes[-1]] >= 0:
            nodes.append(int(self.parent[nodes[-1]]))
        return nodes

    def leaves_under(self, nodes: Sequence[int]) -> Bool[np.ndarray, " n"]:
        """Tell for each part whether one of the nodes holds it."""
        held = np.zeros(self.parent.size, dtype=bool)
        held[list(nodes)] = True
        for node in range(self.parent.size - 1, -1, -1):
            held[node] |= self.parent[node] >= 0 and held[self.parent[node]]
        return held[: self.leaves]


def steps_across(
    parts: Superpixels, steps: Float[np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Return each touching pair's sum of ``steps`` along its border, and the border's length."""
    labels, count = parts.labels, parts.count
    pairs, values = [], []
    for first, second, step in (
        (labels[:, :-1], labels[:, 1:], np.maximum(steps[:, :-1], steps[:, 1:])),
        (labels[:-1], labels[1:], np.maximum(steps[:-1], steps[1:])),
    ):
        apart = first != second
        low, high = np.minimum(first, second)[apart], np.maximum(first, second)[apart]
        pairs.append(low * count + high)
        values.append(step[apart])
    known = parts.edges[:, 0] * count + parts.edges[:, 1]  # sorted, as its pairs are
    at = np.searchsorted(known, np.concatenate(pairs))
    total = np.bincount(at, np.concatenate(values), minlength=known.size)
    return total, np.bincount(at, minlength=known.size).astype(np.float64)


def merge_tree(
    parts: Superpixels,
    features: Float[np.ndarray, "n k"],
    steps: Float[np.ndarray, "h w"],
    *,
    size_weight: float = 0.25,
) -> MergeTree:
    """Merge touching parts, the cheapest pair first, until none touch.

    A merge costs the mean of the distance of features and the step along the shared border, times
    the smaller one's share of the picture to the power ``size_weight``: specks go first.
    """
    count = parts.count
    total = 2 * count - 1
    means = list(features.astype(np.float64))
    shares = (parts.areas / parts.labels.size).tolist()
    parent, height = np.full(total, -1), np.zeros(total)
    sums, lengths = steps_across(parts, steps)
    near: list[dict[int, tuple[float, float]]] = [{} for _ in range(count)]
    for (first, second), along, length in zip(
        parts.edges.tolist(), sums.tolist(), lengths.tolist(), strict=True
    ):
        near[first][second] = near[second][first] = (along, length)

    def cost(first: int, second: int) -> float:
        along, length = near[first][second]
        away = float(np.sqrt(((means[first] - means[second]) ** 2).sum()))
        smaller = min(shares[first], shares[second])
        return 0.5 * (away + along / length) * float(smaller**size_weight)

    queue = [(cost(first, second), first, second) for first, second in parts.edges.tolist()]
    heapq.heapify(queue)
    alive = set(range(count))
    highest = 0.0
    while queue:
        price, first, second = heapq.heappop(queue)
        if first not in alive or second not in alive:
            continue
        node, highest = len(means), max(highest, price)
        parent[first] = parent[second] = node
        height[node] = highest
        share = shares[first] + shares[second]
        means.append((means[first] * shares[first] + means[second] * shares[second]) / share)
        shares.append(share)
        alive -= {first, second}
        alive.add(node)
        joined: dict[int, tuple[float, float]] = {}
        for old in (first, second):
            for other, (along, length) in near[old].items():
                if other in (first, second):
                    continue
                before = joined.get(other, (0.0, 0.0))
                joined[other] = (before[0] + along, before[1] + length)
        near.append(joined)
        for other, border in joined.items():
            near[other].pop(first, None)
            near[other].pop(second, None)
            near[other][node] = border
            heapq.heappush(queue, (cost(other, node), other, node))
        near[first], near[second] = {}, {}
    made = len(means)
    return MergeTree(parent=parent[:made], height=height[:made], leaves=count)
