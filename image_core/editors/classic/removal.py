"""Removing a thing: its place is filled from what is around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.editors.classic.patchmatch import Synthesis, carried
from image_core.editors.classic.pixels import shrink, small_size
from image_core.editors.classic.prepared import Piece
from image_core.editors.classic.synthesis import fill, vote
from image_core.errors import InvalidInput
from image_core.types import Image

_TINY = 0.003
_THIN = 2.5
_LARGE = 0.05
_STRUCTURE_SIZE = 640


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Fills a region from its surroundings (seam ``Operator``); it measures nothing beforehand.

    Attributes:
        radius: Half the side of the patches.
        percentile: See ``Synthesis``.
        megapixels: Size at which matches are searched.
    """

    radius: int = 4
    percentile: float = 30.0
    megapixels: float = 0.5

    name: ClassVar[str] = "remove"
    pointwise: ClassVar[bool] = False
    scales_itself: ClassVar[bool] = False
    statistics: ClassVar[None] = None

    def restored(self, state: Mapping[str, Any] | None) -> Removal:
        """Return itself; there is nothing to restore.

        Raises:
            InvalidInput: The state holds statistics.
        """
        if state is not None:
            raise InvalidInput("removal has no statistics, but the saved state holds some")
        return self

    def margin(self, picture_size: float) -> int:
        """See a good part of the surroundings, where the filling comes from."""
        return max(48, round(0.35 * picture_size))

    def apply(self, piece: Piece) -> tuple[Image, tuple[str, ...]]:
        """Fill a piece's region."""
        hole = piece.inside
        area = int(hole.sum())
        share = area / (piece.picture[0] * piece.picture[1])
        if hole.all():
            return piece.image.copy(), (
                "The region is the whole picture, so nothing is left to fill it from; "
                "nothing was changed.",
            )
        depth = float(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 5).max())
        if share < _TINY or depth <= _THIN:
            return smooth_fill(piece.image, hole), ()
        warnings = _warnings(piece.image, hole, share)
        try:
            return self._synthesised(piece, hole), warnings
        except ValueError:
            return smooth_fill(piece.image, hole), (
                *warnings,
                "So little is left around the region that it was only filled smoothly.",
            )

    def _synthesised(self, piece: Piece, hole: Bool[np.ndarray, "h w"]) -> Image:
        generator = np.random.default_rng([piece.key % (1 << 63), hole.shape[0], hole.shape[1]])
        synthesis = Synthesis(radius=self.radius, percentile=self.percentile)
        height, width = hole.shape
        scale = min(1.0, float(np.sqrt(self.megapixels * 1e6 / (height * width))))
        if scale == 1.0:
            return fill(piece.image, hole, generator, synthesis, piece.tick)[0]
        size = small_size(height, width, round(max(height, width) * scale))
        known = (~hole).astype(np.float32)
        weight = cv2.resize(known, (size[1], size[0]), interpolation=cv2.INTER_AREA)
        small = (
            cv2.resize(
                piece.image * known[..., None], (size[1], size[0]), interpolation=cv2.INTER_AREA
            )
            / np.maximum(weight, 1e-3)[..., None]
        )
        small, gap = small.astype(np.float32), weight < 0.999
        melded, matches = fill(small, gap, generator, synthesis, lambda d: piece.tick(0.7 * d))
        # detail is voted for at full size; the evening out of seams is smooth, so the small copy's
        # is enlarged
        evening = melded - vote(small, gap, matches, synthesis, melded, melded=False)
        evening = cv2.resize(evening, (width, height), interpolation=cv2.INTER_LINEAR)
        piece.tick(0.75)
        full = replace(synthesis, radius=2)
        voted = vote(piece.image, hole, carried(matches, size, hole, 2), full, melded, melded=False)
        return np.where(hole[..., None], np.clip(voted + evening, 0, 1), piece.image)


def smooth_fill(image: Image, hole: Bool[np.ndarray, "h w"]) -> Image:
    """Fill thin or tiny holes from their border (Telea's fast marching method, 2004)."""
    eight = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    filled = cv2.inpaint(eight, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return np.where(hole[..., None], filled.astype(np.float32) / 255, image).astype(np.float32)


def _warnings(image: Image, hole: Bool[np.ndarray, "h w"], share: float) -> tuple[str, ...]:
    said = []
    if share > _LARGE:
        said.append(
            f"The removed part is {share:.0%} of the picture; above {_LARGE:.0%} "
            "the filling is often visibly made up."
        )
    if crosses_structures(image, hole):
        said.append("Strong edges run into the removed part; look whether they meet again.")
    return tuple(said)


def crosses_structures(image: Image, hole: Bool[np.ndarray, "h w"]) -> bool:
    """Tell whether strong, straight edges end at the hole's border.

    Looks at the structure tensor in a ring a little outside the hole (its own outline is no
    structure): edges count where they are strong and point into the hole.
    """
    size = small_size(hole.shape[0], hole.shape[1], _STRUCTURE_SIZE)
    hole = shrink(hole.astype(np.float32), size) > 0
    image = shrink(image, size)
    side = max(hole.shape)
    near = max(3, side // 100)
    inner = cv2.dilate(hole.astype(np.uint8), np.ones((2 * near + 1, 2 * near + 1), np.uint8))
    outer = cv2.dilate(inner, np.ones((2 * near + 1, 2 * near + 1), np.uint8))
    ring = (outer > 0) & (inner == 0)
    if not ring.any():
        return False
    gray = np.asarray(image @ np.array([0.299, 0.587, 0.114], np.float32), dtype=np.float32)
    luma = cv2.GaussianBlur(gray, (0, 0), near / 2)
    gx = cv2.Sobel(luma, cv2.CV_32F, 1, 0) / 8
    gy = cv2.Sobel(luma, cv2.CV_32F, 0, 1) / 8
    away = cv2.distanceTransform((hole == 0).astype(np.uint8), cv2.DIST_L2, 5)
    nx, ny = cv2.Sobel(away, cv2.CV_32F, 1, 0), cv2.Sobel(away, cv2.CV_32F, 0, 1)
    normal = np.maximum(np.hypot(nx, ny), 1e-6)
    # an edge runs into the hole where its gradient lies along the border
    along = np.abs(gx * ny - gy * nx) / normal
    return bool((along[ring] * near > 0.06).mean() > 0.04)
