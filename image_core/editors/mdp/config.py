"""The options of MDP."""

from __future__ import annotations

from dataclasses import dataclass, fields

from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Method
from image_core.editors.mdp.mixing import Mixing
from image_core.errors import InvalidInput
from image_core.types import Capabilities, Kind

_KINDS: frozenset[Kind] = frozenset(
    {"recolor", "texture", "style", "replace", "add", "remove", "attribute"}
)


@dataclass(frozen=True, kw_only=True)
class MdpConfig(GenerativeConfig):
    """MDP-epsilon_t: along part of the path the source's noise is used (Wang et al., MDP).

    The layout comes from the levels where the source's noise is used, the edit from the others.
    The published notebook's examples start mixing at level 46 … 50 of 50 and end 25 levels below.
    The strength is the share of the levels that the picture is inverted by; published is 1.

    Attributes:
        mix_start: Share of the levels at and below which the source's noise is mixed in.
        mix_end: Share of the levels above which it is.
        mix: The interpolation factor; 1 takes the source's noise alone.
        mixing: How the factor falls from ``mix_start`` to ``mix_end``.
        cache: Keep inverted latents on disk for further edits of the same picture.
    """

    model: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    mix_start: float = 0.98
    mix_end: float = 0.48
    mix: float = 1.0
    mixing: Mixing = "constant"
    cache: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
        """
        super().__post_init__()
        if not 0 <= self.mix_end <= self.mix_start <= 1:
            raise InvalidInput(
                f"mix_start={self.mix_start:g} and mix_end={self.mix_end:g} lead nowhere",
                hint="Mixing goes down the path: 0 <= mix_end <= mix_start <= 1.",
            )
        if not 0 <= self.mix <= 1:
            raise InvalidInput(f"mix={self.mix:g} is not between 0 and 1")

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        options = tuple(field.name for field in fields(self))
        return GenerativeEditor("mdp", self, Capabilities(kinds=_KINDS, options=options), _load)


def _load(config: GenerativeConfig) -> Method:
    from image_core.editors.mdp.method import Mdp

    assert isinstance(config, MdpConfig)
    return Mdp.loaded(config)
