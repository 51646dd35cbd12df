"""Stored tracks judged by stored truth: what is matched, counted, stored and refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError, UnknownTrackerError
from point_tracking.workflows.evaluation.evaluate_dataset import evaluate_dataset

WIDTH, HEIGHT = media.SIZE
NUM_FRAMES, NUM_POINTS = 12, 3
# pixels of the clip per pixel of the 256 x 256 frame, in x
PX = WIDTH / 256


def truth_xy(num_points: int = NUM_POINTS) -> np.ndarray:
    """Points that move one pixel to the right per frame."""
    start = np.stack([20 + 30 * np.arange(num_points), np.full(num_points, 60)], axis=1)
    return start[None] + np.arange(NUM_FRAMES)[:, None, None] * np.array([1.0, 0.0])


def tracks_of(xy: np.ndarray, visible: Any = True) -> pt.Tracks:
    visible = np.broadcast_to(np.asarray(visible, dtype=bool), xy.shape[:2])
    known = np.isfinite(xy).all(axis=2)
    return pt.Tracks(xy, visible & known, known.astype(np.float32))


@pytest.fixture
def dataset(make_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> fo.Dataset:
    """Two clips with truth; the first is tracked perfectly, the second three pixels (of 256) off."""
    dataset = make_dataset(*(media.video(tmp_path / f"{k}.mp4", num_frames=NUM_FRAMES) for k in range(2)))
    for sample, error in zip(dataset, (0.0, 3 * PX), strict=True):
        found = truth_xy()
        found[1:, :, 0] += error
        pt.write_tracks(sample, "truth", tracks_of(truth_xy()))
        pt.write_tracks(sample, "tracks", tracks_of(found))
    return dataset


def replace(sample: fo.Sample, field: str, xy: np.ndarray, visible: Any = True, **options: Any) -> None:
    pt.write_tracks(sample, field, tracks_of(xy, visible), overwrite=True, **options)


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


def test_the_table_is_what_a_report_prints(dataset: fo.Dataset) -> None:
    text = str(pt.evaluate_dataset(dataset, "tracks", "truth"))
    assert text.startswith("Evaluated frames.tracks of 2 samples against frames.truth (queried first)")
    assert "| delta_avg   |  80.0 |" in text
    assert "| MTE px      |  1.50 |" in text
    assert "< 4 px" not in text
    assert "outside" not in text  # nothing to count


def test_samples_are_listed_by_what_became_of_them(dataset: fo.Dataset) -> None:
    _all_hidden(dataset.last())
    report = pt.evaluate_dataset(dataset, "tracks", "truth", metrics=["tap_vid"])
    assert [row["sample_id"] for row in report.rows("failed")] == [dataset.last().id]
    head, _, good = report.table("done").splitlines()
    assert head.startswith("| status | filepath | delta_avg | aj |")
    assert "| 1.000 |" in good
    assert "ever visible" in report.table("failed")


def test_score_fields_say_what_they_mean_and_match_the_report(dataset: fo.Dataset) -> None:
    report = pt.evaluate_dataset(dataset, "tracks", "truth", metrics=["point_odyssey"], eval_key="mine")
    written = [name for name in dataset.get_field_schema() if name.startswith("mine_")]
    assert written == report.fields == ["mine_track_survival", "mine_mte_px"]
    field = dataset.get_field("mine_mte_px")
    assert isinstance(field, fo.FloatField)
    assert "Median trajectory error" in field.description


def test_totals_per_group(dataset: fo.Dataset) -> None:
    dataset.set_values("kind", ["easy", None])
    report = pt.evaluate_dataset(dataset, "tracks", "truth", group_by="kind")
    assert [(t.group, t.num_samples) for t in report.totals] == [("easy", 1), (None, 1)]
    assert [t.figures["delta_avg"] for t in report.totals] == pytest.approx([1.0, 0.6])
    assert "(no kind)" in report.totals_table()


def test_many_groups_are_rows(dataset: fo.Dataset) -> None:
    report = pt.evaluate_dataset(dataset, "tracks", "truth", group_by="filepath")
    report.outcomes = [
        type(o)(**{**o.__dict__, "group": f"g{k}|{o.sample_id}"}) for k in range(3) for o in report.outcomes
    ]
    lines = report.totals_table().splitlines()
    assert len(lines) == 2 + 6
    assert lines[2].startswith("| g0\\|")


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
        _all_hidden(sample)
    report = pt.evaluate_dataset(dataset, "tracks", "truth")
    assert len(report.failures) == 2
    assert pt.load_report(dataset, "eval_tracks").to_dict() == report.to_dict()
    dataset.delete_sample_fields(report.fields)
    assert not [name for name in dataset.get_field_schema() if name.startswith("eval_")]


@pytest.mark.parametrize("options", [{}, {"keep_hidden": True}, {"layout": "frame"}])
def test_frames_between_sampled_ones_do_not_count(dataset: fo.Dataset, options: dict[str, Any]) -> None:
    sampled = np.arange(0, NUM_FRAMES, 3)
    found = truth_xy()[sampled]
    visible = np.ones(found.shape[:2], bool)
    visible[2] = False  # a frame that was tracked, and in which nothing is seen
    tracks = tracks_of(found, visible)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", tracks, frame_numbers=sampled + 1, overwrite=True, **options)
    outcome = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0]
    assert outcome.warnings[0] == "only 4 of 12 frames were tracked: the others do not count"
    # frames 3, 6 and 9 count
    assert outcome.figures["oa"] == outcome.figures["visible"] == pytest.approx(2 / 3)
    assert outcome.figures["delta_avg"] == (1.0 if "keep_hidden" in options else pytest.approx(2 / 3))
    assert outcome.figures["mte_px"] == 0.0


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


def test_strided_queries_count_frames_on_both_sides(dataset: fo.Dataset) -> None:
    # the perfect track of one point is lost at the start: of 12 frames, 0 to 3 are far off
    xy = truth_xy(1)
    sample = dataset.first()
    replace(sample, "truth", xy)
    found = xy.copy()
    found[:4, 0, 1] += 55
    replace(sample, "tracks", found)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", query_mode="strided", match="index")
    # queries in frames 0, 5, 10: of 11 other frames, 3, 4 and 4 are wrong
    assert report.outcomes[0].figures["delta_avg"] == pytest.approx((8 + 7 + 7) / 33)
    assert "each track answers all queries" in report.warnings[0][1]
    assert report.outcomes[0].num_points == 3


def test_strided_queries_that_were_tracked_each_are_answered_each(dataset: fo.Dataset) -> None:
    points = pt.truth_queries(dataset, "truth", query_mode="strided")
    assert [len(rows) for rows in points.values()] == [9, 9]
    assert points[dataset.first().id][1] == (5, pytest.approx(25), pytest.approx(60))
    pt.track_dataset(dataset, "strided", tracker=DriftTracker(), points=points, backward=True)
    report = pt.evaluate_dataset(dataset, "strided", "truth", query_mode="strided")
    assert [o.matched_by for o in report.outcomes] == ["query", "query"]
    assert report.warnings == []
    assert [o.figures["delta_avg"] for o in report.outcomes] == [1.0, 1.0]


def test_tracks_of_the_truths_queries_are_found_by_place(dataset: fo.Dataset) -> None:
    """A prompt field numbers its points by first appearance, which need not be the truth's index."""
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:4, 0] = False  # index 1 appears last
    for sample in dataset:
        replace(sample, "truth", truth_xy(), visible)
    pt.track_dataset(dataset, "again", tracker=DriftTracker(), points="truth")
    report = pt.evaluate_dataset(dataset, "again", "truth")
    assert report.failures == []
    assert [o.matched_by for o in report.outcomes] == ["place", "place"]
    assert [o.figures["aj"] for o in report.outcomes] == [1.0, 1.0]
    swapped = truth_xy()[:, ::-1]
    replace(dataset.first(), "again", swapped)
    report = pt.evaluate_dataset(dataset.limit(1), "again", "truth")
    assert report.outcomes[0].matched_by == "place"
    assert report.outcomes[0].figures["delta_avg"] == 1.0
    by_index = pt.evaluate_dataset(dataset.limit(1), "again", "truth", match="index")
    # the middle one of 7, 11 and 11 counted frames
    assert by_index.outcomes[0].figures["delta_avg"] == pytest.approx(11 / 29)


def test_corrected_tracks_are_truth_for_the_points_they_hold(dataset: fo.Dataset) -> None:
    """A person copied the field, moved one keypoint, and deleted the tracks that were not looked at."""
    dataset.clone_frame_field("tracks", "corrected")
    sample = dataset.first()
    for number in range(1, NUM_FRAMES + 1):
        label = sample.frames[number]["corrected"]
        label.keypoints = [k for k in label.keypoints if k.index == 2]
        if number == 7:
            label.keypoints[0].points = [(0.9, 0.9)]
    sample.save()
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "corrected")
    outcome = report.outcomes[0]
    assert (outcome.matched_by, outcome.num_points) == ("index", 1)
    assert outcome.figures["delta_avg"] == pytest.approx(10 / 11)


def test_instances_match_where_there_is_no_index(dataset: fo.Dataset) -> None:
    instances = [fo.Instance() for _ in range(NUM_POINTS)]
    sample = dataset.first()
    for number in range(1, NUM_FRAMES + 1):
        keypoints = sample.frames[number]["tracks"].keypoints
        for keypoint in keypoints:
            keypoint.instance = instances[keypoint.index - 1]
        sample.frames[number]["linked"] = fo.Keypoints(
            keypoints=[fo.Keypoint(points=k.points, instance=k.instance) for k in keypoints[::-1]]
        )
    sample.save()
    replaced = pt.evaluate_dataset(dataset.limit(1), "tracks", "linked")
    assert replaced.failures == []
    assert replaced.outcomes[0].matched_by == "instance"
    assert replaced.outcomes[0].figures["delta_avg"] == 1.0


@pytest.mark.parametrize("layout", ["points", "frame"])
def test_frames_without_a_label_are_hidden_or_unknown(dataset: fo.Dataset, layout: str) -> None:
    sample = dataset.first()
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[6:] = False
    replace(sample, "truth", truth_xy(), visible, layout=layout)
    one = dataset.limit(1)
    assert pt.evaluate_dataset(one, "tracks", "truth").outcomes[0].figures["oa"] == pytest.approx(5 / 11)
    assert pt.evaluate_dataset(one, "tracks", "truth", sparse=True).outcomes[0].figures["oa"] == 1.0
    dataset.set_values("truth_sparse", [True, False])
    assert pt.evaluate_dataset(one, "tracks", "truth").outcomes[0].figures["oa"] == 1.0
    assert pt.evaluate_dataset(one, "tracks", "truth", sparse=False).outcomes[0].figures["oa"] == pytest.approx(5 / 11)


def test_hidden_truth_outside_the_frame_counts_against_visible_predictions(dataset: fo.Dataset) -> None:
    xy = truth_xy()
    xy[6:, 2, 0] = WIDTH + 10
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[6:, 2] = False
    replace(dataset.first(), "truth", xy, visible, keep_hidden=True)
    figures = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0].figures
    assert figures["outside"] == 1.0
    assert figures["oa"] == pytest.approx(27 / 33)


@pytest.mark.parametrize("key", ["index", "instance"])
def test_points_that_somebody_marks_as_occluded_are_hidden(dataset: fo.Dataset, key: str) -> None:
    """The attribute as other programs leave it: in the labels, and not declared in the schema."""
    sample = dataset.first()
    instances = [fo.Instance() for _ in range(NUM_POINTS)]
    for number in range(1, NUM_FRAMES + 1):
        keypoints = sample.frames[number]["tracks"].keypoints
        for keypoint in keypoints:
            keypoint.instance = instances[keypoint.index - 1]
        sample.frames[number]["marked"] = fo.Keypoints(
            keypoints=[
                fo.Keypoint(points=k.points, occluded=number > 6 and k.index == 2, **{key: getattr(k, key)})
                for k in keypoints
            ]
        )
    sample.save()
    assert dataset.get_field("frames.marked.keypoints.occluded") is None
    outcome = pt.evaluate_dataset(dataset.limit(1), "tracks", "marked").outcomes[0]
    assert outcome.matched_by == key
    assert outcome.figures["oa"] == pytest.approx(27 / 33)
    if key == "index":
        assert pt.read_tracks(dataset.first(), "marked").visible.sum() == NUM_FRAMES * NUM_POINTS - 6


@pytest.mark.parametrize("key", ["index", "instance"])
def test_a_label_outside_the_frame_is_no_visible_point(dataset: fo.Dataset, key: str) -> None:
    """As another program may write it: outside, and not marked as hidden."""
    sample = dataset.first()
    instances = [fo.Instance() for _ in range(NUM_POINTS)]
    for number in range(1, NUM_FRAMES + 1):
        for keypoint in sample.frames[number]["truth"].keypoints:
            if keypoint.index == 1 and number <= 4:
                keypoint.points = [(1.2, 0.5)]
            if key == "instance":
                keypoint.instance, keypoint.index = instances[keypoint.index - 1], None
    sample["truth_info"] = None
    sample.save()
    if key == "instance":
        for number in range(1, NUM_FRAMES + 1):
            for keypoint in sample.frames[number]["tracks"].keypoints:
                keypoint.instance = instances[keypoint.index - 1]
        sample.save()
    assert sorted(t for t, _, _ in pt.truth_queries(dataset.limit(1), "truth")[sample.id]) == [0, 0, 4]
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", query_mode="strided", match="index")
    figures = report.outcomes[0].figures
    assert (figures["delta_avg"], figures["outside"]) == (1.0, 1.0)
    # 4 of the 11 frames around both queries of that point are wrong, of 8 queries
    assert figures["oa"] == pytest.approx(1 - 2 * 4 / (8 * 11))


def test_tracks_without_their_hidden_positions_are_warned_about(dataset: fo.Dataset) -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[8:] = False
    sample = dataset.first()
    replace(sample, "tracks", truth_xy(), visible)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth")
    assert "keep_hidden=True" in report.warnings[0][1]
    assert report.outcomes[0].figures["delta_avg"] == pytest.approx(7 / 11)
    replace(sample, "tracks", truth_xy(), visible, keep_hidden=True)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth")
    assert report.warnings == []
    assert report.outcomes[0].figures["delta_avg"] == 1.0


def test_query_frames_can_be_given_with_the_truth(dataset: fo.Dataset) -> None:
    """Tracked from frame 5 on: earlier frames, in which the truth is known too, were not asked for."""
    found = truth_xy()
    found[:5] = np.nan
    replace(dataset.first(), "tracks", found, np.isfinite(found[..., 0]))
    assert pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0].figures["delta_avg"] == pytest.approx(
        7 / 11
    )
    dataset.set_values("truth_query_frames", [[5, 5, -1], None])
    outcome = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0]
    assert (outcome.figures["delta_avg"], outcome.num_points) == (1.0, 2)
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[5] = False
    replace(dataset.first(), "truth", truth_xy(), visible)
    for frames, message in (
        ([5, 5, -1], "not known to be visible"),
        ([NUM_FRAMES, 0, 0], "frame 12 .counted from 0., but the video has 12 frames"),
        (["five", "five", "none"], "other things than frame indices"),
        ([0.5, 0.0, 0.0], "other things than frame indices"),
    ):
        dataset.delete_sample_field("truth_query_frames")
        dataset.set_values("truth_query_frames", [frames, None])
        (failure,) = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").failures
        assert failure.kind == "TruthError"
        assert re.search(message, failure.message)


def _no_truth(sample: fo.Sample) -> None:
    sample.frames.clear()
    sample.save()
    pt.write_tracks(sample, "tracks", tracks_of(truth_xy()), overwrite=True)


def _all_hidden(sample: fo.Sample) -> None:
    replace(sample, "truth", truth_xy(), visible=False, keep_hidden=True)


def _last_frame_only(sample: fo.Sample) -> None:
    visible = np.zeros((NUM_FRAMES, NUM_POINTS), bool)
    visible[-1] = True
    replace(sample, "truth", truth_xy(), visible)


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
        (_no_truth, "TruthError", "no known tracks"),
        (_all_hidden, "TruthError", "No known point of this sample is ever visible"),
        (_last_frame_only, "TruthError", "There is nothing to count"),
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


def test_points_that_no_strided_query_sees_are_named(dataset: fo.Dataset) -> None:
    _last_frame_only(dataset.first())
    (failure,) = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", query_mode="strided").failures
    assert "ever visible in frames 0, 5, 10, ..." in failure.message


def test_points_that_are_never_visible_are_left_out_and_named(dataset: fo.Dataset) -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:, 1] = False
    replace(dataset.first(), "truth", truth_xy(), visible, keep_hidden=True)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth")
    assert report.outcomes[0].num_points == 2
    assert "1 of 3 known points are never visible" in report.warnings[0][1]


def test_masks_judge_the_points_that_start_on_them(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[-1, 0] = False
    replace(sample, "tracks", truth_xy(), visible)
    for number in range(1, NUM_FRAMES):  # the last frame has no mask
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[40:80, 10:26] = 1  # the first point leaves it after frame 6, the others are never on it
        sample.frames[number]["object"] = fo.Segmentation(mask=mask)
    sample.save()
    report = pt.evaluate_dataset(dataset, "tracks", mask_field="frames.object")
    figures = report.outcomes[0].figures
    # x is 21 to 30 in frames 1 to 10 (from 0); on the mask, with two pixels of tolerance, up to 27
    assert figures == {"on_object": pytest.approx(7 / 10), "mask_visible": 1.0}
    assert report.failures[0].message == "No frame of this sample has a mask in 'object'"
    far = np.full((NUM_FRAMES, 1, 2), 100.0)
    replace(sample, "tracks", far)
    (failure, _) = pt.evaluate_dataset(dataset, "tracks", mask_field="object").failures
    assert "starts on the object" in failure.message


def test_what_one_judge_cannot_tell_another_may(dataset: fo.Dataset) -> None:
    _no_truth(dataset.first())
    report = pt.evaluate_dataset(dataset, "tracks", "truth", cycle=True, tracker=DriftTracker())
    assert report.failures == []
    assert [o.figures.get("delta_avg") for o in report.outcomes] == [None, pytest.approx(0.6)]
    assert dataset.values("eval_tracks_cycle_share") == [1.0, 1.0]
    ((_, warning),) = report.warnings
    assert warning.startswith("not judged by known tracks (TruthError): This sample has no known tracks")


def test_cycles_need_no_truth(dataset: fo.Dataset) -> None:
    """The drift tracker goes right in both directions of time: after n frames there and n back it is 2 n off."""
    pt.track_dataset(dataset, "drifted", tracker=DriftTracker(), points=[(0, 20, 60), (8, 20, 60)])
    report = pt.evaluate_dataset(dataset, "drifted", cycle=True, tracker=DriftTracker())
    figures = report.outcomes[0].figures
    # 11 frames there and back: 22 px; 3 frames: 6 px; of 256: 35.2 and 9.6
    assert figures["cycle_px"] == pytest.approx((22 + 6) / 2 / PX)
    assert figures["cycle_avg"] == pytest.approx((1 / 2) / 5)
    assert (figures["cycle_share"], figures["cycle_length"]) == (1.0, 1.0)
    assert dataset.values("eval_drifted_cycle_px") == pytest.approx([14 / PX] * 2)


def test_the_way_back_is_the_trackers_own_unless_told(dataset: fo.Dataset) -> None:
    options = {"resolution": 64}
    pt.track_dataset(dataset.limit(1), "flow", tracker="optical-flow", grid_size=3, tracker_options=options)
    report = pt.evaluate_dataset(dataset.limit(1), "flow", cycle=True)
    assert report.failures == []
    assert report.outcomes[0].figures["cycle_share"] is not None
    (failure,) = pt.evaluate_dataset(dataset.limit(1), "tracks", cycle=True).failures
    assert (failure.kind, "Name one to go back with" in failure.message) == ("OptionError", True)
    by_name = pt.evaluate_dataset(dataset.limit(1), "tracks", cycle=True, tracker="optical-flow")
    assert by_name.failures == []


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
    dataset: fo.Dataset, options: dict, error: type, message: str
) -> None:
    dataset.add_frame_field("numbers", fo.IntField)
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
