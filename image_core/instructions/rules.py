"""The language processor that needs no weights: a small English grammar of image edits.

An instruction becomes words (``text``), the words clauses (``steps``), each clause drafts by the
pattern of its verb (``clauses``), and a draft an ``EditStep`` with captions. Words that name no
edit are refused; nothing is guessed beyond a single unknown adjective ("make the cat zany").
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from image_core.errors import InstructionNotUnderstood
from image_core.instructions.captions import caption_step, main_thing
from image_core.instructions.drafts import Change, Draft
from image_core.instructions.noun_phrase import Reference, read_reference
from image_core.instructions.steps import Clause, read_clauses
from image_core.instructions.text import check, spoken, tokenise
from image_core.types import EditPlan, EditStep, Target

FORMS = (
    "make the <thing> <colour>",
    "change the <thing> to <colour or other thing>",
    "brighten | darken | blur | sharpen the <thing>",
    "increase the contrast by 20 %",
    "cover the <thing> with <pattern>",
    "turn the <thing> into an oil painting",
    "replace the <thing> with <other thing>",
    "add <new thing> to the <thing>",
    "remove the <thing>",
    "make the <thing> <adjective>",
)
HINT = "Forms that are known: " + "; ".join(f"“{form}”" for form in FORMS) + "."
MAX_STEPS = 64


@dataclass(frozen=True, kw_only=True)
class RulesConfig:
    """Configuration of the rules; there is nothing to set."""

    def build(self) -> RulesProcessor:
        """Make the processor."""
        return RulesProcessor()


class RulesProcessor:
    """Reads an instruction by rules. Implements ``LanguageProcessor``."""

    def parse(self, instruction: str, *, caption: str | None = None) -> EditPlan:
        """Read an instruction.

        Args:
            instruction: English, at most 2000 characters; several steps may stand in it.
            caption: What the picture shows, when known. It tells what "it" is, and the captions
                of the steps are made from it.

        Returns:
            At least one step, in the order said.

        Raises:
            InvalidInput: The instruction is empty, too long, or has control characters in it.
            InstructionNotUnderstood: It is in no known form; the hint names the forms.
        """
        text = check(instruction)
        known = " ".join((caption or "").split()).rstrip(".")
        try:
            return self._plan(instruction, read_clauses(tokenise(text)), known)
        except InstructionNotUnderstood as error:
            if error.hint:
                raise
            raise InstructionNotUnderstood(str(error), hint=HINT) from None

    def _plan(self, instruction: str, clauses: list[Clause], caption: str) -> EditPlan:
        steps: list[EditStep] = []
        now = caption
        for draft, words in _resolved(clauses, caption):
            change = draft.change
            assert change is not None
            whole = draft.reference.whole_image
            captions = caption_step(
                change,
                draft.reference.target,
                whole_image=whole,
                relation=draft.relation,
                caption=now,
            )
            steps.append(
                EditStep(
                    instruction=words,
                    kind=change.kind,
                    target=draft.reference.target,
                    operation=change.operation or change.kind,
                    value=change.value,
                    amount=change.amount,
                    relation=draft.relation,
                    whole_image=whole,
                    source_caption=captions.source,
                    edited_caption=captions.edited,
                )
            )
            now = captions.edited if caption else ""
        if not steps or len(steps) > MAX_STEPS:
            problem = "names no edit" if not steps else f"has more than {MAX_STEPS} steps"
            raise InstructionNotUnderstood(f"the instruction {problem}")
        return EditPlan(instruction=instruction, steps=tuple(steps), processor="rules")


def _resolved(clauses: list[Clause], caption: str) -> list[tuple[Draft, str]]:
    """Give "it", "the other one" and "the rest" their meaning from what was said before."""
    resolved: list[tuple[Draft, str]] = []
    before: list[Reference] = []
    for clause in clauses:
        named: list[Reference] = []
        for draft in clause.drafts:
            for reference in _references(draft.reference, named or before, before, caption):
                meant = replace(draft, reference=reference)
                named.append(reference)
                if draft.change is None or _merged(resolved, draft):
                    continue
                if _says_again(resolved, meant) or _takes_the_place(resolved, meant):
                    resolved.pop()
                resolved.append((meant, spoken(clause.words)))
        before = named or before
    return resolved


def _references(
    reference: Reference, nearest: list[Reference], before: list[Reference], caption: str
) -> list[Reference]:
    target = reference.target
    if target.pronoun and not target.inverted:
        if before and reference.plural:
            return before
        if nearest:
            return nearest[-1:]
        shown = (
            read_reference(tokenise(check(main_thing(caption)))) if main_thing(caption) else None
        )
        return [shown if shown is not None and shown.target.noun else reference]
    if reference.rest:
        named = [one.target for one in nearest if not one.target.inverted and one.target.noun]
        if not named:
            raise InstructionNotUnderstood("nothing was named before “the rest”")
        return [replace(reference, target=replace(named[-1], inverted=True))]
    if target.noun == "one" and nearest:
        noun = nearest[-1].target.noun
        return [replace(reference, target=replace(target, noun=noun, phrase=_named(target, noun)))]
    if reference.owned and nearest and nearest[-1].target.noun and not target.relation:
        owner = nearest[-1].target
        whose = owner.relation if owner.relation.startswith("of ") else f"of the {owner.noun}"
        return [replace(reference, target=replace(target, relation=whose))]
    return [reference]


def _named(target: Target, noun: str) -> str:
    return " ".join(noun if word in ("one", "ones") else word for word in target.phrase.split())


def _merged(resolved: list[tuple[Draft, str]], draft: Draft) -> bool:
    """Fold "add a hat and make it red" into the adding of a red hat."""
    if not resolved or not draft.reference.target.pronoun or draft.change is None:
        return False
    last, words = resolved[-1]
    if last.change is None or last.change.kind != "add":
        return False
    if draft.change.kind not in ("recolor", "attribute"):
        return False
    value = f"{draft.change.value} {last.change.value}"
    resolved[-1] = (replace(last, change=Change(kind="add", value=value)), words)
    return True


def _says_again(resolved: list[tuple[Draft, str]], draft: Draft) -> bool:
    """Tell whether a step does to the same thing what the one before it did ("…, take it out")."""
    last = resolved[-1][0] if resolved else None
    if last is None or last.change is None or draft.change is None:
        return False
    same = (last.change.kind, last.change.operation) == (draft.change.kind, draft.change.operation)
    once = same and draft.change.kind in ("remove", "tone")
    return once and last.reference.target == draft.reference.target


def _takes_the_place(resolved: list[tuple[Draft, str]], draft: Draft) -> bool:
    """Tell whether "remove the dog and replace it with a cat" names one step twice."""
    if not resolved or draft.change is None or draft.change.kind != "replace":
        return False
    last = resolved[-1][0]
    removed = last.change is not None and last.change.kind == "remove"
    return removed and last.reference.target == draft.reference.target
