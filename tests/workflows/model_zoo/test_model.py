"""Trackers as FiftyOne models: `dataset.apply_model` over real files and the real database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from ffmpeg import needs_ffmpeg
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import (
    CollectionError,
    DependencyError,
    EmptyQueriesError,
    FieldError,
    LimitError,
    OptionError,
    QueryError,
    UnknownTrackerError,
)
from point_tracking.workflows.lifecycle.options import given_options
from point_tracking.workflows.model_zoo import model as zoo_model
from point_tracking.workflows.tracking.options import TRACK_DEFAULTS, TrackOptions

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE


def _stored(dataset: fo.Dataset, field: str) -> dict[int, list[dict[str, Any]]]:
    """frame number -> keypoints of the first sample, with everything that was stored but their ids."""
    sample = dataset.first()
    sample.reload()
    found = {}
    for number, frame in sample.frames.items():
        label = frame[field] if frame.has_field(field) else None
        if label is not None:
            documents = [keypoint.to_dict() for keypoint in label.keypoints]
            found[number] = [{k: v for k, v in document.items() if k != "_id"} for document in documents]
    return found


def _assert_same(found: dict[int, list[dict[str, Any]]], expected: dict[int, list[dict[str, Any]]]) -> None:
    # NaN is not equal to itself: compared as text, which is exact for floats
    assert repr(found) == repr(expected)


def _with_clips(dataset: fo.Dataset, *supports: list[int], **options: Any) -> fo.DatasetView:
    sample = dataset.first()
    sample["events"] = fo.TemporalDetections(
        detections=[fo.TemporalDetection(label="event", support=support) for support in supports]
    )
    sample.save()
    return dataset.to_clips("events", **options)


def _box_mask(width: int, height: int) -> np.ndarray:
    mask = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
    mask[:height, :width] = 255
    return mask


@needs_ffmpeg
@pytest.mark.parametrize(
    "options",
    [
        {"grid_size": 4},
        {"grid_size": 3, "frame_index": 5, "backward": True},
        {"points": [(2, 20.5, 30), (0, 5, 5)]},
        {"grid_size": 3, "keep_hidden": True},
        {"grid_size": 3, "layout": "frame"},
        {"grid_size": 3, "sampling": {"every_nth": 3}},
    ],
)
def test_it_stores_what_track_dataset_stores(make_dataset: MakeDataset, clip: Path, options: dict[str, Any]) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, "expected", tracker="optical-flow", **options)
    dataset.apply_model(pt.load_model("optical-flow", **options), label_field="tracks", skip_failures=False)
    expected = _stored(dataset, "expected")
    assert sum(map(len, expected.values())) > 10
    _assert_same(_stored(dataset, "tracks"), expected)
    tracks, reference = (pt.read_tracks(dataset.first(), field) for field in ("tracks", "expected"))
    # track_dataset notes how many tracks there are; tracks never seen at the end are not in the labels alone
    num_points = tracks.num_points
    np.testing.assert_array_equal(tracks.xy, reference.xy[:, :num_points])
    assert not np.isfinite(reference.xy[:, num_points:]).any()


@needs_ffmpeg
def test_a_rotated_video_is_tracked_as_it_is_shown(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.rotated_video(tmp_path / "turned.mp4", 90, num_frames=4))
    pt.track_dataset(dataset, "expected", tracker=drift, grid_size=3)
    dataset.apply_model(pt.load_model(drift, grid_size=3), label_field="tracks", skip_failures=False)
    _assert_same(_stored(dataset, "tracks"), _stored(dataset, "expected"))
    x, y = _stored(dataset, "tracks")[1][0]["points"][0]
    width, height = SIZE[::-1]
    assert (x * width, y * height) == pytest.approx(tuple(pt.grid_queries(3, height=height, width=width).xy[0]))


@needs_ffmpeg
def test_all_frames_that_decode_are_tracked_whatever_is_declared(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.overdeclared_video(tmp_path / "over.mp4", num_frames=10, num_empty=2))
    dataset.apply_model(pt.load_model(drift, grid_size=2), label_field="tracks", skip_failures=False)
    assert sorted(_stored(dataset, "tracks")) == list(range(1, 11))


@needs_ffmpeg
def test_a_clip_gets_tracks_in_its_frames_only(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    clips = _with_clips(dataset, [3, 6], [9, 12])
    clips.apply_model(pt.load_model(drift, grid_size=2, frame_index=1), label_field="tracks", skip_failures=False)
    stored = {number: keypoints for number, keypoints in _stored(dataset, "tracks").items() if keypoints}
    # frame_index counts from the clip's first frame; this tracker knows nothing before its query
    assert sorted(stored) == [4, 5, 6, 10, 11, 12]
    grid = pt.grid_queries(2, height=SIZE[1], width=SIZE[0]).xy
    for first in (4, 10):
        for step in range(3):
            found = [np.multiply(keypoint["points"][0], SIZE) for keypoint in stored[first + step]]
            expected = [xy for xy in grid + np.array([step, 0]) if xy[0] <= SIZE[0] - 1]
            np.testing.assert_allclose(found, expected, atol=1e-4)


@needs_ffmpeg
def test_a_clip_is_tracked_from_its_own_frames(make_dataset: MakeDataset, clip: Path, tmp_path: Path) -> None:
    """The tracker sees the clip's pictures, not those before it."""
    seen: list[int] = []

    class Reader(DriftTracker):
        def _track(self, source: Any, queries: Any, backward: bool, hooks: Any) -> pt.Tracks:
            seen.extend(media.indices_in(frame for chunk in source.chunks() for frame in chunk))
            return super()._track(source, queries, backward, hooks)

    dataset = make_dataset(clip)
    model = pt.load_model(Reader(), grid_size=2, sampling={"every_nth": 2})
    _with_clips(dataset, [3, 6], [9, 12]).apply_model(model, label_field="tracks", skip_failures=False)
    assert seen == [2, 4, 8, 10]
    assert sorted(_stored(dataset, "tracks")) == [3, 5, 9, 11]


@needs_ffmpeg
def test_points_given_for_all_count_from_the_clip_and_those_of_a_field_from_the_video(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample["starts"] = [[0, 4.0, 4.0], [4, 8.0, 8.0]]
    for number in (1, 5):
        sample.frames[number]["seeds"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.5)], index=7)])
    sample.save()
    clips = _with_clips(dataset, [4, 6], other_fields=True)
    clips.apply_model(pt.load_model(drift, points=[(1, 10, 10)]), label_field="given", skip_failures=False)
    model = pt.load_model(drift)
    clips.apply_model(model, label_field="listed", points="starts", skip_failures=False)
    assert model.warnings == [(str(clip), "1 of 2 points lie outside the clip")]
    clips.apply_model(model, label_field="seeded", points="frames.seeds", skip_failures=False)
    for field, xy in (("given", (10, 10)), ("listed", (8, 8)), ("seeded", (SIZE[0] / 2, SIZE[1] / 2))):
        stored = {number: keypoints for number, keypoints in _stored(dataset, field).items() if keypoints}
        assert sorted(stored) == [5, 6], field
        assert np.multiply(stored[5][0]["points"][0], SIZE) == pytest.approx(xy, abs=1e-4)
    with pytest.raises(QueryError, match="has 3 frames"):
        clips.apply_model(pt.load_model(drift, frame_index=3), label_field="late", skip_failures=False)
    sample["starts"] = [[0, 4.0, 4.0]]
    sample.save()
    clips = dataset.to_clips("events", other_fields=True)
    with pytest.raises(EmptyQueriesError, match="None of the 1 points lies in the clip"):
        clips.apply_model(model, label_field="none", points="starts", skip_failures=False)


@needs_ffmpeg
def test_prompts_come_from_fields_named_to_apply_model(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample["object"] = fo.Segmentation(mask=_box_mask(80, 60))
    sample.frames[3]["parts"] = fo.Detections(
        detections=[fo.Detection(label="left", bounding_box=[0, 0, 0.5, 1], mask=np.ones((60, 40), dtype=bool))]
    )
    sample.save()
    model = pt.load_model(drift, grid_size=6)
    dataset.apply_model(model, label_field="tracks", mask_field="object", skip_failures=False)
    pt.track_dataset(dataset, "expected", tracker=drift, grid_size=6, mask_field="object")
    _assert_same(_stored(dataset, "tracks"), _stored(dataset, "expected"))
    assert 0 < len(_stored(dataset, "tracks")[1]) < 36
    assert model.needs_fields == {}

    late = pt.load_model(drift, grid_size=6, frame_index=2, mask_field="frames.parts")
    assert late.needs_fields == {"mask_field": "frames.parts"}
    dataset.apply_model(late, label_field="parts_tracks", skip_failures=False)
    pt.track_dataset(dataset, "expected_parts", tracker=drift, grid_size=6, frame_index=2, mask_field="frames.parts")
    _assert_same(_stored(dataset, "parts_tracks"), _stored(dataset, "expected_parts"))
    # what is named to apply_model takes the place of what was named to load_model
    dataset.apply_model(late, label_field="again", points="frames.tracks", skip_failures=False)
    assert len(_stored(dataset, "again")[1]) == len(_stored(dataset, "tracks")[1])


@needs_ffmpeg
def test_a_view_that_filters_the_mask_filters_the_prompt(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    halves = {"left": [0, 0, 0.5, 1], "right": [0.5, 0, 0.5, 1]}
    full = np.ones((10, 10), dtype=bool)
    sample["parts"] = fo.Detections(
        detections=[fo.Detection(label=label, bounding_box=box, mask=full) for label, box in halves.items()]
    )
    sample.save()
    view = dataset.filter_labels("parts", fo.ViewField("label") == "right")
    view.apply_model(pt.load_model(drift, grid_size=4), label_field="tracks", mask_field="parts", skip_failures=False)
    assert min(keypoint["points"][0][0] for keypoint in _stored(dataset, "tracks")[1]) >= 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid_size": 30}, r"Invalid argument of apply_model \(grid_size\).*load_model\(name, grid_size"),
        ({"points": [(0, 1, 1)]}, r"Expected the name of a field.*load_model"),
        ({"mask_field": ""}, "Expected the name of a field"),
        ({"mask_field": "a", "points": "b"}, "Choose one kind of prompt"),
    ],
)
def test_options_given_to_apply_model_are_refused_with_the_way_out(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker, arguments: dict[str, Any], message: str
) -> None:
    model = pt.load_model(drift)
    with pytest.raises(OptionError, match=message):
        make_dataset(clip).apply_model(model, label_field="tracks", **arguments)
    assert model.needs_fields == {}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"grid_size": 0}, OptionError, "Invalid grid size"),
        (
            {"gridsize": 3},
            OptionError,
            r"the tracker 'optical-flow' \('gridsize'\).* preset,.*besides these, grid_size",
        ),
        ({"label_field": "x"}, OptionError, "apply_model"),
        ({"run_key": "x"}, OptionError, "track_dataset"),
        ({"overwrite": True}, OptionError, "store_in"),
        ({"store_in": "frames.x"}, FieldError, "without the prefix"),
        ({"points": [(0, 1)]}, QueryError, "t, x, y"),
        ({"grid_size": 400}, LimitError, "layout='frame'"),
        ({"confidence_thresh": 2}, OptionError, "from 0 to 1"),
        ({"mask_field": "a", "points": "b"}, OptionError, "one kind of prompt"),
    ],
)
def test_bad_options_are_refused_before_anything_is_loaded(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        pt.load_model("optical-flow", **options)


def test_unknown_names_and_options_of_a_loaded_tracker_are_refused(drift: DriftTracker) -> None:
    with pytest.raises(UnknownTrackerError, match=r"nobody.*optical-flow"):
        pt.load_model("nobody")
    with pytest.raises(OptionError, match="loaded already"):
        pt.load_model(drift, preset="fast")


def test_the_defaults_are_those_of_track_dataset(drift: DriftTracker) -> None:
    options = pt.load_model(drift)._options
    for name in zoo_model.taken_options():
        assert getattr(options, name) == getattr(TRACK_DEFAULTS, name), name


def test_every_option_of_track_dataset_is_taken_or_refused_with_a_reason() -> None:
    names = {spec.name for spec in given_options(TrackOptions)}
    assert names == set(zoo_model.taken_options()) | (set(zoo_model.refused_options()) - {"progress"})


@needs_ffmpeg
def test_failures_are_readable_and_the_rest_is_tracked(
    make_dataset: MakeDataset, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(index: int) -> None:
        raise QueryError("the reason in words")

    dataset = make_dataset(clip)
    model = pt.load_model(DriftTracker(on_frame=fail), grid_size=2)
    with caplog.at_level(logging.WARNING, logger="fiftyone"):
        dataset.apply_model(model, label_field="tracks")
    assert "the reason in words" in caplog.text
    (failure,) = model.failures
    assert (failure.sample_id, failure.kind) == (dataset.first().id, "QueryError")
    assert (failure.filepath, failure.message) == (str(clip), "the reason in words")
    assert not dataset.has_frame_field("tracks")

    dataset = make_dataset(clip, media.text_file(tmp_path / "text.mp4"))
    model = pt.load_model(DriftTracker(), grid_size=2)
    dataset.apply_model(model, label_field="tracks")
    assert sorted(_stored(dataset, "tracks")) == list(range(1, 13))
    assert not dataset.last().frames


@needs_ffmpeg
def test_a_confidence_threshold_hides_points(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    model = pt.load_model(drift, grid_size=2)  # its confidence is 0.5
    dataset.apply_model(model, label_field="low", confidence_thresh=0.4, skip_failures=False)
    dataset.apply_model(model, label_field="high", confidence_thresh=0.6, skip_failures=False)
    assert len(_stored(dataset, "low")[2]) == 4
    assert _stored(dataset, "high")[2] == []
    assert len(_stored(dataset, "high")[1]) == 4, "what was asked for is sure"
    assert model.config.confidence_thresh is None


def test_missing_programs_are_named_before_the_first_sample(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match=r"ffmpeg, ffprobe.*track_dataset"):
        make_dataset(clip).apply_model(pt.load_model(drift), label_field="tracks")


class TestStoreIn:
    """The model that writes its tracks itself."""

    @needs_ffmpeg
    def test_it_writes_what_track_dataset_writes(self, make_dataset: MakeDataset, clip: Path) -> None:
        dataset = make_dataset(clip)
        dataset.apply_model(pt.load_model("optical-flow", grid_size=4, store_in="tracks"), skip_failures=False)
        pt.track_dataset(dataset, "expected", tracker="optical-flow", grid_size=4)
        _assert_same(_stored(dataset, "tracks"), _stored(dataset, "expected"))
        found, expected = (pt.read_tracks(dataset.first(), field) for field in ("tracks", "expected"))
        np.testing.assert_array_equal(found.xy, expected.xy)
        assert found.num_points == 16
        assert dataset.values("tracks_info.state") == ["done"]
        assert dataset.first().metadata.frame_width == SIZE[0]
        # apply_model's own field is not made
        assert not dataset.has_frame_field("predictions")
        assert not dataset.has_sample_field("predictions")

    @needs_ffmpeg
    def test_running_it_again_replaces_instead_of_adding(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        dataset = make_dataset(clip)
        dataset.apply_model(pt.load_model(drift, grid_size=3, store_in="tracks"), skip_failures=False)
        model = pt.load_model(drift, grid_size=2, store_in="tracks")
        dataset.apply_model(model)
        assert [failure.kind for failure in model.failures] == ["FieldExistsError"]
        assert "overwrite=True" in model.failures[0].message
        assert drift.clips == 1  # refused before it was tracked again
        model = pt.load_model(drift, grid_size=2, store_in="tracks", overwrite=True)
        dataset.apply_model(model, skip_failures=False)
        assert [keypoint["index"] for keypoint in _stored(dataset, "tracks")[1]] == [1, 2, 3, 4]

    @needs_ffmpeg
    def test_clips_are_refused(self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
        clips = _with_clips(make_dataset(clip), [1, 12])
        with pytest.raises(CollectionError, match="this is a clip"):
            clips.apply_model(pt.load_model(drift, store_in="tracks"), skip_failures=False)
