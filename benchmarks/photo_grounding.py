"""How often a phrase finds the right thing in a photo, without any learned weights.

    python -m benchmarks.photo_grounding [--output-dir DIR]

Every instruction of the shared photos is judged twice: (a) as typed, read by the rules processor,
and (b) from its target phrase alone ("make the TARGET red"). *Right* is an IoU of at least 0.7 with
the hand mask where there is one, else of at least 0.5 between the boxes; *refused* is not found or
ambiguous. Then the given boxes are cut and compared with the masks. As checks beyond these photos:
leave-one-photo-out, phrases for what is not in other pictures, and made scenes. The data folder is
``$INSITU_DATA``, else ``../shared/data``; the page is benchmarks/results/photo_grounding.md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.synthetic_scenes import made_scene, questions
from image_core.compositing import bounding_box
from image_core.errors import InsituError
from image_core.grounding import ClassicGrounder, ClassicGrounderConfig
from image_core.instructions import RulesConfig
from image_core.segmentation import GrabCutConfig
from image_core.types import Box, Detection, EditStep, Image

SURE, RIVAL = 0.5, 0.8
RESULTS = Path(__file__).parent / "results" / "photo_grounding.md"
ABSENT = {
    "astronaut": ("green car", "yellow banana", "turquoise hat", "lime scarf", "pink bicycle"),
    "coffee": ("green car", "blue cup", "purple spoon", "turquoise plate", "sky", "face"),
    "chelsea": ("blue cushion", "purple collar", "turquoise bowl", "sky", "face", "navy bow"),
    "rocket": ("green grass", "pink balloon", "purple flag", "face", "lime car"),
    "immunohistochemistry": ("green car", "red chair", "orange boat", "sky", "face"),
    "retina": ("blue car", "green tree", "purple hat", "sky", "face"),
    "hubble_deep_field": ("green car", "purple chair", "sky", "face", "pink hat"),
    "camera": ("red coat", "blue coat", "green grass", "sky", "yellow tripod"),
    "coins": ("gold coin", "red coin", "blue button", "sky", "face"),
    "moon": ("blue crater", "orange rock", "sky", "face"),
    "page": ("red letter", "blue word", "sky", "face"),
    "horse": ("brown horse", "red saddle", "sky", "face"),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One instruction of the shared data, with its truth."""

    photo: str
    typed: str
    target: str
    box: Box
    mask: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the grounder said to a case.

    Attributes:
        verdict: "right", "wrong" or "refused" at the shipped threshold.
        score: Of the best candidate.
        agreement: Its IoU with the truth, whether it was given as an answer or not.
        ambiguous: A second candidate came close.
        evidence: In words.
    """

    verdict: str
    score: float
    agreement: float
    ambiguous: bool
    evidence: str


def read_image(path: Path) -> Image:
    """Read a picture as float RGB in [0, 1]."""
    loaded = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return np.asarray(loaded[..., ::-1], dtype=np.float32) / 255


def load(folder: Path) -> tuple[list[Case], dict[str, Image], list[dict]]:
    """Return the cases, the photos by name, and the index of masks."""
    index = json.loads((folder / "masks" / "index.json").read_text())
    masks = {
        (entry["image"], entry["target"]): cv2.imread(
            str(folder / entry["file"]), cv2.IMREAD_GRAYSCALE
        )
        > 127
        for entry in index
    }
    cases = [
        Case(
            photo=row["image"],
            typed=row["instruction"],
            target=row["target"],
            box=tuple(row["box"]),
            mask=masks.get((row["image"], row["target"])),
        )
        for row in json.loads((folder / "instructions.json").read_text())
    ]
    photos = {case.photo: read_image(folder / case.photo) for case in cases}
    for entry in index:
        entry["mask"] = masks[entry["image"], entry["target"]]
    return cases, photos, index


def mask_iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float(np.count_nonzero(first & second) / max(1, np.count_nonzero(first | second)))


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes."""
    width = max(0.0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0.0, min(first[3], second[3]) - max(first[1], second[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / max(1e-9, sum(areas) - width * height)


def chosen(
    detections: Sequence[Detection], *, all_: bool, sure: float = SURE
) -> tuple[list[Detection], bool]:
    """Return the detections that LocalEditor would use, and whether it calls them ambiguous."""
    good = [detection for detection in detections if detection.score >= sure]
    if all_ or not good:
        return good, False
    ambiguous = len(good) > 1 and good[1].score >= RIVAL * good[0].score
    return good[:1], ambiguous


def judged(
    case: Case, image: Image, instruction: str, config: ClassicGrounderConfig
) -> tuple[Answer, np.ndarray | None]:
    """Ground and cut one instruction; return the verdict and the region given as an answer."""
    try:
        step = RulesConfig().build().parse(instruction).steps[0]
    except InsituError as error:
        return Answer(
            verdict="refused", score=0, agreement=0, ambiguous=False, evidence=str(error)
        ), None
    detections = config.build().ground([image], step)[0]
    if not detections:
        return Answer(
            verdict="refused", score=0, agreement=0, ambiguous=False, evidence="no candidate"
        ), None
    used, ambiguous = chosen(detections, all_=step.target.all)
    tried = used or detections[:1]
    regions = GrabCutConfig().build().segment([image], [tried])[0]
    region = (
        np.logical_or.reduce([r.alpha > 0.5 for r in regions])
        if regions
        else np.zeros(image.shape[:2], bool)
    )
    if case.mask is not None:
        agreement, needed = mask_iou(region, case.mask), 0.7
    else:
        bounds = bounding_box(region)
        agreement, needed = (0.0 if bounds is None else box_iou(bounds, case.box)), 0.5
    answered = bool(used) and not ambiguous and bool(region.any())
    verdict = "refused" if not answered else "right" if agreement >= needed else "wrong"
    evidence = detections[0].evidence + ("; ambiguous" if ambiguous else "")
    answer = Answer(
        verdict=verdict,
        score=detections[0].score,
        agreement=agreement,
        ambiguous=ambiguous,
        evidence=evidence,
    )
    return answer, region if answered else None


def leave_one_photo_out(cases: Sequence[Case], images: dict[str, Image], column: str) -> str:
    """Choose the least score and the trust in places on six photos, judge the seventh; sum."""
    grid = [(sure, trust) for trust in (0.6, 0.7, 0.85) for sure in (0.4, 0.5, 0.6, 0.7)]
    answers = {
        trust: [
            judged(
                case,
                images[case.photo],
                instruction_of(case, column),
                ClassicGrounderConfig(bare_trust=trust),
            )[0]
            for case in cases
        ]
        for trust in (0.6, 0.7, 0.85)
    }

    def verdict(case: Case, answer: Answer, sure: float) -> str:
        if answer.score < sure or answer.ambiguous:
            return "refused"
        return "right" if answer.agreement >= (0.7 if case.mask is not None else 0.5) else "wrong"

    def worth(setting: tuple[float, float], photo: str) -> tuple[int, float]:
        sure, trust = setting
        told = Counter(
            verdict(case, answer, sure)
            for case, answer in zip(cases, answers[trust], strict=True)
            if case.photo != photo
        )
        # a wrong answer costs as much as five right ones; ties go to the nearest to the shipped
        return told["right"] - 5 * told["wrong"], -abs(sure - SURE) - abs(trust - 0.7)

    total: Counter[str] = Counter()
    for photo in images:
        sure, trust = max(grid, key=lambda setting: worth(setting, photo))
        total.update(
            verdict(case, answer, sure)
            for case, answer in zip(cases, answers[trust], strict=True)
            if case.photo == photo
        )
    return f"{total['right']} right, {total['wrong']} wrong, {total['refused']} refused"


def instruction_of(case: Case, column: str) -> str:
    """Return the words for column (a) or (b)."""
    return case.typed if column == "a" else f"make the {case.target.removeprefix('the ')} red"


def outlined(image: Image, region: np.ndarray | None, caption: str, width: int = 320) -> np.ndarray:
    """Draw a region's outline and a caption on a small copy."""
    picture = np.ascontiguousarray((image[..., ::-1] * 255).astype(np.uint8))
    if region is not None:
        lines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, lines, -1, (255, 0, 255), 2)
    scale = width / max(picture.shape)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cell = np.full((width + 22, width, 3), 32, dtype=np.uint8)
    cell[22 : 22 + small.shape[0], : small.shape[1]] = small
    cv2.putText(
        cell, caption[:52], (3, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (255, 255, 255), 1, cv2.LINE_AA
    )
    return cell


def sheet(cells: Sequence[np.ndarray], columns: int = 6) -> np.ndarray:
    """Lay cells out in a grid."""
    padded = [*cells, *[np.zeros_like(cells[0])] * (-len(cells) % columns)]
    return np.vstack([np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)])


def absent_things(grounder: ClassicGrounder) -> tuple[int, list[str]]:
    """Ask for what is not in scikit-image's pictures; return how often, and the wrong answers."""
    from skimage import data

    rules, asked, wrong = RulesConfig().build(), 0, []
    for name, phrases in ABSENT.items():
        shown = np.asarray(getattr(data, name)())
        shown = np.where(shown, 255, 0).astype(np.uint8) if shown.dtype == bool else shown
        image = (np.dstack([shown] * 3) if shown.ndim == 2 else shown).astype(np.float32) / 255
        for phrase in phrases:
            target = rules.parse(f"make the {phrase} red").steps[0].target
            asked += 1
            detections = grounder.ground(
                [image], EditStep(instruction="", kind="recolor", target=target)
            )[0]
            used, ambiguous = chosen(detections, all_=target.all)
            if used and not ambiguous:
                wrong.append(f"{name}: {phrase} ({used[0].score:.2f})")
    return asked, wrong


def made_scenes(grounder: ClassicGrounder, count: int = 60) -> Counter[str]:
    """Ask the questions of made scenes."""
    told: Counter[str] = Counter()
    for seed in range(count):
        image, bodies = made_scene(seed)
        for question in questions(bodies):
            step = EditStep(instruction="", kind="recolor", target=replace(question.target))
            used, ambiguous = chosen(grounder.ground([image], step)[0], all_=False)
            if not used or ambiguous:
                told["refused, though there" if question.answers else "refused, rightly"] += 1
            elif used[0].mask is not None and any(
                mask_iou(used[0].mask > 0, truth) >= 0.7 for truth in question.answers
            ):
                told["right"] += 1
            else:
                told["wrong"] += 1
    return told


def by_box(
    index: Sequence[dict], images: dict[str, Image]
) -> tuple[list[str], float, list[np.ndarray]]:
    """Cut every hand mask's box; return table rows, the mean IoU, and cells for the sheet."""
    segmenter, rows, scores, cells = GrabCutConfig().build(), [], [], []
    for entry in index:
        image = images[entry["image"]]
        box = tuple(float(side) for side in entry["box"])
        start = time.perf_counter()
        regions = segmenter.segment([image], [[Detection(box=box)]])[0]
        seconds = time.perf_counter() - start
        region = regions[0].alpha > 0.5 if regions else np.zeros(image.shape[:2], bool)
        scores.append(mask_iou(region, entry["mask"]))
        bounds = bounding_box(region)
        boxes = 0.0 if bounds is None else box_iou(bounds, box)
        rows.append(
            f"| {Path(entry['file']).stem} | {boxes:.2f} | {scores[-1]:.2f} | {seconds:.2f} |"
        )
        cells.append(outlined(image, region, f"box: {entry['target']} {scores[-1]:.2f}"))
    return rows, float(np.mean(scores)), cells


def points_within(mask: np.ndarray, wanted: int = 9) -> list[tuple[float, float]]:
    """Return a grid of about ``wanted`` points inside a mask, off its edge."""
    worn = max(1, round(0.04 * float(np.sqrt(np.count_nonzero(mask)))))
    square = np.ones((2 * worn + 1, 2 * worn + 1), np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), square, borderValue=0) > 0
    bounds = bounding_box(inner)
    if bounds is None:
        return []
    step = max(1.0, float(np.sqrt(np.count_nonzero(inner) / wanted)))
    rows = np.arange(bounds[1] + step / 2, bounds[3], step).astype(int)
    columns = np.arange(bounds[0] + step / 2, bounds[2], step).astype(int)
    return [(float(x), float(y)) for y in rows for x in columns if inner[y, x]]


def by_point(index: Sequence[dict], images: dict[str, Image]) -> tuple[list[str], str]:
    """Point into every hand mask; return table rows and the sum.

    A point may mean any of the photo's masks that it lies in: the best-fitting one counts.
    """
    segmenter, rows, seconds = GrabCutConfig().build(), [], []
    every: list[float] = []
    asked = 0
    for entry in index:
        image, points, scores = images[entry["image"]], points_within(entry["mask"]), []
        masks = [other["mask"] for other in index if other["image"] == entry["image"]]
        for point in points:
            start = time.perf_counter()
            regions = segmenter.segment([image], [[Detection(box=None, points=(point,))]])[0]
            seconds.append(time.perf_counter() - start)
            meant = [mask for mask in masks if mask[int(point[1]), int(point[0])]]
            if regions:
                scores.append(max(mask_iou(regions[0].alpha > 0.5, mask) for mask in meant))
        asked += len(points)
        every += scores
        mean = f"{np.mean(scores):.2f}" if scores else ""
        wrong = sum(score < 0.5 for score in scores)
        rows.append(
            f"| {Path(entry['file']).stem} | {len(points)} | {len(scores)} | {mean} | {wrong} |"
        )
    total = (
        f"**{len(every)} of {asked} points answered, mean mask IoU {np.mean(every):.3f}, "
        f"{sum(score < 0.5 for score in every)} below 0.5**; {np.mean(seconds):.2f} s a point."
    )
    return rows, total


def instruction_boxes(cases: Sequence[Case], images: dict[str, Image]) -> list[str]:
    """Cut every instruction's box; return table rows."""
    segmenter, rows = GrabCutConfig().build(), []
    for case in cases:
        regions = segmenter.segment(
            [images[case.photo]], [[Detection(box=tuple(map(float, case.box)))]]
        )[0]
        if not regions:
            rows.append(f"| {Path(case.photo).stem} | {case.target} | left out | |")
            continue
        region = regions[0].alpha > 0.5
        bounds = bounding_box(region)
        boxes = 0.0 if bounds is None else box_iou(bounds, case.box)
        masks = "" if case.mask is None else f"{mask_iou(region, case.mask):.2f}"
        rows.append(f"| {Path(case.photo).stem} | {case.target} | {boxes:.2f} | {masks} |")
    return rows


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output-dir", type=Path, help="write a contact sheet here")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("INSITU_DATA", root.parent / "shared" / "data"))
    cases, images, index = load(folder)
    config = ClassicGrounderConfig()
    lines = [
        "# Grounding in photos without weights",
        "",
        __doc__.split("\n\n")[2].replace("\n", " "),
        "",
    ]
    cells: list[np.ndarray] = []
    totals = {}
    for column, title in (("a", "(a) as typed"), ("b", "(b) the target phrase")):
        lines += [
            f"## {title}",
            "",
            "| photo | words | verdict | IoU | score | evidence |",
            "|---|---|---|---|---|---|",
        ]
        total: Counter[str] = Counter()
        for case in cases:
            words = instruction_of(case, column)
            answer, region = judged(case, images[case.photo], words, config)
            total[answer.verdict] += 1
            shown = f"{answer.agreement:.2f}" if answer.verdict != "refused" else ""
            lines.append(
                f"| {Path(case.photo).stem} | {words} | {answer.verdict} | {shown} "
                f"| {answer.score:.2f} | {answer.evidence} |"
            )
            cells.append(
                outlined(images[case.photo], region, f"{column} {answer.verdict}: {words}")
            )
        totals[column] = (
            f"{total['right']} right, {total['wrong']} wrong, {total['refused']} refused"
        )
        left_out = leave_one_photo_out(cases, images, column)
        lines += ["", f"**{totals[column]}** of {len(cases)}; leave-one-photo-out: {left_out}.", ""]
    rows, mean, box_cells = by_box(index, images)
    lines += [
        "## By the masks' boxes",
        "",
        "| mask | box IoU | mask IoU | seconds |",
        "|---|---|---|---|",
        *rows,
    ]
    lines += ["", f"**Mean mask IoU {mean:.3f}.**", ""]
    lines += [
        "## By the instructions' boxes",
        "",
        "| photo | target | box IoU | mask IoU |",
        "|---|---|---|---|",
    ]
    lines += [*instruction_boxes(cases, images), ""]
    point_rows, by_points = by_point(index, images)
    lines += [
        "## By point",
        "",
        "One point at a time, on a grid in each mask; the best-fitting mask that holds it counts.",
        "",
        "| mask | points | answered | mean IoU | below 0.5 |",
        "|---|---|---|---|---|",
        *point_rows,
        "",
        by_points,
        "",
    ]
    asked, wrong = absent_things(config.build())
    told = made_scenes(config.build())
    lines += [
        "## Beyond these photos",
        "",
        f"Asked {asked} times for what is not in scikit-image's pictures: "
        f"{asked - len(wrong)} refused; answered all the same: {', '.join(wrong) or 'none'}.",
        "",
        "Made scenes (60, `benchmarks/synthetic_scenes.py`): "
        + ", ".join(f"{count} {name}" for name, count in sorted(told.items()))
        + ".",
        "",
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines))
    if arguments.output_dir is not None:
        arguments.output_dir.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(arguments.output_dir / "photo_grounding.png"), sheet([*cells, *box_cells]))
    print(f"(a) {totals['a']}; (b) {totals['b']}; by box {mean:.3f}; {by_points}; {RESULTS}")


if __name__ == "__main__":
    main()
