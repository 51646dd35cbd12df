"""A person's corrections down from a CVAT server, end to end against one on the loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import moving_object
import numpy as np
import pytest
from exchanged import assert_same, stored
from fake_cvat import FakeCvat

import point_tracking as pt
from point_tracking.tracker.errors import AnnotationError, FieldError, OptionError

NUM_FRAMES = moving_object.NUM_FRAMES


def drawn(frame: int, *points: float, kind: str = "points", outside: bool = False) -> dict[str, Any]:
    """A shape as CVAT makes it."""
    plain = {"occluded": False, "z_order": 0, "attributes": [], "keyframe": True}
    return {"id": 9000 + frame, "type": kind, "frame": frame, "points": list(points), "outside": outside, **plain}


def add_keyframe(server: FakeCvat, number: int, shape: dict[str, Any]) -> None:
    """Adds a keyframe to a track; as in CVAT, attributes go on from the keyframe before."""
    shapes = server.tracks()[number]["shapes"]
    before = max((s for s in shapes if s["frame"] < shape["frame"]), key=lambda s: s["frame"])
    shapes.append({**shape, "attributes": [dict(a) for a in before["attributes"]]})
    shapes.sort(key=lambda s: s["frame"])


def assert_no_traces(dataset: fo.Dataset) -> None:
    names = [name for name in dataset.get_frame_field_schema() if "check" in name]
    assert (names, dataset.list_annotation_runs()) == ([], [])


def test_what_nobody_changed_stays_byte_for_byte(tracked: fo.Dataset, login) -> None:
    before = stored(tracked, "tracks")
    pt.annotate_tracks(tracked, "tracks", "check", **login)
    report = pt.load_corrections(tracked, "check", **login)
    assert report.num_changes == 0
    assert "nothing was changed" in str(report)
    assert_same(stored(tracked, "tracks"), before)
    assert_no_traces(tracked)


def test_a_moved_keyframe_corrects_that_track_and_no_other(tracked: fo.Dataset, server: FakeCvat, login) -> None:
    before = pt.read_tracks(tracked.first(), "tracks")
    pt.annotate_tracks(tracked, "tracks", "check", **login)
    server.keyframes(1)[23]["points"] = [100.5, 70.25]
    report = pt.load_corrections(tracked, "check", tracker="optical-flow", **login)
    assert (report.num_moved, report.num_added, report.num_gone, report.num_samples) == (1, 0, 0, 1)
    after = pt.read_tracks(tracked.first(), "tracks")
    np.testing.assert_allclose(after.xy[23, 0], [100.5, 70.25], atol=1e-4)
    np.testing.assert_array_equal(after.xy[:, 1:], before.xy[:, 1:])
    last = next(k for k in tracked.first().frames[24].tracks.keypoints if k.index == 1)
    assert (last.keyframe, last.corrected) == (True, True)
    np.testing.assert_array_equal(after.xy[0, 0], before.xy[0, 0])  # where it was asked for
    assert_no_traces(tracked)


def test_added_and_deleted_keyframes_hidden_points_and_new_ones_are_told_apart(
    tracked: fo.Dataset, server: FakeCvat, login
) -> None:
    before = pt.read_tracks(tracked.first(), "tracks")
    pt.annotate_tracks(tracked, "tracks", "check", **login)
    add_keyframe(server, 1, drawn(10, 70.5, 60.5))
    server.tracks()[2]["shapes"].remove(server.keyframes(2)[7])  # the line goes on to frame 8, where the point is gone
    server.keyframes(3)[7]["occluded"] = True
    shapes = [drawn(2, 10.5, 20.5), drawn(6, 30.5, 40.5), drawn(9, 0, 0, outside=True)]
    label = server.tracks()[1]["label_id"]
    server.annotations[1]["tracks"].append(
        {"id": 999, "label_id": label, "frame": 2, "group": 0, "attributes": [], "shapes": shapes}
    )
    report = pt.load_corrections(tracked, "check", retrack=False, **login)
    assert (report.num_moved, report.num_added, report.num_deleted, report.num_gone) == (0, 1, 1, 1)
    assert report.new_points == {tracked.first().id: [("point", [(2, 10.5, 20.5), (6, 30.5, 40.5)])]}
    after = pt.read_tracks(tracked.first(), "tracks")
    np.testing.assert_allclose(after.xy[7, 1], [50 + 14 * 7 / 8, 50 + 7 * 7 / 8], atol=1e-4)
    np.testing.assert_allclose(after.xy[10, 0], [70.5, 60.5], atol=1e-4)
    np.testing.assert_array_equal(np.delete(after.xy[:, 0], 10, axis=0), np.delete(before.xy[:, 0], 10, axis=0))
    assert np.flatnonzero(~after.visible[:, 2]).tolist() == [5, 6, *range(7, 23)]


def test_points_that_are_gone_are_hidden_and_deleted_tracks_removed(
    tracked: fo.Dataset, server: FakeCvat, login
) -> None:
    pt.annotate_tracks(tracked, "tracks", "check", **login)
    add_keyframe(server, 1, drawn(12, 0, 0, outside=True))
    add_keyframe(server, 1, drawn(15, 70.0, 55.0))
    server.annotations[1]["tracks"].remove(server.tracks()[3])
    report = pt.load_corrections(tracked, "check", retrack=False, **login)
    assert (report.num_removed, report.num_gone, report.num_added) == (1, 1, 1)
    after = pt.read_tracks(tracked.first(), "tracks")
    assert np.flatnonzero(~after.visible[:, 0]).tolist() == [12, 13, 14]
    assert np.isnan(after.xy[:, 2]).all()
    np.testing.assert_allclose(after.xy[15, 0], [70, 55], atol=1e-4)


def test_what_fails_on_the_way_changes_nothing_deletes_no_task_and_can_be_loaded_again(
    tracked: fo.Dataset, server: FakeCvat, login, monkeypatch: pytest.MonkeyPatch
) -> None:
    from point_tracking.workflows.exchange.cvat_tasks import load_corrections as module

    def fail(*_: Any, **__: Any) -> None:
        raise OptionError("no")

    before = stored(tracked, "tracks")
    pt.annotate_tracks(tracked, "tracks", "check", **login)
    server.keyframes(1)[23]["points"] = [100.5, 70.25]
    server.broken = r"/api/jobs/10/annotations"
    with pytest.raises(AnnotationError, match="Nothing was changed"):
        pt.load_corrections(tracked, "check", **login)
    assert_same(stored(tracked, "tracks"), before)
    assert not tracked.has_frame_field("tracks_check_back")
    server.broken = None
    with monkeypatch.context() as patch:
        patch.setattr(module, "correct_tracks", fail)
        with pytest.raises(OptionError):
            pt.load_corrections(tracked, "check", cleanup=True, **login)
    assert server.deleted == []
    assert pt.load_corrections(tracked, "check", retrack=False, cleanup=True, **login).num_moved == 1
    assert server.deleted == [1]


def test_runs_that_are_not_ours_and_copies_that_are_gone_are_told(tracked: fo.Dataset, login) -> None:
    with pytest.raises(OptionError, match=r"no annotation run 'check'.*none"):
        pt.load_corrections(tracked, "check", **login)
    schema = {"frames.new": {"type": "keypoints", "classes": ["a"], "attributes": {}}}
    tracked.annotate("check", backend="cvat", label_schema=schema, launch_editor=False, **login)
    with pytest.raises(OptionError, match="not made by annotate_tracks"):
        pt.load_corrections(tracked, "check", **login)
    pt.annotate_tracks(tracked, "tracks", "own", **login)
    tracked.delete_frame_field("tracks_own")
    with pytest.raises(FieldError, match="'tracks_own' was deleted"):
        pt.load_corrections(tracked, "own", **login)


# boxes and polylines


@pytest.fixture
def boxed(tracked: fo.Dataset) -> fo.Dataset:
    """The same clip with a box and a closed line in every frame, derived from keyframes in frames 1 and 24."""
    sample = tracked.first()
    for t in range(NUM_FRAMES):
        said = {"keyframe": t in (0, NUM_FRAMES - 1), "index": 4}
        line = moving_object.moved([[30, 30], [60, 30], [60, 60]], t) / moving_object.SIZE
        frame = sample.frames[t + 1]
        frame["box"] = fo.Detections(detections=[moving_object.box(t, **said)])
        frame["line"] = fo.Polylines(polylines=[fo.Polyline(label="edge", points=[line.tolist()], closed=True, **said)])
    sample.save()
    tracked.add_dynamic_frame_fields()
    return tracked


def test_labels_that_nobody_changed_stay(boxed: fo.Dataset, login) -> None:
    before = stored(boxed, "box")
    pt.annotate_tracks(boxed, "box", "check", **login)
    assert pt.load_corrections(boxed, "check", **login).num_changes == 0
    assert_same(stored(boxed, "box"), before)


def test_corrected_boxes_become_keyframes_and_are_carried_to_the_frames_between(
    boxed: fo.Dataset, server: FakeCvat, login
) -> None:
    before = stored(boxed, "box")
    task = pt.annotate_tracks(boxed, "box", "check", **login)
    assert (task.num_tracks, task.num_keyframes) == (1, 2)
    corrected = np.add(moving_object.thing_xyxy(10), [8, 0, 8, 0])  # a person sees it 8 pixels further right
    add_keyframe(server, 1, drawn(10, *corrected.tolist(), kind="rectangle"))
    report = pt.load_corrections(boxed, "check", **login)
    assert (report.num_added, report.num_moved) == (1, 0)
    after = stored(boxed, "box")
    width, height = moving_object.SIZE
    left, top, right, bottom = corrected / [width, height, width, height]
    np.testing.assert_allclose(after[11][0]["bounding_box"], [left, top, right - left, bottom - top])
    assert after[11][0]["keyframe"] is True
    assert after[11][0]["_id"] == before[11][0]["_id"]
    assert_same({n: after[n] for n in after if n != 11}, {n: before[n] for n in before if n != 11})
    assert_no_traces(boxed)
    assert pt.propagate_labels(boxed, "box", tracker="optical-flow", progress=False).failures == []
    lefts = {n: b[0]["bounding_box"][0] * width for n, b in stored(boxed, "box").items()}
    off = {n: left - moving_object.thing_xyxy(n - 1)[0] for n, left in lefts.items()}
    assert (off[1], off[11], off[24]) == pytest.approx((0, 8, 0), abs=0.01)
    assert 4 < off[12] < 9
    assert 4 < off[10] < 9


def test_a_box_that_is_gone_is_a_keyframe_that_says_so(boxed: fo.Dataset, server: FakeCvat, login) -> None:
    pt.annotate_tracks(boxed, "box", "check", **login)
    add_keyframe(server, 1, drawn(10, 0, 0, 1, 1, kind="rectangle", outside=True))
    server.keyframes(1)[23]["outside"] = True
    report = pt.load_corrections(boxed, "check", **login)
    assert report.num_gone == 1
    after = stored(boxed, "box")
    assert sorted(after) == [*range(1, 12), 24]
    assert [after[n][0].get("outside") for n in (10, 11, 24)] == [None, True, True]


def test_deleted_and_new_boxes(boxed: fo.Dataset, server: FakeCvat, login) -> None:
    pt.annotate_tracks(boxed, "box", "check", **login)
    (old,) = server.annotations[1]["tracks"]
    shapes = [drawn(2, 10, 20, 30, 40, kind="rectangle"), drawn(4, 0, 0, 1, 1, kind="rectangle", outside=True)]
    server.annotations[1]["tracks"] = [
        {"id": 999, "label_id": old["label_id"], "frame": 2, "group": 0, "attributes": [], "shapes": shapes}
    ]
    report = pt.load_corrections(boxed, "check", **login)
    assert (report.num_removed, report.num_new) == (1, 1)
    ((label,),) = stored(boxed, "box").values()
    assert (label["label"], label["index"], label["keyframe"]) == ("thing", 5, True)


def test_a_corrected_line_stays_closed_and_all_others_as_they_were(boxed: fo.Dataset, server: FakeCvat, login) -> None:
    before = stored(boxed, "line")
    pt.annotate_tracks(boxed, "line", "check", **login)
    keyframe = server.keyframes(1)[0]
    assert keyframe["type"] == "polyline"
    assert keyframe["points"] == [30, 30, 60, 30, 60, 60, 30, 30]
    keyframe["points"] = [20, 30, 60, 30, 60, 60, 20, 30]
    assert pt.load_corrections(boxed, "check", **login).num_moved == 1
    after = stored(boxed, "line")
    label = after.pop(1)[0]
    np.testing.assert_allclose(np.array(label["points"][0]) * moving_object.SIZE, [[20, 30], [60, 30], [60, 60]])
    assert label["closed"] is True
    assert_same(after, {n: labels for n, labels in before.items() if n != 1})


def test_several_videos_keep_their_corrections_apart(
    make_dataset: Callable[..., fo.Dataset], tracked: fo.Dataset, server: FakeCvat, login, tmp_path
) -> None:
    other = fo.Sample(filepath=str(moving_object.clip(tmp_path / "other.mp4")))
    tracked.add_sample(other)
    pt.write_tracks(other, "tracks", pt.read_tracks(tracked.first(), "tracks"))
    before = stored(tracked, "tracks")
    assert pt.annotate_tracks(tracked, "tracks", "check", **login).num_samples == 2
    server.keyframes(1, task=2)[23]["points"] = [100.5, 70.25]
    report = pt.load_corrections(tracked, "check", retrack=False, **login)
    assert (report.num_samples, report.num_moved) == (1, 1)
    assert_same(stored(tracked, "tracks"), before)
    np.testing.assert_allclose(pt.read_tracks(other, "tracks").xy[23, 0], [100.5, 70.25], atol=1e-4)


def test_a_task_without_any_track_or_one_that_is_gone_removes_nothing(
    tracked: fo.Dataset, server: FakeCvat, login
) -> None:
    before = stored(tracked, "tracks")
    pt.annotate_tracks(tracked, "tracks", "check", **login)
    server.annotations[1]["tracks"] = []
    report = pt.load_corrections(tracked, "check", **login)
    assert "no track at all" in report.warnings[0][1]
    assert_same(stored(tracked, "tracks"), before)
    # on the same server, so that it is the second task
    pt.annotate_tracks(tracked, "tracks", "again", **login)
    server.tasks.clear()
    with pytest.raises(AnnotationError, match="no longer on the server"):
        pt.load_corrections(tracked, "again", **login)
    assert_same(stored(tracked, "tracks"), before)


def test_points_of_objects_are_corrected_one_by_one(tracked: fo.Dataset, server: FakeCvat, login) -> None:
    plain = pt.read_tracks(tracked.first(), "tracks")
    made = pt.Tracks(plain.xy, plain.visible, plain.confidence, labels=["goat"] * 3, objects=[4, 4, 9])
    pt.write_tracks(tracked.first(), "animals", made, layout="objects")
    before = pt.read_tracks(tracked.first(), "animals")
    assert pt.annotate_tracks(tracked, "animals", "check", **login).num_tracks == 3
    assert [label["name"] for label in server.tasks[1]["labels"]] == ["goat"]
    server.keyframes(2)[23]["points"] = [100.5, 70.25]
    assert pt.load_corrections(tracked, "check", retrack=False, **login).num_moved == 1
    after = pt.read_tracks(tracked.first(), "animals")
    np.testing.assert_allclose(after.xy[23, 1], [100.5, 70.25], atol=1e-4)
    np.testing.assert_array_equal(after.xy[:, [0, 2]], before.xy[:, [0, 2]])
    np.testing.assert_array_equal(after.xy[:23, 1], before.xy[:23, 1])
    assert stored(tracked, "animals")[24][0]["corrected"] == [False, True]
