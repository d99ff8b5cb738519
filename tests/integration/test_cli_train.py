"""``insitu train action-classifier``: what it writes and tells, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from word_text_encoder import write_word_text_encoder

ACTION = ("train", "action-classifier")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    """A folder with a random text encoder that knows words."""
    return write_word_text_encoder(tmp_path_factory.mktemp("encoder") / "clip")


@pytest.fixture(scope="module")
def stores(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(autouse=True)
def _own_stores(stores, monkeypatch) -> None:
    monkeypatch.setenv("INSITU_CACHE", str(stores / "cache"))
    monkeypatch.setenv("INSITU_CONFIG", str(stores / "config"))


def test_it_tells_accuracies_and_writes_the_same_files_each_time(
    insitu, tmp_path, stores, encoder
) -> None:
    from image_core.devices import placement
    from image_core.editors.zone.actions import found_folder
    from image_core.editors.zone.actions.encoding import load_text_encoder
    from image_core.editors.zone.actions.saved import load_classifier

    ran = insitu(*ACTION, "--model", encoder, "-o", "one", "--format", "json")
    assert ran.code == 0, ran.err
    told = ran.outcome
    assert (told["status"], told["output"]) == ("ok", "one")
    assert set(told["plain"]) == set(told["hard"]) == {"classifier", "rules", "both"}
    for voices in (told["plain"], told["hard"]):
        for score in voices.values():
            counts = score["confusion"]
            right = sum(counts[k][k] for k in range(3)) / sum(map(sum, counts))
            assert score["accuracy"] == pytest.approx(right, abs=1e-4)
    assert told["plain"]["classifier"]["accuracy"] > 0.6
    assert "progress" in ran.err

    text = load_text_encoder(str(encoder), placement("cpu"))
    classifier = load_classifier(tmp_path / "one", text)
    assert classifier.classify("Remove the umbrella").action == "remove"

    # without an output it goes where the editor looks
    assert found_folder(str(encoder)) is None
    again = insitu(*ACTION, "--model", encoder)
    assert again.code == 0, again.err
    assert "hard sentences (72)" in again.out
    folder = found_folder(str(encoder))
    assert str(folder) == again.out.splitlines()[-1]
    assert folder.is_relative_to(stores / "config")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (folder / name).read_bytes()


def test_without_the_models_weights_it_ends_in_6_and_says_how_to_get_them(insitu, tmp_path) -> None:
    ran = insitu(*ACTION, "--model", "someone/not-here", "-o", "kept", "--format", "json")
    assert ran.code == 6
    assert "insitu models pull" in json.loads(ran.out)["error"]["hint"]
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    "wrong",
    [("--epochs", 0), ("--learning-rate", -1), ("--seed", -1), ("--device", "abacus")],
    ids=str,
)
def test_bad_values_end_in_7(insitu, encoder, wrong) -> None:
    assert insitu(*ACTION, "--model", encoder, "-o", "kept", *wrong).code == 7


def test_a_folder_with_other_things_is_left_alone(insitu, tmp_path, encoder) -> None:
    (tmp_path / "photo.png").write_bytes(b"x")
    ran = insitu(*ACTION, "--model", encoder, "-o", tmp_path)
    assert ran.code == 7
    assert "photo.png" in ran.err


def test_it_must_be_told_which_network(insitu) -> None:
    assert insitu("train").code == 2
    assert insitu("train", "everything").code == 2
