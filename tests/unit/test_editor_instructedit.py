"""InstructEdit: its equations, its rows, its cache, and what it does in rounds."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from image_core.devices import Placement  # noqa: E402
from image_core.diffusion.latent_masks import latent_masks  # noqa: E402
from image_core.diffusion.loading import load_latent_diffusion  # noqa: E402
from image_core.diffusion.trajectories import TrajectoryCache  # noqa: E402
from image_core.disk_cache import DiskCache  # noqa: E402
from image_core.editors.generative import Job, Task  # noqa: E402
from image_core.editors.masked_ddim import InstructEditConfig  # noqa: E402
from image_core.editors.masked_ddim import method as masked_ddim  # noqa: E402
from image_core.errors import EditCancelled, InvalidInput  # noqa: E402
from image_core.evaluations import counting  # noqa: E402
from image_core.testing import STEPS, batch_of, scene  # noqa: E402
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion  # noqa: E402

CPU64 = Placement(device=torch.device("cpu"), dtype=torch.float64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_stable_diffusion(tmp_path_factory.mktemp("sd") / "sd")


@pytest.fixture
def method(folder):
    return method_of(folder)


def method_of(folder, **options):
    config = InstructEditConfig(model=str(folder), **{"steps": 10, **options})
    return masked_ddim.MaskedDdim(
        network=load_latent_diffusion(folder, CPU64), config=config, cache=None
    )


def job_of(key=1, seed=0, render=None):
    image, alpha = scene(48, 64, seed=seed)
    if render is None:
        return Job(image=image, condition=image, mask=alpha, key=key)
    return Job(image=render, condition=image, mask=alpha, key=key)


def task(strength=0.5, **changes):
    return Task(
        step=STEPS["replace"],
        source_caption="a disc",
        edited_caption="a red ball",
        strength=strength,
        **changes,
    )


def recomputed(network, job, strength, steps, guidance, source="a disc", edited="a red ball"):
    """Eqs. 2-4 written out plainly, one sample at a time."""
    alphas = [network.schedule.clean_alpha]
    times = [-1]
    for k in range(steps):
        times.append((1000 // steps) * k + 1)
        alphas.append(network.schedule.alphas[times[-1]])

    def noise(x, k, prompt):
        ids = network.text.tokenizers[0](
            [prompt], padding="max_length", truncation=True, max_length=77, return_tensors="pt"
        ).input_ids
        hidden = network.text.encoders[0](ids)[0]
        return network.unet(x, times[k], encoder_hidden_states=hidden).sample

    def carried(x, e, a, b):
        clean = (x - (1 - a) ** 0.5 * e) / a**0.5
        return b**0.5 * clean + (1 - b) ** 0.5 * e

    pixels = torch.from_numpy(job.condition).double().permute(2, 0, 1)[None] * 2 - 1
    scale = network.vae.config.scaling_factor
    with torch.no_grad():
        x = [network.vae.encode(pixels).latent_dist.mean * scale]
        n = round(strength * steps)
        for k in range(1, n + 1):
            x.append(carried(x[-1], noise(x[-1], k, source), alphas[k - 1], alphas[k]))
        cells = np.zeros(x[0].shape[-2:])
        for row, column in np.argwhere(job.mask > 0):
            cells[row // 4, column // 4] = 1
        mask = torch.from_numpy(cells)
        y = x[n]
        for k in range(n, 0, -1):
            empty, given = noise(y, k, ""), noise(y, k, edited)
            e = empty + guidance * (given - empty)
            y = carried(y, e, alphas[k], alphas[k - 1])
            y = mask * y + (1 - mask) * x[k - 1]
        picture = network.vae.decode(y / scale).sample
    return ((picture / 2 + 0.5).clamp(0, 1)[0].permute(1, 2, 0)).numpy()


@pytest.mark.parametrize(("strength", "guidance"), [(0.5, 7.5), (1.0, 3.0), (0.3, 1.0)])
def test_an_edit_is_equations_2_to_4(folder, strength, guidance):
    method = method_of(folder, guidance=guidance)
    job = job_of()
    made = method.run([job], task(strength)).images[0]
    expected = recomputed(method.network, job, strength, 10, guidance)
    assert np.abs(made - expected).max() < 1e-5
    assert made.std() > 0.01


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_one_changed_weight_breaks_the_equality(folder, part):
    method, plain = method_of(folder), method_of(folder)
    job = job_of()
    network = method.network
    module = network.text.encoders[0] if part == "text_encoder" else getattr(network, part)
    with torch.no_grad():
        weight = next(w for w in module.parameters() if w.ndim > 1)
        if part == "text_encoder":  # a token that the caption holds
            weight[network.text.tokenizers[0]("a")["input_ids"][1], 0] += 0.5
        else:
            weight.view(-1)[0] += 0.5
    made = method.run([job], task()).images[0]
    assert np.abs(made - recomputed(plain.network, job, 0.5, 10, 7.5)).max() > 1e-5


def with_constant_noise(method):
    """Let the UNet give the same noise whatever it sees."""
    generator = torch.Generator().manual_seed(3)
    constant = torch.randn(1, 4, 12, 16, generator=generator, dtype=torch.float64)
    method.network.unet.forward = lambda x, *_, **__: (constant.expand(len(x), -1, -1, -1),)
    return method


def final_latents(method, job, strength, monkeypatch):
    seen = []
    decode = method.network.decode
    monkeypatch.setattr(method.network, "decode", lambda x: seen.append(x) or decode(x))
    method.run([job], task(strength))
    return seen[0]


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_constant_noise_gives_the_picture_back(method, monkeypatch, strength):
    with_constant_noise(method)
    job = job_of()
    clean = method.network.encode([job.image])
    latents = final_latents(method, job, strength, monkeypatch)
    torch.testing.assert_close(latents, clean, atol=1e-6, rtol=0)


def test_an_empty_mask_gives_the_clean_latents_exactly(method, monkeypatch):
    job = replace(job_of(), mask=np.zeros((48, 64), np.float32))
    clean = method.network.encode([job.image])
    assert torch.equal(final_latents(method, job, 0.5, monkeypatch), clean)


def test_outside_the_mask_the_latents_end_clean_exactly(method, monkeypatch):
    job = job_of()
    clean = method.network.encode([job.image])
    latents = final_latents(method, job, 0.7, monkeypatch)
    kept = (latent_masks([job.mask], 4, clean) == 0).expand_as(clean)
    assert torch.equal(latents[kept], clean[kept])
    assert not torch.allclose(latents[~kept], clean[~kept], atol=0.05)


def test_every_blend_joins_latents_of_one_level(method, monkeypatch):
    """Each is told by its noise level: with the true noise known, a latent tells its alpha."""
    pairs = []
    blended = masked_ddim.blended

    def watched(edited, kept, changing):
        pairs.append((edited, kept))
        return blended(edited, kept, changing)

    monkeypatch.setattr(masked_ddim, "blended", watched)
    with_constant_noise(method)
    job = job_of()
    clean = method.network.encode([job.image])
    noise = method.network.unet.forward(clean)[0]
    levels = method.network.schedule.levels(10)
    method.run([job], task(0.5))
    at = [_level_of(edited, clean, noise, levels) for edited, _ in pairs]
    kept_at = [_level_of(kept, clean, noise, levels) for _, kept in pairs]
    assert at == kept_at == [5, 4, 3, 2, 1, 0]


def _level_of(latents, clean, noise, levels):
    """Levels 0 and 1 have nearly equal alphas, so clean is told by equality first."""
    x0 = (clean - (1 - levels[0].alpha) ** 0.5 * noise) / levels[0].alpha ** 0.5
    errors = [
        (latents - (level.alpha**0.5 * x0 + (1 - level.alpha) ** 0.5 * noise)).abs().max()
        for level in levels
    ]
    return int(np.argmin(errors))


def test_a_batch_equals_single_edits(method):
    jobs = [job_of(1), job_of(2, seed=5), job_of(3, seed=8)]
    together = method.run(jobs, task()).images
    for job, image in zip(jobs, together, strict=True):
        assert np.abs(method.run([job], task()).images[0] - image).max() < 1e-5


@pytest.mark.parametrize(("steps", "strength", "rows"), [(50, 0.5, 75), (16, 0.5, 24)])
def test_a_first_edit_takes_three_rows_a_step(folder, steps, strength, rows):
    method = method_of(folder, steps=steps)
    with counting() as counted:
        method.run([job_of()], task(strength))
    assert counted["unet"] == rows
    assert counted["vae encoder"] == counted["vae decoder"] == 1
    assert counted["text encoder"] == 3


def cached_method(folder, root, **options):
    method = method_of(folder, **options)
    store = DiskCache(name="paths", suffix=".npy", root=root)
    method.cache = TrajectoryCache(store=store)
    return method


def test_a_second_edit_pays_no_inversion_and_gives_the_same_bits(folder, tmp_path):
    first = cached_method(folder, tmp_path, steps=50)
    fresh = first.run([job_of()], task()).images[0]
    second = cached_method(folder, tmp_path, steps=50)
    with counting() as counted:
        again = second.run([job_of()], task()).images[0]
    assert counted["unet"] == 50
    assert np.array_equal(fresh, again)
    with counting() as counted:  # another caption, a larger ratio: ten levels more
        second.run([job_of()], replace(task(0.7), edited_caption="a green cube"))
    assert counted["unet"] == 10 + 70


@pytest.mark.parametrize("change", ["picture", "source caption", "steps"])
def test_what_decides_the_path_is_in_its_key(folder, tmp_path, change):
    cached_method(folder, tmp_path).run([job_of()], task())
    method = cached_method(folder, tmp_path, steps=11 if change == "steps" else 10)
    job = job_of(seed=9) if change == "picture" else job_of()
    asked = replace(task(), source_caption="a cat") if change == "source caption" else task()
    with counting() as counted:
        method.run([job], asked)
    assert counted["unet"] in (15, 18)


def test_a_rendering_decides_the_edit_and_not_what_lies_outside(method, monkeypatch):
    """In a NeRF round the picture is a rendering, its condition the original."""
    original = job_of().condition
    render = np.clip(original * 0.6 + 0.2, 0, 1).astype(np.float32)
    with counting() as counted:
        plain = method.run([job_of()], task()).images[0]
    assert counted["unet"] == 15
    with counting() as counted:
        made = method.run([job_of(render=render)], task()).images[0]
    assert counted["unet"] == 15
    inside = job_of().mask > 0
    assert np.abs(made - plain)[inside].mean() > 1e-3
    clean = method.network.encode([original])
    latents = final_latents(method, job_of(render=render), 0.5, monkeypatch)
    kept = (latent_masks([job_of().mask], 4, clean) == 0).expand_as(clean)
    assert torch.equal(latents[kept], clean[kept])


def test_a_rendering_that_equals_its_original_gives_the_plain_edit(method):
    job = job_of()
    equal = job_of(render=job.condition.copy())
    same = method.run([equal], task()).images[0]
    assert np.abs(same - method.run([job], task()).images[0]).max() < 1e-9


def test_reinvert_inverts_the_rendering(folder):
    method = method_of(folder, reinvert=True)
    render = np.clip(job_of().condition * 0.6 + 0.2, 0, 1).astype(np.float32)
    with counting() as counted:
        method.run([job_of(render=render)], task())
    assert counted["unet"] == 5 + 5 + 10


def test_it_stops_between_two_steps_when_it_is_told_to(method):
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 7

    with pytest.raises(EditCancelled), counting() as counted:
        method.run([job_of()], task(cancelled=cancelled))
    assert counted["unet"] < 15


def test_a_caption_that_does_not_fit_is_told(folder):
    edit = InstructEditConfig(model=str(folder), steps=2, resolution=32, cache=False).build()
    step = replace(STEPS["replace"], edited_caption="a red ball " * 40)
    image, alpha = scene(32, 32)
    made = edit.prepare(step, ()).edit(batch_of([image], [alpha], strength=0.5))
    assert any("cut off" in warning for warning in made.warnings)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"guidance": float("nan")},
        {"resolution": 5},
        {"samples": 0},
        {"model": " "},
        {"source_caption": "a cat"},
    ],
)
def test_values_that_cannot_be_used_are_refused(options):
    with pytest.raises(InvalidInput):
        InstructEditConfig(**options)


def test_sdxl_checkpoints_are_edited_too(tmp_path):
    folder = write_stable_diffusion(tmp_path / "xl", xl=True)
    method = method_of(folder)
    made = method.run([job_of()], task()).images[0]
    other = method.run([job_of()], replace(task(), edited_caption="a green cube")).images[0]
    assert made.std() > 0.01
    assert np.abs(made - other).max() > 1e-3


def test_tiles_and_visits_change_no_bit_of_a_small_edit(folder):
    low = masked_ddim.MaskedDdim(
        network=load_latent_diffusion(folder, CPU64, memory="low"),
        config=InstructEditConfig(model=str(folder), steps=10),
    )
    assert low.network.offload
    plain = method_of(folder).run([job_of()], task()).images[0]
    assert np.array_equal(low.run([job_of()], task()).images[0], plain)


def test_a_checkpoint_that_sees_more_than_latents_is_refused(tmp_path):
    other = write_stable_diffusion(tmp_path / "ip2p", flavour="instruct-pix2pix")
    with pytest.raises(InvalidInput):
        masked_ddim.MaskedDdim.loaded(InstructEditConfig(model=str(other), device="cpu"))
