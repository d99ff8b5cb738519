"""The captioner: BLIP-2's two questions, plain captioning models, and when either is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch")

from image_core.errors import InvalidInput, MissingWeights
from image_core.evaluations import counting
from image_core.instructions import RulesProcessor
from image_core.instructions.captioner import CaptionerConfig, needs_caption
from image_core.instructions.captioner.network import QUESTION, continued, medium_in
from image_core.testing.miniature.captioning import (
    write_blip,
    write_blip2,
    write_blip2_opt,
    write_git,
)
from image_core.testing.miniature.language import write_language_model

NOISE = np.random.default_rng(0).random((40, 50, 3), dtype=np.float32)
BARS = np.zeros((20, 90, 3), np.float32)
BARS[:, :40, 0] = 1
DOG, BOAT = "photo of a dog on grass", "painting of a red boat on the sea"
WRITERS = {
    "blip-2": write_blip2,
    "blip-2 with OPT": write_blip2_opt,
    "blip": write_blip,
    "git": write_git,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("captioners")
    return {name: write(root / name) for name, write in WRITERS.items()}


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    says = [
        (NOISE, QUESTION, "a photo"),
        (BARS, QUESTION, "it is a painting"),
        (NOISE, "Photo of", "a dog on grass"),
        (BARS, "Painting of", "painting of a red boat on the sea."),
    ]
    return write_blip2(tmp_path_factory.mktemp("captioners") / "taught", says=says)


def _captioner(folder, **options):
    return CaptionerConfig(model=str(folder), device="cpu", **options).build()


def test_the_medium_that_is_asked_first_begins_each_caption(taught):
    assert _captioner(taught).caption([NOISE, BARS, NOISE]) == [DOG, BOAT, DOG]


def test_a_batch_says_what_single_pictures_say(taught):
    captioner = _captioner(taught)
    singly = [captioner.caption([image])[0] for image in (BARS, NOISE)]
    assert captioner.caption([BARS, NOISE]) == singly
    assert _captioner(taught, batch=1).caption([BARS, NOISE]) == singly


def test_pictures_of_blip2_pass_its_eye_twice_and_are_counted(taught):
    with counting() as rows:
        _captioner(taught).caption([NOISE, BARS, NOISE])
    assert rows["captioner vision"] == rows["captioner qformer"] == 6
    assert rows["captioner text encoder"] == 6
    assert rows["captioner language"] > 6


@pytest.mark.parametrize("name", WRITERS)
def test_every_known_kind_of_model_runs_on_pictures_of_any_size(folders, name):
    first = _captioner(folders[name], max_tokens=6).caption([NOISE, BARS])
    assert len(first) == 2
    assert all(isinstance(caption, str) and "\n" not in caption for caption in first)
    assert _captioner(folders[name], max_tokens=6).caption([NOISE, BARS]) == first


@pytest.mark.parametrize("name", ["blip", "git"])
def test_models_without_questions_see_each_picture_once(folders, name):
    with counting() as rows:
        captions = _captioner(folders[name], max_tokens=5).caption([NOISE, BARS])
    assert rows["captioner vision"] == 2
    assert rows["captioner language"] == 10
    assert all(captions)


def test_a_text_model_that_repeats_its_prompt_is_read_behind_it(folders):
    from image_core.devices import placement
    from image_core.instructions.captioner.network import CaptioningNetwork

    model = str(folders["blip-2 with OPT"])
    network = CaptioningNetwork(model, place=placement("cpu"), max_tokens=6)
    pixels = [(NOISE * 255).astype(np.uint8)]
    assert "kind of art" not in network._answers(pixels, QUESTION)[0]


def test_no_pictures_need_no_weights():
    assert CaptionerConfig(model="nobody/nothing").build().caption([]) == []


@pytest.mark.parametrize(
    ("answer", "medium"),
    [
        ("photo", "photo"),
        ("It's a Painting.", "painting"),
        ("a watercolor on paper", "watercolour painting"),
        ("yes", "picture"),
        ("", "picture"),
    ],
)
def test_the_medium_is_found_in_the_answer(answer, medium):
    assert medium_in(answer) == medium


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("a dog", "photo of a dog"),
        ("photo of a dog", "photo of a dog"),
        ("A photo of a dog", "photo of a dog"),
        ("photography", "photo of photography"),
        ("", ""),
        ("photo of", ""),
    ],
)
def test_the_beginning_stands_once(text, caption):
    assert continued("photo of", text) == caption


def test_missing_weights_and_other_models_are_told(tmp_path):
    config = CaptionerConfig(model="nobody/nothing-at-all")
    assert "nobody/nothing-at-all" in config.why_not()
    with pytest.raises(MissingWeights):
        config.build().caption([NOISE])
    other = write_language_model(tmp_path / "language")
    with pytest.raises(InvalidInput, match="qwen2"):
        _captioner(other).caption([NOISE])


def test_blip2_from_before_its_processor_knew_the_images_tokens_is_refused(folders, tmp_path):
    import shutil

    folder = tmp_path / "old"
    shutil.copytree(folders["blip-2"], folder)
    config = json.loads((folder / "config.json").read_text())
    del config["image_token_index"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidInput, match="old form"):
        _captioner(folder).caption([NOISE])


@pytest.mark.parametrize("options", [{"max_tokens": 0}, {"max_tokens": 1000}, {"batch": 0}])
def test_values_out_of_range_are_refused(options):
    with pytest.raises(InvalidInput):
        CaptionerConfig(**options)


def test_building_imports_no_network_library():
    code = (
        "import sys; from image_core.instructions.captioner import CaptionerConfig;"
        "p = CaptionerConfig().build(); p.why_not();"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("instruction", "needed"),
    [
        ("make it blue", True),
        ("turn it into a fox", True),
        ("make it an oil painting", True),
        ("add a bird", True),
        ("make the chair blue", False),
        ("add a hat to the man", False),
        ("increase the contrast", False),
        ("make the chair blue and remove it", False),
        ("everything except the sky in black and white", False),
    ],
)
def test_a_caption_is_needed_where_the_words_leave_open_what_is_shown(instruction, needed):
    assert needs_caption(RulesProcessor().parse(instruction)) is needed
