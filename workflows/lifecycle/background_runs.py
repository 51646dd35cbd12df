"""Runs in threads of this process, which outlive the request that started them: whoever asks sees how far they are.

The App's server starts them, so that its pages stay usable. When the process ends in order, they are told to end
and store what they have; when it is killed, the next run on the dataset ends them, as any run that died.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any

from .progress import Progress

# how long a process that ends waits for its runs, all together
_END_TIMEOUT_S = 20.0
# runs that are over are kept to be looked at
_KEPT = 50

_runs: list[BackgroundRun] = []
_lock = threading.Lock()


class BackgroundRun:
    """A run in a thread of its own.

    Args:
        title: what a person started
        dataset_name: of the dataset it was started from
        work: called with progress= and cancelled=; returns the report

    Attributes:
        progress: the latest, None before the first
        report: what the work returned, None before its end or where it failed
        error: what the work raised
        told: whether somebody was shown that it is over
    """

    def __init__(self, title: str, dataset_name: str, work: Callable[..., Any]) -> None:
        self.title = title
        self.dataset_name = dataset_name
        self.progress: Progress | None = None
        self.report: Any = None
        self.error: BaseException | None = None
        self.told = False
        self._work = work
        self._cancelled = threading.Event()
        self._started = time.monotonic()
        self._ended: float | None = None
        self._thread = threading.Thread(target=self._run, name="point-tracking-run", daemon=True)

    def start(self) -> BackgroundRun:
        """Begins the work."""
        with _lock:
            _runs.append(self)
            over = [run for run in _runs if not run.is_running]
            for run in over[:-_KEPT]:
                _runs.remove(run)
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self.report = self._work(progress=self._note, cancelled=self._cancelled.is_set)
        except BaseException as error:  # noqa: BLE001 - whoever looks at the run is shown it
            self.error = error
        finally:
            self._ended = time.monotonic()

    def _note(self, progress: Progress) -> None:
        self.progress = progress

    @property
    def is_running(self) -> bool:
        return self._ended is None

    @property
    def is_cancelled(self) -> bool:
        """Whether it was told to end."""
        return self._cancelled.is_set()

    @property
    def seconds(self) -> float:
        """Since it began; of a run that is over, all it took."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def seconds_left(self) -> float | None:
        """What is left at the speed so far; None while that says nothing."""
        share = 0.0 if self.progress is None else self.progress.progress
        return None if share < 0.02 or not self.is_running else self.seconds * (1 - share) / share

    @property
    def run_key(self) -> str | None:
        """Of its record, once that is known."""
        return getattr(self.report, "run_key", None) or (self.progress.run_key if self.progress else None)

    def cancel(self) -> None:
        """Tells it to end: finished samples stay, the one at work is undone."""
        self._cancelled.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits for its end; returns whether it is over."""
        self._thread.join(timeout_s)
        return not self.is_running

    def result(self) -> Any:
        """The report of a run that is over.

        Raises:
            what the work raised
        """
        if self.error is not None:
            raise self.error
        return self.report


def background_runs(dataset_name: str) -> list[BackgroundRun]:
    """The runs that this process started from a dataset, the latest first."""
    with _lock:
        return [run for run in reversed(_runs) if run.dataset_name == dataset_name]


def end_all(timeout_s: float = _END_TIMEOUT_S) -> None:
    """Tells all runs to end, and waits for them."""
    with _lock:
        running = [run for run in _runs if run.is_running]
    for run in running:
        run.cancel()
    deadline = time.monotonic() + timeout_s
    for run in running:
        run.wait(max(deadline - time.monotonic(), 0.0))


atexit.register(end_all)
