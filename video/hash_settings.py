"""How CoDeF's hash fields are built and trained: the values, without torch.

H. Ouyang et al., "CoDeF: Content Deformation Fields for Temporally Consistent Video Processing",
CVPR 2024. ``FAITHFUL`` has the authors' values; ``FIXED`` has ours, with a CPU in mind.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from image_core.errors import InvalidInput
from video.annealing import Annealing

_DIGITS = 6  # of grid points: far finer than a cell


def geometric(base: float, growth: float, levels: int) -> list[float]:
    """Return the resolutions of levels, each ``growth`` times as fine as the one before."""
    return [base * growth**level for level in range(levels)]


@dataclass(frozen=True, kw_only=True)
class GridShape:
    """The levels of a hash grid.

    Attributes:
        levels: How many.
        features: Of each level.
        log2_size: A level has at most 2 to this power entries.
        base: Grid points of the coarsest along an axis of space.
        growth: Of the points from level to level. None: so that the finest has ``finest``.
        finest: Pixels a cell of the finest level, where ``growth`` is None.
        time_base: Grid points of the coarsest along time. None: time is treated like space.
        time_finest: Frames a cell of the finest, where ``time_base`` is given.
        shift: Of all grids, in cells.
    """

    levels: int = 16
    features: int = 2
    log2_size: int = 19
    base: float = 16
    growth: float | None = None
    finest: float = 1.0
    time_base: float | None = None
    time_finest: float = 1.0
    shift: float = 0.0

    def resolutions(
        self, size: tuple[int, int], frames: int | None = None
    ) -> list[tuple[float, ...]]:
        """Return the grid points of each level along each axis, the coarsest level first.

        Args:
            size: Width and height in pixels of what the grid spans.
            frames: How many frames it spans; None for a grid without time.
        """
        axes = [self._along(side, self.base, self.finest) for side in size]
        if frames is not None and self.time_base is not None:
            axes.append(self._along(frames, self.time_base, self.time_finest))
        elif frames is not None:
            axes.append(self._along(max(size), self.base, self.finest))
        return list(zip(*axes, strict=True))

    def _along(self, length: float, base: float, finest: float) -> list[float]:
        if self.growth is not None:
            return geometric(base, self.growth, self.levels)
        growth = max(1.0, (length / finest + 1) / base) ** (1 / max(self.levels - 1, 1))
        # rounded, so that the finest has its very number
        return [round(count, _DIGITS) for count in geometric(base, growth, self.levels)]


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """What each loss counts; 0 leaves it out.

    Attributes:
        colour: Squared colour difference, or its robust form.
        noise: Colour difference from which it grows only linearly; None: squared throughout.
        gradient: Difference of the luma's Sobel gradients.
        flow: How far the ends of a flow lie apart in the canonical picture, in shares of a side.
        chain: How far a place lies from where the chained flow to the reference frame leads, at
            the start of the training.
        chain_end: The same at its end: in between the weight falls evenly by factors.
        background: Squared colour difference outside the group.
        window: How far places lie outside the canonical window, in shares of it.
        smooth: Squared differences of the displacement between neighbours, in pixels.
        folds: Where a cell shrinks below ``LEAST_AREA`` of its size or turns over.
    """

    colour: float = 1.0
    noise: float | None = None
    gradient: float = 0.1
    flow: float = 1.0
    chain: float = 0.0
    chain_end: float = 0.0
    background: float = 0.003
    window: float = 0.0
    smooth: float = 0.0
    folds: float = 0.0

    def chain_at(self, done: float) -> float:
        """Return the chain's weight after a share of the training."""
        if min(self.chain, self.chain_end) <= 0:
            return self.chain * (1 - done) + self.chain_end * done
        return float(self.chain * (self.chain_end / self.chain) ** done)


@dataclass(frozen=True, kw_only=True)
class HashSettings:
    """A model and its training.

    Attributes:
        canonical: Grid of the canonical field.
        canonical_layers: Hidden layers of its network.
        deformation: Grid of the deformation field.
        deformation_layers: Hidden layers of its network.
        width: Of the hidden layers.
        bias: Whether layers have biases. Without, the input is filled up with ones to a multiple
            of 16 as tiny-cuda-nn does.
        reach: Displacement, in shares of the frame's sides, for which the network gives 1.
        still_start: Whether the deformation begins as the identity.
        anchored: Whether the reference frame lies in the canonical picture as it is.
        margin: Of the canonical window around the frame, in shares of its sides. None: as far as
            the chained flow leads.
        annealing: Of the deformation's levels.
        patch: Pixels that are sampled together, in squares of this side. None: whole frames.
        batch: Pixels a step and group. None: one frame's.
        scattered: Share of them that is drawn one by one instead: they tell more of the colours,
            nothing of gradients and folds.
        steps: Of the whole training.
        table_rate: Learning rate of the grids' tables.
        rate: Learning rate of the networks.
        epsilon: Adam's.
        halved_at: Shares of the training after which the rates are halved.
        final_rate: What the rates fall to in a cosine, as a share; 1 leaves them.
        losses: What each loss counts.
        isotropic: Whether a flow's ends are compared in shares of the longer side, instead of in
            shares of each.
        both_ways: Whether the flow to the frame before counts too.
        flow_share: Of the samples for which the flow's other end is evaluated too.
        outside_share: Of the samples that are drawn without regard to the group.
        held_out: Share of the pixels that is kept for stopping early; 0 for none.
        patience: Checks without progress after which the training stops.
        check_every: Steps between them.
    """

    canonical: GridShape
    canonical_layers: int = 2
    deformation: GridShape
    deformation_layers: int = 8
    width: int = 64
    bias: bool = True
    reach: float = 0.2
    still_start: bool = True
    anchored: bool = True
    margin: float | None = None
    annealing: Annealing = field(default_factory=Annealing)
    patch: int | None = 4
    batch: int | None = 2**13
    scattered: float = 0.875
    steps: int = 2000
    table_rate: float = 1e-2
    rate: float = 2e-3
    epsilon: float = 1e-8
    halved_at: tuple[float, ...] = ()
    final_rate: float = 0.05
    losses: LossWeights = field(default_factory=LossWeights)
    isotropic: bool = True
    both_ways: bool = True
    flow_share: float = 0.25
    outside_share: float = 0.125
    held_out: float = 1 / 64
    patience: int = 4
    check_every: int = 100

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidInput: One is out of its range.
        """
        if self.steps < 1:
            raise InvalidInput(f"{self.steps} steps train nothing", hint="Give 1 or more.")
        if self.patch is not None and (self.patch < 1 or (self.batch or 0) < self.patch**2):
            raise InvalidInput(
                f"a batch of {self.batch} pixels holds no patch of {self.patch}×{self.patch}",
                hint="Make the patches smaller or the batch larger.",
            )
        for name in ("held_out", "scattered", "outside_share", "flow_share"):
            share = getattr(self, name)
            if not 0 <= share <= 1 or (name == "held_out" and share == 1):
                raise InvalidInput(f"{name}={share} is no share of pixels", hint="Give 0 to 1.")
        if self.losses.flow and not self.flow_share:
            raise InvalidInput(
                "a flow loss of no samples is none", hint="Give flow_share, or a weight of 0."
            )


FAITHFUL = HashSettings(
    canonical=GridShape(growth=1.44, shift=0.5),
    deformation=GridShape(growth=1.38, shift=0.5),
    bias=False,
    still_start=False,
    anchored=False,
    margin=0.3,
    patch=None,
    batch=None,
    scattered=0.0,
    steps=10_000,
    table_rate=1e-3,
    rate=1e-3,
    halved_at=(0.25, 0.5, 0.75),
    final_rate=1.0,
    isotropic=False,
    both_ways=False,
    flow_share=1.0,
    outside_share=0.0,
    held_out=0.0,
)
"""CoDeF as published, its errors of geometry and units mended, in float32 or bfloat16.

With ``steps`` other than 10 000, everything that happens at a step does so in proportion.
"""

FIXED = HashSettings(
    canonical=GridShape(levels=5, finest=1.0),
    canonical_layers=1,
    deformation=GridShape(levels=8, base=4, finest=6.0, time_base=3, time_finest=1.0, log2_size=17),
    deformation_layers=2,
    width=32,
    annealing=Annealing(first=8, start=0.0, length=0.0),
    steps=1500,
    table_rate=2e-2,
    rate=5e-3,
    losses=LossWeights(
        noise=0.1, gradient=0.02, flow=0.1, chain=1.0, chain_end=0.03, window=1.0, folds=0.02
    ),
)
"""Ours: grids no finer than the clip's pixels and frames, sampled patches, a reference frame."""
