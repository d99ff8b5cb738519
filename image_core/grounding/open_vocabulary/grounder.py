"""The grounder seam over any detector that finds phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from image_core.grounding.classic import ClassicGrounder
from image_core.grounding.classic.concepts import concept_of
from image_core.grounding.open_vocabulary.candidates import Candidates, apart, clipped
from image_core.grounding.open_vocabulary.phrases import Phrase, Query, query_of
from image_core.grounding.open_vocabulary.relations import relation_factor
from image_core.grounding.resolver import resolve
from image_core.segmentation.boxes import in_bytes
from image_core.types import Box, Detection, EditStep, Image, Target

Picture = UInt8[np.ndarray, "_ _ 3"]

_UNSEEN_HOST = 0.5  # left of a score when what the thing is related to was not found
_SURE_BY_CLASSIC = 0.5  # the classic grounder's own limit
_MOST_UNSURE = 10
_LEAST_SIDE = 8


@runtime_checkable
class Detector(Protocol):
    """Finds phrases in pictures."""

    def detect(
        self, pictures: Sequence[Picture], phrases: Sequence[Phrase]
    ) -> list[list[Candidates]]:
        """Return, per picture, what was seen of each phrase."""
        ...


class OpenVocabularyGrounder:
    """Grounds by a detector; chooses by place, size, ordinal and relation as all grounders do.

    Attributes:
        min_confidence: Detections scoring below this are no answer.
    """

    def __init__(self, detector: Detector, *, min_confidence: float, overlap: float = 0.7) -> None:
        """Keep the detector.

        Args:
            detector: Made with its own thresholds.
            min_confidence: On the detector's own scale of scores.
            overlap: Intersection over union from which two boxes are the same thing.
        """
        self.detector = detector
        self.min_confidence = min_confidence
        self.overlap = overlap

    def ground(self, images: Sequence[Image], step: EditStep) -> list[list[Detection]]:
        """Return each image's candidates for the step's target, best first.

        Those below ``min_confidence`` come last and explain a refusal. A background is no thing
        that a detector finds: it is left to the classic grounder.

        Raises:
            MissingWeights: The detector's weights or extra are not on this machine.
        """
        query = query_of(step.target)
        if query is None:
            return [[] for _ in images]
        if concept_of(step.target) == "background":
            return [
                [found for found in row if found.score >= _SURE_BY_CLASSIC]
                for row in ClassicGrounder().ground(images, step)
            ]
        usable = [k for k, image in enumerate(images) if min(image.shape[:2]) >= _LEAST_SIDE]
        found: list[list[Detection]] = [[] for _ in images]
        if usable:
            pictures = [in_bytes(images[k]) for k in usable]
            for k, seen in zip(usable, self.detector.detect(pictures, query.phrases), strict=True):
                found[k] = self._settled(seen, query, step.target, *images[k].shape[:2])
        return found

    def _settled(
        self, seen: Sequence[Candidates], query: Query, target: Target, height: int, width: int
    ) -> list[Detection]:
        things, *others = (self._detections(candidates, height, width) for candidates in seen)
        if query.bearing is not None:
            hosts = [found.box for found in others[0] if found.score >= self.min_confidence]
            things = _related(things, query, [box for box in hosts if box is not None])
        elif query.remark:
            things = [
                replace(found, evidence=f"{found.evidence}; {query.remark}") for found in things
            ]
        sure = [found for found in things if found.score >= self.min_confidence]
        unsure = [found for found in things if found.score < self.min_confidence]
        chosen = _chosen(sure, target, height, width)
        return sorted([*chosen, *unsure[:_MOST_UNSURE]], key=lambda found: -found.score)

    def _detections(self, seen: Candidates, height: int, width: int) -> list[Detection]:
        boxes = clipped(seen.boxes, height, width)
        return [
            Detection(
                box=_as_box(boxes[k]),
                score=float(np.clip(seen.scores[k], 0, 1)),
                mask=None if seen.masks is None else seen.masks[k],
                evidence=seen.evidence[k],
            )
            for k in apart(boxes, seen.scores, self.overlap)
        ]


def _as_box(row: np.ndarray) -> Box:
    x0, y0, x1, y1 = (float(side) for side in row)
    return x0, y0, x1, y1


def _related(things: Sequence[Detection], query: Query, hosts: Sequence[Box]) -> list[Detection]:
    """Weigh things by how they lie to what they are related to; best first."""
    assert query.bearing is not None
    assert query.host is not None
    enough = len(hosts) >= (2 if query.bearing == "between" else 1)
    weighed = []
    for found in things:
        assert found.box is not None
        others = [host for host in hosts if host != found.box]
        if enough and others:
            factor = relation_factor(query.bearing, found.box, others)
            remark = f"lies {factor:.0%} as '{query.bearing}' the {query.host.text} asks"
        else:
            factor, remark = _UNSEEN_HOST, f"no {query.host.text} was found to relate it to"
        evidence = f"{found.evidence}; {remark}"
        weighed.append(replace(found, score=found.score * factor, evidence=evidence))
    return sorted(weighed, key=lambda found: -found.score)


def _chosen(sure: Sequence[Detection], target: Target, height: int, width: int) -> list[Detection]:
    """Choose by the words that say which, among things that are all sure to be of the kind.

    The resolver counts by its own scale of scores; here each is certain, and its factor is put on
    the detector's score.
    """
    own = {found.box: found for found in sure}
    weighed = resolve([replace(found, score=1.0) for found in sure], target, height, width)
    return [replace(own[found.box], score=own[found.box].score * found.score) for found in weighed]
