"""Training the region in 3-D from the regions of the single views.

Each view votes with its pixels. A view in which the target was not found votes for "outside" with
little weight: it may well be that the target is there and the grounder missed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from image_core.compositing import bounding_box, grown_box
from image_core.errors import EditFailed, InvalidInput
from nerf.region_field import MAX_STEPS, RegionField
from nerf.regions import ViewRegions

UNSEEN_WEIGHT = 0.1
"""Of a ray in a view in which the target was not found, against 1."""

Rays = tuple[
    Float[Tensor, "rays samples 3"],
    Float[Tensor, "rays samples"],
    Float[Tensor, "rays steps"],
    Float[Tensor, "rays 1"],
]
"""Sample positions in [0, 1], their weights, the rays' targets in [0, 1] and their weights."""

_NEAR = 0.5  # of the drawn pixels lie in and around the regions
_AROUND = 0.5  # of a region's size
_END = 0.1  # of the first learning rate


class RegionPixels:
    """Draws pixels to learn the regions from, with what the views say there.

    Half of them lie in and around the regions, which are small, and weigh less in proportion: the
    balance lies in the drawing and not in the labels, or a few false hits would outvote the many
    views that say "outside".
    """

    def __init__(
        self,
        regions: Sequence[ViewRegions],
        shapes: Sequence[tuple[int, int]],
        *,
        unseen_weight: float = UNSEEN_WEIGHT,
    ) -> None:
        """Lay out all pixels of all views in one row.

        Args:
            regions: One alpha per step for each view, None where the target was not found.
            shapes: The views' heights and widths in pixels.
            unseen_weight: See ``UNSEEN_WEIGHT``.

        Raises:
            InvalidInput: No view has a region, they differ in their steps, or do not fit.
        """
        steps = {len(view) for view in regions if view is not None}
        if len(steps) != 1 or not 1 <= max(steps) <= MAX_STEPS or len(regions) != len(shapes):
            raise InvalidInput(
                "a region in 3-D is made from views that have a region for each of "
                f"1 to {MAX_STEPS} steps"
            )
        self._shapes = [(int(height), int(width)) for height, width in shapes]
        self._starts = np.cumsum([0, *(height * width for height, width in self._shapes)])
        self._targets = np.zeros((int(self._starts[-1]), steps.pop()), np.float32)
        self._weights = np.ones(int(self._starts[-1]), np.float32)
        near = []
        for index, (view, shape) in enumerate(zip(regions, self._shapes, strict=True)):
            pixels = slice(int(self._starts[index]), int(self._starts[index + 1]))
            if view is None:
                self._weights[pixels] = unseen_weight
                continue
            if any(alpha.shape != shape for alpha in view):
                raise InvalidInput(f"a region of view {index} is of another size than the view")
            self._targets[pixels] = np.stack([alpha.ravel() for alpha in view], axis=-1)
            near.append(self._starts[index] + _pixels_around(view))
        self._near = np.concatenate(near)
        if self._near.size == 0:
            raise InvalidInput("every region is empty: there is nothing to learn")
        # drawn oftener than evenly: the inverse makes the sum what even drawing would give
        often = (1 - _NEAR) + _NEAR * self._weights.size / self._near.size
        self._weights[self._near] *= 1 / often
        apart = np.ones(self._weights.size, bool)
        apart[self._near] = False
        self._weights[apart] /= 1 - _NEAR

    def draw(
        self, count: int, generator: torch.Generator
    ) -> tuple[Int[np.ndarray, "rays 3"], Float[Tensor, "rays steps"], Float[Tensor, "rays 1"]]:
        """Draw pixels.

        Args:
            count: How many.
            generator: On the CPU.

        Returns:
            View, row and column of each; its targets; its weight.
        """
        evenly = count - round(_NEAR * count)
        anywhere = torch.randint(self._weights.size, (evenly,), generator=generator).numpy()
        close = torch.randint(self._near.size, (count - evenly,), generator=generator).numpy()
        chosen = np.concatenate([anywhere, self._near[close]])
        views = np.searchsorted(self._starts, chosen, side="right") - 1
        widths = np.array([width for _, width in self._shapes])[views]
        rows, columns = np.divmod(chosen - self._starts[views], widths)
        return (
            np.stack([views, rows, columns], axis=-1),
            torch.from_numpy(self._targets[chosen]),
            torch.from_numpy(self._weights[chosen][:, None]),
        )


def _pixels_around(view: Sequence[Float[np.ndarray, "h w"]]) -> Int[np.ndarray, " n"]:
    """Return the places, in a row of all pixels, in the boxes around a view's regions."""
    height, width = view[0].shape
    covered = np.zeros((height, width), bool)
    for alpha in view:
        box = bounding_box(alpha > 0)
        if box is None:
            continue
        size = ((box[2] - box[0]) * (box[3] - box[1])) ** 0.5
        x0, y0, x1, y1 = grown_box(box, max(2, round(_AROUND * size)), height, width)
        covered[y0:y1, x0:x1] = True
    return np.flatnonzero(covered)


def region_loss(
    shown: Float[Tensor, "rays steps"],
    target: Float[Tensor, "rays steps"],
    weight: Float[Tensor, "rays 1"],
) -> Float[Tensor, ""]:
    """Return the mean binary cross entropy of rendered regions by the rays' weights."""
    sure = shown.clamp(1e-4, 1 - 1e-4)
    entropy = -(target * sure.log() + (1 - target) * (1 - sure).log())
    return (weight * entropy).sum() / (weight.sum() * target.shape[-1]).clamp_min(1e-9)


def train_region(
    field: RegionField,
    sample_rays: Callable[[torch.Generator], Rays],
    *,
    iterations: int = 300,
    seed: int = 0,
    lr: float = 2e-2,
    progress: Callable[[str, float], None] | None = None,
) -> list[float]:
    """Train the field; same inputs, same bits, and no other random state is touched.

    Args:
        field: Changed in place.
        sample_rays: Draws a batch of rays; all its randomness comes from the given generator.
        iterations: Steps of the optimiser.
        seed: Of the generator.
        lr: First learning rate; it falls exponentially to a tenth.
        progress: Told "region" and the done share.

    Returns:
        The loss of each iteration.

    Raises:
        InvalidInput: No iterations, or a learning rate that is not above 0.
        EditFailed: The loss is not finite.
    """
    if iterations < 1 or not lr > 0:
        raise InvalidInput(
            f"{iterations} iterations at a rate of {lr:g} train nothing", hint="Both are above 0."
        )
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(field.parameters(), lr=lr, eps=1e-15, fused=True)
    falling = torch.optim.lr_scheduler.ExponentialLR(optimiser, _END ** (1 / iterations))
    losses = []
    for iteration in range(iterations):
        positions, weights, target, weight = sample_rays(generator)
        with torch.enable_grad():
            shown = field.rendered(positions, weights)[:, : target.shape[-1]]
            loss = region_loss(shown, target, weight)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
        optimiser.step()
        falling.step()
        losses.append(float(loss.detach()))
        if not np.isfinite(losses[-1]):
            raise EditFailed("the region in 3-D did not train: its loss is not finite")
        if progress is not None:
            progress("region", (iteration + 1) / iterations)
    return losses
