"""An exported run is a capture again: edited where the run says so, the same bits elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from nerf_captures import HEIGHT, WIDTH, middle_region, write_capture, write_run
from PIL import Image

from image_core.errors import IntegrityError, InvalidInput
from image_core.receipt import read_receipt
from nerf.capture import originals, read_capture, samples_of
from nerf.export import export_capture
from nerf.run_record import read_record


@pytest.fixture
def scene(tmp_path):
    return write_capture(tmp_path / "scene", views=5)


def run_of(tmp_path, scene, **options):
    """A run that trained on views 1 to 4 of 5, edited 1 and 2, and did not see the target in 4."""
    options = {"edited": (0, 1), "missing": (3,), **options}
    return write_run(tmp_path / "run", tmp_path / "scene", scene[:4], **options)


def listing(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_export_reads_as_a_capture_with_the_edited_pictures_in_their_places(tmp_path, scene):
    now = run_of(tmp_path, scene)
    done = export_capture(tmp_path / "run" / "config.yml", tmp_path / "out")
    assert done.edited == ("images/0001.png", "images/0002.png")
    assert done.kept == ("images/0003.png", "images/0004.png")
    assert done.held_out == ("images/0005.png",)
    assert done.changed_outside == 0
    assert done.warnings == ()
    before, after = read_capture(tmp_path / "scene"), read_capture(tmp_path / "out")
    assert after.meta == before.meta
    for view, expected in zip(after.views, [*now, scene[4]], strict=True):
        np.testing.assert_array_equal(samples_of(view.file), expected)
    assert not np.array_equal(now[0], scene[0])


def test_regions_lie_beside_it_and_the_json_does_not_name_them(tmp_path, scene):
    run_of(tmp_path, scene)
    export_capture(tmp_path / "run", tmp_path / "out")
    masks = {path.name: path for path in (tmp_path / "out" / "masks_insitu").iterdir()}
    # the held-out view was never searched
    assert sorted(masks) == ["0001.png", "0002.png", "0003.png", "0004.png"]
    seen = [np.asarray(Image.open(masks[name])) for name in sorted(masks)]
    np.testing.assert_array_equal(seen[0], middle_region())
    assert not seen[3].any()
    assert "mask" not in (tmp_path / "out" / "transforms.json").read_text()


def test_the_receipt_says_what_was_done_and_seals_it(tmp_path, scene):
    run_of(tmp_path, scene)
    export_capture(tmp_path / "run", tmp_path / "out")
    receipt = read_receipt(tmp_path / "out" / "receipt.json")
    told = {key: receipt[key] for key in ("instruction", "editor", "seed", "kept")}
    assert told == {
        "instruction": "make it blue",
        "editor": "classic",
        "seed": 5,
        "kept": ["images/0003.png", "images/0004.png"],
    }
    for view in receipt["views"]:
        data = (tmp_path / "out" / view["output"]).read_bytes()
        assert sha256(data).hexdigest() == view["sha256"]
    assert receipt["views"][0]["edit"] == read_record(tmp_path / "run").views[0].edited


def test_jpeg_views_become_png_with_the_samples_that_nerfstudio_read(tmp_path):
    write_capture(tmp_path / "scene", views=4, suffix=".jpg")
    capture = read_capture(tmp_path / "scene")
    decoded = [samples_of(view.file) for view in capture.views]
    names = [view.name for view in capture.views]
    write_run(tmp_path / "run", tmp_path / "scene", decoded[:3], edited=(1,), names=names[:3])
    export_capture(tmp_path / "run", tmp_path / "out")
    exported = read_capture(tmp_path / "out")
    assert [view.name for view in exported.views] == [f"images/{n:04}.png" for n in range(1, 5)]
    for number in (0, 2, 3):
        np.testing.assert_array_equal(samples_of(exported.views[number].file), decoded[number])


def test_intrinsics_follow_the_size_of_the_training_and_the_rest_is_kept(tmp_path):
    head = {"k1": 0.05, "p2": -0.01, "applied_scale": 0.5, "ours": {"a": [1]}}
    scene = write_capture(tmp_path / "scene", views=4, size=(48, 30), **head)
    meta = json.loads((tmp_path / "scene" / "transforms.json").read_text())
    meta["train_filenames"] = ["images/0001.png", "./images/0003.png"]
    meta["frames"][0]["sharpness"] = 7
    for key in ("cx", "cy"):  # a number for all frames, or one for each
        value = meta.pop(key)
        for frame in meta["frames"]:
            frame[key] = value
    (tmp_path / "scene" / "transforms.json").write_text(json.dumps(meta))
    half = [
        np.asarray(Image.fromarray(p).resize((24, 15), Image.Resampling.BILINEAR)) for p in scene
    ]
    now = write_run(tmp_path / "run", tmp_path / "scene", half[:3], edited=(0,))
    done = export_capture(tmp_path / "run", tmp_path / "out")
    assert (done.width, done.height, done.changed_outside) == (24, 15, 0)
    told = json.loads((tmp_path / "out" / "transforms.json").read_text())
    assert (told["w"], told["h"], told["fl_x"], told["fl_y"]) == (24, 15, 15.0, 15.5)
    assert {(frame["cx"], frame["cy"]) for frame in told["frames"]} == {(12.0, 7.5)}
    assert {key: told[key] for key in head} == head
    assert told["frames"][0]["sharpness"] == 7
    assert told["train_filenames"] == ["images/0001.png", "images/0003.png"]
    exported = read_capture(tmp_path / "out")
    for view, expected in zip(exported.views, [*now, half[3]], strict=True):
        np.testing.assert_array_equal(samples_of(view.file), expected)


def test_a_downscale_factors_own_pictures_are_the_originals(tmp_path):
    scene = write_capture(tmp_path / "scene", views=4, size=(48, 32))
    (tmp_path / "scene" / "images_2").mkdir()
    small = [np.ascontiguousarray(picture[::2, ::2]) for picture in scene]
    for number, picture in enumerate(small):
        Image.fromarray(picture).save(tmp_path / "scene" / "images_2" / f"{number + 1:04}.png")
    write_run(tmp_path / "run", tmp_path / "scene", small[:3], edited=(0,))
    assert export_capture(tmp_path / "run", tmp_path / "out").changed_outside == 0
    held_out = read_capture(tmp_path / "out").views[3]
    np.testing.assert_array_equal(samples_of(held_out.file), small[3])


def test_files_that_frames_name_come_along_and_names_do_not_collide(tmp_path):
    scene = write_capture(tmp_path / "deep" / "scene", views=4)
    folder = tmp_path / "deep" / "scene"
    meta = json.loads((folder / "transforms.json").read_text())
    places = ["images/a.jpg", "images/a.png", "../other/a.png", "left/a.png"]
    for place, frame, picture in zip(places, meta["frames"], scene, strict=True):
        frame["file_path"] = place
        (folder / place).parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(folder / place)
    meta["frames"][0]["depth_file_path"] = "../depth.png"
    meta["ply_file_path"] = "points.ply"
    cv2.imwrite(str(folder.parent / "depth.png"), np.full((HEIGHT, WIDTH), 700, np.uint16))
    (folder / "points.ply").write_bytes(b"ply")
    (folder / "transforms.json").write_text(json.dumps(meta))
    capture = read_capture(folder)
    names = [view.name for view in capture.views]
    samples = {view.name: samples_of(view.file) for view in capture.views}
    write_run(tmp_path / "run", folder, list(samples.values()), edited=(0, 3), names=names)
    export_capture(tmp_path / "run", tmp_path / "out")
    told = json.loads((tmp_path / "out" / "transforms.json").read_text())
    moved = {old: frame["file_path"] for old, frame in zip(places, told["frames"], strict=True)}
    assert len(set(moved.values())) == 4
    assert all(place.endswith(".png") and ".." not in place for place in moved.values())
    for name in (names[1], names[2]):
        np.testing.assert_array_equal(samples_of(tmp_path / "out" / moved[name]), samples[name])
    assert (tmp_path / "out" / told["ply_file_path"]).read_bytes() == b"ply"
    depth = tmp_path / "out" / told["frames"][0]["depth_file_path"]
    assert depth.read_bytes() == (folder.parent / "depth.png").read_bytes()
    assert len(list((tmp_path / "out" / "masks_insitu").iterdir())) == 4


def test_an_unfinished_edit_is_exported_and_says_so(tmp_path, scene):
    run_of(tmp_path, scene, phase="edit", round=2, step=700)
    assert "step 700, round 2" in export_capture(tmp_path / "run", tmp_path / "out").warnings[0]


def test_an_edit_that_left_its_region_is_counted(tmp_path, scene):
    run_of(tmp_path, scene)
    record = read_record(tmp_path / "run")
    leaking = record.pictures.get(record.views[0].edited).copy()
    leaking[0, 0] ^= 1
    path = tmp_path / "run" / "edits" / "record.json"
    content = json.loads(path.read_text())
    content["views"][0]["edited"] = record.pictures.put(leaking)
    path.write_text(json.dumps(content))
    assert export_capture(tmp_path / "run", tmp_path / "out").changed_outside == 3


def test_the_same_run_exports_the_same_bytes(tmp_path, scene):
    run_of(tmp_path, scene)
    export_capture(tmp_path / "run", tmp_path / "one")
    export_capture(tmp_path / "run", tmp_path / "two")
    assert listing(tmp_path / "one") == listing(tmp_path / "two")


def test_a_moved_capture_is_found_by_its_new_place(tmp_path, scene):
    run_of(tmp_path, scene)
    (tmp_path / "scene").rename(tmp_path / "moved")
    with pytest.raises(InvalidInput) as caught:
        export_capture(tmp_path / "run", tmp_path / "out")
    assert "--data" in caught.value.hint
    export_capture(tmp_path / "run", tmp_path / "out", data=tmp_path / "moved")


def _damage(folder, keep):
    file = sorted((folder / "edits").glob("*.png"))[0]
    file.write_bytes(file.read_bytes()[:keep])


def _record(**changes):
    def spoil(tmp_path):
        path = tmp_path / "run" / "edits" / "record.json"
        content = json.loads(path.read_text())
        content.update(changes)
        path.write_text(json.dumps(content))

    return spoil


def _no_edit(tmp_path):
    path = tmp_path / "run" / "edits" / "record.json"
    content = json.loads(path.read_text())
    for view in content["views"]:
        view["edited"] = None
    content["phase"] = "reconstruct"
    path.write_text(json.dumps(content))


def _fill(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep me")


RUN = "run/edits/record.json"
FAULTS = {
    "no run": (lambda t: (t / "run" / "config.yml").unlink(), InvalidInput, "no run"),
    "no record": (lambda t: (t / RUN).unlink(), InvalidInput, "has edited nothing"),
    "nothing edited": (_no_edit, InvalidInput, "no view yet"),
    "torn record": (lambda t: (t / RUN).write_text('{"version": 1,'), IntegrityError, "damaged"),
    "record of words": (_record(seed="five"), IntegrityError, "damaged"),
    "record without views": (_record(views=None), IntegrityError, "damaged"),
    "record is a list": (lambda t: (t / RUN).write_text("[]"), IntegrityError, "damaged"),
    "later version": (_record(version=2), InvalidInput, "version 2"),
    "a path for a hash": (
        _record(views=[{"name": "images/0001.png", "edited": "../../etc", "region": None}]),
        InvalidInput,
        "not the name",
    ),
    "another capture": (
        _record(views=[{"name": "x.png", "edited": "0" * 32, "region": None}]),
        InvalidInput,
        "not in .*: x.png",
    ),
    "another size": (_record(width=25), IntegrityError, "has shape"),
    "damaged picture": (lambda t: _damage(t / "run", 60), IntegrityError, "damaged"),
    "missing picture": (
        lambda t: sorted((t / "run" / "edits").glob("*.png"))[0].unlink(),
        InvalidInput,
        "missing",
    ),
    "missing original": (
        lambda t: (t / "scene" / "images" / "0005.png").unlink(),
        InvalidInput,
        "0005.png",
    ),
    "output in use": (_fill, InvalidInput, "not empty"),
    "output is a file": (lambda t: (t / "out").write_text("x"), InvalidInput, "no folder"),
    "output is the capture": (
        lambda t: (t / "out").symlink_to(t / "scene"),
        InvalidInput,
        "the capture itself",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_exported_leaves_everything_as_it_was(tmp_path, scene, fault):
    run_of(tmp_path, scene)
    spoil, kind, told = FAULTS[fault]
    spoil(tmp_path)
    before = listing(tmp_path)
    with pytest.raises(kind, match=told) as caught:
        export_capture(tmp_path / "run" / "config.yml", tmp_path / "out")
    assert caught.value.hint
    assert listing(tmp_path) == before
    assert not list(tmp_path.glob(".insitu*"))


@pytest.mark.parametrize("limit", [0, 300, 2000])
def test_a_full_disk_leaves_nothing(tmp_path, scene, limit):
    run_of(tmp_path, scene)
    before = listing(tmp_path)
    code = (
        "import resource, sys; from pathlib import Path; from nerf.export import export_capture\n"
        "from image_core.errors import InvalidInput\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))\n"
        "try: export_capture(Path('run'), Path('out'))\n"
        "except InvalidInput as error: sys.exit('told: ' + str(error))\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "told: cannot write out" in ran.stderr, ran.stderr
    assert listing(tmp_path) == before
    assert not list(tmp_path.glob(".insitu*"))


def test_originals_of_the_export_are_in_unit_range(tmp_path, scene):
    run_of(tmp_path, scene)
    export_capture(tmp_path / "run", tmp_path / "out")
    pictures = originals(read_capture(tmp_path / "out"))
    assert 0 <= min(p.min() for p in pictures) <= max(p.max() for p in pictures) <= 1


def test_no_torch_is_needed(tmp_path, scene):
    run_of(tmp_path, scene)
    code = (
        "import sys; from pathlib import Path; from nerf.export import export_capture\n"
        "export_capture(Path('run'), Path('out'))\n"
        "sys.exit(str([m for m in ('torch', 'nerfstudio') if m in sys.modules]))\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.stderr.strip() == "[]"
