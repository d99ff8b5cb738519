"""From a validated answer to a plan: is it plausible, and what does each phrase point at."""

from __future__ import annotations

import re
import unicodedata

from image_core.errors import InsituError
from image_core.instructions.captions import caption_step
from image_core.instructions.coordination import read_references
from image_core.instructions.drafts import Change
from image_core.instructions.language_model.answer import Answer, AnsweredStep
from image_core.instructions.language_model.failures import InvalidAnswerError, NothingToEditError
from image_core.instructions.lexicon import RELATIONS
from image_core.instructions.noun_phrase import Reference
from image_core.instructions.nouns import singular
from image_core.instructions.text import check, tokenise, vocabulary
from image_core.types import EditPlan, EditStep, Kind, Target

GENERATIVE: frozenset[Kind] = frozenset({"replace", "add", "remove", "attribute", "style"})
"""Kinds that a generative editor makes from the two captions."""
_OPERATIONS: dict[str, frozenset[str]] = {
    "tone": vocabulary("brightness contrast saturation warmth"),
    "filter": vocabulary("blur sharpen pixelate grayscale sepia invert"),
}
_FREE_WORDS = vocabulary(
    """
    a an the this that these those it its them their all both every each everything whole entire
    of in on at to from with by for and or but except not only next near one part s
    """
)
_WORD = re.compile(r"[^\W_]+")
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_ENDS = " \t\"'“”‘’."


def plan_of(answer: Answer, *, instruction: str, caption: str, processor: str) -> EditPlan:
    """Make a plan of an answer.

    Args:
        answer: In valid form.
        instruction: The user's words.
        caption: What the picture shows; empty when unknown.
        processor: Who spoke.

    Raises:
        InvalidAnswerError: A step contradicts itself, lacks what its kind needs, or points at
            something that neither the instruction nor the caption names.
        NothingToEditError: It has no steps.
    """
    if not answer.steps:
        raise NothingToEditError
    known = _words(f"{instruction} {caption}")
    steps: list[EditStep] = []
    for number, answered in enumerate(answer.steps):
        try:
            steps += _steps_of(answered, instruction, caption, known)
        except InvalidAnswerError as error:
            raise InvalidAnswerError(f"steps.{number}: {error}") from None
    return EditPlan(instruction=instruction, steps=tuple(steps), processor=processor)


def _steps_of(
    answered: AnsweredStep, instruction: str, caption: str, known: set[str]
) -> list[EditStep]:
    """Return a step for each thing that the target names."""
    change = _change(answered)
    source = _tidy(answered.source_caption)
    edited = _tidy(answered.edited_caption)
    if change.kind in GENERATIVE and not (source and edited):
        raise InvalidAnswerError(f"{change.kind} needs source_caption and edited_caption")
    if change.kind in GENERATIVE and source == edited:
        raise InvalidAnswerError("source_caption and edited_caption are the same")
    steps = []
    for reference in _references(answered, known):
        templates = caption_step(
            change,
            reference.target,
            whole_image=reference.whole_image,
            relation=answered.relation,
            caption=caption,
        )
        step = EditStep(
            instruction=" ".join(instruction.split()),
            kind=change.kind,
            target=reference.target,
            operation=change.operation or change.kind,
            value=change.value,
            amount=change.amount,
            relation=answered.relation if change.kind == "add" else "",
            whole_image=reference.whole_image,
            source_caption=source or templates.source,
            edited_caption=edited or templates.edited,
        )
        steps.append(step)
    return steps


def _change(answered: AnsweredStep) -> Change:
    kind, operation = answered.kind, answered.operation.lower()
    value = _ARTICLE.sub("", answered.value)
    if kind in _OPERATIONS:
        if operation not in _OPERATIONS[kind]:
            allowed = ", ".join(sorted(_OPERATIONS[kind]))
            raise InvalidAnswerError(f"operation of a {kind} must be one of {allowed}")
        if answered.amount == 0 or (kind == "filter" and answered.amount < 0):
            raise InvalidAnswerError(f"amount {answered.amount:g} of a {kind} changes nothing")
        return Change(kind=kind, operation=operation, amount=answered.amount)
    if kind == "remove":
        return Change(kind=kind)
    if not value:
        raise InvalidAnswerError(f"{kind} needs a value")
    if kind == "texture" and operation == "fill":
        return Change(kind=kind, operation=operation, value=value)
    return Change(kind=kind, value=value)


def _references(answered: AnsweredStep, known: set[str]) -> list[Reference]:
    """Take the target's phrase apart as the rules do.

    Raises:
        InvalidAnswerError: It is no noun phrase, has words that nobody said, or contradicts
            ``whole_image``.
    """
    phrase = _tidy(answered.target)
    if not phrase:
        if not answered.whole_image:
            raise InvalidAnswerError("target is empty, yet whole_image is false")
        return [Reference(target=Target(), whole_image=True)]
    unsaid = sorted(_words(phrase) - known - _FREE_WORDS)
    if unsaid:
        raise InvalidAnswerError(
            f"target has words that stand neither in instruction nor in picture: {unsaid[:5]}"
        )
    try:
        words = tokenise(check(phrase))
    except InsituError:
        words = ()
    references = None if words[:1] and words[0] in RELATIONS else read_references(words)
    if not references or not all(_says_what(reference) for reference in references):
        raise InvalidAnswerError("target is no noun phrase that says by itself what is meant")
    if answered.whole_image and not all(one.whole_image for one in references):
        raise InvalidAnswerError("whole_image is true, yet target names a part")
    return references


def _says_what(reference: Reference) -> bool:
    """Tell whether a reference has a meaning by itself, unlike "the rest" and "the left"."""
    target = reference.target
    return not reference.rest and (reference.whole_image or target.pronoun or bool(target.noun))


def _words(text: str) -> set[str]:
    """Return the words of a text in lower case and in the singular."""
    low = unicodedata.normalize("NFKC", text).casefold()
    return {singular(word)[0] for word in _WORD.findall(low)}


def _tidy(text: str) -> str:
    """Collapse spaces, and drop the quotes and full stop that models put around a caption."""
    return " ".join(text.split()).strip(_ENDS)
