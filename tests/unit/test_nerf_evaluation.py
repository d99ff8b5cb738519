"""What the numbers of an evaluation mean, on pictures and scenes whose answers are known."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from nerf_captures import looking_in, write_capture, write_run

from image_core import LocalEditor
from image_core.errors import InvalidInput, MissingWeights
from nerf.evaluation import evaluate_run
from nerf.measures import BEST_PSNR, Way, iou, psnr, sides, ssim, warped, way_to
from nerf.truth import read_truth, truth_of
from nerf.view_camera import ViewCamera, directions, points_at
from nerf.view_pairs import neighbours


def noise(height=30, width=40):
    return np.random.default_rng(1).random((height, width, 3)).astype(np.float32)


def half(height=30, width=40):
    where = np.zeros((height, width), bool)
    where[:, : width // 2] = True
    return where


def test_psnr_counts_the_asked_pixels_only():
    one = noise()
    other = one.copy()
    other[half()] += np.float32(0.1)
    assert psnr(one, other, half()) == pytest.approx(20.0, abs=1e-4)
    assert psnr(one, other) == pytest.approx(20 + 10 * np.log10(2), abs=1e-4)
    assert psnr(one, other, ~half()) == BEST_PSNR
    assert psnr(one, other, np.zeros_like(half())) is None


def test_ssim_is_one_where_pictures_are_equal_and_low_where_they_are_not():
    one = noise()
    other = one.copy()
    other[half()] = noise(30, 41)[:, :40][half()]
    assert ssim(one, one) == pytest.approx(1)
    far = np.zeros_like(half())
    far[:, 32:] = True  # a window's reach from the change
    assert ssim(one, other, far) == pytest.approx(1, abs=1e-6)
    assert ssim(one, other, half()) < 0.3
    assert ssim(one[:8, :8], one[:8, :8]) is None


def test_ssim_of_constants_is_the_formulas_luminance_term():
    one, other = np.full((2, 20, 20, 3), [[[[0.5]]], [[[0.25]]]], np.float32)
    c1 = 0.01**2
    expected = (2 * 0.5 * 0.25 + c1) / (0.5**2 + 0.25**2 + c1)
    assert ssim(one, other) == pytest.approx(expected, abs=1e-5)


def test_the_rim_of_a_region_is_on_neither_side():
    region = np.zeros((20, 20), np.float32)
    region[8:12, 8:12] = 1
    region[7, 8:12] = 0.49  # half-covered
    inside, outside = sides(region)
    assert inside.sum() == 16
    assert not (inside & outside).any()
    assert not outside[6:14, 8:12].any()
    assert outside[5, 8]
    assert sides(np.zeros((9, 9), np.float32))[1].all()


@pytest.mark.parametrize("space", ["oklab", "rgb"])
def test_the_way_to_the_truth_is_0_at_the_original_and_1_at_the_truth(space):
    original, truth = noise(), noise()[::-1].copy()
    everywhere = np.ones(original.shape[:2], bool)
    assert way_to(truth, truth, original, everywhere, space=space).share == 1
    assert way_to(original, truth, original, everywhere, space=space).share == pytest.approx(0)
    # farther away than before
    away = np.clip(2 * original - truth, 0, 1)
    assert way_to(away, truth, original, everywhere, space=space).share < 0


def test_half_the_way_in_rgb_is_a_half_and_pixels_are_weighed_by_their_way():
    original = np.zeros((4, 4, 3), np.float32)
    truth = np.full((4, 4, 3), 0.5, np.float32)
    truth[0] = 1.0
    where = np.ones((4, 4), bool)
    assert way_to(truth / 2, truth, original, where, space="rgb").share == pytest.approx(0.5)
    shown = truth.copy()
    shown[0] = 0  # a quarter of the pixels, 2/5 of the way
    assert way_to(shown, truth, original, where, space="rgb").share == pytest.approx(0.6)
    assert Way().share is None
    assert (Way(left=1, whole=4) + Way(left=2, whole=4)).share == pytest.approx(1 - 3 / 8)
    with pytest.raises(InvalidInput):
        way_to(shown, truth, original, where, space="cmyk")


def test_iou():
    one, other = half(), np.ones_like(half())
    assert iou(one, other) == 0.5
    assert iou(one, ~one) == 0
    assert iou(one & ~one, one & ~one) is None


def camera(number, count=36, **changes):
    pose = looking_in(number, count)[:3]
    settings = {"fx": 60.0, "fy": 62.0, "cx": 41.0, "cy": 29.0, "width": 80, "height": 60}
    return ViewCamera(camera_to_world=pose, **{**settings, **changes})


def ball_on_ground(view):
    """Exact distances and colours: a ball of radius 0.6 over the plane z = -0.6."""
    rays, eye = directions(view), view.position
    along, square = rays @ eye, eye @ eye - 0.36
    under = along**2 - square
    ball = np.where(under > 0, -along - np.sqrt(np.maximum(under, 0)), np.inf)
    with np.errstate(divide="ignore"):
        ground = np.where(rays[..., 2] < 0, (-0.6 - eye[2]) / rays[..., 2], np.inf)
    depth = np.minimum(np.minimum(ball, ground), 50.0)
    points = eye + depth[..., None] * rays
    smooth = 0.5 + 0.4 * np.stack([np.sin(2 * points[..., i]) for i in range(3)], axis=-1)
    return depth, smooth.astype(np.float32), ball < ground


@pytest.mark.parametrize("distortion", [(0.0,) * 6, (0.05, -0.02, 0.0, 0.0, 0.001, -0.002)])
def test_a_picture_warped_by_exact_depth_is_what_the_other_view_sees(distortion):
    source, into = camera(0, distortion=distortion), camera(1, distortion=distortion)
    depth, picture, _ = ball_on_ground(source)
    into_depth, expected, ball = ball_on_ground(into)
    moved, visible = warped(picture, source, depth, into, into_depth)
    near = into_depth < 5  # far ground turns faster in a pixel than colour can follow
    assert (visible & near).sum() > 0.5 * near.sum()
    assert (visible & ball).sum() > 0.5 * ball.sum()
    assert np.abs(moved - expected)[visible & near].max() < 0.02
    # half a pixel beside is visibly worse
    shifted, _ = warped(np.roll(picture, 1, axis=1), source, depth, into, into_depth)
    assert psnr(expected, shifted, visible & near) < psnr(expected, moved, visible & near) - 6


def test_what_the_other_view_cannot_see_is_not_compared():
    source, into = camera(0), camera(9)  # a quarter around: the ball hides ground
    depth, picture, _ = ball_on_ground(source)
    into_depth, _, _ = ball_on_ground(into)
    _, visible = warped(picture, source, depth, into, into_depth)
    points = points_at(into, into_depth)
    toward = source.position - points
    distance = np.linalg.norm(toward, axis=-1)
    ray = toward / distance[..., None]
    # closest approach to the ball's middle on the way to the source
    t = -np.einsum("hwc,hwc->hw", points, ray)
    nearest = np.linalg.norm(points + np.clip(t, 0, distance)[..., None] * ray, axis=-1)
    hidden = (nearest < 0.55) & (t > 0.1)
    assert hidden.sum() > 50
    assert not (visible & hidden).any()


def test_an_edit_that_differs_between_views_is_seen_and_one_that_agrees_is_not():
    source, into = camera(0), camera(2)
    depth, picture, there = ball_on_ground(source)
    into_depth, here, ball = ball_on_ground(into)
    moved, visible = warped(
        np.where(there[..., None], 1 - picture, picture), source, depth, into, into_depth
    )
    agreeing = np.where(ball[..., None], 1 - here, here)
    assert psnr(agreeing, moved, visible & ball) > 30
    assert psnr(here, moved, visible & ball) < 15


def test_neighbours_are_the_nearest_that_look_the_same_way_and_no_pair_comes_twice():
    poses = [looking_in(number, 36)[:3] for number in range(36)]
    pairs = neighbours(poses, range(36), 100)
    assert all(abs(a - b) in (1, 35) for a, b in pairs)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    few = neighbours(poses, range(36), 4)
    assert len(few) == 4
    assert max(a for a, _ in few) - min(a for a, _ in few) > 18
    assert neighbours(poses, [3, 21], 4) == []  # they look at each other
    assert neighbours(poses, range(36), 0) == []


def write_truth(folder, instruction="Make the ball blue."):
    (folder / "masks" / "ball").mkdir(parents=True)
    (folder / "edited").mkdir()
    mask = np.zeros((16, 24), np.uint8)
    mask[4:10, 4:10] = 255
    cv2.imwrite(str(folder / "masks" / "ball" / "0001.png"), mask)
    cv2.imwrite(str(folder / "edited" / "0001.png"), np.full((16, 24, 3), (255, 0, 0), np.uint8))
    content = {
        "instruction": instruction,
        "target": "ball",
        "things": {"ball": "masks/ball"},
        "edited": "edited",
    }
    (folder / "truth.json").write_text(json.dumps(content))


def test_a_truth_tells_region_and_goal_of_a_view_at_the_size_of_the_training(tmp_path):
    write_truth(tmp_path)
    truth = read_truth(tmp_path)
    region = truth.region("images/0001.jpg", 24, 16)
    assert region.sum() == 36
    assert truth.region("images/0001.jpg", 12, 8).sum() == 9
    np.testing.assert_array_equal(truth.picture("images/0001.jpg", 24, 16)[0, 0], [0, 0, 1])
    assert truth.region("images/0002.jpg", 24, 16) is None
    assert truth.picture("images/0002.jpg", 24, 16) is None


def test_the_captures_own_truth_serves_for_its_own_instruction_alone(tmp_path):
    write_truth(tmp_path / "truth")
    for instruction in ("make the ball  blue", None):  # None: a run that was not edited
        assert truth_of(None, None, tmp_path, instruction)[0] is not None
    for capture in (tmp_path, tmp_path / "transforms.json"):
        found, notes = truth_of(None, None, capture, "make the ball green")
        assert found is None
        assert "'Make the ball blue.'" in notes[0]
    found, notes = truth_of(tmp_path / "truth", None, tmp_path, "make the ball green")
    assert found is not None
    assert "run edits by 'make the ball green'" in notes[0]
    masks = tmp_path / "truth" / "masks" / "ball"
    found, _ = truth_of(None, masks, tmp_path, "make the ball green")
    assert found.region("0001.png", 24, 16).any()
    assert found.picture("0001.png", 24, 16) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"target": "x", "things": {}}'])
def test_a_truth_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "truth.json").write_text(content)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_truth(tmp_path)
    with pytest.raises(InvalidInput, match="no folder of masks"):
        truth_of(None, tmp_path / "none", None, None)
    with pytest.raises(InvalidInput, match="there is no"):
        truth_of(tmp_path / "none", None, None, None)


def test_a_run_that_is_none_is_refused(tmp_path):
    write_capture(tmp_path / "scene", views=3)
    for path in (tmp_path / "scene", tmp_path / "none" / "config.yml"):
        with pytest.raises(InvalidInput, match="no run of nerfstudio"):
            evaluate_run(path)
    with pytest.raises(InvalidInput, match="pairs"):
        evaluate_run(tmp_path, pairs=-1)


def test_clip_measures_both_directions_over_renders(tmp_path):
    torch = pytest.importorskip("torch")
    from image_core.testing.miniature.clip import write_clip
    from nerf.clip_scores import clip_scores
    from nerf.rendered_run import LoadedViews
    from nerf.run_record import read_record

    one, other = noise(48, 48), 1 - noise(48, 48)
    originals, shown = [one, other, one], [other, one, other]  # there, back, and there
    # what nerfstudio gives: a data set and a model that renders a camera, here its own number
    dataset = SimpleNamespace(
        image_filenames=[tmp_path / "images" / f"{n}.png" for n in range(3)],
        get_image_float32=lambda n: torch.from_numpy(originals[n]),
        cameras=torch.arange(3),
    )
    model = SimpleNamespace(
        get_outputs_for_camera=lambda camera: {
            "rgb": torch.from_numpy(shown[int(camera)]),
            "depth": torch.ones(48, 48, 1),
        }
    )
    manager = SimpleNamespace(get_datapath=lambda: tmp_path)
    pipeline = SimpleNamespace(model=model, device="cpu", datamanager=manager)
    views = LoadedViews(pipeline, dataset)
    assert views.names == ["images/0.png", "images/1.png", "images/2.png"]

    plan = asdict(LocalEditor.default().plan("make the red ball blue"))
    pictures = write_capture(tmp_path / "scene", views=3)
    write_run(tmp_path / "run", tmp_path / "scene", pictures, edited=(0,), plan=plan)
    record = read_record(tmp_path / "run")
    assert clip_scores(record, views, "none") == (None, ())
    assert clip_scores(None, views, "auto") == (None, ())
    with pytest.raises(MissingWeights):
        clip_scores(record, views, str(tmp_path / "no-clip"))
    write_clip(tmp_path / "clip", seed=0)
    scores, notes = clip_scores(record, views, str(tmp_path / "clip"))
    assert notes == ()
    assert scores["consistency"] == pytest.approx(-1, abs=1e-4)
    there = scores["direction"]
    originals[1], shown[1] = one, other
    views = LoadedViews(pipeline, dataset)
    scores, _ = clip_scores(record, views, str(tmp_path / "clip"))
    assert scores["consistency"] == pytest.approx(1, abs=1e-4)
    assert scores["direction"] == pytest.approx(3 * there, abs=1e-4)
