"""The small words of the grammar: closed classes, by their part in a sentence."""

from __future__ import annotations

from image_core.instructions.text import vocabulary

DETERMINERS = vocabulary(
    """
    the a an this that these those my your his her its their our some any another
    """
)
INDEFINITE = frozenset({"a", "an", "some", "another"})
POSSESSIVES = vocabulary("my your his her its their our")
QUANTIFIERS = vocabulary("all every each both everything everyone everybody anything")
PRONOUNS = vocabulary("it this that them these those him they")
PLURAL_PRONOUNS = frozenset({"them", "these", "those", "they", "both"})
EXCEPT = (
    ("except", "for"), ("apart", "from"), ("aside", "from"), ("other", "than"), ("outside", "of"),
    ("but", "for"), ("but", "not"), ("except",), ("but",), ("besides",), ("excluding",),
    ("outside",), ("around",),
)  # fmt: skip
PICTURE = vocabulary(
    """
    picture photo photograph image scene shot pic snapshot frame screen canvas painting
    """
)
PICTURE_SURE = PICTURE - {"frame", "screen", "canvas", "painting"}
NUMBERS = vocabulary("two three four five six seven eight nine ten several many few")
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "last": -1, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
    "5th": 5, "6th": 6, "7th": 7, "8th": 8, "9th": 9, "10th": 10,
}  # fmt: skip
SIZES = {
    **dict.fromkeys(vocabulary("big large huge giant enormous massive gigantic oversized"), "big"),
    **dict.fromkeys(vocabulary("small little tiny mini miniature"), "small"),
    **dict.fromkeys(vocabulary("biggest largest bigger larger tallest hugest"), "biggest"),
    **dict.fromkeys(vocabulary("smallest smaller littlest tiniest tinier"), "smallest"),
}  # fmt: skip
PLACES = {
    **dict.fromkeys(
        vocabulary("left far-left leftmost left-most lefthand left-hand leftward"),
        "left",
    ),
    **dict.fromkeys(vocabulary("right far-right rightmost right-most right-hand"), "right"),
    **dict.fromkeys(vocabulary("top topmost top-most upper uppermost"), "top"),
    **dict.fromkeys(vocabulary("bottom bottommost bottom-most lower lowermost"), "bottom"),
    **dict.fromkeys(vocabulary("middle centre central middlemost centremost"), "middle"),
}  # fmt: skip
CORNERS = {
    f"{a}{joint}{b}": (PLACES[a], b)
    for a in ("top", "bottom", "upper", "lower")
    for b in ("left", "right")
    for joint in ("-", "")
}
PLACE_PARTS = vocabulary("side hand hand-side corner edge part half area end border third")
PLACE_DEGREES = vocabulary("very far extreme")
GROUNDS = vocabulary("background foreground distance front back backdrop")
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
    ("right", "of"), ("next", "to"), ("close", "to"), ("up", "against"), ("in", "to"),
    ("on", "top"),
    ("inside", "of"), ("on",), ("onto",), ("upon",), ("atop",), ("in",), ("into",), ("inside",),
    ("within",), ("at",), ("under",), ("underneath",), ("beneath",), ("below",), ("above",),
    ("over",), ("behind",), ("beside",), ("near",), ("by",), ("between",), ("among",), ("against",),
    ("around",), ("along",), ("across",), ("through",), ("outside",), ("beyond",), ("to",),
)  # fmt: skip
# What may follow a head noun and belong to its phrase without being a place for a new thing.
RELATIONS = vocabulary(
    "of off with without from for that which who whose wearing holding nearest closest furthest "
    "farthest facing opposite full made"
)
COLOUR_NOUNS = vocabulary("colour colours shade hue tint colouring coloration")
ASPECTS = {
    **dict.fromkeys(COLOUR_NOUNS, "colour"),
    **dict.fromkeys(vocabulary("pattern texture print"), "texture"),
    **dict.fromkeys(vocabulary("material shape expression look appearance"), "attribute"),
    **dict.fromkeys(vocabulary("style"), "style"),
}  # fmt: skip
CONDITIONS = frozenset({"season", "weather", "time"})
SOFT_BREAKS = frozenset({"and", ",", "but", "while", "plus", "whereas", "&"})
STEP_WORDS = vocabulary("then afterwards next finally lastly secondly thirdly")
FILLERS = vocabulary("also please just now then finally kindly only simply next first")
KEEPING = vocabulary(
    """
    keep keeping leave leaving preserve preserving retain retaining maintain maintaining
    """
)
UNCHANGED = vocabulary(
    """
    unchanged untouched intact same alone unaltered stay stays remain remains is unaffected
    """
)
CHANGING = vocabulary(
    """
    changing touching altering affecting modifying editing disturbing damaging
    """
)
PREFIXES = (
    "please", "kindly", "just", "now", "also", "then", "firstly", "finally", "lastly",
    "hey", "hi", "hello", "ok", "okay", "and", "so", "only", "simply", "maybe", "perhaps",
    "secondly",
    "can you", "could you", "would you", "will you", "would you mind", "can we", "could we",
    "i want to", "i want you to", "i would like to", "i would like you to", "i need you to",
    "i need to", "i wish to", "we want to", "we need to", "you should", "let us", "try to",
    "go ahead and", "help me to", "help me", "i would love to", "i would love you to",
    "i would love for you to", "your task is to", "use the tool to", "do me a favour and",
    "edit the photo so that", "edit the picture so that", "edit the image so that",
    "edit the photo so", "edit the picture so", "edit the image so", "edit it so that",
    "change the picture so that", "change the photo so that", "change the image so that",
    "edit the image to", "edit the photo to", "edit the picture to", "make it so that",
    "make it so",
    "make sure that", "make sure", "is it possible to", "please edit the photo to", "feel free to",
    "in this photo", "in this picture", "in this image", "in the photo", "in the picture",
    "in the image", "we would like to", "i am trying to", "after that", ",", "with this picture",
    "for this picture", "for this photo", "for this image", "the goal is to", "i think you should",
    "&",
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
