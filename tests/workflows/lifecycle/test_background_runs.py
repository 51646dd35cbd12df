"""Runs in threads: how far they are, what became of them, and that a process that ends tells them to end."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from point_tracking.workflows.lifecycle.background_runs import BackgroundRun, background_runs, end_all
from point_tracking.workflows.lifecycle.progress import Progress


def _waiting(end: threading.Event) -> Any:
    def work(*, progress: Any, cancelled: Any) -> Any:
        progress(Progress(1, 4, 0.25, "a.mp4", "track_tracks"))
        while not (cancelled() or end.wait(0.005)):
            pass
        return SimpleNamespace(run_key="track_tracks", cancelled=cancelled())

    return work


def test_a_run_tells_how_far_it_is_and_its_key() -> None:
    end = threading.Event()
    run = BackgroundRun("Track points", "progress", _waiting(end)).start()
    while run.progress is None:
        pass
    assert (run.is_running, run.run_key, run.is_cancelled) == (True, "track_tracks", False)
    left = run.seconds_left
    assert left is not None
    assert left == pytest.approx(3 * run.seconds, rel=0.5)
    end.set()
    assert run.wait(20)
    assert (run.seconds_left, run.result().cancelled, run.told) == (None, False, False)


def test_the_time_left_is_not_guessed_from_nothing() -> None:
    run = BackgroundRun("Track points", "guess", lambda **_: None)
    assert run.seconds_left is None
    run.progress = Progress(0, 4, 0.01, "a.mp4")
    assert run.seconds_left is None


def test_a_run_can_be_cancelled() -> None:
    run = BackgroundRun("Track points", "cancel", _waiting(threading.Event())).start()
    run.cancel()
    assert run.wait(20)
    assert run.result().cancelled


def test_what_a_run_raises_is_kept() -> None:
    def fail(**_: Any) -> None:
        raise KeyError("x")

    run = BackgroundRun("Track points", "fails", fail).start()
    assert run.wait(20)
    with pytest.raises(KeyError):
        run.result()


def test_runs_are_found_by_their_dataset_the_latest_first() -> None:
    runs = [BackgroundRun(f"{k}", "found", lambda **_: None).start() for k in range(3)]
    assert all(run.wait(20) for run in runs)
    assert background_runs("found") == runs[::-1]
    assert background_runs("another") == []


def test_a_process_that_ends_tells_its_runs_to_end() -> None:
    runs = [BackgroundRun("Track points", "ends", _waiting(threading.Event())).start() for _ in range(2)]
    end_all(timeout_s=20)
    assert [run.is_running for run in runs] == [False, False]
    assert all(run.is_cancelled for run in runs)
