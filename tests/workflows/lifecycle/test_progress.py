"""How a run tells how far it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.lifecycle import progress as progress_module
from point_tracking.workflows.lifecycle.progress import Progress, ProgressReporter


@given(st.integers(0, 5), st.lists(st.none() | st.floats(0, 6), max_size=20))
def test_progress_never_turns_back_and_stays_between_0_and_1(total: int, steps: list[float | None]) -> None:
    told: list[Progress] = []
    with ProgressReporter(told.append, total) as reporter:
        for step in steps:
            if step is None:
                reporter.finished("one more")
            else:
                reporter.inside(step, "inside")
    shares = [event.progress for event in told]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert len(told) == len(steps)
    assert [event.iteration for event in told[-1:]] == [steps.count(None)] * bool(steps)


def test_a_callback_is_told_words_and_numbers() -> None:
    told: list[Progress] = []
    reporter = ProgressReporter(told.append, 2)
    reporter.inside(0.5, "cat.mp4")
    reporter.finished("cat.mp4: done")
    reporter.finished("dog.mp4: done")
    assert [event.progress for event in told] == [0.25, 0.5, 1.0]
    assert [event.complete for event in told] == [False, False, True]
    assert told[0].label == "0 of 2 videos done (cat.mp4)"


@pytest.mark.parametrize("option", ["yes", 1, [], 0.5])
def test_other_options_are_refused(option: Any) -> None:
    with pytest.raises(OptionError, match="None, True, False or a function"):
        ProgressReporter(option, 3)


@pytest.mark.parametrize("option", [None, True, False])
def test_a_bar_goes_on_by_one_for_each_sample(option: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Any] = []

    class Bar:
        def __init__(self, total: int, progress: bool | None) -> None:
            self.total, self.progress, self.calls = total, progress, []
            bars.append(self)

        def __enter__(self) -> None:
            self.calls.append("enter")

        def __exit__(self, *_: Any) -> None:
            self.calls.append("exit")

        def update(self) -> None:
            self.calls.append("update")

    monkeypatch.setattr(progress_module.fo, "ProgressBar", Bar)
    with ProgressReporter(option, 3) as reporter:
        reporter.inside(0.5, "a")
        reporter.finished("a")
    (bar,) = bars
    assert (bar.total, bar.progress, bar.calls) == (3, option, ["enter", "update", "exit"])
