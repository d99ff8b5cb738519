"""Cameras and regions carried by depth: exact on an analytic scene, and as nerfstudio has it."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from nerf_analytic_scene import BALL, depth_and_labels, ring, ring_camera

from image_core.errors import InvalidInput, TargetNotFound
from nerf.lifting import Box3D, box_region, carried, cleaned, grown, hull_box, seen
from nerf.view_camera import ViewCamera, directions, pixel_index, points_at, project

LENS = (0.06, -0.08, 0.01, 0.002, 0.001, -0.002)


def _centres(camera):
    rows, columns = np.mgrid[: camera.height, : camera.width] + 0.5
    return np.stack([columns, rows], axis=-1)


@pytest.mark.parametrize("distortion", [(0.0,) * 6, LENS])
def test_lifted_pixels_project_back_onto_themselves(distortion):
    camera = ring_camera(0.4, distortion=distortion)
    distance = np.linspace(0.3, 5, camera.height * camera.width)
    distance = distance.reshape(camera.height, camera.width)
    xy, far = project(points_at(camera, distance), camera)
    assert np.abs(xy - _centres(camera)).max() < 1e-6
    assert np.allclose(far, distance)


@pytest.mark.parametrize("distortion", [(0.0,) * 6, LENS])
def test_rays_are_those_of_nerfstudios_cameras(distortion):
    torch = pytest.importorskip("torch")
    cameras = pytest.importorskip("nerfstudio.cameras.cameras")
    camera = ring_camera(1.1, distortion=distortion)
    theirs = cameras.Cameras(
        camera_to_worlds=torch.tensor(camera.camera_to_world[None], dtype=torch.float32),
        fx=camera.fx,
        fy=camera.fy,
        cx=camera.cx,
        cy=camera.cy,
        width=camera.width,
        height=camera.height,
        distortion_params=torch.tensor([distortion], dtype=torch.float32),
    ).generate_rays(camera_indices=0)
    assert np.abs(theirs.directions.numpy() - directions(camera)).max() < 1e-5
    points = (theirs.origins + 1.7 * theirs.directions).double().numpy()
    xy, distance = project(points, camera)
    assert np.abs(xy - _centres(camera)).max() < 1e-3
    assert np.allclose(distance, 1.7, atol=1e-5)


def test_what_is_behind_a_camera_or_beyond_its_lens_has_no_pixel():
    camera = ring_camera(0.0, distortion=LENS)
    ahead = directions(camera)[24, 32]
    xy, distance = project(camera.position - 2 * ahead, camera)
    assert np.isnan(xy).all()
    assert distance == pytest.approx(2)
    # a strong lens bends a point at 80 degrees back into the picture: it must not count
    barrel = dataclasses.replace(camera, distortion=(-0.4, 0.05, 0, 0, 0, 0))
    aside = np.array([np.sin(1.4), 0, -np.cos(1.4)]) @ camera.camera_to_world[:, :3].T
    assert np.isnan(project(camera.position + aside, barrel)[0]).all()


def test_a_position_falls_in_the_pixel_that_holds_it():
    camera = ring_camera(0.0)
    xy = np.array([[0.0, 0.0], [1.99, 0.5], [64.0, 3.0], [-0.01, 3.0], [np.nan, 1.0]])
    rows, columns, inside = pixel_index(xy, camera)
    assert inside.tolist() == [True, True, False, False, False]
    assert (rows[1], columns[1]) == (0, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"fx": 0.0},
        {"width": 0},
        {"cx": float("nan")},
        {"camera_to_world": np.full((3, 4), np.nan)},
    ],
)
def test_a_camera_that_sees_nothing_is_refused(change):
    with pytest.raises(InvalidInput):
        dataclasses.replace(ring_camera(0.0), **change)


def test_a_point_is_seen_where_nothing_stands_before_it():
    camera = ring_camera(0.0)
    depth, _ = depth_and_labels(camera)
    towards = (camera.position - BALL[0]) / np.linalg.norm(camera.position - BALL[0])
    front, back = BALL[0] + BALL[1] * towards, BALL[0] - BALL[1] * towards
    before = BALL[0] + 2 * BALL[1] * towards
    assert seen(np.stack([front, back, before]), camera, depth).tolist() == [True, False, False]


def test_a_carried_mask_is_exact_wherever_the_reference_can_tell():
    cameras, depths, labels, points = ring(12, size=(72, 96))
    mask = (labels[0] == 1).astype(np.float32)
    for other in (1, 2, 3, 6, 10, 11):
        inside, outside = carried(mask, cameras[0], depths[0], points[other])
        truth = labels[other] == 1
        # one pixel around outlines: there a point of one view lies between two pixels of the other
        edge = cv2.morphologyEx(truth.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
        assert not (inside & outside).any()
        assert not (inside & ~truth & ~edge).any()
        assert not (outside & truth & ~edge).any()
        assert inside.any() or other == 6  # from behind, none of the ball's front is seen
    inside, outside = carried(mask, cameras[0], depths[0], points[1])
    assert np.count_nonzero(inside) > 0.75 * np.count_nonzero(labels[1] == 1)
    assert np.count_nonzero(outside) > 0.4 * np.count_nonzero(labels[1] != 1)


def test_what_the_reference_cannot_see_stays_unknown():
    cameras, depths, labels, points = ring(12)
    mask = (labels[0] == 1).astype(np.float32)
    inside, outside = carried(mask, cameras[0], depths[0], points[6])
    across = (labels[6] == 1) & ~inside & ~outside
    assert np.count_nonzero(across) > 0.8 * np.count_nonzero(labels[6] == 1)


def test_cleaning_drops_specks_and_closes_single_gaps():
    mask = np.zeros((20, 20), bool)
    mask[4:14, 4:14] = True
    mask[8, 8] = False
    mask[17, 17] = True
    clean = cleaned(mask)
    assert clean[8, 8]
    assert not clean[17, 17]
    assert not cleaned(np.zeros((5, 5), bool)).any()


def test_the_hull_holds_the_ball_and_no_outliers():
    _, _, labels, points = ring(12)
    cloud = np.concatenate(
        [lifted[label == 1] for lifted, label in zip(points, labels, strict=True)]
    )
    wild = np.full((len(cloud) // 200, 3), 50.0)
    box = hull_box(np.concatenate([cloud, wild, np.full((3, 3), np.nan)]), trim=0.01)
    assert np.allclose(box.lower[:2], BALL[0][:2] - BALL[1], atol=0.02)
    assert np.allclose(box.upper, BALL[0] + BALL[1], atol=0.02)
    assert 0 < box.lower[2] < 0.15  # the ball's foot is seen from nowhere


def test_a_flat_thing_has_a_box_and_too_few_points_have_none():
    flat = np.random.default_rng(0).random((50, 3)) * (1, 1, 0)
    assert hull_box(flat).upper[2] > hull_box(flat).lower[2]
    with pytest.raises(TargetNotFound, match="3 points"):
        hull_box(np.zeros((3, 3)))


def test_a_box_grows_about_its_centre():
    box = grown(Box3D(lower=(0, 0, 0), upper=(1, 2, 4)), 1.5)
    assert box.lower == (-0.25, -0.5, -1.0)
    assert box.upper == (1.25, 2.5, 5.0)
    with pytest.raises(InvalidInput, match="grown"):
        grown(box, 0)
    with pytest.raises(InvalidInput, match="empty"):
        Box3D(lower=(0, 0, 0), upper=(1, 0, 1))


def test_a_box_projects_to_the_hull_of_its_corners():
    camera = ring_camera(0.7, size=(96, 128))
    box = Box3D(lower=(-0.2, -0.2, 0.05), upper=(0.25, 0.2, 0.45))
    corners = np.stack(
        np.meshgrid(*zip(box.lower, box.upper, strict=True), indexing="ij"), axis=-1
    ).reshape(-1, 3)
    hull = cv2.convexHull((project(corners, camera)[0] - 0.5).astype(np.float32))
    expected = np.zeros((96, 128), np.uint8)
    cv2.fillConvexPoly(expected, np.rint(hull).astype(np.int32), 1)
    differs = (box_region(box, camera) > 0.5) != (expected > 0)
    rim = cv2.morphologyEx(expected, cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    assert not (differs & ~rim).any()


def test_what_stands_before_a_box_hides_it():
    angle = np.arctan2(0.15, 0.55)  # from here the other ball stands before the first
    camera = ring_camera(angle, size=(96, 128))
    depth, labels = depth_and_labels(camera)
    box = Box3D(lower=tuple(BALL[0] - BALL[1]), upper=tuple(BALL[0] + BALL[1]))
    free, hidden = box_region(box, camera) > 0, box_region(box, camera, depth) > 0
    assert not (hidden & (labels == 2)).any()
    assert (free & (labels == 2)).any()
    assert np.array_equal(free & (labels == 1), hidden & (labels == 1))


def test_a_camera_within_the_box_has_all_of_the_picture():
    camera = ring_camera(0.0)
    around = Box3D(lower=tuple(camera.position - 0.1), upper=tuple(camera.position + 0.1))
    assert box_region(around, camera).all()
    behind = camera.position - 2 * directions(camera)[24, 32]
    assert not box_region(Box3D(lower=tuple(behind - 0.1), upper=tuple(behind + 0.1)), camera).any()


def test_a_box_is_found_along_rays_parallel_to_its_sides():
    camera = ViewCamera(
        camera_to_world=np.concatenate([np.eye(3), [[0.0], [0.0], [2.0]]], axis=1),
        fx=10.0,
        fy=10.0,
        cx=2.5,
        cy=2.5,
        width=5,
        height=5,
    )
    region = box_region(Box3D(lower=(0.0, -0.1, -0.1), upper=(0.1, 0.1, 0.1)), camera)
    assert region[2, 2] == 1  # this ray runs within the box's own side
    assert not box_region(Box3D(lower=(0.5, 0.0, 0.0), upper=(0.6, 0.1, 0.1)), camera)[2, 2]


def test_maps_of_another_size_are_refused():
    camera = ring_camera(0.0)
    with pytest.raises(InvalidInput, match="9x8 does not fit a view of 64x48"):
        points_at(camera, np.ones((8, 9)))
    with pytest.raises(InvalidInput, match="9x8"):
        carried(np.ones((8, 9), np.float32), camera, np.ones((48, 64)), np.ones((8, 9, 3)))
    with pytest.raises(InvalidInput, match="9x8"):
        seen(np.ones((4, 3)), camera, np.ones((8, 9)))
