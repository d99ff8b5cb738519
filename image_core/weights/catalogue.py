"""The models that our parts use: hub ids, sizes, licences, and the page that states each.

Nothing here was guessed: a licence that no page states reads ``unverified``. Sizes are parameters
times bytes as stored, so approximate; ``insitu models pull`` asks the hub for the exact ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from image_core.weights.licences import UNVERIFIED, LicenceClass, LicenceRecord

Gated = Literal["yes", "no", "unverified"]

_HUB = "https://huggingface.co/"
_MILLION = 10**6


@dataclass(frozen=True, kw_only=True)
class Model:
    """One entry.

    Attributes:
        name: What ``insitu models pull`` takes.
        parts: Names of the parts that use it; the first entry that names a part is its default.
        hub_id: ``owner/name``; empty for a file that lies elsewhere (``files_at``).
        parameters: Of all networks that are loaded, rounded.
        stored_bytes: A parameter takes on disk in the files that are pulled.
        licence: As its page calls it.
        licence_class: What kind of licence that is.
        gated: Whether the hub asks to accept the licence first.
        source: The page that states the licence, and the id too unless ``id_source`` is given.
        id_source: The page or docstring that states the id, where ``source`` does not.
        needs: Of a model of transformers, the files that must lie beside weights and
            ``config.json``; alternatives are separated by ``|``, and ``*`` is a wildcard. Empty
            for a pipeline of diffusers.
        files: Exactly these files are pulled, where the hub's repository has no usual layout.
        files_at: Where to get it by hand, for one that is not on the hub.
    """

    name: str
    parts: tuple[str, ...]
    hub_id: str
    parameters: int
    stored_bytes: int
    licence: str
    licence_class: LicenceClass
    gated: Gated
    source: str
    id_source: str = ""
    needs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    files_at: str = ""

    @property
    def size(self) -> int:
        """Approximate bytes to download."""
        return self.parameters * self.stored_bytes

    @property
    def memory(self) -> int:
        """Bytes that its networks take in 16 bits; activations come on top."""
        return self.parameters * 2

    @property
    def required(self) -> tuple[str, ...]:
        """Files by which a folder is known to hold such a model, and what must lie beside them."""
        if self.files:
            return (*self.files, *self.needs)
        return ("config.json", *self.needs) if self.needs else ("model_index.json",)

    @property
    def licence_record(self) -> LicenceRecord:
        """What the receipt keeps."""
        return LicenceRecord(
            model=self.hub_id or self.name,
            licence=self.licence,
            licence_class=self.licence_class,
            source=self.source,
        )


_TOKENIZER = "tokenizer.json|vocab.json|vocab.txt|*.model"
_PROCESSOR = "preprocessor_config.json|processor_config.json"

CATALOGUE: tuple[Model, ...] = (
    Model(
        name="sd15",
        parts=("instructedit", "diffedit", "mdp"),
        hub_id="stable-diffusion-v1-5/stable-diffusion-v1-5",
        parameters=1_066 * _MILLION,
        stored_bytes=2,
        licence="CreativeML OpenRAIL-M",
        licence_class="open-rail",
        gated="no",
        source=_HUB + "stable-diffusion-v1-5/stable-diffusion-v1-5/tree/main/tokenizer",
    ),
    Model(
        name="sdxl",
        parts=("instructedit", "diffedit"),
        hub_id="stabilityai/stable-diffusion-xl-base-1.0",
        parameters=3_469 * _MILLION,
        stored_bytes=2,
        licence="OpenRAIL++",
        licence_class="open-rail",
        gated="no",
        source=_HUB + "stabilityai/stable-diffusion-xl-base-1.0/blob/main/tokenizer/merges.txt",
    ),
    Model(
        name="instruct-pix2pix",
        parts=("instruct-pix2pix", "zone"),
        hub_id="timbrooks/instruct-pix2pix",
        parameters=1_066 * _MILLION,
        stored_bytes=2,
        licence="MIT; its checkpoints fall under Stable Diffusion's further restrictions",
        licence_class="open-rail",
        gated=UNVERIFIED,
        source="https://github.com/timothybrooks/instruct-pix2pix/blob/main/LICENSE",
        id_source="docstring in diffusers/pipelines/stable_diffusion/"
        "pipeline_stable_diffusion_instruct_pix2pix.py",
    ),
    Model(
        name="magicbrush",
        parts=("magicbrush", "zone"),
        hub_id="vinesmsuic/magicbrush-jul7",
        parameters=1_066 * _MILLION,
        stored_bytes=4,
        licence="CreativeML OpenRAIL-M",
        licence_class="open-rail",
        gated="no",
        source=_HUB + "vinesmsuic/magicbrush-jul7/tree/main/text_encoder",
    ),
    Model(
        name="sd15-inpainting",
        parts=("inpainting",),
        hub_id="stable-diffusion-v1-5/stable-diffusion-inpainting",
        parameters=1_066 * _MILLION,
        stored_bytes=4,
        licence="CreativeML OpenRAIL-M",
        licence_class="open-rail",
        gated="no",
        source=_HUB
        + "stable-diffusion-v1-5/stable-diffusion-inpainting/blob/main/tokenizer/merges.txt",
    ),
    Model(
        name="sdxl-inpainting",
        parts=("sdxl-inpainting", "inpainting"),
        hub_id="diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
        parameters=3_469 * _MILLION,
        stored_bytes=2,
        licence="OpenRAIL++",
        licence_class="open-rail",
        gated="no",
        source=_HUB
        + "diffusers/stable-diffusion-xl-1.0-inpainting-0.1/blob/main/tokenizer/vocab.json",
    ),
    Model(
        name="sd3",
        parts=("sd3-inpainting",),
        hub_id="stabilityai/stable-diffusion-3-medium-diffusers",
        parameters=7_690 * _MILLION,
        stored_bytes=2,
        licence="Stability AI Community License",
        licence_class="custom",
        gated=UNVERIFIED,
        source=_HUB + "stabilityai/stable-diffusion-3-medium/blob/refs%2Fpr%2F169/README.md",
        id_source="docstring in diffusers/pipelines/stable_diffusion_3/"
        "pipeline_stable_diffusion_3.py",
    ),
    Model(
        name="klein",
        parts=("klein",),
        hub_id="black-forest-labs/FLUX.2-klein-4B",
        parameters=8_000 * _MILLION,
        stored_bytes=2,
        licence="Apache-2.0",
        licence_class="permissive",
        gated=UNVERIFIED,
        source="https://github.com/black-forest-labs/flux2/blob/main/README.md",
    ),
    Model(
        name="klein-9b",
        parts=("klein",),
        hub_id="black-forest-labs/FLUX.2-klein-9B",
        parameters=17_300 * _MILLION,
        stored_bytes=2,
        licence="FLUX Non-Commercial License",
        licence_class="non-commercial",
        gated=UNVERIFIED,
        source="https://github.com/black-forest-labs/flux2/blob/main/README.md",
    ),
    Model(
        name="qwen-image-edit",
        parts=("qwen-image-edit",),
        hub_id="Qwen/Qwen-Image-Edit",
        parameters=28_850 * _MILLION,
        stored_bytes=2,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source=_HUB + "Qwen/Qwen-Image-Edit/blob/c1a3952/processor/merges.txt",
    ),
    Model(
        name="qwen-image-edit-2509",
        parts=("qwen-image-edit",),
        hub_id="Qwen/Qwen-Image-Edit-2509",
        parameters=28_850 * _MILLION,
        stored_bytes=2,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source=_HUB + "Qwen/Qwen-Image-Edit-2509/blob/main/tokenizer/merges.txt",
    ),
    Model(
        name="kontext",
        parts=("kontext",),
        hub_id="black-forest-labs/FLUX.1-Kontext-dev",
        parameters=16_900 * _MILLION,
        stored_bytes=2,
        licence="FLUX.1 [dev] Non-Commercial License",
        licence_class="non-commercial",
        gated="yes",
        source=_HUB + "black-forest-labs/FLUX.1-Kontext-dev",
    ),
    Model(
        name="grounding-dino",
        parts=("grounding_dino",),
        hub_id="IDEA-Research/grounding-dino-base",
        parameters=233 * _MILLION,
        stored_bytes=4,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source=_HUB + "IDEA-Research/grounding-dino-base/blob/e76a695/tokenizer.json",
        needs=(_PROCESSOR, _TOKENIZER),
    ),
    Model(
        name="groundingdino-py",
        parts=("groundingdino_py",),
        hub_id="ShilongLiu/GroundingDINO",
        parameters=172 * _MILLION,
        stored_bytes=4,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source=_HUB + "ShilongLiu/GroundingDINO/commits/main",
        files=("groundingdino_swint_ogc.pth",),
    ),
    Model(
        name="bert-base-uncased",
        parts=("groundingdino_py",),
        hub_id="google-bert/bert-base-uncased",
        parameters=110 * _MILLION,
        stored_bytes=4,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source="https://github.com/google-research/bert/blob/master/README.md",
        id_source="docstring in transformers/models/bert/configuration_bert.py",
        needs=(_TOKENIZER,),
    ),
    Model(
        name="sam",
        parts=("sam", "zone"),
        hub_id="facebook/sam-vit-huge",
        parameters=641 * _MILLION,
        stored_bytes=4,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source=_HUB + "facebook/sam-vit-huge/tree/refs%2Fpr%2F3",
        needs=(_PROCESSOR,),
    ),
    Model(
        name="sam2",
        parts=("sam",),
        hub_id="facebook/sam2.1-hiera-large",
        parameters=224 * _MILLION,
        stored_bytes=4,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source=_HUB + "facebook/sam2.1-hiera-large/tree/main",
        needs=(_PROCESSOR,),
    ),
    Model(
        name="sam3",
        parts=("sam3",),
        hub_id="facebook/sam3",
        parameters=860 * _MILLION,
        stored_bytes=4,
        licence="SAM License",
        licence_class="custom",
        gated="yes",
        source="https://github.com/facebookresearch/sam3/blob/main/README.md",
        needs=(_PROCESSOR, _TOKENIZER),
    ),
    Model(
        name="segment-anything",
        parts=("segment_anything",),
        hub_id="",
        parameters=641 * _MILLION,
        stored_bytes=4,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source="https://github.com/facebookresearch/segment-anything/blob/main/README.md",
        files=("sam_vit_*.pth",),
        files_at="https://github.com/facebookresearch/segment-anything#model-checkpoints",
    ),
    Model(
        name="blip2",
        parts=("captioner",),
        hub_id="Salesforce/blip2-flan-t5-xl",
        parameters=3_940 * _MILLION,
        stored_bytes=4,
        licence="MIT",
        licence_class="permissive",
        gated="no",
        source=_HUB + "Salesforce/blip2-flan-t5-xl/blame/096787f/README.md",
        needs=(_PROCESSOR, _TOKENIZER),
    ),
    Model(
        name="qwen2.5-1.5b",
        parts=("language_model",),
        hub_id="Qwen/Qwen2.5-1.5B-Instruct",
        parameters=1_540 * _MILLION,
        stored_bytes=2,
        licence="Apache-2.0",
        licence_class="permissive",
        gated="no",
        source=_HUB + "Qwen/Qwen2.5-1.5B-Instruct/blob/582efe6/tokenizer.json",
        needs=(_TOKENIZER,),
    ),
    Model(
        name="clip",
        parts=("clip", "instructedit"),
        hub_id="openai/clip-vit-base-patch32",
        parameters=151 * _MILLION,
        stored_bytes=4,
        licence="MIT",
        licence_class="permissive",
        gated=UNVERIFIED,
        source="https://github.com/openai/CLIP/blob/main/LICENSE",
        id_source="docstring in transformers/models/clip/configuration_clip.py",
        needs=(_PROCESSOR, _TOKENIZER),
    ),
    Model(
        name="clip-large",
        parts=("clip",),
        hub_id="openai/clip-vit-large-patch14",
        parameters=428 * _MILLION,
        stored_bytes=4,
        licence="MIT",
        licence_class="permissive",
        gated=UNVERIFIED,
        source="https://github.com/openai/CLIP/blob/main/LICENSE",
        id_source="docstring in diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py",
        needs=(_PROCESSOR, _TOKENIZER),
    ),
)


def entry_of(model: str) -> Model | None:
    """Return the entry of a name, a hub id or a part's name (its default model), or None."""
    wanted = _plain(model)
    for entry in CATALOGUE:
        if wanted in (_plain(entry.name), entry.hub_id.lower()):
            return entry
    for entry in CATALOGUE:
        if wanted in map(_plain, entry.parts):
            return entry
    return None


def _plain(name: str) -> str:
    return name.lower() if "/" in name else name.lower().replace("_", "-")
