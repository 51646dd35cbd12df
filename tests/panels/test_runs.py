"""The panel *Runs*: what it shows of runs under way and of those before, and what its buttons do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionProgress
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.panels.runs import RunsPanel
from point_tracking.store.runs.outcomes import span_of
from point_tracking.workflows.lifecycle.background_runs import BackgroundRun
from point_tracking.workflows.lifecycle.progress import Progress


class State(dict):
    def set(self, key: str, value: Any) -> None:
        self[key] = value


SHOWN_ANEW = ["reload_dataset", "@fo-video/point-tracking/load_opened_samples"]


class Ops:
    """Notes what the panel asks of the App."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **params: self.calls.append((name, given or params))


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / "good.mp4", num_frames=4), media.text_file(tmp_path / "broken.mp4")]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()


def _ctx(dataset: fo.Dataset, **params: Any) -> Any:
    ops = Ops()
    return SimpleNamespace(
        dataset=dataset,
        params=params,
        ops=ops,
        trigger=lambda uri, params=(): ops.calls.append((uri, params)),
        panel=SimpleNamespace(state=State()),
    )


def _shown(ctx: Any) -> dict[str, Any]:
    return RunsPanel().render(ctx).type.properties


def _texts(ctx: Any) -> str:
    values = [prop.default for prop in _shown(ctx).values() if isinstance(prop.default, str)]
    return "\n".join(values)


def test_the_panel_is_registered() -> None:
    assert foo.operator_exists("@fo-video/point-tracking/point_tracking_runs")


def test_without_runs_it_says_how_to_start_one(dataset: fo.Dataset) -> None:
    assert "No runs on this dataset yet" in _texts(_ctx(dataset))


def test_a_run_under_way_shows_progress_and_can_be_cancelled(dataset: fo.Dataset) -> None:
    def work(*, progress: Any, cancelled: Any) -> Any:
        progress(Progress(1, 2, 0.5, "good.mp4", "track_tracks"))
        while not cancelled():
            threading.Event().wait(0.005)
        return "Tracked nothing; cancelled"

    run = BackgroundRun("Track points", dataset.name, work).start()
    while run.progress is None:
        pass
    ctx = _ctx(dataset)
    text = _texts(ctx)
    for part in ("**Track points**", "50%", "1 of 2 videos done (good.mp4)", "track_tracks"):
        assert part in text
    assert {"cancel_0", "timer"} <= set(_shown(ctx))
    RunsPanel().cancel(_ctx(dataset, run=id(run)))
    assert run.wait(20)
    assert "cancelled" in _texts(ctx), "it is shown until its end was told"
    RunsPanel().on_tick(ctx)
    assert [name for name, _ in ctx.ops.calls] == ["notify", *SHOWN_ANEW]
    ctx.ops.calls.clear()
    RunsPanel().on_tick(ctx)
    assert ctx.ops.calls == [], "told once"
    assert "timer" in _shown(ctx), "a run that is started now is noticed"


def test_runs_before_show_their_report_samples_and_deletion(dataset: fo.Dataset) -> None:
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, progress=False)
    dataset.reload()
    ctx = _ctx(dataset)
    shown = _shown(ctx)
    assert "Tracked 4 points in 1 sample" in shown["report"].default
    assert "broken.mp4" in shown["report"].default
    assert {"show_failed", "show_done", "delete"} <= set(shown)
    assert "show_not_run" not in shown
    RunsPanel().show_samples(asked := _ctx(dataset, run_key="track_tracks", status="failed"))
    ((name, params),) = asked.ops.calls
    assert (name, params["view"].values("id")) == ("set_view", [dataset.last().id])
    RunsPanel().ask_to_delete(ctx)
    confirm = _shown(ctx)
    assert "Deletes the tracks of 1 sample that track_tracks wrote. Nothing else" in confirm["confirm"].view.label
    ctx.params["run_key"] = "track_tracks"
    RunsPanel().delete(ctx)
    dataset.reload()
    assert not dataset.has_frame_field("tracks")
    assert [name for name, _ in ctx.ops.calls] == ["notify", *SHOWN_ANEW]
    RunsPanel().delete(ctx)
    assert "no run 'track_tracks'" in ctx.panel.state["problem"]


def test_files_of_a_rendering_run_are_deleted_but_for_what_was_changed(dataset: fo.Dataset, tmp_path: Path) -> None:
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(), grid_size=2, progress=False)
    report = pt.render_dataset(dataset.limit(1), "tracks", tmp_path / "out", suffix=".png", progress=False)
    path = Path(report.outcomes[0].output_path or "")
    dataset.reload()
    ctx = _ctx(dataset, run_key="render_tracks")
    assert _shown(ctx)["delete"].view.label == "Delete this run's files..."
    RunsPanel().ask_to_delete(ctx)
    assert "Deletes 1 file (0.0 MiB) that render_tracks wrote. Nothing else" in _shown(ctx)["confirm"].view.label
    path.write_bytes(b"mine")
    assert f"What stays: {path} was changed since" in _shown(ctx)["confirm"].view.label
    RunsPanel().delete(ctx)
    assert path.read_bytes() == b"mine"
    shown = _shown(ctx)
    assert shown["kept"].view.label == f"Kept: {path} was changed since"
    assert shown["run"].default == "track_tracks"
    RunsPanel().choose(ctx)
    assert "kept" not in _shown(ctx)


def _schedule(dataset: fo.Dataset, count: int = 1) -> None:
    for _ in range(count):
        foo.get_operator("@fo-video/point-tracking/track_points")(
            dataset, delegate=True, grid_size=2, tracker="optical-flow"
        )


@pytest.fixture
def queue(dataset: fo.Dataset) -> Iterator[DelegatedOperationService]:
    service = DelegatedOperationService()
    yield service
    for operation in service.list_operations(dataset_name=dataset.name):
        service.delete_operation(operation.id)


@pytest.mark.parametrize("is_seen", [True, False])
def test_scheduled_runs_wait_for_a_worker_and_can_be_cancelled(
    dataset: fo.Dataset, queue: DelegatedOperationService, monkeypatch: pytest.MonkeyPatch, is_seen: bool
) -> None:
    monkeypatch.setattr("point_tracking.panels.runs.worker_is_seen", lambda: is_seen)
    _schedule(dataset)
    ctx = _ctx(dataset)
    shown = _shown(ctx)
    assert "**Track points**, scheduled: waiting" in shown["scheduled_0"].default
    assert ("no_worker" in shown) is not is_seen
    assert is_seen or "fiftyone delegated launch" in shown["no_worker"].view.label
    assert {"timer", "end_0"} <= set(shown)
    (operation,) = queue.list_operations(dataset_name=dataset.name)
    RunsPanel().cancel_scheduled(_ctx(dataset, id=str(operation.id)))
    shown = _shown(ctx)
    assert "scheduled: cancelled" in shown["scheduled_0"].default
    assert not {"end_0", "no_worker"} & set(shown)
    RunsPanel().forget(_ctx(dataset, id=str(operation.id)))
    assert "scheduled_0" not in _shown(ctx)


def test_of_a_scheduled_run_progress_samples_and_deletion_are_there(
    dataset: fo.Dataset, queue: DelegatedOperationService
) -> None:
    pt.track_dataset(dataset, "other", tracker=DriftTracker(), grid_size=2, progress=False)
    _schedule(dataset)
    (operation,) = queue.list_operations(dataset_name=dataset.name)
    queue.set_running(operation.id)
    queue.set_progress(operation.id, ExecutionProgress(progress=0.5, label="[track_tracks] 1 of 2 videos done (a)"))
    text = _shown(_ctx(dataset))["scheduled_0"].default
    assert "**Track points** (`track_tracks`), scheduled: running 50%" in text
    assert "1 of 2 videos done (a)" in text
    ctx = _ctx(dataset)
    RunsPanel().on_tick(ctx)
    assert ctx.ops.calls == []
    queue.set_queued(operation.id)
    queue.execute_operation(operation)
    dataset.reload()
    RunsPanel().on_tick(ctx)
    (name, (text,)), *reloads = ctx.ops.calls
    colors = ("set_color_scheme", {"color_by": "instance"})
    assert [name, *(reload for reload, _ in reloads[:-1]), reloads[-1]] == ["notify", *SHOWN_ANEW, colors]
    assert text.startswith("Track points, scheduled: done. Tracked 4 points in 1 sample")
    ctx.ops.calls.clear()
    RunsPanel().on_tick(ctx)
    assert ctx.ops.calls == [], "told once"
    shown = _shown(ctx)
    assert "scheduled: done" in shown["scheduled_0"].default
    assert "Tracked 4 points in 1 sample" in shown["scheduled_0"].default
    ctx.params["run_key"] = "track_tracks"
    RunsPanel().look_at(ctx)
    assert [name for name, _ in ctx.ops.calls] == SHOWN_ANEW
    shown = _shown(ctx)
    assert shown["run"].default == "track_tracks"
    assert {"show_done", "show_failed", "delete"} <= set(shown)
    RunsPanel().delete(ctx)
    dataset.reload()
    assert not dataset.has_frame_field("tracks")
    assert not dataset.has_sample_field("tracks_info")
    assert dataset.has_sample_field("other_info")


def test_a_scheduled_run_that_is_not_heard_of_is_told(
    dataset: fo.Dataset, queue: DelegatedOperationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    _schedule(dataset)
    (operation,) = queue.list_operations(dataset_name=dataset.name)
    queue.set_running(operation.id)
    assert "Not heard of" not in _shown(_ctx(dataset))["scheduled_0"].default
    monkeypatch.setattr("point_tracking.panels.runs.SILENT_S", -1.0)
    assert "its worker may be gone" in _shown(_ctx(dataset))["scheduled_0"].default


def test_it_is_said_how_to_read_a_report(dataset: fo.Dataset) -> None:
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(), grid_size=2, progress=False)
    dataset.clone_frame_field("tracks", "truth")
    pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", eval_key="judged")
    dataset.reload()
    ctx = _ctx(dataset)
    ctx.panel.state["chosen"] = "judged"
    report = _shown(ctx)["report"].default
    assert "Evaluated frames.tracks of 1 sample" in report
    assert "`judged_...`: sort the grid by one of them" in report
    assert "- **delta_avg**: " in report


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "5 s"), (22, "20 s"), (89, "90 s"), (100, "2 min"), (3599, "1 h 0 min"), (7800, "2 h 10 min")],
)
def test_spans_are_said_for_people(seconds: float, text: str) -> None:
    assert span_of(seconds) == text
