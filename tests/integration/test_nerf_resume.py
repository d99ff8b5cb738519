"""A run that was killed goes on, and ends with the bits of one that was not.

The editor's output depends on the render, so that any difference in the field, the random
generators or the edited views before the kill would show in all that comes after it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs

from pocket import write_capture

_PROCESSES = multiprocessing.get_context("fork")  # no second import of nerfstudio, half a minute
_PATIENCE = 60  # seconds


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    made = write_capture(folder / "table", views=8, width=48, height=36)
    # here once, so that no process below has to import what a run needs
    nerf_runs.trainer_for(nerf_runs.config_for(made.folder, folder))
    return made


class Run:
    """A process that trains, or has trained, into ``folder``."""

    def __init__(self, capture, folder, *, into="a", resumes=None, **settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.run = folder, folder / "run" / "insitu-cpu" / into
        tries = len(list(folder.glob("*.log")))
        self.log, self.outcome = folder / f"{tries}.log", folder / f"{tries}.json"
        wanted = {
            **{"capture": capture.folder, "output": folder, "timestamp": into},
            "editor": nerf_runs.BLENDS,
            **({} if resumes is None else {"load_dir": resumes / "nerfstudio_models"}),
            **settings,
        }
        arguments = (wanted, self.log, self.outcome)
        self.process = _PROCESSES.Process(target=nerf_runs.in_a_process, args=arguments)
        self.process.start()

    @property
    def steps(self):
        """The training steps that were begun."""
        path = self.log.with_suffix(".steps")
        text = path.read_text() if path.is_file() else ""
        return [int(line) for line in text.splitlines()]

    @property
    def checkpoints(self):
        """The steps of the checkpoints on disk."""
        folder = self.run / "nerfstudio_models"
        return sorted(int(path.stem.split("-")[1]) for path in folder.glob("step-*.ckpt"))

    def join(self):
        """Wait for its end; a run that hangs is killed, and so fails the test."""
        self.process.join(_PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode

    def ended(self):
        self.join()
        assert self.process.exitcode == 0, self.log.read_text()[-3000:]
        return json.loads(self.outcome.read_text())

    def died(self):
        self.join()
        assert (self.process.exitcode or 0) < 0, self.log.read_text()
        return self.process.exitcode

    def killed_in(self, step, delay):
        """Kill it some seconds after that training step has begun."""
        until = time.monotonic() + _PATIENCE
        while step not in self.steps:
            if not self.process.is_alive() or time.monotonic() > until:
                self.process.kill()
                pytest.fail(self.log.read_text())
            time.sleep(0.001)
        time.sleep(delay)
        os.kill(self.process.pid, signal.SIGKILL)
        assert self.died() == -signal.SIGKILL
        return self


def files_of(folder):
    """Return all that is kept of a run: checkpoints, edited views, regions."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".ckpt", ".png", ".json")
    }


@pytest.fixture(scope="module")
def whole(capture, tmp_path_factory):
    """A run that nobody interrupted, and what came of it."""
    run = Run(capture, tmp_path_factory.mktemp("whole"))
    return run, run.ended()


@pytest.fixture(scope="module")
def killed(capture, tmp_path_factory):
    """A run that was killed in its second round, with two checkpoints of the edit phase."""
    return Run(capture, tmp_path_factory.mktemp("killed")).killed_in(21, 0.0)


def copied(run, folder):
    """Return a copy of a killed run's folder."""
    return Path(shutil.copytree(run.run, folder / "copy"))


def goes_on_as(whole, run, last_checkpoint):
    """Assert that a resumed run redoes no step from before its checkpoint, and ends the same."""
    uninterrupted, outcome = whole
    assert run.ended() == outcome
    assert run.steps == list(range(last_checkpoint + 1, uninterrupted.steps[-1] + 1))


def test_an_uninterrupted_run_goes_through_both_phases(whole):
    run, outcome = whole
    assert run.steps == list(range(10 + 2 * 2 * 4 + 5))  # reconstruct, rounds x updates, settle
    assert len(set(outcome["edited"])) == 8
    assert None not in outcome["edited"]
    assert sorted(outcome["edited"]) == list(outcome["files"])  # and no edited view of before
    assert outcome["step"] == run.steps[-1] == run.checkpoints[-1]


_DRAWN = random.Random(5)
_MOMENTS = [(_DRAWN.randint(low, low + 3), _DRAWN.uniform(0, 0.2)) for low in (6, 14, 23)]


@pytest.mark.parametrize("moment", _MOMENTS, ids=str)
def test_a_run_killed_at_any_moment_ends_with_the_same_bits(capture, whole, tmp_path, moment):
    run = Run(capture, tmp_path).killed_in(*moment)
    last = run.checkpoints[-1]
    assert last >= moment[0] - 6  # a checkpoint every 5 steps; the step itself was not yet done
    into = "a" if moment[0] % 2 else "b"  # in the same folder, or in a new one
    again = Run(capture, tmp_path, into=into, resumes=run.run, machine_seed=moment[0])
    goes_on_as(whole, again, last)


def test_a_run_killed_while_it_writes_a_checkpoint_and_then_again(capture, whole, tmp_path):
    half = max(p.stat().st_size for p in whole[0].run.rglob("*.ckpt")) // 2
    run = Run(capture, tmp_path).killed_in(13, 0.0)
    before = run.checkpoints
    again = Run(capture, tmp_path, resumes=run.run, largest_file=half)
    assert again.died() == -signal.SIGXFSZ
    assert again.steps == list(range(before[-1] + 1, before[-1] + 6))
    assert (again.run / "insitu-0.part").stat().st_size == half  # torn
    assert again.checkpoints == before
    again = Run(capture, tmp_path, resumes=run.run).killed_in(19, 0.05)
    last = again.checkpoints[-1]
    goes_on_as(whole, Run(capture, tmp_path, resumes=run.run), last)
    assert not list(tmp_path.rglob("*.part"))


def test_a_torn_newest_checkpoint_falls_back_to_the_one_before(capture, whole, killed, tmp_path):
    run = copied(killed, tmp_path)
    before, newest = sorted((run / "nerfstudio_models").glob("*.ckpt"))
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    last = int(before.stem.split("-")[1])
    goes_on_as(whole, Run(capture, tmp_path, into="b", resumes=run), last)


def test_a_finished_run_that_is_resumed_does_nothing_more(capture, whole, tmp_path):
    run, outcome = whole
    again = Run(capture, tmp_path, resumes=run.run)
    assert again.ended() == outcome
    assert again.steps == []


def refused(capture, tmp_path, run, **settings):
    """Assert that a run is not resumed and keeps all that it has; return what was said."""
    before = files_of(run)
    again = Run(capture, tmp_path, resumes=run, **settings)
    assert again.join() == 1
    assert again.steps == []
    assert files_of(run) == before
    said = again.log.read_text()
    assert "Traceback" not in said
    return said[said.index("insitu: ") :]


@pytest.mark.parametrize("fault", ["other picture", "cut off", "gone"])
def test_an_edited_view_that_is_damaged_is_named_and_nothing_is_lost(
    capture, killed, tmp_path, fault
):
    run = copied(killed, tmp_path)
    views = json.loads((run / "edits/record.json").read_text())["views"]  # of the newest
    first, second = (run / "edits" / f"{view['edited']}.png" for view in views[:2])
    if fault == "gone":
        first.unlink()
    else:
        first.write_bytes(second.read_bytes() if fault == "other picture" else b"")
    said = refused(capture, tmp_path, run, into="b")
    assert said.startswith("insitu: InvalidInput" if fault == "gone" else "insitu: IntegrityError")
    assert first.name in said
    assert "checkpoint" in said


def test_another_instruction_is_refused_unless_the_edit_is_to_start_anew(
    capture, whole, killed, tmp_path
):
    other = {"instruction": "make the red ball green", "into": "b"}
    said = refused(capture, tmp_path, copied(killed, tmp_path), **other)
    assert said.startswith("insitu: InvalidInput")
    assert "--pipeline.fresh-edit" in said
    again = Run(capture, tmp_path, resumes=whole[0].run, fresh_edit=True, rounds=1, **other)
    outcome = again.ended()
    first = whole[0].steps[-1] + 1
    assert again.steps == list(range(first, first + 2 * 4 + 5))
    assert None not in outcome["edited"]
    assert not set(outcome["edited"]) & set(whole[1]["edited"])
