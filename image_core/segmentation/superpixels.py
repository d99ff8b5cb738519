"""Superpixels as a graph: their means, their neighbours, geodesic distances between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_COMPACTNESS = 0.12  # SLIC's weight of position against OKLab scaled to the picture's range


@dataclass(frozen=True, kw_only=True)
class Superpixels:
    """A picture cut into ``n`` small even regions.

    Attributes:
        labels: The region of each pixel, 0 … n-1, each of them present.
        areas: Pixels in each.
        lab: Mean OKLab of each.
        centres: Mean (x, y) of each, in [0, 1] of the picture's width and height.
        edges: Pairs of touching regions, each once, smaller label first.
        border: Pixels of each that lie on the picture's border.
    """

    labels: Int[np.ndarray, "h w"]
    areas: Float[np.ndarray, " n"]
    lab: Float[np.ndarray, "n 3"]
    centres: Float[np.ndarray, "n 2"]
    edges: Int[np.ndarray, "m 2"]
    border: Float[np.ndarray, " n"]

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.areas.size)

    def mean_of(self, values: Float[np.ndarray, "h w"]) -> Float[np.ndarray, " n"]:
        """Average a map over each region."""
        total = np.bincount(self.labels.ravel(), values.ravel(), minlength=self.count)
        return np.asarray(total / self.areas)

    def spread(self, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, "h w"]:
        """Paint each region with its value."""
        return np.asarray(values[self.labels])

    def step_lengths(self) -> Float[np.ndarray, " m"]:
        """Return the OKLab distance over each edge."""
        first, second = self.edges[:, 0], self.edges[:, 1]
        return np.asarray(np.linalg.norm(self.lab[first] - self.lab[second], axis=1))


def superpixels(lab: Float[np.ndarray, "h w 3"], wanted: int = 300) -> Superpixels:
    """Cut an OKLab picture into about ``wanted`` superpixels.

    R. Achanta et al., "SLIC superpixels", TPAMI 2012, as scikit-image has it.
    """
    from skimage.segmentation import slic

    height, width = lab.shape[:2]
    wanted = max(1, min(wanted, height * width // 16))
    labels = np.asarray(
        slic(
            lab.astype(np.float32),
            n_segments=wanted,
            compactness=_COMPACTNESS,
            convert2lab=False,
            start_label=0,
            max_num_iter=6,
        )
        if wanted > 1
        else np.zeros((height, width), dtype=np.int64)
    )
    _, flat = np.unique(labels, return_inverse=True)
    return from_labels(flat.reshape(height, width).astype(np.int64), lab)


def from_labels(labels: Int[np.ndarray, "h w"], lab: Float[np.ndarray, "h w 3"]) -> Superpixels:
    """Measure regions 0 … n-1 that are given."""
    height, width = labels.shape
    count = int(labels.max()) + 1
    flat = labels.ravel()
    areas = np.bincount(flat, minlength=count).astype(np.float64)
    means = [np.bincount(flat, lab[..., k].ravel(), minlength=count) / areas for k in range(3)]
    rows, columns = np.mgrid[:height, :width]
    places = [
        np.bincount(flat, axis.ravel() + 0.5, minlength=count) / areas / size
        for axis, size in ((columns, width), (rows, height))
    ]
    pairs = [
        np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], axis=1),
        np.stack([labels[:-1].ravel(), labels[1:].ravel()], axis=1),
    ]
    touching = np.concatenate(pairs)
    touching = np.sort(touching[touching[:, 0] != touching[:, 1]], axis=1)
    edge = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return Superpixels(
        labels=labels,
        areas=areas,
        lab=np.stack(means, axis=1),
        centres=np.stack(places, axis=1),
        edges=np.unique(touching, axis=0).reshape(-1, 2),
        border=np.bincount(edge, minlength=count).astype(np.float64),
    )


def geodesic_distances(
    count: int,
    edges: Int[np.ndarray, "m 2"],
    lengths: Float[np.ndarray, " m"],
    sources: Int[np.ndarray, " k"],
) -> Float[np.ndarray, "k n"]:
    """Return the shortest path length from each source node to every node of the graph.

    Zhu et al., "Saliency optimization from robust background detection", CVPR 2014, eq. (2).
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    # the sparse graph drops zeros: an edge without length is given a negligible one
    weights = np.maximum(lengths, 1e-9)
    graph = csr_matrix((weights, (edges[:, 0], edges[:, 1])), shape=(count, count))
    return np.asarray(dijkstra(graph, directed=False, indices=sources))
