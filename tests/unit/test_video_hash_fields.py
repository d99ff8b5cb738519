"""CoDeF's fields: sizes, the identity at the start, time by frame numbers, any picture size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from image_core.errors import InvalidInput  # noqa: E402
from video.deformation import CanonicalWindow  # noqa: E402
from video.frames import Span  # noqa: E402
from video.hash_deformation import HashDeformation, canonical_colours  # noqa: E402
from video.hash_fields import Extent, Fields  # noqa: E402
from video.hash_settings import FAITHFUL, FIXED, GridShape, HashSettings  # noqa: E402
from video.warping import grid, sample  # noqa: E402

WINDOW = CanonicalWindow(frame=(48, 36), left=5, top=3, right=2, bottom=4)
SMALL = replace(
    FIXED, canonical=GridShape(levels=3), deformation=GridShape(levels=3, base=4, time_base=3)
)


def _fields(settings: HashSettings = SMALL, span: Span = Span(10, 30)) -> Fields:  # noqa: B008
    extent = Extent(span=span, reference=span.start + 5, window=WINDOW)
    return Fields(extent, settings, generator=torch.Generator().manual_seed(0))


def _deformation(fields: Fields, settings: HashSettings = SMALL) -> HashDeformation:
    window, span = fields.extent.window, fields.extent.span
    trust = np.zeros((len(span), *window.frame[::-1]), np.uint8)
    return HashDeformation(fields=fields, opened=(1.0,) * settings.deformation.levels, trust=trust)


def _stirred(fields: Fields) -> Fields:
    """Give all parameters values as large as trained ones."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in fields.parameters():
            value += 0.3 * torch.randn(value.shape, generator=generator)
    return fields


def test_the_faithful_model_has_codefs_parameters() -> None:
    fields = _fields(FAITHFUL)
    tables = [part.grid.table.numel() for part in (fields.canonical, fields.deformation)]
    assert [round(count / 1e6, 2) for count in tables] == [6.70, 12.20]
    shapes: list[Any] = [
        [tuple(layer.weight.shape) for layer in part.network.layers]
        for part in (fields.canonical, fields.deformation)
    ]
    # 34 and 35 inputs, filled up with ones to 48; no biases
    assert shapes[0] == [(64, 48), (64, 64), (3, 64)]
    assert shapes[1] == [(64, 48), *[(64, 64)] * 7, (2, 64)]
    assert not any(name.endswith("bias") for name, _ in fields.named_parameters())


def test_grids_of_ours_are_no_finer_than_pixels_and_frames() -> None:
    fields = _fields()
    width, height = WINDOW.size
    assert fields.canonical.grid.levels[-1].points == (width + 1, height + 1)
    assert fields.deformation.grid.levels[-1].points[2] == 21
    assert fields.deformation.grid.levels[0].points == (4, 4, 3)


def test_ours_begins_as_the_identity() -> None:
    places = _deformation(_fields()).places(12)
    assert np.abs(places - grid(WINDOW.frame) - WINDOW.origin).max() < 1e-4


def test_with_no_motion_a_frame_is_the_crop_of_the_canonical_picture() -> None:
    picture = np.random.default_rng(0).random((*WINDOW.size[::-1], 3), np.float32)
    read = sample(picture, _deformation(_fields()).places(12))
    assert np.abs(read - WINDOW.crop(picture)).max() < 1e-4


def test_the_reference_frame_stays_as_it_is_and_others_move() -> None:
    deformation = _deformation(_stirred(_fields()))
    still = grid(WINDOW.frame) + WINDOW.origin
    assert np.abs(deformation.places(15) - still).max() < 1e-4
    assert np.abs(deformation.places(14) - still).max() > 1


def test_places_at_another_size_are_the_same_map() -> None:
    deformation = _deformation(_stirred(_fields()))
    small = deformation.places(12)
    large = deformation.places(12, (48 * 3, 36 * 3))
    window = WINDOW.resized((48 * 3, 36 * 3))
    # the centre of a pixel is the centre of the middle one of its nine
    middle = large[1::3, 1::3]
    expected = (small - WINDOW.origin + 0.5) * 3 - 0.5 + window.origin
    assert np.abs(middle - expected).max() < 1e-2


def test_a_frame_keeps_its_time_when_others_are_dropped() -> None:
    """The brief's check 11: the time code follows from the trained span, not from a file list."""
    fields = _stirred(_fields())
    whole = {index: _deformation(fields).places(index) for index in fields.extent.span}
    again = _fields()
    again.load_state_dict(fields.state_dict())
    left = [index for index in fields.extent.span if index not in (13, 17)]
    for index in left:
        assert np.array_equal(_deformation(again).places(index), whole[index])
    times = fields.extent.time(torch.tensor([10.0, 29.0]))
    assert times.tolist() == pytest.approx([0.5 / 20, 19.5 / 20])


def test_a_frame_of_another_span_is_refused() -> None:
    deformation = _deformation(_fields())
    for index in (9, 30):
        with pytest.raises(InvalidInput, match="10 to 29"):
            deformation.places(index)
        with pytest.raises(InvalidInput):
            deformation.confidence(index)


def test_kept_without_the_network_places_are_off_by_a_64th_pixel_at_most() -> None:
    deformation = _deformation(_stirred(_fields()))
    dense = deformation.dense()
    assert (dense.span, dense.reference, dense.window) == (Span(10, 30), 15, WINDOW)
    for index in (10, 15, 29):
        assert np.abs(dense.places(index) - deformation.places(index)).max() <= 1 / 64 + 1e-3


def test_the_canonical_picture_is_read_at_pixel_centres() -> None:
    fields = _stirred(_fields())
    picture = canonical_colours(fields, WINDOW.size)
    assert picture.shape == (*WINDOW.size[::-1], 3)
    # column 5 and row 3 hold the reference frame's first pixel, whose centre is (0.5, 0.5) px
    place = torch.tensor([[0.5 / 48, 0.5 / 36]])
    seen = fields.canonical(fields.extent.unit(place)).clamp(0, 1)
    assert np.abs(picture[3, 5] - seen[0].detach().numpy()).max() < 1e-5


def test_beyond_the_window_the_border_is_read() -> None:
    fields = _stirred(_fields())
    outside = torch.tensor([[-0.4, 0.3], [1.7, 2.0]])
    assert torch.equal(fields.canonical(outside), fields.canonical(outside.clamp(0, 1)))


def test_fields_of_one_seed_are_alike() -> None:
    one, other = _fields(), _fields()
    for first, second in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize(
    "values", [{"steps": 0}, {"patch": 8, "batch": 63}, {"held_out": 1.0}, {"scattered": 1.5}]
)
def test_settings_that_train_nothing_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        replace(FIXED, **values)
