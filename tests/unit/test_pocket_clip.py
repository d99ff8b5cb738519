"""A clip of our own on disk: what its truth promises, in pixels."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from image_core import LocalEditor
from image_core.errors import InvalidInput
from image_core.types import Location
from pocket.clip import ClipSettings, WrittenClip, write_clip
from pocket.clip_motion import Floating, Passing, Swing
from pocket.clip_render import render_frame
from pocket.clip_scene import Coat
from pocket.clip_shapes import Carried, Patch
from pocket.clip_world import TARGET, camera, world
from pocket.clip_writing import ClipFile
from pocket.render import render
from pocket.shapes import Ball
from pocket.table import VIEWPOINTS, table_scene
from video.truth import ClipTruth, read_truth

TINY = ClipSettings(frames=2, width=64, height=48)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> WrittenClip:
    folder = tmp_path_factory.mktemp("pocket") / "clip"
    return write_clip(folder, ClipSettings(frames=33, width=128, height=96))


@pytest.fixture(scope="module")
def truth(clip: WrittenClip) -> ClipTruth:
    return read_truth(clip.folder)


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as opened:
        return [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_both_files_hold_every_frame_at_its_time_and_the_same_sound(
    clip: WrittenClip, truth: ClipTruth
) -> None:
    sounds = []
    for path, codec, pixels in (
        (clip.clip, "h264", "yuv420p"),
        (clip.lossless, "ffv1", "bgr0"),
    ):
        with av.open(str(path)) as opened:
            stream = opened.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == (codec, pixels)
            assert (stream.width, stream.height, stream.average_rate) == (128, 96, 20)
            times = [frame.time for frame in opened.decode(stream)]
        assert times == pytest.approx(truth.times, abs=1e-9)
        with av.open(str(path)) as opened:
            sounds.append([bytes(packet) for packet in opened.demux(audio=0) if packet.size])
        with av.open(str(path)) as opened:
            heard = sum(frame.samples for frame in opened.decode(audio=0))
        assert heard / 48_000 == pytest.approx(33 / 20, abs=0.05)
    assert sounds[0] == sounds[1]


def test_edited_and_painted_frames_differ_from_the_source_nowhere_but_on_the_target(
    clip: WrittenClip, truth: ClipTruth
) -> None:
    for index, source in enumerate(decoded(clip.lossless)):
        outside = truth.mask(index) == 0
        for picture in (truth.edited(index), truth.painted(index)):
            assert (picture[outside] == source[outside]).all()
        whole = truth.mask(index) == 1
        assert (truth.edited(index)[whole] != source[whole]).any(axis=1).all()


def test_the_h264_file_shows_the_same_pictures(clip: WrittenClip) -> None:
    for coded, exact in zip(decoded(clip.clip), decoded(clip.lossless), strict=True):
        error = (coded.astype(float) - exact) ** 2
        assert -10 * np.log10(error.mean() / 255**2) > 30


def test_the_painted_patch_covers_half_of_the_target_in_the_key_frame(
    clip: WrittenClip, truth: ClipTruth
) -> None:
    source = decoded(clip.lossless)[truth.key]
    target = truth.mask(truth.key) > 0
    changed = (truth.painted_key() != source).any(axis=2)
    assert 0.3 < changed[target].mean() < 0.6
    assert not changed[~target].any()
    assert (truth.painted_key() == truth.painted(truth.key)).all()


def test_the_post_hides_about_half_of_the_target_and_leaves_it_free_again(
    truth: ClipTruth,
) -> None:
    assert truth.hidden[0] == 0
    assert truth.hidden[truth.key] < 0.01
    assert 0.4 <= max(truth.hidden) <= 0.6
    assert max(truth.hidden[-3:]) < 0.02
    areas = [float(truth.mask(index).sum()) for index in range(truth.frames)]
    hidden = int(np.argmax(truth.hidden))
    assert areas[hidden] / areas[truth.key] == pytest.approx(1 - truth.hidden[hidden], abs=0.08)


def test_the_box_bounds_the_target_in_the_key_frame(truth: ClipTruth) -> None:
    rows, columns = np.nonzero(truth.mask(truth.key) > 0.5)
    bounds = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert np.abs(np.subtract(bounds, truth.box)).max() <= 1


def test_the_phrase_finds_the_target(clip: WrittenClip, truth: ClipTruth) -> None:
    editor = LocalEditor.default()
    image = (decoded(clip.lossless)[truth.key] / 255).astype(np.float32)
    [found] = editor.locate([image], editor.plan(truth.instruction))
    assert isinstance(found, Location)
    mine, true = found.regions[0].alpha > 0.5, truth.mask(truth.key) > 0.5
    assert (mine & true).sum() / (mine | true).sum() > 0.9


def test_points_that_are_tracked_show_the_same_paint_in_each_frame(truth: ClipTruth) -> None:
    """Only the true motion keeps the checks' white and blue apart; one 2 pixels off does not."""
    points = truth.key_points()
    key = truth.painted_key().astype(np.float32)
    columns, rows = np.rint(points).astype(int).T
    colour = key[rows, columns]
    white, blue = colour.min(axis=1) > 170, (colour[:, 0] < 70) & (colour[:, 2] > 110)
    assert white.sum() > 50
    assert blue.sum() > 50
    right, wrong = [], []
    for index in range(truth.frames):
        places, seen = truth.track(points, index)
        frame = truth.painted(index).astype(np.float32)
        for off, told in ((0, right), (2, wrong)):
            x, y = np.ascontiguousarray((places + off).T)
            got = cv2.remap(frame, x, y, cv2.INTER_LINEAR).reshape(-1, 3)
            told += [
                (got[white & seen][:, 0] > 130).mean(),
                (got[blue & seen][:, 0] < 130).mean(),
            ]
    assert np.mean(right) > 0.96
    assert np.mean(wrong) < 0.9


def test_a_point_is_where_it_is_in_its_own_frame_and_hidden_points_are_told(
    truth: ClipTruth,
) -> None:
    points = truth.key_points()
    places, seen = truth.track(points, truth.key)
    assert np.abs(places - points).max() < 1e-3
    assert seen.mean() > 0.98
    hidden = int(np.argmax(truth.hidden))
    places, seen = truth.track(points, hidden)
    assert np.isfinite(places).all()
    columns, rows = np.rint(places).astype(int).T
    shown = truth.mask(hidden)[rows, columns]
    # the rim's pixels are partly covered; all others agree
    assert (shown[seen] > 0).mean() > 0.99
    assert (shown[~seen] < 1).mean() > 0.8


def test_between_pixels_the_track_is_smooth_and_beside_the_target_there_is_none(
    truth: ClipTruth,
) -> None:
    left, top, right, bottom = truth.box
    x, y = np.meshgrid(np.linspace(left + 12, right - 12, 9), np.linspace(top + 12, bottom - 12, 9))
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    places, _ = truth.track(points, truth.key)
    assert np.abs(places - points).max() < 0.05
    beside = np.array([[left - 3, top], [0, 0], [-20, 500]], dtype=np.float32)
    places, seen = truth.track(beside, truth.key)
    assert np.isnan(places).all()
    assert not seen.any()


def test_a_sphere_s_point_is_projected_as_the_ray_caster_sees_it() -> None:
    """The surface's own point, carried by the pose, is what the camera shows at that place."""
    view = camera(160, 120)
    [shot] = world(frames=30, shots=1, seed=0, target=TARGET)
    body = shot.body(TARGET)
    assert body is not None
    pose = body.motion.pose(7)
    own = pose.turned_inwards(np.array([[0.1], [0.2], [0.4]], dtype=np.float32))
    own *= np.float32(0.56) / np.linalg.norm(own)
    world_point = pose.outwards(own)
    column, row, _ = view.project(tuple(world_point[:, 0].tolist()))
    way = view.directions(np.array([column]), np.array([row]))
    distance = body.thing(7).shapes[0].distance(view.place, way)
    met = view.place + distance * way
    assert np.abs(met - world_point).max() < 1e-3


def test_motion_stays_within_what_a_camera_sees_at_this_rate(truth: ClipTruth) -> None:
    """5 to 7 pixels a frame at 320 x 240 are 2 to 2.8 here."""
    points = truth.key_points()
    steps = []
    for index in range(truth.frames - 1):
        before, seen = truth.track(points, index)
        after, still = truth.track(points, index + 1)
        steps.append(np.linalg.norm(after - before, axis=1)[seen & still].max())
    assert 1.5 < max(steps) < 2.8


def test_no_thing_moves_by_a_jump_where_it_is_seen() -> None:
    floating = Floating(place=(0, 0, 0), x=Swing(1, 60), roll=Swing(20, 50), spin=2)
    passing = Passing(place=(0, 0, 0), speed=0.05, at=22, period=110)
    for motion in (floating, passing):
        poses = [motion.pose(frame) for frame in range(60)]
        for before, after in itertools.pairwise(poses):
            assert np.abs(np.subtract(after.place, before.place)).max() < 0.12
            assert np.abs(after.rotation - before.rotation).max() < 0.1
            assert np.allclose(after.rotation @ after.rotation.T, np.eye(3))


def test_a_patch_before_its_shape_wins_every_ray_that_meets_it() -> None:
    ball = Ball(centre=(0, 0, 0), radius=1)
    pose = Floating(place=(0.2, 0.1, -3), twist=Swing(40, 8, 1), tilt=Swing(30, 9, 2)).pose(1)
    centre = pose.turned_inwards(np.array([[0], [0], [1]], dtype=np.float32))[:, 0].tolist()
    whole = Carried(shape=ball, pose=pose)
    patch = Carried(shape=Patch(shape=ball, centre=tuple(centre), reach=0.5), pose=pose)
    generator = np.random.default_rng(0)
    ways = generator.uniform(-0.4, 0.4, (3, 500)).astype(np.float32)
    ways[2] = -1
    eye = np.zeros((3, 1), dtype=np.float32)
    one, other = whole.distance(eye, ways), patch.distance(eye, ways)
    on = np.isfinite(other)
    assert 20 < on.sum() < np.isfinite(one).sum()
    assert (one[on] == other[on]).all()
    points = ways[:, on] * other[on]
    assert np.allclose(np.linalg.norm(whole.normal(points), axis=0), 1, atol=1e-4)
    middle = np.array([[0.2], [0.1], [-2]], dtype=np.float32)
    assert (np.linalg.norm(points - middle, axis=0) <= 0.5 + 1e-3).all()


def test_what_is_traced_in_tiles_is_what_one_picture_would_show() -> None:
    """A window's camera is the camera: the same rays, through a lens that is shifted."""
    from pocket.clip_render import Window

    whole = VIEWPOINTS.cameras(3, width=64, height=48, seed=0)[1]
    window = Window(left=33, top=5, width=24, height=30)
    part = render(table_scene(), window.of(whole))
    picture = render(table_scene(), whole)
    apart = np.abs(part.image - picture.image[window.place])
    # rounding decides at an edge here and there
    assert np.quantile(apart, 0.99) < 1e-4
    assert np.abs(part.depth - picture.depth[window.place]).mean() < 1e-3


def test_noise_is_keyed_and_the_same_in_source_and_truth() -> None:
    view = camera(64, 48)
    [shot] = world(frames=4, shots=1, seed=0, target=TARGET)
    body = shot.body(TARGET)
    assert body is not None
    coat = Coat(centre=(0, 0, 0.56), reach=0.3, pose=body.motion.pose(0))

    def frame(noise: int) -> np.ndarray:
        made = render_frame(shot, view, 0, target=TARGET, colour="blue", coat=coat, noise=(noise,))
        assert (made.source[made.mask == 0] == made.edited[made.mask == 0]).all()
        return made.source

    assert (frame(1) == frame(1)).all()
    apart = frame(1).astype(float) - frame(2)
    assert 1 < apart.std() < 3.5  # two draws of 1.5 of 255, and rounding


def test_three_shots_are_cut_hard_and_the_middle_one_lacks_the_target(tmp_path: Path) -> None:
    settings = ClipSettings(frames=9, width=64, height=48, shots=3)
    written = write_clip(tmp_path / "clip", settings)
    truth = read_truth(written.folder)
    assert [(span.start, span.stop) for span in truth.shots] == [(0, 3), (3, 6), (6, 9)]
    frames = [frame.astype(float) for frame in decoded(written.lossless)]
    apart = [np.abs(after - before).mean() for before, after in itertools.pairwise(frames)]
    cuts = sorted(np.argsort(apart)[-2:].tolist())
    assert cuts == [2, 5]
    assert min(apart[2], apart[5]) > 3 * np.median(apart)
    assert truth.hidden[3:6] == (1.0, 1.0, 1.0)
    for index in range(9):
        assert (truth.mask(index).max() == 0) == (3 <= index < 6)
    places, seen = truth.track(truth.key_points(), 4)
    assert np.isnan(places).all()
    assert not seen.any()
    assert truth.track(truth.key_points(), 7)[1].mean() > 0.5


@pytest.mark.parametrize("target", ["yellow cross", "green box"])
def test_other_targets_have_their_truth_too(tmp_path: Path, target: str) -> None:
    settings = ClipSettings(frames=2, width=128, height=96, target=target, colour="purple")
    truth = read_truth(write_clip(tmp_path / "clip", settings).folder)
    assert truth.instruction == f"make the {target} purple"
    assert truth.mask(0).sum() > 100
    places, seen = truth.track(truth.key_points(), 1 - truth.key)
    columns, rows = np.rint(places[seen]).astype(int).T
    assert (truth.mask(1 - truth.key)[rows, columns] > 0).mean() > 0.97


def test_the_same_settings_give_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    settings = replace(TINY, frames=7, width=96)
    one = contents(write_clip(tmp_path / "one", settings).folder)
    assert one == contents(write_clip(tmp_path / "two", settings).folder)
    again = write_clip(tmp_path / "three", replace(settings, frames=1, seed=1)).folder
    assert (again / "truth/edited/00000.png").read_bytes() != one["truth/edited/00000.png"]


def test_the_encoder_does_not_depend_on_what_lay_in_memory_before(
    clip: WrittenClip, tmp_path: Path
) -> None:
    """As x264 does by default, where it weighs blocks by their use in later frames."""
    pictures = [cv2.resize(frame, (160, 120)) for frame in decoded(clip.lossless)[:6]]
    generator = np.random.default_rng(0)
    written = set()
    for number in range(6):
        path = tmp_path / f"{number}.mp4"
        with ClipFile(path, codec="libx264", size=(160, 120), rate=Fraction(20), seed=0) as file:
            for picture in pictures:
                sizes = generator.integers(100, 400_000, 60).tolist()
                litter = [generator.integers(0, 255, size, np.uint8) for size in sizes]
                del litter
                file.add(picture)
        written.add(path.read_bytes())
    assert len(written) == 1


def test_a_longer_clip_begins_like_a_shorter_one(tmp_path: Path) -> None:
    short = decoded(write_clip(tmp_path / "short", TINY).lossless)
    long = decoded(write_clip(tmp_path / "long", replace(TINY, frames=4)).lossless)
    assert all((one == other).all() for one, other in zip(short, long, strict=False))


def test_odd_rates_are_exact(tmp_path: Path) -> None:
    written = write_clip(tmp_path / "clip", replace(TINY, fps=12.5))
    with av.open(str(written.clip)) as opened:
        assert opened.streams.video[0].average_rate == Fraction(25, 2)
    assert read_truth(written.folder).times == (0.0, 0.08)


def test_a_clip_that_is_there_is_left_alone_and_anything_else_is_not_touched(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "clip"
    first = write_clip(folder, TINY)
    stamp = (folder / "clip.mp4").stat().st_mtime_ns
    assert write_clip(folder, TINY) == first
    assert (folder / "clip.mp4").stat().st_mtime_ns == stamp
    for other in (replace(TINY, seed=3), replace(TINY, frames=3), replace(TINY, colour="pink")):
        with pytest.raises(InvalidInput, match="something else"):
            write_clip(folder, other)
    (folder / "truth/masks/00001.png").write_bytes(b"")
    with pytest.raises(InvalidInput, match="something else"):
        write_clip(folder, TINY)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="something else"):
        write_clip(foreign, TINY)
    assert contents(foreign) == {"letter.txt": b"mine"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"frames": 0}, "0 frames"),
        ({"frames": 20_000}, "20000 frames"),
        ({"frames": 2, "shots": 3}, "3 shots"),
        ({"shots": 0}, "0 shots"),
        ({"width": 63}, "63 x 48"),
        ({"height": 47}, "64 x 47"),
        ({"width": 16}, "16 x 48"),
        ({"height": 5000}, "64 x 5000"),
        ({"fps": 0.0}, "0.0 frames a second"),
        ({"fps": float("nan")}, "nan frames a second"),
        ({"seed": -1}, "negative"),
        ({"target": "grey post"}, "grey post"),
        ({"colour": "loud"}, "no colour"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, changed: dict[str, int], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        write_clip(tmp_path / "clip", replace(TINY, **changed))
    assert caught.value.hint
    assert not any(tmp_path.iterdir())


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def stop(stage: str, share: float) -> None:
        del stage, share
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clip(tmp_path / "clip", TINY, progress=stop)
    assert not any(tmp_path.iterdir())


def test_truth_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no readable truth"):
        read_truth(tmp_path)
    written = write_clip(tmp_path / "clip", TINY)
    truth = read_truth(written.folder)
    for index in (-1, 2):
        with pytest.raises(InvalidInput, match=f"frame {index}"):
            truth.mask(index)
    (written.folder / "truth/edited/00001.png").write_text("no picture")
    with pytest.raises(InvalidInput, match="no picture"):
        truth.edited(1)
    (written.folder / "truth/masks/00001.png").unlink()
    with pytest.raises(InvalidInput, match="cannot be read"):
        truth.mask(1)
    (written.folder / "truth/motion.npz").write_bytes(b"PK")
    with pytest.raises(InvalidInput, match="no readable truth"):
        read_truth(written.folder)


def test_the_record_names_what_it_is_about(clip: WrittenClip) -> None:
    record = json.loads((clip.folder / "truth/truth.json").read_text())
    assert record["instruction"] == "make the red ball blue"
    assert record["key"]["frame"] == clip.key
    assert record["key"]["time"] == pytest.approx(clip.key / 20)
    assert tuple(record["key"]["box"]) == clip.box
    for name in record["files"].values():
        assert (clip.folder / "truth" / name).exists()
