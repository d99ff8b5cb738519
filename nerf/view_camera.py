"""A view's camera in numpy: world points to pixels and pixels to rays.

The conventions are nerfstudio's: the camera looks along its own -z with y up, pixel (0, 0) has its
centre at (0.5, 0.5), and distances are measured along the ray, not along the optical axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from image_core.errors import InvalidInput

_NEWTON_STEPS = 12
_BEYOND = 1.2  # of the corners' radius: farther out the distortion's polynomial may fold back


@dataclass(frozen=True, kw_only=True)
class ViewCamera:
    """A perspective camera with OpenCV's lens distortion.

    Attributes:
        camera_to_world: Rotation and position, 3 x 4.
        fx: Focal length across, in pixels.
        fy: Focal length down, in pixels.
        cx: Principal point from the left, in pixels.
        cy: Principal point from the top, in pixels.
        width: In pixels.
        height: In pixels.
        distortion: k1, k2, k3, k4 (radial), p1, p2 (tangential).
    """

    camera_to_world: Float[np.ndarray, "3 4"]
    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    distortion: tuple[float, float, float, float, float, float] = (0.0,) * 6

    def __post_init__(self) -> None:
        """Refuse what would only show as an empty projection."""
        numbers = (*np.ravel(self.camera_to_world), self.fx, self.fy, self.cx, self.cy)
        if not np.isfinite((*numbers, *self.distortion)).all():
            raise InvalidInput("a camera holds a value that is not finite")
        if min(self.fx, self.fy) <= 0 or min(self.width, self.height) < 1:
            raise InvalidInput("a camera's focal lengths and size are above 0")

    @property
    def position(self) -> Float[np.ndarray, " 3"]:
        """Where it stands, in world units."""
        return np.asarray(self.camera_to_world[:, 3], dtype=np.float64)


def project(
    points: Float[np.ndarray, "*n 3"], camera: ViewCamera
) -> tuple[Float[np.ndarray, "*n 2"], Float[np.ndarray, "*n"]]:
    """Return the pixels that world points fall on, and how far they are.

    Args:
        points: In world units.
        camera: The view.

    Returns:
        XY in pixels, NaN for points that the lens cannot see (behind it or far out of the picture);
        and the distance from the camera, in world units.
    """
    rotation = np.asarray(camera.camera_to_world[:, :3], dtype=np.float64)
    local = (np.asarray(points, dtype=np.float64) - camera.position) @ rotation
    ahead = -local[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        plane = np.stack([local[..., 0], -local[..., 1]], axis=-1) / ahead[..., None]
        usable = (ahead > 0) & (np.linalg.norm(plane, axis=-1) <= _reach(camera))
        plane = np.where(usable[..., None], plane, np.nan)
        bent = _distorted(plane, camera.distortion)
    focal, centre = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    return bent * focal + centre, np.asarray(np.linalg.norm(local, axis=-1))


def directions(camera: ViewCamera) -> Float[np.ndarray, "h w 3"]:
    """Return the unit direction of the ray through each pixel's centre, in the world."""
    rows, columns = np.mgrid[: camera.height, : camera.width] + 0.5
    return _directions_at(np.stack([columns, rows], axis=-1), camera)


def points_at(camera: ViewCamera, distance: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w 3"]:
    """Lift a view's pixels to the world by their distances along the rays.

    Raises:
        InvalidInput: The distances are of another size than the view.
    """
    if distance.shape != (camera.height, camera.width):
        raise InvalidInput(
            f"a depth map of {distance.shape[1]}x{distance.shape[0]} does not fit a view of "
            f"{camera.width}x{camera.height}"
        )
    return np.asarray(camera.position + distance[..., None] * directions(camera))


def pixel_index(
    xy: Float[np.ndarray, "*n 2"], camera: ViewCamera
) -> tuple[Int[np.ndarray, "*n"], Int[np.ndarray, "*n"], Bool[np.ndarray, "*n"]]:
    """Return the row and column that a position falls in (0 where outside), and if it is inside."""
    limits = np.array([camera.width, camera.height])
    inside = np.all((xy >= 0) & (xy < limits), axis=-1)
    whole = np.where(inside[..., None], np.floor(np.nan_to_num(xy)), 0).astype(np.intp)
    return np.asarray(whole[..., 1]), np.asarray(whole[..., 0]), np.asarray(inside)


def _directions_at(xy: Float[np.ndarray, "*n 2"], camera: ViewCamera) -> Float[np.ndarray, "*n 3"]:
    plane = _undistorted(_on_plane(xy, camera), camera.distortion)
    local = np.stack([plane[..., 0], -plane[..., 1], -np.ones(plane.shape[:-1])], axis=-1)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    return np.asarray(local @ np.asarray(camera.camera_to_world[:, :3], dtype=np.float64).T)


def _on_plane(xy: Float[np.ndarray, "*n 2"], camera: ViewCamera) -> Float[np.ndarray, "*n 2"]:
    focal, centre = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    return np.asarray((xy - centre) / focal)


def _reach(camera: ViewCamera) -> float:
    """Return the largest distance from the axis, on the plane at 1, that may be in the picture."""
    if not any(camera.distortion):
        return np.inf
    w, h = camera.width, camera.height
    corners = np.array([(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)])
    plane = _undistorted(_on_plane(corners, camera), camera.distortion)
    return float(_BEYOND * np.linalg.norm(plane, axis=-1).max())


def _distorted(
    plane: Float[np.ndarray, "*n 2"], distortion: tuple[float, ...]
) -> Float[np.ndarray, "*n 2"]:
    x, y = plane[..., 0], plane[..., 1]
    k1, k2, k3, k4, p1, p2 = distortion
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * (k3 + square * k4)))
    across = radial * x + 2 * p1 * x * y + p2 * (square + 2 * x * x)
    down = radial * y + 2 * p2 * x * y + p1 * (square + 2 * y * y)
    return np.stack([across, down], axis=-1)


def _undistorted(
    bent: Float[np.ndarray, "*n 2"], distortion: tuple[float, ...]
) -> Float[np.ndarray, "*n 2"]:
    """Undo the distortion by Newton's method."""
    if not any(distortion):
        return bent
    k1, k2, k3, k4, p1, p2 = distortion
    plane = bent.copy()
    for _ in range(_NEWTON_STEPS):
        x, y = plane[..., 0], plane[..., 1]
        square = x * x + y * y
        radial = 1 + square * (k1 + square * (k2 + square * (k3 + square * k4)))
        slope = k1 + square * (2 * k2 + square * (3 * k3 + square * 4 * k4))
        a = radial + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x
        b = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y  # the Jacobian [[a, b], [b, d]]
        d = radial + 2 * y * y * slope + 2 * p2 * x + 6 * p1 * y
        missed = _distorted(plane, distortion) - bent
        determinant = a * d - b * b
        sound = np.abs(determinant) > 1e-6
        safe = np.where(sound, determinant, 1.0)
        step = np.stack(
            [d * missed[..., 0] - b * missed[..., 1], a * missed[..., 1] - b * missed[..., 0]],
            axis=-1,
        )
        plane = plane - np.where(sound[..., None], step / safe[..., None], 0.0)
    return plane
