"""What is captured of attention: five layers, two columns, true to the maps, without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from torch import Tensor  # noqa: E402

from image_core.devices import Placement  # noqa: E402
from image_core.diffusion.network import LatentDiffusion  # noqa: E402
from image_core.diffusion.text import TextEmbedding, TextEncoders  # noqa: E402
from image_core.editors.instruct_pix2pix import InstructPix2PixConfig  # noqa: E402
from image_core.editors.instruct_pix2pix.method import InstructPix2Pix  # noqa: E402
from image_core.editors.zone.attention import (  # noqa: E402
    captured,
    columns,
    evidence_layers,
    last_mark,
)
from image_core.editors.zone.fused import Given, fused  # noqa: E402
from image_core.editors.zone.solver import DpmSolver  # noqa: E402
from image_core.errors import InvalidInput  # noqa: E402
from image_core.testing.miniature.stable_diffusion import (  # noqa: E402
    text_encoder,
    tokenizer,
    write_stable_diffusion,
)

WIDTH = 16
PATH = DpmSolver.from_config({"beta_schedule": "scaled_linear"}).path(2)
DEEP = {
    "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
    "block_out_channels": (8, 8, 16, 16),
    "layers_per_block": 2,
}
"""Blocks as Stable Diffusion 1.5 has them: 32 attention layers."""
SHALLOW = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
}


def unet_of(**options: Any) -> Any:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=32,
        in_channels=8,
        out_channels=4,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=4,
        **{**DEEP, **options},
    )
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if "attn2" in name and parameter.ndim > 1:
                parameter.mul_(4)
    return unet.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def unet() -> Any:
    torch.set_num_threads(1)
    return unet_of()


def given(jobs: int = 1, size: tuple[int, int] = (16, 24)) -> tuple[Tensor, Given]:
    random = torch.Generator().manual_seed(1)
    start = torch.randn(jobs, 4, *size, generator=random)
    sources = torch.randn(jobs, 4, *size, generator=random)
    told, untold = (
        TextEmbedding(hidden=torch.randn(1, 77, WIDTH, generator=random)).repeated(jobs)
        for _ in range(2)
    )
    return start, Given(told=told, untold=untold, sources=sources)


def network_of(unet: Any, *, most_rows: int = 16) -> LatentDiffusion:
    from types import SimpleNamespace

    from image_core.diffusion.schedule import Schedule

    return LatentDiffusion(
        unet=unet,
        vae=SimpleNamespace(config=SimpleNamespace(latent_channels=4)),
        text=TextEncoders(tokenizers=[], encoders=[]),
        schedule=Schedule.from_config({"beta_schedule": "scaled_linear"}),
        placement=Placement(device=torch.device("cpu"), dtype=torch.float32),
        most_rows=most_rows,
    )


@torch.no_grad()
def full_maps(unet: Any, network: LatentDiffusion, jobs: int = 1) -> Tensor:
    """Walk the path with whole attention maps kept: ``(steps, layers, rows, heads, cells, 77)``."""
    kept: dict[str, list[Tensor]] = {}
    names = [layer.name for layer in evidence_layers(unet)]
    handles = []

    def look(name: str) -> Any:
        def hook(module: Any, states: Any, named: Any) -> None:
            query = module.to_q(states[0]).unflatten(-1, (module.heads, -1)).transpose(1, 2)
            text = named["encoder_hidden_states"]
            key = module.to_k(text).unflatten(-1, (module.heads, -1)).transpose(1, 2)
            logits = query.double() @ key.double().mT / query.shape[-1] ** 0.5
            kept.setdefault(name, []).append(logits.softmax(-1))

        return hook

    for name in names:
        module = unet.get_submodule(name)
        handles.append(module.register_forward_pre_hook(look(name), with_kwargs=True))
    start, told = given(jobs)
    fused(start, network.predict, None, told, PATH, beta=0)
    for handle in handles:
        handle.remove()
    return torch.stack([torch.stack(kept[name]) for name in names], dim=1)


def test_five_layers_of_stable_diffusions_blocks_are_looked_at(unet: Any) -> None:
    from diffusers.models.attention_processor import Attention

    assert sum(isinstance(module, Attention) for module in unet.modules()) == 32
    names = [layer.name for layer in evidence_layers(unet)]
    assert names == [
        "down_blocks.2.attentions.0.transformer_blocks.0.attn2",
        "down_blocks.2.attentions.1.transformer_blocks.0.attn2",
        "up_blocks.1.attentions.0.transformer_blocks.0.attn2",
        "up_blocks.1.attentions.1.transformer_blocks.0.attn2",
        "up_blocks.1.attentions.2.transformer_blocks.0.attn2",
    ]
    assert {layer.stride for layer in evidence_layers(unet)} == {4}


def test_a_miniature_is_looked_at_on_its_coarsest_grid() -> None:
    small = unet_of(**SHALLOW)
    assert [(layer.stride, layer.name.split(".")[0]) for layer in evidence_layers(small)] == [
        (2, "down_blocks"),
        (2, "up_blocks"),
        (2, "up_blocks"),
    ]


def test_columns_equal_those_of_the_whole_softmax() -> None:
    query, key = torch.randn(2, 3, 8, 50, 16, generator=torch.Generator().manual_seed(2))
    whole = (4 * query @ key.mT / 4).softmax(dim=-1).mean(dim=1)
    expected = torch.stack([whole[..., 0], whole[..., 6]], dim=1)
    torch.testing.assert_close(columns(4 * query, key, 1 / 4, 6), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("most_rows", [16, 2])
def test_what_is_captured_is_the_mean_of_the_whole_maps(
    unet: Any, jobs: int, most_rows: int
) -> None:
    # networks round otherwise in other batches
    allowed = 1e-6 if most_rows == 16 else 1e-5
    whole = full_maps(unet, network_of(unet), jobs).mean(dim=(0, 1)).mean(dim=1)
    whole = whole.unflatten(0, (3, jobs))
    start, told = given(jobs)
    network = network_of(unet, most_rows=most_rows)
    for texts in (False, True):
        with captured(unet, size=(16, 24), jobs=jobs, last=5, told=texts) as capture:
            fused(start, network.predict, None, told, PATH, beta=0)
        assert capture.steps == 2
        for job, maps in enumerate(capture.untold()):
            expected = whole[1:, job].mean(dim=0)[:, [0, 5]].reshape(4, 6, 2).numpy()
            assert np.ptp(expected) > 1e-3
            np.testing.assert_allclose(maps.first, expected[..., 0], atol=allowed)
            np.testing.assert_allclose(maps.last, expected[..., 1], atol=allowed)
    for job, maps in enumerate(capture.with_instruction()):
        expected = whole[0, job][:, [0, 5]].reshape(4, 6, 2).numpy()
        np.testing.assert_allclose(maps.first, expected[..., 0], atol=allowed)
        np.testing.assert_allclose(maps.last, expected[..., 1], atol=allowed)


def test_the_network_gives_the_same_bits_while_it_is_looked_at(unet: Any) -> None:
    start, told = given()
    network = network_of(unet)
    plain = fused(start, network.predict, None, told, PATH, beta=0)
    with captured(unet, size=(16, 24), jobs=1, last=5, told=True):
        looked = fused(start, network.predict, None, told, PATH, beta=0)
    assert torch.equal(looked, plain)


def test_both_networks_are_called_with_rows_of_three_and_only_the_first_is_captured(
    unet: Any,
) -> None:
    other = unet_of()
    calls: dict[str, list[int]] = {"first": [], "second": []}
    handles = [
        net.register_forward_pre_hook(lambda _, sent, name=name: calls[name].append(len(sent[0])))
        for name, net in (("first", unet), ("second", other))
    ]
    path = DpmSolver.from_config({"beta_schedule": "scaled_linear"}).path(20)
    start, told = given(size=(8, 8))
    with captured(unet, size=(8, 8), jobs=1, last=5) as capture:
        fused(start, network_of(unet).predict, network_of(other).predict, told, path, beta=0.2)
    for handle in handles:
        handle.remove()
    assert calls == {"first": [3] * 20, "second": [3] * 20}
    assert capture.steps == 20
    assert capture.untold()[0].first.shape == (2, 2)


def processors(unet: Any) -> dict[str, int]:
    return {name: id(one) for name, one in unet.attn_processors.items()}


def test_the_processors_come_back_on_any_exit(unet: Any) -> None:
    before, hooks = processors(unet), len(unet._forward_hooks)
    with captured(unet, size=(16, 24), jobs=1, last=5):
        changed = {name for name, one in processors(unet).items() if before[name] != one}
        assert len(changed) == 5
    assert processors(unet) == before

    def fail() -> None:
        raise KeyboardInterrupt

    start, told = given()
    with pytest.raises(KeyboardInterrupt), captured(unet, size=(16, 24), jobs=1, last=5):
        fused(start, network_of(unet).predict, None, told, PATH, beta=0, tick=fail)
    assert processors(unet) == before
    assert len(unet._forward_hooks) == hooks


def test_a_call_that_ran_out_of_memory_and_is_made_anew_counts_once(unet: Any) -> None:
    failures = iter([True])

    def scarce(_module: Any, sent: Any) -> None:
        if next(failures, False):
            raise torch.OutOfMemoryError("no memory")

    start, told = given()
    plain = network_of(unet)
    with captured(unet, size=(16, 24), jobs=1, last=5) as first:
        fused(start, plain.predict, None, told, PATH, beta=0)
    # the last block comes after all layers that are looked at
    handle = unet.up_blocks[-1].register_forward_pre_hook(scarce)
    tight = network_of(unet)
    with captured(unet, size=(16, 24), jobs=1, last=5) as again:
        fused(start, tight.predict, None, told, PATH, beta=0)
    handle.remove()
    assert tight.most_rows == 1
    assert again.steps == 2
    np.testing.assert_allclose(again.untold()[0].last, first.untold()[0].last, atol=1e-6)
    np.testing.assert_allclose(again.untold()[0].first, first.untold()[0].first, atol=1e-6)


class Pair(torch.nn.Module):
    """The smallest network with attention to text on its way down and up."""

    def __init__(self) -> None:
        from diffusers.models.attention_processor import Attention

        super().__init__()
        torch.manual_seed(0)
        one, two = (Attention(8, cross_attention_dim=WIDTH, heads=2, dim_head=4) for _ in range(2))
        self.down_blocks = torch.nn.ModuleList([torch.nn.ModuleList([one])])
        self.up_blocks = torch.nn.ModuleList([torch.nn.ModuleList([two])])

    def forward(self, states: Tensor, text: Tensor) -> Tensor:
        for blocks in (self.down_blocks, self.up_blocks):
            states = states + blocks[0][0](states, encoder_hidden_states=text)
        return states


def test_a_compiled_network_is_captured_too() -> None:
    plain, compiled = Pair().requires_grad_(False), Pair().requires_grad_(False)
    compiled.compile(backend="eager")
    random = torch.Generator().manual_seed(3)
    states, text = torch.randn(3, 12, 8, generator=random), torch.randn(3, 7, WIDTH)
    compiled(states, text)
    found = []
    for network in (plain, compiled):
        with captured(network, size=(3, 4), jobs=1, last=5) as capture:
            for _ in range(2):
                network(states, text)
        assert capture.steps == 2
        found.append(capture.untold()[0])
    np.testing.assert_allclose(found[0].last, found[1].last, atol=1e-6)


def test_a_capture_for_other_sizes_or_without_steps_is_refused(unet: Any) -> None:
    start, told = given()
    with captured(unet, size=(8, 8), jobs=1, last=5) as capture:
        with pytest.raises(InvalidInput, match="4 cells"):
            fused(start, network_of(unet).predict, None, told, PATH, beta=0)
        with pytest.raises(InvalidInput, match="no step"):
            capture.untold()
        with pytest.raises(InvalidInput, match="not captured"):
            capture.with_instruction()


def test_a_network_that_reads_no_text_is_refused() -> None:
    deaf = unet_of(
        down_block_types=("DownBlock2D",) * 2,
        up_block_types=("UpBlock2D",) * 2,
        block_out_channels=(8, 16),
        mid_block_type=None,
    )
    with pytest.raises(InvalidInput, match="no cross-attention"):
        evidence_layers(deaf)


def test_the_last_mark_is_found_and_a_long_instruction_is_cut_with_a_note() -> None:
    text = TextEncoders(tokenizers=[tokenizer()], encoders=[text_encoder()])
    assert last_mark(text, "abc").column == 4  # two marks around three letters
    assert last_mark(text, "abc").note == ""
    assert last_mark(text, "").column == 1
    assert last_mark(text, "a" * 75) == last_mark(text, "b" * 75)
    long = last_mark(text, "a" * 75 + " xyz")
    assert long.column == 76
    assert "xyz" in long.note


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stable_diffusion(
        tmp_path_factory.mktemp("weights") / "ip2p", flavour="instruct-pix2pix"
    )


def test_a_long_instruction_is_edited_and_captured(folder: Path) -> None:
    network = InstructPix2Pix.loaded(InstructPix2PixConfig(model=str(folder))).network
    instruction = "remove the very " + "long " * 40
    image = np.random.default_rng(0).random((32, 48, 3)).astype(np.float32)
    told = Given(
        told=network.embed(instruction),
        untold=network.embed(""),
        sources=network.encode([image], scaled=False),
    )
    mark = last_mark(network.text, instruction)
    start = torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(0))
    with captured(network.unet, size=(8, 12), jobs=1, last=mark.column) as capture:
        fused(start, network.predict, None, told, PATH, beta=0)
    maps = capture.untold()[0]
    assert maps.last.shape == (4, 6)
    assert np.isfinite(maps.last).all()
    assert 0 < maps.last.max() <= 1
