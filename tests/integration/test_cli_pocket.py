"""``insitu pocket``: what it writes, prints and refuses, and that nerfstudio reads it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from insitu.__main__ import main

SMALL = ["--views", "4", "--size", "48", "36"]


def test_the_last_line_is_the_folder_of_a_whole_capture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "capture"
    assert main(["pocket", "capture", "-o", str(folder), *SMALL]) == 0
    printed = capsys.readouterr().out.strip().splitlines()
    assert printed[-1] == str(folder)
    assert "make the red ball blue" in printed[-2]
    transforms = json.loads((folder / "transforms.json").read_text())
    assert len(transforms["frames"]) == 4
    assert (transforms["w"], transforms["h"]) == (48, 36)


def test_json_is_one_object_with_what_the_truth_is_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "capture"
    arguments = ["-o", str(folder), *SMALL, "--seed", "2", "--target", "green cone"]
    asked = ["pocket", "capture", *arguments, "--colour", "orange", "--format", "json"]
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "ok"
    assert told["folder"] == str(folder)
    assert told["instruction"] == "make the green cone orange"
    assert told["target"] in told["things"]
    assert (told["views"], told["size"], told["seed"]) == (4, [48, 36], 2)


def test_one_picture_comes_with_its_true_edit_and_the_mask_that_bounds_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [str(tmp_path / name) for name in ("scene.png", "edited.png", "mask.png")]
    places = ["-o", names[0], "--edited-out", names[1], "--mask-out", names[2]]
    assert main(["pocket", "scene", *places, "--size", "96", "72"]) == 0
    assert capsys.readouterr().out.strip().splitlines()[-1] == names[0]
    before, after, mask = (cv2.imread(name, cv2.IMREAD_UNCHANGED) for name in names)
    assert before.shape == (72, 96, 3)
    assert 0.05 < (mask / 255).mean() < 0.12
    assert ((before != after).any(axis=2) == (mask > 0)).all()
    for wrong in (["-o", str(tmp_path / "scene.jpg")], [*places, "--mask-out", names[0]]):
        (tmp_path / "scene.png").unlink(missing_ok=True)
        assert main(["pocket", "scene", *wrong]) == 7
        assert not (tmp_path / "scene.png").exists()


def test_bad_values_end_with_code_7_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "capture"
    for wrong in (["--views", "1"], ["--size", "0", "10"], ["--target", "teapot"]):
        assert main(["pocket", "capture", "-o", str(folder), *wrong]) == 7
        assert "insitu:" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    assert main(["pocket", "capture", "-o", str(folder), *SMALL]) == 7
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_command_line_without_a_place_or_with_half_a_size_is_code_2(tmp_path: Path) -> None:
    assert main(["pocket", "capture"]) == 2
    assert main(["pocket", "capture", "-o", str(tmp_path / "c"), "--size", "48"]) == 2


def test_nerfstudio_reads_the_capture_and_its_rays_meet_the_ball(tmp_path: Path) -> None:
    pytest.importorskip("nerfstudio")
    import torch
    from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig

    from pocket.shapes import Ball
    from pocket.table import TARGET, table_scene

    folder = tmp_path / "capture"
    assert main(["pocket", "capture", "-o", str(folder), *SMALL]) == 0
    settings = NerfstudioDataParserConfig(
        data=folder, orientation_method="none", center_method="none", auto_scale_poses=False
    )
    outputs = settings.setup().get_dataparser_outputs(split="train")
    ball = table_scene().thing(TARGET).shapes[0]
    assert isinstance(ball, Ball)
    for number in range(len(outputs.cameras)):
        rays = outputs.cameras.generate_rays(camera_indices=number)
        offset = torch.tensor(ball.centre) - rays.origins
        along = (offset * rays.directions).sum(-1, keepdim=True)
        misses = (offset - along * rays.directions).norm(dim=-1).numpy()
        name = outputs.image_filenames[number].name
        mask = cv2.imread(str(folder / "truth/masks/red_ball" / name), cv2.IMREAD_GRAYSCALE)
        assert (misses[mask == 255] < ball.radius).all()
        assert (misses[mask == 0] > ball.radius).all()
