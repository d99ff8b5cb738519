"""A receipt shows when it was touched."""

from __future__ import annotations

import json

import pytest

from image_core.errors import IntegrityError, InvalidInput
from image_core.receipt import read_receipt, seal


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "out.png.json"
    path.write_bytes(seal({"seed": 3, "instruction": 'färbe "x"', "list": [1, 2.5, None]}))
    return path


def test_a_receipt_reads_back_as_written(written):
    assert read_receipt(written)["seed"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(seed=4),
        lambda content: content.update(more=1),
        lambda content: content.pop("seed"),
        lambda content: content.pop("sha256"),
        lambda content: content.update(sha256="0" * 64),
        lambda content: content["list"].append(3),
    ],
)
def test_any_change_of_its_content_is_noticed(written, change):
    content = json.loads(written.read_bytes())
    change(content)
    written.write_text(json.dumps(content))
    with pytest.raises(IntegrityError):
        read_receipt(written)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100_000])
def test_what_is_no_receipt_is_an_integrity_error(written, text):
    written.write_text(text)
    with pytest.raises(IntegrityError):
        read_receipt(written)


def test_a_missing_receipt_is_invalid_input(tmp_path):
    with pytest.raises(InvalidInput):
        read_receipt(tmp_path / "none.json")
