"""What is stored decides: removed tracks are made again, labels that no run made are never touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from ffmpeg import needs_ffmpeg
from trackers import DriftTracker, random_tracks

import point_tracking as pt
from point_tracking.store.tracks.sample_status import read_contents
from point_tracking.tracker.errors import FieldExistsError, OptionError

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, tmp_path: Path) -> fo.Dataset:
    return make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=5 + k) for k in range(3)])


def _statuses(report: Any) -> list[str]:
    return [outcome.status for outcome in report.outcomes]


def _numbers(dataset: fo.Dataset, field: str = "tracks") -> list[int]:
    """Keypoints per sample."""
    dataset.reload()
    return [view.count(f"frames.{field}.keypoints") for view in (dataset.select(i) for i in dataset.values("id"))]


def _hand_labelled(dataset: fo.Dataset, *positions: int, field: str = "joints") -> list[str]:
    """Two keypoints by hand on two frames of some samples; returns their ids."""
    samples = list(dataset)
    for position in positions:
        for number in (1, 3):
            labels = [fo.Keypoint(label=label, points=[(0.5, 0.5)]) for label in ("nose", "tail")]
            samples[position].frames[number][field] = fo.Keypoints(keypoints=labels)
        samples[position].save()
    return sorted(dataset.values(f"frames.{field}.keypoints.id", unwind=True))


def _clear_a_sample(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample.frames.clear()
    sample.save()


REMOVALS: dict[str, tuple[Callable[[fo.Dataset], Any], list[str]]] = {
    "clear_frame_field": (lambda d: d.clear_frame_field("tracks"), ["done"] * 3),
    "delete_frame_field": (lambda d: d.delete_frame_field("tracks"), ["done"] * 3),
    "clear_frames": (lambda d: d.clear_frames(), ["done"] * 3),
    "rename_frame_field": (lambda d: d.rename_frame_field("tracks", "kept"), ["done"] * 3),
    "frames.clear": (_clear_a_sample, ["done", "skipped", "skipped"]),
    "a view's clear": (lambda d: d.limit(2).clear_frame_field("tracks"), ["done", "done", "skipped"]),
    "set_values": (lambda d: d.limit(1).set_values("frames.tracks", [[None] * 5]), ["done", "skipped", "skipped"]),
    "delete_labels": (lambda d: d.delete_labels(view=d.skip(2), fields="frames.tracks"), ["skipped"] * 2 + ["done"]),
}


@pytest.mark.parametrize("layout", ["points", "frame"])
@pytest.mark.parametrize("name", REMOVALS)
def test_removed_tracks_are_made_again(dataset: fo.Dataset, drift: DriftTracker, name: str, layout: str) -> None:
    pt.track_dataset(dataset, tracker=drift, grid_size=2, layout=layout)
    before = _numbers(dataset)
    remove, expected = REMOVALS[name]
    remove(dataset)
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2, layout=layout, skip_existing=True)
    assert (_statuses(report), report.failures) == (expected, [])
    assert _numbers(dataset) == before
    assert dataset.values("tracks_info.run_key") == [
        report.run_key if status == "done" else "track_tracks" for status in expected
    ]


def test_without_skip_existing_removed_tracks_are_no_data(dataset: fo.Dataset, drift: DriftTracker) -> None:
    pt.track_dataset(dataset, tracker=drift, grid_size=2)
    dataset.clear_frame_field("tracks")
    assert _statuses(pt.track_dataset(dataset, tracker=drift, grid_size=2)) == ["done"] * 3


def test_a_sample_with_some_tracks_left_is_finished(dataset: fo.Dataset, drift: DriftTracker) -> None:
    pt.track_dataset(dataset, tracker=drift, grid_size=2)
    bad = dataset.filter_labels("frames.tracks", fo.ViewField("index") > 1)
    dataset.delete_labels(view=bad, fields="frames.tracks")
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2, skip_existing=True)
    assert _statuses(report) == ["skipped"] * 3
    assert _numbers(dataset) == [5, 6, 7]


def test_tracks_that_were_never_seen_are_finished(dataset: fo.Dataset) -> None:
    unseen = DriftTracker(visible=False)
    pt.track_dataset(dataset, tracker=unseen, grid_size=2)
    assert _statuses(pt.track_dataset(dataset, tracker=unseen, grid_size=2, skip_existing=True)) == ["skipped"] * 3
    dataset.clear_frame_field("tracks")
    assert _statuses(pt.track_dataset(dataset, tracker=unseen, grid_size=2, skip_existing=True)) == ["done"] * 3


def test_removed_tracks_are_not_judged(dataset: fo.Dataset, drift: DriftTracker) -> None:
    for field in ("tracks", "truth"):
        pt.track_dataset(dataset, field, tracker=drift, grid_size=2)
    dataset.limit(1).clear_frame_field("tracks")
    report = pt.evaluate_dataset(dataset, "tracks", "truth")
    assert _statuses(report) == ["failed", "done", "done"]
    assert "were removed" in report.failures[0].message


class TestHandLabels:
    """Labels that no run made are never written beside, replaced or deleted."""

    @pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"skip_existing": True}])
    def test_they_are_refused_in_words_with_their_number(
        self, dataset: fo.Dataset, drift: DriftTracker, options: dict[str, Any]
    ) -> None:
        ids = _hand_labelled(dataset, 0, 1)
        with pytest.raises(FieldExistsError, match=r"frames.joints holds 8 labels in 2 of.*replace_labels=8"):
            pt.track_dataset(dataset, "joints", tracker=drift, grid_size=2, **options)
        with pytest.raises(FieldExistsError, match="replace_labels=7 is not their number"):
            pt.track_dataset(dataset, "joints", tracker=drift, grid_size=2, replace_labels=7, **options)
        with pytest.raises(FieldExistsError, match="Other samples of this dataset hold labels"):
            pt.track_dataset(dataset.skip(2), "joints", tracker=drift, grid_size=2, **options)
        assert sorted(dataset.values("frames.joints.keypoints.id", unwind=True)) == ids
        assert not dataset.has_sample_field("joints_info")
        assert drift.clips == 0

    def test_their_number_replaces_them(self, dataset: fo.Dataset, drift: DriftTracker) -> None:
        _hand_labelled(dataset, 0, 1)
        report = pt.track_dataset(dataset, "joints", tracker=drift, grid_size=2, replace_labels=8)
        assert _statuses(report) == ["done"] * 3
        assert dataset.distinct("frames.joints.keypoints.label") == ["point"]
        assert dataset.get_run_info(report.run_key).config.replace_labels == 8

    def test_in_a_field_of_tracks_too(self, dataset: fo.Dataset, drift: DriftTracker) -> None:
        pt.track_dataset(dataset.limit(1), tracker=drift, grid_size=2)
        _hand_labelled(dataset, 1, field="tracks")
        for options in ({"overwrite": True}, {"skip_existing": True}):
            with pytest.raises(FieldExistsError, match=r"holds 4 labels in 1 of the samples"):
                pt.track_dataset(dataset, tracker=drift, grid_size=2, **options)
        others = dataset.exclude(dataset.values("id")[1])
        assert _statuses(pt.track_dataset(others, tracker=drift, grid_size=2, skip_existing=True)) == [
            "skipped",
            "done",
        ]
        again = pt.track_dataset(dataset, tracker=drift, grid_size=2, skip_existing=True, replace_labels=4)
        assert _statuses(again) == ["skipped", "done", "skipped"]

    def test_tracks_whose_marks_were_deleted_are_not_ours_any_more(
        self, dataset: fo.Dataset, drift: DriftTracker
    ) -> None:
        pt.track_dataset(dataset, tracker=drift, grid_size=2)
        dataset.delete_sample_field("tracks_info")
        with pytest.raises(FieldExistsError, match="did not write"):
            pt.track_dataset(dataset, tracker=drift, grid_size=2, overwrite=True)

    def test_labels_added_while_the_run_goes_on_are_left_alone(self, dataset: fo.Dataset) -> None:
        tracker = DriftTracker()

        def add(frame: int) -> None:
            if tracker.clips == 1 and frame == 0:
                _hand_labelled(dataset, 0, field="tracks")

        dataset.add_frame_field("tracks", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
        tracker._on_frame = add
        report = pt.track_dataset(dataset, tracker=tracker, grid_size=2)
        assert _statuses(report) == ["failed", "done", "done"]
        assert "while the run was going on" in report.failures[0].message
        assert dataset.limit(1).distinct("frames.tracks.keypoints.label") == ["nose", "tail"]

    def test_an_empty_field_is_free(self, dataset: fo.Dataset, drift: DriftTracker) -> None:
        dataset.add_frame_field("joints", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
        sample = dataset.first()
        sample.frames[1]["joints"] = fo.Keypoints()
        sample.save()
        assert _statuses(pt.track_dataset(dataset, "joints", tracker=drift, grid_size=2)) == ["done"] * 3

    def test_write_tracks_leaves_them_alone(self, dataset: fo.Dataset, rng: np.random.Generator) -> None:
        ids = _hand_labelled(dataset, 0)
        sample, tracks = dataset.first(), random_tracks(rng, 5, 3, media.SIZE)
        for options in ({}, {"overwrite": True}, {"replace_labels": 5}):
            with pytest.raises(FieldExistsError, match="replace_labels=4"):
                pt.write_tracks(sample, "joints", tracks, **options)
        assert sorted(dataset.values("frames.joints.keypoints.id", unwind=True)) == ids
        pt.write_tracks(sample, "joints", tracks, replace_labels=4)
        assert pt.read_tracks(dataset.first(), "joints").num_points == 3
        with pytest.raises(FieldExistsError, match="overwrite=True"):
            pt.write_tracks(sample, "joints", tracks)

    @needs_ffmpeg
    def test_apply_model_leaves_them_alone(self, dataset: fo.Dataset, drift: DriftTracker) -> None:
        ids = _hand_labelled(dataset, 0)
        for options in ({}, {"overwrite": True}):
            model = pt.load_model(drift, grid_size=2, store_in="joints", **options)
            dataset.limit(1).apply_model(model)
            assert ["did not write" in f.message for f in model.failures] == [True]
        assert sorted(dataset.values("frames.joints.keypoints.id", unwind=True)) == ids

    @pytest.mark.parametrize("number", [0, -1, True, "8", 2.0])
    def test_the_number_is_a_number(self, dataset: fo.Dataset, number: Any) -> None:
        with pytest.raises(OptionError, match="replace_labels"):
            pt.track_dataset(dataset, replace_labels=number)


def test_contents_of_a_field_that_does_not_exist(dataset: fo.Dataset) -> None:
    contents = read_contents(dataset, dataset.values("id"), "tracks")
    assert (contents.stored, contents.finished, contents.foreign) == (set(), set(), set())
