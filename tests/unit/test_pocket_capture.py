"""A capture on disk: nerfstudio's conventions, the truth beside it, the same bytes every time."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from image_core import LocalEditor
from image_core.errors import InvalidInput
from image_core.types import Image, Location
from pocket.capture import Capture, write_capture
from pocket.shapes import Ball
from pocket.table import TARGET, table_scene


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    folder = tmp_path_factory.mktemp("pocket") / "capture"
    return write_capture(folder, views=5, width=160, height=120)


def small(folder: Path, **settings: int | str) -> Capture:
    return write_capture(folder, **{"views": 3, "width": 32, "height": 24, **settings})


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def picture(path: Path) -> np.ndarray:
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read is not None, path
    return read[..., ::-1] if read.ndim == 3 else read


def as_image(path: Path) -> Image:
    return (picture(path) / 255).astype(np.float32)


def test_every_frame_has_its_picture_its_true_edit_its_depth_and_all_masks(
    capture: Capture,
) -> None:
    folder = capture.folder
    transforms = json.loads((folder / "transforms.json").read_text())
    truth = json.loads((folder / "truth/truth.json").read_text())
    names = [Path(frame["file_path"]).name for frame in transforms["frames"]]
    assert names == ["0001.png", "0002.png", "0003.png", "0004.png", "0005.png"]
    assert (transforms["w"], transforms["h"]) == (160, 120)
    assert (transforms["cx"], transforms["cy"]) == (80, 60)
    assert not any("mask_path" in frame for frame in transforms["frames"])
    assert truth["instruction"] == "make the red ball blue"
    assert truth["target"] in truth["things"]
    assert set(truth["things"]) == set(capture.things)
    for name in names:
        for part in ("images", "truth/edited"):
            assert picture(folder / part / name).shape == (120, 160, 3)
        assert picture(folder / "truth" / truth["depth"] / name).dtype == np.uint16
        masks = [picture(folder / "truth" / place / name) for place in truth["things"].values()]
        total = np.sum(masks, axis=0, dtype=int)
        assert np.abs(total - 255).max() <= len(masks) // 2


def test_poses_are_camera_to_world_with_x_right_y_up_and_the_view_along_minus_z(
    capture: Capture,
) -> None:
    ball = table_scene().thing(TARGET).shapes[0]
    assert isinstance(ball, Ball)
    transforms = json.loads((capture.folder / "transforms.json").read_text())
    for frame in transforms["frames"]:
        pose = np.array(frame["transform_matrix"])
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        assert pose[2, 1] > 0  # the camera's up is up in the world
        x, y, z = np.linalg.inv(pose)[:3] @ np.array([*ball.centre, 1.0])
        # a ball's outline is an ellipse; its middle lies a little further out than the ball's
        outwards = -z / (z**2 - ball.radius**2)
        column = transforms["cx"] + transforms["fl_x"] * x * outwards
        row = transforms["cy"] - transforms["fl_y"] * y * outwards
        name = Path(frame["file_path"]).name
        mask = picture(capture.folder / "truth/masks/red_ball" / name) / 255
        rows, columns = np.nonzero(mask > 0)
        weights = mask[rows, columns]
        assert column == pytest.approx(np.average(columns + 0.5, weights=weights), abs=0.1)
        assert row == pytest.approx(np.average(rows + 0.5, weights=weights), abs=0.1)


def test_the_true_edit_on_disk_equals_the_view_wherever_the_mask_is_0(capture: Capture) -> None:
    for name in (f"{number:04d}.png" for number in range(1, 6)):
        before = picture(capture.folder / "images" / name)
        after = picture(capture.folder / "truth/edited" / name)
        mask = picture(capture.folder / "truth/masks/red_ball" / name)
        assert np.array_equal(before[mask == 0], after[mask == 0])
        assert (before[mask > 0] != after[mask > 0]).any(axis=1).all()


def test_the_weight_free_editor_finds_the_ball_in_each_view_and_comes_near_the_true_edit(
    capture: Capture,
) -> None:
    names = [f"{number:04d}.png" for number in range(1, 6)]
    images, truths, masks = (
        [as_image(capture.folder / part / name) for name in names]
        for part in ("images", "truth/edited", "truth/masks/red_ball")
    )
    editor = LocalEditor.default()
    plan = editor.plan(capture.instruction)
    locations = [found for found in editor.locate(images, plan) if isinstance(found, Location)]
    assert len(locations) == len(names)
    for location, mask in zip(locations, masks, strict=True):
        alpha = location.regions[0].alpha
        assert np.minimum(alpha, mask).sum() > 0.95 * np.maximum(alpha, mask).sum()
    keys = list(range(len(names)))
    prepared = editor.prepare(plan, images, locations, keys=keys)
    results = editor.apply(prepared, images, locations, keys=keys)
    way = left = 0.0
    for result, image, truth, mask in zip(results, images, truths, masks, strict=True):
        assert not isinstance(result, Exception)
        way += float((mask * np.linalg.norm(image - truth, axis=2)).sum())
        left += float((mask * np.linalg.norm(result.image - truth, axis=2)).sum())
    assert 1 - left / way > 0.9


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    small(tmp_path / "one", seed=3)
    small(tmp_path / "two", seed=3)
    small(tmp_path / "three", seed=4)
    first = contents(tmp_path / "one")
    assert first == contents(tmp_path / "two")
    assert first != contents(tmp_path / "three")


def test_another_edit_of_the_same_scene_changes_its_truth_and_no_view(tmp_path: Path) -> None:
    small(tmp_path / "one")
    other = small(tmp_path / "two", target="purple vase", colour="dark green")
    assert other.instruction == "make the purple vase dark green"
    first, second = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert first["images/0001.png"] == second["images/0001.png"]
    assert first["truth/edited/0001.png"] != second["truth/edited/0001.png"]


def test_a_capture_that_is_there_already_is_left_alone_and_another_is_refused(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "capture"
    small(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert small(folder).folder == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    with pytest.raises(InvalidInput, match="holds something else"):
        small(folder, seed=1)
    view = folder / "images/0002.png"
    view.write_bytes((folder / "images/0001.png").read_bytes())
    with pytest.raises(InvalidInput, match="holds something else"):
        small(folder)


def test_an_empty_folder_and_a_link_to_one_are_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    same = (tmp_path / "empty").stat().st_ino
    small(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "empty").stat().st_ino == same  # whoever stands in it still does
    assert (tmp_path / "empty/transforms.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "link"]


def test_a_capture_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    def stop(stage: str, done: float) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_capture(tmp_path / "capture", views=3, width=32, height=24, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"views": 2}, "2 views"),
        ({"views": 10**6}, "views"),
        ({"width": 0}, "0 x 24"),
        ({"height": 5000}, "32 x 5000"),
        ({"seed": -1}, "negative"),
        ({"target": "blue whale"}, "has no 'blue whale'"),
        ({"colour": "loud"}, "no colour"),
    ],
)
def test_values_out_of_range_are_refused_before_anything_is_written(
    tmp_path: Path, settings: dict[str, int | str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        small(tmp_path / "capture", **settings)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_hold_a_capture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/note.txt").write_text("mine")
    for place in ("file", "full", "file/below"):
        with pytest.raises(InvalidInput):
            small(tmp_path / place)
    with pytest.raises(InvalidInput, match="no folder's name"):
        small(tmp_path / "a\0b")
    assert (tmp_path / "full/note.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]
