"""What a thing is to become: "dark blue", "much brighter", "striped", "a cat", each read as a change.

Colour words win over all, then filters, tones, patterns, styles, materials and adjectives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from image_core.colour_names import is_colour_modifier, is_colour_word, parse_colour
from image_core.instructions.amounts import DEGREE_WORDS, take_amount
from image_core.instructions.lexicon import COLOUR_NOUNS, DETERMINERS, INDEFINITE, SIZES
from image_core.instructions.noun_phrase import is_thing, strip_determiners, thing
from image_core.instructions.nouns import is_adjective, singular
from image_core.instructions.text import COMMA, Word, Words, spoken
from image_core.types import Kind

Tone = Literal["brightness", "contrast", "saturation", "warmth"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change, apart from what it is done to.

    Attributes:
        kind: What kind of edit.
        operation: Which operator; empty means the kind's own name.
        value: What the thing becomes, in words.
        amount: How much, signed.
    """

    kind: Kind
    operation: str = ""
    value: str = ""
    amount: float = 1.0


def _table(rows: dict[tuple[str, int], str]) -> dict[str, tuple[str, int]]:
    return {word: meaning for meaning, words in rows.items() for word in words.split()}


TONE_ADJECTIVES = _table({
    ("brightness", 1): "bright brighter lighter light luminous well-lit brightened sunnier lightened",
    ("brightness", -1): "dark darker dim dimmer darkened dimmed duskier shadier",
    ("contrast", 1): "contrasty contrastier punchy punchier high-contrast contrasted",
    ("contrast", -1): "flatter low-contrast hazier",
    ("saturation", 1): "vivid vibrant saturated colourful intense richer livelier oversaturated "
                       "vivider",
    ("saturation", -1): "muted dull duller faded washed-out desaturated paler subdued undersaturated",
    ("warmth", 1): "warm warmer warm-toned",
    ("warmth", -1): "cool cooler cold colder cool-toned chillier icier",
})  # fmt: skip
TONE_NOUNS = _table({
    ("brightness", 1): "brightness exposure light lighting luminosity lightness luminance",
    ("brightness", -1): "darkness shadows",
    ("contrast", 1): "contrast contrasts",
    ("saturation", 1): "saturation vibrance vibrancy vividness chroma colourfulness colours intensity",
    ("warmth", 1): "warmth temperature",
    ("warmth", -1): "coolness coldness",
})  # fmt: skip
FILTER_NOUNS = {
    **dict.fromkeys("sharpness clarity detail details definition crispness".split(), "sharpen"),
    **dict.fromkeys("blur blurriness blurring softness".split(), "blur"),
    **dict.fromkeys("pixelation pixelisation".split(), "pixelate"),
}
_FILTER_WORDS = {
    **dict.fromkeys(
        "blurry blurred blurrier blur unfocused defocused fuzzy fuzzier out-of-focus blurring "
        "bokeh".split(),
        "blur",
    ),
    **dict.fromkeys("sharp sharper crisp crisper sharpened sharpen sharpening".split(), "sharpen"),
    **dict.fromkeys(
        "pixelated pixelised pixelized pixelate pixelation pixellated blocky mosaic pixels "
        "pixelization".split(),
        "pixelate",
    ),
    **dict.fromkeys(
        "greyscale monochrome monochromatic colourless black-and-white uncoloured noir "
        "black-white".split(),
        "grayscale",
    ),
    **dict.fromkeys("sepia sepia-toned sepia-tone".split(), "sepia"),
    **dict.fromkeys("inverted negative invert inversion inverse".split(), "invert"),
}
_FILTER_PHRASES = {
    ("out", "of", "focus"): "blur", ("black", "and", "white"): "grayscale",
    ("grey", "scale"): "grayscale", ("black", "&", "white"): "grayscale", ("sepia", "tone"): "sepia",
    ("sepia", "tones"): "sepia", ("gaussian", "blur"): "blur", ("soft", "focus"): "blur",
    ("colour", "negative"): "invert", ("colour", "inversion"): "invert", ("b", "and", "w"): "grayscale",
    ("shades", "of", "grey"): "grayscale", ("shade", "of", "grey"): "", ("in", "focus"): "sharpen",
    ("photo", "negative"): "invert", ("inverted", "colours"): "invert",
    ("sepia", "toned"): "sepia", ("large", "pixels"): "pixelate", ("big", "pixels"): "pixelate",
}  # fmt: skip
_OPPOSITE_FILTER = {"blur": "sharpen", "sharpen": "blur"}
_FILTER_TAILS = frozenset("filter effect filters version tone look mode photo picture image".split())

_PATTERN_ADJECTIVES = frozenset(
    "striped stripy stripey chequered polka-dot polka-dotted dotted plaid tartan floral paisley "
    "camouflage camouflaged pinstriped zebra-striped tie-dye tie-dyed patterned zigzag herringbone "
    "houndstooth chevron checkerboard flowery argyle gingham tiled tie-dye".split()
)
_PATTERN_NOUNS = frozenset(
    "stripe dot polka-dot check chequer square pinstripe zigzag chevron pattern texture print motif "
    "checkerboard tartan plaid camouflage paisley wallpaper houndstooth herringbone swirl "
    "mosaic tile hatching crosshatch argyle gingham diamond".split()
)
_SURFACES = frozenset(
    "brick bricks cobblestone cobblestones planks parquet scales graffiti fabric bark".split()
)
_STYLE_HEADS = frozenset(
    """
    painting drawing sketch cartoon watercolour watercolours illustration anime comic caricature manga
    fresco engraving etching woodcut collage artwork portrait impressionism cubism impressionist cubist
    surrealism surrealist expressionism pointillism pointillist ukiyo-e doodle lithograph gouache
    poster lego claymation origami graffiti 3d-render render rendering linocut cyberpunk steampunk
    tapestry pop-art pixel-art line-art stained-glass vaporwave pastels crayon crayons ghibli
    watercoloured art minecraft blueprint silhouette woodblock hologram acrylics pencil charcoal
    fauvism fauvist baroque rococo renaissance disney pixar figurine vector
    """.split()
)
_BARE_MEDIA = frozenset(
    "watercolour watercolours oil oils pencil charcoal ink gouache pastel pastels acrylic acrylics "
    "crayon crayons".split()
)
_MATERIALS = frozenset(
    """
    wood wooden metal metallic plastic glass leather stone marble ceramic concrete steel iron rubber
    paper cardboard cotton silk satin velvet wool woollen woolen denim crystal porcelain clay granite
    ice chocolate gold silver bronze copper brass bamboo lego straw diamond diamonds obsidian jade
    fabric felt fur candy gingerbread cheese sand brick bricks lace wicker tin chrome knitted jelly
    cake crystals gemstones terracotta wax water lava gingerbread bread fruit glassy
    """.split()
)
_SCENES = frozenset(
    "sunset sunrise dawn dusk twilight night nighttime midnight storm thunderstorm winter summer spring "
    "autumn fall snow rain fog evening morning daytime day noon snowstorm blizzard halloween "
    "christmas".split()
)
_COMPARATIVE_COLOURS = {
    "redder": "red", "bluer": "blue", "greener": "green", "yellower": "yellow", "whiter": "white",
    "blacker": "black", "browner": "brown", "pinker": "pink", "greyer": "grey",
}  # fmt: skip
_COLOUR_FILLERS = COLOUR_NOUNS | {
    "coloured", "of", "in", "one", "ones", "paint", "tone", "all", "version", "dye", "finish",
    "hair", "coat", "lipstick",
}  # fmt: skip
_COLOUR_FILLERS -= {"hair", "coat", "lipstick"}


def read_change(words: Words) -> Change | None:
    """Read a predicate – what follows "to", "into", "is" or the thing itself – if it is a known one."""
    while words and words[-1] in (COMMA, "instead", "too", "now", "again"):
        words = words[:-1]
    while words and words[0] in ("be", "being", "become", COMMA, "completely", "entirely", "all"):
        words = words[1:]
    if not words:
        return None
    return (
        read_filter(words)
        or read_texture(words)
        or read_recolour(words)
        or read_tone(words)
        or read_style(words)
        or _read_material(words)
        or _read_adjectives(words)
    )


def read_becoming(words: Words) -> Change | None:
    """Read what something is turned into: a known change, or else another thing."""
    words = words[1:] if words[:1] == ("be",) else words
    change = read_change(words)
    if change is not None or not is_thing(words):
        return change
    bare = strip_determiners(words)
    if singular(bare[-1])[0] in _SCENES and "sky" not in bare:
        return Change(kind="attribute", value=thing(words))
    return Change(kind="replace", value=thing(words))


def read_recolour(words: Words) -> Change | None:
    """Read a colour: "a dark shade of red", "sky-blue", "rust-coloured", "red and white"."""
    colour = colour_text(words)
    return Change(kind="recolor", value=colour) if colour else None


def colour_text(words: Words) -> str:
    """Return the colour that the words name and nothing else, or the empty string."""
    kept: list[str] = []
    for word in words:
        low = word.said.lower().removesuffix("-coloured").removesuffix("-colored")
        if word in _COLOUR_FILLERS or word in DETERMINERS or word in DEGREE_WORDS:
            continue
        kept.append(_COMPARATIVE_COLOURS.get(word, low))
    if kept[:1] == ["more"]:
        kept = kept[1:]
    if not kept or len(kept) > 7:
        return ""
    if parse_colour(" ".join(kept)) is not None:
        return " ".join(kept)
    if "and" in kept[1:-1]:
        middle = kept.index("and")
        halves = [" ".join(kept[:middle]), " ".join(kept[middle + 1 :])]
        if all(parse_colour(half) is not None for half in halves):
            return " and ".join(halves)
    return ""


def read_filter(words: Words) -> Change | None:
    """Read "blurry", "black and white", "a sepia filter"."""
    words, amount = take_amount(words)
    opposite = words[:1] == ("less",)
    while words and (words[0] in INDEFINITE or words[0] in ("the", "more", "less", "in", "into")):
        words = words[1:]
    while len(words) > 1 and words[-1] in _FILTER_TAILS:
        words = words[:-1]
    words, inner = take_amount(words)
    amount = amount if inner == 1.0 else inner
    if len(words) == 1:
        operation = _FILTER_WORDS.get(words[0], "")
    elif len(words) == 2 and words[0] in ("strong", "heavy", "light", "slight", "subtle", "soft"):
        operation = _FILTER_WORDS.get(words[1], "")
        amount = 2.0 if words[0] in ("strong", "heavy") else 0.5
    else:
        operation = _FILTER_PHRASES.get(tuple(words), "")
    if opposite:
        operation = _OPPOSITE_FILTER.get(operation, "")
    return Change(kind="filter", operation=operation, amount=amount) if operation else None


def read_tone(words: Words) -> Change | None:
    """Read "a bit brighter", "less saturated", "with more contrast"."""
    words, amount = take_amount(words)
    sign = 1
    while len(words) > 1 and words[0] in ("more", "less", "with", "have", "look", "in", "too", "as"):
        sign = -sign if words[0] == "less" else sign
        words, inner = take_amount(words[1:])
        amount = amount if inner == 1.0 else inner
    if words[:1] and words[0] in INDEFINITE and words[-1:] == ("tone",):
        words = words[1:-1]
    if words[-1:] == ("toned",):
        words = words[:-1]
    if len(words) == 3 and words[1] == "and":
        first, second = TONE_ADJECTIVES.get(words[0]), TONE_ADJECTIVES.get(words[2])
        words = words[:1] if first and first == second else words
    if len(words) != 1:
        return None
    found = TONE_ADJECTIVES.get(words[0]) or TONE_NOUNS.get(words[0])
    if found is None or words[0] in ("shadows", "colours", "light", "lighting") and sign == 1:
        found = TONE_ADJECTIVES.get(words[0])
    if found is None:
        return None
    return Change(kind="tone", operation=found[0], amount=sign * found[1] * amount)


def read_texture(words: Words) -> Change | None:
    """Read "striped", "with red polka dots", "a wooden texture", "a leopard print"."""
    while words and words[0] in ("with", "have", "in", "of", "by", "covered", "decorated", "using"):
        words = words[1:]
    bare = strip_determiners(words)
    if bare and bare[-1] in ("design", "fabric", "wallpaper") and len(bare) > 1:
        bare = bare[:-1] if bare[-2] in _PATTERN_ADJECTIVES else bare
    if not bare or len(bare) > 8 or not _is_description(bare[:-1]):
        return None
    if bare[-1] in _PATTERN_ADJECTIVES or singular(bare[-1])[0] in _PATTERN_NOUNS:
        return Change(kind="texture", operation="fill", value=spoken(bare))
    return None


def _is_description(words: Words) -> bool:
    """Tell whether words before a pattern belong to its description, with no verb or place."""
    barred = ("with", "on", "of", "to", "in", "for", "is", "the")
    return not any(word in barred or word in DETERMINERS for word in words)


def is_surface(words: Words) -> bool:
    """Tell whether the words name something that can cover a thing like a pattern."""
    return bool(words) and (words[-1] in _SURFACES or words[-1] in _MATERIALS - {"ice", "fur"})


def read_style(words: Words) -> Change | None:
    """Read "in the style of Van Gogh", "as an oil painting", "like a cartoon", "watercolour style"."""
    marked = False
    while words and words[0] in ("in", "as", "like", "into", "using", "with", "a", "an", "the", "if"):
        marked = marked or words[0] in ("in", "as", "like", "using")
        words = words[1:]
    for phrase in (("style", "of"), ("manner", "of"), ("styles", "of"), ("way", "of")):
        if words[:2] == phrase and len(words) > 2:
            return Change(kind="style", value=thing(words[2:]))
    for painted in (("it", "was"), ("it", "were"), ("it", "is"), ("it", "had", "been"), ()):
        rest = words[len(painted) :]
        if words[: len(painted)] == painted and len(rest) > 2 and rest[1] == "by":
            if rest[0] in ("painted", "drawn", "made", "created", "sketched"):
                return Change(kind="style", value=thing(rest[2:]))
    if not words or len(words) > 8:
        return None
    if words[-1] in ("style", "fashion", "aesthetic", "technique") and len(words) > 1:
        value = words[:-1]
        value = value[:-1] if value[-1] == "'s" else value
        return Change(kind="style", value=spoken(value))
    if words[-1].endswith("-style"):
        return Change(kind="style", value=spoken(words).lower().removesuffix("-style"))
    if len(words) > 2 and words[-3:-1] == ("style", "of"):
        return None
    of = words.index("of") if "of" in words else len(words)
    head = words[of - 1] if of else words[0]
    head_one = singular(head)[0]
    known = head in _STYLE_HEADS or head_one in _STYLE_HEADS
    if known or (marked and len(words) == 1 and head in _BARE_MEDIA):
        if head in ("art", "render", "poster", "vector") and len(words) == 1 and head == "art":
            return None
        by = words.index("by") if "by" in words else len(words)
        return Change(kind="style", value=spoken(words[: min(of, by)] if of < by else words))
    return None


def _read_material(words: Words) -> Change | None:
    """Read "made of chocolate", "out of glass", "wooden"."""
    for phrase in (
        ("made", "out", "of"), ("made", "up", "of"), ("made", "entirely", "of"), ("built", "of"),
        ("made", "of"), ("made", "from"), ("built", "from"), ("built", "out", "of"), ("out", "of"),
        ("carved", "from"), ("carved", "out", "of"), ("constructed", "from"), ("crafted", "from"),
        ("as", "if", "made", "of"), ("cast", "in"), ("of", "pure"), ("formed", "of"),
    ):  # fmt: skip
        if words[: len(phrase)] == phrase and len(words) > len(phrase):
            stuff = thing(words[len(phrase) :])
            return Change(kind="attribute", value=f"made of {stuff}") if stuff else None
    plain = [word for word in words if word not in ("polished", "white", "black")]
    if len(plain) == 1 and plain[0] in _MATERIALS and words[0] not in DETERMINERS:
        return Change(kind="attribute", value=spoken(words))
    return None


def _read_adjectives(words: Words) -> Change | None:
    """Read "dark and stormy", "much older": adjectives, degree words and "and" only."""
    if not words or len(words) > 9:
        return None
    kept = [w for w in words if w not in ("and", COMMA, "more", "less", "most", "as", "but", "look")]
    kept = [w for w in kept if w not in DEGREE_WORDS and w not in ("a", "bit", "little", "lot")]
    if not kept or not all(_qualifies(word) for word in kept):
        return None
    if not any(is_adjective(word) or _is_comparative(word) or word in SIZES for word in kept):
        return None
    while words[0] in ("look", "as"):
        words = words[1:]
    return Change(kind="attribute", value=spoken(words))


def _qualifies(word: Word) -> bool:
    return (
        is_adjective(word)
        or _is_comparative(word)
        or word in SIZES
        or is_colour_word(word)
        or is_colour_modifier(word)
        or word in TONE_ADJECTIVES
    )


_NOT_COMPARATIVE = frozenset(
    "flower tower paper water letter dinner summer winter corner counter computer shutter finger "
    "sweater river driver singer dancer baker player poster roller runner slipper sticker toaster "
    "tiger soldier officer fisher farmer curler butter fender hanger burger shoulder sneaker planter "
    "lighter painter drawer feather leather weather father mother brother sister daughter border "
    "chamber cucumber number lumber timber ladder spider rider leader header door-opener ginger "
    "passenger hamburger messenger banner copper pepper zipper diaper newspaper amber silver over "
    "under after never ever other another together rather monster master oyster plaster blister "
    "filter otter litter glitter twitter cover lover clover glover shower power helper container "
    "trailer boiler ruler speaker cracker locker tanker printer mixer fryer layer lawyer flier "
    "character cylinder calendar peter walker user laser freezer divider gather beaver fever liver "
    "hammer trimmer lantern antler bumper jumper scooter motor rooster lobster hamster".split()
)


def _is_comparative(word: str) -> bool:
    """Tell whether a word looks like "older": a comparative that is no noun in -er."""
    if word in _NOT_COMPARATIVE or not word.endswith("er") or len(word) < 5:
        return False
    stem = word[:-2]
    stems = {stem, stem + "e", stem[:-1] + "y" if stem.endswith("i") else stem}
    if len(stem) > 3 and stem[-1] == stem[-2]:
        stems.add(stem[:-1])
    return word in ("better", "worse") or any(is_adjective(s) or s in SIZES for s in stems)


def scaled(change: Change, amount: float) -> Change:
    """Return the change with its size multiplied, direction kept."""
    return replace(change, amount=change.amount * amount)
