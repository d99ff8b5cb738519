"""Measures of an edited clip: each number on clips whose true value is known beforehand."""

from __future__ import annotations

import json
from fractions import Fraction

import cv2
import numpy as np
import pytest

from image_core.errors import IntegrityError, InvalidInput, MissingWeights
from image_core.receipt import receipt_path, seal
from pocket.clip import ClipSettings, write_clip
from video.clip import Clip, ExactFrame
from video.clip_consistency import ClipConsistency, consistency_by
from video.colour_tags import FULL, ColourTags
from video.encoding import encode_part
from video.evaluation import evaluate_clip
from video.flow_types import PairFlow
from video.frames import Span
from video.mask_clip import write_mask_clip
from video.motion_tally import MotionTally, resized_pair
from video.outside import OutsideTally
from video.plane_formats import PlaneFormat
from video.planes import Planes
from video.timing import timing_of
from video.truth import read_truth
from video.truth_tally import TruthTally, check_truth, same_words
from video.verification import mask_clip_path
from video.writing_plan import StreamSettings
from video.written import open_written

WIDTH, HEIGHT = 64, 48
YUV420 = PlaneFormat(kind="yuv", sx=2, sy=2)
RGB = PlaneFormat(kind="rgb")


class Panning:
    """The flow of a picture that moves by whole pixels to the right."""

    def __init__(self, step: float, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.step, self.size = step, size

    def pair(self, index: int) -> PairFlow:
        del index
        width, height = self.size
        flow = np.zeros((height, width, 2), np.float32)
        flow[..., 0] = self.step
        sure = np.ones((height, width), np.float32)
        return PairFlow(
            forward=flow, backward=-flow, forward_confidence=sure, backward_confidence=sure
        )


def texture(seed=0, size=(WIDTH * 2, HEIGHT)):
    noise = np.random.default_rng(seed).uniform(0, 255, (size[1], size[0], 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 2.0).clip(0, 255).astype(np.uint8)


def panned(index, step=2, seed=0):
    """The view of a wide texture that moves right by ``step`` pixels a frame."""
    left = WIDTH - step * index
    return np.ascontiguousarray(texture(seed)[:, left : left + WIDTH])


def disc(index, step=2):
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(mask, (20 + step * index, 24), 10, 1.0, -1)
    return mask


ONE_SHOT = (Span(0, 100),)


def tally_of(versions, masks, *, shots=ONE_SHOT, flows=None):
    tally = MotionTally(flows=flows or Panning(2), shots=shots)
    for index, mask in enumerate(masks):
        tally.add(index, {name: make(index) for name, make in versions.items()}, mask)
    return tally


def test_what_moves_with_the_flow_is_steady_and_what_comes_and_goes_is_not():
    def flickering(index):
        return np.clip(panned(index).astype(int) + 20 * (index % 2), 0, 255).astype(np.uint8)

    tally = tally_of({"still": panned, "light": flickering}, [disc(i) for i in range(5)])
    assert len(tally.rows) == 4
    for row in tally.rows:
        assert row.warp_error["still"] == pytest.approx(0, abs=1e-3)
        assert row.warp_error["light"] == pytest.approx(20, rel=0.01)
        assert row.stability == pytest.approx(1, abs=1e-3)
    later = tally.rows[1:]
    assert np.isnan(tally.rows[0].flicker["light"])
    for row in later:
        assert row.flicker["light"] == pytest.approx(20, rel=0.01)
        # grey light of ±20 bends each channel's mean by 40
        assert row.pulse["light"] == pytest.approx(40 * np.sqrt(3), rel=0.05)
        assert row.pulse["still"] < 1
    assert tally.steadiness("still") == pytest.approx(0, abs=1e-3)
    assert tally.steadiness("light") == pytest.approx(
        np.mean([20 / row.slope["light"] for row in tally.rows]), rel=0.02
    )


def test_a_pattern_that_stays_behind_jumps_by_as_many_pixels_as_it_stays():
    """Steadiness is in pixels: a ramp that misses the motion by 1 px has steadiness 1."""

    def ramp(index):
        wide = np.arange(WIDTH, dtype=np.float32) * 2 + 60 - 2 * index  # moves 1 px, not 2
        grey = np.repeat(np.rint(wide)[None], HEIGHT, axis=0).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)

    tally = tally_of({"ramp": ramp}, [disc(i) for i in range(4)])
    assert tally.steadiness("ramp") == pytest.approx(1.0, rel=0.03)


def test_a_region_that_does_not_move_along_is_unstable_by_its_overlap():
    still = [disc(0)] * 3
    tally = tally_of({"any": panned}, still)
    moved = cv2.circle(np.zeros((HEIGHT, WIDTH), np.float32), (18, 24), 10, 1.0, -1)
    expected = np.minimum(moved, still[0]).sum() / np.maximum(moved, still[0]).sum()
    assert tally.rows[0].stability == pytest.approx(expected, abs=0.01)


def test_frames_of_different_shots_and_frames_without_the_region_are_not_compared():
    masks = [disc(i) for i in range(6)]
    cut = tally_of({"any": panned}, masks, shots=(Span(0, 3), Span(3, 6)))
    assert [row.index for row in cut.rows] == [0, 1, 3, 4]
    assert [np.isnan(row.flicker["any"]) for row in cut.rows] == [True, False, True, False]
    masks[2] = masks[3] = masks[4] = np.zeros_like(masks[0])
    gone = tally_of({"any": panned}, masks)
    assert [row.index for row in gone.rows] == [0, 1, 4]
    assert np.isnan(gone.rows[2].warp_error["any"])


def test_a_flow_measured_small_counts_in_pixels_of_the_frames():
    small = Panning(1, (WIDTH // 2, HEIGHT // 2))
    assert np.allclose(resized_pair(small.pair(0), (WIDTH, HEIGHT)).forward[..., 0], 2)
    tally = tally_of({"still": panned}, [disc(i) for i in range(3)], flows=small)
    assert tally.steadiness("still") == pytest.approx(0, abs=1e-3)


def exact(arrays, format, colour):
    return ExactFrame(index=0, planes=Planes(format=format, arrays=tuple(arrays)), colour=colour)


@pytest.fixture
def colour(tmp_path):
    return Clip(_written(tmp_path / "any.mkv", [panned(0)], RGB).info).info.colour


def test_differences_outside_are_counted_in_each_plane_and_shared_chroma_is_free(colour):
    y, u, v = np.full((8, 8), 90, np.uint8), *np.full((2, 4, 4), 100, np.uint8)
    alpha = np.zeros((8, 8), np.float32)
    alpha[3, 3] = 0.01
    new = [y.copy(), u.copy(), v.copy()]
    new[0][3, 3] += 50  # inside
    new[1][1, 1] += 50  # shared with the pixel inside
    new[0][0, 0] += 3
    new[0][0, 1] -= 1
    new[2][3, 0] += 7
    tally = OutsideTally(source=YUV420, output=YUV420)
    tally.add(exact([y, u, v], YUV420, colour), exact(new, YUV420, colour), alpha)
    report = tally.report()
    assert (report["compared_in"], report["changed"], report["compared"]) == ("yuv420p", 3, 93)
    assert report["planes"]["Y"] == {
        "compared": 63,
        "changed": 2,
        "largest": 3,
        "psnr": pytest.approx(10 * np.log10(63 * 255**2 / (9 + 1))),
    }
    assert report["planes"]["U"]["psnr"] == 99
    assert (report["planes"]["V"]["changed"], report["planes"]["V"]["largest"]) == (1, 7)


def test_other_planes_are_compared_as_rgb_at_pixels_that_share_nothing_with_the_region(colour):
    before = exact([np.full(s, 128, np.uint8) for s in ((8, 8), (4, 4), (4, 4))], YUV420, colour)
    shown = [np.ascontiguousarray(before.rgb[..., channel]) for channel in range(3)]
    alpha = np.zeros((8, 8), np.float32)
    alpha[3, 3] = 1
    shown[0][2, 2] += 9  # shares its chroma with the pixel inside
    tally = OutsideTally(source=YUV420, output=RGB)
    tally.add(before, exact(shown, RGB, colour), alpha)
    report = tally.report()
    assert (report["compared_in"], report["compared"], report["changed"]) == ("rgb24", 180, 0)


# --- whole files ------------------------------------------------------------------------------


def _written(path, pictures, format=RGB):
    height, width = pictures[0].shape[:2]
    settings = StreamSettings(
        codec="ffv1",
        size=(width, height),
        format=format,
        tags=ColourTags(range=FULL),
        rate=Fraction(10),
    )
    frames = (
        Planes(format=RGB, arrays=tuple(np.ascontiguousarray(p[..., c]) for c in range(3)))
        for p in pictures
    )
    encode_part(path, frames, settings)
    return Clip.open(path)


def lit(index):
    """The same under a light that comes and goes."""
    return (panned(index) // 2 + 60 + 6 * (index % 2)).astype(np.uint8)


@pytest.fixture
def edit(tmp_path, monkeypatch):
    """Six panned frames; a disc made paler in all but the last; one sample changed outside."""
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))

    def write(*, frames=6, part=None, route="pointwise", **more):
        source = _written(tmp_path / "in.mkv", [lit(i) for i in range(frames)])
        part = part or Span(0, frames)
        masks = [disc(i) if i < frames - 1 else np.zeros_like(disc(0)) for i in part]
        after = []
        for index, mask in zip(part, masks, strict=True):
            picture = lit(index)
            picture[mask > 0] = picture[mask > 0] // 2 + 100
            after.append(picture)
        after[0][0, 0, 1] ^= 1
        output = _written(tmp_path / "out.mkv", after)
        levels = [(mask * 255).astype(np.uint8) for mask in masks]
        span = None if len(part) == frames else part
        path = mask_clip_path(output.info.path)
        write_mask_clip(path, levels, (WIDTH, HEIGHT), timing_of(source.info, span))
        record = {
            "instruction": "make it lighter",
            "clip": {"written": [part.start, part.stop], "route": route, **more},
            "source": {"path": str(source.info.path), "sha256": source.info.sha256},
            "output": {"path": "out.mkv", "sha256": output.info.sha256, "how": "planes"},
            "mask": {"path": path.name, "sha256": Clip.open(path).info.sha256},
        }
        receipt_path(output.info.path).write_bytes(seal(record))
        return output.info.path

    return write


def test_an_edited_clip_in_numbers(edit):
    report = evaluate_clip(edit(), clip="none")
    json.dumps(report, allow_nan=False)
    assert (report["frames"], report["edited_frames"], report["route"]) == (6, 5, "pointwise")
    assert report["edited_share"] == pytest.approx(5 / 6)
    outside = report["outside"]
    assert (outside["changed"], outside["planes"]["G"]["changed"]) == (1, 1)
    assert (outside["planes"]["G"]["largest"], outside["planes"]["R"]["psnr"]) == (1, 99)
    assert report["inside"]["share"] == pytest.approx(disc(0).mean(), abs=1e-6)
    apart = [(lit(i) // 2 + 100 - lit(i).astype(float))[disc(i) > 0] / 255 for i in range(5)]
    expected = np.mean([-10 * np.log10(np.square(one).mean()) for one in apart])
    assert report["inside"]["psnr_to_source"] == pytest.approx(expected, abs=1e-3)
    steady = report["steadiness"]
    assert report["warp_error"]["source"] == pytest.approx(6, abs=0.5)
    assert steady["ratio"] == pytest.approx(steady["output"] / steady["source"])
    assert report["region"]["stability_least_frame"] == 4  # gone in the frame after it
    assert report["region"]["stability_least"] == 0
    assert (report["truth"], report["clip"], report["reconstruction"]) == (None, None, None)
    assert report["notes"] == []
    assert [row["frame"] for row in report["rows"]] == [0, 1, 2, 3, 4]


def test_a_part_of_a_clip_is_compared_with_its_own_frames(edit):
    report = evaluate_clip(edit(part=Span(2, 5)), clip="none")
    assert (report["frames"], report["edited_frames"]) == (3, 3)
    assert [row["frame"] for row in report["rows"]] == [2, 3, 4]
    assert report["outside"]["changed"] == 1


def test_how_well_fits_show_the_frames_is_told_where_the_receipt_knows_it(edit):
    fits = [{"frames": [0, 4], "psnr": 30.0}, {"frames": [4, 6], "psnr": 24.0}]
    report = evaluate_clip(edit(route="canonical", fits=fits), clip="none")
    assert report["reconstruction"]["psnr"] == pytest.approx(28)


def test_files_that_are_not_the_receipts_are_measured_and_noted(edit):
    output = edit()
    _written(output, [lit(i) for i in range(6)])
    report = evaluate_clip(output, clip="none")
    assert report["outside"]["changed"] == 0
    assert report["notes"] == ["the output is not the file that the receipt was written for"]


def test_what_does_not_fit_together_is_refused(edit, tmp_path):
    output = edit()
    with pytest.raises(InvalidInput, match="there is no output"):
        evaluate_clip(tmp_path / "nothing.mkv")
    with pytest.raises(InvalidInput, match="there is no receipt"):
        evaluate_clip(tmp_path / "in.mkv")
    _written(output, [lit(i) for i in range(5)])
    with pytest.raises(IntegrityError, match="has 5 frames, 6 were written"):
        open_written(output)
    _written(output, [lit(i)[:40] for i in range(6)])
    with pytest.raises(IntegrityError, match="the output is 64x40"):
        open_written(output)
    edit()
    mask_clip_path(output).unlink()
    with pytest.raises(InvalidInput, match="is missing"):
        open_written(output)
    edit(part=Span(2, 5))
    _written(tmp_path / "in.mkv", [lit(i) for i in range(4)])
    with pytest.raises(IntegrityError, match="speaks of frames 2 to 4"):
        open_written(output)


# --- the truth --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world") / "clip"
    write_clip(folder, ClipSettings(frames=3, width=96, height=72))
    return read_truth(folder)


def test_a_perfect_edit_reaches_the_truth_and_an_untouched_clip_does_not(world):
    tally = TruthTally(truth=world)
    source = Clip.open(world.lossless)
    for index in range(3):
        tally.add(index, source.rgb(index), world.edited(index), world.mask(index))
    report = tally.report()
    assert (report["region_iou"], report["inside_psnr"], report["goal"]) == (1, 99, "edited")
    assert report["inside_psnr_of_source"] < 15
    assert report["frames"] == 3


def test_a_missed_frame_and_an_invented_one_count_as_worst(world):
    tally = TruthTally(truth=world, painted=True)
    source = Clip.open(world.lossless)
    nothing = np.zeros_like(world.mask(0))
    for index in range(3):
        alpha = nothing if index == 1 else world.mask(index)
        tally.add(index, source.rgb(index), world.painted(index), alpha)
    report = tally.report()
    assert (report["region_iou_least"], report["region_iou_least_frame"]) == (0, 1)
    assert report["region_iou"] == pytest.approx(2 / 3)
    assert (report["inside_psnr"], report["goal"]) == (99, "painted")


def test_the_truth_of_another_clip_is_refused(world, edit):
    with pytest.raises(InvalidInput, match="3 frames of 96x72"):
        check_truth(world, open_written(edit()).source.info)
    assert same_words("Make the red ball  blue.", "make the red ball blue")
    assert not same_words("make the red ball blue", "make the red ball green")


# --- CLIP -------------------------------------------------------------------------------------


def test_neighbours_that_look_alike_have_cosine_1_and_cuts_are_left_out():
    torch = pytest.importorskip("torch")

    class Means:
        """Embeds a picture as the direction of its mean colour."""

        def embedded(self, images):
            made = torch.tensor(np.stack([image.mean(axis=(0, 1)) for image in images]))
            return torch.nn.functional.normalize(made, dim=-1)

    def of(red, green):
        return np.full((4, 4, 3), (red, green, 0), np.uint8)

    measured = ClipConsistency(name="means", scorer=Means())
    for index, cut in enumerate((True, False, False, True)):
        turning = of(100, 0) if index % 2 else of(0, 100)
        measured.add(index, {"output": turning, "source": of(50, 50)}, cut=cut)
    assert len(measured.cosines["output"]) == 2
    report = measured.report()
    assert report["model"] == "means"
    assert report["output"] == pytest.approx(0, abs=1e-6)
    assert report["source"] == pytest.approx(1, abs=1e-6)


def test_clip_is_left_out_on_request_and_a_named_one_that_is_missing_is_an_error(tmp_path):
    assert consistency_by("none") == (None, ())
    with pytest.raises(MissingWeights):
        consistency_by(str(tmp_path / "no clip here"))
