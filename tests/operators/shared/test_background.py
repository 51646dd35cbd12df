"""Long work of the App in the background: progress, results, errors, and a tab that is closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from point_tracking.operators.shared import background
from point_tracking.operators.shared.background import bullets, errors_shown, show_summary
from point_tracking.store.runs.outcomes import Failure
from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.lifecycle.background_runs import background_runs
from point_tracking.workflows.lifecycle.progress import Progress


class Ops:
    """What an operator tells the App, as tuples."""

    def set_progress(self, *, progress: float, label: str) -> tuple[str, float, str]:
        return ("progress", progress, label)

    def show_output(self, *, outputs: Any, results: dict[str, str]) -> tuple[str, str, str]:
        # the App shows the header as the window's title
        title = outputs["type"]["properties"]["title"]["view"]
        assert title["name"] == "Header"
        return ("output", title["label"], results["summary"])

    def open_panel(self, name: str, *, layout: str) -> tuple[str, str, str]:
        return ("panel", name, layout)


def _ctx(delegated: bool = False) -> Any:
    return SimpleNamespace(ops=Ops(), delegated=delegated, dataset=SimpleNamespace(name="of-test-background"))


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_POLL_S", 0.005)


def _drain(calls: Any) -> tuple[list[Any], Any]:
    """What a generator yields, and what it returns."""
    told = []
    while True:
        try:
            told.append(next(calls))
        except StopIteration as end:
            return told, end.value


def _start(work: Any, patience_s: float = 20.0) -> Any:
    return background.run_in_background(_ctx(), "Track points", work, patience_s=patience_s)


def test_progress_is_told_while_the_work_goes_on_and_its_run_returned() -> None:
    seen = threading.Event()

    def work(*, progress: Any, cancelled: Any) -> str:
        progress(Progress(0, 2, 0.1, "early"))
        progress(Progress(1, 2, 0.5, "latest"))
        assert seen.wait(20)
        assert not cancelled()
        return "report"

    calls = _start(work)
    assert next(calls) == ("progress", 0.0, "Starting")
    assert next(calls) == ("progress", 0.5, "1 of 2 videos done (latest)"), "only the latest is worth telling"
    seen.set()
    run = _drain(calls)[1]
    assert (run.is_running, run.result()) == (False, "report")


@pytest.mark.parametrize("error", [OptionError("no"), KeyboardInterrupt()])
def test_an_error_is_raised_where_the_result_is_asked_for(error: BaseException) -> None:
    def work(**_: Any) -> None:
        raise error

    run = _drain(_start(work))[1]
    with pytest.raises(type(error)):
        run.result()


def test_a_long_run_goes_on_when_the_patience_ends_or_the_tab_is_closed() -> None:
    end = threading.Event()

    def work(**_: Any) -> str:
        assert end.wait(20)
        return "report"

    run = _drain(_start(work, patience_s=0.02))[1]
    assert run.is_running
    calls = _start(work)
    next(calls)
    calls.close()  # as FiftyOne does where the tab is closed
    closed = background_runs("of-test-background")[0]
    assert closed.is_running
    end.set()
    assert run.wait(20)
    assert closed.wait(20)
    assert (run.result(), closed.result(), closed.is_cancelled) == ("report", "report", False)


def test_the_user_is_told_where_the_run_goes_on() -> None:
    run: Any = SimpleNamespace(title="Track points")
    stopped = "Stopping the App ends it in order: see there."
    opened, (_, title, text) = background.show_started(_ctx(), run, stopped, closed=False)
    assert opened == ("panel", "point_tracking_runs", "horizontal")
    assert title == "Track points"
    for part in ("goes on in the background", "Closing this tab does not stop", "Stopping the App ends it in order"):
        assert part in text
    assert "open it again" not in text
    _, (_, _, text) = background.show_started(_ctx(), run, stopped, closed=True)
    assert "The video was closed while it is written to: open it again" in text


@pytest.mark.parametrize(("params", "expected"), [({}, False), ({"spaces": {"_cls": "Space"}}, True)])
def test_the_app_is_told_from_python_by_what_it_sends(params: dict[str, Any], expected: bool) -> None:
    assert background.is_from_app(SimpleNamespace(request_params=params)) is expected


class Operator:
    config = SimpleNamespace(label="Track points")

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        yield "working"
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OptionError("Use a better one"), "**This did not work.** Use a better one"),
        (ValueError("x"), "**This did not work.** ValueError: x"),
    ],
)
def test_an_error_is_shown_before_it_is_raised(error: Exception, text: str) -> None:
    calls: Any = Operator(error).execute(_ctx())
    assert next(calls) == "working"
    assert next(calls) == ("output", "Track points", text)
    with pytest.raises(type(error)):
        next(calls)


def test_a_scheduled_run_stores_its_error_instead() -> None:
    calls: Any = Operator(OptionError("no")).execute(_ctx(delegated=True))
    assert next(calls) == "working"
    with pytest.raises(OptionError):
        next(calls)
    assert _drain(Operator(None).execute(_ctx()))[0] == ["working"]


class Report:
    run_key = "run"

    def __init__(self, num_failures: int, num_warnings: int) -> None:
        self.failures = [Failure(f"s{k}", f"/{k}.mp4", "VideoError", "broken") for k in range(num_failures)]
        self.warnings = [(f"/{k}.mp4", "dark") for k in range(num_warnings)]

    def __str__(self) -> str:
        return "Tracked everything"


def _summary(report: Report, **options: Any) -> str:
    ((_, title, text),) = show_summary(_ctx(), "Done", report, failed="Not tracked", warned="Good to know", **options)
    assert title == "Done"
    return text


def test_a_summary_lists_what_failed_and_how_to_find_it() -> None:
    text = _summary(Report(1, 1), notes=["How to read it"], dataset="sources")
    for part in ("Tracked everything", "How to read it", "**Not tracked**", "- `/0.mp4`: broken", "- `/0.mp4`: dark"):
        assert part in text
    assert "**Show what failed** in the panel **Runs**" in text
    assert "`sources`" in text


def test_a_summary_of_what_went_well_is_short() -> None:
    text = _summary(Report(0, 0))
    assert text.strip() == "Tracked everything"


def test_long_lists_are_cut_and_say_where_the_rest_is() -> None:
    text = _summary(Report(background._ROWS_SHOWN + 7, 0))
    assert text.count("broken") == background._ROWS_SHOWN
    assert "... and 7 more; all are stored with the run 'run'" in text


def test_rows_become_lists() -> None:
    assert bullets([("/a.mp4", "x"), ("/b.mp4", "y")]) == ["- `/a.mp4`: x", "- `/b.mp4`: y"]
