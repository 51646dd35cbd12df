"""Failures in the App: shown, and run again alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor
from operator_forms import form_of

import point_tracking as pt

URI = "@fo-video/point-tracking/show_run_samples"
TRACK_URI = "@fo-video/point-tracking/track_points"


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset(persistent=True)
    paths = [media.video(tmp_path / "good.mp4", 5), tmp_path / "missing.mp4", media.text_file(tmp_path / "text.mp4")]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()


def _form(dataset: fo.Dataset | fo.DatasetView, uri: str, **params: Any) -> dict[str, Any]:
    return form_of(uri, dataset, **params)


def _shown(dataset: fo.Dataset, **params: Any) -> tuple[list[str], str]:
    """The ids of the view that the operator sets, and the text it shows."""
    request = {"dataset_name": dataset.name, "params": params}
    context = ExecutionContext(request_params=request, executor=Executor())
    calls = [(r.body.operator_uri, r.body.params) for r in foo.get_operator(URI).execute(context)]
    stages = next(p["view"] for uri, p in calls if "set_view" in uri)
    text = next(p["results"]["summary"] for uri, p in calls if "show_output" in uri)
    view = fo.DatasetView._build(dataset, stages)
    return view.values("id"), text


def test_exactly_the_failed_samples_are_shown_with_the_reason(dataset: fo.Dataset) -> None:
    assert "no_runs" in _form(dataset, URI)
    report = pt.track_dataset(dataset, grid_size=2)
    form = _form(dataset, URI)
    assert [c.label for c in form["status"].view.choices] == ["Failed (2)", "Done (1)"]
    assert [c.label for c in form["run_key"].view.choices] == ["track_tracks (tracking)"]
    ids, text = _shown(dataset, run_key=report.run_key, status="failed")
    assert ids == [f.sample_id for f in report.failures] == dataset.values("id")[1:]
    assert text.startswith("**Failed: 2 samples**")
    for failure in report.failures:
        assert f"- `{failure.filepath}`: {failure.message}" in text
    ids_done, text = _shown(dataset, run_key=report.run_key, status="done")
    assert ids_done == dataset.values("id")[:1]
    assert "num_points" in text
    assert foo.get_operator(URI)(dataset, report.run_key).values("id") == ids
    with pytest.raises(Exception, match="no point tracking run"):
        foo.get_operator(URI)(dataset, "nothing")


def test_of_copies_that_were_written_back_the_sources_are_shown(tmp_path: Path) -> None:
    sources = fo.Dataset(persistent=True)
    (tmp_path / "in").mkdir()
    paths = [media.video(tmp_path / "in" / f"{k}.mp4", 8) for k in range(3)]
    sources.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    copies = pt.preprocess_dataset(sources, tmp_path / "out", every_nth=2).dataset
    Path(copies.values("filepath")[1]).unlink()
    report = pt.track_dataset(copies, grid_size=2, write_to="source")
    ids = sources.values("id")
    assert [o.destination_id for o in report.outcomes] == ids
    assert _shown(sources, run_key=report.run_key, status="failed")[0] == ids[1:2]
    assert _shown(sources, run_key=report.run_key, status="done")[0] == [ids[0], ids[2]]
    assert foo.get_operator(URI)(sources, report.run_key).values("id") == ids[1:2]
    # the copies have no run of their own, and their form knows those of the sources
    assert "dataset of the sources" in _form(copies, URI)["no_runs"].view.description
    assert "only_failed_of" not in _form(copies, TRACK_URI)
    form = _form(copies, TRACK_URI, write_to="source", only_failed_of=report.run_key)
    assert [choice.value for choice in form["only_failed_of"].view.choices] == [report.run_key]
    assert not form["only_failed_of"].invalid
    assert "0" in form["field_exists"].view.label.rpartition(":")[2]
    form = _form(copies, TRACK_URI, write_to="source")
    assert form["overwrite"].error_message.startswith("Chosen samples that already hold tracks: 2.")
    # what failed as a copy can be tried on its source, and that of the source on the copy
    form = _form(sources, TRACK_URI, label_field="direct", only_failed_of=report.run_key)
    assert form["size"].view.label.startswith("1 sample:")
    again = pt.track_dataset(sources, "direct", grid_size=2, only_failed_of=report.run_key)
    assert [(o.sample_id, o.status) for o in again.outcomes] == [(ids[1], "done")]
    Path(sources.values("filepath")[2]).unlink()
    direct = pt.track_dataset(sources, "direct", grid_size=2, overwrite=True)
    assert [failure.sample_id for failure in direct.failures] == ids[2:]
    params = {"label_field": "direct", "write_to": "source", "only_failed_of": direct.run_key, "grid_size": 2}
    assert "1 sample:" in _form(copies, TRACK_URI, **params)["size"].view.label
    assert pt.track_dataset(copies, **params).num_samples == 1
    copies.delete()
    sources.delete()


def test_the_result_tells_where_the_tracks_and_the_run_are_if_not_in_sight(tmp_path: Path) -> None:
    sources = fo.Dataset(persistent=True)
    (tmp_path / "in").mkdir()
    paths = [media.video(tmp_path / "in" / f"{k}.mp4", 8) for k in range(2)]
    sources.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    copies = pt.preprocess_dataset(sources, tmp_path / "out", every_nth=2).dataset
    Path(copies.values("filepath")[1]).unlink()

    def told(**params: Any) -> str:
        request = {"dataset_name": copies.name, "params": {"grid_size": 2, **params}}
        calls = foo.get_operator(TRACK_URI).execute(ExecutionContext(request_params=request, executor=Executor()))
        return next(c.body.params["results"]["summary"] for c in calls if "show_output" in c.body.operator_uri)

    text = told(write_to="source")
    assert f"The tracks are in the dataset `{sources.name}`" in text
    assert f"in the panel **Runs**, in the dataset `{sources.name}`." in text
    assert sources.name not in told()
    copies.delete()
    sources.delete()


def test_an_outcome_that_no_sample_has_cannot_be_shown(dataset: fo.Dataset) -> None:
    pt.track_dataset(dataset.limit(1), grid_size=2)
    assert "No sample of this run" in _form(dataset, URI)["status"].error_message
    assert "No sample of this run" in _form(dataset, URI, status="skipped")["status"].error_message
    assert not any(prop.invalid for prop in _form(dataset, URI, status="done").values())


def test_what_was_not_evaluated_is_shown_too(dataset: fo.Dataset) -> None:
    pt.track_dataset(dataset, grid_size=2)
    report = pt.evaluate_dataset(dataset, "tracks", cycle=True)
    form = _form(dataset, URI)
    assert form["run_key"].default == report.run_key == "eval_tracks"
    assert form["run_key"].view.choices[0].label == "eval_tracks (evaluation)"
    assert "|" not in form["summary"].view.label, "a table is no notice"
    ids, text = _shown(dataset, run_key="eval_tracks", status="failed")
    assert ids == dataset.values("id")[1:]
    assert "cannot be read" in text
    assert "cycle" in _shown(dataset, run_key="eval_tracks", status="done")[1]


def test_running_only_what_failed_is_one_choice_of_the_form(dataset: fo.Dataset, tmp_path: Path) -> None:
    assert "only_failed_of" not in _form(dataset, TRACK_URI)
    report = pt.track_dataset(dataset, grid_size=2)
    form = _form(dataset, TRACK_URI, only_failed_of=report.run_key)
    assert [c.value for c in form["only_failed_of"].view.choices] == [report.run_key]
    assert "2 samples" in form["size"].view.label
    assert not any(prop.invalid for prop in form.values())
    form = _form(dataset.limit(1), TRACK_URI, only_failed_of=report.run_key)
    assert "None of the chosen samples failed" in form["only_failed_of"].error_message
    media.video(tmp_path / "missing.mp4", 6)
    foo.execute_operator(TRACK_URI, {"dataset": dataset}, params={"grid_size": 2, "only_failed_of": report.run_key})
    dataset.reload()
    again: Any = pt.load_report(dataset, "track_tracks_2")
    assert [(o.sample_id, o.status) for o in again.outcomes] == [
        (dataset.values("id")[1], "done"),
        (dataset.values("id")[2], "failed"),
    ]


def test_closing_the_tab_does_not_stop_a_run_and_cancelling_ends_it_in_order(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    for k in range(6):
        dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / f"{k}.mp4", 60))))
    request = {"dataset_name": dataset.name, "params": {"grid_size": 10}, "spaces": {"_cls": "Space"}}
    context = ExecutionContext(request_params=request, executor=Executor())
    calls = foo.get_operator(TRACK_URI).execute(context)
    next(calls)
    calls.close()
    # the plugin's own copy of the module, which FiftyOne loaded under another name
    name = f"{type(foo.get_operator(TRACK_URI)).__module__.split('.operators.')[0]}.workflows.lifecycle.background_runs"
    (run,) = sys.modules[name].background_runs(dataset.name)
    deadline = time.monotonic() + 120
    while (run.progress is None or run.progress.progress < 0.2) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert run.is_running
    assert run.run_key == "track_tracks"
    run.cancel()
    assert run.wait(60)
    dataset.reload()
    report: Any = pt.load_report(dataset, "track_tracks")
    assert (report.cancelled, report.interrupted) == (True, False)
    marked = dataset.has_sample_field("tracks_info")
    states = dict(zip(dataset.values("id"), dataset.values("tracks_info.state"), strict=True)) if marked else {}
    assert {o.sample_id for o in report.outcomes if o.status == "done"} == {i for i, s in states.items() if s == "done"}
    assert report.num_not_run > 0
    rest = pt.track_dataset(dataset, grid_size=10, skip_existing=True)
    assert rest.num_samples + rest.num_skipped == 7


def test_a_scheduled_run_is_picked_up_and_leaves_progress_report_and_reason(dataset: fo.Dataset) -> None:
    operations = DelegatedOperationService()
    for _ in range(2):  # whichever comes second finds the field filled
        assert foo.get_operator(TRACK_URI)(dataset, delegate=True, grid_size=2).delegated
    command = [str(Path(sys.executable).with_name("fiftyone")), "delegated", "launch"]
    worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ.copy())
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            found = {o.run_state: o for o in operations.list_operations(dataset_name=dataset.name)}
            if set(found) == {"completed", "failed"}:
                break
            time.sleep(0.2)
    finally:
        worker.terminate()
        worker.wait(timeout=20)
    assert set(found) == {"completed", "failed"}
    done = found["completed"]
    assert done.status.progress == 1.0
    assert done.status.label.startswith("[track_tracks] Tracked 4 points in 1 sample")
    assert "2 failures" in done.status.label
    assert "already hold" in found["failed"].result.error
    dataset.reload()
    report: Any = pt.load_report(dataset, "track_tracks")
    assert [o.status for o in report.outcomes] == ["done", "failed", "failed"]
    for operation in found.values():
        operations.delete_operation(operation.id)


def test_a_cluster_is_a_choice_of_the_form(dataset: fo.Dataset) -> None:
    pytest.importorskip("ray", reason="the extra [ray] is not installed")
    form = _form(dataset, TRACK_URI)
    assert [c.value for c in form["engine"].view.choices] == ["local", "ray"]
    assert "num_workers" not in form
    form = _form(dataset, TRACK_URI, engine="ray", num_workers=0)
    assert "at least 1" in form["engine"].error_message
    cluster = {"num_workers": 2, "address": "auto", "gpus_per_worker": 0.5, "path_map": "/a = /b; /c/d = /e"}
    form = _form(dataset, TRACK_URI, engine="ray", **cluster)
    assert not any(prop.invalid for prop in form.values())
    for params, text in (
        ({"path_map": "/a"}, "Cannot read"),
        ({"path_map": "/a ="}, "Invalid"),
        ({"path_map": "{"}, "JSON"),
    ):
        assert text in _form(dataset, TRACK_URI, engine="ray", **params)["path_map"].error_message
    # fields that are hidden again keep their values, and are no obstacle
    form = _form(dataset, TRACK_URI, engine="local", **cluster)
    assert "path_map" not in form
    assert not any(prop.invalid for prop in form.values())
    params = {"engine": "local", "grid_size": 2, **cluster}
    assert foo.execute_operator(TRACK_URI, {"dataset": dataset}, params=params).error is None
    with pytest.raises(Exception, match="go with engine='ray'"):
        foo.execute_operator(TRACK_URI, {"dataset": dataset}, params={"num_workers": 2, "label_field": "b"})
