"""What all classic operators share: the crop that they see, strength, selection, saved state.

An operator is a frozen dataclass that changes one :class:`Piece` of a picture. Everything that it
measured on the reference lies in one field, ``statistics``, a flat dataclass of numbers, so that
saving and restoring is the same few lines for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Bool

from image_core.compositing import bounding_box, grown_box, support
from image_core.errors import EditCancelled, EditFailed, InvalidInput
from image_core.types import Edit, EditBatch, Image, Mask


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The part of one picture that an operator works on: its region's box and a margin.

    Attributes:
        image: The pixels, finite and in [0, 1]; read only.
        alpha: The region's alpha there.
        origin: (x, y) of the piece's corner in the whole picture.
        picture: (height, width) of the whole picture.
        key: Keys the random draws.
        strength: In (0, 1]; only operators with ``scales_itself`` look at it.
        tick: Told the share that is done; raises ``EditCancelled`` when the caller wants to stop.
    """

    image: Image
    alpha: Mask
    origin: tuple[int, int]
    picture: tuple[int, int]
    key: int
    strength: float
    tick: Callable[[float], None]

    @property
    def inside(self) -> Bool[np.ndarray, "h w"]:
        """Where the result will be read."""
        return support(self.alpha)

    @property
    def picture_size(self) -> float:
        """The side of a square with the picture's area, in pixels."""
        return float(np.sqrt(self.picture[0] * self.picture[1]))


@runtime_checkable
class Operator(Protocol):
    """One kind of change, ready to be applied to any picture."""

    @property
    def name(self) -> str:
        """Its name in a saved state."""
        ...

    @property
    def pointwise(self) -> bool:
        """It may be applied to any frame or view by itself."""
        ...

    @property
    def scales_itself(self) -> bool:
        """It reads ``Piece.strength``; otherwise its result is blended with the picture."""
        ...

    @property
    def statistics(self) -> Any:
        """What was frozen on the reference: a dataclass of numbers; None before that."""
        ...

    def margin(self, picture_size: float) -> int:
        """How many pixels beyond the region it has to see."""
        ...

    def apply(self, piece: Piece) -> tuple[Image, tuple[str, ...]]:
        """Return the changed piece (only its inside is read) and warnings."""
        ...

    def restored(self, state: Mapping[str, Any] | None) -> Operator:
        """Return this operator with the statistics of a saved state."""
        ...


S = TypeVar("S")


def statistics_from(kind: type[S], state: Mapping[str, Any] | None) -> S | None:
    """Rebuild a flat dataclass of numbers from its ``asdict``, as JSON gives it back.

    Raises:
        InvalidInput: The names in the state are not those of ``kind``.
    """
    if state is None:
        return None
    names = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    if set(state) != names:
        raise InvalidInput(
            f"this saved state holds {sorted(state)}; {kind.__name__} needs {sorted(names)}"
        )
    return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in state.items()})


def reference_pixels(reference: Iterable[EditBatch]) -> Iterator[tuple[Image, Mask]]:
    """Yield each reference region's box of pixels and its alpha, 0 where a pixel is not finite."""
    for batch in reference:
        for image, region in zip(batch.images, batch.regions, strict=True):
            box = bounding_box(support(region.alpha))
            if box is None:
                continue
            x0, y0, x1, y1 = box
            pixels, alpha = image[y0:y1, x0:x1], region.alpha[y0:y1, x0:x1]
            finite = np.isfinite(pixels).all(axis=2)
            if not finite.all():
                pixels = np.where(finite[..., None], pixels, np.float32(0))
                alpha = np.where(finite, alpha, np.float32(0))
            yield np.clip(pixels, 0, 1), alpha


def _clean(pixels: Image) -> Image:
    if not np.isfinite(pixels).all():
        pixels = np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)
    return np.clip(pixels, 0, 1)


class PreparedClassic:
    """A prepared edit around one operator (seam ``PreparedEdit``)."""

    def __init__(self, operator: Operator) -> None:
        """Keep the operator; ``load_state_dict`` swaps its statistics."""
        self._operator = operator
        self.pointwise = operator.pointwise

    def edit(self, work: EditBatch) -> Edit:
        """Apply the operator inside each image's region.

        Returns:
            New images, equal to the given ones outside their supports.

        Raises:
            InvalidInput: The strength is not in [0, 1], or lists differ in length.
            EditFailed: A region is not empty, but nothing was measured when it was prepared.
            EditCancelled: ``work.cancelled`` said so.
        """
        strength = work.strength
        if strength == "auto" or not 0 <= strength <= 1:
            raise InvalidInput(f"the strength must be from 0 to 1, not {strength}")
        if not len(work.images) == len(work.regions) == len(work.keys):
            raise InvalidInput(
                f"a batch needs one region and one key an image; it has {len(work.images)} images, "
                f"{len(work.regions)} regions and {len(work.keys)} keys"
            )
        images: list[Image] = []
        warnings: list[str] = []
        for index, (image, region) in enumerate(zip(work.images, work.regions, strict=True)):

            def tick(done: float, index: int = index) -> None:
                if work.cancelled():
                    raise EditCancelled(f"the {self._operator.name} edit was cancelled")
                work.progress("edit", (index + min(max(done, 0.0), 1.0)) / len(work.images))

            tick(0.0)
            edited, said = self._edit_one(image, region.alpha, work.keys[index], strength, tick)
            images.append(edited)
            warnings += [warning for warning in said if warning not in warnings]
            work.progress("edit", (index + 1) / len(work.images))
        return Edit(images=images, warnings=tuple(warnings))

    def _edit_one(
        self, image: Image, alpha: Mask, key: int, strength: float, tick: Callable[[float], None]
    ) -> tuple[Image, tuple[str, ...]]:
        if image.shape[:2] != alpha.shape:
            raise InvalidInput(f"the image is {image.shape[:2]}, its region {alpha.shape}")
        result = image.copy()
        box = bounding_box(support(alpha))
        if box is None:
            return result, ("The region is empty; nothing was changed.",)
        if strength == 0:
            return result, ()
        size = float(np.sqrt(alpha.size))
        x0, y0, x1, y1 = grown_box(box, self._operator.margin(size), *alpha.shape)
        window = (slice(y0, y1), slice(x0, x1))
        piece = Piece(
            image=_clean(image[window]),
            alpha=alpha[window],
            origin=(x0, y0),
            picture=(alpha.shape[0], alpha.shape[1]),
            key=key,
            strength=strength,
            tick=tick,
        )
        edited, warnings = self._operator.apply(piece)
        if strength < 1 and not self._operator.scales_itself:
            edited = piece.image + np.float32(strength) * (edited - piece.image)
        # what cannot be read is not edited: a NaN inside stays one, for the caller to refuse
        write = piece.inside & np.isfinite(image[window]).all(axis=2)
        result[window] = np.where(write[..., None], np.clip(edited, 0, 1), image[window])
        return result, warnings

    def state_dict(self) -> dict[str, Any]:
        """Return the operator's name and its frozen statistics."""
        statistics = self._operator.statistics
        return {
            "operator": self._operator.name,
            "statistics": None if statistics is None else asdict(statistics),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back frozen statistics.

        Raises:
            InvalidInput: The state is another operator's, or has other fields.
        """
        if state.get("operator") != self._operator.name:
            raise InvalidInput(
                f"this saved state is of {state.get('operator')!r}, not of {self._operator.name!r}"
            )
        self._operator = self._operator.restored(state.get("statistics"))


def measured(statistics: S | None, name: str) -> S:
    """Return the statistics, or say that there are none.

    Raises:
        EditFailed: Nothing was measured, because the reference regions were empty.
    """
    if statistics is None:
        raise EditFailed(
            f"{name} was prepared on empty regions, so there is nothing to go by",
            hint="Prepare it on a picture in which the region is not empty.",
        )
    return statistics


__all__ = [
    "Operator",
    "Piece",
    "PreparedClassic",
    "measured",
    "reference_pixels",
    "statistics_from",
]
