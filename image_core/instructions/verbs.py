"""Which verb asks for which kind of clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from image_core.instructions.lexicon import COLOUR_NOUNS
from image_core.instructions.noun_phrase import starts_noun_phrase
from image_core.instructions.text import Words

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


def _verbs() -> Iterator[tuple[str, Verb]]:
    """Yield verbs, particles included; a comma parts those of one line."""
    lines: list[tuple[str, Verb]] = [
        ("make, turn, render, get, colour in", Verb(frame="make")),
        ("paint, colour, dye, tint, recolour, colourise, repaint, stain, shade, spray, spray-paint, "
         "redraw, draw, sketch, re-colour, spray paint, hue, restyle, depict, reimagine, show, illustrate, "
         "portray, re-render, tone", Verb(frame="paint")),
        ("change, convert, transform, alter, modify, switch, morph, edit, adjust, transmute, turn out, "
         "bring, update", Verb(frame="change")),
        ("replace, swap, exchange, swap out, switch out, trade, interchange, change out",
         Verb(frame="replace")),
        ("substitute", Verb(frame="substitute")),
        ("remove, delete, erase, eliminate, get rid of, take away, take out, take off, cut out, wipe out, "
         "wipe away, crop out, edit out, photoshop out, drop, lose, hide, discard, strip, clean up, "
         "wipe, dispose of, scrub, cross out, eradicate, do away with, pull out, throw out, rub out, "
         "brush out, clone out, airbrush out, scrub out, clean away, omit, exclude, throw away, "
         "get the", Verb(frame="remove")),
        ("clear, empty", Verb(frame="clear")),
        ("take", Verb(frame="take")),
        ("add, put, place, insert, include, hang, stick, lay, attach, install, plant, mount, position, "
         "sit, stand, seat, throw in, park, introduce, drop in, put in, draw in, paint in, overlay, pin, "
         "create, generate, set down, scatter, float, sprinkle, rest, slip, lean, tie", Verb(frame="add")),
        ("give, grant, lend", Verb(frame="give")),
        ("dress", Verb(frame="dress")),
        ("cover, wrap, decorate, coat, clad, drape, adorn, encase, upholster, carpet, overgrow, sheathe",
         Verb(frame="cover")),
        ("fill, texture, pattern, tile, fill in, retexture, re-texture, wallpaper, texturise",
         Verb(frame="fill")),
        ("apply, use", Verb(frame="apply")),
        ("set", Verb(frame="set")),
        ("want, i want, i would like, i would prefer, i need, i wish, we want, we would like, let, have, "
         "i would love, we need, i prefer, i would want, leave", Verb(frame="want")),
        ("increase, raise, boost, enhance, turn up, bump up, crank up, strengthen, amplify, intensify, "
         "improve, ramp up, pump up, push, lift, up, dial up, elevate, heighten, maximise, maximize",
         Verb(frame="more")),
        ("double, triple", Verb(frame="more", amount=2.0)),
        ("decrease, lower, reduce, turn down, dial down, weaken, diminish, cut, minimise, minimize, "
         "lessen, drop down, bring down, halve, dial back, tone down, pull down, soften up",
         Verb(frame="less")),
        ("brighten, lighten, illuminate, light up, brighten up, lighten up, light, lift up",
         Verb(frame="tone", value="brightness")),
        ("darken, dim, darken down, underexpose, shade down", Verb(frame="tone", value="brightness", amount=-1)),
        ("saturate, enrich, oversaturate, liven up, enliven", Verb(frame="tone", value="saturation")),
        ("desaturate, mute, fade, dull, tone down, wash out, subdue", Verb(frame="tone", value="saturation",
                                                                         amount=-1)),
        ("warm, warm up", Verb(frame="tone", value="warmth")),
        ("cool, cool down, cool off", Verb(frame="tone", value="warmth", amount=-1)),
        ("blur, blur out, defocus, unfocus, soften, smooth, smear", Verb(frame="filter", value="blur")),
        ("sharpen, sharpen up, crispen, unblur, deblur, focus", Verb(frame="filter", value="sharpen")),
        ("pixelate, pixelise, pixelize, pixellate, censor", Verb(frame="filter", value="pixelate")),
        ("greyscale, decolourise, decolorize, decolorise, monochrome",
         Verb(frame="filter", value="grayscale")),
        ("sepia", Verb(frame="filter", value="sepia")),
        ("invert, negate, reverse", Verb(frame="filter", value="invert")),
        ("whiten, bleach", Verb(frame="colour", value="white")),
        ("blacken", Verb(frame="colour", value="black")),
        ("redden", Verb(frame="colour", value="red")),
        ("gild", Verb(frame="colour", value="gold")),
        ("stylise, stylize, re-imagine, restyle", Verb(frame="style")),
        ("cartoonify, cartoonise, cartoonize", Verb(frame="style", value="cartoon")),
        ("mix, blend, combine, merge, cross, fuse", Verb(frame="mix")),
        ("find, select, look at, locate, pick, choose, spot, identify, focus on, consider, go to",
         Verb(frame="find")),
        ("what if, imagine, suppose, picture, pretend, what would it look like if, imagine if, if, envision, "
         "visualise, visualize, imagine that, suppose that, pretend that, what about, how about, "
         "what happens if, what would happen if, how would it look if, say, what would it be like if, "
         "how would it be if, see what it looks like if, let me see, show me, assume, could we see, "
         "can we see, i wonder what it would look like if, what, how, could, should, would, assuming, "
         "let us pretend, let us imagine, let us say, let us suppose", Verb(frame="imagine")),
    ]  # fmt: skip
    for names, verb in lines:
        for name in names.split(", "):
            yield name, verb
    for state, names in {
        "bigger": "enlarge, embiggen", "smaller": "shrink", "frozen": "freeze", "melting": "melt",
        "older": "age", "rusty": "rust", "open": "open", "closed": "close, shut", "straight": "straighten",
        "curly": "curl", "shiny": "polish, shine", "clean": "clean, wash", "younger": "rejuvenate",
        "thinner": "slim", "fluffy": "fluff up", "broken": "break, shatter, smash", "burning": "burn, ignite",
        "wet": "wet, soak", "dry": "dry", "dirty": "dirty", "wrinkled": "wrinkle, crumple", "torn": "tear",
        "lit": "switch on, turn on", "unlit": "switch off, turn off", "bald": "shave",
    }.items():  # fmt: skip
        for name in names.split(", "):
            yield name, Verb(frame="attribute", value=state)


_VERBS = {tuple(name.split()): verb for name, verb in _verbs()}
_LONGEST = max(len(name) for name in _VERBS)
# Nouns or adjectives as often as verbs: inside a sentence they count as verbs only before an object.
_ALSO_NOUNS = frozenset(
    """
    turn paint colour dye tint stain shade spray sketch show switch swap trade drop strip wipe clear empty
    take put place stick lay plant mount position sit stand seat rest lean tie park pin dress cover wrap
    coat drape carpet fill texture pattern tile use set want let have increase raise boost push lift up
    double decrease lower cut light dim fade dull warm cool blur focus smooth censor sepia mix blend cross
    pick spot if say picture what how could should would age rust open close curl polish clean slim wash
    break burn wet dry dirty wrinkle tear tone change get hide lose update bring scatter float slip leave
    shine draw monochrome reverse greyscale hue render edit exchange
    """.split()
)
_SPLIT_PARTICLES = frozenset("up down out away off".split())


def verb_at(words: Words) -> tuple[Verb, int] | None:
    """Read the verb that the words begin with: the verb and how many words it takes."""
    for length in range(min(_LONGEST, len(words)), 0, -1):
        verb = _VERBS.get(tuple(words[:length]))
        if verb is not None and not words[0].quoted:
            return verb, length
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
    return starts_noun_phrase(particle) or bool(particle) and particle[0] in COLOUR_NOUNS
