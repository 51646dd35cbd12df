"""Tracks up to a CVAT server, as the few keyframes that a person needs."""

from __future__ import annotations

import fiftyone as fo
import moving_object
import pytest
from exchanged import assert_same, stored
from fake_cvat import FakeCvat

import point_tracking as pt
from point_tracking.tracker.errors import (
    AnnotationError,
    CollectionError,
    FieldError,
    FieldExistsError,
    OptionError,
)

NUM_FRAMES = moving_object.NUM_FRAMES


def test_a_straight_path_is_sent_as_its_ends_and_its_changes(tracked: fo.Dataset, server: FakeCvat, login) -> None:
    before = stored(tracked, "tracks")
    task = pt.annotate_tracks(tracked, "frames.tracks", "check", **login)
    assert (task.num_samples, task.num_tracks, task.num_keyframes) == (1, 3, 2 + 4 + 4)
    assert task.num_labels == sum(map(len, before.values()))
    assert "3 tracks of frames.tracks with 10 keyframes" in str(task)
    assert server.uploaded_bytes[1] > 1000
    sent = {n: {t: s["outside"] for t, s in server.keyframes(n).items()} for n in (1, 2, 3)}
    assert sent == {
        1: {0: False, 23: False},
        2: {0: False, 7: False, 8: True, 11: False, 23: False},
        3: {0: False, 5: False, 7: False, 23: False},
    }
    assert {t: s["occluded"] for t, s in server.keyframes(3).items()} == {0: False, 5: True, 7: False, 23: False}
    assert server.keyframes(1)[0]["points"] == [40, 40]  # FiftyOne's client rounds
    # the tracks themselves are not touched
    assert_same(stored(tracked, "tracks"), before)
    assert "frames.tracks.keypoints.keyframe" not in tracked.get_frame_field_schema(flat=True)
    assert tracked.has_frame_field("tracks_check")
    with pytest.raises(OptionError, match="already"):
        pt.annotate_tracks(tracked, "tracks", "check", **login)


def test_corrections_and_finer_tolerances_give_more_keyframes(tracked: fo.Dataset, server: FakeCvat, login) -> None:
    pt.correct_tracks(tracked.first(), "tracks", [(1, 12, 64.0, 52.0)], retrack=False)
    pt.annotate_tracks(tracked, "tracks", "check", tolerance_px=100, **login)
    assert sorted(server.keyframes(1)) == [0, 12, 23]
    pt.annotate_tracks(tracked, "tracks", "fine", tolerance_px=0, **login)
    assert len(server.keyframes(1, task=2)) > 3


def test_a_view_chooses_what_is_sent(tracked: fo.Dataset, server: FakeCvat, login) -> None:
    view = tracked.filter_labels("frames.tracks", fo.ViewField("index") == 2)
    pt.annotate_tracks(view, "tracks", "check", **login)
    assert sorted(server.tracks()) == [2]


def test_a_server_that_fails_leaves_nothing_behind(tracked: fo.Dataset, server: FakeCvat, login) -> None:
    for broken in ("/api/auth/login", "/api/tasks", r"/api/tasks/1/annotations"):
        server.broken = broken
        with pytest.raises(AnnotationError, match="did not take the task"):
            pt.annotate_tracks(tracked, "tracks", "check", **login)
        assert not tracked.has_frame_field("tracks_check")
        assert tracked.list_annotation_runs() == []
    server.broken = None
    assert pt.annotate_tracks(tracked, "tracks", "check", **login).num_tracks == 3


def test_what_cannot_be_sent_is_refused(tracked: fo.Dataset, login) -> None:
    with pytest.raises(OptionError, match="Invalid anno_key"):
        pt.annotate_tracks(tracked, "tracks", "no name", **login)
    for name in ("frame_step", "segment_size"):
        with pytest.raises(OptionError, match=f"{name} cannot be used"):
            pt.annotate_tracks(tracked, "tracks", "check", **{name: 2}, **login)
    with pytest.raises(OptionError, match="Invalid tolerance_px"):
        pt.annotate_tracks(tracked, "tracks", "check", tolerance_px=-1, **login)
    with pytest.raises(FieldError, match="no field 'nothing'"):
        pt.annotate_tracks(tracked, "nothing", "check", **login)
    empty = tracked.filter_labels("frames.tracks", fo.ViewField("index") == 99)
    with pytest.raises(CollectionError, match="nothing of these samples"):
        pt.annotate_tracks(empty, "tracks", "check", **login)
    assert not tracked.has_frame_field("tracks_check")
    tracked.add_frame_field("tracks_check", fo.StringField)
    with pytest.raises(FieldExistsError, match="'tracks_check' exists"):
        pt.annotate_tracks(tracked, "tracks", "check", **login)
    assert tracked.has_frame_field("tracks_check")


def test_labels_that_the_server_does_not_take_are_refused(tracked: fo.Dataset, login) -> None:
    tracks = pt.read_tracks(tracked.first(), "tracks")
    named = pt.Tracks(tracks.xy, tracks.visible, tracks.confidence, labels=["x" * 65, None, None])
    pt.write_tracks(tracked.first(), "long", named)
    with pytest.raises(FieldError, match="more than 64 characters"):
        pt.annotate_tracks(tracked, "long", "check", **login)
    pt.write_tracks(tracked.first(), "whole", tracks, layout="frame")
    with pytest.raises(FieldError, match="layout 'frame'"):
        pt.annotate_tracks(tracked, "whole", "check", **login)
