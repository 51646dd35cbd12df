"""A Ray cluster of several nodes on this machine: the same result, also when a node dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest

import point_tracking as pt
from point_tracking.store.database.connection import CLAIMS, OUTCOMES, OWNERS, STAGED, collection
from point_tracking.store.database.keys import Key
from point_tracking.tracker.errors import DependencyError, OptionError, VideoError
from point_tracking.workflows.lifecycle.shutdown import kept_termination
from point_tracking.workflows.tracking.ray_cluster import runner as ray_runner

ray: Any = pytest.importorskip("ray", reason="the extra [ray] is not installed")
NUM_CLIPS = 10
LIGHT = "optical-flow"  # starts without torch; the default tracker starts where paths are refused


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without room for work, and two nodes with room for one worker each."""
    from ray.cluster_utils import Cluster

    # a head that is gone would end this process when a later test sends it SIGTERM
    with pytest.MonkeyPatch.context() as patch, kept_termination():
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        cluster.add_node(num_cpus=1)
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def make_dataset() -> Iterator[Callable[..., fo.Dataset]]:
    made: list[fo.Dataset] = []

    def make(*paths: Path) -> fo.Dataset:
        dataset = fo.Dataset(persistent=True)
        dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
        made.append(dataset)
        return dataset

    yield make
    for dataset in made:
        dataset.delete()


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "clips"
    folder.mkdir()
    return [media.video(folder / f"{k}.mp4", 20 + k) for k in range(NUM_CLIPS)]


def _content(dataset: fo.Dataset) -> list[Any]:
    names = ["frames.tracks.keypoints.points", "tracks_info.state", "tracks_info.num_keypoints", "metadata.frame_width"]
    return dataset.values(names)


def _left(dataset: fo.Dataset) -> int:
    key = {"_id": Key(dataset._doc.id).below}
    found = sum(collection(name).plain.count_documents(key) for name in (CLAIMS, STAGED, OUTCOMES))
    return found + collection(OWNERS).plain.count_documents({"dataset_id": dataset._doc.id})


@pytest.mark.slow
def test_a_cluster_gives_what_one_machine_gives_also_when_a_node_dies(
    cluster: Any, make_dataset: Callable[..., fo.Dataset], clips: list[Path], tmp_path: Path
) -> None:
    expected = make_dataset(*clips)
    pt.track_dataset(expected, grid_size=6, tracker=LIGHT, progress=False)
    dataset = make_dataset(*clips, tmp_path / "missing.mp4")
    report = pt.track_dataset(dataset, grid_size=6, tracker=LIGHT, engine="ray", progress=False)
    assert [o.status for o in report.outcomes] == ["done"] * NUM_CLIPS + ["failed"]
    assert report.failures[0].kind == "VideoNotFoundError"
    dataset.reload()
    assert _content(dataset[:NUM_CLIPS]) == _content(expected)
    assert pt.load_report(dataset, report.run_key) == report
    assert report.stages["track"]["seconds"] > 0
    assert _left(dataset) == 0

    dataset = make_dataset(*clips)
    third = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    removed = threading.Event()

    def kill_a_node(progress: Any) -> None:
        if progress.iteration >= 2 and not removed.is_set():
            removed.set()
            cluster.remove_node(third, allow_graceful=False)

    report = pt.track_dataset(dataset, grid_size=6, tracker=LIGHT, engine="ray", num_workers=3, progress=kill_a_node)
    assert removed.is_set()
    assert [(o.status, o.message) for o in report.outcomes] == [("done", None)] * NUM_CLIPS
    dataset.reload()
    assert _content(dataset) == _content(expected)
    assert _left(dataset) == 0


@pytest.mark.slow
def test_what_the_nodes_cannot_read_is_refused_before_the_run(
    cluster: Any, make_dataset: Callable[..., fo.Dataset], clips: list[Path], tmp_path: Path
) -> None:
    dataset = make_dataset(*clips[:2])
    here = str(clips[0].parent)
    with pytest.raises(VideoError, match="path_map"):
        pt.track_dataset(dataset, grid_size=2, engine="ray", path_map={here: "/not/there"})
    assert dataset.list_runs() == []
    elsewhere = tmp_path / "elsewhere"
    clips[0].parent.rename(elsewhere)
    report = pt.track_dataset(dataset, grid_size=2, engine="ray", num_workers=1, path_map={here: str(elsewhere)})
    assert [o.status for o in report.outcomes] == ["done", "done"]
    assert report.outcomes[0].filepath == str(clips[0])
    with pytest.raises(OptionError, match="no room"):
        pt.track_dataset(dataset, "other", engine="ray", gpus_per_worker=1)
    with pytest.raises(OptionError, match="cannot start"):
        pt.track_dataset(
            dataset,
            "other",
            engine="ray",
            path_map={here: str(elsewhere)},
            tracker="cotracker3-offline",
            tracker_options={"checkpoint": str(clips[0])},
        )


@pytest.mark.slow
def test_a_cancelled_cluster_run_is_over_soon_and_whole(
    cluster: Any, make_dataset: Callable[..., fo.Dataset], clips: list[Path]
) -> None:
    dataset = make_dataset(*clips)
    seen: list[int] = []
    started: list[float] = []

    def cancelled() -> bool:
        if seen and seen[-1] >= 1 and not started:
            started.append(time.monotonic())
        return bool(started)

    report = pt.track_dataset(
        dataset,
        grid_size=6,
        tracker=LIGHT,
        engine="ray",
        progress=lambda p: seen.append(p.iteration),
        cancelled=cancelled,
    )
    assert time.monotonic() - started[0] < 15
    assert report.cancelled
    dataset.reload()
    states = dataset.values("tracks_info.state")
    assert [o.status == "done" for o in report.outcomes] == [state == "done" for state in states]
    assert _left(dataset) == 0


@pytest.mark.slow
def test_a_cluster_without_any_worker_left_ends_the_run_in_words(
    cluster: Any, make_dataset: Callable[..., fo.Dataset], clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(*clips)
    node = cluster.add_node(num_cpus=1, num_gpus=1)  # Ray believes in GPUs it is told of
    cluster.wait_for_nodes()
    removed = threading.Event()

    def kill_the_node(progress: Any) -> None:
        if progress.iteration >= 1 and not removed.is_set():
            removed.set()
            cluster.remove_node(node, allow_graceful=False)
            # workers have started; none can from now on
            monkeypatch.setattr(ray_runner, "_START_TIMEOUT_S", 3.0)

    # which of the two depends on how soon the cluster notices
    with pytest.raises((OptionError, DependencyError), match=r"(No worker|keep dying).*skip_existing=True"):
        pt.track_dataset(dataset, grid_size=6, tracker=LIGHT, engine="ray", gpus_per_worker=1, progress=kill_the_node)
    report: Any = pt.load_report(dataset, "track_tracks")
    dataset.reload()
    states = dataset.values("tracks_info.state")
    assert report.cancelled
    assert [o.status == "done" for o in report.outcomes] == [state == "done" for state in states]
    assert 1 <= report.num_samples < NUM_CLIPS
    assert _left(dataset) == 0
