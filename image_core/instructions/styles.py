"""Words for patterns, surfaces and styles: "with red stripes", "as an oil painting"."""

from __future__ import annotations

from image_core.colour_names import is_colour_word
from image_core.instructions.drafts import Change
from image_core.instructions.lexicon import DETERMINERS
from image_core.instructions.noun_phrase import strip_determiners, thing
from image_core.instructions.nouns import SHAPE_NOUNS, describes, singular
from image_core.instructions.positions import preposition_at
from image_core.instructions.text import Words, spoken, vocabulary

_PATTERN_ADJECTIVES = vocabulary(
    """
    striped stripy stripey chequered polka-dot polka-dotted dotted plaid tartan floral paisley
    camouflage camouflaged pinstriped zebra-striped tie-dye tie-dyed patterned zigzag herringbone
    houndstooth chevron checkerboard flowery argyle gingham tiled tie-dye
    """
)
_PATTERN_NOUNS = vocabulary(
    """
    stripe dot polka-dot check chequer square pinstripe zigzag chevron pattern texture print motif
    checkerboard tartan plaid camouflage paisley wallpaper houndstooth herringbone swirl mosaic
    tile hatching crosshatch argyle gingham diamond
    """
)
# One of these is a thing and its shape; several make a pattern.
_SHAPES = SHAPE_NOUNS | vocabulary("diamond dot")
_UNPATTERNED = vocabulary("plain unpatterned")
_SURFACES = vocabulary(
    """
    brick bricks cobblestone cobblestones planks parquet scales graffiti fabric bark waves
    """
)
_STYLE_HEADS = vocabulary(
    """
    painting drawing sketch cartoon watercolour watercolours illustration anime comic caricature
    manga fresco engraving etching woodcut collage artwork portrait impressionism cubism
    impressionist cubist surrealism surrealist expressionism pointillism pointillist ukiyo-e
    doodle lithograph gouache poster lego claymation origami graffiti 3d-render render rendering
    linocut cyberpunk steampunk tapestry pop-art pixel-art line-art stained-glass vaporwave
    pastels crayon crayons ghibli watercoloured art minecraft blueprint silhouette woodblock
    hologram acrylics pencil charcoal mosaic postcard still-life lego-set engraving
    photograph-negative tattoo papercut paper-cut emoji polaroid film-still daguerreotype fauvism
    fauvist baroque rococo renaissance disney pixar figurine vector
    """
)
_NOT_IN_STYLES = vocabulary("as into to is are make turn with on while but")
_STYLE_ADJECTIVES = vocabulary(
    """
    cartoonish cartoony painterly hand-drawn hand-painted sketchy impressionistic comic-like
    cartoon-like painted drawn cel-shaded low-poly
    """
)
_BARE_MEDIA = vocabulary(
    """
    watercolour watercolours oil oils pencil charcoal ink gouache pastel pastels acrylic acrylics
    crayon crayons
    """
)
MATERIALS = vocabulary(
    """
    wood wooden metal metallic plastic glass leather stone marble ceramic concrete steel iron
    rubber paper cardboard cotton silk satin velvet wool woollen woolen denim crystal porcelain
    clay granite ice chocolate gold silver bronze copper brass bamboo lego straw diamond diamonds
    obsidian jade fabric felt fur candy gingerbread cheese sand brick bricks lace wicker tin
    chrome knitted jelly cake crystals gemstones terracotta wax water lava gingerbread bread fruit
    glassy
    """
)
_MADE = vocabulary("painted drawn made created sketched rendered done shot")


def read_texture(words: Words) -> Change | None:
    """Read "striped", "with red polka dots", "a wooden texture", "a leopard print"."""
    while words and words[0] in ("with", "have", "in", "of", "by", "covered", "decorated", "using"):
        words = words[1:]
    bare = strip_determiners(words)
    if bare and bare[-1] in ("design", "fabric", "wallpaper") and len(bare) > 1:
        bare = bare[:-1] if bare[-2] in _PATTERN_ADJECTIVES else bare
    if not bare or len(bare) > 8 or not _is_description(bare[:-1]):
        return None
    adjective = bare[-1] in _PATTERN_ADJECTIVES and all(map(_qualifies, bare[:-1]))
    leading = bare[0] in _PATTERN_ADJECTIVES and all(map(_qualifies, bare[1:]))
    noun = singular(bare[-1])[0] in _PATTERN_NOUNS and bare[-1] not in _SHAPES
    unpatterned = len(bare) == 1 and bare[0] in _UNPATTERNED
    if adjective or (leading and bare[-1] not in _SHAPES) or noun or unpatterned:
        return Change(kind="texture", operation="fill", value=spoken(bare))
    return None


def _qualifies(word: str) -> bool:
    """Tell whether a word beside "striped" can describe the pattern, unlike a noun."""
    return word in ("and", ",") or is_colour_word(word) or describes(word)


def _is_description(words: Words) -> bool:
    """Tell whether words before a pattern belong to its description, with no verb or place."""
    barred = ("with", "of", "for", "is")
    return not any(
        word in barred or word in DETERMINERS or preposition_at((word,), 0) for word in words
    )


def is_surface(words: Words) -> bool:
    """Tell whether the words name something that can cover a thing like a pattern."""
    return bool(words) and (words[-1] in _SURFACES or words[-1] in MATERIALS - {"ice", "fur"})


def read_style(words: Words) -> Change | None:
    """Read "in the style of Van Gogh", "as an oil painting", "watercolour style"."""
    marked = False
    while words and words[0] in (
        "in",
        "as",
        "like",
        "into",
        "using",
        "with",
        "a",
        "an",
        "the",
        "if",
    ):
        marked = marked or words[0] in ("in", "as", "like", "using")
        words = words[1:]
    for phrase in (("style", "of"), ("manner", "of"), ("styles", "of"), ("way", "of")):
        if words[:2] == phrase and len(words) > 2:
            return Change(kind="style", value=thing(words[2:]))
    made = _read_made(words)
    if made is not None:
        return made
    if marked and len(words) > 1 and words[-1] in ("would", "did"):
        return Change(kind="style", value=thing(words[:-1]))
    words = words[1:] if words[:1] == ("more",) else words
    if not words or len(words) > 8 or any(word in _NOT_IN_STYLES for word in words):
        return None
    if "style" in words[1:-1]:
        return Change(kind="style", value=spoken(words[: words.index("style")]))
    looks = ("style", "fashion", "aesthetic", "technique", *(("look", "vibe") if marked else ()))
    if words[-1] in looks and len(words) > 1:
        value = words[:-1]
        value = value[:-1] if value[-1] == "'s" else value
        return Change(kind="style", value=spoken(value))
    if words[:2] == ("something", "by") or words[:2] == ("something", "from"):
        return Change(kind="style", value=thing(words[2:]))
    if words[-1].endswith("-style"):
        return Change(kind="style", value=spoken(words).lower().removesuffix("-style"))
    if len(words) > 2 and words[-3:-1] == ("style", "of"):
        return None
    if len(words) == 1 and words[0] in _STYLE_ADJECTIVES:
        return Change(kind="style", value=spoken(words))
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


def _read_made(words: Words) -> Change | None:
    """Read "it was painted by Monet", "drawn in crayon"."""
    told = words[:1] == ("it",) and words[1:2] and words[1] in ("was", "were", "is", "had")
    rest = words[2:] if told else words
    rest = rest[1:] if rest[:1] == ("been",) else rest
    if len(rest) < 3 or rest[0] not in _MADE:
        return None
    if rest[1] == "by" or (told and rest[1] in ("in", "with", "as")):
        return Change(kind="style", value=thing(rest[2:]))
    return read_style(rest[1:]) if rest[1] in ("in", "with", "as") else None
