"""Stored tracks judged by stored truth: what is matched, counted, stored and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from judged_clips import (
    NUM_FRAMES,
    all_hidden,
    last_frame_only,
    no_truth,
    replace,
    tracks_of,
    truth_xy,
)
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError, UnknownTrackerError
from point_tracking.workflows.evaluation.evaluate_dataset import evaluate_dataset


def test_scores_are_stored_with_samples_and_totals_with_the_run(dataset: fo.Dataset) -> None:
    report = pt.evaluate_dataset(dataset, "tracks", "truth")
    assert report.failures == []
    assert (report.run_key, report.num_samples) == ("eval_tracks", 2)
    assert dataset.values("eval_tracks_delta_avg") == pytest.approx([1.0, 0.6])
    assert dataset.values("eval_tracks_delta_2") == [1.0, 0.0]
    assert dataset.values("eval_tracks_delta_4") == [1.0, 1.0]
    assert dataset.values("eval_tracks_aj") == pytest.approx([1.0, 0.6])
    assert dataset.values("eval_tracks_oa") == [1.0, 1.0]
    assert dataset.values("eval_tracks_mte_px") == pytest.approx([0.0, 3.0], abs=1e-4)
    assert dataset.values("eval_tracks_survival") == [1.0, 1.0]
    assert dataset.values("eval_tracks_outside") == [None, None]
    (total,) = report.totals
    assert total.figures["delta_avg"] == pytest.approx(0.8)
    assert dataset.sort_by("eval_tracks_delta_avg").first().id == dataset.last().id
    config = dataset.get_run_info("eval_tracks").config
    assert (config.gt_field, config.query_mode) == ("truth", "first")
    again = pt.load_report(dataset, "eval_tracks")
    assert again.to_dict() == report.to_dict()
    assert dataset.load_run_results("eval_tracks").report["totals"][0]["figures"]["delta_avg"] == pytest.approx(0.8)


def test_a_view_leaves_other_samples_alone(dataset: fo.Dataset) -> None:
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth")
    assert len(report.outcomes) == 1
    assert dataset.values("eval_tracks_delta_avg") == [1.0, None]


def test_keys_are_chosen_and_never_taken_over(dataset: fo.Dataset) -> None:
    assert pt.evaluate_dataset(dataset, "tracks", "truth").run_key == "eval_tracks"
    assert pt.evaluate_dataset(dataset, "tracks", "truth").run_key == "eval_tracks_2"
    with pytest.raises(OptionError, match="There is a run 'eval_tracks'"):
        pt.evaluate_dataset(dataset, "tracks", "truth", eval_key="eval_tracks")
    replace(dataset.first(), "tracks", truth_xy() + np.array([20, 0]))
    pt.evaluate_dataset(dataset, "tracks", "truth", eval_key="eval_tracks", match="index", overwrite=True)
    assert dataset.values("eval_tracks_delta_16")[0] == 0.0
    dataset.add_sample_field("other_delta_avg", fo.FloatField)
    with pytest.raises(FieldError, match="'other_delta_avg' exists and is no score"):
        pt.evaluate_dataset(dataset, "tracks", "truth", eval_key="other")


def test_replacing_an_evaluation_leaves_no_score_of_it(dataset: fo.Dataset) -> None:
    pt.evaluate_dataset(dataset, "tracks", "truth", cycle=True, tracker=DriftTracker(), eval_key="e")
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", metrics=["tap_vid"], eval_key="e", overwrite=True)
    assert [name for name in dataset.get_field_schema() if name.startswith("e_")] == report.fields
    assert dataset.values("e_aj") == [1.0, None]
    dataset.delete_run("e")
    pt.evaluate_dataset(dataset.skip(1), "tracks", "truth", metrics=["tap_vid"], eval_key="e")
    assert dataset.values("e_aj") == [None, pytest.approx(0.6)]


def test_two_evaluations_never_share_a_field(dataset: fo.Dataset) -> None:
    """One's figure "track_survival" and the other's "survival" would have one name."""
    pt.evaluate_dataset(dataset, "tracks", "truth", eval_key="e")
    before = dataset.values("e_track_survival")
    with pytest.raises(FieldError, match="'e_track_survival' belongs to the evaluation 'e'"):
        pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", metrics=["dynamic_replica"], eval_key="e_track")
    assert dataset.values("e_track_survival") == before
    assert dataset.list_runs() == ["e"]


def test_fields_without_a_score_are_known_too(dataset: fo.Dataset) -> None:
    for sample in dataset:
        all_hidden(sample)
    report = pt.evaluate_dataset(dataset, "tracks", "truth")
    assert len(report.failures) == 2
    assert pt.load_report(dataset, "eval_tracks").to_dict() == report.to_dict()
    dataset.delete_sample_fields(report.fields)
    assert not [name for name in dataset.get_field_schema() if name.startswith("eval_")]


def test_samples_of_groups_are_judged_in_every_slice(make_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> None:
    dataset = make_dataset()
    dataset.add_group_field("group", default="left")
    group = fo.Group()
    for name in ("left", "right"):
        path = media.video(tmp_path / f"{name}.mp4", num_frames=NUM_FRAMES)
        dataset.add_sample(fo.Sample(filepath=str(path), group=group.element(name)))
    both = dataset.select_group_slices(["left", "right"])
    for sample in both:
        pt.write_tracks(sample, "truth", tracks_of(truth_xy()))
        pt.write_tracks(sample, "tracks", tracks_of(truth_xy()))
    report = pt.evaluate_dataset(both, "tracks", "truth")
    assert (report.num_samples, both.values("eval_tracks_aj")) == (2, [1.0, 1.0])
    pt.evaluate_dataset(dataset.select_group_slices("right"), "tracks", "truth", eval_key="right")
    assert dict(zip(both.values("group.name"), both.values("right_aj"), strict=True)) == {"left": None, "right": 1.0}


def _no_point(sample: fo.Sample) -> None:
    sample.frames[3]["truth"].keypoints[0].points = []
    sample.save()


def _more_points(sample: fo.Sample) -> None:
    replace(sample, "truth", truth_xy(5))


def _elsewhere(sample: fo.Sample) -> None:
    replace(sample, "tracks", truth_xy() + np.array([0, 40]))


def _other_frames(sample: fo.Sample) -> None:
    info = sample["truth_info"]
    info.num_frames = NUM_FRAMES - 2
    sample.save()
    for number in (NUM_FRAMES - 1, NUM_FRAMES):
        sample.frames[number]["truth"] = None
    sample.save()


def _past_the_end(sample: fo.Sample) -> None:
    info = sample["truth_info"]
    info.num_frames = NUM_FRAMES - 2
    sample.save()


def _no_tracks(sample: fo.Sample) -> None:
    for number in range(1, NUM_FRAMES + 1):
        sample.frames[number]["tracks"] = None
    sample["tracks_info"] = None
    sample.save()


def _half_written(sample: fo.Sample) -> None:
    sample["tracks_info"].state = "writing"
    sample.save()


def _no_index(sample: fo.Sample) -> None:
    for number in range(1, NUM_FRAMES + 1):
        for keypoint in sample.frames[number]["truth"].keypoints:
            keypoint.index = None
    sample.save()


@pytest.mark.parametrize(
    ("spoil", "kind", "message"),
    [
        (no_truth, "TruthError", "no known tracks"),
        (all_hidden, "TruthError", "No known point of this sample is ever visible"),
        (last_frame_only, "TruthError", "There is nothing to count"),
        (_no_point, "FieldError", "has no point"),
        (_more_points, "TruthError", "5 known points, the last with the index 5; 3 tracks"),
        (_elsewhere, "TruthError", "tracks do not start where the known points of the same index do"),
        (_other_frames, "TruthError", "The tracks have 12 frames, the known tracks 10"),
        (_past_the_end, "FieldError", "Frame 12 holds keypoints, but the video has 10 frames"),
        (_no_tracks, "FieldError", "no tracks in frames.tracks"),
        (_half_written, "FieldError", "half written"),
        (_no_index, "FieldError", "have no index"),
    ],
)
def test_a_sample_that_cannot_be_judged_is_a_failure_and_the_rest_is_judged(
    dataset: fo.Dataset, spoil: Callable[[fo.Sample], None], kind: str, message: str
) -> None:
    pt.evaluate_dataset(dataset, "tracks", "truth", eval_key="e")
    spoil(dataset.first())
    report = pt.evaluate_dataset(dataset, "tracks", "truth", eval_key="e", overwrite=True)
    (failure,) = report.failures
    assert (failure.sample_id, failure.kind) == (dataset.first().id, kind)
    assert message in failure.message
    assert report.num_samples == 1
    # no stale score stays
    assert dataset.values("e_delta_avg") == [None, pytest.approx(0.6)]
    assert "1 failure" in str(report)


def test_a_cancelled_run_keeps_what_it_has(dataset: fo.Dataset) -> None:
    answers = iter([False, True])
    report = pt.evaluate_dataset(dataset, "tracks", "truth", cancelled=lambda: next(answers))
    assert [o.status for o in report.outcomes] == ["done", "not run"]
    assert report.cancelled
    assert dataset.values("eval_tracks_delta_avg") == [1.0, None]
    assert "cancelled with 1 sample to go" in str(pt.load_report(dataset, "eval_tracks"))


def test_progress_is_told(dataset: fo.Dataset) -> None:
    seen = []
    pt.evaluate_dataset(dataset, "tracks", "truth", progress=lambda p: seen.append((p.iteration, p.progress)))
    assert seen == [(1, 0.5), (2, 1.0)]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, OptionError, "nothing to evaluate against"),
        ({"gt_field": "tracks"}, OptionError, "same field"),
        ({"gt_field": "frames.truth"}, FieldError, "without the prefix"),
        ({"gt_field": "absent"}, FieldError, "no frame field 'absent' with known tracks"),
        ({"gt_field": "numbers"}, FieldError, "holds IntField, not Keypoints"),
        ({"label_field": "absent", "gt_field": "truth"}, FieldError, "no frame field 'absent' with tracks"),
        ({"gt_field": "truth", "query_mode": "last"}, OptionError, "first, strided"),
        ({"gt_field": "truth", "match": "colour"}, OptionError, "auto, index, place"),
        ({"gt_field": "truth", "metrics": ["speed"]}, OptionError, "'speed'.*tap_vid"),
        ({"gt_field": "truth", "metrics": "tap_vid"}, OptionError, "a list of"),
        ({"gt_field": "truth", "metrics": []}, OptionError, "none"),
        ({"gt_field": "truth", "metrics": None}, OptionError, "a list of"),
        ({"gt_field": "truth", "match": ["index"]}, OptionError, "auto, index, place"),
        ({"gt_field": "truth", "overwrite": "no"}, OptionError, "Invalid overwrite"),
        ({"gt_field": "truth", "progress": "no"}, OptionError, "Invalid progress"),
        ({"gt_field": "truth", "eval_key": "_mine"}, OptionError, "starts with a letter"),
        ({"mask_field": 3}, OptionError, "name of a field"),
        ({"gt_field": "truth", "sparse": "yes"}, OptionError, "Invalid sparse"),
        ({"gt_field": "truth", "eval_key": "a b"}, OptionError, "Invalid evaluation key"),
        ({"gt_field": "truth", "group_by": "absent"}, FieldError, "'absent' to group totals by"),
        ({"gt_field": "truth", "tracker": "optical-flow"}, OptionError, "only used for cycle"),
        ({"cycle": True, "tracker": "nobody"}, UnknownTrackerError, "nobody"),
        ({"cycle": True, "tracker_options": {"resolution": 64}}, OptionError, "go with a tracker's name"),
        ({"mask_field": "frames.truth"}, FieldError, "holds Keypoints on frames"),
        ({"mask_field": "absent"}, FieldError, "no field 'absent'"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_written(
    refusing: fo.Dataset, options: dict, error: type, message: str
) -> None:
    dataset = refusing
    before = list(dataset.get_field_schema())
    with pytest.raises(error, match=message):
        evaluate_dataset(dataset, **options)
    assert list(dataset.get_field_schema()) == before
    assert not [key for key in dataset.list_runs() if key.startswith("eval")]


def test_other_collections_are_refused_and_empty_ones_are_done(dataset: fo.Dataset) -> None:
    with pytest.raises(CollectionError):
        pt.evaluate_dataset([1], "tracks", "truth")
    report = pt.evaluate_dataset(dataset.match(fo.ViewField("filepath") == ""), "tracks", "truth")
    assert (report.run_key, report.outcomes, report.totals_table()) == (None, [], "")
