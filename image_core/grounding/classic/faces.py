"""Frontal upright faces, and from a face its person.

P. Viola, M. Jones, "Rapid object detection using a boosted cascade", CVPR 2001, with the cascades
that OpenCV ships. One cascade alone finds faces in paws and walls: two must agree, an eye must be
there, and the hue must be one that skin has.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from image_core.colour import srgb_to_oklab
from image_core.grounding.classic.confidence import Thing, edge_contrast, soft
from image_core.grounding.classic.regions import BoolMap, overlap
from image_core.grounding.classic.scene import Scene
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.edges import touching

Rectangle = tuple[int, int, int, int]  # x, y, width, height


@lru_cache(maxsize=4)
def _cascade(name: str) -> cv2.CascadeClassifier:
    folder = Path(cv2.__file__).parent / "data"
    return cv2.CascadeClassifier(str(folder / f"haarcascade_{name}.xml"))


def _found(grey: np.ndarray, name: str, neighbours: int, least: int) -> list[Rectangle]:
    hits = _cascade(name).detectMultiScale(
        grey, scaleFactor=1.1, minNeighbors=neighbours, minSize=(least, least)
    )
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h in hits]


def _box_overlap(first: Rectangle, second: Rectangle) -> float:
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right = min(first[0] + first[2], second[0] + second[2])
    bottom = min(first[1] + first[3], second[1] + second[3])
    shared = max(0, right - left) * max(0, bottom - top)
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


def skin_share(scene: Scene, face: Rectangle) -> float:
    """Return the share of a face's middle whose hue skin has (OKLCh 20 to 85, some chroma)."""
    x, y, w, h = face
    middle = scene.rgb[y + h // 4 : y + h - h // 5, x + w // 4 : x + w - w // 4]
    if middle.size == 0:
        return 0.0
    lab = srgb_to_oklab(middle.astype(np.float32) / 255)
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    return float(((hue > 20) & (hue < 85) & (chroma > 0.02) & (chroma < 0.2)).mean())


def detect_faces(scene: Scene) -> list[Rectangle]:
    """Return the faces on which all checks agree, the largest first."""
    height, width = scene.shape
    if min(height, width) < 40:
        return []
    grey = cv2.equalizeHist(cv2.cvtColor(scene.rgb, cv2.COLOR_RGB2GRAY))
    least = max(24, min(height, width) // 14)
    first = _found(grey, "frontalface_default", 4, least)
    if not first:
        return []
    second = _found(grey, "frontalface_alt2", 3, least)
    agreed = [face for face in first if any(_box_overlap(face, other) > 0.4 for other in second)]
    faces = []
    for x, y, w, h in agreed:
        if skin_share(scene, (x, y, w, h)) < 0.55:
            continue
        upper = cv2.resize(grey[y : y + round(0.65 * h), x : x + w], None, fx=2, fy=2)
        if _found(upper, "eye", 3, max(8, w // 4)):
            faces.append((x, y, w, h))
    return sorted(faces, key=lambda face: (-face[2] * face[3], face))


def _ellipse(
    shape: tuple[int, int], centre: tuple[float, float], axes: tuple[float, float]
) -> BoolMap:
    canvas = np.zeros(shape, dtype=np.uint8)
    half = (max(1, round(axes[0])), max(1, round(axes[1])))
    cv2.ellipse(canvas, (round(centre[0]), round(centre[1])), half, 0, 0, 360, (1,), -1)
    return canvas > 0


def find_faces(scene: Scene) -> list[Thing]:
    """Return each face with its outline."""
    things = []
    for x, y, w, h in detect_faces(scene):
        centre = (x + w / 2, y + 0.54 * h)
        guess = _ellipse(scene.shape, centre, (0.4 * w, 0.52 * h))
        labels = np.where(guess, MAYBE_INSIDE, OUTSIDE).astype(np.uint8)
        labels[_ellipse(scene.shape, centre, (0.52 * w, 0.66 * h)) & ~guess] = MAYBE_OUTSIDE
        labels[_ellipse(scene.shape, centre, (0.28 * w, 0.36 * h))] = INSIDE
        cut = grab_cut(scene.rgb, labels, rounds=3)
        tidy = guess if cut is None else without_specks(cut, hole=0.2)
        mask = tidy if overlap(tidy, guess) > 0.6 else guess
        factors = {
            "cut agrees": soft(overlap(tidy, guess), 0.4, 0.7, 0.7),
            "skin": soft(skin_share(scene, (x, y, w, h)), 0.4, 0.7, 0.5),
        }
        things.append(
            Thing(
                mask=mask, route="face", factors=factors, prominence=float(np.sqrt(w * h)), cap=0.9
            )
        )
    return things


def find_persons(scene: Scene) -> list[Thing]:
    """Return each face's person: the head, and the body below as far as it can be cut."""
    things = []
    height, width = scene.shape
    rows, columns = np.mgrid[:height, :width] + 0.5
    for x, y, w, h in detect_faces(scene):
        across, down = (columns - x - w / 2) / w, (rows - y) / h
        body = (
            (down > 1) & (np.abs(across) < np.minimum(0.45 + 0.5 * (down - 1), 1.25)) & (down < 6)
        )
        head = _ellipse(scene.shape, (x + w / 2, y + 0.42 * h), (0.6 * w, 0.75 * h))
        guess = head | body
        labels = np.where(guess, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
        labels[(np.abs(across) > 2.1) | (down < -0.6) | (down > 7)] = OUTSIDE
        labels[(down < 1) & (np.abs(across) > 1)] = OUTSIDE
        labels[_ellipse(scene.shape, (x + w / 2, y + h / 2), (0.34 * w, 0.45 * h))] = INSIDE
        spine = (down > 0.9) & (down < 2.4) & (np.abs(across) < 0.22)
        labels[spine] = INSIDE
        cut = grab_cut(scene.rgb, labels, rounds=4)
        if cut is None:
            continue
        mask = touching(without_specks(cut), labels == INSIDE)
        factors = {
            "cut agrees": soft(overlap(mask, guess), 0.3, 0.65, 0.3),
            "edge": soft(edge_contrast(scene, mask), 0.15, 0.5, 0.3),
        }
        things.append(
            Thing(
                mask=mask,
                route="face and body",
                factors=factors,
                prominence=float(np.sqrt(w * h)),
                cap=0.8,
            )
        )
    return things
