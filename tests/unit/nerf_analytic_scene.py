"""Two balls on a floor under a dome, seen from a ring: exact depths and masks for the tests."""

from __future__ import annotations

import numpy as np

from nerf.view_camera import ViewCamera, directions, points_at

BALL = (np.array([0.0, 0.0, 0.25]), 0.25)
OTHER = (np.array([0.55, 0.15, 0.18]), 0.18)
DOME = 3.0


def ring_camera(angle, *, radius=1.3, height=0.75, size=(48, 64), distortion=(0.0,) * 6):
    """A camera on a ring around the balls, looking at the nearer one's foot."""
    position = np.array([radius * np.cos(angle), radius * np.sin(angle), height])
    back = position - np.array([0.1, 0.0, 0.15])
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    pose = np.stack([right, np.cross(back, right), back, position], axis=1)
    return ViewCamera(
        camera_to_world=pose,
        fx=1.02 * size[1],
        fy=1.0 * size[1],
        cx=size[1] / 2 + 0.7,
        cy=size[0] / 2 - 0.4,
        width=size[1],
        height=size[0],
        distortion=distortion,
    )


def _sphere(origin, rays, centre, radius, *, inside=False):
    along = rays @ (centre - origin)
    root = along**2 - np.sum((centre - origin) ** 2) + radius**2
    hit = along + (1 if inside else -1) * np.sqrt(np.maximum(root, 0))
    return np.where((root > 0) & (hit > 0), hit, np.inf)


def depth_and_labels(camera):
    """Distances along the rays (h, w); 0 floor and dome, 1 the ball, 2 the other ball."""
    rays, origin = directions(camera), camera.position
    with np.errstate(divide="ignore"):
        floor = np.where(rays[..., 2] < 0, -origin[2] / rays[..., 2], np.inf)
    dome = _sphere(origin, rays, np.zeros(3), DOME, inside=True)
    all_hits = np.stack(
        [np.minimum(floor, dome), _sphere(origin, rays, *BALL), _sphere(origin, rays, *OTHER)]
    )
    return all_hits.min(axis=0), all_hits.argmin(axis=0)


def ring(views=12, **options):
    """Return cameras, depths, labels and points of views all around."""
    cameras = [ring_camera(2 * np.pi * k / views, **options) for k in range(views)]
    depths, labels = zip(*(depth_and_labels(camera) for camera in cameras), strict=True)
    lifted = [points_at(camera, depth) for camera, depth in zip(cameras, depths, strict=True)]
    return cameras, list(depths), list(labels), lifted
