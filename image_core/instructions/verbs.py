"""Which verb asks for which kind of clause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from image_core.instructions.lexicon import COLOUR_NOUNS
from image_core.instructions.noun_phrase import starts_noun_phrase
from image_core.instructions.text import Word, Words, vocabulary

Frame = Literal[
    "make", "paint", "change", "replace", "substitute", "remove", "take", "add", "give", "dress",
    "cover", "fill", "apply", "want", "more", "less", "tone", "filter", "colour", "attribute",
    "style", "mix", "find", "imagine", "set", "clear",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Verb:
    """A verb of the grammar.

    Attributes:
        frame: What kind of clause follows it.
        value: What it does by itself: "saturation" for "desaturate", "white" for "whiten".
        amount: How much, signed.
    """

    frame: Frame
    value: str = ""
    amount: float = 1.0


_TABLE = {
    Verb(frame="make"): "make, turn, get, colour in",
    Verb(frame="paint"): """
        paint, render, colour, dye, tint, recolour, colourise, repaint, stain, shade, spray,
        spray-paint, redraw, draw, sketch, re-colour, spray paint, do, hue, restyle, depict,
        reimagine, show, illustrate, portray, re-render, tone
    """,
    Verb(frame="change"): """
        change, convert, transform, alter, modify, switch, morph, edit, adjust, transmute, turn
        out, bring, update
    """,
    Verb(frame="replace"): """
        replace, swap, exchange, swap out, switch out, trade, interchange, change out
    """,
    Verb(frame="substitute"): "substitute",
    Verb(frame="remove"): """
        remove, delete, erase, eliminate, get rid of, take away, take out, take off, cut out, wipe
        out, wipe away, crop out, edit out, photoshop out, drop, lose, hide, discard, strip, clean
        up, wipe, dispose of, scrub, cross out, eradicate, do away with, pull out, throw out, rub
        out, crop off, clone out, airbrush out, scrub out, clean away, omit, exclude, throw away,
        ditch, scrap, nuke, zap, kill, drain, suck, retouch, i would rather not see, i would
        rather not have, i could do without, i can do without, we could do without,
        i do not want, i do not want to see, i do not want to have, i would not like, we do not
        want, leave out, get out, i do not need, i do not like, bin, dump, take down, chop off,
        cut off, shop out, mask out, filter out, retouch out, rip out, kick out, i never want to
        see
    """,
    Verb(frame="clear"): "clear, empty",
    Verb(frame="take"): "take",
    Verb(frame="add"): """
        add, put, place, throw, insert, include, hang, stick, lay, attach, install, plant, mount,
        position, sit, stand, seat, throw in, park, introduce, drop in, put in, draw in, paint in,
        overlay, pin, create, generate, set down, scatter, float, sprinkle, rest, slip, lean, tie
    """,
    Verb(frame="give"): "give, grant, lend",
    Verb(frame="dress"): "dress",
    Verb(frame="cover"): """
        cover, wrap, decorate, coat, clad, drape, adorn, encase, upholster, carpet, overgrow,
        sheathe
    """,
    Verb(frame="fill"): """
        fill, texture, pattern, tile, fill in, retexture, re-texture, wallpaper, texturise
    """,
    Verb(frame="apply"): "apply, use",
    Verb(frame="set"): "set",
    Verb(frame="want"): """
        see, want, i want, i would like, i would prefer, i need, i wish, we want, we would like,
        let, have, i would love, can i have, could i have, can we have,
        could we have, could we try, can we try, try, i will have, we need, i prefer, i would want
    """,
    Verb(frame="more"): """
        increase, raise, boost, enhance, turn up, bump up, crank up, strengthen, amplify,
        intensify, improve, ramp up, pump up, push, lift, up, dial up, elevate, heighten,
        maximise, maximize
    """,
    Verb(frame="more", amount=2.0): "double, triple",
    Verb(frame="less"): """
        decrease, lower, reduce, turn down, dial down, weaken, diminish, cut, minimise, minimize,
        lessen, drop down, bring down, halve, dial back, tone down, pull down, soften up
    """,
    Verb(frame="tone", value="brightness"): """
        brighten, lighten, illuminate, light up, brighten up, lighten up, light, lift up
    """,
    Verb(frame="tone", value="brightness", amount=-1): """
        darken, dim, darken down, underexpose, shade down
    """,
    Verb(frame="tone", value="saturation"): "saturate, enrich, oversaturate, liven up, enliven",
    Verb(frame="tone", value="saturation", amount=-1): """
        desaturate, mute, fade, dull, tone down, wash out, subdue
    """,
    Verb(frame="tone", value="warmth"): "warm, warm up",
    Verb(frame="tone", value="warmth", amount=-1): "cool, cool down, cool off",
    Verb(frame="filter", value="blur"): "blur, blur out, defocus, unfocus, soften, smooth, smear",
    Verb(frame="filter", value="sharpen"): "sharpen, sharpen up, crispen, unblur, deblur, focus",
    Verb(frame="filter", value="pixelate"): """
        pixelate, pixelise, pixelize, pixellate, censor, mosaic, anonymise
    """,
    Verb(frame="filter", value="grayscale"): """
        greyscale, decolourise, decolorize, decolorise, monochrome
    """,
    Verb(frame="filter", value="sepia"): "sepia",
    Verb(frame="filter", value="invert"): "invert, negate, reverse",
    Verb(frame="colour", value="white"): "whiten, bleach",
    Verb(frame="colour", value="black"): "blacken",
    Verb(frame="colour", value="red"): "redden",
    Verb(frame="colour", value="gold"): "gild",
    Verb(frame="style"): "stylise, stylize, re-imagine, restyle",
    Verb(frame="style", value="cartoon"): "cartoonify, cartoonise, cartoonize",
    Verb(frame="mix"): "mix, blend, combine, merge, cross, fuse",
    Verb(frame="find"): """
        find, here is, select, look at, locate, pick, choose, spot, identify, focus on, consider,
        go to
    """,
    Verb(frame="imagine"): """
        what if, imagine, suppose, picture, pretend, what would it look like if, imagine if, if,
        envision, visualise, visualize, imagine that, suppose that, pretend that, what about, how
        about, what happens if, what would happen if, how would it look if, say, what would it be
        like if, how would it be if, see what it looks like if, let me see, show me, assume, could
        we see, can, can we see, i wonder what it would look like if, what, how, could, should,
        would, assuming, let us pretend, let us imagine, let us say, let us suppose
    """,
    Verb(frame="attribute", value="bigger"): "enlarge, embiggen",
    Verb(frame="attribute", value="smaller"): "shrink",
    Verb(frame="attribute", value="frozen"): "freeze",
    Verb(frame="attribute", value="melting"): "melt",
    Verb(frame="attribute", value="older"): "age",
    Verb(frame="attribute", value="rusty"): "rust",
    Verb(frame="attribute", value="open"): "open",
    Verb(frame="attribute", value="closed"): "close, shut",
    Verb(frame="attribute", value="straight"): "straighten",
    Verb(frame="attribute", value="curly"): "curl",
    Verb(frame="attribute", value="shiny"): "polish, shine",
    Verb(frame="attribute", value="clean"): "clean, wash",
    Verb(frame="attribute", value="younger"): "rejuvenate",
    Verb(frame="attribute", value="thinner"): "slim",
    Verb(frame="attribute", value="fluffy"): "fluff up",
    Verb(frame="attribute", value="broken"): "break, shatter, smash",
    Verb(frame="attribute", value="burning"): "burn, ignite",
    Verb(frame="attribute", value="wet"): "wet, soak",
    Verb(frame="attribute", value="dry"): "dry",
    Verb(frame="attribute", value="dirty"): "dirty",
    Verb(frame="attribute", value="wrinkled"): "wrinkle, crumple",
    Verb(frame="attribute", value="torn"): "tear",
    Verb(frame="attribute", value="lit"): "switch on, turn on",
    Verb(frame="attribute", value="unlit"): "switch off, turn off",
    Verb(frame="attribute", value="bald"): "shave",
}  # fmt: skip
_VERBS = {tuple(name.split()): verb for verb, names in _TABLE.items() for name in names.split(",")}
_LONGEST = max(len(name) for name in _VERBS)
# As often nouns or adjectives: inside a sentence they count as verbs only before an object.
_ALSO_NOUNS = vocabulary(
    """
    turn paint colour dye tint stain shade spray sketch show switch swap trade drop strip wipe
    clear empty take put place stick lay plant mount position sit stand seat rest lean tie park
    pin dress cover wrap coat drape carpet fill texture pattern tile use set want let have
    increase raise boost push lift up double decrease lower cut light dim fade dull warm cool blur
    focus smooth censor sepia mix blend cross pick spot if say can picture what how could should
    would age rust open close curl polish clean slim wash break burn wet dry dirty wrinkle tear
    tone change get hide lose update bring scatter float slip leave shine draw monochrome mosaic
    try reverse
    greyscale hue render edit exchange
    """
)
_AFTER_PARTICLE = vocabulary("of from for with by to a slightly much")
_SPLIT_PARTICLES = vocabulary("up down out away off")


def verb_at(words: Words) -> tuple[Verb, int] | None:
    """Read the verb that the words begin with: the verb and how many words it takes."""
    for length in range(min(_LONGEST, len(words)), 0, -1):
        verb = _VERBS.get(tuple(words[:length]))
        if verb is not None and not words[0].quoted:
            return verb, length
    return None


def separated(words: Words) -> tuple[Verb, Words] | None:
    """Read a verb whose particle stands behind its object: "turn the brightness up by 10 %"."""
    for at in range(2, len(words)):
        verb = _VERBS.get((words[0], words[at])) if words[at] in _SPLIT_PARTICLES else None
        after = words[at + 1 :]
        if words[at : at + 3] == ("out", "of", "focus"):
            continue
        if verb is None or (after and not (after[0] in _AFTER_PARTICLE or after[0].endswith("%"))):
            continue
        if after[:1] == ("of",):
            after = (Word("from"), *after[1:])
        return verb, (*words[1:at], *after)
    return None


def begins_clause(words: Words) -> bool:
    """Tell whether words in the middle of a sentence begin a new clause with a verb of its own."""
    found = verb_at(words)
    if found is None:
        return False
    rest = words[found[1] :]
    if words[0] not in _ALSO_NOUNS or found[1] > 1:
        return True
    if found[0].frame == "want" and not starts_noun_phrase(rest):
        return False
    particle = rest[1:] if rest[:1] and rest[0] in _SPLIT_PARTICLES else rest
    return starts_noun_phrase(particle) or (bool(particle) and particle[0] in COLOUR_NOUNS)
