"""From an instruction's words to its drafts: sentences, clauses, and clauses that share a verb."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from image_core.errors import InstructionNotUnderstood
from image_core.instructions.amounts import DEGREE_WORDS
from image_core.instructions.clauses import GAPPING, Reader, loosely, read_instead, reader_of
from image_core.instructions.coordination import read_references
from image_core.instructions.courtesy import courteous, without_reasons
from image_core.instructions.drafts import Change, Draft, Drafts
from image_core.instructions.lexicon import (
    CHANGING,
    FILLERS,
    KEEPING,
    SOFT_BREAKS,
    STEP_WORDS,
    UNCHANGED,
)
from image_core.instructions.noun_phrase import starts_noun_phrase
from image_core.instructions.removing import removed
from image_core.instructions.text import STOP, Words, spoken
from image_core.instructions.verbs import begins_clause, separated, verb_at

MAX_BREAKS = 60
LONGEST_QUOTE = 120
_MODALS = frozenset({"should", "must", "needs", "ought"})
_GREY = Change(kind="filter", operation="grayscale")


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A clause and what was read from it.

    Attributes:
        words: Its words, without courtesies.
        drafts: What it asks for, in order.
    """

    words: Words
    drafts: tuple[Draft, ...]


def read_clauses(words: Words) -> list[Clause]:
    """Read all clauses of an instruction.

    Raises:
        InstructionNotUnderstood: One of them is in no known form.
    """
    if sum(word in SOFT_BREAKS for word in words) > MAX_BREAKS:
        raise InstructionNotUnderstood("the instruction has too many parts for the rules")
    clauses = list(_clauses(words))
    for index, clause in enumerate(clauses):
        later = [draft for after in clauses[index + 1 :] for draft in after.drafts]
        if _describes_only(clause.words, later):
            seen = tuple(replace(draft, change=None) for draft in clause.drafts)
            clauses[index] = replace(clause, drafts=seen)
    return clauses


def _shortened(words: Words) -> str:
    text = spoken(words)
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE].rstrip() + " …"


def _describes_only(words: Words, later: list[Draft]) -> bool:
    """Tell whether "the sky is grey" only leads up to "make it blue"."""
    indicative = any(word in ("is", "are", "looks") for word in words) and verb_at(words) is None
    if not indicative or _MODALS & set(words):
        return False
    return any(draft.reference.target.pronoun for draft in later)


def _clauses(words: Words) -> Iterator[Clause]:
    for said in _sentences(words):
        sentence = courteous(without_reasons(said))
        if not sentence:
            continue
        whole = _kept_in_colour(sentence)
        if whole is not None:
            yield Clause(words=sentence, drafts=tuple(whole))
            continue
        for part in _parts(sentence):
            if not part:
                continue
            if _keeps(part):
                yield Clause(words=part, drafts=tuple(_kept(part) or ()))
                continue
            drafts = read_clause(part)
            if drafts is None:
                raise InstructionNotUnderstood(f"the rules cannot read “{_shortened(part)}”")
            yield Clause(words=part, drafts=tuple(drafts))


def _sentences(words: Words) -> Iterator[Words]:
    """Split at full stops, "then" and the like."""
    start = 0
    for index, word in enumerate(words):
        if word.quoted:
            continue
        after_that = words[index : index + 2] == ("after", "that")
        if word == STOP or word in STEP_WORDS or after_that:
            if word == "next" and words[index + 1 : index + 2] == ("to",):
                continue
            if courteous(words[start:index]):
                yield courteous(words[start:index])
            start = index + (2 if after_that else 1)
    if courteous(words[start:]):
        yield courteous(words[start:])


def _parts(words: Words) -> Iterator[Words]:
    """Split a sentence where a joint is followed by a verb, a keep-clause or a new statement."""
    start = 0
    for index, word in enumerate(words):
        if index <= start or word.quoted or words[:2] == ("instead", "of"):
            continue
        bare_keep = (
            word == "without" and words[index + 1 : index + 2] and words[index + 1] in CHANGING
        )
        bare_keep = bare_keep or (
            word in ("keeping", "leaving") and not starts_noun_phrase(words[:0])
        )
        if word not in SOFT_BREAKS and not bare_keep:
            continue
        after = words[index:] if bare_keep else words[index + 1 :]
        while after and (after[0] in SOFT_BREAKS or after[0] in FILLERS):
            after = after[1:]
        if not after:
            continue
        courtly = courteous(after)
        known = verb_at(words[start:]) is not None or bool(_MODALS & set(words[start:index]))
        if (
            _keeps(after)
            or begins_clause(after)
            or (courtly != after and begins_clause(courtly))
            or (known and starts_noun_phrase(after) and _is_statement(after))
        ):
            yield courteous(words[start:index])
            start = index if bare_keep else index + 1
    rest = words[start:]
    yield rest if _keeps(rest) else courteous(rest)


def _is_statement(words: Words) -> bool:
    """Tell whether a "should" follows before the next joint."""
    for word in words[1:12]:
        if word in SOFT_BREAKS:
            return False
        if word in _MODALS:
            return True
    return False


def _keeps(words: Words) -> bool:
    """Tell whether a clause says only what must stay as it is."""
    while words and (words[0] in SOFT_BREAKS or words[0] in FILLERS):
        words = words[1:]
    if not words:
        return False
    if words[0] in KEEPING:
        return words[:2] != ("leave", "out") and words[:2] != ("leaving", "out")
    if words[:2] == ("do", "not") or words[:1] == ("not",) or words[:2] == ("nothing", "else"):
        return True
    if words[0] == "without" and len(words) > 1 and words[1] in CHANGING:
        return True
    if words[:2] == ("no", "other") or words[:3] == ("with", "no", "other"):
        return True
    if words[0] in ("everything", "all", "the") and words[1:2] and words[1] in ("else", "rest"):
        return bool(UNCHANGED & set(words[2:6])) or words[-2:] in (("as", "is"), ("it", "is"))
    return words[-3:] in (("stay", "the", "same"), ("remains", "the", "same"), ("as", "it", "is"))


def _kept(words: Words) -> Drafts:
    """Return what a keep-clause points at, so that "everything else" after it has a meaning."""
    while words and (words[0] in SOFT_BREAKS or words[0] in FILLERS):
        words = words[1:]
    if not words or words[0] not in KEEPING:
        return []
    name = words[1:]
    for end in range(1, len(name)):
        if name[end] in UNCHANGED or name[end : end + 2] in (
            ("as", "it"),
            ("as", "is"),
            ("in", "colour"),
        ):
            name = name[:end]
            break
    references = read_references(name) or []
    return [Draft(reference=r, change=None) for r in references if not (r.rest or r.whole_image)]


def _kept_in_colour(words: Words) -> Drafts:
    """Read "keep only the flower in colour": the rest becomes greyscale."""
    if words[0] not in KEEPING or words[-2:] != ("in", "colour"):
        return None
    references = read_references(words[1:-2])
    if not references:
        return None
    turned = [replace(r, target=replace(r.target, inverted=True)) for r in references]
    return [Draft(reference=reference, change=_GREY) for reference in turned]


def read_clause(words: Words) -> Drafts:
    """Read one clause: the pattern of its verb, over parts that share the verb where need be."""
    words = courteous(words)
    if not words:
        return None
    if words[0].endswith("ly") and words[0] in DEGREE_WORDS and verb_at(words[1:]) is not None:
        words = (*words[1:], words[0])
    drafts = read_instead(words, read_clause)
    if drafts:
        return drafts
    if words[0] == "without" and len(words) > 1:
        return removed(words[1:])
    found = verb_at(words)
    verb, length = found if found is not None else (None, 0)
    rest = words[length:]
    apart = separated(words)
    if apart is not None and length == 1:
        verb, rest = apart
    reader = reader_of(verb)
    drafts = None
    if verb is None or verb.frame in GAPPING:
        drafts = _sharing_a_verb(reader, rest, strict=verb is not None and verb.frame == "add")
    drafts = drafts or reader(rest) or loosely(verb, rest) or _carried_on(reader, rest)
    if not drafts and verb is not None:
        drafts = reader_of(None)(words)
    return drafts


def _breaks(words: Words) -> list[tuple[int, int]]:
    """Return start and end of each run of "and" and commas."""
    runs: list[tuple[int, int]] = []
    index = 1
    while index < len(words):
        end = index
        while end < len(words) and words[end] in SOFT_BREAKS and not words[end].quoted:
            end += 1
        if end > index:
            runs.append((index, end))
        index = max(end, index + 1)
    return runs


def _sharing_a_verb(reader: Reader, words: Words, *, strict: bool) -> Drafts:
    """Read "the sky darker and the flower purple": parts that share the verb before them.

    ``strict`` asks that what stands before a joint names a place, as an added thing's host.
    """
    drafts: list[Draft] = []
    start = 0
    for index, after in _breaks(words):
        if index <= start or not starts_noun_phrase(words[after:]):
            continue
        if "between" in words[max(start, index - 6) : index] and after - index == 1:
            continue
        if not _reads_on(reader, words[after:]):
            continue
        read = reader(words[start:index])
        if read and not (strict and any(draft.reference.whole_image for draft in read)):
            drafts += read
            start = after
    if not drafts:
        return None
    last = reader(words[start:])
    return drafts + last if last else None


def _reads_on(reader: Reader, words: Words) -> bool:
    """Tell whether a part of its own begins the words, up to one of the next joints."""
    ends = [start for start, _ in _breaks(words)][:3]
    return any(reader(words[:end]) for end in (*ends, len(words)))


def _carried_on(reader: Reader, words: Words) -> Drafts:
    """Read "the chair blue and the table too": the same change for one more thing."""
    for index, after in _breaks(words):
        drafts = reader(words[:index])
        more = read_references(words[after:])
        if drafts and more:
            return drafts + [replace(drafts[-1], reference=reference) for reference in more]
    return None
