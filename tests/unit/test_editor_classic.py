"""The classic editor as a part: its options, refusals, saved states and selection."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from image_core.editors import ClassicConfig
from image_core.errors import InvalidInput, UnsupportedEdit
from image_core.testing import STEPS, batch_of, scene
from image_core.types import Kind


def test_pixels_outside_the_region_are_untouched_even_where_they_are_no_numbers() -> None:
    image, alpha = scene()
    image[0, 0], image[1, 1] = np.nan, np.inf
    for kind in sorted(ClassicConfig().build().capabilities.kinds):
        work = batch_of([image], [alpha])
        edited = ClassicConfig().build().prepare(STEPS[kind], [work]).edit(work).images[0]
        outside = alpha == 0
        assert edited[outside].tobytes() == image[outside].tobytes()
        assert np.isfinite(edited[alpha > 0]).all()


def test_a_pixel_inside_that_is_no_number_is_not_hidden() -> None:
    image, alpha = scene()
    image[24, 28] = np.nan
    work = batch_of([image], [alpha])
    edited = ClassicConfig().build().prepare(STEPS["recolor"], [work]).edit(work).images[0]
    assert np.isnan(edited[24, 28]).all()
    assert np.isfinite(edited[alpha > 0]).all(axis=1).sum() == (alpha > 0).sum() - 1


@pytest.mark.parametrize("kind", ["style", "replace", "add", "attribute"])
def test_kinds_that_need_a_model_are_refused(kind: Kind) -> None:
    with pytest.raises(UnsupportedEdit, match="classic editor cannot") as caught:
        ClassicConfig().build().prepare(STEPS[kind], [])
    assert "diffusion" in caught.value.hint


@pytest.mark.parametrize(
    "options",
    [
        {"lightness": 1.5},
        {"hue_variation": -0.1},
        {"pattern_scale": 0.0},
        {"filter_size": float("nan")},
        {"patch_radius": 0},
        {"vote_percentile": 100.0},
        {"solve_megapixels": -1.0},
    ],
)
def test_options_outside_their_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(options))):
        ClassicConfig(**options)  # type: ignore[arg-type]


def test_the_option_names_are_the_fields_of_the_configuration() -> None:
    assert "reference" in ClassicConfig().build().capabilities.options
    assert "lightness" in ClassicConfig().build().capabilities.options


def test_an_empty_region_is_said_and_nothing_is_changed() -> None:
    image, alpha = scene()
    work = batch_of([image], [alpha])
    prepared = ClassicConfig().build().prepare(STEPS["recolor"], [work])
    made = prepared.edit(batch_of([image], [np.zeros_like(alpha)]))
    assert np.array_equal(made.images[0], image)
    assert "empty" in made.warnings[0]


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_its_range_is_refused(strength: float) -> None:
    image, alpha = scene()
    work = batch_of([image], [alpha])
    prepared = ClassicConfig().build().prepare(STEPS["tone"], [work])
    with pytest.raises(InvalidInput, match="strength"):
        prepared.edit(replace(work, strength=strength))


def test_a_region_of_another_size_is_refused() -> None:
    image, alpha = scene()
    prepared = ClassicConfig().build().prepare(STEPS["tone"], [batch_of([image], [alpha])])
    with pytest.raises(InvalidInput, match="region"):
        prepared.edit(batch_of([image], [alpha[:-1]]))


def test_a_batch_without_a_key_an_image_is_refused() -> None:
    image, alpha = scene()
    work = batch_of([image], [alpha])
    prepared = ClassicConfig().build().prepare(STEPS["tone"], [work])
    with pytest.raises(InvalidInput, match="one key an image"):
        prepared.edit(replace(work, keys=[]))


def test_a_saved_state_of_another_operator_is_refused() -> None:
    image, alpha = scene()
    work = batch_of([image], [alpha])
    editor = ClassicConfig().build()
    state = editor.prepare(STEPS["tone"], [work]).state_dict()
    with pytest.raises(InvalidInput, match="'tone'"):
        editor.prepare(STEPS["recolor"], [work]).load_state_dict(state)
    spoilt = {"operator": "tone", "statistics": {"unknown": 1}}
    with pytest.raises(InvalidInput, match="unknown"):
        editor.prepare(STEPS["tone"], [work]).load_state_dict(spoilt)


def test_states_are_small() -> None:
    image, alpha = scene()
    work = batch_of([image], [alpha])
    editor = ClassicConfig().build()
    for kind in editor.capabilities.kinds:
        assert len(json.dumps(editor.prepare(STEPS[kind], [work]).state_dict())) < 1000


def test_only_operators_without_geometry_may_go_frame_by_frame() -> None:
    image, alpha = scene()
    editor = ClassicConfig().build()
    pointwise = {
        kind: editor.prepare(STEPS[kind], [batch_of([image], [alpha])]).pointwise
        for kind in editor.capabilities.kinds
    }
    assert pointwise == {
        "recolor": True, "tone": True, "filter": True, "texture": False, "remove": False,
    }  # fmt: skip


def test_reference_batches_are_read_once() -> None:
    image, alpha = scene()
    for kind in ClassicConfig().build().capabilities.kinds:
        batches = iter([batch_of([image], [alpha])])
        prepared = ClassicConfig().build().prepare(STEPS[kind], batches)
        made = prepared.edit(batch_of([image], [alpha]))
        assert not np.array_equal(made.images[0], image)


def test_importing_the_editor_brings_in_nothing_heavy() -> None:
    code = "import sys, image_core.editors; print([m for m in sys.modules if m in " \
        "('torch', 'scipy', 'skimage', 'PIL', 'tifffile')])"  # fmt: skip
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
