"""The grounder has not learned the benchmark's nouns by heart."""

from __future__ import annotations

import json

from image_core.grounding.classic.concepts import concept_of
from image_core.instructions import RulesConfig


def test_no_noun_of_the_benchmark_has_a_way_of_its_own_but_the_sky(shared_data):
    rules = RulesConfig().build()
    for entry in json.loads((shared_data / "instructions.json").read_text()):
        for instruction in (entry["instruction"], f"make the {entry['target']} red"):
            for step in rules.parse(instruction).steps:
                assert concept_of(step.target) in (None, "sky"), step.target.noun
