"""What operators over samples share: how they are offered, run and scheduled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest

from point_tracking.operators.shared import forms, samples_operator
from point_tracking.operators.shared.samples_operator import SamplesOperator
from point_tracking.workflows.lifecycle.progress import Progress


class Operator(SamplesOperator):
    NAME, TITLE, DESCRIPTION, ICON, UNLISTED = "work", "Work", "works", "x", True


def test_it_is_offered_at_once_or_scheduled_with_its_risk_named() -> None:
    config = Operator().config
    assert (config.name, config.label, config.unlisted) == ("work", "Work", True)
    assert (config.dynamic, config.execute_as_generator) == (True, True)
    assert (config.allow_immediate_execution, config.allow_delegated_execution) == (True, True)
    assert config.risk_level.value == "medium"


@pytest.mark.parametrize(("number", "scheduled"), [(2, False), (3, True)])
def test_many_samples_are_scheduled_unless_chosen_otherwise(
    monkeypatch: pytest.MonkeyPatch, number: int, scheduled: bool
) -> None:
    monkeypatch.setattr(samples_operator, "worker_is_seen", lambda: True)
    monkeypatch.setattr(forms, "DELEGATE_ABOVE", 2)
    monkeypatch.setattr(forms, "target_of", lambda _ctx: range(number))
    options = Operator().resolve_execution_options(SimpleNamespace(dataset="d"))
    assert options.default_choice_to_delegated == scheduled
    assert not Operator().resolve_execution_options(SimpleNamespace(dataset=None)).default_choice_to_delegated


def test_inside_a_scheduled_operation_there_is_no_thread_and_the_report_is_its_last_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[float, str]] = []
    ctx = SimpleNamespace(
        delegated=True,
        request_params={"run_doc": "operation"},
        set_progress=lambda *, progress, label: told.append((progress, label)),
    )
    monkeypatch.setattr(samples_operator, "told_to_end", lambda run_id: lambda: run_id == "operation")

    class Report:
        run_key = "mine"

        def __str__(self) -> str:
            return "all done"

    def run(samples: Any, options: Any, *, progress: Any, cancelled: Any) -> Report:
        progress(Progress(0, 2, 0.25, "begin"))
        progress(Progress(1, 2, 0.5, "half", "mine"))
        assert cancelled()
        assert (samples, options) == ("samples", "options")
        return Report()

    with pytest.raises(StopIteration) as end:
        next(Operator().run(ctx, run, "samples", "options"))
    assert isinstance(end.value.value, Report)
    assert told == [
        (0.25, "0 of 2 videos done (begin)"),
        (0.5, "[mine] 1 of 2 videos done (half)"),
        (1.0, "[mine] all done"),
    ]


def test_from_python_it_runs_while_its_caller_waits() -> None:
    after: list[str] = []

    def run(samples: Any, options: Any, *, progress: Any) -> str:
        assert progress is None
        return f"report of {samples} with {options}"

    ctx = SimpleNamespace(delegated=False, request_params={})
    with pytest.raises(StopIteration) as end:
        next(Operator().run(ctx, run, "samples", "options", after=after.append))
    assert end.value.value == "report of samples with options"
    assert after == [end.value.value]


@pytest.mark.parametrize("runs_on", [False, True])
def test_in_the_app_it_runs_in_the_background(monkeypatch: pytest.MonkeyPatch, runs_on: bool) -> None:
    run: Any = SimpleNamespace(is_running=runs_on, told=False, result=lambda: "report")

    def in_background(_ctx: Any, title: str, work: Any, *, patience_s: float) -> Any:
        yield (title, patience_s)
        return run

    monkeypatch.setattr(samples_operator, "run_in_background", in_background)
    monkeypatch.setattr(samples_operator, "show_started", lambda _ctx, _run, when_stopped, closed: iter([when_stopped]))
    ctx = SimpleNamespace(delegated=False, request_params={"spaces": {}}, current_sample=None, params={})
    calls = Operator().run(ctx, print, "samples", "options")
    assert next(calls) == ("Work", samples_operator.PATIENCE_S)
    if runs_on:
        assert next(calls) == Operator.WHEN_STOPPED
    with pytest.raises(StopIteration) as end:
        next(calls)
    assert end.value.value == (None if runs_on else "report")
    assert run.told is not runs_on, "the panel tells of what ends later"


@pytest.mark.parametrize("closes", [False, True])
def test_only_an_operator_that_closes_the_open_sample_says_so(monkeypatch: pytest.MonkeyPatch, closes: bool) -> None:
    def in_background(*_: Any, **__: Any) -> Any:
        yield "progress"
        return SimpleNamespace(is_running=True)

    monkeypatch.setattr(samples_operator, "run_in_background", in_background)
    monkeypatch.setattr(samples_operator, "show_started", lambda *_, closed: iter([closed]))
    monkeypatch.setattr(Operator, "CLOSES_OPEN_SAMPLE", closes)
    ctx = SimpleNamespace(delegated=False, request_params={"spaces": {}}, current_sample="open", params={})
    assert list(Operator().run(ctx, print, "samples", "options")) == ["progress", closes]


def test_scheduling_from_python_passes_view_and_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(foo, "execute_operator", lambda *given, **options: calls.append((given, options)))
    dataset = fo.Dataset()
    Operator().schedule(dataset, {"grid_size": 3})
    (((_, context), options),) = calls
    assert context["view"] == dataset.view()
    assert options == {"params": {"grid_size": 3}, "request_delegation": True}
    dataset.delete()
