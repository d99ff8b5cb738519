"""Pictures of a scene: geometry, light, exact masks, and edits that stay where they belong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from image_core.colour import srgb_to_linear
from image_core.colour_names import parse_colour
from image_core.errors import InvalidInput
from pocket.cameras import Camera, look_at
from pocket.patterns import Checks, Mottling, Stripes, Wood
from pocket.render import coverage, develop, render, trace
from pocket.scene import Lamp, Material, Scene, Thing, reflectance
from pocket.shapes import Ball, Block, Room
from pocket.table import COLOUR, TARGET, VIEWPOINTS, table_scene

PLAIN = Material(colour=(0.5, 0.5, 0.5), second=(0.5, 0.5, 0.5), pattern=Checks(size=1.0))
ROOM = Room(low=(-10.0, -10.0, -1.0), high=(10.0, 10.0, 20.0))
EVEN = Lamp(place=(0.0, 0.0, 9.0), power=0.0, ambient=0.8, ambient_below=0.8)


def small_scene(*things: Thing, lamp: Lamp = EVEN) -> Scene:
    room = Thing(name="room", shapes=(ROOM,), material=PLAIN, casts_shadow=False)
    return Scene(name="test", things=(*things, room), lamp=lamp)


def camera_at(
    place: tuple[float, float, float], target: tuple[float, float, float], side: int = 81
) -> Camera:
    return Camera(pose=look_at(place, target), width=side, height=side, focal=1.2 * side)


@pytest.fixture(scope="module")
def views() -> list[Camera]:
    return VIEWPOINTS.cameras(9, width=64, height=48, seed=0)


def test_a_ball_is_seen_as_large_and_as_far_as_geometry_says() -> None:
    ball = Thing(name="ball", shapes=(Ball(centre=(0.0, 0.0, 1.0), radius=0.5),), material=PLAIN)
    camera = camera_at((0.0, -3.0, 1.0), (0.0, 0.0, 1.0))
    seen = render(small_scene(ball), camera)
    outline = camera.focal * 0.5 / math.sqrt(3.0**2 - 0.5**2)
    mask = seen.coverage["ball"]
    assert mask.sum() == pytest.approx(math.pi * outline**2, rel=0.01)
    rows, columns = np.nonzero(mask > 0)
    assert (columns.max() + 1 - columns.min()) / 2 == pytest.approx(outline, abs=0.6)
    assert np.average(columns + 0.5, weights=mask[rows, columns]) == pytest.approx(40.5, abs=0.01)
    assert np.average(rows + 0.5, weights=mask[rows, columns]) == pytest.approx(40.5, abs=0.01)
    assert seen.depth[40, 40] == pytest.approx(2.5, abs=1e-3)


def test_depth_of_a_wall_seen_head_on_is_the_same_at_every_pixel() -> None:
    seen = render(small_scene(), camera_at((0.0, 2.0, 5.0), (0.0, 9.0, 5.0)))
    assert np.allclose(seen.depth, 8.0, atol=1e-3)


def test_depth_unprojects_to_points_of_the_surface() -> None:
    scene = table_scene()
    camera = VIEWPOINTS.cameras(3, width=64, height=48, seed=0)[1]
    seen = render(scene, camera)
    rows, columns = np.nonzero(seen.coverage[TARGET] == 1)
    points = np.array(
        [
            camera.pose[:3, 3]
            + camera.pose[:3, :3]
            @ np.array([(c + 0.5 - 32) / camera.focal, (24 - r - 0.5) / camera.focal, -1.0])
            * seen.depth[r, c]
            for r, c in zip(rows, columns, strict=True)
        ]
    )
    ball = scene.thing(TARGET).shapes[0]
    assert isinstance(ball, Ball)
    assert np.allclose(np.linalg.norm(points - ball.centre, axis=1), ball.radius, atol=2e-3)


def test_the_targets_middle_projects_into_its_mask_in_every_view(views: list[Camera]) -> None:
    scene = table_scene()
    ball = scene.thing(TARGET).shapes[0]
    assert isinstance(ball, Ball)
    for camera in views:
        column, row, depth = camera.project(ball.centre)
        mask = render(scene, camera).coverage[TARGET]
        assert depth > 0
        assert mask[int(row), int(column)] == 1
        assert 0.05 < mask.mean() < 0.12


def test_the_masks_of_all_things_share_out_every_pixel(views: list[Camera]) -> None:
    scene = table_scene()
    masks = render(scene, views[4]).coverage
    assert set(masks) == set(scene.names)
    assert np.allclose(sum(masks.values()), 1, atol=1e-6)
    assert all(masks[name].any() for name in scene.names)


def test_the_true_edit_changes_the_targets_pixels_and_no_others(views: list[Camera]) -> None:
    scene = table_scene()
    edited = scene.recoloured(TARGET, COLOUR)
    for camera in views[::3]:
        traced = trace(scene, camera)
        before, after = develop(scene, traced), develop(edited, traced)
        mask = coverage(scene, traced)[TARGET]
        assert np.array_equal(before[mask == 0], after[mask == 0])
        assert (np.abs(before - after).max(axis=2)[mask > 0] > 0.02).all()
        assert np.array_equal(after, render(edited, camera).image)


def test_a_recoloured_thing_shows_the_named_colour_with_its_texture() -> None:
    scene = table_scene()
    points = np.random.default_rng(0).uniform(-1, 1, (3, 4000)).astype(np.float32)
    before = scene.thing(TARGET).material.reflectance(points)
    after = scene.recoloured(TARGET, "blue").thing(TARGET).material.reflectance(points)
    blue = parse_colour("blue")
    assert blue is not None
    named = srgb_to_linear(np.array(blue.rgb))
    assert np.allclose(after.mean(axis=1), named, rtol=0.05)
    assert np.allclose(after / after.mean(axis=1)[:, None], before / before.mean(axis=1)[:, None],
                       atol=0.01)  # fmt: skip


def test_a_surface_sends_back_what_lambert_says_and_nothing_of_the_lamp_in_its_shadow() -> None:
    lamp = Lamp(place=(0.0, 0.0, 9.0), power=0.7, ambient=0.4, ambient_below=0.2)
    shade = Thing(name="shade", shapes=(Ball(centre=(0.0, 0.0, 5.0), radius=0.5),), material=PLAIN)
    scene = small_scene(shade, lamp=lamp)
    camera = camera_at((-6.0, 0.0, 6.0), (0.0, 0.0, -1.0))

    def light_at(point: tuple[float, float, float]) -> float:
        column, row, _ = camera.project(point)
        sent = srgb_to_linear(render(scene, camera).image[int(row), int(column)])
        return float(sent.mean()) / 0.5

    assert light_at((0.0, 0.0, -1.0)) == pytest.approx(0.4, abs=0.01)
    facing = 10 / math.hypot(10, 4)
    assert light_at((0.0, 4.0, -1.0)) == pytest.approx(0.4 + 0.7 * facing, abs=0.01)


def test_pixels_are_averaged_as_light_not_as_codes() -> None:
    white = Material(colour=(1.0,) * 3, second=(0.0,) * 3, pattern=Stripes(width=0.01, axis="x"))
    wall = Thing(
        name="wall",
        shapes=(Block(centre=(0.0, 9.0, 5.0), half=(9.0, 0.5, 9.0)),),
        material=white,
    )
    lamp = Lamp(place=(0.0, 0.0, 9.0), power=0.0, ambient=1.0, ambient_below=1.0)
    seen = render(small_scene(wall, lamp=lamp), camera_at((0.0, 0.0, 5.0), (0.0, 9.0, 5.0)))
    assert srgb_to_linear(seen.image).mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    "pattern",
    [Mottling(size=0.3), Checks(size=0.2), Stripes(width=0.1), Wood(ring=0.1)],
    ids=lambda pattern: type(pattern).__name__,
)
def test_patterns_show_both_colours_and_nothing_beyond_them(
    pattern: Mottling | Checks | Stripes | Wood,
) -> None:
    points = np.random.default_rng(1).uniform(-2, 2, (3, 5000)).astype(np.float32)
    share = pattern.share(points)
    assert share.min() >= 0
    assert share.max() <= 1
    assert share.std() > 0.15
    assert share.mean() == pytest.approx(0.5, abs=0.1)


def test_noise_is_continuous_and_another_seed_is_another_noise() -> None:
    points = np.random.default_rng(2).uniform(-20, 20, (3, 2000)).astype(np.float32)
    clouds = Mottling(size=0.5)
    near = clouds.share(points + np.float32(1e-3))
    assert np.abs(near - clouds.share(points)).max() < 0.05
    assert np.abs(Mottling(size=0.5, seed=9).share(points) - near).max() > 0.3


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
def test_things_of_every_seed_stand_apart_on_the_table(seed: int) -> None:
    scene = table_scene(seed)
    traced = trace(scene, camera_at((0.0, -0.01, 4.5), (0.0, 0.0, 0.0), side=160), samples=1)
    standing = scene.names[:5]
    for number, name in enumerate(standing):
        points = traced.points[:2, traced.thing == number]
        assert np.hypot(*points).max() < 1.35, name
        others = traced.points[:2, (traced.thing < 5) & (traced.thing != number)]
        gaps = np.hypot(*(points[:, :, None] - others[:, None, ::5]))
        assert gaps.min() > 0.08, name


def test_another_seed_gives_another_scene_and_the_same_one_the_same() -> None:
    assert table_scene(3) == table_scene(3)
    assert table_scene(3).thing(TARGET) != table_scene(4).thing(TARGET)


def test_what_cannot_be_rendered_is_refused() -> None:
    scene = table_scene()
    inside = camera_at((0.0, -2.0, 1.0), (0.0, 0.0, 0.0), side=9)
    with pytest.raises(InvalidInput, match="samples"):
        render(scene, inside, samples=2)
    with pytest.raises(InvalidInput, match="meets nothing"):
        render(scene, camera_at((0.0, -20.0, 1.0), (0.0, -40.0, 1.0), side=9))
    with pytest.raises(InvalidInput, match="has no 'blue whale'") as error:
        scene.recoloured("blue whale", "red")
    assert TARGET in error.value.hint
    with pytest.raises(InvalidInput, match="no colour"):
        scene.recoloured(TARGET, "loud")


def test_colours_are_reflectances_of_the_named_srgb() -> None:
    assert reflectance("#ffffff") == pytest.approx((1, 1, 1))
    assert reflectance("#808080") == pytest.approx((0.2158605,) * 3, abs=1e-6)
