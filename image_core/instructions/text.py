"""From what the user typed to words: checks, normalisation and tokens.

Words are compared in lower case and shown as they were said. What stands in quotation marks is
never taken apart at an "and" or a comma.
"""

from __future__ import annotations

import re
import unicodedata

from image_core.errors import InstructionNotUnderstood, InvalidInput

MAX_CHARACTERS = 2000
COMMA = ","
STOP = "."
POSSESSIVE = "'s"
_QUOTES = str.maketrans({"‘": "'", "’": "'", "‛": "'", "`": "'", "´": "'", "“": '"', "”": '"',
                         "„": '"', "«": '"',
                         "»": '"', "–": "-", "‐": "-", "‑": "-", "—": ","})  # fmt: skip
_TOKEN = re.compile(
    r"#[0-9A-Fa-f]{6}(?![0-9A-Za-z])"  # a colour code
    r"|\d+(?:[.,]\d+)? ?%"  # a share
    r"|\d+\.\d+"  # a decimal number, whose stop ends no sentence
    r"|'s(?![^\W_])"  # a possessive ending
    r"|[^\W_]+(?:-[^\W_]+)*(?:'(?!s(?![^\W_]))[^\W_]+)*"  # a word, hyphens and "don't" inside
    r"|[,.;:!?\n'\"]"
)
_CONTRACTIONS = {
    "i'd": ("i", "would"), "we'd": ("we", "would"), "i'll": ("i", "will"), "i'm": ("i", "am"),
    "don't": ("do", "not"), "doesn't": ("does", "not"), "shouldn't": ("should", "not"),
    "can't": ("can", "not"), "isn't": ("is", "not"), "they're": ("they", "are"),
    "you're": ("you", "are"), "dont": ("do", "not"), "wouldn't": ("would", "not"),
    "cannot": ("can", "not"), "wasn't": ("was", "not"),
}  # fmt: skip
_SPELLINGS = {
    "percent": "%", "color": "colour", "colors": "colours", "colored": "coloured",
    "colorful": "colourful", "colorize": "colourise", "colourize": "colourise",
    "recolor": "recolour", "center": "centre", "gray": "grey", "grayscale": "greyscale",
    "gray-scale": "greyscale", "grey-scale": "greyscale", "watercolor": "watercolour",
    "color-coded": "colour-coded", "b&w": "black-and-white", "checkered": "chequered",
    "checked": "chequered", "recolored": "recoloured", "discolor": "discolour",
    "neighbor": "neighbour",
    "grayer": "greyer", "grayish": "greyish", "multicolored": "multicoloured",
    "multi-colored": "multicoloured", "multi-coloured": "multicoloured", "bw": "black-and-white",
}  # fmt: skip
_STOPS = {".", ";", "!", "?", "\n"}


class Word(str):
    """One word: compared in lower case and one spelling, shown as it was said."""

    said: str
    quoted: bool

    def __new__(cls, said: str, *, quoted: bool = False) -> Word:
        """Make a word of what was typed."""
        low = said.lower()
        if low.endswith("-colored"):
            low = low[: -len("colored")] + "coloured"
        word = super().__new__(cls, _SPELLINGS.get(low, low))
        word.said = said
        word.quoted = quoted
        return word


Words = tuple[Word, ...]


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of a list that is written out with spaces between."""
    return frozenset(text.split())


def words_of(text: str) -> Words:
    """Make words of a phrase that we wrote ourselves, split at spaces."""
    return tuple(Word(part) for part in text.split())


def spoken(words: Words) -> str:
    """Put words back together as they were said."""
    text = ""
    for word in words:
        if word in (POSSESSIVE, COMMA) or not text:
            text += word.said
        else:
            text += " " + word.said
    return text


def check(instruction: str) -> str:
    """Return the instruction normalised, spaces collapsed, or say why it cannot be read.

    Raises:
        InvalidInput: It is no text, empty, longer than ``MAX_CHARACTERS`` or has control
            characters in it.
        InstructionNotUnderstood: It is in another script than Latin.
    """
    if not isinstance(instruction, str):
        raise InvalidInput(f"the instruction is a {type(instruction).__name__}, not text")
    if len(instruction) > MAX_CHARACTERS:
        raise InvalidInput(
            f"the instruction has {len(instruction)} characters, more than {MAX_CHARACTERS}"
        )
    if not instruction.strip():
        raise InvalidInput("the instruction is empty")
    for character in instruction:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            raise InvalidInput(
                f"the instruction has a control character in it (U+{ord(character):04X})"
            )
    text = unicodedata.normalize("NFKC", instruction).translate(_QUOTES)
    text = "".join(mark for mark in text if unicodedata.category(mark) != "Cf")
    for character in text:
        if character.isalpha() and "LATIN" not in unicodedata.name(character, ""):
            raise InstructionNotUnderstood(
                f"the rules read English only, and “{character}” is in another script",
                hint="Say it in English, or choose another language processor.",
            )
    text = re.sub(r"(?i)\bb ?& ?w\b", "black and white", text).replace("&", " and ")
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r" ?\n[ \n]*", "\n", text).strip()


def tokenise(text: str) -> Words:
    """Split normalised text into words; every mark that ends a sentence becomes ``STOP``."""
    words: list[Word] = []
    single = double = False
    tokens = list(_TOKEN.finditer(text))
    for index, match in enumerate(tokens):
        token = match.group()
        before = text[match.start() - 1 : match.start()]
        if token == '"':
            double = not double
        elif token == "'":
            if not single and before.isalpha() and index + 1 < len(tokens):
                words.append(Word(POSSESSIVE))
            else:
                single = not single
        elif token in _STOPS:
            words.append(Word(STOP))
        elif token in (",", ":"):
            words.append(Word(COMMA, quoted=double or single))
        elif token.lower() in _CONTRACTIONS:
            words.extend(Word(part) for part in _CONTRACTIONS[token.lower()])
        elif "-and-" in token.lower() and token.count("-") == 2:
            words.extend(Word(part, quoted=True) for part in token.split("-"))
        elif token[0].isdigit() and token.endswith("%"):
            words.append(Word(token.replace(" ", "").replace(",", ".")))
        else:
            words.append(Word(token, quoted=double or single))
    return _joined(words)


def _joined(words: list[Word]) -> Words:
    """Join "20" and "percent" to "20%", and read "let's" and "what's" in full."""
    out: list[Word] = []
    for word in words:
        last = out[-1] if out else ""
        if word == "%" and last.replace(".", "", 1).isdigit():
            out[-1] = Word(last + "%")
        elif word == POSSESSIVE and last == "let":
            out.append(Word("us"))
        elif word == POSSESSIVE and last in ("what", "there", "that"):
            out.append(Word("is"))
        else:
            out.append(word)
    return tuple(out)
