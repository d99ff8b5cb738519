"""Training Grounding DINO: each word of a phrase is to light up on the objects that it is true of.

The library's loss lights all words of a phrase on its object alone. Here "red" is true of all that
is red, whatever the phrase goes on to say: so a red square with a blue circle beside it is no red
circle, since one word of it stays dark on either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from image_core.grounding.open_vocabulary.tokens import phrase_scores
from pocket.flat.render import object_masks, render
from pocket.flat.scenes import Scenes
from pocket.flat.settings import FlatSettings
from pocket.flat.words import NOUNS
from pocket.training.auc import area_under_curve
from pocket.training.boxes import as_centres, as_corners, focal, iou_and_giou
from pocket.training.lesson import Pace, Scores, fresh_generator, step_random
from pocket.training.phrases import Phrase, Question, absent_pairs, question, question_of
from pocket.training.pictures import EASY, HARD, train_scenes, validation_scenes
from pocket.training.segmenter import boxes_of, seen
from pocket.zoo.detector import SIDE, build_detector
from pocket.zoo.words import bert_tokenizer

_L1, _GIOU = 5.0, 2.0  # weights of the boxes' losses beside the words', as DETR's
_CORE = 0.5  # a cell in this share of a box's sides is to propose the object
_VALIDATION = 128
_TEXT_THRESHOLD = 0.25  # of production code, from which a word counts as seen


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Questions as a network's input, and what is true.

    Attributes:
        ids: Tokens, padded.
        mask: 1 where there is one.
        words: Which tokens are words.
        truth: For each slot's object and each token, 1 where the word is true of it.
        boxes: Of the slots' objects: centre and size in [0, 1].
        there: Which slots hold an object.
    """

    ids: Int64[Tensor, "b t"]
    mask: Int64[Tensor, "b t"]
    words: Bool[Tensor, "b t"]
    truth: Float[Tensor, "b 4 t"]
    boxes: Float[Tensor, "b 4 4"]
    there: Bool[Tensor, "b 4"]


class DetectorLesson:
    """Training of Grounding DINO."""

    name = "grounding-dino"
    main = "auc_iou"

    def __init__(self, *, seed: int, device: torch.device, batch: int = 16) -> None:
        """Build it with fresh weights."""
        self.pace = Pace(batch=batch, rate=1e-3, average=0.998, warm=200, clip=0.5)
        self.seed, self.device = seed, device
        self._dino = build_detector(fresh_generator(seed, self.name)).to(device)
        self._ids = bert_tokenizer().get_vocab()

    @property
    def network(self) -> nn.Module:
        """Grounding DINO."""
        dino: nn.Module = self._dino
        return dino

    def groups(self) -> Sequence[tuple[Sequence[nn.Parameter], float]]:
        """Return all parameters as one group."""
        return [(list(self.network.parameters()), 1.0)]

    def losses(self, step: int) -> dict[str, Tensor]:
        """Return the losses of the proposals and of each layer of the decoder."""
        random = step_random(self.seed, self.name, step)
        scenes = train_scenes(step, self.pace.batch, seed=self.seed)
        asked = self.asked(scenes, [question(scenes, row, random) for row in range(len(scenes))])
        outputs = self._looked(scenes, asked)
        parts = proposal_losses(outputs.enc_outputs_class, outputs.enc_outputs_coord_logits, asked)
        total = sum(parts.values(), torch.zeros((), device=self.device))
        for logits, boxes in self._layers(outputs, asked):
            found = query_losses(logits, boxes, asked)
            total = total + found["words"] + found["boxes"]
            parts.update(found)
        return {"loss": total, **parts}

    def scores(self) -> Scores:
        """Return IoUs of the best box for a true phrase, and the AUC of true against false ones.

        ``auc_iou`` is the mean of the AUC and the IoU over scenes of 1 to 4 objects.
        """
        hard, auc = self._asked_pairs(HARD)
        easy, _ = self._asked_pairs(EASY)
        return {"auc_iou": (hard + auc) / 2, "box_iou": hard, "box_iou_easy": easy, "auc": auc}

    def asked(self, scenes: Scenes, questions: Sequence[Question]) -> Asked:
        """Return questions as tensors, padded to the longest."""
        rows = [self._tokens(one) for one in questions]
        longest = max(len(ids) for ids, _ in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.int64)
        truth = torch.zeros((len(rows), 4, longest))
        words = torch.zeros((len(rows), longest), dtype=torch.bool)
        for k, ((row, places), one) in enumerate(zip(rows, questions, strict=True)):
            ids[k, : len(row)] = torch.tensor(row)
            words[k, places] = True
            truth[k][:, places] = torch.from_numpy(one.truth).float()
        masks = torch.from_numpy(object_masks(scenes) > 0.5)
        corners = boxes_of(masks) / SIDE
        return Asked(
            ids=ids.to(self.device),
            mask=(ids > 0).long().to(self.device),
            words=words.to(self.device),
            truth=truth.to(self.device),
            boxes=as_centres(corners).to(self.device),
            there=torch.from_numpy(scenes.present).to(self.device),
        )

    def _tokens(self, one: Question) -> tuple[list[int], list[int]]:
        ids, places = [self._ids["[CLS]"]], []
        for phrase in one.phrases:
            for word in phrase:
                places.append(len(ids))
                ids.append(self._ids[word])
            ids.append(self._ids["."])
        return [*ids, self._ids["[SEP]"]], places

    def _looked(self, scenes: Scenes, asked: Asked) -> Any:
        return self._dino.model(
            pixel_values=seen(render(scenes)).to(self.device),
            input_ids=asked.ids,
            attention_mask=asked.mask,
            return_dict=True,
        )

    def _layers(
        self, outputs: Any, asked: Asked
    ) -> list[tuple[Float[Tensor, "b q t"], Float[Tensor, "b q 4"]]]:
        """Return the words' logits and the boxes (centre, size) after each layer of the decoder."""
        layers = []
        reference = outputs.init_reference_points
        for k in range(outputs.intermediate_hidden_states.shape[1]):
            hidden = outputs.intermediate_hidden_states[:, k]
            text = outputs.encoder_last_hidden_state_text
            logits = self._dino.class_embed[k](hidden, text, asked.mask.bool())
            shift = self._dino.bbox_embed[k](hidden)
            boxes = (shift + torch.special.logit(reference, eps=1e-5)).sigmoid()
            layers.append((logits[..., : asked.ids.shape[1]], boxes))
            reference = outputs.intermediate_reference_points[:, k]
        return layers

    def _asked_pairs(self, settings: FlatSettings) -> tuple[float, float]:
        """Return the mean IoU of the best box for a true pair of colour and noun, and the AUC."""
        scenes = validation_scenes(_VALIDATION, settings=settings)
        random = np.random.default_rng(0)
        true: list[Question] = []
        false: list[Question] = []
        for row in range(len(scenes)):
            thing = scenes.thing(row, scenes.slots(row)[0])
            absent = absent_pairs(scenes.things(row))
            wrong = absent[int(random.integers(len(absent)))]
            pair: Phrase = (thing.colour, NOUNS[thing.shape][0])
            true.append(question_of(scenes, row, [pair]))
            false.append(question_of(scenes, row, [wrong]))
        boxes, present = self._best(scenes, self.asked(scenes, true))
        _, absent_scores = self._best(scenes, self.asked(scenes, false))
        first = torch.tensor([scenes.slots(row)[0] for row in range(len(scenes))])
        wanted = self.asked(scenes, true).boxes.cpu()[torch.arange(len(first)), first]
        iou, _ = iou_and_giou(as_corners(boxes), as_corners(wanted))
        return float(iou.mean()), area_under_curve(present, absent_scores)

    def _best(self, scenes: Scenes, asked: Asked) -> tuple[Float[Tensor, "b 4"], np.ndarray]:
        """Return each scene's best box and its score, as production code scores a phrase."""
        logits, boxes = self._layers(self._looked(scenes, asked), asked)[-1]
        shares = logits.sigmoid().cpu().numpy()
        words = asked.words.cpu().numpy()
        scores = np.stack(
            [
                phrase_scores(share[:, own].astype(np.float32), _TEXT_THRESHOLD)
                for share, own in zip(shares, words, strict=True)
            ]
        )
        best = scores.argmax(axis=1)
        return boxes.cpu()[torch.arange(len(best)), torch.from_numpy(best)], scores.max(axis=1)


def proposal_losses(
    logits: Float[Tensor, "b n t"], coordinates: Float[Tensor, "b n 4"], asked: Asked
) -> dict[str, Tensor]:
    """Return the losses of the encoder's proposals, one a cell of its grids.

    A cell in the core of an object's box is to propose it; objects do not overlap.

    Args:
        logits: Of the proposals' words; the tokens may be padded further.
        coordinates: Logits of their boxes.
        asked: What is true.
    """
    logits = logits[..., : asked.ids.shape[1]]
    cells = _cells(logits.shape[1], logits.device)
    centre, half = asked.boxes[..., :2], asked.boxes[..., 2:] * (_CORE / 2)
    apart = (cells[None, None] - centre[:, :, None]).abs()  # (b, 4, n, 2)
    inside = (apart < half[:, :, None]).all(dim=-1) & asked.there[:, :, None]
    truth = torch.einsum("bsn,bst->bnt", inside.float(), asked.truth).clamp(max=1)
    counted = asked.words[:, None].expand_as(truth)
    count = inside.sum().clamp(min=1)
    words = focal(logits, truth, counted) / count
    row, slot, cell = inside.nonzero(as_tuple=True)
    boxes = box_loss(coordinates[row, cell].sigmoid(), asked.boxes[row, slot])
    return {"proposed_words": words, "proposed_boxes": boxes}


def query_losses(
    logits: Float[Tensor, "b q t"], boxes: Float[Tensor, "b q 4"], asked: Asked
) -> dict[str, Tensor]:
    """Return the losses of the decoder's queries, each matched with one object or none.

    An object of which no word is true is none.
    """
    named = asked.truth.any(dim=2) & asked.there
    rows, queries, slots = _matched(logits.detach(), boxes.detach(), asked, named)
    truth = torch.zeros_like(logits)
    truth[rows, queries] = asked.truth[rows, slots]
    counted = asked.words[:, None].expand_as(truth)
    words = focal(logits, truth, counted) / max(1, len(rows))
    return {"words": words, "boxes": box_loss(boxes[rows, queries], asked.boxes[rows, slots])}


def box_loss(made: Float[Tensor, "n 4"], wanted: Float[Tensor, "n 4"]) -> Float[Tensor, ""]:
    """Return the mean loss of boxes given by centre and size; 0 for none."""
    if not len(made):
        return made.sum()
    _, giou = iou_and_giou(as_corners(made), as_corners(wanted))
    return (_L1 * (made - wanted).abs().sum(dim=1) + _GIOU * (1 - giou)).mean()


def _matched(
    logits: Float[Tensor, "b q t"],
    boxes: Float[Tensor, "b q 4"],
    asked: Asked,
    named: Bool[Tensor, "b 4"],
) -> tuple[Int64[Tensor, " m"], Int64[Tensor, " m"], Int64[Tensor, " m"]]:
    """Match queries with named objects at the least cost (Carion et al., ECCV 2020, eq. 1)."""
    shares = torch.where(asked.words[:, None], logits, torch.full_like(logits, -30.0)).sigmoid()
    likeness = torch.einsum("bqt,bst->bqs", shares, asked.truth)
    likeness = likeness / asked.truth.sum(dim=2).clamp(min=1)[:, None]
    _, giou = iou_and_giou(as_corners(boxes)[:, :, None], as_corners(asked.boxes)[:, None])
    away = (boxes[:, :, None] - asked.boxes[:, None]).abs().sum(dim=3)
    cost = (_L1 * away - _GIOU * giou - 2 * likeness).float().cpu().numpy()
    rows, queries, slots = [], [], []
    for row, who in enumerate(named.cpu().numpy()):
        own = np.flatnonzero(who)
        chosen, places = linear_sum_assignment(cost[row][:, own])
        rows += [row] * len(chosen)
        queries += chosen.tolist()
        slots += own[places].tolist()
    device = logits.device
    return (
        torch.tensor(rows, dtype=torch.int64, device=device),
        torch.tensor(queries, dtype=torch.int64, device=device),
        torch.tensor(slots, dtype=torch.int64, device=device),
    )


def _cells(count: int, device: torch.device) -> Float[Tensor, "n 2"]:
    """Return the middles (x, y) in [0, 1] of all cells, the grids of 16, 8 and 4 a side in turn."""
    middles = []
    for side in (16, 8, 4):
        steps = (torch.arange(side, device=device) + 0.5) / side
        middles.append(torch.cartesian_prod(steps, steps).flip(1))
    cells = torch.cat(middles)
    assert len(cells) == count
    return cells
