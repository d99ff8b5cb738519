"""Flow has the right units and axes, tells where it can't be trusted, and is kept exactly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from image_core.errors import InvalidInput, MissingWeights
from video.flow import Chain, Dis, Preset, confidence, measured_pair, paired
from video.flow_store import FlowStore, in_steps
from video.flow_types import PairFlow
from video.frames import ArrayFrames, Picture, Span
from video.padding import padded, padding_for, unpadded
from video.raft import Raft, has_raft, weights_file
from video.warping import Field, grid, resized_flow, warped

SIZE = (96, 72)


def photo(size: tuple[int, int] = SIZE, x: float = 0, y: float = 0) -> Picture:
    """A photo seen through a window that stands at (x, y)."""
    move = np.float32([[0.5, 0, -40 - x], [0, 0.5, -20 - y]])
    return cv2.warpAffine(data.astronaut(), move, size, flags=cv2.INTER_AREA)


class Turning:
    """Flows of a picture that turns about its middle: known for any two frames."""

    def __init__(self, degrees: float, size: tuple[int, int] = SIZE) -> None:
        self.degrees, self.size = degrees, size
        self.asked: list[int] = []

    def between(self, first: int, second: int) -> Field:
        angle = np.deg2rad(self.degrees * (second - first))
        middle = np.float32([self.size[0] / 2, self.size[1] / 2])
        around = grid(self.size) - middle
        turn = np.float32([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return (around @ turn - around).astype(np.float32)

    def pair(self, index: int) -> PairFlow:
        self.asked.append(index)
        return paired(self.between(index, index + 1), self.between(index + 1, index))


def inner(field: np.ndarray) -> np.ndarray:
    return field[16:-16, 16:-16]


@pytest.mark.parametrize("preset", ["draft", "normal", "best"])
def test_dis_finds_a_shift_in_pixels_x_first(preset: Preset) -> None:
    flow = Dis(preset).flow(photo((160, 120)), photo((160, 120), x=4, y=1.5))
    error = np.abs(flow[20:-20, 20:-20] - np.float32([-4, -1.5]))
    assert np.median(error) < 0.15
    assert Dis(preset).name != Dis().name or preset == "best"


def test_the_same_frames_give_the_same_bits_whatever_the_threads() -> None:
    first, second = photo(), photo(x=2)
    flow = Dis().flow(first, second)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(7)
        assert np.array_equal(Dis().flow(first, second), flow)
    finally:
        cv2.setNumThreads(threads)


@pytest.mark.parametrize("size", [(1, 1), (3, 9), (17, 2), (33, 31)])
def test_pictures_of_any_size_have_a_flow(size: tuple[int, int]) -> None:
    flow = Dis().flow(photo(size), photo(size, x=1))
    assert flow.shape == (size[1], size[0], 2)
    assert np.isfinite(flow).all()


def test_frames_of_two_sizes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="shapes"):
        measured_pair(Dis(), photo((40, 30)), photo((30, 40)))


def test_confidence_is_sundarams_bound_made_soft() -> None:
    size = (20, 10)
    forward = np.zeros((*size[::-1], 2), np.float32)
    forward[..., 0] = 3
    assert confidence(forward, -forward)[5, 5] == 1
    # the bound for a backward flow that is off by g: g² = 0.01 (9 + (3 - g)²) + 0.5
    gap = np.roots([0.99, 0.06, -0.68]).max()
    back = -forward
    back[..., 0] += gap
    assert confidence(forward, back)[5, 5] == pytest.approx(0.5, abs=1e-4)
    assert (confidence(forward, back)[:, -3:] == 0).all()  # it leaves the picture
    far = forward * 1000
    assert (confidence(far, -far) == 0).all()


def test_what_is_not_finite_is_not_trusted() -> None:
    flow = np.zeros((8, 8, 2), np.float32)
    flow[2, 3] = np.nan
    trust = confidence(flow, np.zeros_like(flow))
    assert trust[2, 3] == 0
    assert trust[6, 6] == 1


@pytest.mark.parametrize(("reference", "index"), [(2, 9), (9, 2), (4, 4), (0, 1)])
def test_a_chain_leads_where_the_motion_does(reference: int, index: int) -> None:
    turning = Turning(1.5)
    flow, trust = Chain(turning, reference).to_reference(index)
    wanted = turning.between(index, reference)
    assert np.abs(inner(flow - wanted)).max() < 0.02
    assert inner(trust).min() > 0.99


def test_a_chain_is_as_sure_as_its_weakest_link() -> None:
    class Doubtful(Turning):
        def pair(self, index: int) -> PairFlow:
            good = super().pair(index)
            if index != 3:
                return good
            half = np.full_like(good.backward_confidence, 0.25)
            return PairFlow(
                forward=good.forward,
                backward=good.backward,
                forward_confidence=half,
                backward_confidence=half,
            )

    _, before = Chain(Doubtful(0.5), 0).to_reference(3)
    _, behind = Chain(Doubtful(0.5), 0).to_reference(7)
    assert inner(before).min() > 0.99
    assert inner(behind).max() == pytest.approx(0.25)


def test_a_chain_takes_one_step_a_frame_and_any_order() -> None:
    turning = Turning(1.0)
    chain = Chain(turning, 3)
    for index in (4, 5, 6, 2, 1, 0):
        chain.to_reference(index)
    assert turning.asked == [3, 4, 5, 2, 1, 0]
    again = chain.to_reference(4)[0]
    assert np.array_equal(again, Chain(turning, 3).to_reference(4)[0])


def test_resizing_scales_each_axis_by_its_own_factor() -> None:
    flow = np.broadcast_to(np.float32([12, 3]), (54, 96, 2)).copy()
    assert np.allclose(resized_flow(flow, (48, 54))[10, 10], [6, 3])
    assert np.allclose(resized_flow(flow, (96, 27))[10, 10], [12, 1.5])
    # the flow of a shift by (12, 3) undoes it; with its axes swapped it does not
    first, second = photo((96, 54)), photo((96, 54), x=-12, y=-3)
    right = np.abs(warped(second, flow).astype(int) - first)[5:40, 5:70].mean()
    swapped = np.ascontiguousarray(flow[..., ::-1])
    wrong = np.abs(warped(second, swapped).astype(int) - first)[5:40, 5:70].mean()
    assert right < 2 < wrong


def test_padding_is_undone_in_place_and_units() -> None:
    size = (541, 303)
    around = padding_for(size, multiple=8)
    enlarged = padded(photo(size), around)
    assert enlarged.shape == (304, 544, 3)
    places = grid((544, 304)) - np.float32([around.left, around.top])
    # an analytic warp, written in the padded picture's own pixels
    flow = np.stack((0.01 * places[..., 1] + 2, -0.02 * places[..., 0]), axis=-1)
    own = grid(size)
    wanted = np.stack((0.01 * own[..., 1] + 2, -0.02 * own[..., 0]), axis=-1)
    assert np.abs(unpadded(flow.astype(np.float32), around) - wanted).max() < 0.01
    assert np.array_equal(
        unpadded(enlarged.astype(np.float32)[..., :2], around), photo(size)[..., :2]
    )
    assert padding_for((100, 30), multiple=8, least=128).right == 14


def store(folder: Path, preset: Preset = "draft", size: tuple[int, int] = SIZE) -> FlowStore:
    frames = ArrayFrames([photo(size, x=2 * i, y=i) for i in range(5)])
    return FlowStore(folder, frames, Dis(preset), kept=2)


def test_flows_come_back_with_the_same_bits(tmp_path: Path) -> None:
    first = store(tmp_path)
    assert first.missing(Span(0, 5)) == [0, 1, 2, 3]
    measured = [first.pair(i) for i in range(4)]
    again = store(tmp_path)
    assert again.missing(Span(0, 5)) == []
    for i in (3, 0, 2, 1):
        kept = again.pair(i)
        assert np.array_equal(kept.forward, measured[i].forward)
        assert np.array_equal(kept.backward_confidence, measured[i].backward_confidence)
    assert first.size == SIZE


def test_keeping_costs_a_hundred_and_twenty_eighth_of_a_pixel() -> None:
    flow = np.random.default_rng(0).normal(0, 60, (30, 40, 2)).astype(np.float32)
    assert np.abs(in_steps(flow) - flow).max() <= 1 / 128 + 1e-4
    wild = np.float32([[[np.nan, 9000], [-9000, np.inf]]])
    assert np.isfinite(in_steps(wild)).all()


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "grow", "other"])
def test_a_torn_or_foreign_file_is_measured_anew(tmp_path: Path, harm: str) -> None:
    wanted = store(tmp_path).pair(1)
    path = store(tmp_path).path(1)
    data_ = path.read_bytes()
    spoiled = {
        "cut": data_[:-5],
        "flip": data_[:-9] + bytes([data_[-9] ^ 4]) + data_[-8:],
        "empty": b"",
        "grow": data_ + b"x",
        "other": store(tmp_path).path(1).read_bytes()[::-1],
    }[harm]
    path.write_bytes(spoiled)
    assert np.array_equal(store(tmp_path).pair(1).forward, wanted.forward)
    assert path.read_bytes() == data_


def test_flows_of_other_settings_or_sizes_are_not_taken(tmp_path: Path) -> None:
    store(tmp_path).pair(0)
    assert store(tmp_path, "best").missing(Span(0, 2)) == [0]
    assert store(tmp_path, size=(72, 96)).missing(Span(0, 2)) == [0]
    best = store(tmp_path / "new", "best").pair(0)
    assert np.array_equal(store(tmp_path, "best").pair(0).forward, best.forward)


def test_there_is_no_flow_from_the_last_frame(tmp_path: Path) -> None:
    for index in (-1, 4):
        with pytest.raises(InvalidInput, match="no flow"):
            store(tmp_path).pair(index)


def test_raft_without_weights_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert not has_raft("small")
    with pytest.raises(MissingWeights) as caught:
        Raft("small")
    assert "Raft_Small_Weights" in caught.value.hint
    weights_file("small").parent.mkdir(parents=True)
    weights_file("small").write_bytes(b"torn")
    pytest.importorskip("torchvision")
    with pytest.raises(MissingWeights, match="can't be read"):
        Raft("small")


def test_raft_takes_pictures_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models.optical_flow")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights_file("small").parent.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(models.raft_small(weights=None).state_dict(), weights_file("small"))
    raft = Raft("small", updates=1)
    flow = raft.flow(photo((141, 43)), photo((141, 43), x=1))
    assert flow.shape == (43, 141, 2)
    assert np.isfinite(flow).all()
    assert raft.name == "raft-small-1"


def test_no_torch_is_imported_until_a_network_is_made() -> None:
    code = "import sys, video.raft, video.propagate, video.shots; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
