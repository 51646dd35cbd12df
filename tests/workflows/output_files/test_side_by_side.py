"""Several videos at a time: results, progress, ends."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.lifecycle.progress import Progress, ProgressReporter
from point_tracking.workflows.output_files.side_by_side import SideBySide, check_num_workers, usable_cores


class Noted:
    """What a run was told of its jobs."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}
        self.finished: list[str] = []
        self.told: list[Progress] = []

    def run(self, work: SideBySide[str, Any], cancelled: Any = None) -> bool:
        with ProgressReporter(self.told.append, 10) as reporter:
            return work.run(self.results.__setitem__, self._finished, reporter, cancelled)

    def _finished(self, job: str) -> None:
        assert job in self.results
        self.finished.append(job)


def test_every_job_has_its_result_and_several_are_at_work_at_once() -> None:
    together = threading.Barrier(3, timeout=20)

    def attempt(job: str, progress: Any, cancelled: Any) -> str:
        together.wait()
        return job.upper()

    noted = Noted()
    assert noted.run(SideBySide("abcdef", attempt, name_of=str, num_workers=3))
    assert noted.results == {job: job.upper() for job in "abcdef"}
    assert sorted(noted.finished) == list("abcdef")


def test_jobs_at_work_tell_their_shares_by_the_samples_they_are_for() -> None:
    told = threading.Event()

    def attempt(job: str, progress: Any, cancelled: Any) -> None:
        progress(0.5)
        if job == "long":
            told.wait(20)

    noted = Noted()
    work = SideBySide(["long", "b"], attempt, name_of=lambda job: f"{job}.mp4", num_samples=len, num_workers=1)
    end = threading.Timer(0.7, told.set)
    end.start()
    noted.run(work)
    assert any(progress.message == "long.mp4 50%" for progress in noted.told)
    assert max(progress.progress for progress in noted.told) == pytest.approx(4 * 0.5 / 10)


def test_a_cancelled_run_keeps_what_was_finished_and_starts_nothing_more() -> None:
    begun, ended = threading.Event(), []

    def attempt(job: str, progress: Any, cancelled: Any) -> str:
        begun.set()
        while not cancelled():
            threading.Event().wait(0.005)
        ended.append(job)
        return "undone"

    noted = Noted()
    assert not noted.run(SideBySide("ab", attempt, name_of=str, num_workers=1), cancelled=begun.is_set)
    assert ended == ["a"]
    assert noted.results == {"a": "undone"}
    assert noted.finished == []


def test_what_a_job_raises_ends_the_run() -> None:
    def attempt(job: str, progress: Any, cancelled: Any) -> str:
        if job == "b":
            raise ZeroDivisionError
        return job

    noted = Noted()
    with pytest.raises(ZeroDivisionError):
        noted.run(SideBySide("abcd", attempt, name_of=str, num_workers=1))
    assert "a" in noted.results
    assert "b" not in noted.results


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "2"])
def test_numbers_of_workers_are_whole(number: object) -> None:
    with pytest.raises(OptionError, match="at least 1, or None"):
        check_num_workers(number)


def test_jobs_share_the_cores() -> None:
    alone, crowded = (
        SideBySide(jobs, lambda *_: None, name_of=str, num_workers=len(jobs)).threads for jobs in ("a", "a" * 999)
    )
    assert alone == usable_cores() + 1
    assert crowded == 1
