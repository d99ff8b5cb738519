"""The strength that an editor is asked for: a table of what each may be."""

from __future__ import annotations

import math

import pytest

from image_core.editors import ClassicConfig
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.errors import InsituError, InvalidInput, UnsupportedEdit
from image_core.strengths import strength_for
from image_core.types import Capabilities, Strength


class Part:
    """As much of an editor as a strength is judged by."""

    def __init__(self, **capabilities: object) -> None:
        self.capabilities = Capabilities(kinds=frozenset({"replace"}), **capabilities)  # type: ignore[arg-type]

    def prepare(self, step: object, reference: object) -> object:
        raise AssertionError("a strength is judged without preparing anything")


PLAIN = Part()
CHOOSING = Part(default_strength=0.7, automatic_strength=True)
RIGID = Part(has_strength=False)


@pytest.mark.parametrize(
    ("part", "wanted", "used"),
    [
        (PLAIN, None, 1.0),
        (PLAIN, 0, 0.0),
        (PLAIN, 1, 1.0),
        (PLAIN, 0.25, 0.25),
        (CHOOSING, None, 0.7),
        (CHOOSING, "auto", "auto"),
        (CHOOSING, 0.25, 0.25),
        (RIGID, None, 1.0),
        (RIGID, 0, 0.0),
        (RIGID, 1, 1.0),
    ],
)
def test_a_strength_that_the_editor_has_is_used(
    part: Part, wanted: Strength | None, used: Strength
) -> None:
    found = strength_for("mine", part, wanted)
    assert found == used
    assert isinstance(found, str) == (used == "auto")
    assert not isinstance(found, int)


@pytest.mark.parametrize(
    ("part", "wanted", "error"),
    [
        (PLAIN, -0.01, InvalidInput),
        (PLAIN, 1.01, InvalidInput),
        (PLAIN, math.nan, InvalidInput),
        (PLAIN, math.inf, InvalidInput),
        (PLAIN, "auto", UnsupportedEdit),
        (RIGID, "auto", UnsupportedEdit),
        (RIGID, 0.5, UnsupportedEdit),
        (RIGID, 2, InvalidInput),
        (CHOOSING, 2, InvalidInput),
    ],
)
def test_a_strength_that_it_has_not_is_refused(
    part: Part, wanted: Strength, error: type[InsituError]
) -> None:
    with pytest.raises(error):
        strength_for("mine", part, wanted)


@pytest.mark.parametrize(("part", "wanted"), [(PLAIN, "auto"), (RIGID, 0.5)])
def test_a_refusal_names_the_editor_and_what_to_do(part: Part, wanted: Strength) -> None:
    with pytest.raises(UnsupportedEdit, match="mine has no") as caught:
        strength_for("mine", part, wanted)
    assert "--strength" in caught.value.hint


def test_instructedit_takes_the_papers_ratio_and_can_choose_while_classic_cannot() -> None:
    instructedit = InstructEditConfig().build()
    assert strength_for("instructedit", instructedit, None) == 0.7
    assert strength_for("instructedit", instructedit, "auto") == "auto"
    with pytest.raises(UnsupportedEdit):
        strength_for("classic", ClassicConfig().build(), "auto")
