"""ZONE's sizes, its choice of segments, and the prompts that a rough region becomes."""

from __future__ import annotations

import numpy as np
import pytest

from image_core.editors.zone.paper_code import cleaned, region_by_iou
from image_core.editors.zone.prompts import MOST_PARTS, POINTS, prompts_of, spread_points
from image_core.editors.zone.segments import (
    chosen_region,
    coverage_and_precision,
    without_small_parts,
)
from image_core.editors.zone.sizes import content_of, padded, padded_plan
from image_core.errors import InvalidInput
from image_core.segmentation.prompted import CutConfig, Guesses, Prompt, PromptedSegmenter


def rectangle(rows: tuple[int, int], columns: tuple[int, int], size: int = 128) -> np.ndarray:
    mask = np.zeros((size, size), np.float32)
    mask[slice(*rows), slice(*columns)] = 1
    return mask


def bump(centre: tuple[int, int], radius: float, size: int = 128) -> np.ndarray:
    rows, columns = np.indices((size, size))
    away = np.hypot(rows - centre[0], columns - centre[1])
    return np.clip(1 - away / radius, 0, 1).astype(np.float32)


# sizes of the released code


@pytest.mark.parametrize(
    ("height", "width", "size", "box"),
    [
        (700, 1000, (384, 512), (0, 13, 512, 371)),
        (200, 300, (224, 320), (10, 12, 310, 212)),
        (512, 512, (512, 512), (0, 0, 512, 512)),
        (1000, 700, (512, 384), (13, 0, 371, 512)),
        (3, 4000, (32, 512), (0, 15, 512, 16)),
    ],
)
def test_pictures_are_scaled_and_padded_as_the_released_code_does(height, width, size, box):
    plan = padded_plan(height, width)
    assert (plan.size, plan.box) == (size, box)


def test_padding_is_black_and_comes_off_again():
    picture = np.random.default_rng(0).integers(1, 256, (200, 300, 3), dtype=np.uint8)
    plan = padded_plan(200, 300)
    framed = padded(picture, plan)
    assert framed.shape == (224, 320, 3)
    assert framed.sum(dtype=int) == picture.sum(dtype=int)
    assert (content_of(framed, plan) == picture).all()


def test_a_large_picture_keeps_its_mean_when_it_is_scaled():
    picture = np.full((700, 1000, 3), (10, 120, 250), np.uint8)
    plan = padded_plan(700, 1000)
    assert (content_of(padded(picture, plan), plan) == (10, 120, 250)).all()


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(InvalidInput, match="0x5"):
        padded_plan(5, 0)


# the released code's choice


def test_areas_are_weighted_by_their_number_so_that_two_of_five_blobs_survive():
    blobs = np.zeros((64, 64), bool)
    for number in range(5):
        blobs[10 * number : 10 * number + 4, 8:12] = True
    kept = cleaned(blobs)
    assert kept.sum() == 32
    assert kept[30:34].any()
    assert kept[40:44].any()


def test_a_removed_part_takes_its_whole_bounding_box_with_it():
    inside = np.zeros((40, 40), bool)
    inside[0, 0:12] = inside[0:12, 0] = True  # a thin corner, number 1, of 23 pixels
    inside[4:16, 4:16] = True  # a block inside its box
    kept = cleaned(inside)
    assert not kept[:12, :12].any()
    assert kept.sum() == 12 * 12 - 8 * 8


def test_the_first_of_equally_overlapping_segments_is_taken_alone():
    rough = rectangle((20, 60), (20, 60)) > 0
    half, other = rectangle((20, 60), (20, 40)), rectangle((20, 60), (40, 60))
    chosen = region_by_iou([rectangle((90, 120), (0, 30)), half, other], rough)
    assert chosen.chosen == (1,)
    assert chosen.score == 0.5
    assert (chosen.alpha == half).all()


def test_without_overlap_the_rough_region_stays_where_the_released_code_ends_in_an_error():
    rough = rectangle((20, 60), (20, 60)) > 0
    for segments in ([], [rectangle((90, 120), (90, 120))]):
        chosen = region_by_iou(segments, rough)
        assert chosen.fell_back
        assert (chosen.alpha == rough).all()
        assert "stays" in chosen.reason


def test_an_overlapping_speck_that_the_cleaning_removes_leaves_the_rough_region():
    rough = rectangle((20, 60), (20, 60)) > 0
    chosen = region_by_iou([rectangle((30, 33), (30, 33))], rough)
    assert chosen.fell_back
    assert "cleaning" in chosen.reason


# the fixed choice


def test_the_segment_that_covers_the_rough_region_and_keeps_to_it_is_taken():
    rough = bump((64, 64), 30)
    thing = (bump((64, 64), 26) > 0).astype(np.float32)
    everything, speck = np.ones((128, 128), np.float32), rectangle((60, 68), (60, 68))
    chosen = chosen_region([everything, speck, thing], rough)
    assert chosen.chosen == (2,)
    assert (chosen.alpha == thing).all()
    covers, keeps = coverage_and_precision(thing > 0, rough)
    assert chosen.score == pytest.approx(covers * keeps)
    assert keeps == 1


def test_parts_of_a_thing_are_joined_and_what_does_not_help_is_not():
    rough = rectangle((20, 80), (20, 80))
    left, right = rectangle((20, 80), (20, 52)), rectangle((20, 80), (52, 80))
    beside = rectangle((20, 80), (78, 128))
    chosen = chosen_region([beside, right, left], rough)
    assert set(chosen.chosen) == {1, 2}
    assert chosen.score == 1
    assert (chosen.alpha == rough).all()


def test_evidence_is_weighed_so_that_the_core_counts_more_than_the_foot():
    rough = np.where(rectangle((20, 60), (20, 60)) > 0, 0.2, 0).astype(np.float32)
    rough[20:60, 20:40] = 1
    sure, unsure = rectangle((20, 60), (20, 40)), rectangle((20, 60), (40, 60))
    assert coverage_and_precision(sure > 0, rough) == (pytest.approx(1 / 1.2), 1)
    assert coverage_and_precision(unsure > 0, rough) == (pytest.approx(0.2 / 1.2), 1)
    assert chosen_region([unsure, sure], rough).chosen[0] == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_segments_that_miss_leave_the_rough_region_with_full_weight_and_say_why(count):
    rough = bump((40, 40), 25)
    chosen = chosen_region([rectangle((100, 120), (100, 120))] * count, rough)
    assert chosen.fell_back
    assert (chosen.alpha == (rough > 0)).all()
    assert f"of {count} segments none overlaps" in chosen.reason


def test_a_score_under_the_least_leaves_the_rough_region():
    rough = rectangle((20, 60), (20, 60))
    poor = rectangle((50, 90), (50, 90))
    assert chosen_region([poor], rough).fell_back
    assert "scores 0.00" in chosen_region([poor], rough).reason
    assert chosen_region([poor], rough, least_score=0.001).chosen == (0,)


def test_a_soft_segment_keeps_its_edge_and_loses_its_specks():
    thing = bump((64, 64), 40)
    speck = np.zeros_like(thing)
    speck[4:6, 4] = 1
    chosen = chosen_region([np.maximum(thing, speck)], thing)
    assert (chosen.alpha == thing).all()


def test_an_empty_rough_region_gives_an_empty_region():
    empty = np.zeros((128, 128), np.float32)
    chosen = chosen_region([rectangle((0, 20), (0, 20))], empty)
    assert not chosen.alpha.any()
    assert chosen.reason == "the rough region is empty"
    assert "empty" in region_by_iou([rectangle((0, 20), (0, 20))], empty > 0).reason


def test_parts_are_kept_by_their_own_area_and_the_largest_always():
    blobs = np.zeros((64, 64), bool)
    for number in range(5):
        blobs[10 * number : 10 * number + 4, 8:12] = True
    assert (without_small_parts(blobs, 16) == blobs).all()
    assert without_small_parts(blobs, 17).sum() == 16
    assert not without_small_parts(np.zeros((8, 8), bool)).any()


@pytest.mark.parametrize("choose", [chosen_region, region_by_iou])
def test_segments_of_another_size_are_refused(choose):
    rough = rectangle((20, 60), (20, 60))
    rough = rough > 0 if choose is region_by_iou else rough
    with pytest.raises(InvalidInput, match="segment 1 is 64x64"):
        choose([rectangle((0, 9), (0, 9)), rectangle((0, 9), (0, 9), 64)], rough)


# prompts


def test_prompts_lie_in_the_region_and_are_all_of_one_shape():
    rough = np.maximum(bump((40, 40), 30), 0.5 * bump((100, 100), 20))
    prompts = prompts_of(rough)
    assert [prompt.evidence for prompt in prompts] == [
        "the rough region", "the rough region's core",
        "a part of the rough region", "a part of the rough region",
    ]  # fmt: skip
    assert {(prompt.box is None, len(prompt.points)) for prompt in prompts} == {(False, POINTS)}
    assert prompts[0].score == 1
    assert prompts[2].score > prompts[3].score
    for prompt in prompts:
        x0, y0, x1, y1 = prompt.box
        for x, y in prompt.points:
            assert rough[int(y), int(x)] > 0
            assert x0 < x < x1
            assert y0 < y < y1


def test_points_start_at_the_heart_and_spread():
    inside = rectangle((20, 40), (10, 110)) > 0
    first, *others = spread_points(inside, rectangle((20, 40), (10, 50)), 3)
    assert 15 < first[0] < 50
    assert 25 < first[1] < 35
    assert min(np.hypot(x - first[0], y - first[1]) for x, y in others) > 15
    assert others[0] != others[1]


def test_a_region_of_one_pixel_can_be_asked_for():
    dot = np.zeros((64, 64), np.float32)
    dot[63, 0] = 0.3
    (prompt,) = prompts_of(dot)
    assert prompt.box == (0, 63, 1, 64)
    assert prompt.points == ((0.5, 63.5),) * POINTS


def test_an_empty_region_gives_no_prompt_and_many_parts_only_a_few():
    assert prompts_of(np.zeros((32, 32), np.float32)) == []
    many = np.zeros((128, 128), np.float32)
    many[::16, ::16] = 1
    many = np.kron(many[::4, ::4], np.ones((4, 4), np.float32))
    parts = [prompt for prompt in prompts_of(many) if "part" in prompt.evidence]
    assert len(parts) == MOST_PARTS


class BoxNetwork:
    """Answers a prompt with its box and counts how often it is asked."""

    def __init__(self) -> None:
        self.encoded = self.decoded = 0

    def encode(self, pictures):
        self.encoded += 1
        return [picture.shape[:2] for picture in pictures]

    def decode(self, seen, prompts: list[Prompt]) -> list[Guesses]:
        self.decoded += 1
        answers = []
        for prompt in prompts:
            x0, y0, x1, y1 = map(int, prompt.box)
            logits = np.full((1, *seen), -9, np.float32)
            logits[0, y0:y1, x0:x1] = 9
            answers.append(Guesses(logits=logits, quality=np.ones(1, np.float32)))
        return answers


def test_one_encoding_and_one_decoding_answer_all_prompts_and_the_best_is_chosen():
    network = BoxNetwork()
    segmenter = PromptedSegmenter(lambda: network, CutConfig(), "boxes")
    rough = np.maximum(rectangle((20, 60), (20, 60)), rectangle((90, 110), (80, 120)))
    image = np.full((128, 128, 3), 0.5, np.float32)
    (regions,) = segmenter.segment([image], [prompts_of(rough)])
    assert (network.encoded, network.decoded) == (1, 1)
    chosen = chosen_region([region.alpha for region in regions], rough)
    assert len(chosen.chosen) == 2  # two boxes joined beat the one around both
    assert chosen.score > 0.9
