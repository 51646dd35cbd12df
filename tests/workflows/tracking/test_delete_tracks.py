"""Taking back what a run wrote: its samples alone, and nothing that a person drew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database.connection import CLAIMS, collection
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.keys import Key
from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.lifecycle.recovery import recover
from point_tracking.workflows.tracking.delete_tracks import delete_tracks, samples_of_run

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, tmp_path: Path) -> fo.Dataset:
    """Two runs in one field, one sample each, and labels that a person drew."""
    dataset = make_dataset(*(media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(2)))
    for sample in dataset:
        sample.frames[2]["drawn"] = fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 1, 1])])
        sample.save()
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(), grid_size=2, progress=False)
    pt.track_dataset(dataset.skip(1), tracker=DriftTracker(), grid_size=2, progress=False)
    dataset.reload()
    return dataset


def test_only_the_samples_of_the_run_lose_their_tracks(dataset: fo.Dataset) -> None:
    first, second = dataset.values("id")
    assert samples_of_run(dataset, "track_tracks") == [first]
    assert delete_tracks(dataset, "track_tracks") == 1
    dataset.reload()
    assert dataset[first].frames[1]["tracks"] is None
    assert dataset.values("tracks_info.run_key") == [None, "track_tracks_2"]
    assert pt.read_tracks(dataset[second], "tracks").visible.any()
    assert dataset.count("frames.drawn.detections") == 2
    assert dataset.list_runs() == ["track_tracks_2"]
    assert collection(CLAIMS).find({"_id": Key(dataset._doc.id).below}) == []


def test_with_the_last_run_its_fields_go_too(dataset: fo.Dataset) -> None:
    for key in ("track_tracks", "track_tracks_2"):
        delete_tracks(dataset, key)
    dataset.reload()
    assert not dataset.has_frame_field("tracks")
    assert not dataset.has_sample_field("tracks_info")
    assert dataset.count("frames.drawn.detections") == 2
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=1, progress=False)
    assert report.num_samples == 2


def test_a_death_in_the_middle_leaves_whole_or_empty_samples(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    first = dataset.first().id
    with monkeypatch.context() as patch:
        patch.setattr(FrameStore, "clear", die)
        # a process that is killed releases nothing
        patch.setattr("point_tracking.workflows.tracking.delete_tracks.Claims.release", lambda *_: None)
        with pytest.raises(Killed):
            delete_tracks(dataset, "track_tracks")
    claim = collection(CLAIMS).plain.find_one({"sample_id": first})
    assert claim is not None
    assert claim["phase"] == "writing"
    recover(dataset)
    dataset.reload()
    held = dataset[first].frames[1]["tracks"]
    mark = dataset[first]["tracks_info"]
    assert (held is None) == (mark is None), "its tracks and its mark are there together, or gone together"


@pytest.mark.parametrize("key", ["absent", "eval_tracks"])
def test_runs_that_tracked_nothing_are_refused(dataset: fo.Dataset, key: str) -> None:
    pt.evaluate_dataset(dataset, "tracks", cycle=True, tracker=DriftTracker(), progress=False)
    with pytest.raises(OptionError, match="no run"):
        delete_tracks(dataset, key)


def test_a_run_that_is_at_work_keeps_its_tracks(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=4))
    refused: list[str] = []

    def delete_meanwhile(_index: int) -> None:
        if not refused:
            with pytest.raises(OptionError, match="still at work") as error:
                delete_tracks(dataset, "track_tracks")
            refused.append(str(error.value))

    report = pt.track_dataset(dataset, tracker=DriftTracker(delete_meanwhile), grid_size=2, progress=False)
    assert (len(refused), report.num_samples, report.failures) == (1, 1, [])
    assert delete_tracks(dataset, "track_tracks") == 1
