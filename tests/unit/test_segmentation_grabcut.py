"""Boxes, points and rough masks become regions."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from image_core.segmentation import GrabCutConfig, GrabCutSegmenter
from image_core.segmentation.boxes import resized_mask, tightness, whole_pixels, with_context
from image_core.segmentation.superpixels import from_labels, geodesic_distances, superpixels
from image_core.types import Box, Detection, Image, Region


def _scene() -> tuple[Image, np.ndarray]:
    """A red ellipse on a grey-green textured ground."""
    rng = np.random.default_rng(3)
    ground = cv2.resize(
        rng.random((12, 16)).astype(np.float32), (240, 180), None, 0, 0, cv2.INTER_CUBIC
    )
    picture = np.dstack([0.40 + 0.1 * ground, 0.45 + 0.1 * ground, 0.42 + 0.1 * ground])
    rows, columns = np.mgrid[:180, :240]
    inside = ((rows - 90) / 40) ** 2 + ((columns - 110) / 60) ** 2 < 1
    shade = 1 - 0.3 * (columns - 110)[..., None] / 120
    picture = np.where(inside[..., None], np.array([0.8, 0.2, 0.15]) * shade, picture)
    picture += 0.015 * rng.standard_normal(picture.shape)
    return np.clip(picture, 0, 1).astype(np.float32), inside


BOX = (50.0, 50.0, 170.0, 130.0)


def _iou(region: Region, truth: np.ndarray) -> float:
    got = region.alpha > 0.5
    return float((got & truth).sum() / (got | truth).sum())


def _segment(image: Image, *detections: Detection) -> list[Region]:
    return GrabCutConfig().build().segment([image], [list(detections)])[0]


def test_a_box_is_cut_to_the_thing_that_it_holds() -> None:
    image, truth = _scene()
    (region,) = _segment(image, Detection(box=BOX))
    assert _iou(region, truth) > 0.97
    assert region.confidence == 1.0


def test_alpha_is_clean_far_from_the_thing() -> None:
    image, truth = _scene()
    (region,) = _segment(image, Detection(box=BOX))
    near = cv2.dilate(truth.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert (region.alpha[~near] == 0).all()
    core = cv2.erode(truth.astype(np.uint8), np.ones((21, 21), np.uint8)) > 0
    assert (region.alpha[core] == 1).all()
    assert region.alpha.dtype == np.float32


def test_several_boxes_give_a_region_each_in_order() -> None:
    image, truth = _scene()
    both = np.concatenate([image, image[:, ::-1]], axis=1)
    flipped = (480 - BOX[2], BOX[1], 480 - BOX[0], BOX[3])
    first, second = _segment(both, Detection(box=BOX), Detection(box=flipped))
    assert not ((first.alpha > 0) & (second.alpha > 0)).any()
    assert _iou(second, np.concatenate([np.zeros_like(truth), truth[:, ::-1]], axis=1)) > 0.95


def test_a_detections_mask_only_has_its_edge_refined() -> None:
    image, truth = _scene()
    rough = np.roll(truth, 2, axis=1).astype(np.float32)
    (region,) = _segment(image, Detection(box=BOX, mask=rough, score=0.7, evidence="why"))
    assert _iou(region, truth) > 0.97
    assert (region.confidence, region.evidence) == (0.7, "why")


def test_an_empty_box_of_even_ground_is_left_out() -> None:
    image = np.full((120, 160, 3), 0.5, dtype=np.float32)
    assert _segment(image, Detection(box=(40, 30, 100, 90))) == []


def test_a_box_around_the_whole_picture_is_left_out() -> None:
    image, _ = _scene()
    assert _segment(image, Detection(box=(0, 0, 240, 180))) == []


def test_a_box_beyond_the_picture_is_left_out() -> None:
    image, _ = _scene()
    assert _segment(image, Detection(box=(300, 10, 340, 50))) == []


def test_points_on_and_off_the_thing_find_it_or_nothing() -> None:
    image, truth = _scene()
    found = _segment(
        image, Detection(box=None, points=((110.0, 90.0), (80.0, 90.0)), not_points=((20.0, 20.0),))
    )
    assert len(found) == 1
    assert _iou(found[0], truth) > 0.9
    assert found[0].confidence < 1


def test_a_point_on_noise_is_refused() -> None:
    noise = np.random.default_rng(0).random((100, 100, 3)).astype(np.float32)
    assert _segment(noise, Detection(box=None, points=((50.0, 50.0),))) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1), (2, 2), (16, 16), (5, 200)])
@pytest.mark.parametrize("even", [True, False])
def test_tiny_pictures_never_fail(shape: tuple[int, int], even: bool) -> None:
    rng = np.random.default_rng(0)
    image = np.full((*shape, 3), 0.5) if even else rng.random((*shape, 3))
    whole = (0.0, 0.0, float(shape[1]), float(shape[0]))
    detections = [
        Detection(box=whole),
        Detection(box=(0.0, 0.0, 1.0, 1.0)),
        Detection(box=None, points=((0.0, 0.0),)),
        Detection(box=None),
        Detection(box=whole, mask=np.eye(*shape, dtype=np.float32)),
    ]
    for region in _segment(image.astype(np.float32), *detections):
        assert region.alpha.shape == shape
        assert np.isfinite(region.alpha).all()
        assert 0 <= region.alpha.min() <= region.alpha.max() <= 1


def test_not_a_number_in_the_picture_does_not_leak_into_the_alpha() -> None:
    image, _ = _scene()
    image[80:84, 100:104] = np.nan
    for region in _segment(image, Detection(box=BOX)):
        assert np.isfinite(region.alpha).all()


def test_the_same_input_gives_the_same_bits() -> None:
    image, _ = _scene()
    first = GrabCutSegmenter().segment([image], [[Detection(box=BOX)]])[0][0].alpha
    cv2.setRNGSeed(123)
    second = GrabCutSegmenter().segment([image], [[Detection(box=BOX)]])[0][0].alpha
    assert np.array_equal(first, second)


def test_lists_of_other_lengths_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        GrabCutConfig().build().segment([], [[]])


@pytest.mark.parametrize(
    ("box", "whole"),
    [
        ((1.2, 2.0, 5.1, 6.0), (1, 2, 6, 6)),
        ((-3.0, -3.0, 99.0, 99.0), (0, 0, 20, 10)),
        ((30.0, 0.0, 40.0, 5.0), None),
        ((5.0, 5.0, 5.0, 9.0), None),
        ((float("nan"), 0.0, 4.0, 4.0), None),
    ],
)
def test_boxes_are_rounded_outwards_within_the_picture(
    box: Box, whole: tuple[int, ...] | None
) -> None:
    assert whole_pixels(box, 10, 20) == whole


def test_context_grows_a_box_within_the_picture() -> None:
    assert with_context((10, 10, 30, 20), 0.5, 100, 35) == (0, 5, 35, 25)


def test_tightness_is_one_for_a_mask_that_touches_all_four_sides() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:15, 5:10] = True
    assert tightness(mask, (5, 5, 10, 15)) == 1
    assert tightness(mask, (5, 5, 15, 15)) == pytest.approx(0.5)


def test_a_resized_mask_keeps_its_place() -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[:, 5:] = True
    assert np.array_equal(resized_mask(mask, 30, 30), np.repeat(np.repeat(mask, 3, 0), 3, 1))


def test_superpixels_measure_what_they_cover() -> None:
    lab = np.zeros((4, 6, 3), dtype=np.float32)
    lab[:, 3:] = 1
    labels = np.zeros((4, 6), dtype=np.int64)
    labels[:, 3:] = 1
    parts = from_labels(labels, lab)
    assert parts.areas.tolist() == [12, 12]
    assert parts.lab[:, 0].tolist() == [0, 1]
    assert parts.edges.tolist() == [[0, 1]]
    assert parts.border.sum() == 16
    assert parts.centres[:, 0] == pytest.approx([0.25, 0.75])


def test_geodesic_distance_is_the_shortest_way_round() -> None:
    edges = np.array([[0, 1], [1, 2], [0, 2]])
    got = geodesic_distances(3, edges, np.array([1.0, 1.0, 5.0]), np.array([0]))
    assert got[0] == pytest.approx([0, 1, 2])


def test_superpixels_cover_every_pixel_with_present_labels() -> None:
    lab = np.random.default_rng(0).random((50, 70, 3)).astype(np.float32)
    parts = superpixels(lab, 60)
    assert np.array_equal(np.unique(parts.labels), np.arange(parts.count))


def test_boxes_of_real_photos_lead_to_their_masks(shared_data: Path) -> None:
    scores = []
    for entry in json.loads((shared_data / "masks" / "index.json").read_text()):
        image = cv2.imread(str(shared_data / entry["image"]))[..., ::-1].astype(np.float32) / 255
        truth = cv2.imread(str(shared_data / entry["file"]), cv2.IMREAD_GRAYSCALE) > 127
        box = tuple(float(side) for side in entry["box"])
        found = _segment(image, Detection(box=box))
        scores.append(_iou(found[0], truth) if found else 0.0)
    assert np.mean(scores) >= 0.85


def test_a_thing_is_cut_out_though_its_colours_lie_around_it_too(shared_data):
    picture = cv2.imread(str(shared_data / "fox" / "images" / "0001.jpg"))[..., ::-1]
    fox = np.ascontiguousarray(picture, np.float32) / 255
    found = GrabCutSegmenter().segment([fox], [[Detection(box=(30, 19, 125, 152))]])[0]
    alpha = found[0].alpha
    assert alpha[60:95, 65:95].mean() > 0.95, "its head"
    assert alpha[160:].max() < 0.2, "the wall and the wood below"
    assert alpha[:38, 100:].max() < 0.2, "the wall above its nose"


def test_the_middle_of_an_empty_box_is_no_thing():
    rng = np.random.default_rng(4)
    wall = np.clip(rng.normal(0.6, 0.03, (120, 120, 3)), 0, 1).astype(np.float32)
    assert GrabCutSegmenter().segment([wall], [[Detection(box=(30, 30, 90, 90))]]) == [[]]
