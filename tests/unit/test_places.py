"""Places beside a host, and room for what replaces a thing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_core.segmentation.places import grown_for_replacement, place_beside
from image_core.types import Mask

RELATIONS = [
    *("on", "on top of", "at", "", "above", "over", "below", "under", "beneath", "underneath"),
    *("left of", "to the left of", "right of", "to the right of", "next to", "beside", "near"),
    *("by", "close to", "in", "into", "inside", "to", "around", "behind", "in front of"),
    *("between", "in between", "outside", "along", "floating somewhere about"),
]


def host(box: tuple[int, int, int, int] = (70, 80, 110, 130), size: int = 200) -> Mask:
    alpha = np.zeros((size, size), np.float32)
    alpha[box[1] : box[3], box[0] : box[2]] = 1
    return alpha


def centre(place: Mask) -> tuple[float, float]:
    y, x = np.nonzero(place > 0)
    return float(x.mean()), float(y.mean())


def shared(place: Mask, other: Mask) -> float:
    """Return how much of ``other`` belongs to the place."""
    return float((place > 0)[other > 0].mean())


@pytest.mark.parametrize("relation", ["above", "over", "high above"])
def test_above_lies_over_the_host_and_free_of_it(relation: str) -> None:
    place = place_beside(host(), relation)
    assert shared(place, host()) == 0
    assert abs(centre(place)[0] - 90) < 1
    assert np.nonzero(place.any(axis=1))[0].max() == 79


@pytest.mark.parametrize("relation", ["below", "under", "beneath", "underneath"])
def test_below_lies_under_the_host_and_free_of_it(relation: str) -> None:
    place = place_beside(host(), relation)
    assert shared(place, host()) == 0
    assert abs(centre(place)[0] - 90) < 1
    assert np.nonzero(place.any(axis=1))[0].min() == 130


@pytest.mark.parametrize("relation", ["left of", "to the left of", "on the left side of", "left"])
def test_left_lies_to_the_left_at_the_hosts_height(relation: str) -> None:
    place = place_beside(host(), relation)
    assert shared(place, host()) == 0
    assert np.nonzero(place.any(axis=0))[0].max() == 69
    assert 80 <= centre(place)[1] <= 130


@pytest.mark.parametrize("relation", ["right of", "to the right of", "on the right side of"])
def test_right_lies_to_the_right_at_the_hosts_height(relation: str) -> None:
    place = place_beside(host(), relation)
    assert shared(place, host()) == 0
    assert np.nonzero(place.any(axis=0))[0].min() == 110
    assert 80 <= centre(place)[1] <= 130


@pytest.mark.parametrize("relation", ["next to", "beside", "near", "by", "close to", "against"])
@pytest.mark.parametrize(("x", "side"), [(20, "right"), (140, "left")])
def test_beside_takes_the_side_with_more_room(relation: str, x: int, side: str) -> None:
    place = place_beside(host((x, 80, x + 40, 130)), relation)
    assert shared(place, host((x, 80, x + 40, 130))) == 0
    assert (centre(place)[0] > x + 20) == (side == "right")


@pytest.mark.parametrize("relation", ["on", "on top of", "atop", "onto", ""])
def test_on_covers_the_host_and_reaches_above_it(relation: str) -> None:
    place = place_beside(host(), relation)
    assert shared(place, host()) == 1
    assert np.nonzero(place.any(axis=1))[0].min() < 80
    assert np.nonzero(place.any(axis=1))[0].max() == 129


@pytest.mark.parametrize("relation", ["in", "into", "inside", "within", "to"])
def test_in_is_the_host_itself(relation: str) -> None:
    np.testing.assert_array_equal(place_beside(host(), relation) > 0, host() > 0)


@pytest.mark.parametrize("relation", ["around", "behind", "outside"])
def test_around_and_behind_surround_the_host_and_spare_it(relation: str) -> None:
    place = place_beside(host(), relation)
    assert shared(place, host()) == 0
    for dx, dy in ((-25, 0), (25, 0), (0, -30), (0, 30)):  # a little off each side
        assert place[105 + dy, 90 + dx] > 0


def test_in_front_covers_the_lower_host_and_reaches_below_it() -> None:
    place = place_beside(host(), "in front of")
    assert place[125, 90] > 0
    assert place[135, 90] > 0
    assert place[90, 90] == 0


def test_between_is_the_gap_that_two_hosts_leave() -> None:
    two = host((20, 80, 60, 130)) + host((120, 80, 160, 130))
    for relation in ("between", "in between"):
        place = place_beside(two, relation)
        assert shared(place, two) == 0
        assert np.flatnonzero(place.any(axis=0)).tolist() == list(range(60, 120))


@pytest.mark.parametrize(
    ("box", "relation"),
    [((20, 100, 180, 104), "on"), ((20, 100, 180, 104), "above"), ((100, 20, 104, 180), "left of")],
)
def test_a_shelf_or_a_pole_has_room_by_it_for_more_than_its_own_thickness(
    box: tuple[int, int, int, int], relation: str
) -> None:
    place = place_beside(host(box), relation)
    used = [int(np.count_nonzero(place.any(axis=axis))) for axis in (0, 1)]
    assert min(used) >= 12
    if relation != "on":
        assert shared(place, host(box)) == 0


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize(
    "box",
    [(0, 0, 200, 200), (0, 0, 40, 40), (160, 160, 200, 200), (0, 90, 200, 95), (199, 0, 200, 200)],
)
def test_a_host_at_the_border_leaves_a_place_inside_the_picture(
    relation: str, box: tuple[int, int, int, int]
) -> None:
    place = place_beside(host(box), relation)
    assert place.shape == (200, 200)
    assert place.dtype == np.float32
    used = [int(np.count_nonzero(place.any(axis=axis))) for axis in (0, 1)]
    assert min(used) >= 5
    assert place.min() >= 0
    assert place.max() <= 1


@settings(max_examples=150, deadline=None)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    seed=st.integers(0, 10_000),
    relation=st.sampled_from(RELATIONS),
)
def test_any_host_in_any_picture_has_a_place_that_is_not_empty(
    height: int, width: int, seed: int, relation: str
) -> None:
    drawn = np.random.default_rng(seed)
    alpha = np.zeros((height, width), np.float32)
    y, x = drawn.integers(0, height), drawn.integers(0, width)
    alpha[y : y + drawn.integers(1, 20), x : x + drawn.integers(1, 20)] = drawn.uniform(0.01, 1)
    place = place_beside(alpha, relation)
    assert place.shape == alpha.shape
    assert place.max() > 0
    assert place.min() >= 0


def test_an_empty_host_has_an_empty_place() -> None:
    empty = np.zeros((20, 30), np.float32)
    assert not place_beside(empty, "on").any()
    assert not grown_for_replacement(empty).any()


@pytest.mark.parametrize("grow", [0.02, 0.08, 0.3])
@pytest.mark.parametrize("side", [20, 50, 100])
def test_a_replacement_grows_by_the_stated_share_of_the_things_size(grow: float, side: int) -> None:
    thing = host((100, 100, 100 + side, 100 + side), size=300)
    grown = grown_for_replacement(thing, grow)
    reach = 100 - int(np.nonzero(grown.any(axis=0))[0].min())
    assert reach == max(2, round(grow * side))
    assert np.nonzero(grown.any(axis=1))[0].max() == 99 + side + reach


@pytest.mark.parametrize("side", [1, 5, 20, 60, 150])
def test_what_is_replaced_lies_within_at_full_weight_so_that_nothing_shines_through(
    side: int,
) -> None:
    thing = host((20, 30, 20 + side, 30 + side))
    assert (grown_for_replacement(thing)[thing > 0] == 1).all()


def test_a_soft_regions_whole_support_is_the_thing() -> None:
    soft = 0.1 * host()
    np.testing.assert_array_equal(grown_for_replacement(soft), grown_for_replacement(host()))


def test_growing_rounds_the_corners_like_a_disc() -> None:
    grown = grown_for_replacement(host((80, 80, 120, 120)), 0.5)
    assert grown[100, 61] > 0
    assert grown[66, 66] > 0  # 19.8 px off the corner
    assert grown[65, 65] == 0  # 21.2 px


def test_the_arguments_stay_as_they_are() -> None:
    alpha = host()
    alpha.flags.writeable = False
    for relation in RELATIONS:
        place_beside(alpha, relation)
    grown_for_replacement(alpha)


def test_an_emblem_on_a_replaced_suit_goes_with_it_and_the_view_through_a_wreath_stays() -> None:
    suit = host((40, 40, 160, 160))
    suit[95:105, 95:105] = 0
    wreath = host((40, 40, 160, 160))
    wreath[70:130, 70:130] = 0
    assert (grown_for_replacement(suit, 0.01)[95:105, 95:105] == 1).all()
    assert (grown_for_replacement(wreath, 0.01)[90:110, 90:110] == 0).all()
