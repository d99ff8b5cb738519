"""Place, size and ordinal words choose among detections."""

from __future__ import annotations

from itertools import product

import pytest

from image_core.grounding import has_choosing_words, resolve
from image_core.grounding.resolver import place_share
from image_core.types import Detection, Place, Size, Target

HEIGHT, WIDTH = 300, 400


def _at(x: float, y: float, size: float = 40, score: float = 0.9) -> Detection:
    return Detection(box=(x - size / 2, y - size / 2, x + size / 2, y + size / 2), score=score)


LEFT, MIDDLE, RIGHT = _at(60, 150), _at(200, 150), _at(340, 150)
ROW = [MIDDLE, RIGHT, LEFT]


def _best(
    detections: list[Detection], target: Target, *, same_kind: bool = True
) -> Detection | None:
    """Return what LocalEditor would take: the first, when sure and without a near rival."""
    ranked = resolve(detections, target, HEIGHT, WIDTH, same_kind=same_kind)
    if ranked[0].score < 0.5 or (len(ranked) > 1 and ranked[1].score >= 0.8 * ranked[0].score):
        return None
    return ranked[0]


@pytest.mark.parametrize(
    ("places", "box"),
    [(("left",), LEFT.box), (("right",), RIGHT.box), (("middle",), MIDDLE.box)],
)
def test_a_place_chooses_among_three_in_a_row(places: tuple[Place, ...], box: object) -> None:
    found = _best(ROW, Target(phrase="chair", noun="chair", places=places))
    assert found is not None
    assert found.box == box


@pytest.mark.parametrize("across", ["left", "right"])
@pytest.mark.parametrize("down", ["top", "bottom"])
def test_two_places_choose_a_corner(across: Place, down: Place) -> None:
    corners = {
        (a, d): _at(80 if a == "left" else 320, 70 if d == "top" else 230)
        for a, d in product(("left", "right"), ("top", "bottom"))
    }
    found = _best(list(corners.values()), Target(phrase="x", places=(down, across)))
    assert found is not None
    assert found.box == corners[across, down].box


@pytest.mark.parametrize(("ordinal", "start", "box"), [
    (1, "left", LEFT.box), (2, "left", MIDDLE.box), (3, "left", RIGHT.box), (-1, "left", RIGHT.box),
    (1, "right", RIGHT.box), (2, "right", MIDDLE.box), (-1, "right", LEFT.box),
])  # fmt: skip
def test_an_ordinal_counts_from_its_side(ordinal: int, start: Place, box: object) -> None:
    found = _best(ROW, Target(phrase="x", ordinal=ordinal, ordinal_from=start))
    assert found is not None
    assert found.box == box


def test_an_ordinal_beyond_the_count_finds_nothing() -> None:
    assert _best(ROW, Target(phrase="x", ordinal=4)) is None


def test_ordinals_count_from_top_and_bottom() -> None:
    column = [_at(200, y) for y in (50, 150, 250)]
    for start, expected in (("top", 100 - 50), ("bottom", 250)):
        found = _best(column, Target(phrase="x", ordinal=1, ordinal_from=start))  # type: ignore[arg-type]
        assert found is not None
        assert found.box is not None
        assert (found.box[1] + found.box[3]) / 2 == expected


@pytest.mark.parametrize(
    ("size", "edge"), [("big", 120), ("biggest", 120), ("small", 30), ("smallest", 30)]
)
def test_a_size_chooses_the_extreme_one(size: Size, edge: float) -> None:
    three = [_at(60, 150, 60), _at(180, 150, 120), _at(340, 150, 30)]
    found = _best(three, Target(phrase="x", size=size))
    assert found is not None
    assert found.box is not None
    assert found.box[2] - found.box[0] == edge


def test_equal_sizes_stay_ambiguous_under_a_size_word() -> None:
    assert _best(ROW, Target(phrase="x", size="biggest")) is None


def test_place_outweighs_score_and_size() -> None:
    small, large = _at(60, 150, 30, score=0.6), _at(330, 150, 100, score=0.9)
    found = _best([large, small], Target(phrase="x", places=("left",)))
    assert found is not None
    assert found.box == small.box


def test_a_single_thing_at_the_far_side_is_not_at_the_place() -> None:
    assert _best([RIGHT], Target(phrase="x", places=("left",))) is None


def test_the_left_of_two_on_the_right_is_meant_relative_to_them() -> None:
    nearer, farther = _at(250, 150), _at(350, 150)
    found = _best([farther, nearer], Target(phrase="x", places=("left",)))
    assert found is not None
    assert found.box == nearer.box
    assert _best([farther, nearer], Target(phrase="x", places=("left",)), same_kind=False) is None


def test_two_at_the_same_place_stay_ambiguous() -> None:
    above, below = _at(60, 100), _at(62, 200)
    assert _best([above, below], Target(phrase="x", places=("left",))) is None


def test_an_ordinal_with_a_place_is_read_both_ways() -> None:
    big, low = _at(180, 120, 120), _at(260, 280, 40)
    second = Target(phrase="x", ordinal=2, places=("bottom",))
    found = _best([big, low], second)
    assert found is not None
    assert found.box == low.box


def test_an_ordinal_with_a_place_that_can_mean_two_is_ambiguous() -> None:
    tops = [_at(60, 60), _at(150, 60), _at(340, 60)]
    low = [_at(100, 250)]
    # the second of those on top is the one at 150; the second of all (at 100) does not lie there
    found = _best(tops + low, Target(phrase="x", ordinal=2, places=("top",)))
    assert found is not None
    assert found.box == tops[1].box


def test_specks_and_unsure_candidates_are_not_counted() -> None:
    speck, unsure = _at(20, 150, 4), _at(30, 150, score=0.1)
    found = _best([*ROW, speck, unsure], Target(phrase="x", ordinal=1))
    assert found is not None
    assert found.box == LEFT.box


def test_without_choosing_words_scores_stay_and_are_sorted() -> None:
    detections = [_at(60, 150, score=0.4), _at(200, 150, score=0.8)]
    got = resolve(detections, Target(phrase="x"), HEIGHT, WIDTH)
    assert [d.score for d in got] == [0.8, 0.4]


def test_no_candidate_is_ever_dropped_and_no_score_ever_raised() -> None:
    for places, size, ordinal in product(
        ((), ("left",), ("top", "right"), ("middle",)), (None, "big", "smallest"), (0, 1, 2, -1, 9)
    ):
        target = Target(phrase="x", places=places, size=size, ordinal=ordinal)  # type: ignore[arg-type]
        got = resolve(ROW, target, HEIGHT, WIDTH)
        assert sorted(d.box for d in got if d.box) == sorted(d.box for d in ROW if d.box)
        assert all(0 <= d.score <= 0.9 for d in got)
        assert [d.score for d in got] == sorted((d.score for d in got), reverse=True)


def test_nothing_in_gives_nothing_out() -> None:
    assert resolve([], Target(phrase="x", places=("left",)), HEIGHT, WIDTH) == []


def test_detections_without_a_box_are_left_as_they_are() -> None:
    pointed = Detection(box=None, points=((3.0, 3.0),), score=0.7)
    assert pointed in resolve([pointed, LEFT], Target(phrase="x", places=("right",)), HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target(phrase="x"), False),
        (Target(phrase="x", places=("left",)), True),
        (Target(phrase="x", size="big"), True),
        (Target(phrase="x", ordinal=-1), True),
    ],
)
def test_choosing_words_are_places_sizes_and_ordinals(target: Target, expected: bool) -> None:
    assert has_choosing_words(target) is expected


def test_place_shares_are_one_at_their_border() -> None:
    assert place_share((0, 0.5), "left") == 1
    assert place_share((1, 0.5), "right") == 1
    assert place_share((0.5, 0), "top") == 1
    assert place_share((0.5, 1), "bottom") == 1
    assert place_share((0.5, 0.5), "middle") == 1
    assert place_share((0.5, 0), "middle") == 0
