"""The values that pass between the stages of an edit.

Pictures at the seams are float32 ``(H, W, 3)``, sRGB-coded, in [0, 1]; masks are float32
``(H, W)`` in [0, 1] with 1 = edit. The *support* of a mask is where it is above 0. Boxes are
XYXY with x1 and y1 exclusive, points XY, both in pixels of the upright picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float32

# height and width are left unnamed: jaxtyping would take one name for one size, and a sequence of
# images may hold several
Image = Float32[np.ndarray, "_ _ 3"]
Mask = Float32[np.ndarray, "_ _"]
Box = tuple[float, float, float, float]
Point = tuple[float, float]

Kind = Literal[
    "recolor", "tone", "filter", "texture", "style", "replace", "add", "remove", "attribute"
]
Place = Literal["left", "right", "top", "bottom", "middle"]
Size = Literal["big", "small", "biggest", "smallest"]
Strength = float | Literal["auto"]
"""How much of an edit, in [0, 1]; ``auto`` where the editor can choose."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an instruction points at, taken apart.

    Attributes:
        phrase: The noun phrase without determiner, as the user said it ("big yellow chair").
            Empty when the words name nothing ("it", or the whole picture).
        noun: Its head noun in the singular ("chair"); compounds stay whole ("floor lamp").
        colours: Colour words in it, each possibly compound ("yellow", "dark blue").
        size: A size word, if one stands in it.
        places: Where in the picture it is said to be, in the words of ``Place``; two for a corner.
            "in the foreground/background" is no place and stays in ``attributes``.
        ordinal: 1 for first, 2 for second, counted from ``ordinal_from``; -1 for last, 0 for none.
        ordinal_from: The side from which the ordinal counts ("left" unless said).
        all: Every matching thing is meant ("all the chairs", "the flowers", "both eyes").
        attributes: Adjectives that are none of the above ("wooden", "round").
        relation: The rest of the phrase that relates it to something else ("of the chair",
            "on the wall", "next to the lamp"; for "the cat's nose": "of the cat").
        inverted: Everything *but* the thing is meant ("everything except the sky").
        pronoun: The user said "it", "this" or "that": only a box, mask or point can tell.
    """

    phrase: str = ""
    noun: str = ""
    colours: tuple[str, ...] = ()
    size: Size | None = None
    places: tuple[Place, ...] = ()
    ordinal: int = 0
    ordinal_from: Place = "left"
    all: bool = False
    attributes: tuple[str, ...] = ()
    relation: str = ""
    inverted: bool = False
    pronoun: bool = False


@dataclass(frozen=True, kw_only=True)
class EditStep:
    """One edit of one target.

    Attributes:
        instruction: The clause it was read from.
        kind: What kind of edit it is.
        target: What it changes; for ``add`` the host or place.
        operation: Which operator within the kind: tone ``brightness | contrast | saturation |
            warmth``; filter ``blur | sharpen | pixelate | grayscale | sepia | invert``; texture
            ``fill``; otherwise the kind's own name.
        value: What the edit makes of it, in words: the new colour ("navy blue"), thing ("fox"),
            style ("oil painting"), pattern ("red stripes"), attribute ("spotted leopard fur").
        amount: How much, signed; 1 is the operator's usual dose: "slightly" 0.5, "much" 2,
            darken -1, "by 30 %" 0.6 (50 % is the usual dose).
        relation: For ``add``: how the new thing lies to the target ("on", "next to", "above" …).
        whole_image: The instruction names no part; all of the picture is meant.
        source_caption: What the picture shows before the edit (InstructEdit's caption 1).
        edited_caption: What it shows after (caption 2).
    """

    instruction: str
    kind: Kind
    target: Target = Target()
    operation: str = ""
    value: str = ""
    amount: float = 1.0
    relation: str = ""
    whole_image: bool = False
    source_caption: str = ""
    edited_caption: str = ""


@dataclass(frozen=True, kw_only=True)
class EditPlan:
    """An instruction understood.

    Attributes:
        instruction: The user's words.
        steps: What is to be done, in order.
        processor: Who understood it.
        caption: What a captioner said of the picture; empty when none was asked.
    """

    instruction: str
    steps: tuple[EditStep, ...]
    processor: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """Where a phrase, box or point leads, before the exact outline is known.

    Attributes:
        box: Its box; None for a detection made from points alone.
        score: Confidence in [0, 1].
        mask: Its outline, when the grounder found one.
        points: Points inside it.
        not_points: Points outside it.
        evidence: Why it was taken, in words ("colour + saliency; noun not verified").
    """

    box: Box | None
    score: float = 1.0
    mask: Mask | None = None
    points: tuple[Point, ...] = ()
    not_points: tuple[Point, ...] = ()
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class Region:
    """What may change: an alpha over the picture, and how sure we are.

    Attributes:
        alpha: Weight of the edit at each pixel; only its support is ever written.
        confidence: In [0, 1]; 1 for what the user pointed at.
        evidence: Why this region, in words.
    """

    alpha: Mask
    confidence: float = 1.0
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class RegionHint:
    """The region in the user's hand instead of a phrase.

    Attributes:
        mask: Taken as it is, feathered inwards only, unless ``refine``.
        boxes: Each is cut to the thing that it holds.
        points: Points inside the thing.
        not_points: Points outside it.
        refine: Let the segmenter move a given mask's edge to the picture's.
        feather: Width in pixels over which a given mask's alpha rises inside it; 0 takes its
            values as the alpha.
    """

    mask: Mask | None = None
    boxes: tuple[Box, ...] = ()
    points: tuple[Point, ...] = ()
    not_points: tuple[Point, ...] = ()
    refine: bool = False
    feather: int = 2


def no_progress(stage: str, done: float) -> None:
    """Take a progress report and do nothing with it."""
    del stage, done


def never() -> bool:
    """Say that nobody has cancelled."""
    return False


@dataclass(frozen=True, kw_only=True)
class EditBatch:
    """Images handed to an editor, with all that belongs to each; sizes may differ.

    Attributes:
        images: What is to change (in a NeRF round the present rendering).
        conditions: The originals.
        composite_over: What the edit will be laid over.
        regions: Where each may change.
        keys: An opaque integer per image that keys its random draws.
        strength: How much of the edit, in [0, 1]; ``auto`` only where the editor's capabilities
            say that it can choose.
        progress: Told a stage's name and the done share of it.
        cancelled: Asked between pieces of work.
    """

    images: Sequence[Image]
    conditions: Sequence[Image]
    composite_over: Sequence[Image]
    regions: Sequence[Region]
    keys: Sequence[int]
    strength: Strength = 1.0
    progress: Callable[[str, float], None] = no_progress
    cancelled: Callable[[], bool] = never


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What an editor made of a batch.

    Attributes:
        images: One per input, of its size.
        regions: Where the editor found its own region, else None.
        evaluations: Rows sent through networks (0 for classic editors).
        rows: The same by network ("unet", "vae encoder" …).
        notes: What the editor chose by itself, each one sentence, for the receipt.
        warnings: What the user should know, each one sentence.
    """

    images: Sequence[Image]
    regions: Sequence[Region] | None = None
    evaluations: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an editor can do.

    Attributes:
        kinds: The kinds of edit it takes.
        needs_region: It cannot work without a region.
        finds_region: It finds a region by itself.
        max_batch: Most images a call; 0 for no bound.
        options: Names of its configuration's fields.
        has_strength: It can do an edit by half; else strengths between 0 and 1 are refused.
        default_strength: What it takes when the user names none.
        automatic_strength: It can choose the strength by itself.
    """

    kinds: frozenset[Kind]
    needs_region: bool = True
    finds_region: bool = False
    max_batch: int = 0
    options: tuple[str, ...] = ()
    has_strength: bool = True
    default_strength: float = 1.0
    automatic_strength: bool = False


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where each step of a plan applies in one image.

    Attributes:
        regions: One per step.
        candidates: All that was considered, for an overlay.
    """

    regions: tuple[Region, ...]
    candidates: tuple[Detection, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class EditResult:
    """One image after all steps of a plan.

    Attributes:
        image: ``composite_over`` with the edits laid in; equal to it wherever ``alpha`` is 0.
        alpha: The union of the steps' alphas.
        regions: The regions used, one per step.
        evaluations: Network rows over all steps; rows that several images shared are divided.
        notes: What the editors chose by themselves.
        warnings: From the editors, and of what changed nothing.
    """

    image: Image
    alpha: Mask
    regions: tuple[Region, ...]
    evaluations: int = 0
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
