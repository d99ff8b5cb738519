"""What a detector is asked: the words that can be seen, without those that choose or relate.

"the left wooden chair next to the lamp" asks for "wooden chair" and for "lamp"; that it is the left
one is settled by the resolver, and that it is next to the lamp by ``relations``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from image_core.errors import InsituError
from image_core.grounding.open_vocabulary.relations import Bearing, bearing_of
from image_core.instructions import RulesConfig
from image_core.instructions.text import vocabulary
from image_core.types import Target

_SAYS_NOTHING = vocabulary("main other same only whole entire actual very own certain")
_DETERMINED = re.compile(
    r"^(?:the|an?|his|her|its|their|my|your|our|this|that|these|those|both|all|two|three|four)\b"
)
_UNFIT = re.compile(r"[.?!;:\[\]\s]+")  # a full stop or question mark would end the sub-sentence


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """One thing to look for.

    Attributes:
        text: Lower-case words for the detector ("glass of water"), no full stop.
        words: Those of them that must be seen on the thing ("glass"), in their order in ``text``.
    """

    text: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Query:
    """What to look for, and how it lies to something else.

    Attributes:
        thing: What the instruction means.
        host: What the thing is related to, when that can be looked for.
        bearing: How; None when the words relate nothing that can be checked.
        remark: What the evidence should say of a relation that cannot be checked.
    """

    thing: Phrase
    host: Phrase | None = None
    bearing: Bearing | None = None
    remark: str = ""

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """All that is looked for, the thing first."""
        return (self.thing,) if self.host is None else (self.thing, self.host)


def query_of(target: Target) -> Query | None:
    """Return what to look for; None when the target names nothing.

    A relation to something with an article ("of the cat", "next to a lamp") is checked on that
    thing's own detections. One without ("of water", "with stripes") belongs to the thing's name and
    goes to the detector with it.
    """
    if target.pronoun or not target.phrase:
        return None
    thing = _phrase(target)
    if not thing.text:
        return None
    relation = _UNFIT.sub(" ", target.relation.lower()).strip()
    if not relation:
        return Query(thing=thing)
    bearing, rest = bearing_of(relation)
    if not _DETERMINED.match(rest):
        return Query(thing=Phrase(text=f"{thing.text} {relation}", words=thing.words))
    host = _host(rest)
    if bearing is None or host is None:
        return Query(thing=thing, remark=f"'{relation}' was not checked")
    return Query(thing=thing, host=host, bearing=bearing)


def _phrase(target: Target) -> Phrase:
    """Put colours and adjectives before the noun, in the order in which they were said."""
    said = target.phrase.lower()
    describing = [
        word
        for word in (*target.colours, *target.attributes)
        if word.lower() not in _SAYS_NOTHING and not word.lower().startswith(("in ", "at "))
    ]
    describing.sort(key=lambda word: said.find(word.lower()))
    noun = target.noun or ("" if target.relation else target.phrase)
    words = _UNFIT.sub(" ", " ".join([*describing, noun]).lower()).split()
    return Phrase(text=" ".join(words), words=tuple(words))


def _host(words: str) -> Phrase | None:
    """Read the noun phrase after a preposition; None when it is none."""
    try:
        steps = RulesConfig().build().parse(f"remove {words}").steps
    except InsituError:
        return None
    if len(steps) != 1 or steps[0].target.pronoun or not steps[0].target.noun:
        return None
    return _phrase(steps[0].target)
