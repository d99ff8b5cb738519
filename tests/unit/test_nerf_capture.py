"""What cannot be trained on is refused before training, with the files at fault."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from nerf_captures import looking_in, write_capture
from PIL import Image

from image_core.errors import InvalidInput
from nerf.capture import check_views, originals, read_capture, samples_of, view_name


def change(folder, edit):
    path = folder / "transforms.json"
    meta = json.loads(path.read_text())
    edit(meta)
    path.write_text(json.dumps(meta))


def test_views_come_in_the_order_of_their_paths_whatever_the_json_says(tmp_path):
    write_capture(tmp_path, views=5)
    change(tmp_path, lambda meta: meta["frames"].reverse())
    capture = read_capture(tmp_path)
    assert [view.name for view in capture.views] == [f"images/{n:04}.png" for n in range(1, 6)]
    for number, view in enumerate(capture.views):
        np.testing.assert_array_equal(view.camera_to_world, looking_in(number, 5))


def test_the_order_and_the_cameras_are_nerfstudios(tmp_path):
    parser = pytest.importorskip("nerfstudio.data.dataparsers.nerfstudio_dataparser")
    write_capture(tmp_path, views=6)

    def shuffled(meta):
        meta["frames"] = [meta["frames"][i] for i in (3, 0, 5, 1, 4, 2)]
        meta["frames"][0]["file_path"] = "./" + meta["frames"][0]["file_path"]
        meta["k1"] = 0.01

    change(tmp_path, shuffled)
    config = parser.NerfstudioDataParserConfig(
        data=tmp_path,
        eval_mode="all",
        orientation_method="none",
        center_method="none",
        auto_scale_poses=False,
        downscale_factor=1,
    )
    outputs = config.setup().get_dataparser_outputs("train")
    capture = read_capture(tmp_path)
    assert [view.file for view in capture.views] == outputs.image_filenames
    for index, view in enumerate(capture.views):
        camera = outputs.cameras[index]
        np.testing.assert_allclose(
            camera.camera_to_worlds.numpy(), view.camera_to_world[:3], atol=1e-6
        )
        told = (view.fx, view.fy, view.cx, view.cy, view.width, view.height)
        theirs = (camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height)
        np.testing.assert_allclose(told, [float(value) for value in theirs], rtol=1e-6)
        np.testing.assert_allclose(
            np.asarray(view.distortion), camera.distortion_params.numpy(), atol=1e-7
        )


def test_pictures_are_read_as_nerfstudio_reads_them(tmp_path):
    datasets = pytest.importorskip("nerfstudio.data.datasets.base_dataset")
    parser = pytest.importorskip("nerfstudio.data.dataparsers.nerfstudio_dataparser")
    write_capture(tmp_path, views=3)
    turned = Image.open(tmp_path / "images" / "0002.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me": nerfstudio does not
    turned.save(tmp_path / "images" / "0002.png", exif=exif)
    Image.open(tmp_path / "images" / "0003.png").convert("L").save(tmp_path / "images" / "0003.png")
    config = parser.NerfstudioDataParserConfig(data=tmp_path, eval_mode="all", downscale_factor=1)
    dataset = datasets.InputDataset(config.setup().get_dataparser_outputs("train"))
    for index, picture in enumerate(originals(read_capture(tmp_path))):
        assert picture.dtype == np.float32
        np.testing.assert_array_equal(picture, dataset.get_image_float32(index).numpy())


def test_opaque_alpha_is_fine_and_dropped(tmp_path):
    pictures = write_capture(tmp_path, views=4)
    for file in sorted((tmp_path / "images").iterdir()):
        Image.open(file).convert("RGBA").save(file)
    capture = read_capture(tmp_path / "transforms.json")
    for view, picture in zip(capture.views, pictures, strict=True):
        np.testing.assert_array_equal(samples_of(view.file), picture)


def test_pictures_outside_the_folder_are_fine(tmp_path):
    write_capture(tmp_path / "scene", views=3)
    os.rename(tmp_path / "scene" / "images", tmp_path / "shots")

    def moved(meta):
        for frame in meta["frames"]:
            frame["file_path"] = frame["file_path"].replace("images", "../shots")

    change(tmp_path / "scene", moved)
    assert read_capture(tmp_path / "scene").views[0].name == "../shots/0001.png"


def test_a_name_has_one_form(tmp_path):
    for path in ("images/0001.jpg", "./images//0001.jpg", tmp_path / "images" / "0001.jpg"):
        assert view_name(path, tmp_path) == "images/0001.jpg"
    assert view_name("a/../../b.png", tmp_path) == "../b.png"


def _picture(number, **options):
    def spoil(folder):
        file = folder / "images" / f"{number:04}.png"
        picture = Image.open(file)
        if "mode" in options:
            picture = picture.convert(options["mode"])
        if "alpha" in options:
            picture = picture.convert("RGBA")
            picture.putpixel((3, 2), (1, 2, 3, options["alpha"]))
        if "size" in options:
            picture = picture.resize(options["size"])
        picture.save(file)

    return spoil


def _torn(keep):
    def spoil(folder):
        file = folder / "images" / "0002.png"
        file.write_bytes(file.read_bytes()[:keep])

    return spoil


def _torn_jpeg(folder):
    file = folder / "images" / "0002.png"
    Image.open(file).save(folder / "images" / "0002.jpg")
    data = (folder / "images" / "0002.jpg").read_bytes()
    (folder / "images" / "0002.jpg").write_bytes(data[:-40])
    change(folder, lambda m: m["frames"][1].update(file_path="images/0002.jpg"))


def _poses(edit):
    def spoil(folder):
        def edited(meta):
            for frame in meta["frames"][1:]:
                pose = np.array(frame["transform_matrix"])
                frame["transform_matrix"] = edit(pose)

        change(folder, edited)

    return spoil


def _nan(pose):
    pose[0, 3] = np.nan
    return pose.tolist()


def _flat(pose):
    pose[:3, 1] = pose[:3, 0]
    return pose.tolist()


SPOILT = {
    "no json": (lambda f: (f / "transforms.json").unlink(), "transforms.json"),
    "json is a folder": (
        lambda f: ((f / "transforms.json").unlink(), (f / "transforms.json").mkdir()),
        "cannot be read",
    ),
    "torn json": (lambda f: (f / "transforms.json").write_text('{"frames": ['), "no JSON"),
    "binary json": (lambda f: (f / "transforms.json").write_bytes(b"\xff\xfe\0"), "no JSON"),
    "a list": (lambda f: (f / "transforms.json").write_text("[]"), "no capture"),
    "no frames": (lambda f: change(f, lambda m: m.update(frames=[])), "lists no frames"),
    "frames is a text": (lambda f: change(f, lambda m: m.update(frames="x")), "lists no frames"),
    "frame without path": (lambda f: change(f, lambda m: m["frames"][2].clear()), "file_path"),
    "one picture": (lambda f: change(f, lambda m: m.update(frames=m["frames"][:1])), "1 picture,"),
    "two pictures": (lambda f: change(f, lambda m: m.update(frames=m["frames"][:2])), "2 pictures"),
    "missing pictures": (
        lambda f: [(f / "images" / f"{n:04}.png").unlink() for n in (1, 2, 3, 5)],
        "4 of 5 pictures are missing: .*0001.png, .*0002.png, .*0003.png and 1 more",
    ),
    "another size": (_picture(4, size=(20, 16)), "24x16 .4., 20x16 .1.*: [^,]*0004.png$"),
    "all of another size": (
        lambda f: [_picture(n, size=(12, 8))(f) for n in range(1, 6)],
        "says 24x16 .* 12x8",
    ),
    "alpha": (_picture(3, alpha=254), "transparent in places: [^,]*0003.png"),
    "palette": (_picture(3, mode="P"), "0003.png .P."),
    "one bit": (_picture(3, mode="1"), "0003.png .1."),
    "16 bit": (_picture(3, mode="I;16"), "0003.png .I;16."),
    "torn picture": (_torn(90), "cannot be read: [^,]*0002.png"),
    "nearly whole picture": (_torn(-30), "cannot be read: [^,]*0002.png"),
    "torn jpeg": (_torn_jpeg, "cannot be read: [^,]*0002.jpg"),
    "empty picture": (_torn(0), "cannot be read"),
    "twice": (
        lambda f: change(f, lambda m: m["frames"][1].update(file_path="images/../images/0001.png")),
        "1 of 5 frames name a picture that another names too",
    ),
    "NaN pose": (_poses(_nan), "pose of 4 of 5 views has NaN .*0002.*0003.*0004.png and 1 more"),
    "singular": (_poses(_flat), "no rotation"),
    "all zero": (_poses(lambda pose: (pose * 0 + np.diag([0, 0, 0, 1])).tolist()), "no rotation"),
    "transposed": (_poses(lambda pose: pose.T.tolist()), "does not end in 0 0 0 1"),
    "3x4": (_poses(lambda pose: pose[:3].tolist()), "no 4x4"),
    "ragged": (_poses(lambda pose: [[1, 2], [3]]), "no 4x4"),
    "words": (_poses(lambda pose: "identity"), "no 4x4"),
    "one point": (
        lambda f: change(
            f, lambda m: [x.update(transform_matrix=np.eye(4).tolist()) for x in m["frames"]]
        ),
        "one point",
    ),
    "no focal length": (lambda f: change(f, lambda m: m.pop("fl_x")), "fl_x of .* is missing"),
    "focal length 0": (lambda f: change(f, lambda m: m.update(fl_y=0)), "not above 0"),
    "a word for a number": (lambda f: change(f, lambda m: m.update(cx="12")), "cx of .* no number"),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_what_cannot_be_trained_on_is_refused_with_the_files_and_a_next_step(tmp_path, fault):
    write_capture(tmp_path, views=5)
    read_capture(tmp_path)
    spoil, told = SPOILT[fault]
    spoil(tmp_path)
    with pytest.raises(InvalidInput, match=told) as caught:
        read_capture(tmp_path)
    assert caught.value.hint or fault in ("focal length 0", "frame without path")


def test_poses_of_other_parsers_have_three_rows(tmp_path):
    write_capture(tmp_path, views=4)
    capture = read_capture(tmp_path)
    files = [view.file for view in capture.views]
    poses = np.stack([view.camera_to_world[:3] for view in capture.views])
    check_views(files, poses)
    with pytest.raises(InvalidInput, match="need 4"):
        check_views(files, poses[:3])
    poses[2, 0, 0] = np.inf
    with pytest.raises(InvalidInput, match="0003"):
        check_views(files, poses)


def test_the_fox_is_a_capture(shared_data):
    capture = read_capture(shared_data / "fox")
    assert (len(capture.views), capture.width, capture.height) == (50, 135, 240)
    assert capture.views[0].distortion[:2] == (0.0578421, -0.0805099)


def test_names_do_not_depend_on_the_folder_one_stands_in(tmp_path, monkeypatch):
    write_capture(tmp_path / "scene", views=3)
    monkeypatch.chdir(tmp_path)
    for path in ("scene", "./scene/transforms.json", tmp_path / "scene"):
        assert read_capture(Path(path)).views[0].name == "images/0001.png"
    monkeypatch.chdir(tmp_path / "scene")
    assert read_capture(Path()).views[0].name == "images/0001.png"
