"""ZONE's action classifier: pooling, the released rule, training, files, and who has the word."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from word_text_encoder import word_text_encoder

from image_core.disk_cache import DiskCache
from image_core.editors.zone.actions import (
    ACTIONS,
    SURE,
    Opinion,
    action_of_kind,
    action_of_plan,
    decide,
    default_folder,
    found_folder,
)
from image_core.editors.zone.actions.classifier import ActionClassifier, opinions_from
from image_core.editors.zone.actions.encoding import encode_sentences
from image_core.editors.zone.actions.fitting import (
    FitSettings,
    fitted,
    held_back_logits,
    temperature_of,
)
from image_core.editors.zone.actions.network import fresh_network
from image_core.editors.zone.actions.pooling import POOLINGS, class_by_token_place, pooled
from image_core.editors.zone.actions.saved import Card, load_classifier, save_classifier
from image_core.editors.zone.actions.scoring import rules_say, scored, scores_of
from image_core.editors.zone.actions.sentences import training_sentences
from image_core.editors.zone.actions.templates import TRAINING
from image_core.editors.zone.actions.training import FOLDS, folds_by_frame, train_classifier
from image_core.errors import InstructionNotUnderstood, InvalidInput, MissingWeights
from image_core.evaluations import counting
from image_core.instructions import RulesProcessor

WIDTH = 192
CARD = Card(model="a miniature", seed=0, figures={"plain": 1.0})


@pytest.fixture(scope="module")
def text():
    return word_text_encoder(width=WIDTH)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return DiskCache(name="zone", root=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def trained(text, cache):
    return train_classifier(text, FitSettings(), cache=cache)


# pooling and the released rule


def test_the_released_rule_takes_the_class_whose_logit_peaks_furthest_on() -> None:
    logits = torch.zeros(77, 3)
    logits[4, 0], logits[60, 1], logits[9, 2] = 50.0, 0.1, 9.0
    assert class_by_token_place(logits) == 1
    logits[70, 2] = 9.5
    assert class_by_token_place(logits) == 2


def test_the_released_rule_gives_ties_to_the_lower_class() -> None:
    logits = torch.zeros(77, 3)
    logits[1, 1] = logits[1, 2] = 1.0  # class 0 is constant: found at token 0
    assert class_by_token_place(logits) == 1
    assert class_by_token_place(torch.zeros(77, 3)) == 0


def test_pooling_reads_the_words_and_neither_marks_nor_padding() -> None:
    hidden = torch.tensor([[[99.0], [1.0], [5.0], [-7.0], [88.0]], [[9.0], [4.0], [3.0], [8], [8]]])
    lengths = torch.tensor([4, 3])
    assert pooled(hidden, lengths, "mean").tolist() == [[3.0], [4.0]]
    assert pooled(hidden, lengths, "max").tolist() == [[5.0], [4.0]]
    assert pooled(hidden, lengths, "end").tolist() == [[-7.0], [3.0]]


@pytest.mark.parametrize("how", POOLINGS)
def test_a_sentence_gives_the_same_vector_alone_among_longer_ones_and_padded(text, how) -> None:
    some = ["remove the cat", "put a small brown dog in front of the old car"]
    with counting() as rows:
        together = encode_sentences(text, some)
        alone = encode_sentences(text, some[:1])
        padded = encode_sentences(text, some[:1], full=True)
    assert rows["text encoder"] == 4
    assert padded.hidden.shape[1] == 77
    expected = pooled(together.hidden, together.lengths, how)[0]
    for one in (alone, padded):
        torch.testing.assert_close(pooled(one.hidden, one.lengths, how)[0], expected)


# the network and its fit


def test_standardisation_and_temperature_are_folded_into_the_weights_exactly() -> None:
    random = torch.Generator().manual_seed(1)
    network = fresh_network(10, random)
    raw = torch.randn(20, 10, generator=random) * 3 + 5
    mean, spread = raw.mean(dim=0), raw.std(dim=0)
    expected = network.logits((raw - mean) / spread)
    torch.testing.assert_close(network.for_raw(mean, spread).logits(raw), expected)
    torch.testing.assert_close(network.cooled(2.5).logits(raw), network.logits(raw) / 2.5)


def test_the_temperature_undoes_overconfidence() -> None:
    random = torch.Generator().manual_seed(2)
    honest = torch.randn(4000, 3, generator=random) * 2
    labels = torch.multinomial(torch.softmax(honest, dim=1), 1, generator=random)[:, 0]
    assert temperature_of(honest * 6, labels) == pytest.approx(6, rel=0.1)
    assert temperature_of(honest, labels) == pytest.approx(1, rel=0.1)


def test_held_back_sentences_are_not_learnt_from() -> None:
    random = torch.Generator().manual_seed(3)
    features = torch.randn(60, 40, generator=random)  # noise: only learning by heart could help
    labels = torch.arange(60) % 3
    logits = held_back_logits(features, labels, [k % 5 for k in range(60)], FitSettings())
    by_heart = fitted(features, labels, FitSettings()).logits(features)
    assert (by_heart.argmax(dim=1) == labels).float().mean() > 0.95
    assert (logits.argmax(dim=1) == labels).float().mean() < 0.6


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"seed": -1}, {"learning_rate": 0.0}, {"learning_rate": float("nan")},
     {"decay": 2.0}],
    ids=str,
)  # fmt: skip
def test_unusable_settings_are_refused(wrong) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        FitSettings(**wrong)


# training


def test_no_frame_is_both_held_back_and_learnt_from() -> None:
    sentences = training_sentences()
    folds = folds_by_frame(sentences)
    assert set(folds) == set(range(FOLDS))
    assert len(set(zip((one.group for one in sentences), folds, strict=True))) == len(TRAINING)
    for fold in range(FOLDS):  # each action is in each fold, and most of it outside
        shares = Counter(
            one.action for one, own in zip(sentences, folds, strict=True) if own == fold
        )
        assert set(shares) == set(ACTIONS)
        assert max(shares.values()) < 50


def test_plain_sentences_are_told_apart_with_frames_and_verbs_not_learnt(trained) -> None:
    scores = scores_of(trained.plain)
    # the encoder is random: of the third of verbs that are new it can know nothing
    assert scores["classifier"].accuracy > 0.8
    assert scores["both"].accuracy >= scores["classifier"].accuracy
    assert scores["both"].accuracy >= scores["rules"].accuracy
    assert {sum(row) for row in scores["both"].confusion} == {50}
    assert {row[3] for row in scores["classifier"].confusion} == {0}


def test_sentences_written_by_hand_are_told_apart_better_than_by_chance(trained) -> None:
    right = [said.action == sentence.action for sentence, said in trained.hard]
    assert sum(right) / len(right) > 0.45  # chance gets 0.333, and a random encoder knows no words


def test_the_pooling_is_the_best_on_frames_held_back(trained) -> None:
    assert max(trained.held_back.values()) == trained.held_back[trained.classifier.pooling]
    assert set(trained.held_back) == set(POOLINGS)


def test_training_again_gives_the_same_bits_and_encodes_nothing_twice(text, cache, trained) -> None:
    before = {name: value.clone() for name, value in text.encoders[0].state_dict().items()}
    with counting() as rows:
        again = train_classifier(text, FitSettings(), cache=cache)
    assert rows["text encoder"] == 0
    assert again.held_back == trained.held_back
    for name, tensor in trained.classifier.network.tensors().items():
        assert torch.equal(tensor, again.classifier.network.tensors()[name])
    after = text.encoders[0].state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_network_is_fitted_to_all_sentences_and_calibrated(text, trained) -> None:
    sentences = training_sentences()
    encoded = encode_sentences(text, [one.text for one in sentences])
    features = pooled(encoded.hidden, encoded.lengths, trained.classifier.pooling)
    labels = torch.tensor([ACTIONS.index(one.action) for one in sentences])
    assert trained.temperature > 1  # a network is too sure of frames that are new to it
    expected = fitted(features, labels, FitSettings()).cooled(trained.temperature)
    torch.testing.assert_close(
        trained.classifier.network.logits(features), expected.logits(features), atol=0.05, rtol=0.01
    )


def test_another_seed_gives_another_network() -> None:
    features = torch.randn(30, 8, generator=torch.Generator().manual_seed(4))
    labels = torch.arange(30) % 3
    one, other = (fitted(features, labels, FitSettings(seed=seed)) for seed in (0, 1))
    assert not torch.equal(one.fc1_weight, other.fc1_weight)


@pytest.mark.parametrize(
    ("instruction", "action"),
    [
        ("Turn the cat into a dog", "change"),
        ("Add a red car to the bench", "add"),
        ("Remove the umbrella", "remove"),
        ("Get rid of the dog on the left", "remove"),
    ],
)
def test_the_classifier_reads_everyday_instructions(trained, instruction, action) -> None:
    opinion = trained.classifier.classify(instruction)
    assert opinion.action == action
    assert sum(opinion.probabilities) == pytest.approx(1, abs=1e-6)
    assert opinion.confidence == max(opinion.probabilities) > 0.5


def test_an_instruction_beyond_the_encoders_length_is_read_as_far_as_it_goes(trained) -> None:
    long = "Remove the umbrella " + "and the red car " * 40
    assert trained.classifier.classify(long).action in ACTIONS


def test_an_empty_instruction_is_refused(trained) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        trained.classifier.classify("  ")


# files


def test_what_was_saved_is_loaded(trained, text, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    save_classifier(folder, trained.classifier, CARD)
    again = load_classifier(folder, text)
    assert again.pooling == trained.classifier.pooling
    for instruction in ("Swap the cup for a vase", "Hide the bus"):
        assert again.classify(instruction) == trained.classifier.classify(instruction)
    config = json.loads((folder / "config.json").read_text())
    assert (config["encoder"], config["seed"], config["width"]) == ("a miniature", 0, WIDTH)
    assert config["figures"] == {"plain": 1.0}
    save_classifier(folder, trained.classifier, CARD)  # over one of ours: allowed


def test_a_classifier_serves_its_encoder_in_16_bits_too(trained, tmp_path: Path) -> None:
    save_classifier(tmp_path / "kept", trained.classifier, CARD)
    half = word_text_encoder(width=WIDTH)
    half.encoders[0].to(torch.bfloat16)
    assert load_classifier(tmp_path / "kept", half).classify("Remove the bus").action == "remove"


def test_a_classifier_of_another_encoder_is_refused(trained, tmp_path: Path) -> None:
    save_classifier(tmp_path / "kept", trained.classifier, CARD)
    with pytest.raises(InvalidInput, match="another text encoder") as caught:
        load_classifier(tmp_path / "kept", word_text_encoder(width=WIDTH, seed=1))
    assert "insitu train action-classifier" in caught.value.hint
    with pytest.raises(InvalidInput, match="192 features"):
        load_classifier(tmp_path / "kept", word_text_encoder(width=64))


def test_what_is_missing_or_cut_off_is_missing_weights(trained, text, tmp_path: Path) -> None:
    with pytest.raises(MissingWeights) as caught:
        load_classifier(tmp_path / "nothing", text)
    assert "insitu train action-classifier" in caught.value.hint
    folder = tmp_path / "kept"
    save_classifier(folder, trained.classifier, CARD)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(MissingWeights, match=r"model\.safetensors"):
        load_classifier(folder, text)


def test_damaged_files_are_refused(trained, text, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    save_classifier(folder, trained.classifier, CARD)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    with pytest.raises(InvalidInput, match="is not what"):
        load_classifier(folder, text)
    (folder / "model.safetensors").write_bytes(whole)
    config = json.loads((folder / "config.json").read_text())
    for wrong in ({"pooling": "median"}, {"form": 99}, {"kind": "another"}):
        (folder / "config.json").write_text(json.dumps(config | wrong))
        with pytest.raises(InvalidInput, match=r"config\.json"):
            load_classifier(folder, text)


def test_a_folder_with_other_things_is_not_written_to(trained, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"x")
    with pytest.raises(InvalidInput, match=r"photo\.png"):
        save_classifier(tmp_path, trained.classifier, CARD)
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(InvalidInput, match="other things"):
        save_classifier(model, trained.classifier, CARD)
    with pytest.raises(InvalidInput, match="no folder"):
        save_classifier(tmp_path / "photo.png", trained.classifier, CARD)


# the released checkpoint's layout


def released(width: int = WIDTH) -> dict[str, torch.Tensor]:
    return fresh_network(width, torch.Generator().manual_seed(5)).tensors()


def test_the_released_layout_is_read_by_its_own_rule(text, tmp_path: Path) -> None:
    weights = released()
    torch.save(weights, tmp_path / "action_classifier.pth")
    classifier = load_classifier(tmp_path / "action_classifier.pth", text)
    said = set()
    for instruction in ("Remove the bus", "Put a cat on the bench", "Make the car red"):
        hidden = encode_sentences(text, [instruction], full=True).hidden[0]
        layer = torch.relu(hidden @ weights["fc1.weight"].T + weights["fc1.bias"])
        logits = layer @ weights["fc2.weight"].T + weights["fc2.bias"]
        assert logits.shape == (77, 3)
        places = [int(logits[:, k].numpy().argmax()) for k in range(3)]
        opinion = classifier.classify(instruction)
        assert opinion == Opinion(action=ACTIONS[places.index(max(places))], probabilities=None)
        said.add(tuple(places))
    assert len(said) == 3  # the words matter


@pytest.mark.parametrize(
    "change",
    [
        lambda w: {k: v for k, v in w.items() if k != "fc2.bias"},
        lambda w: w | {"fc1.bias": torch.zeros(3)},
        lambda w: w | {"fc2.weight": torch.zeros(2, 128), "fc2.bias": torch.zeros(2)},
        lambda w: w | {"fc1.weight": torch.full((128, WIDTH), torch.nan)},
        lambda w: w | released(768),
    ],
    ids=["a tensor missing", "a wrong bias", "two classes", "not finite", "another width"],
)
def test_a_checkpoint_that_does_not_fit_is_refused(text, tmp_path: Path, change) -> None:
    torch.save(change(released()), tmp_path / "wrong.pth")
    with pytest.raises(InvalidInput, match=r"wrong\.pth"):
        load_classifier(tmp_path / "wrong.pth", text)


class _Running:
    def __reduce__(self):
        return (print, ("this ran",))


def test_nothing_in_a_checkpoint_is_run(text, tmp_path: Path, capsys) -> None:
    torch.save({"fc1.weight": _Running()}, tmp_path / "evil.pth")
    (tmp_path / "noise.pth").write_bytes(b"no checkpoint")
    for name in ("evil.pth", "noise.pth"):
        with pytest.raises(InvalidInput, match=name):
            load_classifier(tmp_path / name, text)
    assert "this ran" not in capsys.readouterr().out


# who has the word


class Says:
    def __init__(self, action, confidence):
        rest = (1 - confidence) / 2
        self.opinion = Opinion(
            action=action,
            probabilities=tuple(confidence if one == action else rest for one in ACTIONS),
        )

    def classify(self, instruction):
        return self.opinion


def test_the_users_action_stands_above_both() -> None:
    decision = decide("remove the cat", "remove", Says("add", 0.99), action="change")
    assert (decision.action, decision.decided_by) == ("change", "user")
    with pytest.raises(InvalidInput, match="paint"):
        decide("remove the cat", "remove", None, action="paint")


def test_where_they_disagree_the_rules_win_over_an_unsure_classifier_only() -> None:
    unsure, sure = SURE - 0.01, SURE + 0.01
    low = decide("get off his tie", "add", Says("remove", unsure))
    assert (low.action, low.decided_by) == ("add", "rules")
    assert (low.classifier, low.rules, low.confidence) == ("remove", "add", pytest.approx(unsure))
    high = decide("get off his tie", "add", Says("remove", sure))
    assert (high.action, high.decided_by) == ("remove", "classifier")


def test_agreement_needs_no_confidence() -> None:
    decision = decide("make the car red", "recolor", Says("change", 0.4))
    assert (decision.action, decision.decided_by) == ("change", "both")


def test_one_voice_is_enough_and_none_is_told() -> None:
    assert decide("add a cat", "add", None).decided_by == "rules"
    alone = decide("his tie, no", None, Says("remove", 0.5))
    assert (alone.action, alone.decided_by) == ("remove", "classifier")
    with pytest.raises(InstructionNotUnderstood) as caught:
        decide("hello", None, None)
    assert "action=" in caught.value.hint


def test_a_rule_without_probabilities_has_the_last_word() -> None:
    class Released:
        def classify(self, instruction):
            return Opinion(action="add", probabilities=None)

    decision = decide("remove the cat", "remove", Released())
    assert (decision.action, decision.decided_by, decision.confidence) == (
        "add",
        "classifier",
        None,
    )


def test_the_note_says_who_won_and_how_sure_it_was() -> None:
    note = decide("get off his tie", "add", Says("remove", 0.6)).note
    assert "add by the rules" in note
    assert "remove, 0.60 sure" in note
    assert "agree" in decide("add a cat", "add", Says("add", 0.7)).note
    assert "no classifier" in decide("add a cat", "add", None).note
    assert "as asked for" in decide("add a cat", "add", None, action="add").note
    assert "the rules say add" in decide("x", "add", Says("remove", 0.95)).note


@pytest.mark.parametrize(
    ("kind", "action"),
    [("add", "add"), ("remove", "remove"), ("replace", "change"), ("recolor", "change"),
     ("attribute", "change"), ("style", "change"), ("texture", "change"), ("tone", "change")],
)  # fmt: skip
def test_kinds_of_edit_are_actions(kind, action) -> None:
    assert action_of_kind(kind) == action


def test_a_plan_with_several_actions_is_none_of_them() -> None:
    rules = RulesProcessor()
    assert action_of_plan(rules.parse("make the cat red and blur the dog")) == "change"
    assert action_of_plan(rules.parse("remove the cat and add a dog")) is None
    assert rules_say("hello there") is None


def test_confusion_counts_what_was_said_of_each_class() -> None:
    truth = ["change", "change", "add", "remove", "remove"]
    score = scored(truth, ["change", "add", "add", None, "remove"])
    assert score.confusion == ((1, 1, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1))
    assert score.accuracy == pytest.approx(3 / 5)


def test_opinions_are_the_softmax() -> None:
    opinion = opinions_from(torch.tensor([[0.0, 0.0, 3.0]]))[0]
    assert opinion.action == "remove"
    assert opinion.confidence == pytest.approx(0.9094, abs=1e-4)


# where it lies


def test_the_classifier_inside_a_checkpoint_comes_before_the_one_kept_for_it(
    trained, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("INSITU_CONFIG", str(tmp_path / "config"))
    model = tmp_path / "model"
    trained.classifier.text.encoders[0].save_pretrained(model)
    assert found_folder(str(model)) is None
    save_classifier(default_folder(str(model)), trained.classifier, CARD)
    assert found_folder(str(model)) == default_folder(str(model))
    save_classifier(model / "action_classifier", trained.classifier, CARD)
    assert found_folder(str(model)) == model / "action_classifier"
    assert default_folder("timbrooks/instruct-pix2pix") == default_folder("instruct-pix2pix")
    (tmp_path / "other" / "model").mkdir(parents=True)
    assert default_folder(str(tmp_path / "other" / "model")) != default_folder(str(model))


def test_deciding_by_rules_alone_needs_no_torch() -> None:
    code = (
        "import sys; from image_core.editors.zone.actions import decide;"
        "print(decide('add a cat', 'add', None).action, 'torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["add", "False"]


def test_a_classifier_is_one_by_its_protocol(trained) -> None:
    assert isinstance(trained.classifier, ActionClassifier)
    decision = decide("Remove the umbrella", "remove", trained.classifier)
    assert (decision.action, decision.decided_by) == ("remove", "both")
