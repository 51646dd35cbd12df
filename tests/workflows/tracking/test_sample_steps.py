"""One sample through the steps: copies whose tracks go back to their sources, and trackers that break."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import DriftTracker, random_tracks

import point_tracking as pt
from point_tracking.store.database.claims import Busy
from point_tracking.store.runs.outcomes import Outcome
from point_tracking.tracker.errors import Cancelled, CollectionError, DatabaseError, FieldExistsError, NoPromptError
from point_tracking.workflows.tracking import sample_steps as steps_module
from point_tracking.workflows.tracking.options import TrackOptions
from point_tracking.workflows.tracking.sample_steps import Job, ReadSample, SampleSteps, Stopped, TrackedSample
from point_tracking.workflows.tracking.targets import Target

SIZE = media.SIZE

MakeDataset = Callable[..., fo.Dataset]


def _expected_on_source(numbers: list[int], num_frames: int, grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Source positions (T, N, 2) of points that drift one copy pixel per copy frame; NaN where there is no copy."""
    scale = np.array(SIZE) / size
    expected = np.full((num_frames, len(grid), 2), np.nan)
    for row, number in enumerate(numbers):
        expected[number - 1] = (grid + [row, 0] + 0.5) * scale - 0.5
    return expected


@pytest.mark.parametrize("target", ["dataset", "media_field"])
def test_tracks_of_copies_are_written_onto_the_sources_frames(
    dataset: fo.Dataset, out: Path, drift: DriftTracker, target: str
) -> None:
    report = pt.preprocess_dataset(dataset, out, fps=7, longest_side=80, target=target, media_field="small")
    if target == "dataset":
        samples, where = report.dataset, {"write_to": "source"}
        numbers = samples.values("source_video.frame_numbers")
    else:
        samples, where = dataset, {"write_to": "source", "media_field": "small"}
        numbers = samples.values("small_source.frame_numbers")
    tracked = pt.track_dataset(samples, "back", tracker=drift, grid_size=3, **where)
    assert tracked.failures == []
    dataset.reload()
    assert tracked.num_samples == 2
    assert pt.load_report(dataset, tracked.run_key) == tracked
    grid = pt.grid_queries(3, height=60, width=80).xy
    for sample, kept, num_frames in zip(dataset, numbers, (45, 20), strict=True):
        expected = _expected_on_source(kept, num_frames, grid, (80, 60))
        tracks = pt.read_tracks(sample, "back")
        assert tracks.num_frames == num_frames
        assert not tracks.visible[np.setdiff1d(np.arange(num_frames), np.array(kept) - 1)].any()
        shown = tracks.visible
        assert shown.sum() > 9
        np.testing.assert_allclose(tracks.xy[shown], expected[shown], atol=1e-3)
    with pytest.raises(FieldExistsError):
        pt.track_dataset(samples, "back", tracker=drift, grid_size=3, **where)
    again = pt.track_dataset(samples, "back", tracker=drift, grid_size=3, skip_existing=True, **where)
    assert again.num_skipped == 2


@pytest.mark.parametrize("layout", ["points", "frame"])
def test_frames_in_between_are_filled_and_marked(
    dataset: fo.Dataset, out: Path, drift: DriftTracker, layout: str
) -> None:
    copies = pt.preprocess_dataset(dataset.limit(1), out, every_nth=4).dataset
    pt.track_dataset(
        copies, "back", tracker=drift, points=[(0, 20, 30)], write_to="source", interpolate=True, layout=layout
    )
    dataset.reload()
    assert "frames.back.keypoints.interpolated" in dataset.get_field_schema(flat=True) or dataset.has_frame_field(
        "back.keypoints.interpolated"
    )
    tracks = pt.read_tracks(dataset.first(), "back")
    assert tracks.visible[:, 0].all()
    np.testing.assert_allclose(tracks.xy[:, 0, 0], 20 + np.arange(45) / 4, atol=1e-3)
    assert tracks.confidence[0] == 1, "what was asked for is sure"
    np.testing.assert_allclose(tracks.confidence[1:], 0.5)
    marks = dataset.limit(1).values("frames.back.keypoints.interpolated")[0]
    assert [bool(mark[0]) for mark in marks] == [n % 4 != 0 for n in range(45)]
    found = dataset.filter_labels("frames.back", fo.ViewField("interpolated") == True)  # noqa: E712
    assert found.count("frames.back.keypoints") == 33


def test_a_copy_that_was_replaced_since_is_a_failure(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    copies = pt.preprocess_dataset(dataset, out, every_nth=3).dataset
    pt.preprocess_dataset(dataset.limit(1), out, every_nth=5, overwrite=True, target="media_field", media_field="small")
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=2, write_to="source")
    assert [f.kind for f in report.failures] == ["VideoError"]
    assert "was replaced since" in report.failures[0].message
    assert report.num_samples == 1


def test_a_source_that_was_replaced_since_is_a_failure(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    copies = pt.preprocess_dataset(dataset, out, every_nth=3).dataset
    first, second = (Path(path) for path in dataset.values("filepath"))
    media.video(first, 60, size=(80, 60))
    os.utime(second, ns=(1, 1))
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=2, write_to="source")
    assert [f.kind for f in report.failures] == ["VideoError"]
    assert "was replaced since it was preprocessed" in report.failures[0].message
    assert len([text for _, text in report.warnings if "touched since" in text]) == 1
    dataset.reload()
    assert dataset.values("back_info.state") == [None, "done"]
    again = pt.preprocess_dataset(dataset, out, every_nth=3, overwrite=True)
    assert pt.track_dataset(again.dataset, "back", tracker=drift, grid_size=2, write_to="source", overwrite=True)
    first.unlink()  # copies may be tracked where the sources are not
    where = {"write_to": "source", "overwrite": True}
    report = pt.track_dataset(again.dataset, "back", tracker=drift, grid_size=2, **where)
    assert report.failures == []
    assert not [text for _, text in report.warnings if "featureless" not in text]
    assert dataset.values("back_info.num_frames") == [60, 20]


def test_a_source_sample_that_is_gone_is_a_failure(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    copies = pt.preprocess_dataset(dataset, out).dataset
    dataset.delete_samples([dataset.first().id])
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=2, write_to="source")
    assert [f.kind for f in report.failures] == ["WriteError"]
    assert "no longer in the dataset" in report.failures[0].message
    name = dataset.name
    dataset.delete()
    with pytest.raises(CollectionError, match=f"{name}.*deleted or renamed"):
        pt.track_dataset(copies, "other", tracker=drift, write_to="source")


def test_samples_without_a_copy_are_failures(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    pt.preprocess_dataset(dataset.limit(1), out, target="media_field", media_field="small")
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2, write_to="source", media_field="small")
    assert [f.filepath for f in report.failures] == [dataset.last().filepath]
    assert "Preprocess it first" in report.failures[0].message


def test_a_tracker_that_breaks_fails_its_sample_only(make_dataset: MakeDataset, tmp_path: Path) -> None:
    paths = [media.video(tmp_path / f"{n}.mp4", num_frames=n) for n in (4, 9, 5)]

    def explode(frame: int) -> None:
        if frame == 7:
            raise RuntimeError("broken on frame 7")

    dataset = make_dataset(*paths)
    report = pt.track_dataset(dataset, tracker=DriftTracker(explode), grid_size=2)
    assert [o.status for o in report.outcomes] == ["done", "failed", "done"]
    assert (report.failures[0].kind, report.failures[0].message) == ("RuntimeError", "broken on frame 7")
    assert len(dataset[report.failures[0].sample_id].frames) == 0


def test_a_tracker_that_returns_other_sizes_fails(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch, drift: DriftTracker
) -> None:
    wrong = random_tracks(np.random.default_rng(0), 3, 4, SIZE)
    monkeypatch.setattr(drift, "_track", lambda *_: wrong)
    report = pt.track_dataset(make_dataset(clip), tracker=drift, grid_size=2)
    assert (report.failures[0].kind, "3 frames x 4 points" in report.failures[0].message) == ("ShapeError", True)


class _Ahead:
    """Frames that are being decoded ahead, as far as a job knows of them."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_what_a_step_held_is_freed_when_the_job_goes_on() -> None:
    ahead: Any = _Ahead()
    nothing: Any = None
    job = Job(Target("s", "/s.mp4"), ReadSample(nothing, nothing, nothing, ahead))
    assert job.expect(ReadSample).ahead is ahead
    with pytest.raises(TypeError, match="as ReadSample, not TrackedSample"):
        job.expect(TrackedSample)
    assert not ahead.closed
    job.move_to(TrackedSample(nothing, nothing, nothing))
    assert ahead.closed


class _Claims:
    """Claims that note what is released, and may lose their database."""

    def __init__(self, error: Exception | None = None) -> None:
        self.released: list[str] = []
        self.store = SimpleNamespace(
            is_declared=lambda: False, mark=lambda _id: None, holders=lambda _ids, of_keypoints: set()
        )
        self._error = error

    def take(self, _sample_id: str) -> Busy | None:
        return None

    def release(self, sample_id: str) -> None:
        if self._error is not None:
            raise self._error
        self.released.append(sample_id)


def _steps(claims: _Claims, tracker: Any = None, **options: Any) -> SampleSteps:
    dataset = SimpleNamespace(name="d")
    dataset._dataset = dataset
    parts: Any = (dataset, dataset, tracker or DriftTracker(), TrackOptions(**options), "run", claims)
    return SampleSteps(*parts)


def test_a_finished_sample_is_skipped_without_being_opened() -> None:
    claims, job = _Claims(), Job(Target("s", "/absent.mp4", finished=True))
    assert not _steps(claims).read(job)
    assert isinstance(job.state, Outcome)
    assert job.state.status == "skipped"
    assert claims.released == [], "what was not claimed is not released"


def test_a_sample_without_a_prompt_is_no_failure(monkeypatch: pytest.MonkeyPatch, clip: Path) -> None:
    def nothing(*_arguments: Any) -> None:
        raise NoPromptError("no mask here")

    monkeypatch.setattr(steps_module, "settled_prompt", nothing)
    claims, job = _Claims(), Job(Target("s", str(clip)))
    assert not _steps(claims).read(job)
    assert isinstance(job.state, Outcome)
    assert (job.state.status, job.state.message) == ("no prompt", "no mask here")
    assert claims.released == ["s"]


@pytest.mark.parametrize(
    ("error", "ends_the_run"),
    [(ValueError("bad clip"), False), (MemoryError(), False), (Cancelled("x"), True), (DatabaseError("x"), True)],
)
def test_one_bad_clip_fails_alone_and_what_must_end_the_run_does(
    monkeypatch: pytest.MonkeyPatch, clip: Path, error: Exception, ends_the_run: bool
) -> None:
    def fail(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(steps_module, "settled_prompt", fail)
    claims, job = _Claims(), Job(Target("s", str(clip)))
    assert not _steps(claims).read(job)
    assert claims.released == ["s"]
    if ends_the_run:
        assert isinstance(job.state, Stopped)
        assert job.state.error is error
    else:
        assert isinstance(job.state, Outcome)
        assert (job.state.status, job.state.kind) == ("failed", type(error).__name__)
        assert job.state.message == (str(error) or "MemoryError")


def test_a_release_that_fails_ends_the_run() -> None:
    error = DatabaseError("away")
    job = Job(Target("s", "/s.mp4"), claimed=True)
    _steps(_Claims(error)).died(job, None)
    assert isinstance(job.state, Stopped)
    assert job.state.error is error
    job = Job(Target("s", "/s.mp4"), claimed=True)
    _steps(_Claims()).died(job, None)
    assert isinstance(job.state, Outcome)
    assert "thread that worked on this sample died" in (job.state.message or "")


def test_after_the_end_nothing_is_begun_and_nothing_written() -> None:
    steps = _steps(_Claims())
    steps.stop()
    steps.abandon()
    for step in (steps.read, steps.track, steps.write):
        job = Job(Target("s", "/s.mp4"))
        assert not step(job)
        assert isinstance(job.state, Stopped)
        assert isinstance(job.state.error, Cancelled)


def test_a_sample_that_was_finished_meanwhile_is_not_tracked_again(clip: Path) -> None:
    claims = _Claims()
    mark = {"state": "done", "run_key": "another", "num_points": 4, "num_frames": 12, "num_keypoints": 40}
    claims.store.mark = lambda _id: mark
    job = Job(Target("s", str(clip)))
    assert not _steps(claims).read(job)
    assert isinstance(job.state, Outcome)
    assert (job.state.status, job.state.warnings) == ("skipped", ("another run tracked this sample meanwhile",))
    mark["run_key"] = "run"  # a worker of this run, which died before it could tell
    job = Job(Target("s", str(clip)))
    assert not _steps(claims).read(job)
    assert isinstance(job.state, Outcome)
    assert (job.state.status, job.state.num_points, job.state.num_keypoints) == ("done", 4, 40)
