"""``insitu image`` on real photos: each promise of the contract, by what lies on the disk after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

SUIT = "make the orange suit royal blue"
SUIT_BOX = ("--box", 20, 205, 362, 511)


def _outside_is_untouched(source, output):
    mask = iio.imread(f"{output}.mask.png")
    before, after = iio.imread(source), iio.imread(output)
    changed = (before != after).any(axis=-1)
    assert changed.any()
    assert not (changed & (mask == 0)).any()


def test_a_phrase_edits_the_named_thing_and_nothing_else(insitu, photo):
    source = photo()
    ran = insitu("image", source, SUIT, "-o", "out.png")
    assert ran.code == 0
    _outside_is_untouched(source, "out.png")
    before, after = iio.imread(source)[420, 250].astype(int), iio.imread("out.png")[420, 250]
    assert before[0] > before[2] + 60
    assert after[2] > int(after[0]) + 60
    assert insitu("verify", "out.png").code == 0


def test_json_tells_all_on_one_line_and_nothing_else(insitu, photo):
    ran = insitu("image", photo(), SUIT, "-o", "out.png", "--format", "json")
    assert ran.out.count("\n") == 1
    outcome = ran.outcome
    assert outcome["status"] == "done"
    assert outcome["exit_code"] == 0
    assert outcome["output"] == "out.png"
    assert outcome["receipt"] == "out.png.json"
    assert set(outcome["region"]) >= {"box", "area", "confidence", "evidence"}
    assert "noun not verified" in outcome["region"]["evidence"]


def test_a_json_error_has_type_message_and_hint(insitu, photo):
    ran = insitu("image", photo(), "make the green bicycle blue", "--format", "json")
    assert ran.code == ran.outcome["exit_code"] == 3
    assert ran.outcome["error"]["type"] == "TargetNotFound"
    assert "--box" in ran.outcome["error"]["hint"]
    assert ran.outcome["error"]["candidates"] == []


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("astronaut", SUIT_BOX),
        ("chelsea", ("--point", 170, 115)),
        ("chelsea", ("--point", 170, 115, "--not-point", 170, 180)),
    ],
    ids=["box", "point", "points"],
)
def test_with_a_pointer_it_needs_no_noun(insitu, photo, name, pointer):
    source = photo(name)
    assert insitu("image", source, "turn it green", *pointer, "-o", "out.png").code == 0
    _outside_is_untouched(source, "out.png")


def test_a_mask_s_support_is_where_it_is_above_0(insitu, photo, tmp_path):
    source = photo()
    mask = np.zeros((512, 512), np.uint8)
    mask[100:150, 200:260] = 255
    mask[300, 300] = 1
    iio.imwrite(tmp_path / "mask.png", mask)
    ran = insitu("image", source, "make it red", "--mask", "mask.png", "-o", "out.png")
    assert ran.code == 0
    used = iio.imread("out.png.mask.png")
    assert np.array_equal(used > 0, mask > 0)
    _outside_is_untouched(source, "out.png")


def test_then_edits_on_and_it_is_the_same_thing(insitu, photo):
    source = photo()
    ran = insitu("image", source, SUIT, "--then", "make it darker", "-o", "out.png")
    assert ran.code == 0
    receipt = json.loads(Path("out.png.json").read_text())
    assert [step["kind"] for step in receipt["plan"]["steps"]] == ["recolor", "tone"]
    assert receipt["plan"]["steps"][1]["target"]["noun"] == "suit"
    _outside_is_untouched(source, "out.png")


def test_strength_0_changes_nothing_and_says_so(insitu, photo):
    source = photo()
    ran = insitu("image", source, SUIT, "--strength", 0, "-o", "out.png")
    assert ran.code == 0
    assert "changed nothing" in ran.err
    assert np.array_equal(iio.imread(source), iio.imread("out.png"))


def test_a_dry_run_writes_the_overlay_and_the_region_but_no_receipt(insitu, photo, tmp_path):
    source = photo()
    ran = insitu("image", source, SUIT, "--dry-run", "-o", "over.png", "--mask-out", "region.png")
    assert ran.code == 0
    assert "classic" in ran.out
    region = iio.imread("region.png")
    assert region.dtype == np.uint8
    assert region.shape == (512, 512)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["astronaut.png", "over.png", "region.png"]


def test_a_dry_run_needs_no_editor_for_the_kind(insitu, photo):
    ran = insitu(
        "image", photo(), "replace the orange suit with a tuxedo", "--dry-run", "-o", "o.png"
    )
    assert ran.code == 0
    assert "none" in ran.out


def test_the_default_output_lies_beside_the_source(insitu, photo, tmp_path):
    insitu("image", photo(), SUIT)
    assert (tmp_path / "astronaut.edited.png").is_file()


@pytest.mark.parametrize(("name", "expected"), [("x.TIF", "x.edited.TIF"), ("x", "x.edited.png")])
def test_the_default_output_has_an_ending_that_can_be_written(name, expected):
    from insitu.single import default_output

    assert default_output(Path(name), dry_run=False).name == expected


def test_an_existing_output_is_replaced(insitu, photo, tmp_path):
    (tmp_path / "out.png").write_text("old")
    assert insitu("image", photo(), SUIT, "-o", "out.png").code == 0
    assert insitu("verify", "out.png").code == 0


def test_the_same_request_gives_the_same_bytes(insitu, photo, tmp_path):
    source = photo()
    for name in ("a.png", "b.png"):
        insitu("image", source, "remove it", "--box", 134, 348, 208, 423, "-o", name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    "pointer", [(), SUIT_BOX, ("--mask", "mask.png")], ids=["phrase", "box", "mask"]
)
def test_a_replay_gives_the_same_bytes(insitu, photo, tmp_path, pointer):
    mask = np.zeros((512, 512), np.uint8)
    mask[300:400, 100:300] = 255
    iio.imwrite(tmp_path / "mask.png", mask)
    options = ("--then", "make it brighter", "--strength", 0.7, "--seed", 5)
    assert insitu("image", photo(), SUIT, *pointer, *options, "-o", "out.png").code == 0
    (tmp_path / "mask.png").unlink()
    ran = insitu("image", "--replay", "out.png.json", "-o", "again.png")
    assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert insitu("verify", "again.png").code == 0


def test_candidates_are_drawn_beside_the_edit(insitu, photo):
    assert insitu("image", photo(), SUIT, "-o", "o.png", "--candidates-out", "c.png").code == 0
    assert iio.imread("c.png").shape == (512, 512, 3)


def test_the_weight_free_route_imports_no_torch(photo, tmp_path):
    code = (
        "import sys; from insitu.__main__ import main; "
        f"assert main(['image', {str(photo())!r}, {SUIT!r}, '-o', 'o.png']) == 0; "
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_no_socket_is_opened(photo, tmp_path):
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('a socket')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from insitu.__main__ import main\n"
        f"assert main(['image', {str(photo())!r}, {SUIT!r}, '-o', 'o.png']) == 0\n"
        "assert main(['verify', 'o.png']) == 0 and main(['doctor']) == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_it_runs_as_a_module_and_help_ends_with_0(tmp_path):
    for arguments in ([], ["image"], ["verify"], ["doctor"], ["demo"]):
        done = subprocess.run(
            [sys.executable, "-m", "insitu", *arguments, "--help"], capture_output=True, text=True
        )
        assert done.returncode == 0
        assert "usage" in done.stdout.lower()


def test_an_interruption_ends_with_130_and_leaves_nothing(insitu, photo, monkeypatch):
    from image_core.local_editor import LocalEditor

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalEditor, "apply", interrupted)
    assert insitu("image", photo(), SUIT, "-o", "out.png").code == 130


def test_an_internal_error_ends_with_1_and_points_to_debug(insitu, photo, monkeypatch):
    from image_core.local_editor import LocalEditor

    def broken(*arguments, **options):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(LocalEditor, "apply", broken)
    ran = insitu("image", photo(), SUIT, "-o", "out.png")
    assert ran.code == 1
    assert "--debug" in ran.err


def test_doctor_says_what_auto_takes(insitu):
    ran = insitu("doctor")
    assert ran.code == 0
    assert "recolor    classic" in ran.out
    assert insitu("doctor", "--format", "json").outcome["editors"]["recolor"]["editor"] == "classic"


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
@pytest.mark.parametrize("link", ["symbolic", "hard", "itself"])
def test_the_source_is_never_overwritten(insitu, photo, tmp_path, link):
    source = photo()
    target = tmp_path / "link.png"
    if link == "symbolic":
        target.symlink_to(source)
    elif link == "hard":
        target.hardlink_to(source)
    else:
        target = source
    before = source.read_bytes()
    assert insitu("image", source, SUIT, "-o", target).code == 7
    assert source.read_bytes() == before
