"""Candidates: regions of a named colour, and regions that stand out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from image_core.colour_names import NamedColour
from image_core.grounding.classic.colour_affinity import affinity, is_achromatic
from image_core.grounding.classic.confidence import (
    Thing,
    agreement,
    colour_contrast,
    drop_across,
    edge_contrast,
    geometry,
    soft,
)
from image_core.grounding.classic.regions import (
    BoolMap,
    border_share,
    closed,
    components,
    cut_around,
    cut_to_box,
    hull_of,
    overlap,
    ring,
    share_inside,
    solidity,
)
from image_core.grounding.classic.scene import Scene, otsu
from image_core.segmentation.edges import dilated, eroded, touching

_MOST = 6  # candidates looked at
_MOST_OF_GROUP = 40
_SMALL = 0.1
_FITS_WELL = 0.6
_HOPELESS = 0.2  # below it not even a perfect cut would make an answer


def salient_regions(scene: Scene) -> list[BoolMap]:
    """Return the connected regions that stand out, each cut to its edge."""
    threshold = otsu(scene.salient, 0.3, 0.65)
    least = 0.0015 * scene.salient.size
    found = []
    for region in components(scene.salient > threshold, least, _MOST):
        if drop_across(scene.salient, region) < 0.15:
            continue
        cut = cut_around(scene.rgb, region, scene.salient)
        rough = cut if cut is not None and overlap(cut, region) > 0.5 else region
        # superpixels spill over a small thing's edge: cut it again, as if its box had been drawn
        neat = cut_to_box(scene.rgb, rough) if rough.mean() < _SMALL else None
        found.append(neat if neat is not None and overlap(neat, rough) > 0.7 else rough)
    return found


@dataclass(frozen=True, kw_only=True)
class _ColourView:
    """A picture seen through some colour words.

    Attributes:
        fits: How well each pixel answers to any of them.
        strict: The same with sharp borders between the colour names.
        threshold: Where ``fits`` parts into answering and not.
        regions: The connected regions above it, largest first.
        rarity: A factor: a colour that is everywhere singles nothing out.
    """

    fits: Float[np.ndarray, "h w"]
    strict: Float[np.ndarray, "h w"]
    threshold: float
    regions: list[BoolMap]
    rarity: float


def colour_map(scene: Scene, colours: Sequence[NamedColour]) -> Float[np.ndarray, "h w"]:
    """Return how well pixels answer to any of the words: half by themselves, half by superpixel."""
    best = np.zeros(scene.shape)
    for colour in colours:
        best = np.maximum(best, affinity(colour, scene.lch))
    return np.asarray(0.5 * best + 0.5 * scene.parts.spread(scene.parts.mean_of(best)))


def _view(scene: Scene, colours: Sequence[NamedColour], most: int) -> _ColourView:
    fits = colour_map(scene, colours)
    threshold = otsu(fits, 0.35, 0.6)
    gap = max(1, round(0.006 * max(scene.shape)))
    strict = np.zeros(scene.shape)
    for colour in colours:
        strict = np.maximum(strict, affinity(colour, scene.lch, strict=True))
    answering = fits > threshold
    return _ColourView(
        fits=fits,
        strict=strict,
        threshold=threshold,
        regions=components(closed(answering, gap) & (fits > 0.2), 0.0004 * fits.size, most),
        rarity=soft(float(answering.mean()), 0.7, 0.45),
    )


def _colour_factors(
    scene: Scene, view: _ColourView, region: BoolMap, colours: Sequence[NamedColour]
) -> dict[str, float]:
    """Return the evidence that can be had before anything is cut."""
    looser = view.fits > 0.75 * view.threshold
    tighter = view.fits > min(0.9, 1.3 * view.threshold)
    stable = min(overlap(region, touching(looser, region)), overlap(region, region & tighter))
    factors = {
        "colour name": soft(float((view.strict[region] > 0.5).mean()), 0.15, 0.6, 0.1),
        "colour is everywhere": view.rarity,
        "stability": soft(stable, 0.15, 0.6, 0.2),
        **geometry(region),
    }
    if len(colours) > 1:
        factors["every colour"] = min(
            soft(float((affinity(colour, scene.lch)[region] > 0.5).mean()), 0.02, 0.12)
            for colour in colours
        )
    return factors


def coloured_things(
    scene: Scene, colours: Sequence[NamedColour], salient: Sequence[BoolMap]
) -> list[Thing]:
    """Return the regions that answer to the colour words, with the evidence for each."""
    view = _view(scene, colours, _MOST)
    hueless = any(is_achromatic(colour) for colour in colours)
    things = []
    for region in view.regions:
        factors = _colour_factors(scene, view, region, colours)
        mask = region
        # a cut is the dearest step: only for what could still be an answer
        if np.prod(list(factors.values())) > _HOPELESS:
            mask, factors["cut agrees"] = _settled(scene, region, view.fits, salient)
            factors["part of something bigger"] = _whole(scene, mask, salient)
        drop = drop_across(view.fits, mask)
        factors["colour ends at the edge"] = soft(drop, 0.12, 0.45)
        factors["edge"] = soft(edge_contrast(scene, mask), 0.15, 0.5, 0.15)
        standing = float(scene.salient[mask].mean())
        factors["does not stand out"] = soft(standing, 0.04, 0.2, 0.55)
        if hueless:
            factors["black, white or grey"] = _isolation(view, region, mask, salient)
        prominence = (
            np.sqrt(np.count_nonzero(region))
            * float(view.fits[region].mean())
            * (0.25 + standing)
            * (1 - 0.7 * border_share(region))
            * (0.25 + 0.75 * factors["colour name"])
        )
        things.append(
            Thing(mask=mask, route="colour", factors=factors, prominence=float(prominence), cap=0.9)
        )
    return things


def coloured_group(scene: Scene, colours: Sequence[NamedColour]) -> list[Thing]:
    """Return all regions of a colour as one group: each with the evidence for the whole of it.

    A group's members may be small, ragged and parts of one thing; what counts is that the colour is
    there, named so, and ends at their edges.
    """
    view = _view(scene, colours, _MOST_OF_GROUP)
    named = [r for r in view.regions if float((view.strict[r] > 0.5).mean()) > 0.25]
    if not named:
        return []
    least = 0.02 * max(np.count_nonzero(region) for region in named)
    members = [region for region in named if np.count_nonzero(region) >= least]
    union = np.logical_or.reduce(members)
    factors = _colour_factors(scene, view, union, colours)
    factors["shape"] = 1.0
    factors["colour ends at the edge"] = soft(drop_across(view.fits, union), 0.12, 0.45)
    factors["edge"] = soft(edge_contrast(scene, union), 0.15, 0.5, 0.15)
    if any(is_achromatic(colour) for colour in colours):
        factors["black, white or grey"] = 0.4
    return [
        Thing(mask=member, route=f"colour, {len(members)} regions", factors=factors, cap=0.85)
        for member in members
    ]


def _settled(
    scene: Scene, region: BoolMap, fits: Float[np.ndarray, "h w"], salient: Sequence[BoolMap]
) -> tuple[BoolMap, float]:
    """Return the region's outline as the edges have it, and how far the cut agrees."""
    cut = cut_around(scene.rgb, region, fits)
    agreed = agreement(region, cut)
    mask = region
    if cut is not None and overlap(cut, region) > 0.55:
        # the cut may take in what the colour has just missed, not what has another colour
        mask = cut & (dilated(region, 2) | (fits > 0.3))
        mask = _with_lost_parts(mask, region & (fits > _FITS_WELL))
    for thing in salient:
        # a coloured thing in its own shade: mostly covered by its colour, and standing out as one
        if share_inside(mask, thing) > 0.85 and overlap(mask, thing) > 0.6:
            return mask | thing, max(agreed, 0.95)
    return mask, agreed


def _with_lost_parts(mask: BoolMap, fitting: BoolMap) -> BoolMap:
    """Give back what a cut lost although it fits: a part behind a strap, in its own shade.

    It must be compact, much smaller than the thing, and lie within its hull: slivers along the edge
    are the cut's own business.
    """
    area = np.count_nonzero(mask)
    hull = hull_of(mask)
    lost = fitting & ~dilated(mask, 1)
    found = mask
    for worn in components(eroded(lost, 1), 0.004 * area, _MOST):
        part = dilated(worn, 1) & fitting
        small = np.count_nonzero(part) < 0.2 * area
        if small and share_inside(part, hull) > 0.9 and solidity(part) > 0.45:
            found = found | part
    return found


def _isolation(
    view: _ColourView, region: BoolMap, mask: BoolMap, salient: Sequence[BoolMap]
) -> float:
    """Trust black, white and grey only on a thing that stands out as that very region, alone.

    Shadows, highlights and walls have these colours too.
    """
    best = max((overlap(mask, thing) for thing in salient), default=0.0)
    elsewhere = np.count_nonzero((view.fits > view.threshold) & ~dilated(region, 3))
    alone = 1 - elsewhere / max(1, elsewhere + np.count_nonzero(region))
    return soft(best, 0.5, 0.8, 0.3) * soft(alone, 0.5, 0.85, 0.3)


def _whole(scene: Scene, mask: BoolMap, salient: Sequence[BoolMap]) -> float:
    """Object to a region that is a minor patch on one thing that stands out.

    The more so where the thing goes on around it in a neighbouring hue: that is its shading.
    """
    worst = 1.0
    for thing in salient:
        if share_inside(mask, thing) > 0.8:
            portion = np.count_nonzero(mask) / max(1, np.count_nonzero(thing))
            worst = min(worst, soft(portion, 0.02, 0.3, 0.75))
            around = ring(mask, 2, 8) & thing
            if portion < 0.6 and np.count_nonzero(around) > 0.3 * np.count_nonzero(mask) ** 0.5:
                worst = min(worst, soft(hue_step(scene, mask, around), 15, 45, 0.35))
    return worst


def hue_step(scene: Scene, first: BoolMap, second: BoolMap) -> float:
    """Return the angle in degrees between two regions' mean hues; 180 where one has none."""
    means = [scene.lab[mask][:, 1:].mean(axis=0) for mask in (first, second)]
    if min(float(np.hypot(*mean)) for mean in means) < 0.03:
        return 180.0
    angles = [float(np.degrees(np.arctan2(mean[1], mean[0]))) for mean in means]
    return abs((angles[0] - angles[1] + 180) % 360 - 180)


def salient_things(scene: Scene, salient: Sequence[BoolMap]) -> list[Thing]:
    """Return what stands out by itself, whatever it is."""
    things = []
    for mask in salient:
        inside, everywhere = float(scene.salient[mask].mean()), float(scene.salient.mean())
        factors = {
            "stands out": soft(drop_across(scene.salient, mask), 0.15, 0.42),
            "contrast": soft(inside - everywhere, 0.15, 0.45),
            "edge": soft(edge_contrast(scene, mask), 0.2, 0.55, 0.15),
            "colour contrast": soft(colour_contrast(scene, mask), 0.03, 0.1),
            **geometry(mask, least_area=0.004),
        }
        factors["cut by the border"] = soft(border_share(mask), 0.22, 0.03, 0.5)
        prominence = float(np.sqrt(np.count_nonzero(mask)) * inside)
        things.append(
            Thing(mask=mask, route="saliency", factors=factors, prominence=prominence, cap=0.9)
        )
    return things


def clearly_alone(scene: Scene, things: Sequence[Thing]) -> float:
    """Return a factor: how clearly one large thing stands out from quiet surroundings."""
    sure = [thing for thing in things if thing.confidence > 0.3]
    if len(sure) != 1 or sure[0].mask.mean() < 0.06:
        return 0.0
    around = float(scene.salient[~sure[0].mask].mean())
    return soft(around, 0.16, 0.11)
