"""A view chooses the truth and the masks that tracks are judged by, and never which tracks."""

from __future__ import annotations

import math

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from judged_clips import NUM_FRAMES, replace, truth_xy

import point_tracking as pt


def _scores(view: fo.DatasetView | fo.Dataset, **options: object) -> list[float]:
    report = pt.evaluate_dataset(view, "tracks", "truth", eval_key="e", overwrite=True, **options)  # type: ignore[arg-type]
    assert report.failures == []
    return [math.nan if value is None else value for value in view._dataset.values("e_delta_avg")]


def _wrong(dataset: fo.Dataset, frames: slice = slice(None), points: slice = slice(None)) -> None:
    """Tracks of the first sample that are far off in some frames and points."""
    xy = truth_xy()
    xy[frames, points, 1] -= 40
    xy[0] = truth_xy()[0]
    replace(dataset.first(), "tracks", xy)


def test_points_that_a_view_hides_do_not_count(dataset: fo.Dataset) -> None:
    _wrong(dataset, points=slice(0, 1))
    assert _scores(dataset)[0] == pytest.approx(2 / 3)
    assert _scores(dataset.filter_labels("frames.truth", F("index") > 1))[0] == 1.0
    assert _scores(dataset.filter_labels("frames.truth", F("index") == 1))[0] == 0.0
    # which tracks are shown says nothing about which are judged
    assert _scores(dataset.filter_labels("frames.tracks", F("index") > 1))[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize("sparse", [False, True])
def test_frames_that_a_view_hides_are_unlabelled_and_not_hidden(dataset: fo.Dataset, sparse: bool) -> None:
    _wrong(dataset, frames=slice(NUM_FRAMES // 2, None))
    early = dataset.match_frames(F("frame_number") <= NUM_FRAMES // 2)
    assert _scores(dataset, sparse=sparse)[0] == pytest.approx((NUM_FRAMES // 2 - 1) / (NUM_FRAMES - 1))
    assert _scores(early, sparse=sparse)[0] == 1.0
    report = pt.evaluate_dataset(early, "tracks", "truth", sparse=sparse)
    assert report.outcomes[0].figures["oa"] == 1.0


def test_labels_hidden_in_some_frames_are_unknown_there(dataset: fo.Dataset) -> None:
    _wrong(dataset, frames=slice(NUM_FRAMES // 2, None), points=slice(0, 1))
    sample = dataset.first()
    for number in range(NUM_FRAMES // 2 + 1, NUM_FRAMES + 1):
        sample.frames[number]["truth"].keypoints[0].tags.append("doubtful")
    sample.save()
    assert _scores(dataset)[0] < 1
    assert _scores(dataset.exclude_labels(tags="doubtful", fields="frames.truth"))[0] == 1.0


def test_truth_in_one_keypoint_per_frame(dataset: fo.Dataset) -> None:
    replace(dataset.first(), "truth", truth_xy(), layout="frame")
    _wrong(dataset, frames=slice(NUM_FRAMES // 2, None))
    assert _scores(dataset)[0] < 1
    assert _scores(dataset.match_frames(F("frame_number") <= NUM_FRAMES // 2))[0] == 1.0


def test_nothing_shown_is_a_failure_in_words(dataset: fo.Dataset) -> None:
    view = dataset.filter_labels("frames.truth", F("index") > 99, only_matches=False)
    report = pt.evaluate_dataset(view, "tracks", "truth")
    assert ["The view shows no known tracks" in f.message for f in report.failures] == [True, True]


def test_queries_are_those_that_a_view_shows(dataset: fo.Dataset) -> None:
    view = dataset.filter_labels("frames.truth", F("index") == 2).match_frames(F("frame_number") > 3)
    points = pt.truth_queries(view, "truth")
    assert [[t for t, _, _ in rows] for rows in points.values()] == [[3], [3]]
    assert [rows[0][1] for rows in points.values()] == [pytest.approx(truth_xy()[3, 1, 0])] * 2


def test_masks_are_those_that_a_view_shows(dataset: fo.Dataset) -> None:
    full = np.ones((10, 10), dtype=bool)
    sample = dataset.first()
    for number in range(1, NUM_FRAMES + 1):
        sample.frames[number]["parts"] = fo.Detections(
            detections=[
                fo.Detection(label="left", bounding_box=[0, 0, 0.15, 1], mask=full),
                fo.Detection(label="all", bounding_box=[0, 0, 1, 1], mask=full),
            ]
        )
    sample.save()
    view = dataset.limit(1)
    scores = {}
    for label in ("left", "all"):
        chosen = view.filter_labels("frames.parts", F("label") == label)
        report = pt.evaluate_dataset(chosen, "tracks", mask_field="frames.parts", eval_key="m", overwrite=True)
        assert report.failures == []
        scores[label] = report.outcomes[0].figures
    assert scores["left"] != scores["all"]


def test_truth_past_the_end_of_the_video_is_left_out_with_a_warning(dataset: fo.Dataset) -> None:
    sample, linked = dataset.first(), fo.Instance()
    for field in ("hand", "linked"):
        for number in range(1, NUM_FRAMES + 4):
            x, y = truth_xy()[min(number, NUM_FRAMES) - 1, 0] / (160, 120)
            facts = {"index": 1} if field == "hand" else {"instance": linked}
            sample.frames[number][field] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(x, y)], **facts)])
    sample.save()
    for field in ("hand", "linked"):
        report = pt.evaluate_dataset(dataset.limit(1), "tracks", field, match="place")
        assert report.failures == [], field
        assert "known tracks of 3 frames past the end" in report.outcomes[0].warnings[0]
        assert report.outcomes[0].figures["delta_avg"] == 1.0
