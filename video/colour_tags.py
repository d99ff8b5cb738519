"""What a clip says about its colours, by the numbers of ITU-T H.273, and what that means."""

from __future__ import annotations

from dataclasses import dataclass

from image_core.errors import InvalidInput
from video.plane_formats import PlaneFormat

UNSPECIFIED = 2
"""H.273's number for a matrix, primaries or transfer that isn't said."""

LIMITED, FULL = 1, 2
"""libavutil's numbers for a range; 0 is unspecified."""

RGB_MATRIX, BT709_MATRIX = 0, 1

# luma's share of red and of blue (H.273, table 4)
_LUMA = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_HIGH_DEFINITION = 720  # lines from which an untagged clip is taken for BT.709
_HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True, kw_only=True)
class ColourModel:
    """How luma and chroma follow from red, green and blue.

    Attributes:
        kr: Red's share of luma.
        kb: Blue's share.
        full_range: Whether luma uses all values, or 16 to 235 of 255.
    """

    kr: float
    kb: float
    full_range: bool


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """A stream's colour tags as they are stored.

    Attributes:
        matrix: H.273 matrix coefficients.
        range: 0 unspecified, 1 limited, 2 full.
        primaries: H.273 colour primaries.
        transfer: H.273 transfer characteristics.
    """

    matrix: int = UNSPECIFIED
    range: int = 0
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED

    @property
    def high_dynamic_range(self) -> str:
        """The name of an HDR transfer, empty for others."""
        return _HDR.get(self.transfer, "")

    def model(self, format: PlaneFormat, lines: int) -> ColourModel:
        """Say what the tags mean for planes of a format.

        What isn't said is taken as players take it: BT.601 below 720 stored lines, BT.709 from
        there; limited range, but grey and RGB in full range.

        Raises:
            InvalidInput: The matrix isn't a linear mix of red, green and blue that we know.
        """
        full = self.range == FULL or (self.range != LIMITED and format.kind != "yuv")
        matrix = self.matrix
        if matrix in (RGB_MATRIX, UNSPECIFIED):
            matrix = BT709_MATRIX if lines >= _HIGH_DEFINITION else 6
        if matrix not in _LUMA:
            raise InvalidInput(
                f"colour matrix {self.matrix} (ITU-T H.273) isn't taken",
                hint="Convert the clip first, for example with ffmpeg -vf "
                "scale=out_color_matrix=bt709.",
            )
        kr, kb = _LUMA[matrix]
        return ColourModel(kr=kr, kb=kb, full_range=full or format.kind == "rgb")


UNTAGGED = ColourTags()
"""Of a clip that says nothing about its colours."""
