"""A signal ends a run in order."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from killable import lines_until
from run_states import leftovers

from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.lifecycle.shutdown import kept_termination, orderly_termination

MakeDataset = Callable[..., fo.Dataset]


NUM_CLIPS = 8  # of the fixture `clips`


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_in_order(
    make_dataset: MakeDataset, clips: list[Path], start: Callable[..., subprocess.Popen], number: signal.Signals
) -> None:
    dataset = make_dataset(*clips)
    process = start(dataset, pause_s=0.05, options={"grid_size": 2})
    lines_until(process, 2)
    process.send_signal(number)
    assert process.wait(timeout=10) == (128 + number if number == signal.SIGTERM else -number)
    assert not leftovers(dataset)
    dataset.reload()
    report: Any = load_report(dataset, "track_tracks")
    assert (report.cancelled, report.interrupted) == (True, False)
    states = dataset.values("tracks_info.state")
    assert [o.status for o in report.outcomes] == ["done" if s == "done" else "not run" for s in states]
    assert 2 <= states.count("done") < NUM_CLIPS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_preprocessing_in_order(
    make_dataset: MakeDataset, tmp_path: Path, start: Callable[..., subprocess.Popen], number: signal.Signals
) -> None:
    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    dataset = make_dataset(*(media.video(tmp_path / "sources" / f"{k}.mp4", 150, size=(320, 240)) for k in range(4)))
    job = {"output_dir": str(out), "preset": "veryslow", "every_nth": 1, "num_workers": 1}
    process = start(dataset, preprocess=job)
    deadline = time.monotonic() + 30
    while not list(out.glob("*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    assert process.wait(timeout=10) == (128 + number if number == signal.SIGTERM else -number)
    assert not leftovers(dataset)
    assert not list(out.glob(".*"))
    dataset.reload()
    found: Any = load_report(dataset, "preprocess")
    assert (found.cancelled, found.interrupted) == (True, False)
    assert 1 <= found.num_samples < 4
    # finished copies are in the dataset, whatever ended the run
    assert sorted(found.dataset.values("filepath")) == sorted(str(path) for path in out.glob("*.mp4"))
    assert len(found.dataset) == found.num_samples
    found.dataset.delete()


def test_sigterm_ends_the_block_with_the_status_of_a_killed_process() -> None:
    cleaned = []

    def end() -> None:
        with orderly_termination():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                cleaned.append(True)

    with pytest.raises(SystemExit) as caught:
        end()
    assert (caught.value.code, cleaned) == (128 + signal.SIGTERM, [True])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_handler_that_is_there_stays() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: seen.append(number))
    try:
        with orderly_termination():
            signal.raise_signal(signal.SIGTERM)
        assert seen == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_handler_that_a_library_replaces_comes_back() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: seen.append(number))

    def start_library() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise OSError("no cluster")

    try:
        with pytest.raises(OSError, match="no cluster"), kept_termination():
            start_library()
        signal.raise_signal(signal.SIGTERM)
        assert seen == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_leave_signals_alone() -> None:
    handlers = []

    def work() -> None:
        with orderly_termination(), kept_termination():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL]
