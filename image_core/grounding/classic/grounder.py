"""Finding what a phrase names without any learned weights, or refusing.

What can be checked is checked: a colour word by its colour, the sky, a frontal face, what stands
out, and where, how big and the how-manieth among these. The noun of a coloured thing is never
checked, and the evidence says so. Scores below 0.5 mean "not found"; the candidates come back all
the same, with what speaks against each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from image_core.colour_names import NamedColour, parse_colour
from image_core.compositing import bounding_box
from image_core.grounding.classic.colour_affinity import is_achromatic
from image_core.grounding.classic.concepts import concept_of, relates
from image_core.grounding.classic.confidence import Thing, edge_contrast, soft
from image_core.grounding.classic.faces import find_faces, find_persons
from image_core.grounding.classic.regions import border_share
from image_core.grounding.classic.scene import Scene, full_size, look
from image_core.grounding.classic.sky import find_sky
from image_core.grounding.classic.things import (
    alike_things,
    clearly_alone,
    coloured_group,
    coloured_things,
    salient_regions,
    salient_things,
)
from image_core.grounding.resolver import has_choosing_words, resolve
from image_core.types import Detection, EditStep, Image, Target

_REFUSED = 0.25  # what is left of a score when the phrase asks for what cannot be checked
_UNCHECKED = "noun not verified"
_LEAST_SIDE = 24


@dataclass(frozen=True, kw_only=True)
class ClassicGrounderConfig:
    """How ``ClassicGrounder`` works.

    Attributes:
        side: Longer side in pixels at which a picture is looked at.
        most: Candidates returned at most (all of them where the phrase means all).
        bare_trust: Factor on a thing found by its place alone, without a colour.
    """

    side: int = 384
    most: int = 6
    bare_trust: float = 0.7

    def build(self) -> ClassicGrounder:
        """Make the grounder."""
        return ClassicGrounder(self)


class ClassicGrounder:
    """Grounds by colour, place, size, sky, face and saliency; deterministic, without weights."""

    def __init__(self, config: ClassicGrounderConfig = ClassicGrounderConfig()) -> None:
        """Keep the settings."""
        self.config = config

    def ground(self, images: Sequence[Image], step: EditStep) -> list[list[Detection]]:
        """Return each image's candidates for the step's target, best first.

        A candidate below 0.5 is no answer; it is there to explain a refusal. Masks are 0 or 1 at
        the picture's size.
        """
        return [self._ground(image, step.target) for image in images]

    def _ground(self, image: Image, target: Target) -> list[Detection]:
        height, width = image.shape[:2]
        if target.pronoun or not target.phrase or min(height, width) < _LEAST_SIDE:
            return []
        scene = look(image, self.config.side)
        things, same_kind, remark, trust = self._candidates(scene, target)
        detections = [
            found
            for thing in sorted(things, key=lambda thing: -thing.confidence)
            if (found := _detection(thing, trust, remark, height, width)) is not None
        ]
        settled = resolve(detections, target, height, width, same_kind=same_kind)
        return settled if target.all else settled[: self.config.most]

    def _candidates(self, scene: Scene, target: Target) -> tuple[list[Thing], bool, str, float]:
        """Return the things found, whether all are of the named kind, a remark, and a factor."""
        concept = concept_of(target)
        colours = [colour for word in target.colours if (colour := parse_colour(word)) is not None]
        related = relates(target)
        doubt = f"'{target.relation}' cannot be checked" if related else ""
        if concept == "sky":
            trust = _REFUSED if related or target.places else 1.0
            return _of_hue(scene, find_sky(scene), colours), True, doubt, trust
        if concept in ("face", "person"):
            things = find_faces(scene) if concept == "face" else find_persons(scene)
            return _rivals(things, target), True, doubt, _REFUSED if related else 1.0
        salient = salient_regions(scene)
        if concept == "background":
            return (
                _background(scene, _rivals(salient_things(scene, salient), target)),
                True,
                doubt,
                1.0,
            )
        if colours:
            if target.all:
                things = coloured_group(scene, colours)
            else:
                things = _rivals(coloured_things(scene, colours, salient), target)
            remark = "; ".join(filter(None, [_UNCHECKED, doubt]))
            return _alone(things) if related else things, True, remark, 0.6 if related else 1.0
        things = salient_things(scene, salient)
        if concept == "subject" and not target.all:
            return _rivals(things, target), True, doubt, _REFUSED if related else 1.0
        if target.size in ("big", "biggest") and not (
            related or target.all or target.places or target.ordinal
        ):
            clear = clearly_alone(scene, things)
            alone = [_with_factor(thing, "not alone in standing out", clear) for thing in things]
            return (
                alone,
                False,
                f"the one big thing that stands out; {_UNCHECKED}",
                self.config.bare_trust,
            )
        if related or target.all or not (target.places or target.ordinal):
            reason = doubt or "no colour, place or other cue to check the noun by"
            return things, False, reason, _REFUSED
        if target.ordinal:
            return alike_things(scene, salient), True, _UNCHECKED, self.config.bare_trust
        placed = [_with_factor(thing, "place", _wholly_at(thing, target)) for thing in things]
        return (
            placed,
            False,
            f"by its place among what stands out; {_UNCHECKED}",
            self.config.bare_trust,
        )


def _detection(
    thing: Thing, trust: float, remark: str, height: int, width: int
) -> Detection | None:
    mask = full_size(thing.mask, height, width)
    box = bounding_box(mask > 0)
    if box is None:
        return None
    evidence = "; ".join(filter(None, [thing.in_words(), remark]))
    x0, y0, x1, y1 = box
    return Detection(
        box=(float(x0), float(y0), float(x1), float(y1)),
        score=thing.confidence * trust,
        mask=mask,
        evidence=evidence,
    )


def _with_factor(thing: Thing, name: str, value: float) -> Thing:
    return replace(thing, factors={**thing.factors, name: value})


def _rivals(things: Sequence[Thing], target: Target) -> list[Thing]:
    """Lower what a more prominent rival outshines, unless the words choose among them."""
    if target.all or has_choosing_words(target) or not things:
        return list(things)
    best = max(things, key=lambda thing: thing.prominence)
    # a sure rival makes the phrase ambiguous even when smaller; an unsure one must really dominate
    low, high = (0.1, 0.3) if best.confidence >= 0.5 else (0.6, 0.9)
    judged = []
    for thing in things:
        share = thing.prominence / max(best.prominence, 1e-9)
        doubted = any(
            0.3 <= other.confidence < 0.5 and other.prominence > 0.8 * thing.prominence
            for other in things
            if other is not thing
        )
        outshone = _with_factor(thing, "more prominent rival", soft(share, low, high))
        judged.append(_with_factor(outshone, "unsure rival", 0.8 if doubted else 1.0))
    return judged


def _wholly_at(thing: Thing, target: Target) -> float:
    """Doubt a thing that reaches beyond the place's half of the picture: it is all we go by."""
    bounds = bounding_box(thing.mask)
    if bounds is None:
        return 0.0
    height, width = thing.mask.shape
    x0, y0, x1, y1 = bounds[0] / width, bounds[1] / height, bounds[2] / width, bounds[3] / height
    reach = {
        "left": 1 - x1,
        "right": x0,
        "top": 1 - y1,
        "bottom": y0,
        "middle": 1 - 2 * max(abs(x0 + x1 - 1), abs(y0 + y1 - 1)),
    }
    return min((soft(reach[place], 0.38, 0.5) for place in target.places), default=1.0)


def _alone(things: Sequence[Thing]) -> list[Thing]:
    """Doubt all where several could be meant: a relation that cannot be checked would choose."""
    prominences = sorted((thing.prominence for thing in things), reverse=True)
    if len(prominences) < 2:
        return list(things)
    doubt = soft(prominences[1] / max(prominences[0], 1e-9), 0.5, 0.1)
    return [_with_factor(thing, "others of that colour", doubt) for thing in things]


def _of_hue(scene: Scene, things: Sequence[Thing], colours: Sequence[NamedColour]) -> list[Thing]:
    """Doubt things, however pale, whose hue is far from the one that the phrase gives them."""
    checked = list(things)
    for colour in colours:
        if is_achromatic(colour):
            checked = [_with_factor(thing, "colour name", 0.3) for thing in checked]
            continue
        for k, thing in enumerate(checked):
            a, b = (float(np.median(scene.lab[thing.mask][:, axis])) for axis in (1, 2))
            away = abs((np.degrees(np.arctan2(b, a)) - colour.lch[2] + 180) % 360 - 180)
            checked[k] = _with_factor(thing, "colour name", soft(float(away), 75, 50))
    return checked


def _background(scene: Scene, things: Sequence[Thing]) -> list[Thing]:
    """Return everything but the main thing, as sure as that is."""
    if not things:
        return []
    best = max(things, key=lambda thing: thing.confidence)
    mask = ~best.mask
    factors = {
        "subject": best.confidence,
        "edge": soft(edge_contrast(scene, mask), 0.1, 0.4, 0.4),
        "along the border": soft(border_share(mask), 0.4, 0.7),
    }
    return [Thing(mask=np.asarray(mask), route="all but what stands out", factors=factors, cap=0.9)]
