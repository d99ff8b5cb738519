"""The sentences for ZONE's action classifier: counts, balance, and what is kept apart."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from image_core.editors.zone.actions import ACTIONS
from image_core.editors.zone.actions.sentences import (
    hard_sentences,
    plain_sentences,
    training_sentences,
)
from image_core.editors.zone.actions.templates import TEST, TRAINING
from image_core.editors.zone.actions.things import COLOURS, THINGS


@pytest.mark.parametrize(("made", "each"), [(training_sentences, 150), (plain_sentences, 50)])
@pytest.mark.parametrize("seed", [0, 7])
def test_sets_have_the_papers_sizes_without_repeats(made, each, seed) -> None:
    sentences = made(seed)
    assert Counter(one.action for one in sentences) == dict.fromkeys(ACTIONS, each)
    assert len({one.text for one in sentences}) == 3 * each


def test_the_same_seed_gives_the_same_sentences_and_another_gives_others() -> None:
    assert training_sentences(3) == training_sentences(3)
    assert training_sentences(3) != training_sentences(4)
    assert plain_sentences(3) != plain_sentences(4)


def test_no_frame_and_no_sentence_is_both_learnt_and_tested() -> None:
    assert not {one.frame for one in TRAINING} & {one.frame for one in TEST}
    learnt = {one.text.lower() for one in training_sentences()}
    assert not learnt & {one.text.lower() for one in (*plain_sentences(), *hard_sentences())}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_third_of_the_tests_verbs_is_never_learnt(action) -> None:
    learnt = {word.lower() for one in TRAINING for word in re.findall("[A-Za-z]+", one.frame)}
    verbs = [one.frame.split()[0].lower() for one in TEST if one.action == action]
    assert len(verbs) == len(set(verbs)) == 9
    assert len([verb for verb in verbs if verb not in learnt]) == 3


def test_every_frame_is_used() -> None:
    for templates, made in ((TRAINING, training_sentences()), (TEST, plain_sentences())):
        assert {one.group for one in made} == {one.frame for one in templates}


def test_sentences_are_short_english_about_cocos_things() -> None:
    assert len(set(THINGS)) == 80
    things = re.compile("|".join(sorted(map(re.escape, THINGS), key=len, reverse=True)))
    for one in (*training_sentences(), *plain_sentences()):
        assert len(one.text.split()) <= 30
        assert one.text[0].isupper()
        assert not re.search(
            r"\ban? (skis|scissors|broccoli)\b|\ba [aeiou]|\ban [^aeiou]", one.text
        )
        assert things.search(one.text.lower())
        assert not re.search(r"[{}]", one.text)


def test_a_sentence_names_two_different_things_where_it_names_two() -> None:
    for one in training_sentences():
        if one.group == "Turn {old} into {new}":
            old, new = re.fullmatch(r"Turn the (.+) into (?:an? |some )?(.+)", one.text).groups()
            assert old != new.removeprefix("pair of ")


def test_colours_are_drawn_and_not_always_the_same() -> None:
    words = {word for one in training_sentences() for word in one.text.split()}
    assert len(words & set(COLOURS)) > 5


def test_the_hard_set_is_large_balanced_and_hard_in_four_ways() -> None:
    hard = hard_sentences()
    assert len(hard) >= 60
    assert len({one.text for one in hard}) == len(hard)
    counts = Counter((one.action, one.group) for one in hard)
    assert len(counts) == 12
    assert len(set(counts.values())) == 1
