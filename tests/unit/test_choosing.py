"""What ``auto`` takes, what a named editor refuses, and who reads the words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from image_core import choosing, discovery
from image_core.choosing import (
    RulesThenModel,
    all_editors,
    chosen_editor,
    editor_order,
    first_ready,
    models_of,
    name_of,
    refusal,
    who_could,
)
from image_core.editors import ClassicConfig
from image_core.errors import InstructionNotUnderstood, MissingWeights, UnsupportedEdit
from image_core.grounding import ClassicGrounderConfig
from image_core.instructions import RulesConfig
from image_core.local_editor import LocalEditor
from image_core.local_editor_config import LocalEditorConfig
from image_core.segmentation import GrabCutConfig
from image_core.types import Capabilities, EditPlan, EditStep, Kind, Target

CLASSIC = ClassicConfig().build()
RECOLOR = EditStep(
    instruction="make the car red", kind="recolor", target=Target(phrase="car"), value="red"
)
REPLACE = EditStep(instruction="replace the cat with a fox", kind="replace", value="fox")


@dataclass
class Able:
    """An editor that can be prepared for its kinds, or says why not."""

    kinds: frozenset[Kind] = frozenset({"replace", "recolor"})
    missing: str = ""
    large: str = ""
    refuses: Exception | None = None
    models: tuple[str, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(kinds=self.kinds)

    def why_not(self) -> str:
        return self.missing

    def why_too_large(self) -> str:
        return self.large

    def prepare(self, step: EditStep, reference: Any) -> Any:
        if self.refuses is not None:
            raise self.refuses
        return self


class Broken(Mapping[str, Any]):
    """Editors of which one cannot even be made."""

    def __init__(self, **made: Any) -> None:
        self.made = made

    def __getitem__(self, name: str) -> Any:
        if self.made[name] is None:
            raise MissingWeights(f"{name} needs an extra")
        return self.made[name]

    def __contains__(self, name: object) -> bool:
        return name in self.made

    def __iter__(self) -> Iterator[str]:
        return iter(self.made)

    def __len__(self) -> int:
        return len(self.made)


def local(editors: Mapping[str, Any], editor: str = "given") -> LocalEditor:
    return LocalEditor(
        language=RulesConfig().build(),
        grounder=ClassicGrounderConfig().build(),
        segmenter=GrabCutConfig().build(),
        editors=editors,
        config=LocalEditorConfig(editor=editor),
    )


def test_given_editors_are_taken_in_their_order_present_or_not() -> None:
    absent, ready = Able(missing="no weights"), Able()
    editor = local({"first": absent, "second": ready})
    assert editor.editor_for(REPLACE) == ("first", absent)
    tone = EditStep(instruction="brighten it", kind="tone", operation="brightness")
    assert local({"first": absent, "classic": CLASSIC}).editor_for(tone)[0] == "classic"


def test_a_given_editor_without_the_kind_is_refused_naming_those_that_have_it() -> None:
    with pytest.raises(UnsupportedEdit, match="classic cannot do") as caught:
        local({"classic": CLASSIC}).editor_for(REPLACE)
    assert "instructedit" in caught.value.hint
    assert "classic" not in caught.value.hint


def test_auto_prefers_classic_for_a_recolouring_however_much_is_there() -> None:
    editors = {name: Able() for name in all_editors()} | {"classic": CLASSIC}
    assert chosen_editor(editors, RECOLOR, auto=True) == "classic"
    for kind in ("tone", "filter"):
        assert editor_order(kind) == ("classic",)  # type: ignore[arg-type]


def test_auto_takes_the_strongest_that_is_present_fits_and_does_not_refuse() -> None:
    order = editor_order("replace")
    assert order[0] != "classic"
    no = [
        Able(missing="no weights"),
        Able(large="40 GB are more than 16 GB"),
        Able(refuses=UnsupportedEdit("not this value")),
        Able(refuses=MissingWeights("half of it")),
        Able(kinds=frozenset({"tone"})),
    ]
    editors = dict(zip(order, [*no, Able()], strict=False))
    assert chosen_editor(editors, REPLACE, auto=True) == order[5]


def test_auto_passes_over_an_editor_that_cannot_even_be_made() -> None:
    order = editor_order("replace")
    editors = Broken(**{order[0]: None, order[1]: Able()})
    assert chosen_editor(editors, REPLACE, auto=True) == order[1]


def test_an_editor_that_only_fails_on_nothing_is_taken() -> None:
    order = editor_order("replace")
    fails = Able(refuses=ValueError("no reference images"))
    assert chosen_editor({order[0]: fails, order[1]: Able()}, REPLACE, auto=True) == order[0]


def test_where_all_that_are_present_refuse_the_refusal_of_the_strongest_is_heard() -> None:
    order = editor_order("replace")
    editors = {
        order[0]: Able(missing="no weights"),
        order[1]: Able(refuses=UnsupportedEdit("first word")),
        order[2]: Able(refuses=UnsupportedEdit("second word")),
    }
    assert chosen_editor(editors, REPLACE, auto=True) == order[1]


def test_auto_with_nothing_that_can_do_it_is_unsupported_and_says_how_to_get_one() -> None:
    editor = local(Broken(**dict.fromkeys(all_editors())), "auto")
    with pytest.raises(UnsupportedEdit, match="no editor that could do it is ready") as caught:
        editor.editor_for(REPLACE)
    assert "instructedit" in caught.value.hint
    assert "insitu models pull" in caught.value.hint


def test_a_refusal_names_every_editor_that_is_known_to_have_the_kind() -> None:
    able = who_could(REPLACE)
    assert "instructedit" in able
    assert "classic" not in able
    assert all(name in refusal(REPLACE, {}, auto=True).hint for name in able)
    assert who_could(RECOLOR)[0] == "classic"


def test_an_editor_is_chosen_once_for_a_step() -> None:
    asked: list[str] = []

    @dataclass
    class Counting(Able):
        def why_not(self) -> str:
            asked.append("why not")
            return ""

    editor = local({editor_order("replace")[0]: Counting()}, "auto")
    assert [editor.choice(REPLACE) for _ in range(3)] == [editor_order("replace")[0]] * 3
    assert len(asked) == 1


PLUGINS = """
class Ready:
    def ground(self, images, step): return [[] for _ in images]
class Waiting(Ready):
    def why_not(self): return "its weights are missing"
"""


@pytest.fixture
def plugins(tmp_path: Any) -> str:
    file = tmp_path / "grounders.py"
    file.write_text(PLUGINS)
    return str(file)


def test_the_first_part_that_is_ready_is_taken_and_the_last_where_none_is(plugins: str) -> None:
    ready, waiting = f"{plugins}:Ready", f"{plugins}:Waiting"
    assert first_ready("grounding", [waiting, ready]) == ready
    assert first_ready("grounding", ["no-such-grounder", "classic"]) == "classic"
    assert first_ready("grounding", [waiting, "no-such-grounder", waiting]) == waiting
    assert choosing.grounder_name(waiting) == waiting
    assert choosing.segmenter_name("grabcut") == "grabcut"


def test_a_part_that_auto_chose_is_recorded_under_its_own_name() -> None:
    made = discovery.build("grounding", "classic")
    assert name_of(made, "grounding", "auto") == "classic"
    assert name_of(made, "grounding", "mine.py:Mine") == "mine.py:Mine"
    assert name_of(Able(), "grounding", "auto") == "Able"


def test_models_are_told_once_each_from_parts_of_all_sorts() -> None:
    @dataclass
    class Configured:
        config: Any

    @dataclass
    class Config:
        model: str = "someone/sam"

    parts = [
        CLASSIC,
        Able(models=("a/b", "c/d")),
        Configured(Config()),
        Able(models=("a/b",)),
        None,
    ]
    assert models_of(parts) == ("a/b", "c/d", "someone/sam")


@dataclass
class Model:
    """A language model that understands everything in its own way."""

    models: tuple[str, ...] = ("someone/lm",)
    heard: list[tuple[str, str | None]] = field(default_factory=list)

    def parse(self, instruction: str, *, caption: str | None = None) -> EditPlan:
        self.heard.append((instruction, caption))
        step = EditStep(instruction=instruction, kind="replace", target=Target(phrase="thing"))
        return EditPlan(instruction=instruction, steps=(step,), processor="language_model")


def test_the_rules_read_first_and_the_model_only_what_they_do_not_understand() -> None:
    model = Model()
    language = RulesThenModel(rules=RulesConfig().build(), model=model)
    assert language.parse("make the car red").processor == "rules"
    assert model.heard == []
    assert language.parse("frobnicate the lamp", caption="a lamp").processor == "language_model"
    assert model.heard == [("frobnicate the lamp", "a lamp")]
    assert language.models == ("someone/lm",)


def test_it_is_left_to_the_model_only_with_a_caption_to_go_by() -> None:
    model = Model()
    language = RulesThenModel(rules=RulesConfig().build(), model=model)
    assert language.parse("make it red").steps[0].target.pronoun
    assert model.heard == []
    assert language.parse("make it red", caption="a car").processor == "language_model"
    assert model.heard == [("make it red", "a car")]
    assert language.parse("make the car red", caption="a car").processor == "rules"


def test_without_a_model_the_rules_have_the_last_word() -> None:
    language = RulesThenModel(rules=RulesConfig().build())
    assert language.models == ()
    assert language.parse("make it red", caption="a car").processor == "rules"
    with pytest.raises(InstructionNotUnderstood):
        language.parse("frobnicate the lamp")


def test_what_auto_finds_on_this_machine_reads_common_forms_by_the_rules() -> None:
    assert RulesThenModel.present({"device": "cpu"}).parse("make the car red").processor == "rules"
