"""Noun phrases: "the second red chair from the left" taken apart into a ``Target``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from image_core.colour_names import BASIC, is_colour_modifier, is_colour_word, parse_colour
from image_core.instructions.lexicon import (
    ASPECTS,
    DETERMINERS,
    EXCEPT,
    NUMBERS,
    ORDINALS,
    PICTURE,
    PICTURE_SURE,
    PLACE_DEGREES,
    PLACE_PARTS,
    PLURAL_PRONOUNS,
    PRONOUNS,
    QUANTIFIERS,
    RELATIONS,
    SIZES,
)
from image_core.instructions.nouns import describes, is_adjective, singular
from image_core.instructions.positions import (
    places_of,
    preposition_at,
    read_whereabouts,
    starts_with,
)
from image_core.instructions.text import COMMA, POSSESSIVE, Word, Words, spoken
from image_core.types import Place, Size, Target

MAX_WORDS = 40
_NEVER_IN_ONE = frozenset(
    "i you we is are was were be been am will would can could should must do does not what why how "
    "when where if instead into".split()
)
_JOINTS = frozenset({"and", COMMA, "plus", "&", "or"})
_REST = (
    ("everything", "else"), ("all", "else"), ("the", "rest"), ("rest",), ("all", "the", "rest"),
    ("anything", "else"), ("all", "other", "things"), ("the", "other", "things"),
    ("everything", "around", "it"), ("the", "remainder"), ("all", "of", "the", "rest"),
)  # fmt: skip
_ALL_OF_IT = (
    ("everything",), ("it", "all"), ("all", "of", "it"), ("the", "whole", "thing"), ("all",),
    ("the", "entire", "thing"), ("everything", "in", "it"), ("the", "lot"),
)  # fmt: skip
_TWO_WORD_NOUNS = frozenset(
    {("top", "hat"), ("light", "bulb"), ("light", "switch"), ("light", "fixture"), ("light", "pole"),
     ("light", "house"), ("left", "turn"), ("ice", "cream"), ("hot", "dog"), ("polar", "bear"),
     ("teddy", "bear"), ("high", "heels"), ("wild", "boar"), ("golden", "retriever"),
     ("orange", "juice"), ("olive", "oil"), ("plastic", "bag"), ("paper", "bag"), ("flat", "screen"),
     ("high", "chair"), ("dry", "cleaner"), ("glass", "bottle"), ("cold", "drink")}
)  # fmt: skip
_TWO_WORD_NOUNS -= {("plastic", "bag"), ("paper", "bag"), ("glass", "bottle"), ("cold", "drink")}
# Before these, a colour word that is also a plant, food or stuff says what the thing is made of.
_NATURAL_HEADS = frozenset(
    """
    tree bush branch leaf petal garden blossom bud flower plant bouquet stem pie cake juice sauce jam
    jar tart cookie ice milkshake muffin bar field beach castle dune storm globe man ball flake path
    floor bed forest grove orchard salad soup bread ale fillet steak oil butter tea syrup candy
    biscuit slice piece peel pit tomato milk roll wedge truffle pudding drift angel
    """.split()
)
_STUFF = frozenset(
    """
    cherry rose raspberry peach apricot lemon sand caramel chocolate chestnut olive mint forest snow
    plum ginger lavender lilac mustard salmon moss lime orange cream walnut coral aubergine violet
    rust hazel
    """.split()
)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a noun phrase points at.

    Attributes:
        target: The thing.
        whole_image: The picture itself is named.
        aspect: "colour", "texture", "style" or "attribute" for "the colour of the chair".
        rest: "the rest", "everything else": all but what was named before.
        plural: A plural pronoun, which takes up all that was named before.
    """

    target: Target
    whole_image: bool = False
    aspect: str = ""
    rest: bool = False
    plural: bool = False


def starts_noun_phrase(words: Words) -> bool:
    """Tell whether the words begin as a noun phrase does, with a determiner or the like."""
    return bool(words) and (
        words[0] in DETERMINERS
        or words[0] in QUANTIFIERS
        or words[0] in PRONOUNS
        or words[:2] == ("only", "the")
    )


def strip_determiners(words: Words) -> Words:
    """Drop the determiners in front of a noun phrase."""
    while words and words[0] in DETERMINERS:
        words = words[1:]
    return words


def split_coordination(words: Words) -> list[Words]:
    """Split "the cup and the spoon" into its parts; "the red and white flag" stays whole."""
    parts: list[Words] = []
    start = 0
    for index, word in enumerate(words):
        if word not in _JOINTS or word.quoted or index <= start:
            continue
        left, right = words[start:index], words[index + 1 :]
        if right and _parts_meet(left, right):
            parts.append(left)
            start = index + 1
        elif left and right and right[0] in _JOINTS and _parts_meet(left, right[1:]):
            parts.append(left)
            start = index + 2
    parts.append(words[start:])
    return [part for part in parts if part]


def _parts_meet(left: Words, right: Words) -> bool:
    """Tell whether a thing ends and another begins at an "and"."""
    if any(excluded in left for excluded in ("except", "but", "besides", "excluding")):
        return False
    if "between" in left and not any(w in ("and", "&") for w in left[left.index("between") :]):
        return False
    bare = strip_determiners(left)
    if not bare:
        return False
    if starts_noun_phrase(right):
        return True
    if all(places_of(word) or word in ORDINALS for word in bare):
        return True
    return not describes(bare[-1]) and not (len(right) == 1 and is_adjective(right[0]))


def read_references(words: Words) -> list[Reference] | None:
    """Read one or several joined noun phrases; None when one of them is none."""
    parts = split_coordination(words)
    found = [read_reference(part) for part in parts]
    if not parts or any(one is None for one in found):
        return None
    references = [one for one in found if one is not None]
    for index in range(len(references) - 2, -1, -1):
        here, after = references[index].target, references[index + 1].target
        borrowed = here
        if not here.noun and not here.pronoun and (here.colours or here.places or here.ordinal):
            borrowed = replace(borrowed, noun=after.noun, phrase=f"{here.phrase} {after.noun}")
        if not borrowed.relation and after.relation.startswith("of "):
            borrowed = replace(
                borrowed, relation=after.relation, phrase=f"{borrowed.phrase} {after.relation}"
            )
        references[index] = replace(references[index], target=borrowed)
    return references


def read_reference(words: Words) -> Reference | None:
    """Read a noun phrase; None when the words are none."""
    words = _without_only(words)
    if not words or len(words) > MAX_WORDS:
        return None
    if words in _ALL_OF_IT or _is_everything_shown(words):
        return Reference(target=Target(), whole_image=True)
    for rest in _REST:
        if starts_with(words, rest) and _only_picture(words[len(rest) :]):
            return Reference(target=Target(inverted=True), rest=True)
    excluded = _excluded(words)
    if excluded is not None:
        inner = read_reference(excluded)
        if inner is None or inner.whole_image or inner.rest:
            return None
        return replace(inner, target=replace(inner.target, inverted=True))
    if all(w in PRONOUNS or w in ("both", "all", "of", "here") for w in words):
        return Reference(
            target=Target(pronoun=True), plural=any(w in PLURAL_PRONOUNS for w in words)
        )
    return _read_described(words)


def _without_only(words: Words) -> Words:
    while words and words[0] in ("only", "just", "simply", COMMA, "also", "even", "for"):
        words = words[1:]
    while words and words[-1] in ("only", "too", "alone", COMMA, "itself", "also", "each", "all"):
        if words in _ALL_OF_IT:
            break
        words = words[:-1]
    return words


def _is_everything_shown(words: Words) -> bool:
    return len(words) > 1 and words[0] == "everything" and _only_picture(words[1:])


def _only_picture(words: Words) -> bool:
    """Tell whether the words are empty or read "of the picture"."""
    if not words:
        return True
    bare = [w for w in words[1:] if w not in DETERMINERS and w not in ("whole", "entire")]
    return words[0] in ("of", "in") and len(bare) == 1 and bare[0] in PICTURE


def _excluded(words: Words) -> Words | None:
    """Return what "everything but …" leaves out."""
    if words[0] not in QUANTIFIERS and words[0] not in ("the", "nothing"):
        return None
    for index in range(1, min(len(words), 8)):
        if words[0] == "the" and not _only_picture(words[2:index]):
            continue
        for phrase in EXCEPT:
            if phrase in (("outside",), ("around",)) and words[0] != "everything":
                continue
            if words[index : index + len(phrase)] == phrase:
                return words[index + len(phrase) :] or None
    return None


def _read_described(words: Words) -> Reference | None:
    many = False
    pointed = words[0] == "this"
    while words:
        word = words[0]
        if word in QUANTIFIERS:
            many = many or word in ("all", "every", "each", "both")
            words = words[2:] if words[1:2] == ("of",) else words[1:]
        elif starts_with(words, ("one", "of")):
            inner = read_reference(words[2:])
            return inner and replace(inner, target=replace(inner.target, all=False))
        elif word in DETERMINERS or word == "one" and len(words) > 1:
            words = words[1:]
        else:
            break
    if not words or any(word in _NEVER_IN_ONE for word in words):
        return None
    owned = _read_owned(words)
    if owned is not None:
        return owned
    tail = _tail_start(words)
    head, where = words[:tail], read_whereabouts(words[tail:])
    if not head:
        return None
    parts = _read_head(head, followed_by_of=starts_with(where.relation, ("of",)))
    if parts is None:
        return None
    noun, plural = singular(parts.noun.rsplit(" ", 1)[-1])
    noun = " ".join([*parts.noun.split(" ")[:-1], noun]) if parts.noun else ""
    if _is_picture(parts, noun, where.relation, pointed):
        return Reference(target=Target(), whole_image=True)
    aspect = _aspect(noun, head, where.relation)
    if aspect is not None:
        return aspect
    ordinal_from: Place = where.ordinal_from or "left"
    places = tuple(dict.fromkeys((*parts.places, *where.places)))
    if where.ordinal_from and not parts.ordinal:
        places = (*places, where.ordinal_from)
    target = Target(
        phrase=spoken(words),
        noun=noun,
        colours=parts.colours,
        size=parts.size,
        places=places,
        ordinal=parts.ordinal,
        ordinal_from=ordinal_from,
        all=many or parts.number or (plural and not parts.ordinal),
        attributes=(*parts.attributes, *where.grounds),
        relation=spoken(where.relation),
    )
    return Reference(target=target)


def _read_owned(words: Words) -> Reference | None:
    """Read "the cat's left eye"; None when no owner is named."""
    owned = [i for i, word in enumerate(words) if word == POSSESSIVE]
    if not owned or owned[-1] + 1 >= len(words) or preposition_at(words, 0):
        return None
    if any(preposition_at(words, i) or words[i] in RELATIONS for i in range(owned[-1])):
        return None
    inner = _read_described(words[owned[-1] + 1 :])
    owner = words[: owned[-1]]
    if inner is None or inner.whole_image:
        return inner
    if len(owner) == 1 and owner[0] in ("it", "that", "this"):
        return inner
    article = "" if owner[0].said[:1].isupper() else "the "
    whose = f"of {article}{spoken(owner)}"
    if inner.aspect:
        reference = read_reference(owner)
        return reference and replace(reference, aspect=inner.aspect)
    if owner[-1] in PICTURE_SURE:
        return inner
    relation = f"{inner.target.relation} {whose}".strip()
    return Reference(target=replace(inner.target, phrase=spoken(words), relation=relation))


def _tail_start(words: Words) -> int:
    """Return where the head noun's phrase ends and what follows it begins."""
    for index in range(1, len(words)):
        if words[index].quoted:
            continue
        before = words[index - 1]
        if words[index] in RELATIONS:
            return index
        if preposition_at(words, index):
            if words[index] in ("left", "right") and words[index + 1 : index + 2] != ("of",):
                continue
            return index - 1 if before in ("just", "right", "directly") and index > 1 else index
        participle = words[index].endswith(("ing", "ed")) and is_adjective(words[index])
        if participle and not describes(before) and before not in DETERMINERS:
            after = words[index + 1 : index + 2]
            if not after or after[0] in DETERMINERS or preposition_at(words, index + 1):
                return index
    return len(words)


@dataclass(frozen=True, kw_only=True)
class _Head:
    noun: str
    colours: tuple[str, ...]
    size: Size | None
    places: tuple[Place, ...]
    ordinal: int
    number: bool
    attributes: tuple[str, ...]


def _read_head(words: Words, *, followed_by_of: bool) -> _Head | None:
    """Sort the words up to and with the noun."""
    colours: list[str] = []
    attributes: list[str] = []
    places: list[Place] = []
    size: Size | None = None
    ordinal = 0
    number = False
    index = 0
    while index < len(words):
        word = words[index]
        last = index == len(words) - 1
        if words[index : index + 2] in _TWO_WORD_NOUNS or word.quoted:
            break
        length = _colour_length(words, index)
        if length and not (last and word not in BASIC or last and word == "orange"):
            colours.append(_colour_text(words[index : index + length]))
            index += length
            continue
        if last and not _may_end_without_noun(words, index, followed_by_of):
            break
        if word in _JOINTS or word in PLACE_DEGREES or word in ("most", "single", "really"):
            pass
        elif word in NUMBERS:
            number = True
        elif word in ORDINALS:
            ordinal = ORDINALS[word]
        elif word in SIZES:
            size = SIZES[word]  # type: ignore[assignment]
        elif places_of(word):
            places += places_of(word)
        elif word == "hand" and places:
            pass
        elif is_adjective(word):
            attributes.append(word.said)
        else:
            break
        index += 1
    noun = " ".join(word.lower() for word in words[index:])
    if not noun and not (colours or places or ordinal or size):
        return None
    return _Head(
        noun=noun,
        colours=tuple(colours),
        size=size,
        places=tuple(dict.fromkeys(places)),
        ordinal=ordinal,
        number=number,
        attributes=tuple(attributes),
    )


def _may_end_without_noun(words: Words, index: int, followed_by_of: bool) -> bool:
    """Tell whether the last word is a place, size or ordinal that stands for the thing itself."""
    word = words[index]
    return not followed_by_of and bool(places_of(word) or word in ORDINALS or word in SIZES)


def _colour_length(words: Words, start: int) -> int:
    """Return how many words at ``start`` make one colour phrase, 0 for none."""
    best = 0
    for end in range(start + 1, min(len(words), start + 4) + 1):
        phrase = words[start:end]
        if phrase[-1] in ("coloured", "colour") and best:
            return best + 1
        if not all(is_colour_word(w) or is_colour_modifier(w) for w in phrase):
            single = phrase[-1].removesuffix("-coloured")
            if len(phrase) == 1 and single != phrase[-1] and parse_colour(single):
                best = 1
                continue
            break
        if is_colour_word(phrase[-1]) and parse_colour(" ".join(phrase)) is not None:
            best = len(phrase)
    after = words[start + best : start + best + 1]
    if best == 1 and words[start] in _STUFF and after and singular(after[0])[0] in _NATURAL_HEADS:
        return 0
    return best


def _colour_text(words: Words) -> str:
    text = " ".join(word.said.lower() for word in words if word not in ("coloured", "colour"))
    return text.removesuffix("-coloured").removesuffix("-colored")


def _is_picture(head: _Head, noun: str, relation: Words, pointed: bool) -> bool:
    plain = not (head.colours or head.places or head.ordinal or head.size or head.number)
    whole = [a for a in head.attributes if a.lower() in ("whole", "entire", "full")]
    if not plain or relation or len(whole) != len(head.attributes):
        return False
    return noun in PICTURE_SURE or (noun in PICTURE and (pointed or bool(whole)))


def _aspect(noun: str, head: Words, relation: Words) -> Reference | None:
    """Read "the colour of the chair", "the chair colour" and "its colour" as the chair itself."""
    last = noun.rsplit(" ", 1)[-1]
    aspect = ASPECTS.get(last) or ASPECTS.get(head[-1], "")
    if not aspect or not relation and last == "print":
        return None
    if relation and relation[0] in ("of", "on", "in", "for"):
        inner = read_reference(relation[1:])
    elif not relation and len(head) > 1 and not all(describes(word) for word in head[:-1]):
        inner = read_reference(head[:-1])
    elif not relation and len(head) == 1:
        inner = Reference(target=Target(pronoun=True))
    else:
        return None
    return inner and replace(inner, aspect=aspect)


def segmentation_phrase(target: Target) -> str:
    """Return the words for a segmenter: InstructEdit's segmentation prompt.

    Empty for a pronoun and for the whole picture. For "everything except the sky" it is "sky":
    the caller takes the complement, as ``target.inverted`` says.
    """
    return "" if target.pronoun else " ".join(target.phrase.split())


def thing(words: Words) -> str:
    """Return a new thing's words without the determiner ("a small fox" → "small fox")."""
    bare = strip_determiners(words)
    while bare and bare[-1] in (COMMA, "too", "please", "instead"):
        bare = bare[:-1]
    return spoken(bare)


def is_thing(words: Words) -> bool:
    """Tell whether the words can be a noun phrase with a noun in it."""
    bare = strip_determiners(words)
    if not bare or len(bare) > MAX_WORDS or any(word in _NEVER_IN_ONE for word in bare):
        return False
    head = bare[: _tail_start(bare)]
    last: Word = head[-1]
    return last not in PLACE_PARTS or len(head) > 1 or len(bare) > 1
