"""Patterns in words, how they are drawn, and the light that stays on them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from image_core.editors.classic.patterns import draw, parse_pattern
from image_core.editors.classic.prepared import PreparedClassic
from image_core.editors.classic.texture import texture_for
from image_core.errors import InvalidInput, UnsupportedEdit
from image_core.testing import batch_of, scene
from image_core.types import EditStep


@pytest.mark.parametrize(
    ("words", "shape", "colours"),
    [
        ("red and white stripes", "stripes", ["red", "white"]),
        ("red, white and blue stripes", "stripes", ["red", "white", "blue"]),
        ("striped in green", "stripes", ["green", "white"]),
        ("zebra stripes", "stripes", ["black", "white"]),
        ("blue polka dots", "dots", ["white", "blue"]),
        ("white dots on a navy blue background", "dots", ["navy blue", "white"]),
        ("blue with white dots", "dots", ["blue", "white"]),
        ("black and white checks", "checks", ["black", "white"]),
        ("a checkered dark red pattern", "checks", ["dark red", "white"]),
        ("white stripes", "stripes", ["white", "navy"]),
    ],
)
def test_patterns_are_read_from_words(words: str, shape: str, colours: list[str]) -> None:
    pattern = parse_pattern(words)
    assert pattern is not None
    assert pattern.shape == shape
    assert [colour.name for colour in pattern.colours] == colours


@pytest.mark.parametrize(
    "words", ["", "brick", "red", "wooden stripes", "marble", "dots of rust-o"]
)
def test_what_is_no_pattern_is_not_guessed(words: str) -> None:
    assert parse_pattern(words) is None


def test_words_of_size_and_direction_count() -> None:
    wide, turned = parse_pattern("wide red stripes"), parse_pattern("horizontal red stripes")
    assert wide is not None
    assert wide.scale > 1
    assert turned is not None
    assert turned.angle == 90


@pytest.mark.parametrize("words", ["red and blue stripes", "red and blue checks"])
def test_both_colours_cover_half(words: str) -> None:
    pattern = parse_pattern(words)
    assert pattern is not None
    y, x = np.mgrid[0:200, 0:200].astype(np.float32) + 0.5
    drawn = draw(pattern, x, y, 20.0)
    red = (drawn[..., 0] > drawn[..., 2]).mean()
    assert 0.42 < red < 0.58


def test_stripes_stand_upright_and_repeat() -> None:
    pattern = parse_pattern("red and white stripes")
    assert pattern is not None
    y, x = np.mgrid[0:30, 0:80].astype(np.float32)
    drawn = draw(pattern, x, y, 16.0)
    assert np.abs(drawn - drawn[:1]).max() < 1e-6
    assert np.abs(drawn[:, 16:64] - drawn[:, 32:80]).max() < 1e-4


def _printed(value: str, image: np.ndarray, alpha: np.ndarray, reference: str = "") -> np.ndarray:
    step = EditStep(instruction="x", kind="texture", operation="fill", value=value)
    operator = texture_for(step, reference=reference, scale=1.0)
    work = batch_of([image], [alpha])
    return PreparedClassic(operator.measured_on([work])).edit(work).images[0]


def test_the_print_lies_in_the_regions_own_light() -> None:
    light = np.linspace(0.3, 1.0, 120, dtype=np.float32)
    image = np.repeat((light[None, :, None] * np.array([0.9, 0.8, 0.2], np.float32)), 60, axis=0)
    printed = _printed("red and white stripes", image, np.ones((60, 120), np.float32))
    assert printed[:, :40].mean() < 0.75 * printed[:, 80:].mean()


def test_the_pattern_stays_where_the_reference_put_it() -> None:
    image, alpha = scene(80, 100)
    step = EditStep(instruction="x", kind="texture", operation="fill", value="stripes")
    operator = texture_for(step, reference="", scale=1.0).measured_on([batch_of([image], [alpha])])
    prepared = PreparedClassic(operator)
    whole = prepared.edit(batch_of([image], [alpha])).images[0]
    half = alpha * (np.arange(100) < 45)
    part = prepared.edit(batch_of([image], [half.astype(np.float32)])).images[0]
    assert np.array_equal(part[half > 0], whole[half > 0])
    assert not prepared.pointwise


def test_a_reference_picture_fills_the_region(tmp_path: Path) -> None:
    tile = np.zeros((24, 24, 3), np.uint8)
    tile[..., 1] = 200
    cv2.imwrite(str(tmp_path / "tile.png"), tile)
    image = np.full((60, 60, 3), 0.7, np.float32)
    printed = _printed("moss", image, np.ones((60, 60), np.float32), str(tmp_path / "tile.png"))
    assert (printed[..., 1] > printed[..., 0] + 0.3).all()


def test_another_material_asks_for_a_reference() -> None:
    with pytest.raises(UnsupportedEdit, match="brick") as caught:
        texture_for(EditStep(instruction="x", kind="texture", value="brick"), reference="", scale=1)
    assert "--editor-options reference=FILE" in caught.value.hint


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_a_reference_that_cannot_be_read_is_bad_input(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "tile.png"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be read"):
        texture_for(
            EditStep(instruction="x", kind="texture", value="brick"), reference=str(file), scale=1
        )
