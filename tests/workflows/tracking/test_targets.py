"""Which samples a run looks at, and what it refuses before it starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.runs.outcomes import Outcome
from point_tracking.store.tracks.source_links import SourceLink
from point_tracking.tracker.errors import (
    CollectionError,
    FieldError,
    FieldExistsError,
    OptionError,
)
from point_tracking.workflows.adaptation.report import AdaptationReport
from point_tracking.workflows.tracking import targets as targets_module
from point_tracking.workflows.tracking.report import TrackReport
from point_tracking.workflows.tracking.targets import Target, failed_samples

MakeDataset = Callable[..., fo.Dataset]


def test_what_cannot_go_back_is_refused(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"write_to": "somewhere"}, OptionError, "Supported values are media, source"),
        ({"write_to": "source"}, CollectionError, "not made by preprocessing"),
        ({"interpolate": True}, OptionError, "write_to='source'"),
        ({"media_field": "small"}, OptionError, "write_to='source'"),
        ({"media_field": "small", "write_to": "source"}, FieldError, "no media field"),
        ({"media_field": "small", "write_to": "source", "points": "seeds"}, OptionError, "source's frames"),
    ]
    for options, error, text in cases:
        with pytest.raises(error, match=text):
            pt.track_dataset(dataset, tracker=drift, **options)
    pt.preprocess_dataset(dataset, out, target="media_field", media_field="small")
    dataset.add_frame_field("mask", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation)
    with pytest.raises(FieldError, match="mask field on samples"):
        pt.track_dataset(dataset, tracker=drift, mask_field="mask", media_field="small", write_to="source")
    twice = pt.preprocess_dataset(dataset, out).dataset
    copy = twice.first()
    twice.add_sample(fo.Sample(filepath=copy.filepath, source_video=copy.source_video.copy()))
    with pytest.raises(CollectionError, match="same source"):
        pt.track_dataset(twice, tracker=drift, write_to="source")


def test_what_is_no_video_collection_is_refused(
    make_dataset: MakeDataset, clip: Path, tmp_path: Path, drift: DriftTracker
) -> None:
    with pytest.raises(CollectionError, match="image"):
        pt.track_dataset(make_dataset(media.picture_file(tmp_path / "picture.png")), tracker=drift)
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample["events"] = fo.TemporalDetections(detections=[fo.TemporalDetection(label="run", support=[2, 5])])
    sample.save()
    with pytest.raises(CollectionError, match="clips view"):
        pt.track_dataset(dataset.to_clips("events"), tracker=drift)
    sample.frames[1]["note"] = "x"
    sample.save()
    with pytest.raises(CollectionError, match="image"):
        pt.track_dataset(dataset.to_frames(sample_frames=False), tracker=drift)
    with pytest.raises(CollectionError, match="found list"):
        pt.track_dataset([sample], tracker=drift)


def test_an_empty_view_gives_an_empty_report(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    for samples in (dataset.limit(0), make_dataset()):
        report = pt.track_dataset(samples, tracker=drift)
        assert (report.num_samples, report.failures, report.run_key) == (0, [], None)
    assert dataset.list_runs() == []


def test_existing_tracks_are_refused_skipped_or_replaced(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(2)])
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(visible=False), grid_size=2)
    with pytest.raises(FieldExistsError, match="skip_existing"):
        pt.track_dataset(dataset, tracker=drift, grid_size=3)
    assert drift.clips == 0
    # the first sample is finished although no point of it is visible
    report = pt.track_dataset(dataset, tracker=drift, grid_size=3, skip_existing=True)
    assert [o.status for o in report.outcomes] == ["skipped", "done"]
    assert dataset.values("tracks_info.num_points") == [4, 9]
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2, overwrite=True)
    assert [o.status for o in report.outcomes] == ["done", "done"]
    assert dataset.values("tracks_info.num_points") == [4, 4]
    # 4 points x 4 frames each, less the right two points, which have left the last frame
    assert dataset.count("frames.tracks.keypoints") == 2 * (4 * 4 - 2)
    assert dataset.list_runs() == ["track_tracks", "track_tracks_2", "track_tracks_3"]


def test_a_half_written_sample_is_redone(make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(2)])
    pt.track_dataset(dataset, tracker=drift, grid_size=2)
    # as a killed process leaves it
    dataset.set_values("tracks_info.state", ["writing", "writing"])
    sample = dataset.last()
    sample.frames[3]["tracks"] = None
    sample.save()
    with pytest.raises(FieldExistsError):
        pt.track_dataset(dataset, tracker=drift, grid_size=2)
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2, skip_existing=True)
    assert [o.status for o in report.outcomes] == ["done", "done"]
    assert dataset.count("frames.tracks.keypoints") == 2 * (4 * 4 - 2)


def test_labels_of_the_user_are_not_taken_for_half_written_tracks(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.frames[1]["truth"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.5)], index=1)])
    sample.save()
    for options in ({}, {"skip_existing": True}, {"overwrite": True}):
        with pytest.raises(FieldExistsError):
            pt.track_dataset(dataset, "truth", tracker=drift, **options)
    assert dataset.count("frames.truth.keypoints") == 1
    pt.track_dataset(dataset, "truth", tracker=drift, grid_size=2, replace_labels=1)
    assert dataset.values("truth_info.num_points") == [4]


def test_a_view_of_what_is_not_tracked_yet_is_run_whole(make_dataset: MakeDataset, clips: list[Path]) -> None:
    dataset = make_dataset(*clips[:4])
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(), grid_size=2)
    view = dataset.match(fo.ViewField("tracks_info.state") != "done")
    report = pt.track_dataset(view, tracker=DriftTracker(), grid_size=2)
    assert [o.status for o in report.outcomes] == ["done"] * 3
    assert dataset.values("tracks_info.state") == ["done"] * 4
    assert len(view) == 0


def test_only_what_failed_is_run_again(make_dataset: MakeDataset, clips: list[Path], tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    dataset = make_dataset(clips[0], late, clips[1], tmp_path / "never.mp4")
    first = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2)
    assert [row["status"] for row in first.rows()] == ["done", "failed", "done", "failed"]
    assert [row["kind"] for row in first.rows("failed")] == ["VideoNotFoundError"] * 2
    assert first.table("failed").count("\n") == 3
    assert "late.mp4" in first.table("failed")
    media.video(late, 5)
    again = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, only_failed_of=first.run_key)
    assert [(Path(o.filepath).name, o.status) for o in again.outcomes] == [
        ("late.mp4", "done"),
        ("never.mp4", "failed"),
    ]
    with pytest.raises(pt.PointTrackingError, match="no point tracking run"):
        pt.track_dataset(dataset, tracker=DriftTracker(), only_failed_of="nothing")


@pytest.mark.parametrize("name", ["frames.tracks", "tracks_info"])
def test_a_read_only_field_is_refused_before_anything_is_tracked(
    make_dataset: MakeDataset, clips: list[Path], name: str
) -> None:
    dataset = make_dataset(*clips[:2])
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(), grid_size=2)
    field = dataset.get_field(name)
    field.read_only = True
    field.save()
    tracker = DriftTracker()
    with pytest.raises(FieldError, match="read-only"):
        pt.track_dataset(dataset, tracker=tracker, grid_size=2, skip_existing=True)
    assert tracker.clips == 0


def test_tracks_go_to_the_sample_itself_or_to_its_source() -> None:
    own = Target("copy", "/copy.mp4")
    assert own.destination_id == "copy"
    assert own.outcome("done", num_points=3) == Outcome("copy", "/copy.mp4", "done", num_points=3)
    link = SourceLink("d", "source", 9, (64, 48), np.array([1, 4]), "/source.mp4", 1, 1)
    target = Target("copy", "/copy.mp4", source_link=link)
    assert target.destination_id == "source"
    outcome = target.outcome("failed", kind="VideoError", message="no")
    assert (outcome.sample_id, outcome.destination_id, outcome.message) == ("copy", "source", "no")


@pytest.mark.parametrize("same", [True, False])
def test_what_failed_is_found_by_copies_and_sources_alike(
    make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    """A run may have tracked copies, whose outcomes know their sources, or the sources themselves."""
    sources, copies = make_dataset("/a.mp4", "/b.mp4", "/c.mp4"), make_dataset("/1.mp4", "/2.mp4", "/3.mp4")
    a, b, c = sources.values("id")
    one, two, three = copies.values("id")
    copies.add_sample_field("origin", fo.StringField)
    copies.set_values("origin", [a, b, c])
    outcomes = [
        Outcome(one, "/1.mp4", "failed", destination_id=a),  # as a run on copies says
        Outcome(b, "/b.mp4", "failed"),  # as one on sources
        Outcome(three, "/3.mp4", "done", destination_id=c),
    ]
    report = TrackReport(label_field="tracks", tracker="t", outcomes=outcomes)
    monkeypatch.setattr(targets_module, "load_report", lambda _dataset, _key: report)
    monkeypatch.setattr(targets_module, "source_id_field", lambda _samples: "origin")
    if same:
        assert failed_samples(sources, sources, "run") == {a, b}
        assert failed_samples(sources.limit(1), sources, "run") == {a}
    else:
        assert failed_samples(copies, sources, "run") == {one, two}


def test_runs_that_are_not_about_samples_have_none_that_failed(
    make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset("/a.mp4")
    report = AdaptationReport(name="n", tracker="t")
    monkeypatch.setattr(targets_module, "load_report", lambda _dataset, _key: report)
    with pytest.raises(OptionError, match="no outcomes of samples"):
        failed_samples(dataset, dataset, "run")
