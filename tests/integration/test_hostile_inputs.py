"""Malformed and hostile inputs end in their documented code and leave nothing behind.

The ``insitu`` fixture checks after every failure that no file was added or changed and that one
line on stderr said why.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

RED = "make it red"
BOX = ("--box", 134, 348, 208, 423)
SUIT = "make the orange suit royal blue"


def _png_claiming(width, height):
    """A PNG whose header claims a size that its few bytes do not hold."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def _encoded(suffix, size=64, **options):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (size, size, 3), np.uint8)
    return cv2.imencode(suffix, picture)[1].tobytes()


def _pillow(folder, name, picture, **options):
    picture.save(folder / name, **options)


def _plain(mode="RGB", size=(64, 48)):
    return Image.new(mode, size, 128 if mode in ("L", "F", "I") else None)


BAD_FILES = {
    "empty.png": lambda p: p.write_bytes(b""),
    "text.png": lambda p: p.write_text("I am a picture, believe me"),
    "html.jpg": lambda p: p.write_text("<html></html>"),
    "script.png": lambda p: p.write_text("#!/bin/sh\nexit 0"),
    "svg.png": lambda p: p.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "half.png": lambda p: p.write_bytes((d := _encoded(".png"))[: len(d) // 2]),
    "half.jpg": lambda p: p.write_bytes((d := _encoded(".jpg"))[: len(d) // 2]),
    "half.webp": lambda p: p.write_bytes((d := _encoded(".webp"))[: len(d) // 2]),
    "half.tif": lambda p: p.write_bytes((d := _encoded(".tif"))[: len(d) // 2]),
    "almost.jpg": lambda p: p.write_bytes(_encoded(".jpg")[:-200]),
    "almost.png": lambda p: p.write_bytes(_encoded(".png")[:-40]),
    "header.png": lambda p: p.write_bytes(_encoded(".png")[:33]),
    "header.jpg": lambda p: p.write_bytes(_encoded(".jpg")[:100]),
    "badcrc.png": lambda p: p.write_bytes(_encoded(".png").replace(b"IDAT", b"IDAU", 1)),
    "bomb.png": lambda p: p.write_bytes(_png_claiming(100_000, 100_000)),
    "widest.png": lambda p: p.write_bytes(_png_claiming(2**31 - 1, 1)),
    "zero.png": lambda p: p.write_bytes(_png_claiming(0, 10)),
    "missing_rows.png": lambda p: p.write_bytes(_png_claiming(64, 64)),
    "picture.gif": lambda p: _plain("P").save(p),
    "picture.bmp": lambda p: _plain().save(p),
    "ico.ico": lambda p: _plain().save(p),
    "animated.png": lambda p: _plain().save(
        p, save_all=True, append_images=[Image.new("RGB", (64, 48), "red")]
    ),
    "animated.webp": lambda p: _plain().save(
        p, save_all=True, append_images=[Image.new("RGB", (64, 48), "red")]
    ),
    "pages.tif": lambda p: _plain().save(
        p, save_all=True, append_images=[Image.new("RGB", (64, 48), "red")]
    ),
    "cmyk.jpg": lambda p: _plain("CMYK").save(p),
    "cmyk.tif": lambda p: _plain("CMYK").save(p),
    "float.tif": lambda p: tifffile.imwrite(p, np.zeros((8, 8), np.float32)),
    "deep.tif": lambda p: tifffile.imwrite(p, np.zeros((8, 8), np.uint32)),
    "signed.tif": lambda p: tifffile.imwrite(p, np.zeros((8, 8), np.int16)),
    "five.tif": lambda p: tifffile.imwrite(p, np.zeros((5, 8, 8, 3), np.uint8)),
    "folder.png": lambda p: (p.mkdir(), (p / "x.txt").write_text("x")),
    "broken_link.png": lambda p: p.symlink_to("nowhere.png"),
    "loop.png": lambda p: p.symlink_to(p.name),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_source_that_cannot_be_edited_is_7(insitu, tmp_path, name):
    BAD_FILES[name](tmp_path / name)
    assert insitu("image", name, RED, "--box", 2, 2, 9, 9, "-o", "out.png").code == 7


@pytest.mark.parametrize("name", ["missing.png", "no/such/folder/x.png", "", "\x01.png", "a" * 300])
def test_a_source_that_is_not_there_is_7(insitu, name):
    assert insitu("image", name, RED, "-o", "out.png").code == 7


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_does_not_hang(insitu, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert insitu("image", "pipe.png", RED, "-o", "out.png").code == 7


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused_and_does_not_hang(insitu, device):
    assert insitu("image", device, RED, "-o", "out.png").code == 7


@pytest.mark.parametrize(
    "options",
    [
        ("--box", 10, 10, 10, 50),
        ("--box", 50, 50, 10, 10),
        ("--box", 600, 0, 700, 50),
        ("--box", "nan", 0, 50, 50),
        ("--box", "inf", 0, "inf", 50),
        ("--point", 512, 3),
        ("--point", -1, 3),
        ("--point", "nan", 3),
        ("--not-point", 5, 5),
        ("--refine",),
        ("--mask", "none.png"),
        ("--mask", "text.txt"),
        ("--mask", "small.png"),
        ("--mask", "black.png"),
        (*BOX, "--strength", 1.5),
        (*BOX, "--strength", -0.1),
        (*BOX, "--strength", "nan"),
        (*BOX, "--seed", -1),
        (*BOX, "--device", "toaster"),
        (*BOX, "--editor", "nobody"),
        (*BOX, "--editor", "missing.py:Mine"),
        (*BOX, "--editor", "text.txt:Mine"),
        (*BOX, "--editor-options", "strong"),
        (*BOX, "--mask-out", "out.png"),
        (*BOX, "--mask-out", "astronaut.png"),
        (*BOX, "--mask-out", "no/such/folder.png"),
        (*BOX, "--mask-out", "mask.docx"),
        (*BOX, "--candidates-out", "out.png.json"),
    ],
    ids=lambda options: " ".join(map(str, options[-5:])),
)
def test_a_bad_value_is_7(insitu, photo, tmp_path, options):
    (tmp_path / "text.txt").write_text("not a mask")
    cv2.imwrite(str(tmp_path / "small.png"), np.full((10, 10), 255, np.uint8))
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((512, 512), np.uint8))
    assert insitu("image", photo(), RED, *options, "-o", "out.png").code == 7


@pytest.mark.parametrize(
    "output", ["out.docx", "out", "out.gif", "out.jpg", "no/such/out.png", "d", ""]
)
def test_an_output_that_cannot_be_is_7(insitu, photo, tmp_path, output):
    (tmp_path / "d").mkdir()
    assert insitu("image", photo(), RED, *BOX, "-o", output).code == 7


@pytest.mark.parametrize("instruction", ["", "   ", "\n\t", "make\x00it red", "red " * 2000])
def test_an_empty_or_impossible_instruction_is_7(insitu, photo, instruction):
    assert insitu("image", photo(), instruction, *BOX, "-o", "out.png").code == 7


@pytest.mark.parametrize(
    "instruction",
    ["asdf qwer", "the chair", "what time is it?", "🙂", "; rm -rf /", "42", "make"],
)
def test_what_is_no_instruction_is_5_and_names_the_forms(insitu, photo, instruction):
    ran = insitu("image", photo(), instruction, "-o", "out.png")
    assert ran.code == 5
    assert "make the" in ran.err


@pytest.mark.parametrize("instruction", ["把椅子变成蓝色", "сделай стул синим"])
def test_another_language_is_5_and_says_which_is_read(insitu, photo, instruction):
    ran = insitu("image", photo(), instruction, "-o", "out.png")
    assert ran.code == 5
    assert "English" in ran.err


@pytest.mark.parametrize(
    ("instruction", "options"),
    [
        ("replace the orange suit with a tuxedo", ()),
        ("add a hat to the woman", ()),
        ("paint the orange suit in watercolour style", ()),
        ("make the orange suit fluffy", BOX),
        (SUIT, ("--strength", "auto")),
        (SUIT, ("--editor", "classic", "--editor-options", "steps=20")),
        ("cover it with marble", BOX),
    ],
)
def test_what_the_editor_has_not_got_is_5(insitu, photo, instruction, options):
    assert insitu("image", photo(), instruction, *options, "-o", "out.png").code == 5


@pytest.mark.parametrize(
    "instruction",
    [
        "make the green elephant blue",
        "turn it red",
        "remove the spoon",
        "make the seat of the chair red",
    ],
)
def test_what_is_not_surely_there_is_3(insitu, photo, instruction):
    assert insitu("image", photo("coffee"), instruction, "-o", "out.png").code == 3


def test_a_box_around_nothing_is_3(insitu, tmp_path):
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((100, 100, 3), 200, np.uint8))
    assert insitu("image", "flat.png", RED, "--box", 20, 20, 80, 80, "-o", "out.png").code == 3


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("image",),
        ("image", "astronaut.png"),
        ("image", "astronaut.png", RED, "more"),
        ("image", "astronaut.png", RED, "--box", 1, 2, 3),
        ("image", "astronaut.png", RED, "--box", 1, 2, 3, "x"),
        ("image", "astronaut.png", RED, "--seed", "many"),
        ("image", "astronaut.png", RED, "--strength", "strong"),
        ("image", "astronaut.png", RED, "--nonsense"),
        ("image", "astronaut.png", RED, "--format", "xml"),
        ("image", "astronaut.png", RED, "--replay", "x.json"),
        ("verify",),
        ("fly",),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_a_command_line_that_cannot_be_parsed_is_2(insitu, photo, arguments):
    photo()
    assert insitu(*arguments).code == 2


def test_the_order_of_complaints_is_input_instruction_capability_region(insitu, photo):
    photo()
    nonsense, add, absent = (
        "asdf qwer",
        "add a hat to the green elephant",
        "make the green elephant red",
    )
    assert insitu("image", "none.png", nonsense, "-o", "out.png").code == 7
    assert (
        insitu("image", "astronaut.png", nonsense, "--box", 9, 9, 1, 1, "-o", "out.png").code == 7
    )
    options = ("--editor", "classic", "--editor-options", "x=1")
    assert insitu("image", "astronaut.png", "", *options, "-o", "out.png").code == 7
    assert insitu("image", "astronaut.png", add, "-o", "out.png").code == 5
    assert insitu("image", "astronaut.png", absent, *options, "-o", "out.png").code == 5
    assert insitu("image", "astronaut.png", absent, "-o", "out.png").code == 3
    marble = "cover the green elephant with a marble texture"
    assert insitu("image", "astronaut.png", marble, "-o", "out.png").code == 5


PLUGINS = {
    "nan": "i * np.nan",
    "black_hole": "i[:1]",
    "raises": "1 / 0",
    "typed": "fail()",
}


@pytest.mark.parametrize("fault", PLUGINS)
def test_an_editor_that_fails_leaves_nothing(insitu, photo, tmp_path, fault):
    (tmp_path / "bad.py").write_text(
        "import numpy as np\n"
        "from image_core import Capabilities, Edit, EditFailed\n"
        "def fail(): raise EditFailed('out of paint')\n"
        "class Bad:\n"
        "    capabilities = Capabilities(kinds=frozenset({'recolor'}))\n"
        "    pointwise = True\n"
        "    def prepare(self, step, reference): return self\n"
        f"    def edit(self, work): return Edit(images=[{PLUGINS[fault]} for i in work.images])\n"
        "    def state_dict(self): return {}\n"
        "    def load_state_dict(self, state): pass\n"
    )
    ran = insitu("image", photo(), RED, *BOX, "--editor", "bad.py:Bad", "-o", "out.png")
    assert ran.code == 9


def test_an_editor_that_fails_to_prepare_is_9_but_a_missing_target_is_told_first(
    insitu, photo, tmp_path
):
    (tmp_path / "bad.py").write_text(
        "from image_core import Capabilities\n"
        "class Bad:\n"
        "    capabilities = Capabilities(kinds=frozenset({'recolor'}))\n"
        "    def prepare(self, step, reference): return list(reference)[0] + 1\n"
    )
    command = ("--editor", "bad.py:Bad", "-o", "out.png")
    assert insitu("image", photo(), RED, *BOX, *command).code == 9
    assert insitu("image", photo(), "make the green elephant red", *command).code == 3


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "{", '{"insitu_receipt": 1, "sha256": "0"}', "\x00\x01"]
)
def test_a_receipt_that_is_none_is_8(insitu, tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    assert insitu("image", "--replay", "r.json", "-o", "out.png").code == 8


def test_a_missing_receipt_is_7(insitu):
    assert insitu("image", "--replay", "none.json").code == 7
    assert insitu("verify", "none.png").code == 7


def test_a_replay_of_another_source_is_8(insitu, photo, tmp_path):
    source = photo()
    insitu("image", source, SUIT, "-o", "out.png")
    source.write_bytes(photo("rocket").read_bytes())
    assert insitu("image", "--replay", "out.png.json", "-o", "again.png").code == 8


def _in_child(code, cwd):
    # -B: a child that may not write whole files must not leave torn bytecode in the environment
    return subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=cwd, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("limit", [0, 1000, 100_000])
def test_a_full_disk_is_7_and_keeps_what_was_there(photo, tmp_path, limit):
    source = photo()
    (tmp_path / "out.png").write_text("old")
    before = sorted(tmp_path.iterdir())
    ran = _in_child(
        "import resource, sys; from insitu.__main__ import main; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY)); "
        f"sys.exit(main(['image', {str(source)!r}, {SUIT!r}, '-o', 'out.png']))",
        tmp_path,
    )
    assert ran.returncode == 7, ran.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "out.png").read_text() == "old"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become an unprivileged user")
@pytest.mark.parametrize("locked", ["source", "folder", "mask"])
def test_missing_permission_is_7(photo, tmp_path, locked):
    source, mask, target = photo(), tmp_path / "mask.png", tmp_path / "target"
    cv2.imwrite(str(mask), np.full((512, 512), 255, np.uint8))
    target.mkdir()
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    {"source": source, "folder": target, "mask": mask}[locked].chmod(0)
    if locked != "folder":
        target.chmod(0o777)
    arguments = ["image", str(source), RED, "--mask", str(mask), "-o"]
    # everything is imported while root, since another user may not read this Python's folder
    ran = _in_child(
        "import os, sys; from insitu.__main__ import main; "
        f"assert main({[*arguments, str(tmp_path / 'first.png')]!r}) == 0; "
        "os.setgid(65534); os.setuid(65534); "
        f"sys.exit(main({[*arguments, str(target / 'out.png')]!r}))",
        tmp_path,
    )
    assert ran.returncode == 7, ran.stderr
    assert list(target.iterdir()) == []


def test_json_reports_a_usage_error_too(insitu, photo):
    ran = insitu("image", photo(), RED, "--format", "json", "--box", 1, 2)
    assert ran.code == 2
    assert json.loads(ran.out)["exit_code"] == 2
