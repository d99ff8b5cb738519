"""Rows through networks are counted where they pass, for everyone who asked."""

from __future__ import annotations

import threading

import pytest

from image_core.evaluations import count, counting


def test_rows_are_counted_by_network() -> None:
    with counting() as rows:
        count("unet", 2)
        count("unet", 3)
        count("vae encoder", 1)
    assert dict(rows) == {"unet": 5, "vae encoder": 1}
    assert rows.total() == 6


def test_counting_without_anyone_asking_does_nothing() -> None:
    count("unet", 1000)
    with counting() as rows:
        pass
    assert rows.total() == 0


def test_nested_counters_each_see_what_passed_while_they_were_open() -> None:
    with counting() as outer:
        count("unet", 1)
        with counting() as inner:
            count("unet", 10)
        count("sam", 100)
    assert dict(inner) == {"unet": 10}
    assert dict(outer) == {"unet": 11, "sam": 100}


def test_a_closed_counter_stays_as_it_was() -> None:
    with counting() as rows:
        count("unet", 1)
    count("unet", 1)
    with counting():
        count("unet", 1)
    assert rows["unet"] == 1


def test_an_error_closes_the_counter_and_leaves_its_rows() -> None:
    def failing() -> None:
        count("unet", 4)
        raise ValueError

    with counting() as outer:
        with pytest.raises(ValueError), counting() as rows:  # noqa: PT011
            failing()
        count("unet", 1)
    assert (rows["unet"], outer["unet"]) == (4, 5)


def test_work_in_another_thread_is_not_taken_for_this_ones() -> None:
    with counting() as rows:
        other = threading.Thread(target=count, args=("unet", 7))
        other.start()
        other.join()
        count("unet", 1)
    assert rows["unet"] == 1
