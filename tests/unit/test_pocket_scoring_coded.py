"""The bounds that the autoencoder sets: the true edit coded, and its latents in the source's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from image_core.errors import InsituError, MissingWeights  # noqa: E402
from pocket.scoring.cases import ScoredCase, cases_of, on_8_bit  # noqa: E402
from pocket.scoring.coded import CodedPictures  # noqa: E402
from pocket.scoring.references import REFERENCES, References  # noqa: E402
from pocket.scoring.setting import Setting  # noqa: E402
from pocket.zoo.autoencoder import build_autoencoder  # noqa: E402


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    build_autoencoder().save_pretrained(folder / "stable-diffusion" / "vae")
    return folder


@pytest.fixture(scope="module")
def case() -> ScoredCase:
    return cases_of(Setting(count=1, tasks=("recolor",)))[0]


def test_the_leak_is_the_decoders_alone(models: Path, case: ScoredCase) -> None:
    coded = CodedPictures(models / "stable-diffusion" / "vae")
    ceiling, leaked = coded.ceiling(case), coded.leaked(case)
    everywhere = replace(case, changed=np.ones_like(case.changed))
    assert np.array_equal(coded.leaked(everywhere), ceiling)
    nowhere = replace(case, changed=np.zeros_like(case.changed))
    source = coded.leaked(nowhere)
    assert np.array_equal(source, coded.ceiling(replace(case, truth=case.source)))
    # one latent cell of the edit is enough to change pixels, and it is taken where any of it lies
    assert not np.array_equal(leaked, source)
    assert not np.array_equal(leaked, ceiling)


def test_references_are_made_of_what_is_there(models: Path, case: ScoredCase) -> None:
    references = References(models)
    assert references.names == REFERENCES
    assert np.array_equal(references.picture("true edit", case), case.truth)
    assert np.array_equal(references.picture("do nothing", case), case.source)
    coded = CodedPictures(models / "stable-diffusion" / "vae")
    assert np.array_equal(references.picture("VAE ceiling", case), on_8_bit(coded.ceiling(case)))
    assert np.array_equal(references.picture("leak floor", case), on_8_bit(coded.leaked(case)))
    assert references.digest("true edit") == ""
    assert references.digest("leak floor") != ""
    bare = References(None)
    assert bare.names == ("true edit", "do nothing")
    with pytest.raises(MissingWeights):
        bare.picture("VAE ceiling", case)


def test_other_weights_have_another_digest(models: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    build_autoencoder().save_pretrained(tmp_path / "stable-diffusion" / "vae")
    assert References(models).digest("VAE ceiling") != References(tmp_path).digest("VAE ceiling")


def test_torn_weights_are_no_autoencoder(tmp_path: Path, case: ScoredCase) -> None:
    folder = tmp_path / "stable-diffusion" / "vae"
    build_autoencoder().save_pretrained(folder)
    (weights,) = folder.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(InsituError):
        References(tmp_path).picture("leak floor", case)
