"""A region without what lies behind it."""

from __future__ import annotations

import numpy as np

from nerf.depth_parts import in_front, whole


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the alpha of a disc and a patch of wall beside it, the disc, and half-size depth."""
    rows, columns = np.mgrid[:80, :120] + 0.5
    disc = (columns - 45) ** 2 + (rows - 40) ** 2 < 25**2
    wall = (columns > 60) & (columns < 90) & (rows > 45) & (rows < 60) & ~disc
    depth = np.where(disc, 1.0, 2.0).astype(np.float32)[::2, ::2]
    return (disc | wall).astype(np.float32), disc, np.ascontiguousarray(depth)


def test_a_part_behind_the_thing_is_taken_away() -> None:
    alpha, disc, depth = scene()
    made = in_front(alpha, depth) > 0
    assert np.count_nonzero(made & disc) / np.count_nonzero(disc) > 0.99
    assert made[50, 80] == 0
    assert np.count_nonzero(made & ~disc) < 0.05 * np.count_nonzero(disc)


def test_a_region_at_one_depth_stays_what_it_is() -> None:
    alpha, _, depth = scene()
    flat = np.full_like(depth, 1.5)
    assert np.array_equal(in_front(alpha, flat), alpha)
    slope = np.linspace(1, 2, depth.shape[1], dtype=np.float32)[None].repeat(depth.shape[0], 0)
    assert np.array_equal(in_front(alpha, slope), alpha)


def test_a_second_thing_in_front_stays() -> None:
    alpha, _, depth = scene()
    assert np.array_equal(
        in_front(alpha, np.where(depth == 2, 0.5, depth).astype(np.float32)), alpha
    )


def test_alphas_keep_their_values_where_they_stay() -> None:
    alpha, _, depth = scene()
    soft = alpha * np.float32(0.5)
    soft[40, 45] = 0.25
    made = in_front(np.where(alpha > 0, np.maximum(soft, 0.51), 0).astype(np.float32), depth)
    assert set(np.unique(made)) <= {np.float32(0), np.float32(0.51)}


def test_a_map_at_another_size_lies_where_it_lay() -> None:
    large = np.zeros((40, 60), np.float32)
    large[10:20, 20:40] = 1
    small = whole(large, (20, 30))
    assert small.sum() * 4 == large.sum()
    back = whole(small, (40, 60)) > 0.5
    assert np.count_nonzero(back ^ (large > 0.5)) <= 60
