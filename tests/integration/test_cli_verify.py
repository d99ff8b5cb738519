"""``insitu verify`` notices whatever was touched after the edit, and says what."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from image_core.receipt import seal, sha256


@pytest.fixture
def edited(insitu, photo):
    source = photo()
    assert insitu("image", source, "make the orange suit royal blue", "-o", "out.png").code == 0
    return source


def _reseal(tmp_path, **changes):
    """Forge a receipt: take new hashes of the files as they lie, and hash the receipt anew."""
    path = tmp_path / "out.png.json"
    content = json.loads(path.read_text())
    for key in ("sha256", "insitu_receipt"):
        content.pop(key)
    for name, file in (("output", "out.png"), ("mask", "out.png.mask.png")):
        content[name]["sha256"] = sha256((tmp_path / file).read_bytes())
    content.update(changes)
    path.write_bytes(seal(content))


def _flip_bit(path, row=5, column=5):
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    picture[row, column, 0] ^= 1
    cv2.imwrite(str(path), picture)


def test_an_intact_output_is_proved_by_samples(insitu, edited):
    ran = insitu("verify", "out.png", "--format", "json")
    assert ran.code == 0
    assert ran.outcome["proof"] == "samples"
    assert ran.outcome["compared"] > 400_000


def test_one_bit_in_the_file_is_noticed(insitu, edited, tmp_path):
    data = bytearray((tmp_path / "out.png").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "out.png").write_bytes(data)
    ran = insitu("verify", "out.png")
    assert ran.code == 8
    assert "the output" in ran.err


def test_one_bit_of_one_sample_outside_is_noticed_even_with_forged_hashes(insitu, edited, tmp_path):
    _flip_bit(tmp_path / "out.png")
    _reseal(tmp_path)
    ran = insitu("verify", "out.png")
    assert ran.code == 8
    assert "x=5 y=5" in ran.err


def test_a_smaller_mask_does_not_hide_the_edit(insitu, edited, tmp_path):
    mask = cv2.imread("out.png.mask.png", cv2.IMREAD_UNCHANGED)
    mask[400:] = 0
    cv2.imwrite("out.png.mask.png", mask)
    assert insitu("verify", "out.png").code == 8
    _reseal(tmp_path)
    assert "samples outside the mask differ" in insitu("verify", "out.png").err


def test_another_source_is_noticed(insitu, edited, photo):
    _flip_bit(edited)
    ran = insitu("verify", "out.png")
    assert ran.code == 8
    assert "the source" in ran.err
    assert insitu("verify", "out.png", "--source", photo("rocket")).code == 8


def test_a_moved_source_can_be_named(insitu, edited, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.move(edited, tmp_path / "elsewhere" / "a.png")
    assert insitu("verify", "out.png").code == 7
    assert insitu("verify", "out.png", "--source", moved).code == 0


def test_an_edited_receipt_is_noticed(insitu, edited, tmp_path):
    path = tmp_path / "out.png.json"
    path.write_text(path.read_text().replace("royal", "regal"))
    ran = insitu("verify", "out.png")
    assert ran.code == 8
    assert "receipt" in ran.err


@pytest.mark.parametrize("name", ["out.png", "out.png.json", "out.png.mask.png", "astronaut.png"])
def test_a_missing_file_is_invalid_input(insitu, edited, tmp_path, name):
    (tmp_path / name).unlink()
    assert insitu("verify", "out.png").code == 7


def test_another_size_or_depth_is_noticed_even_with_forged_hashes(insitu, edited, tmp_path):
    picture = cv2.imread("out.png")
    for other in (picture[:-1], picture.astype(np.uint16) * 257, picture[..., 0]):
        cv2.imwrite("out.png", other)
        _reseal(tmp_path)
        assert insitu("verify", "out.png").code == 8


def test_calling_it_lossy_proves_nothing_of_a_lossless_file(insitu, edited, tmp_path):
    _flip_bit(tmp_path / "out.png")
    _reseal(tmp_path, output={"path": "out.png", "sha256": "", "how": "lossy"})
    content = json.loads((tmp_path / "out.png.json").read_text())
    content["output"]["sha256"] = sha256((tmp_path / "out.png").read_bytes())
    for key in ("sha256", "insitu_receipt"):
        content.pop(key)
    (tmp_path / "out.png.json").write_bytes(seal(content))
    assert insitu("verify", "out.png").code == 8
