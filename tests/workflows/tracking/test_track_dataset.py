"""Whole runs over real files and the real database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from run_states import leftovers
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import (
    OptionError,
)
from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.tracking.report import TrackReport

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE


def _states(dataset: fo.Dataset, label_field: str = "tracks") -> list[str | None]:
    return dataset.values(f"{label_field}_info.state")


def test_a_run_stores_tracks_metadata_a_mark_and_a_record(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    paths = [media.video(tmp_path / f"{n}.mp4", num_frames=n) for n in (6, 9)]
    dataset = make_dataset(*paths)
    report = pt.track_dataset(dataset, "tracks", tracker=drift, grid_size=4)
    assert report.failures == []
    assert (report.num_samples, report.num_points, report.num_frames) == (2, 32, 15)
    assert str(report).startswith("Tracked 32 points in 2 samples")
    queries = pt.grid_queries(4, height=SIZE[1], width=SIZE[0])
    for sample, num_frames in zip(dataset, (6, 9), strict=True):
        tracks = pt.read_tracks(sample, "tracks")
        expected = queries.xy[None] + np.arange(num_frames)[:, None, None] * [1, 0]
        inside = expected[..., 0] <= SIZE[0] - 1
        np.testing.assert_array_equal(tracks.visible, inside)
        np.testing.assert_allclose(tracks.xy[inside], expected[inside], atol=1e-4)
        assert (sample.metadata.frame_width, sample.metadata.frame_height) == SIZE
        assert sample.metadata.total_frame_count == num_frames
        assert sample["tracks_info"].tracker == "drift"
    assert report.num_keypoints == sum(dataset.values("tracks_info.num_keypoints"))
    assert dataset.list_runs() == [report.run_key]
    config = dataset.get_run_info(report.run_key).config
    assert (config.tracker, config.grid_size, config.num_targets) == ("drift", 4, 2)
    assert config.versions["fiftyone"]
    assert load_report(dataset, report.run_key) == report
    dataset.delete_run(report.run_key)
    assert dataset.list_runs() == []
    with pytest.raises(OptionError, match="no point tracking run"):
        load_report(dataset, report.run_key)


def test_bad_files_are_failures_and_the_run_goes_on(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    good = media.video(tmp_path / "good.mp4", num_frames=5)
    cut = media.truncated(tmp_path / "cut.mp4", media.faststart_video(tmp_path / "whole.mp4"), 0.6)
    bad = {
        tmp_path / "missing.mp4": "VideoNotFoundError",
        media.zero_bytes(tmp_path / "zero.mp4"): "VideoError",
        media.audio_only(tmp_path / "audio.mp4"): "VideoError",
        media.text_file(tmp_path / "text.mp4"): "VideoError",
        media.random_bytes(tmp_path / "noise.mp4"): "VideoError",
    }
    dataset = make_dataset(good, *bad, cut)
    report = pt.track_dataset(dataset, tracker=drift, grid_size=3)
    assert {Path(f.filepath): f.kind for f in report.failures} == bad
    assert all(f.message for f in report.failures)
    assert [o.status for o in report.outcomes] == ["done", *["failed"] * 5, "done"]
    assert _states(dataset) == ["done", *[None] * 5, "done"]
    cut_outcome = report.outcomes[-1]
    assert 0 < cut_outcome.num_frames < 40
    assert cut_outcome.warnings
    assert len(dataset.last().frames) == cut_outcome.num_frames
    assert all(len(sample.frames) == 0 for sample in dataset[1:6])


@pytest.mark.parametrize(
    "make",
    [
        lambda p: media.video(p / "one.mp4", num_frames=1),
        lambda p: media.video(p / "two.mp4", num_frames=2),
        lambda p: media.odd_sized_video(p / "odd.mp4"),
        lambda p: media.rotated_video(p / "rotated.mp4", 270),
        lambda p: media.variable_rate_video(p / "variable.mp4", num_frames=9),
        lambda p: media.ten_bit_video(p / "ten_bit.mp4"),
        lambda p: media.grey_video(p / "grey.mp4"),
    ],
)
def test_unusual_video_works_with_the_default_tracker(
    make_dataset: MakeDataset, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    dataset = make_dataset(path)
    report = pt.track_dataset(dataset, grid_size=5)
    assert report.failures == []
    tracks = pt.read_tracks(dataset.first(), "tracks")
    assert tracks.xy.shape == (pt.probe(path, exact=True).exact_frames, 25, 2)
    assert tracks.visible[0].all()


def test_sampled_frames_keep_the_numbers_of_the_video(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=10))
    report = pt.track_dataset(dataset, tracker=drift, points=[(4, 20, 20)], sampling={"every_nth": 3}, backward=True)
    assert report.failures == []
    tracks = pt.read_tracks(dataset.first(), "tracks")
    # frame 4 holds the query, so it is used although it is no third frame
    assert np.flatnonzero(tracks.visible[:, 0]).tolist() == [0, 3, 4, 6, 9]
    np.testing.assert_allclose(tracks.xy[[0, 3, 4, 6, 9], 0, 0], [18, 19, 20, 21, 22], atol=1e-4)
    assert len(dataset.first().frames) == 10


def test_progress_rises_to_one_and_cancelling_undoes_the_current_sample(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=20) for k in range(3)])
    seen: list[float] = []
    tracker = DriftTracker()
    report = pt.track_dataset(
        dataset,
        tracker=tracker,
        grid_size=2,
        progress=lambda p: seen.append(p.progress),
        cancelled=lambda: tracker.clips == 2,
    )
    assert report.cancelled
    assert [o.status for o in report.outcomes] == ["done", "not run", "not run"]
    assert _states(dataset) == ["done", None, None]
    assert seen == sorted(seen)
    assert 1 / 3 <= seen[-1] < 2 / 3
    assert load_report(dataset, report.run_key).cancelled
    report = pt.track_dataset(
        dataset, tracker=tracker, grid_size=2, skip_existing=True, progress=lambda p: seen.append(p.progress)
    )
    assert [o.status for o in report.outcomes] == ["skipped", "done", "done"]
    assert seen[-1] == 1.0


def test_ctrl_c_keeps_what_is_finished_and_the_record(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(2)])
    tracker = DriftTracker()

    def interrupt(_: int) -> None:
        if tracker.clips == 2:
            raise KeyboardInterrupt

    tracker._on_frame = interrupt
    with pytest.raises(KeyboardInterrupt):
        pt.track_dataset(dataset, tracker=tracker, grid_size=2, run_key="night_run")
    assert _states(dataset) == ["done", None]
    report = load_report(dataset, "night_run")
    assert isinstance(report, TrackReport)
    assert report.cancelled
    assert [o.status for o in report.outcomes] == ["done", "not run"]


def test_run_keys_are_not_taken_over_silently(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, "a", tracker=drift, grid_size=2, run_key="mine")
    with pytest.raises(OptionError, match="run 'mine' already"):
        pt.track_dataset(dataset, "b", tracker=drift, grid_size=2, run_key="mine")
    pt.track_dataset(dataset, "a", tracker=drift, grid_size=2, run_key="mine", skip_existing=True)
    report = load_report(dataset, "mine")
    assert isinstance(report, TrackReport)
    assert [o.status for o in report.outcomes] == ["skipped"]


def test_metadata_of_the_user_stays(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.metadata = fo.VideoMetadata(frame_width=1, frame_height=2, total_frame_count=12, encoding_str="mine")
    sample.save()
    pt.track_dataset(dataset, tracker=drift, grid_size=2)
    assert dataset.first().metadata.encoding_str == "mine"


def test_samples_come_and_go_during_a_run(make_dataset: MakeDataset, clips: list[Path]) -> None:
    dataset = make_dataset(*clips[:5])
    ids = dataset.values("id")
    tracker = DriftTracker()

    def change(frame: int) -> None:
        if tracker.clips == 1 and frame == 0:
            dataset.delete_samples([ids[3], ids[4]])
            dataset.add_sample(fo.Sample(filepath=str(clips[5])))

    tracker._on_frame = change
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=2)
    assert [o.status for o in report.outcomes] == ["done", "done", "done", "failed", "failed"]
    assert all("no longer in the dataset" in f.message for f in report.failures)
    assert dataset.values("tracks_info.state") == ["done", "done", "done", None]
    assert {str(i) for i in dataset._frame_collection.distinct("_sample_id")} == set(ids[:3])
    assert not leftovers(dataset)


def test_a_field_deleted_during_a_run_ends_in_words(make_dataset: MakeDataset, clips: list[Path]) -> None:
    dataset = make_dataset(*clips[:5])
    tracker = DriftTracker()
    deleted = threading.Event()

    def delete(_: int) -> None:
        if tracker.clips == 4 and not deleted.is_set():
            deleted.set()
            dataset.delete_frame_field("tracks")

    tracker._on_frame = delete
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=2)
    assert any("'tracks' was deleted" in f.message for f in report.failures) or report.failures == []
    # whatever was told, what is there can be read
    dataset.reload()
    for sample in dataset.view():
        assert sample.frames is not None
    again = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, overwrite=True)
    assert again.failures == []


def test_thousands_of_missing_files_are_failures(make_dataset: MakeDataset, clips: list[Path], tmp_path: Path) -> None:
    dataset = make_dataset(*(tmp_path / f"missing-{k}.mp4" for k in range(2000)), clips[0])
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, progress=False)
    assert (len(report.failures), report.num_samples) == (2000, 1)
    assert {f.kind for f in report.failures} == {"VideoNotFoundError"}
    assert load_report(dataset, report.run_key) == report


def test_a_clock_that_goes_backwards_changes_nothing(
    make_dataset: MakeDataset, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(*clips[:4])
    now = [2_000_000_000.0]

    def earlier() -> float:
        now[0] -= 3600.0
        return now[0]

    monkeypatch.setattr(time, "time", earlier)
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, progress=False)
    assert [o.status for o in report.outcomes] == ["done"] * 4
    assert 0 < report.seconds < 60
    again = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, skip_existing=True, progress=False)
    assert again.num_skipped == 4
    assert not leftovers(dataset)
