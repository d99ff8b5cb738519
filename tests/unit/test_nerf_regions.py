"""Regions of the views: by phrase with a least share, by masks, in one view, from lifted seeds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from image_core.compositing import on_8_bit_grid
from image_core.errors import AmbiguousTarget, InvalidInput, MissingWeights, TargetNotFound
from image_core.grounding import ClassicGrounderConfig
from image_core.instructions import RulesConfig
from image_core.local_editor import LocalEditor
from image_core.segmentation import GrabCutConfig
from image_core.types import Detection, EditPlan, EditStep, RegionHint, Target
from nerf.mask_folder import find_by_masks, read_masks
from nerf.regions import (
    agreement,
    find_by_phrase,
    find_in_one_view,
    iou,
    refine_from_seed,
)

BALL = Target(phrase="red ball", noun="ball", colours=("red",))
PLAN = EditPlan(
    instruction="make the red ball blue",
    steps=(EditStep(instruction="make the red ball blue", kind="recolor", target=BALL),),
    processor="rules",
)


def _view(*balls, radius=14, size=(72, 96)):
    image = np.full((*size, 3), (0.75, 0.77, 0.7), np.float32)
    image += 0.02 * np.sin(np.arange(size[1]) / 3)[None, :, None].astype(np.float32)
    for ball in balls:
        cv2.circle(image, ball, radius, (0.8, 0.08, 0.1), -1, cv2.LINE_AA)
    return np.ascontiguousarray(image)


def _editor(grounder=None):
    return LocalEditor(
        language=RulesConfig().build(),
        grounder=grounder or ClassicGrounderConfig().build(),
        segmenter=GrabCutConfig().build(),
        editors={},
    )


def _names(views):
    return [f"{index:04}.jpg" for index in range(1, len(views) + 1)]


def test_a_view_without_the_target_has_no_region_and_the_others_have_theirs():
    views = [_view((30, 30)), _view(), _view((60, 40)), _view((50, 30))]
    seen = []
    locations = find_by_phrase(
        _editor(),
        PLAN,
        views,
        _names(views),
        min_share=0.7,
        batch=3,
        progress=lambda stage, done: seen.append((stage, done)),
    )
    assert [location is not None for location in locations] == [True, False, True, True]
    assert locations[2].regions[0].alpha[40, 60] == 1
    assert locations[2].regions[0].alpha[5, 5] == 0
    assert seen == [("locate", 0.0), ("locate", 0.75), ("locate", 1.0)]


def test_the_outcome_does_not_depend_on_the_batch():
    views = [_view((30, 30)), _view((60, 40)), _view((50, 30))]
    one, all_ = (
        find_by_phrase(_editor(), PLAN, views, _names(views), min_share=0, batch=batch)
        for batch in (1, 8)
    )
    for first, second in zip(one, all_, strict=True):
        assert np.array_equal(first.regions[0].alpha, second.regions[0].alpha)


def test_too_few_views_end_in_target_not_found_with_counts_and_the_next_step():
    views = [_view((30, 30)), _view(), _view(), _view()]
    with pytest.raises(
        TargetNotFound, match=r"1 of the 4 views, 2 are needed.*0002\.jpg"
    ) as caught:
        find_by_phrase(_editor(), PLAN, views, _names(views), min_share=0.5)
    for step in ("--pipeline.box X0 Y0 X1 Y1 --pipeline.box-view NAME", "--pipeline.mask-dir"):
        assert step in caught.value.hint


def test_nothing_found_is_an_error_even_where_no_share_is_asked_for():
    views = [_view(), _view()]
    with pytest.raises(TargetNotFound, match="none of the 2 views, 1 are needed"):
        find_by_phrase(_editor(), PLAN, views, _names(views), min_share=0)


class TwoAlike:
    """A grounder that sees two like things in every view."""

    def ground(self, images, step):
        row = [Detection(box=(x, 10, x + 30, 40), score=0.9) for x in (5, 50)]
        return [list(row) for _ in images]


def test_views_with_several_like_things_make_the_phrase_ambiguous():
    views = [_view((20, 25), (65, 25))] * 3
    with pytest.raises(AmbiguousTarget, match="in 3 several things") as caught:
        find_by_phrase(_editor(TwoAlike()), PLAN, views, _names(views), min_share=0.5)
    assert len(caught.value.candidates) == 2


class WithoutWeights:
    def ground(self, images, step):
        raise MissingWeights("no weights", hint="insitu models pull")


def test_what_is_no_miss_is_raised_as_it_is():
    with pytest.raises(MissingWeights):
        find_by_phrase(_editor(WithoutWeights()), PLAN, [_view()], ["a.jpg"], min_share=0.5)


@pytest.mark.parametrize(("share", "batch"), [(-0.1, 8), (1.1, 8), (float("nan"), 8), (0.5, 0)])
def test_a_share_or_batch_out_of_range_is_refused(share, batch):
    with pytest.raises(InvalidInput, match="out of range"):
        find_by_phrase(_editor(), PLAN, [_view()], ["a.jpg"], min_share=share, batch=batch)


def test_no_views_are_refused():
    with pytest.raises(InvalidInput, match="0 views"):
        find_by_phrase(_editor(), PLAN, [], [], min_share=0.5)


def test_a_box_in_one_view_is_cut_there():
    location = find_in_one_view(
        _editor(), PLAN, _view((40, 30)), RegionHint(boxes=((24, 14, 57, 47),))
    )
    area = np.count_nonzero(location.regions[0].alpha > 0.5)
    assert area == pytest.approx(np.pi * 14**2, rel=0.08)


def test_a_box_outside_the_view_is_refused():
    with pytest.raises(InvalidInput, match="outside"):
        find_in_one_view(_editor(), PLAN, _view(), RegionHint(boxes=((200, 200, 220, 220),)))


def _write_mask(path, mask):
    path.parent.mkdir(exist_ok=True, parents=True)
    cv2.imwrite(str(path), (mask * 255).astype(np.uint8))


def _box_mask(x0, y0, x1, y1, size=(72, 96)):
    mask = np.zeros(size, np.float32)
    mask[y0:y1, x0:x1] = 1
    return mask


def test_user_masks_are_taken_as_they_are_feathered_inwards(tmp_path):
    views = [_view((30, 30))] * 4
    _write_mask(tmp_path / "0001.png", _box_mask(10, 10, 40, 40))
    _write_mask(tmp_path / "0002.jpg.png", _box_mask(20, 10, 40, 40))
    _write_mask(tmp_path / "0003.png", np.zeros((72, 96)))
    locations = find_by_masks(_editor(), PLAN, views, _names(views), tmp_path)
    assert [location is not None for location in locations] == [True, True, False, False]
    alpha = locations[0].regions[0].alpha
    assert np.array_equal(alpha > 0, _box_mask(10, 10, 40, 40) > 0)
    assert alpha[10, 25] < 0.5 < alpha[25, 25] == 1


def test_masks_in_folders_belong_to_the_views_of_those_folders(tmp_path):
    _write_mask(tmp_path / "left" / "1.png", _box_mask(0, 0, 5, 5))
    _write_mask(tmp_path / "right" / "1.png", _box_mask(5, 5, 9, 9))
    left, right = read_masks(tmp_path, ["left/1.jpg", "right/1.jpg"], [(72, 96)] * 2)
    assert left[2, 2] == 1 == right[7, 7]
    assert right[2, 2] == 0


def test_unusable_masks_are_named(tmp_path):
    with pytest.raises(InvalidInput, match="no folder of masks"):
        read_masks(tmp_path / "none", ["a.jpg"], [(72, 96)])
    with pytest.raises(InvalidInput, match="belongs to a view") as caught:
        read_masks(tmp_path, ["a.jpg"], [(72, 96)])
    assert "a.png" in caught.value.hint
    _write_mask(tmp_path / "a.png", _box_mask(0, 0, 5, 5, size=(10, 12)))
    with pytest.raises(InvalidInput, match=r"a\.png is 12x10, its view 96x72"):
        read_masks(tmp_path, ["a.jpg"], [(72, 96)])
    with pytest.raises(InvalidInput, match=r"fits both a\.jpg and a\.tif"):
        read_masks(tmp_path, ["a.jpg", "a.tif"], [(10, 12)] * 2)
    _write_mask(tmp_path / "a.png", np.zeros((10, 12)))
    with pytest.raises(InvalidInput, match="every mask"):
        read_masks(tmp_path, ["a.jpg"], [(10, 12)])
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InvalidInput, match=r"a\.png"):
        read_masks(tmp_path, ["a.jpg"], [(10, 12)])


def _seeds(truth, by):
    """What lifting would give: right but for ``by`` unknown pixels on both sides of the outline."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1,) * 2)
    hard = truth.astype(np.uint8)
    return cv2.erode(hard, kernel) > 0, cv2.dilate(hard, kernel) == 0


def _disc(centre, radius, size=(72, 96)):
    drawn = np.zeros(size, np.uint8)
    cv2.circle(drawn, centre, radius, 1, -1)
    return drawn > 0


def test_the_outline_between_seeds_is_the_pictures_own():
    truth = _disc((40, 34), 14)
    region = refine_from_seed(_view((40, 34)), *_seeds(truth, 4))
    assert iou(region.alpha, truth.astype(np.float32)) > 0.95
    assert np.array_equal(region.alpha, on_8_bit_grid(region.alpha))


def test_seeds_that_are_two_pixels_off_are_set_right():
    truth = _disc((40, 34), 14)
    off = np.roll(truth, 2, axis=1)
    region = refine_from_seed(_view((40, 34)), off, ~off)
    assert iou(off, truth) < 0.87
    assert iou(region.alpha, truth) > 0.95


def test_half_seen_things_are_completed_by_the_picture():
    truth = _disc((40, 34), 14)
    inside, outside = _seeds(truth, 2)
    inside[:, 44:] = False  # what the other view did not see
    outside[:, 44:] = False
    region = refine_from_seed(_view((40, 34)), inside, outside)
    assert iou(region.alpha, truth) > 0.9


def test_a_picture_without_an_edge_leaves_the_seeds_as_they_are():
    truth = _disc((40, 34), 14)
    region = refine_from_seed(np.full((72, 96, 3), 0.5, np.float32), truth, ~truth)
    assert iou(region.alpha, truth) > 0.9


def test_too_little_evidence_makes_no_region():
    few = np.zeros((72, 96), bool)
    few[10:13, 10:13] = True
    assert refine_from_seed(_view(), few, ~few) is None
    assert refine_from_seed(_view(), np.zeros_like(few), ~few) is None


def test_a_mere_rim_beside_the_unknown_makes_no_region():
    rim = np.zeros((72, 96), bool)
    rim[20:23, 20:30] = True
    outside = np.zeros_like(rim)
    outside[:18] = True
    assert refine_from_seed(np.full((72, 96, 3), 0.5, np.float32), rim, outside) is None
    # where the picture shows the rest of it, it is completed
    ball = _disc((40, 34), 14)
    top = ball.copy()
    top[23:] = False
    region = refine_from_seed(_view((40, 34)), top, ~_disc((40, 40), 22))
    assert np.count_nonzero(top) < 0.1 * np.count_nonzero(ball)
    assert iou(region.alpha, ball) > 0.85


def test_seeds_that_do_not_fit_or_contradict_are_refused():
    ones = np.ones((72, 96), bool)
    with pytest.raises(InvalidInput, match="both"):
        refine_from_seed(_view(), ones, ones)
    with pytest.raises(InvalidInput, match="size"):
        refine_from_seed(_view(), ones[1:], ~ones[1:])


def test_agreement_counts_a_missing_region_as_an_empty_one():
    whole, half, none = (_box_mask(0, 0, x, 72) for x in (96, 48, 0))
    found = agreement([whole, None, None], [half, half, none])
    assert found.mean_iou == pytest.approx((0.5 + 0 + 1) / 3)
    assert found.areas == (1.0, 0.0, 0.0)
    assert found.fused_areas == (0.5, 0.5, 0.0)
    with pytest.raises(InvalidInput):
        agreement([whole], [])
