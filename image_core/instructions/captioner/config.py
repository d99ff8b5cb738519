"""Which captioning model describes pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from image_core.devices import Precision, placement
from image_core.errors import InsituError, InvalidInput, MissingWeights
from image_core.types import Image
from image_core.weights import folder_of

if TYPE_CHECKING:
    from image_core.instructions.captioner.network import CaptioningNetwork

DEFAULT_MODEL = "Salesforce/blip2-flan-t5-xl"
"""InstructEdit's (script, l. 175); MIT by its model card on the hub."""


@dataclass(frozen=True, kw_only=True)
class CaptionerConfig:
    """Configuration of the captioner.

    Attributes:
        model: Hub id or folder of a BLIP-2, BLIP or GIT captioning model.
        max_tokens: Most tokens of one answer.
        batch: Most pictures that go through the network at a time.
        device: See ``image_core.devices.placement``.
        dtype: Of the weights.
    """

    model: str = DEFAULT_MODEL
    max_tokens: int = 30
    batch: int = 8
    device: str = "auto"
    dtype: Precision = "auto"

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant.

        Raises:
            InvalidInput: One of them is out of range.
        """
        if not 1 <= self.max_tokens <= 256:
            raise InvalidInput(f"max_tokens {self.max_tokens} is not between 1 and 256")
        if self.batch < 1:
            raise InvalidInput(f"batch {self.batch} is not at least 1")

    def build(self) -> Captioner:
        """Make the captioner; weights are loaded at first use."""
        return Captioner(self)

    def why_not(self) -> str:
        """Say in a sentence why it could not run here now; empty when it could."""
        missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
        if missing:
            return f"the module {missing[0]} is not installed: pip install 'insitu[neural]'"
        try:
            folder_of(self.model)
        except InsituError as error:
            return str(error)
        return ""


class Captioner:
    """Describes pictures, each in a short sentence that begins with its medium."""

    def __init__(self, config: CaptionerConfig) -> None:
        """Keep the configuration."""
        self.config = config
        self._network: CaptioningNetwork | None = None

    @property
    def name(self) -> str:
        """The part's name with its model, for the receipt."""
        return f"captioner:{self.config.model}"

    def why_not(self) -> str:
        """Say why it could not run here now; see ``CaptionerConfig.why_not``."""
        return self.config.why_not()

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Return what each image shows ("photo of a dog on grass").

        Args:
            images: Of any sizes.

        Returns:
            One caption per image, without a full stop; empty where the model had nothing to say.

        Raises:
            MissingWeights: The model or an extra is not on this machine.
            InvalidInput: The folder holds another kind of model.
        """
        if not images:
            return []
        network = self._made_network()
        size = self.config.batch
        chunks = [images[start : start + size] for start in range(0, len(images), size)]
        return [caption for chunk in chunks for caption in network.caption(chunk)]

    def _made_network(self) -> CaptioningNetwork:
        if self._network is None:
            try:
                from image_core.instructions.captioner.network import CaptioningNetwork

                place = placement(self.config.device, self.config.dtype)
            except ImportError as error:
                raise MissingWeights(
                    f"captioner needs the module {error.name}, which is not installed",
                    hint="Install the extra that brings it: pip install 'insitu[neural]'.",
                ) from error
            self._network = CaptioningNetwork(
                self.config.model, place=place, max_tokens=self.config.max_tokens
            )
        return self._network
