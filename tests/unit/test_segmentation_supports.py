"""Supports: legs are found whatever they are made of; seams, poles, gaps and shadows are not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from jaxtyping import Bool

from image_core.segmentation.supports import with_supports
from image_core.types import Image

Region = Bool[np.ndarray, "h w"]

FLOOR = (0.6, 0.45, 0.3)
WALL = (0.8, 0.8, 0.78)
BLACK = (0.06, 0.06, 0.06)
SEAT = (110, 60, 190, 130)


def _room(scale: int = 1) -> Image:
    image = np.empty((200 * scale, 300 * scale, 3), np.float32)
    image[:] = WALL
    image[120 * scale :] = FLOOR
    return image


def _box(image: Image, box: tuple[int, int, int, int], colour: tuple[float, ...]) -> Region:
    inside = np.zeros(image.shape[:2], bool)
    inside[box[1] : box[3], box[0] : box[2]] = True
    image[inside] = colour
    return inside


def _legs(image: Image, colour: tuple[float, ...]) -> Region:
    drawn = np.zeros(image.shape[:2], np.uint8)
    for x, foot, end in ((115, 111, 152), (145, 145, 160), (160, 160, 145), (184, 188, 152)):
        cv2.line(drawn, (x, 128), (foot, end), 1, 4)
    legs = (drawn > 0) & (np.arange(image.shape[0])[:, None] >= SEAT[3])
    image[legs] = colour
    return legs


def _noisy(image: Image) -> Image:
    noise = np.random.default_rng(0).normal(0, 0.01, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.6) + noise, 0, 1).astype(np.float32)


@pytest.mark.parametrize("colour", [BLACK, (0.97, 0.97, 0.97)])
def test_all_four_legs_of_a_chair_are_added(colour: tuple[float, ...]) -> None:
    image = _room()
    seat = _box(image, SEAT, (0.9, 0.7, 0.1))
    legs = _legs(image, colour)
    found = with_supports(_noisy(image), seat)
    assert (found & seat).sum() == seat.sum()
    added = found & ~seat
    assert (added & legs).sum() > 0.75 * legs.sum()
    around = cv2.dilate(legs.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert not (added & ~around).any()


def test_a_leg_that_stands_on_its_shadow_is_known_by_the_others() -> None:
    image = _room()
    seat = _box(image, SEAT, (0.9, 0.7, 0.1))
    _box(image, (178, 150, 200, 166), tuple(0.55 * value for value in FLOOR))
    legs = _legs(image, BLACK)
    added = with_supports(_noisy(image), seat) & ~seat
    assert (added & legs)[:, 178:].sum() > 0.6 * legs[:, 178:].sum()


def test_the_stem_of_a_lamp_is_added_and_a_pole_that_goes_on_is_not() -> None:
    image = _room()
    shade = _box(image, (120, 40, 180, 100), (0.9, 0.7, 0.1))
    stem = _box(image, (148, 100, 152, 115), BLACK)
    passing = _box(image, (168, 100, 171, 200), BLACK)
    added = with_supports(_noisy(image), shade) & ~shade
    assert (added & stem).sum() > 0.7 * stem.sum()
    assert not (added & passing).any()


def test_seams_of_the_floor_are_no_legs() -> None:
    image = _room()
    for x in range(10, 300, 25):
        cv2.line(image, (150 + (x - 150) // 2, 120), (x, 199), (0.3, 0.2, 0.12), 2)
    seat = _box(image, SEAT, (0.9, 0.7, 0.1))
    assert np.array_equal(with_supports(_noisy(image), seat), seat)


def test_a_shadow_under_a_thing_is_no_support() -> None:
    image = _room()
    thing = _box(image, SEAT, (0.9, 0.7, 0.1))
    shadow = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(shadow, (150, 132), (60, 9), 0, 0, 360, 1, -1)
    image[(shadow > 0) & ~thing] = (0.25, 0.18, 0.12)
    assert np.array_equal(with_supports(_noisy(image), thing), thing)


def test_a_gap_through_which_the_floor_is_seen_is_no_leg() -> None:
    image = _room()
    image[120:] = (0.2, 0.15, 0.1)
    thing = _box(image, SEAT, (0.9, 0.7, 0.1))
    _box(image, (110, 130, 147, 150), (0.9, 0.9, 0.9))
    _box(image, (152, 130, 190, 150), (0.9, 0.9, 0.9))
    assert np.array_equal(with_supports(_noisy(image), thing), thing)


def test_what_stands_beside_a_thing_is_not_its_own() -> None:
    image = _room()
    thing = _box(image, SEAT, (0.9, 0.7, 0.1))
    _box(image, (200, 60, 204, 160), BLACK)
    assert np.array_equal(with_supports(_noisy(image), thing), thing)


def test_texture_alone_adds_nothing() -> None:
    image = np.random.default_rng(3).random((200, 300, 3)).astype(np.float32)
    thing = np.zeros((200, 300), bool)
    thing[60:130, 110:190] = True
    assert np.array_equal(with_supports(image, thing), thing)


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 0), (0, 0, 300, 80), (0, 0, 300, 200), (100, 100, 105, 105)]
)
def test_nothing_sky_everything_and_specks_stay_as_they_are(box: tuple[int, ...]) -> None:
    image = _room()
    inside = np.zeros(image.shape[:2], bool)
    inside[box[1] : box[3], box[0] : box[2]] = True
    assert np.array_equal(with_supports(image, inside), inside)


def test_neither_argument_is_written_to() -> None:
    image = _room()
    seat = _box(image, SEAT, (0.9, 0.7, 0.1))
    _legs(image, BLACK)
    picture, region = image.copy(), seat.copy()
    assert with_supports(image, seat).sum() > seat.sum()
    assert np.array_equal(image, picture)
    assert np.array_equal(seat, region)


def test_a_photographed_chair_gets_its_legs_and_little_else(shared_data: Path) -> None:
    picture = cv2.imread(str(shared_data / "photos" / "house.jpg"))[..., ::-1]
    read = cv2.IMREAD_GRAYSCALE
    whole = cv2.imread(str(shared_data / "masks" / "house__armchair.png"), read) > 0
    seat = cv2.imread(str(shared_data / "masks" / "house__armchair_upholstery.png"), read) > 0
    added = with_supports(picture.astype(np.float32) / 255, seat) & ~seat
    legs = whole & ~seat
    assert (added & legs).sum() > 0.7 * legs.sum()
    near = cv2.dilate(whole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (added & ~near).sum() < 0.05 * added.sum()


@pytest.mark.parametrize(
    ("photo", "mask"),
    [
        ("astronaut.png", "astronaut__suit_fabric"),
        ("astronaut.png", "astronaut__helmet"),
        ("flower.jpg", "flower__dahlia"),
        ("coffee.png", "coffee__cup"),
        ("chelsea.png", "chelsea__nose"),
    ],
)
def test_what_stands_on_nothing_gains_nothing(shared_data: Path, photo: str, mask: str) -> None:
    picture = cv2.imread(str(shared_data / "photos" / photo))[..., ::-1]
    inside = cv2.imread(str(shared_data / "masks" / f"{mask}.png"), cv2.IMREAD_GRAYSCALE) > 0
    added = with_supports(picture.astype(np.float32) / 255, inside) & ~inside
    assert added.sum() <= 0.01 * inside.sum()
