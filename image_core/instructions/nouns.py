"""What a word's form tells: number of a noun, and whether a word looks like an adjective."""

from __future__ import annotations

from image_core.colour_names import is_colour_modifier, is_colour_word
from image_core.instructions.lexicon import ORDINALS, PLACES, SIZES
from image_core.instructions.text import vocabulary

_IRREGULAR = {
    "people": "person", "children": "child", "feet": "foot", "teeth": "tooth", "geese": "goose",
    "mice": "mouse", "oxen": "ox", "leaves": "leaf", "knives": "knife", "wolves": "wolf",
    "loaves": "loaf", "shelves": "shelf", "bookshelves": "bookshelf", "halves": "half",
    "scarves": "scarf", "hooves": "hoof", "calves": "calf", "elves": "elf", "wives": "wife",
    "thieves": "thief", "buses": "bus", "lenses": "lens", "gases": "gas", "cacti": "cactus",
    "irises": "iris", "shoes": "shoe", "toes": "toe", "canoes": "canoe", "horseshoes": "horseshoe",
    "cookies": "cookie", "movies": "movie", "ties": "tie", "pies": "pie", "brownies": "brownie",
    "hoodies": "hoodie", "selfies": "selfie", "smoothies": "smoothie", "zombies": "zombie",
    "axes": "axe", "canvases": "canvas", "mattresses": "mattress", "octopuses": "octopus",
    "potatoes": "potato", "tomatoes": "tomato", "handkerchiefs": "handkerchief", "fungi": "fungus",
    "moustaches": "moustache", "headaches": "headache", "birdies": "birdie", "collies": "collie",
    "huskies": "husky",
}  # fmt: skip
_PLURAL_ONLY = vocabulary(
    """
    glasses sunglasses eyeglasses trousers pants jeans shorts scissors clothes pyjamas pajamas
    goggles binoculars headphones tights leggings tongs pliers overalls dungarees spectacles
    headquarters noodles
    """
)
_NO_PLURAL = vocabulary(
    """
    bus gas lens canvas iris atlas tennis octopus virus cactus asparagus christmas series species
    circus campus bonus citrus hibiscus crocus news mars paris texas always perhaps
    """
)
_SAME = vocabulary("sheep fish deer moose aircraft spacecraft")
_ADJECTIVES = vocabulary(
    """
    long short tall wide narrow thick thin flat round square oval curved straight curly wavy bald
    old young new ancient modern fresh dry wet dirty clean hot cold warm cool frozen soft hard
    rough smooth shiny glossy matte matt dull bright dark light pale deep vivid faded worn torn
    broken open closed empty full heavy strong weak fat slim skinny thin cute pretty beautiful
    ugly nice lovely elegant fancy plain simple happy sad angry scared surprised calm serious
    asleep awake alive dead wild tame real fake old-fashioned vintage antique retro futuristic
    gothic rustic rich poor clear transparent translucent opaque see-through solid hollow metallic
    plastic metal glass leather stone marble ceramic concrete steel iron tin rubber paper
    cardboard cotton silk satin velvet wool woollen woolen denim linen lace knitted crystal
    porcelain clay stained granite wood wooden golden oaken framed parked potted abstract visible
    other same different main whole entire single nearest closest farthest furthest nearby far
    near lone evil good bad high low loose tight blank bare naked ripe raw burnt crisp lush
    overcast sunny foggy misty stormy cloudy rainy snowy windy starry moonlit blond female male
    adult teenage young elderly mechanical robotic neon chubby bushy sleek bloody crimson gigantic
    majestic magical upright upside-down front rear back outer inner upholstered striped spotted
    dotted chequered plaid floral tartan polka-dot polka-dotted wintry autumnal gloomy bizarre
    ornate mirror mirrored reflective iridescent holographic sparkly glowing shaggy furry fluffy
    sleepy tired friendly scary lifelike realistic photorealistic surreal calmer grumpy rugged
    aged medieval victorian tropical arctic alien human feline canine obese muscular giant tiny
    evening pixelated blurry sharp grand bearded pregnant square-shaped sandy grassy rocky healthy
    rotten feathery watery fiery slippery sick adorable vivid dramatic cheerful wrinkled crumpled
    messy neat tidy spiky slimy sticky
    """
)  # fmt: skip
_NOT_ADJECTIVES = vocabulary(
    """
    everything anything something nothing bed shed seed weed reed sled thread bread head forehead
    bedspread toy boy baby lady city party candy daisy cherry berry strawberry blueberry raspberry
    cranberry body belly puppy kitty teddy bunny pony donkey monkey turkey key sky tray jay ray
    day way runway driveway railway subway highway hallway doorway bay clay hay display jersey
    chimney trolley lily ivy poppy pansy peony jelly curry gravy pastry honey money whiskey
    cookery pottery jewelry jewellery balcony canopy butterfly fly library factory gallery bakery
    grocery battery family country story diary cemetery ferry lorry buggy hoody hockey derby navy
    army enemy fairy mummy daddy granny study entry alley valley copy body nappy tummy ruby story
    ebony ivory trophy galaxy century spray building painting ceiling wedding ring earring wing
    string king spring swing clothing lighting drawing sibling duckling railing icing frosting
    pudding stocking evening morning topping awning flooring herring thing being bedding fencing
    parking dining living washing swimming sewing ironing shopping cutting hunting boxing crossing
    landing lettering wiring rigging siding metal animal medal hospital petal pedal crystal coral
    opal cereal signal canal festival traffic tunic topic relic arrival table vegetable cable
    constable olive hive dive drive archive locomotive detective lettuce surface face place marble
    bubble fabric plastic picnic attic mosaic comic music lilac garlic clinic fish dish radish
    bush brush candle towel kitchen garden chicken linen oven raven women men children curtain pen
    hen queen screen open even token siren heaven maiden toddler elephant plant ant leash bulldog
    reindeer tractor motor doctor window
    """
)
# Both adjective and noun: they may end a noun phrase that has a determiner.
ALSO_NOUNS = vocabulary(
    """
    square oval metal glass paper leather stone marble plastic cotton silk wood iron crystal clay
    concrete steel ceramic denim lace light female male adult antique alien human mirror evening
    rose orange lemon peach plum snow sand moss chocolate cherry forest lavender coral pearl olive
    salmon violet sage rust jade emerald walnut chestnut apricot raspberry lime ginger cream
    charcoal slate brick caramel mint turquoise ruby sapphire amber indigo front back rear mosaic
    model
    """
)
# Of these the noun is likelier: "make the red square" lacks what it becomes.
SHAPE_NOUNS = vocabulary("square oval")
_NOUN_ENDINGS = (
    "berry", "man", "ery", "ory", "ity", "ogy", "phy", "try", "ncy", "ney", "rty", "omy", "ary",
    "cy",
)  # fmt: skip
_ADJECTIVE_ENDINGS = (
    "ful", "less", "ous", "ish", "able", "ible", "ive", "ic", "ical", "ian", "ese", "esque",
    "like", "shaped", "looking", "coloured", "style", "ed", "ing", "y", "al",
)  # fmt: skip


def singular(word: str) -> tuple[str, bool]:
    """Return a noun in the singular, and whether it was a plural.

    Nouns that have no singular ("glasses", "trousers") stay and count as one thing.
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word], True
    if word in _PLURAL_ONLY or word in _SAME or word in _NO_PLURAL:
        return word, False
    if word.endswith("men") and len(word) > 4 and word not in ("specimen", "abdomen"):
        return word[:-3] + "man", True
    if word == "men":
        return "man", True
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word, False
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y", True
    if word.endswith(("ches", "shes", "xes", "sses", "zzes", "oes")):
        return word[:-2], True
    return word[:-1], True


def is_adjective(word: str) -> bool:
    """Tell whether a word looks like an adjective: it stands in a list, or by its ending.

    Colour, size and place words are not counted; see ``describes``.
    """
    if word in _ADJECTIVES:
        return True
    if word in _NOT_ADJECTIVES or not word.replace("-", "").isalpha():
        return False
    if "-" in word:
        return word.endswith(("ed", "ing", "y", "like", "style", "free", "sized", "tone", "tech"))
    if len(word) < 5:
        return False
    return word.endswith(_ADJECTIVE_ENDINGS) and not word.endswith(_NOUN_ENDINGS)


def describes(word: str) -> bool:
    """Tell whether a word can only describe a noun, so that a noun must still follow."""
    return (
        is_adjective(word)
        or is_colour_word(word)
        or is_colour_modifier(word)
        or word in SIZES
        or word in ORDINALS
        or word in PLACES
    )
