"""Scheduled runs: their states, how they are told to end, and whether anybody does them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from uuid import uuid4

import fiftyone as fo
import fiftyone.operators as foo
import media
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionProgress

import point_tracking as pt
from point_tracking.workflows.lifecycle import scheduled_runs as module
from point_tracking.workflows.lifecycle.scheduled_runs import (
    cancel_scheduled,
    forget_scheduled,
    scheduled_runs,
    told_to_end,
    with_key,
    worker_is_seen,
)

URI = "@fo-video/point-tracking/track_points"


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=40) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    service = DelegatedOperationService()
    for operation in service.list_operations(dataset_name=dataset.name):
        service.delete_operation(operation.id)
    dataset.delete()


def _schedule(dataset: fo.Dataset, **params: object) -> None:
    foo.get_operator(URI)(dataset, delegate=True, **params)


def _work(dataset: fo.Dataset) -> None:
    """What a worker does with what is queued for a dataset."""
    service = DelegatedOperationService()
    for operation in service.list_operations(dataset_name=dataset.name, run_state="queued"):
        service.execute_operation(operation)


def test_a_run_waits_is_done_and_names_its_record(dataset: fo.Dataset) -> None:
    assert scheduled_runs(dataset) == []
    _schedule(dataset, grid_size=2, tracker="optical-flow")
    (run,) = scheduled_runs(dataset)
    assert (run.state, run.is_over, run.run_key) == ("waiting", False, None)
    assert run.title == "Track points"
    _work(dataset)
    (run,) = scheduled_runs(dataset)
    assert (run.state, run.is_over, run.run_key, run.share) == ("done", True, "track_tracks", 1.0)
    assert run.text.startswith("Tracked 8 points in 2 samples")
    forget_scheduled(run.id)
    assert scheduled_runs(dataset) == []
    dataset.reload()
    assert dataset.list_runs() == ["track_tracks"]


def test_a_run_that_waits_is_taken_out_of_the_queue(dataset: fo.Dataset) -> None:
    _schedule(dataset, grid_size=2)
    cancel_scheduled(scheduled_runs(dataset)[0].id)
    _work(dataset)
    (run,) = scheduled_runs(dataset)
    assert (run.state, run.error) == ("cancelled", "")
    assert not dataset.has_frame_field("tracks")


def test_a_run_at_work_ends_in_order_where_it_is_cancelled(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = type(foo.get_operator(URI)).__module__.split(".operators.")[0]
    loaded = sys.modules[f"{plugin}.workflows.lifecycle.scheduled_runs"]
    monkeypatch.setattr(loaded, "_ASK_S", 0.0)
    _schedule(dataset, grid_size=30, tracker="pt-small")
    worker = threading.Thread(target=_work, args=(dataset,))
    worker.start()
    while scheduled_runs(dataset)[0].state == "waiting":
        time.sleep(0.01)
    (run,) = scheduled_runs(dataset)
    assert run.state == "running"
    cancel_scheduled(run.id)
    worker.join(60)
    assert not worker.is_alive()
    dataset.reload()
    assert scheduled_runs(dataset)[0].state == "cancelled"
    report = pt.load_report(dataset, dataset.list_runs()[0])
    assert report.cancelled
    assert report.num_not_run > 0


def test_what_failed_says_why(dataset: fo.Dataset) -> None:
    _schedule(dataset, grid_size=2)
    dataset.add_frame_field("tracks", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)  # meanwhile
    _work(dataset)
    (run,) = scheduled_runs(dataset)
    assert run.state == "failed"
    assert "exists and holds Detections" in run.error
    cancel_scheduled(run.id)
    assert scheduled_runs(dataset)[0].state == "failed", "what is over stays as it ended"


def test_the_key_of_the_record_travels_with_the_progress(dataset: fo.Dataset) -> None:
    assert with_key(None, "a") == "a"
    _schedule(dataset, grid_size=2)
    service = DelegatedOperationService()
    (operation,) = service.list_operations(dataset_name=dataset.name)
    service.set_progress(operation.id, ExecutionProgress(progress=0.25, label=with_key("mine", "1 of 4 [x] done")))
    (run,) = scheduled_runs(dataset)
    assert (run.run_key, run.text, run.share) == ("mine", "1 of 4 [x] done", 0.25)


def test_only_some_that_are_over_are_listed(dataset: fo.Dataset) -> None:
    for _ in range(7):
        _schedule(dataset, grid_size=2)
    for run in scheduled_runs(dataset)[:6]:
        cancel_scheduled(run.id)
    assert [run.state for run in scheduled_runs(dataset)].count("cancelled") == 5
    assert [run.state for run in scheduled_runs(dataset)].count("waiting") == 1


def test_a_run_is_asked_for_only_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Service:
        def get(self, run_id: str) -> None:
            asked.append(run_id)
            raise ValueError(run_id)

    monkeypatch.setattr(module, "_service", Service)
    is_told = told_to_end("gone")
    assert (is_told(), is_told(), asked) == (True, True, ["gone"])


def test_a_worker_is_seen_by_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BELIEVED_S", 0.0)
    # workers of other tests that run at the same time are none of this one's
    monkeypatch.setattr(module, "_hears_one", lambda: False)
    word = f"launch-{uuid4()}"
    monkeypatch.setattr(module, "WORKER_COMMAND", f"fiftyone delegated {word}")
    assert not worker_is_seen()
    command = [sys.executable, "-c", "import time; time.sleep(60)", "fiftyone", "delegated", word]
    worker = Popen(command)
    try:
        assert worker_is_seen()
    finally:
        worker.kill()
        worker.wait()
    assert not worker_is_seen()
