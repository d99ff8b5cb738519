"""The learned grounders: what they ask, how they score, and that they agree with the libraries."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from image_core.errors import InvalidInput, MissingWeights
from image_core.evaluations import counting
from image_core.grounding.grounding_dino import GroundingDinoConfig, GroundingDinoGrounder
from image_core.grounding.grounding_dino.detector import GroundingDinoDetector
from image_core.grounding.groundingdino_py import GroundingDinoPyConfig
from image_core.grounding.groundingdino_py.settings import settings_of
from image_core.grounding.groundingdino_py.text_encoder import TextEncoder
from image_core.grounding.open_vocabulary import (
    Candidates,
    OpenVocabularyGrounder,
    Phrase,
    query_of,
)
from image_core.grounding.open_vocabulary.candidates import apart, overlaps
from image_core.grounding.open_vocabulary.checkpoint import state_of
from image_core.grounding.open_vocabulary.relations import RULED_OUT, relation_factor
from image_core.grounding.open_vocabulary.tokens import caption_of, phrase_scores, word_scores
from image_core.grounding.sam3 import Sam3Config
from image_core.instructions import RulesConfig
from image_core.testing.miniature.grounding import (
    write_bert,
    write_grounding_dino,
    write_groundingdino_py,
    write_sam3,
)
from image_core.types import EditStep, Image, Target

YELLOW_DOG = Phrase(text="yellow dog", words=("yellow", "dog"))


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_grounding_dino(tmp_path_factory.mktemp("dino"))


def _pictures(*sizes: tuple[int, int]) -> list[Image]:
    generator = np.random.default_rng(0)
    return [generator.random((*size, 3), np.float32) for size in sizes]


def _bytes(image: Image) -> np.ndarray:
    return np.rint(image * 255).astype(np.uint8)


def _step(phrase: str) -> EditStep:
    return RulesConfig().build().parse(f"remove {phrase}").steps[0]


# what is asked


@pytest.mark.parametrize(
    ("said", "text", "words", "host", "bearing"),
    [
        ("the dog", "dog", ["dog"], None, None),
        ("the big yellow chair", "yellow chair", ["yellow", "chair"], None, None),
        ("the left wooden chair", "wooden chair", ["wooden", "chair"], None, None),
        ("the second dog from the left", "dog", ["dog"], None, None),
        ("the person in the background", "person", ["person"], None, None),
        ("the chair next to the lamp", "chair", ["chair"], "lamp", "near"),
        ("the cat's nose", "nose", ["nose"], "cat", "within"),
        ("the man with the red hat", "man", ["man"], "red hat", "has"),
        ("the dog under the table", "dog", ["dog"], "table", "below"),
        ("the car between the two houses", "car", ["car"], "house", "between"),
        ("the glass of water", "glass of water", ["glass"], None, None),
    ],
)
def test_a_detector_is_asked_only_for_what_can_be_seen(
    said: str, text: str, words: list[str], host: str | None, bearing: str | None
) -> None:
    query = query_of(_step(said).target)
    assert query is not None
    assert (query.thing.text, list(query.thing.words)) == (text, words)
    assert (query.host and query.host.text, query.bearing) == (host, bearing)


def test_a_caption_is_lower_case_and_closed_and_knows_where_its_words_stand() -> None:
    caption = caption_of([Phrase(text="red Hat", words=("red", "hat")), YELLOW_DOG])
    assert caption.text == "red hat. yellow dog."
    found = [[caption.text[a:b] for a, b in spans] for spans in caption.spans]
    assert found == [["red", "hat"], ["yellow", "dog"]]


# how words are scored


def test_a_yellow_dog_is_taken_before_every_dog() -> None:
    yellow, brown, car = phrase_scores(
        np.array([[0.5, 0.7], [0.1, 0.8], [0.6, 0.1]], np.float32), 0.25
    )
    assert yellow == pytest.approx((0.5 * 0.7) ** 0.5, rel=1e-5)
    assert brown < 0.3 < yellow
    assert car < 0.3


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_phrase_scores_between_nothing_and_its_best_word(words: list[float]) -> None:
    score = phrase_scores(np.array([words]), 0.25)[0]
    assert 0 < score <= max(words) + 1e-9
    raised = phrase_scores(np.array([[min(1.0, word + 0.1) for word in words]]), 0.25)[0]
    assert raised >= score


def test_a_word_takes_its_best_token_and_no_other_words() -> None:
    probabilities = np.array([[0.9, 0.2, 0.4, 0.3, 0.8]])
    offsets = np.array([[0, 0], [0, 3], [3, 6], [7, 10], [0, 0]])
    scores = word_scores(probabilities, offsets, [(0, 6), (7, 10)])
    assert scores.tolist() == [[0.4, 0.3]]


def test_near_duplicates_are_one_thing() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [20, 0, 30, 10], [5, 5, 5, 9]], float)
    assert apart(boxes, np.array([0.5, 0.9, 0.4, 1.0]), 0.7) == [1, 2]
    assert overlaps(boxes[0], boxes[:3]).tolist() == pytest.approx([1, 0.9, 0])


@pytest.mark.parametrize(
    ("bearing", "fits", "misses"),
    [
        ("near", (24, 0, 34, 10), (80, 0, 90, 10)),
        ("on", (5, -10, 15, 1), (5, 40, 15, 50)),
        ("within", (5, 5, 10, 10), (18, 18, 28, 28)),
        ("has", (-5, -5, 25, 25), (18, 18, 28, 28)),
        ("above", (5, -20, 15, -10), (5, 30, 15, 40)),
        ("below", (5, 30, 15, 40), (5, -20, 15, -10)),
        ("left of", (-20, 0, -10, 10), (30, 0, 40, 10)),
        ("right of", (30, 0, 40, 10), (-20, 0, -10, 10)),
    ],
)
def test_relations_are_read_off_the_boxes(bearing: Any, fits: Any, misses: Any) -> None:
    host = (0.0, 0.0, 20.0, 20.0)
    assert relation_factor(bearing, tuple(map(float, fits)), [host]) > 0.9
    assert relation_factor(bearing, tuple(map(float, misses)), [host]) == RULED_OUT


def test_between_needs_two_and_the_middle() -> None:
    hosts = [(0.0, 0.0, 10.0, 10.0), (100.0, 0.0, 110.0, 10.0)]
    assert relation_factor("between", (50.0, 0.0, 60.0, 10.0), hosts) > 0.9
    assert relation_factor("between", (200.0, 0.0, 210.0, 10.0), hosts) == RULED_OUT
    assert relation_factor("between", (50.0, 0.0, 60.0, 10.0), hosts[:1]) == RULED_OUT


class Sees:
    """A detector that sees given boxes, by phrase."""

    def __init__(self, **boxes: Sequence[tuple[float, float, float, float, float]]) -> None:
        self.boxes = boxes

    def detect(self, pictures: Sequence[Any], phrases: Sequence[Phrase]) -> list[list[Candidates]]:
        rows = [np.array(self.boxes.get(phrase.text, ())).reshape(-1, 5) for phrase in phrases]
        row = [
            Candidates(boxes=own[:, :4], scores=own[:, 4], evidence=["seen"] * len(own))
            for own in rows
        ]
        return [row for _ in pictures]


def _settled(detector: Sees, said: str) -> list[tuple[float, float]]:
    grounder = OpenVocabularyGrounder(detector, min_confidence=0.3)
    row = grounder.ground([np.zeros((100, 200, 3), np.float32)], _step(said))[0]
    assert all(found.box for found in row)
    return [(found.box[0], found.score) for found in row if found.box]


def test_places_and_ordinals_choose_among_what_was_seen() -> None:
    three = Sees(dog=[(10, 10, 40, 40, 0.5), (80, 10, 110, 40, 0.7), (150, 10, 180, 40, 0.6)])
    assert _settled(three, "the left dog")[0] == (10, 0.5)
    assert _settled(three, "the second dog from the right")[0] == (80, 0.7)
    assert [score for _, score in _settled(three, "the dog")] == [0.7, 0.6, 0.5]
    sure = [score for _, score in _settled(three, "the left dog")[1:]]
    assert all(score < 0.3 for score in sure)


def test_what_is_hardly_seen_is_not_counted_by_an_ordinal() -> None:
    doubtful = Sees(dog=[(10, 10, 40, 40, 0.1), (80, 10, 110, 40, 0.7), (150, 10, 180, 40, 0.6)])
    assert _settled(doubtful, "the second dog from the left")[0][0] == 150


def test_a_relation_chooses_the_one_that_lies_so() -> None:
    seen = Sees(
        chair=[(10, 50, 40, 90, 0.6), (150, 50, 180, 90, 0.7)], lamp=[(42, 20, 55, 90, 0.8)]
    )
    (best, score), (_, other) = _settled(seen, "the chair next to the lamp")
    assert best == 10
    assert score == 0.6
    assert other < 0.3


def test_a_host_that_is_not_seen_takes_trust() -> None:
    seen = Sees(chair=[(10, 50, 40, 90, 0.8)])
    assert _settled(seen, "the chair next to the lamp") == [(10, 0.4)]


# the networks


def test_boxes_agree_with_the_librarys_own_post_processing(dino: Path) -> None:
    from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

    picture = _bytes(_pictures((60, 90))[0])
    load: Any = GroundingDinoProcessor
    processor = load.from_pretrained(dino)
    network = GroundingDinoForObjectDetection.from_pretrained(dino).eval()
    inputs = processor(images=[picture], text=["yellow dog."], return_tensors="pt")
    with torch.no_grad():
        output = network(**inputs)
    best = output.logits.sigmoid().max(-1).values[0]
    gate, named = float(best.median()), float(output.logits.sigmoid()[0, :, 1].median())
    theirs = processor.post_process_grounded_object_detection(
        output, inputs["input_ids"], threshold=gate, text_threshold=named, target_sizes=[(60, 90)]
    )[0]
    config = GroundingDinoConfig(model=str(dino), box_threshold=gate, text_threshold=named)
    detector = GroundingDinoDetector(config)
    ours = detector.detect([picture], [YELLOW_DOG])[0][0]
    assert 0 < len(ours.boxes) < network.config.num_queries
    assert np.allclose(ours.boxes, theirs["boxes"].numpy(), atol=1e-3)
    scores = output.logits.sigmoid()[0, best > gate, 1:3].numpy()
    labels = [[word in label for word in YELLOW_DOG.words] for label in theirs["text_labels"]]
    assert (scores > named).tolist() == labels
    assert np.allclose(ours.scores, phrase_scores(scores, named), atol=1e-6)

    weight = detector._parts[1].model.decoder.layers[0].fc1.weight
    with torch.no_grad():
        weight[0] += 3
    moved = detector.detect([picture], [YELLOW_DOG])[0][0]
    assert moved.boxes.shape != ours.boxes.shape or not np.allclose(
        moved.boxes, ours.boxes, atol=1e-3
    )


def test_a_batch_of_different_sizes_equals_single_pictures(dino: Path) -> None:
    grounder = GroundingDinoConfig(model=str(dino), max_batch=2, device="cpu").build()
    images = _pictures((60, 90), (80, 50), (60, 90), (60, 90))
    step = _step("the yellow dog next to the chair")
    with counting() as rows:
        together = grounder.ground(images, step)
    assert rows == {"grounding dino": 4}
    for row, image in zip(together, images, strict=True):
        alone = grounder.ground([image], step)[0]
        assert [found.evidence for found in row] == [found.evidence for found in alone]
        assert np.allclose([found.box for found in row], [found.box for found in alone], atol=1e-3)


def test_what_is_seen_depends_on_the_picture_and_on_the_words(dino: Path) -> None:
    detector = GroundingDinoDetector(GroundingDinoConfig(model=str(dino), device="cpu"))
    one, other = (_bytes(image) for image in _pictures((60, 90), (60, 90)))
    cat = Phrase(text="cat", words=("cat",))
    seen = [
        detector.detect([p], [q])[0][0] for p, q in ((one, cat), (other, cat), (one, YELLOW_DOG))
    ]
    assert not np.allclose(seen[0].boxes, seen[1].boxes, atol=0.5)
    assert not np.allclose(np.sort(seen[0].scores), np.sort(seen[2].scores), atol=1e-3)


def test_a_very_slim_picture_keeps_its_boxes_inside(dino: Path) -> None:
    grounder = GroundingDinoConfig(model=str(dino), device="cpu").build()
    for size in ((40, 400), (400, 40)):
        row = grounder.ground(_pictures(size), _step("the dog"))[0]
        assert row
        for found in row:
            assert found.box
            assert found.box[2] <= size[1]
            assert found.box[3] <= size[0]


def test_sam3_agrees_with_the_librarys_own_post_processing(tmp_path: Path) -> None:
    from transformers import Sam3Model, Sam3Processor

    folder = write_sam3(tmp_path)
    picture = _bytes(_pictures((60, 90))[0])
    load: Any = Sam3Processor
    processor, network = load.from_pretrained(folder), Sam3Model.from_pretrained(folder).eval()
    inputs = processor(images=[picture], text=["yellow dog"], return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.no_grad():
        output = network(**{k: v for k, v in inputs.items() if k != "original_sizes"})
    theirs = processor.post_process_instance_segmentation(
        output, threshold=0.12, mask_threshold=0.5, target_sizes=[(60, 90)]
    )[0]
    grounder = Sam3Config(model=str(folder), threshold=0.12, device="cpu").build()
    with counting() as rows:
        ours = grounder.detector.detect([picture], [YELLOW_DOG])[0][0]
    assert rows == {"sam3 encoder": 1, "sam3": 1}
    filled = theirs["masks"].flatten(1).any(1)
    assert ours.masks
    assert np.array_equal(np.stack(ours.masks), theirs["masks"][filled].numpy())
    assert np.allclose(ours.scores, theirs["scores"][filled].numpy(), atol=1e-6)
    with torch.no_grad():
        grounder.detector.parts[1].mask_decoder.instance_projection.weight[0] += 3  # type: ignore[attr-defined]
    moved = grounder.detector.detect([picture], [YELLOW_DOG])[0][0]
    assert moved.masks
    assert not np.array_equal(np.stack(moved.masks), np.stack(ours.masks))


def test_the_text_encoder_equals_bert_with_a_mask_per_pair(tmp_path: Path) -> None:
    from transformers import BertModel

    bert = BertModel.from_pretrained(write_bert(tmp_path)).eval()
    tokens = torch.tensor([[101, 212, 207, 1012, 210, 1012, 102]])
    pairs = torch.eye(7, dtype=torch.bool)[None].clone()
    pairs[0, 1:4, 1:4] = pairs[0, 4:6, 4:6] = True
    places = torch.tensor([[0, 0, 1, 2, 0, 1, 0]])
    encoder = TextEncoder(bert)
    with torch.no_grad():
        theirs = bert(tokens, attention_mask=pairs[:, None], position_ids=places)[0]
        ours = encoder(tokens, attention_mask=pairs, position_ids=places)["last_hidden_state"]
        assert torch.allclose(ours, theirs, atol=1e-5)
        flat = encoder(tokens, attention_mask=torch.ones(1, 7), position_ids=places)
        assert not torch.allclose(flat["last_hidden_state"], theirs, atol=1e-2)
        encoder.encoder.layer[0].output.dense.weight[0] += 1
        again = encoder(tokens, attention_mask=pairs, position_ids=places)["last_hidden_state"]
    assert not torch.allclose(again, ours, atol=1e-4)


def test_the_authors_network_agrees_with_their_own_prediction(tmp_path: Path) -> None:
    pytest.importorskip("groundingdino", reason="groundingdino-py is not installed")
    from groundingdino.util.inference import predict

    folder = write_groundingdino_py(tmp_path)
    grounder = GroundingDinoPyConfig(
        model=str(folder / "tiny.pth"),
        settings=str(folder / "settings.py"),
        text_model=str(folder / "bert"),
        box_threshold=0.8,
        shortest=64,
        longest=128,
        device="cpu",
    ).build()
    assert grounder.why_not() == ""
    detector: Any = grounder.detector
    picture = _bytes(_pictures((60, 90))[0])
    with counting() as rows:
        ours = detector.detect([picture], [YELLOW_DOG])[0][0]
    assert rows == {"grounding dino": 1}
    boxes, _, _ = predict(
        detector.network, detector._prepared(picture), "yellow dog", 0.8, 0.25, device="cpu"
    )
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    theirs = torch.cat([centre - half, centre + half], 1) * torch.tensor([90, 60, 90, 60])
    assert len(ours.boxes) > 0
    assert np.allclose(ours.boxes, theirs.numpy(), atol=1e-3)
    with torch.no_grad():
        detector.network.feat_map.weight[0] += 3
    moved = detector.detect([picture], [YELLOW_DOG])[0][0]
    assert moved.boxes.shape != ours.boxes.shape or not np.allclose(moved.boxes, ours.boxes)


def test_building_the_authors_network_leaves_their_package_as_it_was(tmp_path: Path) -> None:
    pytest.importorskip("groundingdino", reason="groundingdino-py is not installed")
    from groundingdino.models.GroundingDINO import bertwarper, groundingdino

    write_groundingdino_py(tmp_path)
    assert groundingdino.BertModelWarper is bertwarper.BertModelWarper


# what is missing or wrong


@pytest.mark.parametrize("config", [GroundingDinoConfig, GroundingDinoPyConfig, Sam3Config])
def test_building_imports_no_network_library(config: type) -> None:
    code = (
        f"import sys; from {config.__module__} import {config.__name__} as C; C().build()\n"
        "print([m for m in ('torch', 'transformers', 'diffusers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("config", "says"), [(GroundingDinoConfig, "insitu models pull"), (Sam3Config, "licence")]
)
def test_missing_weights_say_how_to_get_them(
    config: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the network was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)
    grounder = config(model="nobody/nothing-here").build()
    assert "nobody/nothing-here" in grounder.why_not()
    with pytest.raises(MissingWeights) as caught:
        grounder.ground(_pictures((32, 32)), _step("the dog"))
    assert says in caught.value.hint


def test_grounding_needs_no_network(dino: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the network was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)
    grounder = GroundingDinoGrounder(GroundingDinoConfig(model=str(dino), device="cpu"))
    assert grounder.why_not() == ""
    assert grounder.ground(_pictures((60, 90)), _step("the dog"))[0]


@pytest.mark.parametrize(
    "values", [{"box_threshold": 0.0}, {"text_threshold": 1.5}, {"max_batch": 0}]
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, float]) -> None:
    for config in (GroundingDinoConfig, GroundingDinoPyConfig):
        with pytest.raises(InvalidInput):
            config(**values)  # type: ignore[arg-type]


def test_a_settings_file_is_read_and_never_run(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text("hidden_dim = 256\nlevels = [1, 2]\nuse_checkpoint = True\n")
    read = settings_of(str(file), {})
    assert (read.hidden_dim, read.levels, read.use_checkpoint) == (256, [1, 2], False)
    file.write_text(f"x = open({str(tmp_path / 'touched')!r}, 'w')\n")
    with pytest.raises(InvalidInput):
        settings_of(str(file), {})
    assert not (tmp_path / "touched").exists()


def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "touched",)

    for name, content in (("text", b"no checkpoint"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
    torch.save({"model": Harm()}, tmp_path / "harm")
    torch.save([1, 2], tmp_path / "list")
    for name in ("text", "empty", "harm", "list"):
        with pytest.raises(InvalidInput):
            state_of(tmp_path / name)
    assert not (tmp_path / "touched").exists()


def test_a_target_that_names_nothing_gives_nothing() -> None:
    assert query_of(Target(pronoun=True)) is None
    assert query_of(Target()) is None
