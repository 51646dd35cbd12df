"""Motion as fields of a dataset, from tracks and from a grid tracked for that alone."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from known_cameras import drifting_tracks
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError


def test_tracks_are_told_of_in_fields_spans_and_views(dataset: fo.Dataset):
    report = pt.describe_motion(dataset, "tracks")
    assert [outcome.status for outcome in report.outcomes] == ["done", "done", "failed"]
    assert "no tracks" in report.failures[0].message
    dataset.reload()
    assert dataset.values("tracks_motion.camera") == ["pan", "static", None]
    assert dataset.values("tracks_motion.num_groups") == [1, 0, None]
    assert dataset.bounds("tracks_motion.pan")[1] == pytest.approx(25 / 240, rel=0.02)
    assert dataset.count_values("tracks_motion_events.detections.label")["pan right"] == 1
    spans = dataset.last().tracks_motion_events, dataset.skip(1).first().tracks_motion_events.detections[0]
    assert spans[0] is None
    assert (spans[1].label, spans[1].support) == ("static camera", [1, 40])
    assert dataset.load_saved_view("tracks_motion: camera pan").values("id") == [dataset.first().id]
    assert "tracks_motion: camera tilt" not in dataset.list_saved_views()
    assert dataset.active_label_schemas == ["tracks_motion_events"], "the tab Annotate shows their spans"


def test_keypoints_are_told_their_group_and_their_ground(dataset: fo.Dataset):
    pt.describe_motion(dataset, "tracks")
    first = dataset.limit(1)
    groups = first.count_values("frames.tracks.keypoints.motion_group")
    assert groups[1] > 100
    assert groups[0] > groups[1]
    moving = first.filter_labels("frames.tracks", F("motion_group") == 1).values("frames.tracks.keypoints.index")
    assert len({index for frame in moving[0] for index in frame or []}) <= 36
    assert set(first.count_values("frames.tracks.keypoints.featureless")) <= {True, False}


def test_samples_whose_tracks_did_not_change_are_left_alone(dataset: fo.Dataset):
    view = dataset.limit(2)
    assert [o.status for o in pt.describe_motion(view, "tracks").outcomes] == ["done", "done"]
    assert [o.status for o in pt.describe_motion(view, "tracks").outcomes] == ["skipped", "skipped"]
    pt.remove_tracks(dataset.first(), "tracks", [1, 2, 3])
    assert [o.status for o in pt.describe_motion(view, "tracks").outcomes] == ["done", "skipped"]
    assert [o.status for o in pt.describe_motion(view, "tracks", overwrite=True).outcomes] == ["done", "done"]


def test_without_a_field_a_grid_is_tracked_and_not_stored(dataset: fo.Dataset):
    report = pt.describe_motion(dataset.skip(2), tracker_options={"resolution": 96}, grid_size=6)
    assert report.failures == []
    sample: Any = dataset.last()
    assert sample.motion.num_points > 0
    assert sample.motion.track_length_s is None
    assert sample.motion_events is not None
    assert not [name for name in dataset.get_frame_field_schema(flat=False) if name.startswith("motion")]
    again = pt.describe_motion(dataset.skip(2), tracker_options={"resolution": 96}, grid_size=6)
    assert again.outcomes[0].status == "skipped"


def test_tracks_are_followed_back_where_that_is_asked_for(dataset: fo.Dataset):
    view = dataset[1:2]
    options: dict[str, Any] = {"texture": False, "tracker": DriftTracker()}
    pt.describe_motion(view, "tracks", **options)
    assert view.values("tracks_motion.cycle_error") == [None]
    report = pt.describe_motion(view, "tracks", cycle_consistency=True, **options)
    assert [outcome.status for outcome in report.outcomes] == ["done"]
    # tracks stand still for 40 frames, and the tracker goes back by a pixel a frame
    assert view.values("tracks_motion.cycle_error")[0] == pytest.approx(39 / 240, rel=1e-3)
    assert view.values("tracks_motion.cycle_returned") == [0.0]
    assert pt.describe_motion(view, "tracks", cycle_consistency=True, **options).outcomes[0].status == "skipped"
    with pytest.raises(OptionError, match="goes with a label_field"):
        pt.describe_motion(view, cycle_consistency=True)


def test_a_dataset_described_by_an_earlier_version_gets_the_new_figures(dataset: fo.Dataset):
    pt.describe_motion(dataset.limit(1), "tracks", texture=False)
    dataset.delete_sample_field("tracks_motion.cycle_error")
    pt.describe_motion(dataset.limit(1), "tracks", texture=False)
    assert "tracks_motion.cycle_error" in dataset.get_field_schema(flat=True)


def one_frame(sample: fo.Sample) -> None:
    tracks = drifting_tracks((0.0, 0.0))
    rest = pt.Tracks(tracks.xy[:1], tracks.visible[:1], tracks.confidence[:1])
    pt.write_tracks(sample, "tracks", rest, overwrite=True)


def all_hidden(sample: fo.Sample) -> None:
    tracks = drifting_tracks((0.0, 0.0))
    hidden = pt.Tracks(tracks.xy, np.zeros_like(tracks.visible), tracks.confidence)
    pt.write_tracks(sample, "tracks", hidden, keep_hidden=True, overwrite=True)


def of_another_size(sample: fo.Sample) -> None:
    """Keypoints in units of another video's pixels, as other programs leave them."""
    for frame in sample.frames.values():
        points = [fo.Keypoint(points=[[2.0 + k, 3.0]], index=k + 1) for k in range(20)]
        frame["tracks"] = fo.Keypoints(keypoints=points)
    sample.save()


def test_one_point_tells_no_camera_and_is_no_failure(dataset: fo.Dataset):
    tracks = drifting_tracks((1.0, 0.0))
    one = pt.Tracks(tracks.xy[:, :1], tracks.visible[:, :1], tracks.confidence[:, :1])
    pt.write_tracks(dataset.last(), "tracks", one)
    (outcome,) = pt.describe_motion(dataset.skip(2), "tracks").outcomes
    assert (outcome.status, outcome.camera, outcome.num_points) == ("done", "unknown", 1)
    assert dataset.last().tracks_motion.pan is None


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(one_frame, "two tracked frames"), (all_hidden, "ever seen"), (of_another_size, "not of this video")],
    ids=["one frame", "hidden", "another size"],
)
def test_what_cannot_be_told_is_a_failure_that_says_why(dataset: fo.Dataset, spoil, words: str):
    spoil(dataset.first())
    report = pt.describe_motion(dataset.limit(2), "tracks", texture=False)
    assert [outcome.status for outcome in report.outcomes] == ["failed", "done"]
    assert report.failures[0].kind == "MotionError"
    assert words in report.failures[0].message


def test_fields_of_somebody_else_stay(dataset: fo.Dataset):
    dataset.add_sample_field("tracks_motion", fo.StringField)
    with pytest.raises(FieldError, match="is not ours"):
        pt.describe_motion(dataset, "tracks")
    with pytest.raises(FieldError, match="no frame field 'points'"):
        pt.describe_motion(dataset, "points")
    dataset.add_frame_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    with pytest.raises(FieldError, match="holds Detections, and tracks are Keypoints"):
        pt.describe_motion(dataset, "boxes")
    with pytest.raises(FieldError, match="no frame field"):
        pt.describe_motion(fo.Dataset(), "tracks")


def test_a_read_only_field_is_refused(dataset: fo.Dataset):
    pt.describe_motion(dataset.limit(1), "tracks")
    field = dataset.get_field("tracks_motion")
    field.read_only = True
    field.save()
    with pytest.raises(FieldError, match="read-only"):
        pt.describe_motion(dataset, "tracks")
    field.read_only = False
    field.save()
    tracks = dataset.get_field("frames.tracks")
    tracks.read_only = True
    tracks.save()
    with pytest.raises(FieldError, match="its keypoints cannot be told"):
        pt.describe_motion(dataset, "tracks")
    report = pt.describe_motion(dataset.limit(1), "tracks", texture=False, groups=False)
    assert [outcome.status for outcome in report.outcomes] == ["done"]


def test_clips_and_groups_are_refused_with_what_to_pass(dataset: fo.Dataset):
    pt.describe_motion(dataset.limit(2), "tracks")
    with pytest.raises(CollectionError, match="clips view"):
        pt.describe_motion(dataset.to_clips("tracks_motion_events"), "tracks")


def test_a_run_can_be_cancelled_and_its_report_read_back(dataset: fo.Dataset):
    report = pt.describe_motion(dataset, "tracks", cancelled=lambda: True, run_key="mine")
    assert report.cancelled
    assert {outcome.status for outcome in report.outcomes} == {"not run"}
    assert pt.load_report(dataset, "mine").cancelled


def test_options_are_checked():
    for wrong in ({"grid_size": 3}, {"texture": 1}, {"tracker_options": {"resolution": 64}, "tracker": "?"}):
        with pytest.raises(OptionError):
            pt.describe_motion(fo.Dataset(), **wrong)
