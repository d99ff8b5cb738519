"""The small words of the grammar: closed classes, by their part in a sentence."""

from __future__ import annotations

DETERMINERS = frozenset(
    "the a an this that these those my your his her its their our some any another".split()
)
INDEFINITE = frozenset({"a", "an", "some", "another"})
POSSESSIVES = frozenset("my your his her its their our".split())
QUANTIFIERS = frozenset("all every each both everything everyone everybody anything".split())
PRONOUNS = frozenset("it this that them these those him they".split())
PLURAL_PRONOUNS = frozenset({"them", "these", "those", "they", "both"})
EXCEPT = (
    ("except", "for"), ("apart", "from"), ("aside", "from"), ("other", "than"), ("outside", "of"),
    ("but", "for"), ("but", "not"), ("except",), ("but",), ("besides",), ("excluding",),
    ("outside",), ("around",),
)  # fmt: skip
PICTURE = frozenset(
    "picture photo photograph image scene shot pic snapshot frame screen canvas painting".split()
)
PICTURE_SURE = PICTURE - {"frame", "screen", "canvas", "painting"}

NUMBERS = frozenset("two three four five six seven eight nine ten several many few".split())
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "last": -1, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
    "5th": 5, "6th": 6, "7th": 7, "8th": 8, "9th": 9, "10th": 10,
}  # fmt: skip
SIZES = {
    **dict.fromkeys("big large huge giant enormous massive gigantic oversized".split(), "big"),
    **dict.fromkeys("small little tiny mini miniature".split(), "small"),
    **dict.fromkeys("biggest largest bigger larger tallest hugest".split(), "biggest"),
    **dict.fromkeys("smallest smaller littlest tiniest tinier".split(), "smallest"),
}  # fmt: skip
PLACES = {
    **dict.fromkeys("left leftmost left-most lefthand left-hand leftward".split(), "left"),
    **dict.fromkeys("right rightmost right-most righthand right-hand rightward".split(), "right"),
    **dict.fromkeys("top topmost top-most upper uppermost".split(), "top"),
    **dict.fromkeys("bottom bottommost bottom-most lower lowermost".split(), "bottom"),
    **dict.fromkeys("middle centre central middlemost centremost".split(), "middle"),
}  # fmt: skip
CORNERS = {
    f"{a}{joint}{b}": (PLACES[a], b)
    for a in ("top", "bottom", "upper", "lower")
    for b in ("left", "right")
    for joint in ("-", "")
}
PLACE_PARTS = frozenset("side hand hand-side corner edge part half area end border third".split())
PLACE_DEGREES = frozenset("very far extreme".split())
GROUNDS = frozenset("background foreground distance front back backdrop".split())

# Two- and three-word prepositions first, so that the longest is read.
PREPOSITIONS = (
    ("to", "the", "upper", "left", "of"), ("to", "the", "upper", "right", "of"),
    ("to", "the", "left", "of"), ("to", "the", "right", "of"),
    ("on", "the", "left", "of"), ("on", "the", "right", "of"),
    ("on", "the", "left", "side", "of"), ("on", "the", "right", "side", "of"),
    ("in", "the", "middle", "of"), ("in", "the", "centre", "of"), ("at", "the", "top", "of"),
    ("at", "the", "bottom", "of"), ("on", "the", "top", "of"), ("on", "the", "side", "of"),
    ("on", "the", "back", "of"), ("on", "the", "edge", "of"), ("at", "the", "foot", "of"),
    ("on", "top", "of"), ("in", "front", "of"), ("in", "between"), ("on", "to"), ("left", "of"),
    ("right", "of"), ("next", "to"), ("close", "to"), ("up", "against"), ("in", "to"), ("on", "top"),
    ("inside", "of"), ("on",), ("onto",), ("upon",), ("atop",), ("in",), ("into",), ("inside",),
    ("within",), ("at",), ("under",), ("underneath",), ("beneath",), ("below",), ("above",),
    ("over",), ("behind",), ("beside",), ("near",), ("by",), ("between",), ("among",), ("against",),
    ("around",), ("along",), ("across",), ("through",), ("outside",), ("beyond",), ("to",),
)  # fmt: skip
# What may follow a head noun and belong to its phrase without being a place for a new thing.
RELATIONS = frozenset("of off with without from for that which who whose wearing holding".split())

COLOUR_NOUNS = frozenset("colour colours shade hue tint colouring coloration".split())
ASPECTS = {
    **dict.fromkeys(COLOUR_NOUNS, "colour"),
    **dict.fromkeys("pattern texture print".split(), "texture"),
    **dict.fromkeys("material shape expression look appearance".split(), "attribute"),
    **dict.fromkeys("style".split(), "style"),
}  # fmt: skip
CONDITIONS = frozenset({"season", "weather", "time"})

SOFT_BREAKS = frozenset({"and", ",", "but", "while", "plus", "whereas", "&"})
STEP_WORDS = frozenset("then afterwards next finally lastly secondly thirdly".split())
FILLERS = frozenset("also please just now then finally kindly only simply next first".split())
KEEPING = frozenset(
    "keep keeping leave leaving preserve preserving retain retaining maintain maintaining".split()
)
UNCHANGED = frozenset(
    "unchanged untouched intact same alone unaltered stay stays remain remains is unaffected".split()
)
CHANGING = frozenset(
    "changing touching altering affecting modifying editing disturbing damaging".split()
)

PREFIXES = (
    "please", "kindly", "just", "now", "also", "then", "firstly", "finally", "lastly",
    "hey", "hi", "hello", "ok", "okay", "and", "so", "only", "simply", "maybe", "perhaps", "secondly",
    "can you", "could you", "would you", "will you", "would you mind", "can we", "could we",
    "i want to", "i want you to", "i would like to", "i would like you to", "i need you to",
    "i need to", "i wish to", "we want to", "we need to", "you should", "let us", "try to",
    "go ahead and", "help me to", "help me", "i would love to", "i would love you to",
    "i would love for you to", "your task is to", "use the tool to", "do me a favour and",
    "edit the photo so that", "edit the picture so that", "edit the image so that",
    "edit the photo so", "edit the picture so", "edit the image so", "edit it so that",
    "change the picture so that", "change the photo so that", "change the image so that",
    "edit the image to", "edit the photo to", "edit the picture to", "make it so that", "make it so",
    "make sure that", "make sure", "is it possible to", "please edit the photo to", "feel free to",
    "in this photo", "in this picture", "in this image", "in the photo", "in the picture",
    "in the image", "we would like to", "i am trying to", "after that", ",", "with this picture",
    "for this picture", "for this photo", "for this image", "the goal is to", "i think you should",
    "do", "instead", "&",
)  # fmt: skip
SUFFIXES = (
    "please", "for me", "thanks", "thank you", "if possible", "if you can", "now", "too", "as well",
    "in the photo", "in the picture", "in the image", "in this photo", "in this picture",
    "in this image", "in the scene", "from the photo", "from the picture", "from the image",
    "from this photo", "from this picture", "from this image", "from the scene", "only", ",",
    "in my photo", "in my picture", "completely", "entirely", "altogether", "fully", "and",
    "from my photo", "from my picture", "overall", "in photo", "from photo", "of the photo",
    "from the shot", "in the shot", "if that is possible", "a try", "would you", "could you",
    "can you", "will you", "for us",
)  # fmt: skip
