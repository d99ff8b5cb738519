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
from image_core.grounding.classic.likeness import alike_things
from image_core.grounding.classic.regions import BoolMap, border_share, closed
from image_core.grounding.classic.scene import Scene, full_size, look
from image_core.grounding.classic.sky import find_sky
from image_core.grounding.classic.things import (
    clearly_alone,
    coloured_group,
    coloured_things,
    salient_regions,
    salient_things,
)
from image_core.grounding.resolver import has_choosing_words, resolve
from image_core.segmentation.cut import without_specks
from image_core.types import Detection, EditStep, Image, Target

_REFUSED = 0.25  # what is left of a score when the phrase asks for what cannot be checked
_RELATED = 0.6  # and when it relates a coloured thing to another
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


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What one way of looking found.

    Attributes:
        things: The candidates.
        same_kind: All of them answer to the phrase's noun as far as it can be told.
        remark: What the evidence should add.
        trust: Factor on every score.
    """

    things: Sequence[Thing]
    same_kind: bool = True
    remark: str = ""
    trust: float = 1.0


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
        found = self._found(scene, target)
        detections = [
            detection
            for thing in sorted(found.things, key=lambda thing: -thing.confidence)
            if (detection := _detection(thing, found, height, width)) is not None
        ]
        settled = resolve(detections, target, height, width, same_kind=found.same_kind)
        return settled if target.all else settled[: self.config.most]

    def _found(self, scene: Scene, target: Target) -> _Found:
        """Choose the way that the phrase's words allow, and go it."""
        concept = concept_of(target)
        related = relates(target)
        doubt = f"'{target.relation}' cannot be checked" if related else ""
        colours = [colour for word in target.colours if (colour := parse_colour(word)) is not None]
        if concept == "sky":
            piece = related or set(target.places) - {"top"}
            things = _of_hue(scene, find_sky(scene), colours)
            return _Found(things=things, remark=doubt, trust=_REFUSED if piece else 1.0)
        if concept in ("face", "person"):
            things = find_faces(scene) if concept == "face" else find_persons(scene)
            trust = _REFUSED if related else 1.0
            return _Found(things=_rivals(things, target), remark=doubt, trust=trust)
        salient = salient_regions(scene)
        if concept == "background":
            things = _behind_persons(scene) or _background(
                scene, _main_things(scene, salient, target)
            )
            return _Found(things=things, remark=doubt)
        if colours:
            return _coloured(scene, salient, colours, target, doubt)
        if concept == "subject" and not target.all:
            things = _main_things(scene, salient, target)
            return _Found(things=things, remark=doubt, trust=_REFUSED if related else 1.0)
        return self._bare(scene, salient, target, doubt)

    def _bare(self, scene: Scene, salient: Sequence[BoolMap], target: Target, doubt: str) -> _Found:
        """Go by place, ordinal or "big" alone; a noun with none of them is refused."""
        things = salient_things(scene, salient)
        trust = self.config.bare_trust
        if doubt or target.all:
            remark = doubt or "which ones are meant cannot be checked"
            return _Found(things=things, same_kind=False, remark=remark, trust=_REFUSED)
        if target.ordinal:
            return _Found(things=alike_things(scene, salient), remark=_UNCHECKED, trust=trust)
        if target.places:
            things = [_with_factor(thing, "place", _wholly_at(thing, target)) for thing in things]
            remark = f"by its place among what stands out; {_UNCHECKED}"
            return _Found(things=things, same_kind=False, remark=remark, trust=trust)
        if target.size in ("big", "biggest"):
            clear = clearly_alone(scene, things)
            things = [_with_factor(thing, "others stand out too", clear) for thing in things]
            remark = f"the one big thing that stands out; {_UNCHECKED}"
            return _Found(things=things, same_kind=False, remark=remark, trust=trust)
        remark = "no colour, place or other cue to check the noun by"
        return _Found(things=things, same_kind=False, remark=remark, trust=_REFUSED)


def _coloured(
    scene: Scene,
    salient: Sequence[BoolMap],
    colours: Sequence[NamedColour],
    target: Target,
    doubt: str,
) -> _Found:
    """Go by the colour words; a relation that cannot be checked takes most of the trust."""
    if target.all:
        things = coloured_group(scene, colours)
    else:
        things = _rivals(coloured_things(scene, colours, salient), target)
    if doubt:
        things = _alone(things, "others of that colour")
    remark = "; ".join(filter(None, [_UNCHECKED, doubt]))
    return _Found(things=things, remark=remark, trust=_RELATED if doubt else 1.0)


def _detection(thing: Thing, found: _Found, height: int, width: int) -> Detection | None:
    mask = full_size(thing.mask, height, width)
    box = bounding_box(mask > 0)
    if box is None:
        return None
    evidence = "; ".join(filter(None, [thing.in_words(), found.remark]))
    x0, y0, x1, y1 = box
    return Detection(
        box=(float(x0), float(y0), float(x1), float(y1)),
        score=thing.confidence * found.trust,
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


def _alone(
    things: Sequence[Thing], name: str, most: float = 0.5, least: float = 0.1
) -> list[Thing]:
    """Doubt all where several could be meant and the words do not say which.

    Args:
        things: What was found.
        name: The objection in words.
        most: With a second thing of this share of the first one's prominence, nothing is sure.
        least: Below this share it is no objection.
    """
    prominences = sorted((thing.prominence for thing in things), reverse=True)
    if len(prominences) < 2:
        return list(things)
    doubt = soft(prominences[1] / max(prominences[0], 1e-9), most, least)
    return [_with_factor(thing, name, doubt) for thing in things]


def _main_things(scene: Scene, salient: Sequence[BoolMap], target: Target) -> list[Thing]:
    """Return what stands out; sure only of one that does so alone, unless the words choose."""
    things = salient_things(scene, salient)
    if has_choosing_words(target):
        return things
    return _rivals(_alone(things, "others stand out too", 0.6, 0.25), target)


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


def _behind_persons(scene: Scene) -> list[Thing]:
    """Return everything but the persons whose faces are seen, as sure as these; [] without any."""
    persons = find_persons(scene)
    if not persons:
        return []
    covered = np.logical_or.reduce([person.mask for person in persons])
    # collars and folded arms leave notches and holes that are no background
    radius = max(2, max(scene.shape) // 24)
    apart = np.pad(covered, 2 * radius)  # the picture's border closes no notch
    joined = closed(apart, radius)[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    whole = without_specks(joined, hole=0.1)
    factors = {
        "persons": min(person.confidence for person in persons),
        "edge": soft(edge_contrast(scene, whole), 0.1, 0.4, 0.4),
        "size": soft(float(whole.mean()), 0.03, 0.08) * soft(float(whole.mean()), 0.85, 0.7),
    }
    return [Thing(mask=~whole, route="all but the person", factors=factors, cap=0.8)]


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
