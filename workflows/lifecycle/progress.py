"""How a run tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ...tracker.errors import OptionError


@dataclass(frozen=True)
class Progress:
    """The state of a run, as a progress callback sees it.

    Carries the attributes of FiftyOne's own ProgressBar that its callbacks read
    (`iteration`, `total`, `progress`, `complete`).

    Args:
        iteration: samples finished
        total: samples that will be finished
        progress: share of the whole work done, from 0 to 1
        message: what is being done, in words
        run_key: of the run's record, where there is one by then
    """

    iteration: int
    total: int
    progress: float
    message: str
    run_key: str | None = None

    @property
    def complete(self) -> bool:
        return self.iteration >= self.total

    @property
    def label(self) -> str:
        """What the App shows beside its bar."""
        return f"{self.iteration} of {self.total} videos done ({self.message})"


ProgressOption = bool | Callable[[Progress], Any] | None


class ProgressReporter:
    """Passes the state of a run on to a bar, a callback, or nobody.

    Args:
        option: None (as FiftyOne is configured), True or False (a bar or none),
            or a function that takes a `Progress`
        total: samples that will be finished

        run_key: of the run's record, where there is one by then

    Raises:
        OptionError: if the option is none of these
    """

    def __init__(self, option: ProgressOption, total: int, run_key: str | None = None) -> None:
        if option is not None and not isinstance(option, bool) and not callable(option):
            raise OptionError(f"Invalid progress ({option!r}). Expected None, True, False or a function")
        self._callback = option if callable(option) else None
        self._total = total
        self._run_key = run_key
        self._iteration = 0
        self._told = 0.0
        self._bar = None if self._callback else fo.ProgressBar(total=total, progress=option)

    def __enter__(self) -> ProgressReporter:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*exception)

    def inside(self, share: float, message: str) -> None:
        """Tells how far the samples that are being worked on are, added up."""
        self._tell(self._iteration + share, message)

    def finished(self, message: str) -> None:
        """Tells that one more sample is finished."""
        self._iteration += 1
        if self._bar is not None:
            self._bar.update()
        self._tell(self._iteration, message)

    def _tell(self, samples: float, message: str) -> None:
        if self._callback is not None:
            # a sample that fails, or has to wait, never turns progress back
            self._told = max(self._told, min(samples / max(self._total, 1), 1.0))
            self._callback(Progress(self._iteration, self._total, self._told, message, self._run_key))
