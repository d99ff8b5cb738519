"""``insitu verify``: prove from the files that an output equals its source outside the mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class VerifyCommand:
    """Prove that an output equals its source everywhere outside the mask.

    Decodes source, mask and output anew and compares every sample (JPEG to JPEG: every quantised
    coefficient); it trusts no number in the receipt.
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
        from image_core.verification import verify
        from insitu.reporting import print_json

        found = verify(self.output, source=self.source)
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


def _sentence(proof: str, compared: int, psnr: float | None) -> str:
    if proof == "samples":
        return f"proved: all {compared:,} samples outside the mask equal the source's"
    if proof == "coefficients":
        return (
            f"proved: all {compared:,} coefficients of the blocks outside the mask equal the "
            "source's"
        )
    return f"lossy: only the hashes were checked; outside the mask {psnr:.1f} dB from the source"
