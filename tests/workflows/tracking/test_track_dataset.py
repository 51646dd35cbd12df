"""Whole runs over real files and the real database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import DriftTracker, random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import (
    CollectionError,
    FieldError,
    FieldExistsError,
    LimitError,
    OptionError,
    QueryError,
    UnknownTrackerError,
)
from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.tracking import options as options_module
from point_tracking.workflows.tracking.report import TrackReport

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE


def _states(dataset: fo.Dataset, label_field: str = "tracks") -> list[str | None]:
    return dataset.values(f"{label_field}_info.state")


def test_a_run_stores_tracks_metadata_a_mark_and_a_record(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    paths = [media.video(tmp_path / f"{n}.mp4", num_frames=n) for n in (6, 9)]
    dataset = make_dataset(*paths)
    report = pt.track_dataset(dataset, "tracks", tracker=drift, grid_size=4)
    assert report.failures == []
    assert (report.num_samples, report.num_points, report.num_frames) == (2, 32, 15)
    assert str(report).startswith("Tracked 32 points in 2 samples")
    queries = pt.grid_queries(4, height=SIZE[1], width=SIZE[0])
    for sample, num_frames in zip(dataset, (6, 9), strict=True):
        tracks = pt.read_tracks(sample, "tracks")
        expected = queries.xy[None] + np.arange(num_frames)[:, None, None] * [1, 0]
        inside = expected[..., 0] <= SIZE[0] - 1
        np.testing.assert_array_equal(tracks.visible, inside)
        np.testing.assert_allclose(tracks.xy[inside], expected[inside], atol=1e-4)
        assert (sample.metadata.frame_width, sample.metadata.frame_height) == SIZE
        assert sample.metadata.total_frame_count == num_frames
        assert sample["tracks_info"].tracker == "drift"
    assert report.num_keypoints == sum(dataset.values("tracks_info.num_keypoints"))
    assert dataset.list_runs() == [report.run_key]
    config = dataset.get_run_info(report.run_key).config
    assert (config.tracker, config.grid_size, config.num_targets) == ("drift", 4, 2)
    assert config.versions["fiftyone"]
    assert load_report(dataset, report.run_key) == report
    dataset.delete_run(report.run_key)
    assert dataset.list_runs() == []
    with pytest.raises(OptionError, match="no point tracking run"):
        load_report(dataset, report.run_key)


def test_bad_files_are_failures_and_the_run_goes_on(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    good = media.video(tmp_path / "good.mp4", num_frames=5)
    cut = media.truncated(tmp_path / "cut.mp4", media.faststart_video(tmp_path / "whole.mp4"), 0.6)
    bad = {
        tmp_path / "missing.mp4": "VideoNotFoundError",
        media.zero_bytes(tmp_path / "zero.mp4"): "VideoError",
        media.audio_only(tmp_path / "audio.mp4"): "VideoError",
        media.text_file(tmp_path / "text.mp4"): "VideoError",
        media.random_bytes(tmp_path / "noise.mp4"): "VideoError",
    }
    dataset = make_dataset(good, *bad, cut)
    report = pt.track_dataset(dataset, tracker=drift, grid_size=3)
    assert {Path(f.filepath): f.kind for f in report.failures} == bad
    assert all(f.message for f in report.failures)
    assert [o.status for o in report.outcomes] == ["done", *["failed"] * 5, "done"]
    assert _states(dataset) == ["done", *[None] * 5, "done"]
    cut_outcome = report.outcomes[-1]
    assert 0 < cut_outcome.num_frames < 40
    assert cut_outcome.warnings
    assert len(dataset.last().frames) == cut_outcome.num_frames
    assert all(len(sample.frames) == 0 for sample in dataset[1:6])


@pytest.mark.parametrize(
    "make",
    [
        lambda p: media.video(p / "one.mp4", num_frames=1),
        lambda p: media.video(p / "two.mp4", num_frames=2),
        lambda p: media.odd_sized_video(p / "odd.mp4"),
        lambda p: media.rotated_video(p / "rotated.mp4", 270),
        lambda p: media.variable_rate_video(p / "variable.mp4", num_frames=9),
        lambda p: media.ten_bit_video(p / "ten_bit.mp4"),
        lambda p: media.grey_video(p / "grey.mp4"),
    ],
)
def test_unusual_video_works_with_the_default_tracker(
    make_dataset: MakeDataset, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    dataset = make_dataset(path)
    report = pt.track_dataset(dataset, grid_size=5)
    assert report.failures == []
    tracks = pt.read_tracks(dataset.first(), "tracks")
    assert tracks.xy.shape == (pt.probe(path, exact=True).exact_frames, 25, 2)
    assert tracks.visible[0].all()


def test_sampled_frames_keep_the_numbers_of_the_video(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=10))
    report = pt.track_dataset(dataset, tracker=drift, points=[(4, 20, 20)], sampling={"every_nth": 3}, backward=True)
    assert report.failures == []
    tracks = pt.read_tracks(dataset.first(), "tracks")
    # frame 4 holds the query, so it is used although it is no third frame
    assert np.flatnonzero(tracks.visible[:, 0]).tolist() == [0, 3, 4, 6, 9]
    np.testing.assert_allclose(tracks.xy[[0, 3, 4, 6, 9], 0, 0], [18, 19, 20, 21, 22], atol=1e-4)
    assert len(dataset.first().frames) == 10


def test_masks_choose_grid_points(make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(4)])
    left = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
    left[:, : SIZE[0] // 2] = 7
    wide = np.ones((10, 200), dtype=np.uint8)
    for sample, mask in zip(dataset, (left, np.zeros_like(left), None, wide), strict=True):
        if mask is not None:
            sample["object"] = fo.Segmentation(mask=mask)
            sample.save()
    report = pt.track_dataset(dataset, tracker=drift, grid_size=6, mask_field="object")
    assert [o.status for o in report.outcomes] == ["done", "no prompt", "no prompt", "done"]
    assert report.failures == []
    assert report.outcomes[0].num_points == 18
    assert report.outcomes[0].warnings == ()
    assert report.outcomes[3].num_points == 36
    assert "stretched" in report.outcomes[3].warnings[0]
    expected = pt.grid_queries(6, height=SIZE[1], width=SIZE[0], mask=left)
    np.testing.assert_allclose(pt.read_tracks(dataset.first(), "tracks").xy[0], expected.xy, atol=1e-4)


def test_masks_on_frames_are_read_at_the_query_frame(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=6))
    sample = dataset.first()
    sample.frames[4]["objects"] = fo.Detections(
        detections=[
            fo.Detection(bounding_box=[0, 0, 0.5, 1], mask=np.ones((8, 8), dtype=bool)),
            fo.Detection(bounding_box=[0.75, 0, 0.25, 1], mask=np.ones((8, 8), dtype=bool)),
        ]
    )
    sample.frames[5]["objects"] = fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 0.5, 1])])
    sample.save()
    report = pt.track_dataset(dataset, tracker=drift, grid_size=8, mask_field="frames.objects", frame_index=3)
    assert report.failures == []
    x = pt.read_tracks(sample, "tracks").xy[3, :, 0] / SIZE[0]
    assert ((x < 0.5) | (x > 0.74)).all()
    assert len(x) == 8 * 6
    report = pt.track_dataset(dataset, "other", tracker=drift, mask_field="frames.objects", frame_index=0)
    assert (report.outcomes[0].status, "in frame 0" in (report.outcomes[0].message or "")) == ("no prompt", True)
    report = pt.track_dataset(dataset, "other", tracker=drift, mask_field="frames.objects", frame_index=4)
    assert "no mask" in report.failures[0].message


def test_points_per_sample_and_from_fields(make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(2)])
    first, second = dataset.values("id")
    report = pt.track_dataset(dataset, "a", tracker=drift, points={first: [(0, 5, 6), (2, 7, 8)]})
    assert [o.status for o in report.outcomes] == ["done", "no prompt"]
    np.testing.assert_allclose(pt.read_tracks(dataset[first], "a").xy[2], [[7, 6], [7, 8]], atol=1e-4)
    sample = dataset[second]
    sample["clicks"] = [[1, 9.0, 10.0]]
    sample.frames[2]["joints"] = fo.Keypoints(
        keypoints=[fo.Keypoint(points=[(0.5, 0.5)], index=4), fo.Keypoint(points=[(1.5, 0.5)], index=5)]
    )
    sample.frames[3]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.25, 0.5)], index=4)])
    sample.save()
    report = pt.track_dataset(dataset, "b", tracker=drift, points="clicks")
    assert [o.status for o in report.outcomes] == ["no prompt", "done"]
    np.testing.assert_allclose(pt.read_tracks(sample, "b").xy[1], [[9, 10]], atol=1e-4)
    report = pt.track_dataset(dataset.select(second), "c", tracker=drift, points="frames.joints")
    # one query per index, where it is first seen; the one outside the frame is left out and told
    np.testing.assert_allclose(pt.read_tracks(sample, "c").xy[1], [[SIZE[0] / 2, SIZE[1] / 2]], atol=1e-4)
    assert "1 of 2 points" in report.outcomes[0].warnings[0]


def test_queries_outside_the_video_are_failures(make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=4))
    for points, text in (([(0, SIZE[0], 1)], "outside"), ([(4, 1, 1)], "has 4 frames")):
        report = pt.track_dataset(dataset, tracker=drift, points=points)
        assert (report.failures[0].kind, text in report.failures[0].message) == ("QueryError", True)
    report = pt.track_dataset(dataset, tracker=drift, frame_index=99, sampling={"fps": 2})
    assert report.failures[0].kind == "QueryError"
    assert not dataset.has_frame_field("tracks")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"grid_size": 0}, OptionError),
        ({"grid_size": -3}, OptionError),
        ({"grid_size": 2.5}, OptionError),
        ({"grid_size": 400}, LimitError),
        ({"frame_index": -1}, OptionError),
        ({"points": [(0, float("nan"), 1)]}, QueryError),
        ({"points": [(0.5, 1, 1)]}, QueryError),
        ({"points": [(0, 1)]}, QueryError),
        ({"points": []}, QueryError),
        ({"points": "nothing_here"}, FieldError),
        ({"points": "filepath"}, FieldError),
        ({"points": [(0, 1, 1)], "mask_field": "filepath"}, OptionError),
        ({"mask_field": "nothing_here"}, FieldError),
        ({"mask_field": "filepath"}, FieldError),
        ({"tracker": "nobody"}, UnknownTrackerError),
        ({"tracker_options": {"no_such_option": 1}}, OptionError),
        ({"label_field": "frames.tracks"}, FieldError),
        ({"label_field": "my tracks"}, FieldError),
        ({"layout": "dots"}, OptionError),
        ({"layout": "frame", "keep_hidden": True}, OptionError),
        ({"overwrite": True, "skip_existing": True}, OptionError),
        ({"sampling": {"fps": -1}}, OptionError),
        ({"sampling": {"speed": 1}}, OptionError),
        ({"run_key": "not a key"}, OptionError),
        *(
            ({name: "no"}, OptionError)
            for name in ("backward", "keep_hidden", "overwrite", "skip_existing", "interpolate", "wait_for_others")
        ),
        ({"progress": "yes"}, OptionError),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    make_dataset: MakeDataset, clip: Path, arguments: dict, error: type[Exception]
) -> None:
    dataset = make_dataset(clip)
    with pytest.raises(error) as caught:
        pt.track_dataset(dataset, **arguments)
    assert isinstance(caught.value, pt.PointTrackingError)
    assert len(str(caught.value)) > 20
    assert not dataset.has_frame_field("tracks")
    assert not dataset.has_sample_field("tracks_info")
    assert len(dataset.first().frames) == 0


def test_points_times_frames_has_a_named_limit(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    monkeypatch.setattr(options_module, "MAX_POINTS_X_FRAMES", 100)
    report = pt.track_dataset(dataset, tracker=drift, grid_size=3)
    assert (report.failures[0].kind, "100 per video" in report.failures[0].message) == ("LimitError", True)
    pt.track_dataset(dataset, tracker=drift, grid_size=2)  # fills in the metadata
    with pytest.raises(LimitError, match="100 per video"):
        pt.track_dataset(dataset, tracker=drift, grid_size=3, overwrite=True)


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


def test_a_tracker_that_breaks_fails_its_sample_only(make_dataset: MakeDataset, tmp_path: Path) -> None:
    paths = [media.video(tmp_path / f"{n}.mp4", num_frames=n) for n in (4, 9, 5)]

    def explode(frame: int) -> None:
        if frame == 7:
            raise RuntimeError("broken on frame 7")

    dataset = make_dataset(*paths)
    report = pt.track_dataset(dataset, tracker=DriftTracker(explode), grid_size=2)
    assert [o.status for o in report.outcomes] == ["done", "failed", "done"]
    assert (report.failures[0].kind, report.failures[0].message) == ("RuntimeError", "broken on frame 7")
    assert len(dataset[report.failures[0].sample_id].frames) == 0


def test_a_tracker_that_returns_other_sizes_fails(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch, drift: DriftTracker
) -> None:
    wrong = random_tracks(np.random.default_rng(0), 3, 4, SIZE)
    monkeypatch.setattr(drift, "_track", lambda *_: wrong)
    report = pt.track_dataset(make_dataset(clip), tracker=drift, grid_size=2)
    assert (report.failures[0].kind, "3 frames x 4 points" in report.failures[0].message) == ("ShapeError", True)


def test_progress_rises_to_one_and_cancelling_undoes_the_current_sample(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=20) for k in range(3)])
    seen: list[float] = []
    tracker = DriftTracker()
    report = pt.track_dataset(
        dataset,
        tracker=tracker,
        grid_size=2,
        progress=lambda p: seen.append(p.progress),
        cancelled=lambda: tracker.clips == 2,
    )
    assert report.cancelled
    assert [o.status for o in report.outcomes] == ["done", "not run", "not run"]
    assert _states(dataset) == ["done", None, None]
    assert seen == sorted(seen)
    assert 1 / 3 <= seen[-1] < 2 / 3
    assert load_report(dataset, report.run_key).cancelled
    report = pt.track_dataset(
        dataset, tracker=tracker, grid_size=2, skip_existing=True, progress=lambda p: seen.append(p.progress)
    )
    assert [o.status for o in report.outcomes] == ["skipped", "done", "done"]
    assert seen[-1] == 1.0


def test_ctrl_c_keeps_what_is_finished_and_the_record(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(2)])
    tracker = DriftTracker()

    def interrupt(_: int) -> None:
        if tracker.clips == 2:
            raise KeyboardInterrupt

    tracker._on_frame = interrupt
    with pytest.raises(KeyboardInterrupt):
        pt.track_dataset(dataset, tracker=tracker, grid_size=2, run_key="night_run")
    assert _states(dataset) == ["done", None]
    report = load_report(dataset, "night_run")
    assert isinstance(report, TrackReport)
    assert report.cancelled
    assert [o.status for o in report.outcomes] == ["done", "not run"]


def test_run_keys_are_not_taken_over_silently(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, "a", tracker=drift, grid_size=2, run_key="mine")
    with pytest.raises(OptionError, match="run 'mine' already"):
        pt.track_dataset(dataset, "b", tracker=drift, grid_size=2, run_key="mine")
    pt.track_dataset(dataset, "a", tracker=drift, grid_size=2, run_key="mine", skip_existing=True)
    report = load_report(dataset, "mine")
    assert isinstance(report, TrackReport)
    assert [o.status for o in report.outcomes] == ["skipped"]


def test_metadata_of_the_user_stays(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.metadata = fo.VideoMetadata(frame_width=1, frame_height=2, total_frame_count=12, encoding_str="mine")
    sample.save()
    pt.track_dataset(dataset, tracker=drift, grid_size=2)
    assert dataset.first().metadata.encoding_str == "mine"
