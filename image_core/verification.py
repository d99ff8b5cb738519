"""Proving from the files alone that an output equals its source outside the mask.

No number in the receipt is trusted: hashes are recomputed, the pictures are decoded anew and every
sample (for JPEG to JPEG every coefficient) outside the mask is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Shaped

from image_core.compositing import difference_outside
from image_core.errors import IntegrityError, InvalidInput
from image_core.mask_file import read_stored_mask
from image_core.photo import Photo, changed_coefficients, with_channels
from image_core.receipt import mask_path, read_receipt, receipt_path, sha256

Proof = Literal["samples", "coefficients", "hashes"]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was proved.

    Attributes:
        proof: ``samples`` or ``coefficients``: all of them outside the mask are the source's.
            ``hashes``: a lossy output; only the files' identity was proved.
        compared: How many samples or coefficients lie outside.
        psnr_outside: For ``hashes``: dB outside the mask against the source; infinite if equal.
    """

    proof: Proof
    compared: int
    psnr_outside: float | None = None


def verify(output: str | Path, *, source: str | Path | None = None) -> Verification:
    """Check an output against its receipt, mask and source.

    Args:
        output: A file written by insitu; receipt and mask lie beside it.
        source: Where the source lies now; the receipt's path unless given.

    Raises:
        IntegrityError: A file is not what it should be; the message says which and how.
        InvalidInput: Output, receipt, mask or source is missing.
    """
    output = Path(output)
    if not output.is_file():
        raise InvalidInput(f"there is no output {output}")
    receipt = read_receipt(receipt_path(output))
    source = recorded_source(receipt, output, source)
    _same_file(output, stated_hash(receipt, "output"), "the output")
    _same_file(mask_path(output), stated_hash(receipt, "mask"), "the mask")
    _same_file(source, stated_hash(receipt, "source"), "the source")
    inside = read_stored_mask(mask_path(output)) > 0
    before, after = _open(source, "source"), _open(output, "output")
    if before.format == "jpeg" and after.format == "jpeg":
        return _coefficients(source, output, inside, before)
    lossy = receipt["output"].get("how") == "lossy" and after.format in {"jpeg", "webp"}
    return _samples(before, after, inside, lossy=lossy)


def stated_hash(receipt: Mapping[str, Any], name: str) -> str:
    """Return the hash that a receipt states of the output, the mask or the source.

    Raises:
        IntegrityError: It states none.
    """
    try:
        return str(receipt[name]["sha256"])
    except (KeyError, TypeError):
        raise IntegrityError(f"the receipt does not say the hash of the {name}") from None


def recorded_source(
    receipt: Mapping[str, Any], output: Path, given: str | Path | None = None
) -> Path:
    """Return where the source of an output lies: as given, as recorded, or beside the output.

    Raises:
        InvalidInput: It is missing.
    """
    if given is not None:
        source = Path(given)
    else:
        recorded = Path(str(receipt.get("source", {}).get("path", "")))
        beside = output.parent / recorded.name
        source = recorded if recorded.exists() or not beside.exists() else beside
    if not source.exists():
        raise InvalidInput(
            f"the source {source} is missing", hint="Say where it is now: --source FILE."
        )
    return source


def _same_file(path: Path, stated: str, name: str) -> None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(f"{name} {path} is missing") from None
    except OSError as error:
        raise InvalidInput(f"{name} {path} cannot be read: {error.strerror}") from error
    same_hash(sha256(data), stated, f"{name} {path}")


def same_hash(found: str, stated: str, name: str) -> None:
    """Compare a file's hash with what the receipt states of it.

    Raises:
        IntegrityError: They differ.
    """
    if found != stated:
        raise IntegrityError(f"{name} is not the file that the receipt was written for")


def _open(path: Path, name: str) -> Photo:
    try:
        return Photo.open(path)
    except InvalidInput as error:
        raise IntegrityError(f"the {name} cannot be decoded: {error}") from error


def _coefficients(
    source: Path, output: Path, inside: Bool[np.ndarray, "h w"], before: Photo
) -> Verification:
    _same_size(before.samples, inside, "the mask")
    found = changed_coefficients(source, output, inside)
    if found.luma_outside or found.chroma_outside:
        raise IntegrityError(
            f"{found.luma_outside} luma and {found.chroma_outside} chroma coefficients differ in "
            "blocks outside the mask"
        )
    return Verification(proof="coefficients", compared=found.compared)


def _samples(
    before: Photo, after: Photo, inside: Bool[np.ndarray, "h w"], *, lossy: bool
) -> Verification:
    _same_size(before.samples, inside, "the mask")
    _same_size(before.samples, after.samples, "the output")
    if before.orientation != after.orientation:
        raise IntegrityError(
            f"the orientation tag was {before.orientation} and is {after.orientation}"
        )
    if before.samples.dtype != after.samples.dtype and not lossy:
        raise IntegrityError(
            f"the source has {before.samples.dtype} samples, the output {after.samples.dtype}"
        )
    source = _with_channels(before.samples, after.samples.shape[2], lossy=lossy)
    outside = int((~inside).sum()) * after.samples.shape[2]
    changed = difference_outside(source, after.samples, inside)
    if not changed and not lossy:
        _same_alpha(source, after.samples)
        return Verification(proof="samples", compared=outside)
    if lossy:
        return Verification(
            proof="hashes", compared=outside, psnr_outside=_psnr(source, after.samples, ~inside)
        )
    rows, columns = np.nonzero((source != after.samples).any(axis=2) & ~inside)
    raise IntegrityError(
        f"{changed} of {outside} samples outside the mask differ from the source, "
        f"the first at x={columns[0]} y={rows[0]}"
    )


def _same_size(
    first: Shaped[np.ndarray, "h w *c"], second: Shaped[np.ndarray, ...], name: str
) -> None:
    if first.shape[:2] != second.shape[:2]:
        raise IntegrityError(
            f"{name} is {second.shape[1]}x{second.shape[0]}, "
            f"the source {first.shape[1]}x{first.shape[0]}"
        )


def _with_channels(
    samples: Shaped[np.ndarray, "h w c"], channels: int, *, lossy: bool
) -> Shaped[np.ndarray, "h w d"]:
    """Repeat a grey source's level where the output became coloured; JPEG drops the alpha."""
    if lossy and samples.shape[2] in (2, 4) and channels in (1, 3):
        samples = samples[..., :-1]
    try:
        return with_channels(samples, channels)
    except ValueError as error:
        raise IntegrityError(
            f"the source has {samples.shape[2]} channels, the output {channels}"
        ) from error


def _same_alpha(source: Shaped[np.ndarray, "h w c"], output: Shaped[np.ndarray, "h w c"]) -> None:
    if source.shape[2] in (2, 4) and not np.array_equal(source[..., -1], output[..., -1]):
        raise IntegrityError("the alpha channel differs inside the mask")


def _psnr(
    first: Shaped[np.ndarray, "h w c"],
    second: Shaped[np.ndarray, "h w c"],
    where: Bool[np.ndarray, "h w"],
) -> float:
    """Return 10 log10(1 / MSE) in dB over the chosen pixels, both scaled to [0, 1]."""
    scaled = [
        array[where].astype(np.float64) / np.iinfo(array.dtype).max for array in (first, second)
    ]
    error = float(np.mean((scaled[0] - scaled[1]) ** 2)) if scaled[0].size else 0.0
    return float("inf") if error == 0 else float(-10 * np.log10(error))
