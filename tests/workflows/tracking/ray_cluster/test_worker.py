"""What runs on a node, run here: the worker of a cluster without a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from run_states import leftovers

import point_tracking as pt
from point_tracking.store.database.claims import Claims
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.liveness import Owner, owners_of
from point_tracking.store.labels.views import view_document
from point_tracking.version import __version__
from point_tracking.workflows.tracking.options import TrackOptions
from point_tracking.workflows.tracking.ray_cluster.checks import database_environment
from point_tracking.workflows.tracking.ray_cluster.worker import TrackWorker, inspect_node
from point_tracking.workflows.tracking.targets import Target


def _worker(samples: fo.Dataset | fo.DatasetView, **options: Any) -> TrackWorker:
    dataset = samples._dataset
    given = TrackOptions(tracker="optical-flow", grid_size=2, tracker_options={"resolution": 64}, **options)
    job = {
        "dataset": dataset.name,
        "view": json.loads(json.dumps(view_document(samples))),
        "destination": dataset.name,
        "run_key": "run",
        "options": json.loads(json.dumps(given.for_workers())),
        "owner_id": f"worker-of-{dataset.name}",
    }
    return TrackWorker(job)


def _process(worker: TrackWorker, sample: fo.Sample, **facts: Any) -> dict[str, Any]:
    return worker.process({**asdict(Target(sample.id, sample.filepath)), **facts})


def test_a_worker_reads_tracks_and_writes_and_leaves_nothing(
    make_dataset: Callable[..., fo.Dataset], clips: list[Path], tmp_path: Path
) -> None:
    dataset = make_dataset(*clips[:2], tmp_path / "missing.mp4")
    first, second, missing = dataset
    worker = _worker(dataset)
    assert worker.hello()
    (owner,) = owners_of(dataset._doc.id)
    assert (owner["_id"], owner["run_key"]) == (f"worker-of-{dataset.name}", "run")
    done = _process(worker, first)
    assert (done["outcome"]["status"], done["outcome"]["num_points"], done["busy"]) == ("done", 4, None)
    json.dumps(done)  # plain values alone travel
    assert _process(worker, missing)["outcome"]["kind"] == "VideoNotFoundError"
    with Owner(dataset, "other", beating=False) as other:
        claims = Claims(FrameStore(dataset, "tracks"), other)
        assert claims.take(second.id) is None
        held = _process(worker, second)
        assert (held["outcome"], held["busy"]) == (None, {"owner_id": other.id, "run_key": "other"})
        claims.release(second.id)
    assert _process(worker, second)["outcome"]["status"] == "done"
    seconds = worker.finish(grace_s=20)
    assert set(seconds) == {"read", "track", "write", "decoded", "waited"}
    assert pt.read_tracks(first, "tracks").visible[0].all()
    assert not leftovers(dataset)


def test_a_worker_sees_the_labels_that_a_view_shows(make_dataset: Callable[..., fo.Dataset], clips: list[Path]) -> None:
    dataset = make_dataset(clips[0])
    sample = dataset.first()
    labels = [fo.Keypoint(label=label, points=[(0.5, 0.5)]) for label in ("nose", "tail")]
    sample.frames[1]["joints"] = fo.Keypoints(keypoints=labels)
    sample.save()
    view = dataset.limit(1).filter_labels("frames.joints", fo.ViewField("label") == "tail")
    worker = _worker(view, points="frames.joints")
    assert _process(worker, sample)["outcome"]["num_points"] == 1
    worker.finish(grace_s=20)
    dataset.reload()
    assert dataset.distinct("frames.tracks.keypoints.label") == ["tail"]


def test_a_node_says_what_it_sees(untouched: fo.Dataset, tmp_path: Path) -> None:
    env = database_environment()
    where = (env["FIFTYONE_DATABASE_URI"], env["FIFTYONE_DATABASE_NAME"])
    here, absent = untouched.first().filepath, str(tmp_path / "absent.mp4")
    facts = inspect_node([here, absent, str(tmp_path)], str(untouched._doc.id), *where)
    assert facts["version"] == __version__
    assert facts["unreadable"] == [absent, str(tmp_path)]
    assert facts["database"] is None
    assert facts["host"]
    facts = inspect_node([], "0" * 24, *where)
    assert facts["database"] == "another database answers there"


def test_nodes_use_the_database_that_is_used_here(monkeypatch: pytest.MonkeyPatch) -> None:
    env = database_environment()
    assert env["FIFTYONE_DATABASE_NAME"] == fo.config.database_name
    monkeypatch.setattr(fo.config, "database_uri", None)
    assert database_environment()["FIFTYONE_DATABASE_URI"].startswith("mongodb://"), "the server that FiftyOne started"
