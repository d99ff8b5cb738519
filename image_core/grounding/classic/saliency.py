"""What stands out from the picture's border: saliency without learning.

W. Zhu, S. Liang, Y. Wei, J. Sun, "Saliency optimization from robust background detection",
CVPR 2014. Equation numbers below are that paper's.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from image_core.segmentation.superpixels import Superpixels, geodesic_distances

_LIKE_CIELAB = np.array([100.0, 220.0, 220.0])  # the paper's constants are in CIELAB units
_SIGMA_COLOUR = 10.0
_SIGMA_SPACE = 0.25
_SIGMA_BOUNDARY = 1.0
_MU = 0.1


def boundary_connectivity(parts: Superpixels) -> Float[np.ndarray, " n"]:
    """Return how much of each region's soft neighbourhood lies on the picture's border.

    Area_p = Σ_i exp(-d_geo²(p, i) / 2σ²) (3), Len_p = the same over border regions (4),
    BndCon_p = Len_p / sqrt(Area_p) (5). About 0 for an object in the middle, 1 and more for
    background. As in the authors' code, border regions are linked to each other, so that a
    background that an object cuts in two stays one.
    """
    rim = np.flatnonzero(parts.border)
    first, second = np.triu_indices(rim.size, k=1)
    edges = np.concatenate([parts.edges, np.stack([rim[first], rim[second]], axis=1)])
    scaled = parts.lab * _LIKE_CIELAB
    lengths = np.linalg.norm(scaled[edges[:, 0]] - scaled[edges[:, 1]], axis=1)
    geodesic = geodesic_distances(
        parts.count, edges, np.maximum(lengths - 2.0, 0), np.arange(parts.count)
    )
    near = np.exp(-(geodesic**2) / (2 * _SIGMA_COLOUR**2))
    area = near.sum(axis=1)
    length = near[:, rim].sum(axis=1)
    return np.asarray(length / np.sqrt(area))


def background_weight(connectivity: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Turn boundary connectivity into the weight of being background, eq. (7)."""
    return np.asarray(1 - np.exp(-(connectivity**2) / (2 * _SIGMA_BOUNDARY**2)))


def weighted_contrast(
    parts: Superpixels, background: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Return each region's colour contrast to what is background, in [0, 1], eq. (8)."""
    scaled = parts.lab * _LIKE_CIELAB
    colour = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    apart = np.linalg.norm(parts.centres[:, None] - parts.centres[None], axis=2)
    space = np.exp(-(apart**2) / (2 * _SIGMA_SPACE**2))
    contrast = (colour * space * background[None]).sum(axis=1)
    low, high = contrast.min(), contrast.max()
    return np.asarray((contrast - low) / max(high - low, 1e-9))


def saliency(parts: Superpixels) -> Float[np.ndarray, " n"]:
    """Return each region's saliency in [0, 1]; zeros where nothing can stand out.

    Minimises Σ w_bg s² + Σ w_fg (s - 1)² + Σ_ij w_ij (s_i - s_j)² (9) with
    w_ij = exp(-d²/2σ²) + μ (10): a linear system.
    """
    if parts.count < 9 or not parts.edges.size:
        return np.zeros(parts.count)
    background = background_weight(boundary_connectivity(parts))
    foreground = weighted_contrast(parts, background)
    first, second = parts.edges[:, 0], parts.edges[:, 1]
    scaled = parts.lab * _LIKE_CIELAB
    apart = np.linalg.norm(scaled[first] - scaled[second], axis=1)
    smooth = np.exp(-(apart**2) / (2 * _SIGMA_COLOUR**2)) + _MU
    system = np.diag(background + foreground + 1e-6)
    np.add.at(system, (first, first), smooth)
    np.add.at(system, (second, second), smooth)
    np.add.at(system, (first, second), -smooth)
    np.add.at(system, (second, first), -smooth)
    solved = np.linalg.solve(system, foreground)
    spread = float(solved.max() - solved.min())
    if spread < 0.05:
        return np.zeros(parts.count)
    return np.asarray(np.clip((solved - solved.min()) / spread, 0, 1))
