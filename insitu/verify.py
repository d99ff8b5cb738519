"""``insitu verify``: prove from the files that an output equals its source outside the mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from image_core.verification import Verification
    from video.verification import ClipVerification


@dataclass(frozen=True, kw_only=True)
class VerifyCommand:
    """Prove that an output equals its source everywhere outside the mask.

    Decodes source, mask and output anew and compares every sample (JPEG to JPEG: every quantised
    coefficient; a clip: every sample of every plane of every frame); it trusts no number in the
    receipt.
    """

    output: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="OUTPUT")]
    """A file that insitu wrote; its receipt and mask lie beside it."""
    source: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Where the source lies now, if it was moved."""
    format: Literal["text", "json"] = "text"
    """json: one object a line on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.reporting import print_json

        found = _verified(Path(self.output), self.source)
        if self.format == "json":
            print_json(
                {
                    "status": "ok",
                    "exit_code": 0,
                    "output": self.output,
                    "proof": found.proof,
                    "compared": found.compared,
                    "psnr_outside": found.psnr_outside,
                }
            )
        else:
            print(f"{self.output}: {_sentence(found.proof, found.compared, found.psnr_outside)}")
        return 0


def _verified(output: Path, source: str | None) -> Verification | ClipVerification:
    from image_core.receipt import is_of_clip
    from image_core.verification import verify

    if not is_of_clip(output):
        return verify(output, source=source)
    from insitu.extras import need_extra

    need_extra("video", "av")
    from video.verification import verify_clip

    return verify_clip(output, source=source)


def _sentence(proof: str, compared: int, psnr: float | None) -> str:
    if proof == "planes":
        return (
            f"proved: all {compared:,} samples outside the mask, in every plane of every frame, "
            "equal the source's"
        )
    if proof == "samples":
        return f"proved: all {compared:,} samples outside the mask equal the source's"
    if proof == "coefficients":
        return (
            f"proved: all {compared:,} coefficients of the blocks outside the mask equal the "
            "source's"
        )
    said = "not measured" if psnr is None else f"{psnr:.1f} dB from the source"
    return f"lossy: only the hashes were checked; outside the mask {said}"
