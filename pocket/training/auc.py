"""How well a score parts two sets."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def area_under_curve(high: Float[np.ndarray, " n"], low: Float[np.ndarray, " m"]) -> float:
    """Return the chance that one of ``high`` scores above one of ``low``; ties count half."""
    apart = np.asarray(high)[:, None] - np.asarray(low)[None]
    return float((apart > 0).mean() + (apart == 0).mean() / 2)
