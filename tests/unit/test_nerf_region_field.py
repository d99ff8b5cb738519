"""One region in 3-D: rendered with the NeRF's weights, learnt from views that disagree."""

from __future__ import annotations

import numpy as np
import pytest
from nerf_analytic_scene import ring

torch = pytest.importorskip("torch")
pytest.importorskip("nerfstudio")

from nerfstudio.cameras.rays import Frustums, RayBundle, RaySamples  # noqa: E402
from nerfstudio.field_components.spatial_distortions import SceneContraction  # noqa: E402
from nerfstudio.fields.nerfacto_field import NerfactoField  # noqa: E402

from image_core.errors import EditFailed, InvalidInput  # noqa: E402
from nerf.hash_encoding import accelerate  # noqa: E402
from nerf.region_field import MAX_STEPS, RegionField, position_of, sampled  # noqa: E402
from nerf.region_training import RegionPixels, region_loss, train_region  # noqa: E402
from nerf.regions import agreement, iou  # noqa: E402

CONTRACTION = SceneContraction(order=float("inf"))
SIZE = (36, 48)
VIEWS = 20
OFFSETS = torch.tensor([-0.02, 0.0, 0.02])
SHARES = torch.tensor([0.2, 0.6, 0.2])


class Capture:
    """The analytic scene with volume-rendering weights spread a little around its surface."""

    def __init__(self):
        cameras, _, labels, points = ring(VIEWS, size=SIZE)
        self.labels = np.stack(labels)
        self.points = np.stack(points)
        self.origins = np.stack([camera.position for camera in cameras])

    def masks(self, label=1):
        return [(labels == label).astype(np.float32) for labels in self.labels]

    def geometry(self, places):
        view, row, column = places.T
        points = torch.from_numpy(self.points[view, row, column]).float()
        along = torch.nn.functional.normalize(
            points - torch.from_numpy(self.origins[view]).float(), dim=-1
        )
        samples = points[:, None] + along[:, None] * OFFSETS[None, :, None]
        return position_of(samples, CONTRACTION, torch.zeros(2, 3)), SHARES.expand(len(places), -1)

    def train(self, regions, *, seed=0, iterations=80, field=None, **options):
        pixels = RegionPixels(regions, [SIZE] * VIEWS, **options)

        def sample(generator):
            places, target, weight = pixels.draw(512, generator)
            return (*self.geometry(places), target, weight)

        field = field or RegionField()
        accelerate(field, position_gradient=False)
        losses = train_region(field, sample, iterations=iterations, seed=seed)
        return field, losses

    def shown(self, field, step=0):
        views = []
        for view in range(VIEWS):
            rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
            places = np.stack([np.full(SIZE, view), rows, columns], axis=-1).reshape(-1, 3)
            with torch.no_grad():
                rays = field.rendered(*self.geometry(places))
            views.append(rays[:, step].reshape(SIZE).numpy())
        return views


@pytest.fixture(scope="module")
def capture():
    return Capture()


def _corrupted(masks, seed, *, dropped, false):
    """Drop some masks and put false hits elsewhere in place of others."""
    random_ = np.random.default_rng(seed)
    order = random_.permutation(len(masks))
    regions = [(mask,) for mask in masks]
    for view in order[:dropped]:
        regions[view] = None
    for view in order[dropped : dropped + false]:
        hit = np.zeros(SIZE, np.float32)
        row, column = random_.integers(0, SIZE[0] - 10), random_.integers(0, SIZE[1] - 14)
        hit[row : row + 10, column : column + 14] = 1
        regions[view] = (np.where(masks[view] > 0, 0, hit).astype(np.float32),)
    return regions


@pytest.mark.parametrize("seed", [0, 1])
def test_with_30_percent_corrupt_masks_the_fused_region_is_nearer_the_truth(capture, seed):
    truth = capture.masks()
    regions = _corrupted(truth, seed, dropped=VIEWS * 15 // 100, false=VIEWS * 15 // 100)
    fused = capture.shown(capture.train(regions)[0])
    single = agreement([None if view is None else view[0] for view in regions], truth)
    joined = agreement(fused, truth)
    print(
        f"mean IoU with the truth: single views {single.mean_iou:.3f}, fused {joined.mean_iou:.3f};"
        f" mean areas: truth {np.mean(joined.fused_areas):.4f}, single {np.mean(single.areas):.4f},"
        f" fused {np.mean(joined.areas):.4f}"
    )
    assert single.mean_iou <= 0.71
    assert joined.mean_iou > 0.95
    assert np.mean(joined.areas) == pytest.approx(np.mean(joined.fused_areas), rel=0.03)


def test_views_that_missed_the_target_do_not_outvote_those_that_found_it(capture):
    truth = capture.masks()
    regions = _corrupted(truth, 3, dropped=VIEWS * 60 // 100, false=0)
    assert agreement(capture.shown(capture.train(regions)[0]), truth).mean_iou > 0.9
    even = capture.train(regions, unseen_weight=1.0)[0]
    assert agreement(capture.shown(even), truth).mean_iou < 0.5


def test_each_step_has_a_region_of_its_own(capture):
    both = list(zip(capture.masks(1), capture.masks(2), strict=True))
    field, _ = capture.train(both, iterations=150)
    for step, label in enumerate((1, 2)):
        assert agreement(capture.shown(field, step), capture.masks(label)).mean_iou > 0.9


def test_same_inputs_give_the_same_bits_and_no_random_state_is_touched(capture):
    regions = [(mask,) for mask in capture.masks()]
    torch.manual_seed(7)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, losses = capture.train(regions, iterations=5)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])
    torch.manual_seed(8)
    second, again = capture.train(regions, iterations=5)
    assert losses == again
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
    assert capture.train(regions, iterations=5, seed=1)[1] != losses


def test_an_untrained_region_is_empty_and_a_field_round_trips_through_its_state(capture):
    assert max(view.max() for view in capture.shown(RegionField())) < 0.2
    field, _ = capture.train([(mask,) for mask in capture.masks()], iterations=5)
    other = RegionField(seed=3)
    accelerate(other, position_gradient=False)
    other.load_state_dict(field.state_dict())
    assert np.array_equal(capture.shown(field)[0], capture.shown(other)[0])


def test_rendering_is_the_weighted_mean_of_the_samples_members():
    field = RegionField()
    torch.nn.init.normal_(field.network[-1].weight, generator=torch.Generator().manual_seed(0))
    field.encoding.hash_table.data *= 1000
    generator = torch.Generator().manual_seed(1)
    positions = torch.rand(50, 12, 3, generator=generator)
    weights = torch.rand(50, 12, generator=generator) ** 4 + 2e-3
    weights /= weights.sum(-1, keepdim=True) * 1.1
    members = torch.sigmoid(field(positions.reshape(-1, 3))).reshape(50, 12, MAX_STEPS)
    expected = (weights[..., None] * members).sum(1)
    assert expected.std() > 0.02
    assert torch.allclose(field.rendered(positions, weights), expected, atol=2e-3)
    # nerfstudio's own form of weights
    assert torch.equal(
        field.rendered(positions, weights[..., None]), field.rendered(positions, weights)
    )


def test_a_ray_that_hits_nothing_is_outside():
    field = RegionField()
    torch.nn.init.constant_(field.network[-1].bias, 5.0)
    shown = field.rendered(torch.rand(2, 4, 3), torch.tensor([[0.0] * 4, [0.25] * 4]))
    assert shown[0].abs().max() == 0
    assert shown[1].min() > 0.99


def test_the_region_never_moves_the_geometry():
    field = RegionField()
    positions = torch.rand(6, 4, 3, requires_grad=True)
    weights = torch.full((6, 4), 0.25, requires_grad=True)
    field.rendered(positions, weights).sum().backward()
    assert positions.grad is None
    assert weights.grad is None
    assert field.network[-1].bias.grad.abs().max() > 0


def _samples(points):
    count = points.shape[:2]
    return RaySamples(
        frustums=Frustums(
            origins=points,
            directions=torch.zeros(*count, 3),
            starts=torch.zeros(*count, 1),
            ends=torch.zeros(*count, 1),
            pixel_area=torch.ones(*count, 1),
        )
    )


@pytest.mark.parametrize("contraction", [None, CONTRACTION])
def test_positions_are_those_that_nerfactos_field_asks_for(contraction):
    box = torch.tensor([[-1.0, -2.0, -1.0], [1.0, 1.0, 3.0]])
    field = NerfactoField(
        box, num_images=2, spatial_distortion=contraction, implementation="torch", num_levels=2
    )
    points = torch.randn(40, 6, 3, generator=torch.Generator().manual_seed(0)) * 0.8
    field.get_density(_samples(points))
    mine, theirs = position_of(points, contraction, box), field._sample_locations
    within = (theirs != 0).all(-1)  # nerfacto puts what lies outside its box to 0
    assert within.float().mean() > 0.3
    assert torch.allclose(mine[within], theirs[within])
    assert mine.min() >= 0
    assert mine.max() <= 1


def test_pixels_come_with_what_their_own_view_says_there():
    random_ = np.random.default_rng(0)
    shapes = [(7, 9), (5, 4), (6, 6)]
    alphas = [random_.random(shape).astype(np.float32) for shape in shapes]
    pixels = RegionPixels([(alphas[0],), None, (alphas[2],)], shapes, unseen_weight=0.5)
    places, target, weight = pixels.draw(4000, torch.Generator().manual_seed(0))
    alphas[1][:] = 0
    expected = [alphas[view][row, column] for view, row, column in places]
    assert np.array_equal(target[:, 0].numpy(), np.array(expected, np.float32))
    assert {tuple(place) for place in places} == {
        (view, row, column)
        for view, shape in enumerate(shapes)
        for row, column in np.ndindex(shape)
    }
    assert (weight > 0).all()


def test_drawing_near_the_regions_does_not_change_the_mean_that_is_learnt():
    mask = np.zeros((40, 50), np.float32)
    mask[10:14, 20:26] = 1
    pixels = RegionPixels([(mask,), None], [mask.shape] * 2)
    _, target, weight = pixels.draw(400_000, torch.Generator().manual_seed(0))
    share = float((weight * target).sum() / weight.sum())
    even = mask.sum() / (mask.size * (1 + 0.1))  # the second view weighs a tenth
    assert share == pytest.approx(even, rel=0.03)
    assert target.mean() > 10 * mask.mean() / 2


def test_the_loss_is_the_weighted_cross_entropy():
    shown = torch.tensor([[0.9, 0.5], [0.2, 0.5]])
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    loss = region_loss(shown, target, torch.tensor([[1.0], [0.5]]))
    first, second = -np.log(0.9) - np.log(0.5), -np.log(0.8) - np.log(0.5)
    assert float(loss) == pytest.approx((first + 0.5 * second) / 3, rel=1e-5)


@pytest.mark.parametrize(
    ("regions", "shapes"),
    [
        ([None, None], [(4, 4)] * 2),
        ([(np.zeros((4, 4), np.float32),)], [(4, 4)]),
        ([(np.ones((4, 4), np.float32),)], [(4, 5)]),
        ([(np.ones((4, 4), np.float32),)], [(4, 4)] * 2),
        ([(np.ones((4, 4), np.float32),), (np.ones((4, 4), np.float32),) * 2], [(4, 4)] * 2),
        ([(np.ones((4, 4), np.float32),) * (MAX_STEPS + 1)], [(4, 4)]),
        ([()], [(4, 4)]),
    ],
)
def test_regions_that_teach_nothing_are_refused(regions, shapes):
    with pytest.raises(InvalidInput):
        RegionPixels(regions, shapes)


def test_a_training_that_cannot_work_is_refused():
    def never_finite(generator):
        ones = torch.ones(4, 1)
        return torch.rand(4, 2, 3), torch.full((4, 2), 0.5), ones * float("nan"), ones

    for options in ({"iterations": 0}, {"lr": 0.0}, {"lr": float("nan")}):
        with pytest.raises(InvalidInput):
            train_region(RegionField(), never_finite, **options)
    field = RegionField()
    with pytest.raises(EditFailed, match="finite"):
        train_region(field, never_finite, iterations=2)


def test_geometry_of_a_nerfacto_model_leaves_no_trace():
    model_module = pytest.importorskip("nerf.model")
    from nerfstudio.data.scene_box import SceneBox

    config = model_module.InsituModelConfig(
        implementation="torch",
        num_levels=2,
        log2_hashmap_size=8,
        num_proposal_iterations=1,
        num_proposal_samples_per_ray=(8,),
        num_nerf_samples_per_ray=6,
    )
    box = SceneBox(aabb=torch.tensor([[-1.0] * 3, [1.0] * 3]))
    model = config.setup(scene_box=box, num_train_data=2, device="cpu").train()
    model.proposal_sampler._steps_since_update = 3
    rays = RayBundle(
        origins=torch.zeros(5, 3),
        directions=torch.nn.functional.normalize(torch.randn(5, 3), dim=-1),
        pixel_area=torch.ones(5, 1),
        camera_indices=torch.zeros(5, 1, dtype=torch.long),
    )
    state = torch.get_rng_state()
    positions, weights, _ = sampled(model, rays)
    assert positions.shape == (5, 6, 3)
    assert weights.shape == (5, 6)
    assert not weights.requires_grad
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert model.proposal_sampler._steps_since_update == 3
    again = sampled(model, rays)
    assert torch.equal(weights, again[1])
    model.eval()
    outputs = model.get_outputs_for_camera_ray_bundle(rays.reshape((1, 5)))
    assert torch.allclose(weights.sum(-1), outputs["accumulation"].reshape(-1), atol=1e-5)


def test_iou_of_the_truth_with_itself_is_one(capture):
    assert all(iou(mask, mask) == 1 for mask in capture.masks())
