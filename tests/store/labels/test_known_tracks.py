"""Known tracks: what is known where, and in which frames points are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from judged_clips import NUM_FRAMES, NUM_POINTS, replace, tracks_of, truth_xy

import point_tracking as pt
from point_tracking.store.labels.known_tracks import (
    KnownTracks,
    check_keypoints_field,
    is_sparse,
    query_frames_field_of,
    read_known_tracks,
    sparse_field_of,
)
from point_tracking.tracker.errors import FieldError, TruthError


def _known(query_t: list[int] | None = None, visible: Any = True) -> KnownTracks:
    shown = np.broadcast_to(np.asarray(visible, dtype=bool), (NUM_FRAMES, NUM_POINTS)).copy()
    valid = np.ones_like(shown)
    given = None if query_t is None else np.array(query_t)
    return KnownTracks(np.arange(1, NUM_POINTS + 1), False, truth_xy(), shown, valid, media.SIZE, given)


def test_points_are_asked_for_where_they_are_visible_first() -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:4, 0], visible[:, 1] = False, False
    truth, points = _known(visible=visible).queried("first")
    assert (points.tolist(), truth.query_t.tolist()) == ([0, 2], [4, 0])
    truth, points = _known(visible=visible).queried("strided")
    assert (points.tolist(), truth.query_t.tolist()) == ([0, 0, 2, 2, 2], [5, 10, 0, 5, 10])


def test_frames_that_are_given_are_used_and_points_without_one_are_left_out() -> None:
    truth, points = _known([5, -1, 7]).queried("first")
    assert (points.tolist(), truth.query_t.tolist()) == ([0, 2], [5, 7])
    # of strided queries the protocol says the frames
    assert _known([5, -1, 7]).queried("strided")[1].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(_known([-1, -1, -1]).queried("first")[1]) == 0


def test_frames_that_are_none_of_the_clips_or_do_not_show_the_point_are_refused() -> None:
    with pytest.raises(TruthError, match=r"frame 12 .counted from 0., but the video has 12 frames"):
        _known([0, NUM_FRAMES, 0]).queried("first")
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[3, 1] = False
    with pytest.raises(TruthError, match="not known to be visible"):
        _known([3, 3, 3], visible).queried("first")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    path = media.video(tmp_path_factory.mktemp("clips") / "clip.mp4", num_frames=NUM_FRAMES)
    dataset.add_sample(fo.Sample(filepath=str(path)))
    pt.write_tracks(dataset.first(), "truth", tracks_of(truth_xy()))
    dataset.add_frame_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    yield dataset
    dataset.delete()


def test_where_nothing_is_said_points_are_hidden_or_with_sparse_labels_unknown(dataset: fo.Dataset) -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[6:] = False
    replace(dataset.first(), "truth", truth_xy(), visible)
    dense, sparse = (read_known_tracks(dataset, dataset.first().id, "truth", sparse=value) for value in (False, True))
    for known in (dense, sparse):
        np.testing.assert_array_equal(known.visible, visible)
        np.testing.assert_allclose(known.xy[:6], truth_xy()[:6], atol=1e-4)
        assert (known.keys.tolist(), known.by_instance, known.query_t) == ([1, 2, 3], False, None)
    assert dense.valid.all()
    np.testing.assert_array_equal(sparse.valid, visible)


def test_points_without_any_label_are_none(dataset: fo.Dataset) -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:, 1] = False
    replace(dataset.first(), "truth", truth_xy(), visible)
    known = read_known_tracks(dataset, dataset.first().id, "truth", sparse=False)
    assert (known.keys.tolist(), known.xy.shape) == ([1, 3], (NUM_FRAMES, 2, 2))


def test_points_are_told_apart_by_instances_where_they_have_no_index(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    one, two = fo.Instance(), fo.Instance()
    for number, keypoints in (
        (1, [fo.Keypoint(points=[(0.5, 0.5)], instance=one)]),
        (2, [fo.Keypoint(points=[(0.25, 0.5)], instance=two), fo.Keypoint(points=[(1.5, 0.5)], instance=one)]),
        (3, [fo.Keypoint(points=[(0.5, 0.5)], instance=one, occluded=True)]),
    ):
        sample.frames[number]["linked"] = fo.Keypoints(keypoints=keypoints)
    sample.save()
    known = read_known_tracks(dataset, sample.id, "linked", sparse=True)
    columns = {key: column for column, key in enumerate(known.keys)}
    first, second = columns[str(one.id)], columns[str(two.id)]
    assert (known.by_instance, known.visible.sum()) == (True, 2)
    assert known.visible[0, first]
    assert known.visible[1, second]
    assert known.valid[:, first].tolist() == [True] * 3 + [False] * 9, "outside the frame and hidden are known"
    np.testing.assert_allclose(known.xy[0, first], [media.SIZE[0] / 2, media.SIZE[1] / 2])
    sample.frames[4]["linked"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0, 0), (1, 1)], instance=one)])
    sample.save()
    with pytest.raises(TruthError, match="one point per instance"):
        read_known_tracks(dataset, sample.id, "linked", sparse=True)


def test_a_sample_says_itself_whether_its_labels_are_sparse(dataset: fo.Dataset) -> None:
    sample_id = dataset.first().id
    assert not is_sparse(dataset, sample_id, "truth", None)
    dataset.set_values(sparse_field_of("truth"), [True])
    assert is_sparse(dataset, sample_id, "truth", None)
    assert not is_sparse(dataset, sample_id, "truth", False)
    dataset.delete_sample_field(sparse_field_of("truth"))


@pytest.mark.parametrize(
    ("frames", "expected"), [([5, 6, -1], [5, 6, -1]), ([5.0, 6], [5, 6, -1]), ([], None), (None, None)]
)
def test_query_frames_are_listed_by_index(dataset: fo.Dataset, frames: Any, expected: list[int] | None) -> None:
    replace(dataset.first(), "truth", truth_xy())
    dataset.add_sample_field(query_frames_field_of("truth"), fo.ListField)
    dataset.set_values(query_frames_field_of("truth"), [frames])
    found = read_known_tracks(dataset, dataset.first().id, "truth", sparse=False).query_t
    assert (None if found is None else found.tolist()) == expected
    dataset.delete_sample_field(query_frames_field_of("truth"))


def test_fields_that_hold_no_tracks_are_refused(dataset: fo.Dataset) -> None:
    check_keypoints_field(dataset, "truth")
    with pytest.raises(FieldError, match="no frame field 'absent' with tracks"):
        check_keypoints_field(dataset, "absent", "tracks")
    with pytest.raises(FieldError, match="holds Detections, not Keypoints, so it has no known tracks"):
        check_keypoints_field(dataset, "boxes")
    dataset.add_frame_field("empty", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    with pytest.raises(TruthError, match="no known tracks"):
        read_known_tracks(dataset, dataset.first().id, "empty", sparse=False)


@pytest.mark.parametrize("identity", [{"index": 1}, {"instance": fo.Instance()}])
def test_a_point_in_the_last_pixel_is_in_the_frame(make_dataset: Any, tmp_path: Any, identity: dict[str, Any]) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=3))
    sample = dataset.first()
    for number, xy in ((1, (1.0, 1.0)), (2, (0.999, 0.5)), (3, (1.01, 0.5))):
        sample.frames[number]["truth"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[xy], **identity)])
    sample.save()
    known = read_known_tracks(dataset, sample.id, "truth", sparse=False)
    width, height = media.SIZE
    assert known.visible[:, 0].tolist() == [True, True, False]
    np.testing.assert_allclose(known.xy[:2, 0], [[width - 1, height - 1], [width - 1, height / 2]], atol=1e-3)
    assert pt.truth_queries(dataset, "truth") == {sample.id: [(0, width - 1, height - 1)]}
