"""The cheapest outline through the pixels that are in doubt: a minimum cut over these alone.

Y. Boykov and M.-P. Jolly, "Interactive graph cuts", ICCV 2001, with the contrast term of GrabCut.
Unlike ``image_core.segmentation.cut`` it takes what is known of each pixel from the caller, since
here motion knows more than colour; and with a band of pixels it takes hundredths of a second.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from video.frames import Picture

_UNIT = 1000  # steps to a unit of energy: the flow is computed in whole numbers
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows and columns away; each pair once


def cut_open(
    picture: Picture,
    evidence: Float32[np.ndarray, "_ _"],
    fixed: Bool[np.ndarray, "_ _"],
    open_: Bool[np.ndarray, "_ _"],
    *,
    smoothness: float,
) -> Bool[np.ndarray, "_ _"]:
    """Decide the open pixels: what is inside has evidence, and its outline follows edges.

    Args:
        picture: Where a change of colour makes an outline cheap.
        evidence: For each pixel's being inside, in natural log odds; only that of open ones counts.
        fixed: What the other pixels are.
        open_: Which pixels are to be decided.
        smoothness: Cost of an outline, per pixel of length, where the picture is flat.

    Returns:
        The least of E = Σ [outside] · evidence + Σ smoothness · exp(-β |ΔI|²) / distance, over
        all pixels and all neighbours that are divided, with β = 1 / (2 <|ΔI|²>).
    """
    count = int(np.count_nonzero(open_))
    if count == 0:
        return fixed.copy()
    number = np.full(open_.shape, -1, np.int64)
    number[open_] = np.arange(count)
    pull = evidence.astype(np.float64)
    tails: list[Int[np.ndarray, " n"]] = []
    heads: list[Int[np.ndarray, " n"]] = []
    costs: list[Int[np.ndarray, " n"]] = []
    for first, second, cost in _links(picture, smoothness):
        one, other = number[first], number[second]
        between = (one >= 0) & (other >= 0)
        tails += [one[between], other[between]]
        heads += [other[between], one[between]]
        costs += [_whole(cost[between])] * 2
        # a fixed neighbour pulls an open pixel to its own side
        for here, there in ((first, second), (second, first)):
            lone = (number[here] >= 0) & (number[there] < 0)
            pull[here] += np.where(lone, np.where(fixed[there], cost, -cost), 0)
    pulls = _whole(pull[open_])
    source, sink = count, count + 1
    inwards, outwards = np.flatnonzero(pulls > 0), np.flatnonzero(pulls < 0)
    tails += [np.full(inwards.size, source), outwards]
    heads += [inwards, np.full(outwards.size, sink)]
    costs += [pulls[inwards], -pulls[outwards]]
    places = (np.concatenate(tails), np.concatenate(heads))
    graph = csr_matrix((np.concatenate(costs), places), shape=(count + 2, count + 2))
    left = graph - maximum_flow(graph, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    inside = np.zeros(count + 2, bool)
    inside[reached] = True
    made = fixed.copy()
    made[open_] = inside[:count]
    return made


def _whole(energy: np.ndarray) -> Int[np.ndarray, " n"]:
    return np.asarray(np.rint(energy * _UNIT), np.int32)


def _links(
    picture: Picture, smoothness: float
) -> list[tuple[tuple[slice, slice], tuple[slice, slice], Float32[np.ndarray, "_ _"]]]:
    """Return the neighbours of all pixels, as two views of a picture, and what dividing costs."""
    colours = picture.astype(np.float32)
    height, width = colours.shape[:2]
    views = []
    for rows, columns in _NEIGHBOURS:
        first = (slice(0, height - rows), slice(max(0, -columns), width - max(0, columns)))
        second = (slice(rows, height), slice(max(0, columns), width - max(0, -columns)))
        step = colours[first] - colours[second]
        step *= step
        change = step[..., 0] + step[..., 1] + step[..., 2]
        views.append((first, second, change, float(np.hypot(rows, columns))))
    total = sum(float(change.sum(dtype=np.float64)) for _, _, change, _ in views)
    pairs = sum(change.size for _, _, change, _ in views)
    steep = pairs / max(2 * total, 1e-9)
    return [
        (first, second, np.asarray(smoothness / far * np.exp(-steep * change), np.float32))
        for first, second, change, far in views
    ]
