"""What is tracked in a sample: grids, masks and points, of copies too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import EmptyQueriesError, FieldError, NoPromptError, OptionError, QueryError
from point_tracking.tracker.models.base import Capabilities
from point_tracking.workflows.tracking.options import TrackOptions
from point_tracking.workflows.tracking.prompts import check_prompt_fields, prompt_of, reads_masks_of_sources

SIZE = media.SIZE

MakeDataset = Callable[..., fo.Dataset]


def test_masks_of_the_sources_choose_points_on_their_copies(
    dataset: fo.Dataset, out: Path, drift: DriftTracker
) -> None:
    left = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
    left[:, : SIZE[0] // 2] = 1
    for sample in dataset:
        sample["object"] = fo.Segmentation(mask=left)
        sample.frames[1]["object_at"] = fo.Segmentation(mask=left)
        sample.save()
    copies = pt.preprocess_dataset(dataset, out, every_nth=5, longest_side=80).dataset
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=4, mask_field="object", write_to="source")
    assert media.besides_ground(report) == []
    assert (report.failures, report.num_points) == ([], 2 * 8)
    dataset.reload()
    assert (pt.read_tracks(dataset.first(), "back").xy[0, :, 0] < SIZE[0] / 2).all()
    with pytest.raises(FieldError, match="Use a mask field on samples"):
        pt.track_dataset(copies, "b", tracker=drift, mask_field="object_at", write_to="source")
    with pytest.raises(FieldError, match=r"preprocessed copies, without the fields.*write_to='source'"):
        pt.track_dataset(copies, "b", tracker=drift, mask_field="object")
    with pytest.raises(FieldError, match="has to be stored with the copies"):
        pt.track_dataset(copies, "b", tracker=drift, points="object", write_to="source")


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
    assert report.outcomes[3].num_points == 36
    (stretched,) = media.besides_ground(report)
    assert "stretched" in stretched
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


def test_what_is_asked_of_all_samples_and_lies_outside_some_videos_is_no_failure(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(
        media.video(tmp_path / "short.mp4", num_frames=4),
        media.video(tmp_path / "long.mp4", num_frames=9),
        media.video(tmp_path / "large.mp4", num_frames=4, size=(2 * SIZE[0], SIZE[1])),
    )
    for label_field, options, expected, text in (
        ("a", {"points": [(0, SIZE[0], 1)]}, ["no prompt", "no prompt", "done"], "outside"),
        ("b", {"points": [(4, 1, 1)]}, ["no prompt", "done", "no prompt"], "has 4 frames"),
        ("c", {"frame_index": 6, "grid_size": 2}, ["no prompt", "done", "no prompt"], "has 4 frames"),
        ("d", {"frame_index": 6, "grid_size": 2, "sampling": {"fps": 2}}, ["no prompt", "done", "no prompt"], "4 fra"),
    ):
        report = pt.track_dataset(dataset, label_field, tracker=drift, **options)
        assert [o.status for o in report.outcomes] == expected
        assert text in (report.outcomes[0].message or "")
        assert (report.failures, report.num_no_prompt, report.num_outside) == ([], 2, 2)
        assert "2 samples without a prompt (2 lack the frame or position asked for)" in str(report)


def test_many_query_frames_are_told_where_each_costs_a_pass_and_passes_are_recorded(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(media.video(tmp_path / "one.mp4", num_frames=10))
    points = [(t, 20, 20) for t in range(9)]
    assert not media.besides_ground(pt.track_dataset(dataset, "once", tracker=drift, points=points))
    monkeypatch.setattr(drift, "capabilities", Capabilities(pass_per_query_frame=True))
    report = pt.track_dataset(dataset, "each", tracker=drift, points=[*points, (8, 30, 30)])
    (warning,) = media.besides_ground(report)
    assert warning.startswith("The points lie in 9 frames, and drift goes through the video once for each")
    assert report.outcomes[0].num_passes == 9
    assert pt.load_report(dataset, report.run_key) == report
    assert not media.besides_ground(pt.track_dataset(dataset, "fewer", tracker=drift, points=points[:8]))


def test_points_of_one_sample_that_lie_outside_its_video_are_a_failure(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=4))
    sample = dataset.first()
    sample["clicks"] = [[9, 1.0, 1.0]]
    sample.save()
    for points in ({sample.id: [(4, 1, 1)]}, {sample.id: [(0, SIZE[0], 1)]}, "clicks"):
        report = pt.track_dataset(dataset, tracker=drift, points=points)
        assert [failure.kind for failure in report.failures] == ["OutsideVideoError"]
        assert report.num_no_prompt == 0
    assert not dataset.has_frame_field("tracks")


def _queries(options: TrackOptions, sample: Any = None, sample_id: str = "s") -> tuple[pt.Queries, list[str]]:
    warnings: list[str] = []
    video: Any = SimpleNamespace(size_px=SIZE, num_frames=9, num_frames_hint=9)
    return prompt_of(sample, sample_id, options, video, warnings).queries, warnings


def test_without_a_field_no_sample_is_needed() -> None:
    queries, _ = _queries(TrackOptions(grid_size=3, frame_index=2))
    assert (len(queries), set(queries.t.tolist())) == (9, {2})
    queries, _ = _queries(TrackOptions(points=[(1, 2, 3)]))
    assert queries.xy.tolist() == [[2, 3]]
    by_sample = TrackOptions(points={"s": [(0, 5, 6)], "none": []})
    assert _queries(by_sample)[0].xy.tolist() == [[5, 6]]
    for sample_id in ("another", "none"):
        with pytest.raises(NoPromptError, match="No points were given"):
            _queries(by_sample, sample_id=sample_id)


@pytest.mark.parametrize("options", [{"points": "clicks"}, {"mask_field": "person"}])
def test_a_field_needs_a_sample_to_be_read_from(options: dict[str, Any]) -> None:
    with pytest.raises(QueryError, match="no sample to read it from"):
        _queries(TrackOptions(**options))


def _with_mask(dataset: fo.Dataset, mask: np.ndarray) -> fo.Sample:
    sample = fo.Sample(filepath="/absent.mp4", person=fo.Segmentation(mask=mask))
    dataset.add_sample(sample)
    return sample


def test_masks_say_what_they_do_to_the_grid(make_dataset: MakeDataset) -> None:
    dataset, options = make_dataset(), TrackOptions(grid_size=2, mask_field="person")
    empty = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    with pytest.raises(NoPromptError, match="'person' is empty"):
        _queries(options, _with_mask(dataset, empty))
    corner = empty.copy()
    corner[0, 0] = 1
    with pytest.raises(EmptyQueriesError, match="none of the 4 grid points"):
        _queries(options, _with_mask(dataset, corner))
    queries, warnings = _queries(options, _with_mask(dataset, empty + 1))
    assert (len(queries), warnings) == (4, [])
    _, warnings = _queries(options, _with_mask(dataset, np.ones((30, 120), np.uint8)))
    assert warnings == ["the mask is 120 x 30, the frame 160 x 120: the mask was stretched to the frame's shape"]


def test_fields_of_the_wrong_kind_are_refused_before_the_run(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    dataset.media_type = "video"
    dataset.add_frame_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    dataset.add_frame_field("classes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classifications)
    dataset.add_sample_field("rows", fo.ListField)
    check_prompt_fields(dataset, dataset, TrackOptions(mask_field="boxes"))
    check_prompt_fields(dataset, dataset, TrackOptions(points="boxes"))
    check_prompt_fields(dataset, dataset, TrackOptions(points="rows"))
    check_prompt_fields(dataset, dataset, TrackOptions())
    for options, text in (
        ({"mask_field": "rows"}, "holds ListField. Supported are Segmentation"),
        ({"points": "classes"}, "holds Classifications. Supported are Keypoints, Detections, Polylines"),
        ({"points": "absent"}, "no field 'absent'"),
    ):
        with pytest.raises(FieldError, match=text):
            check_prompt_fields(dataset, dataset, TrackOptions(**options))
    assert not reads_masks_of_sources(dataset, dataset, TrackOptions(mask_field="absent"))


def test_each_object_gets_about_so_many_points_however_small_it_is(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(3)])
    first, second, third = dataset
    first["objects"] = fo.Detections(
        detections=[
            fo.Detection(bounding_box=[0, 0, 0.1, 0.1], mask=np.ones((8, 8), dtype=bool)),
            fo.Detection(bounding_box=[0.4, 0.2, 0.5, 0.7], mask=np.ones((8, 8), dtype=bool)),
            fo.Detection(bounding_box=[0, 0, 1, 1]),
        ]
    )
    second["objects"] = fo.Detections()
    third["objects"] = fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 1, 1])])
    for sample in (first, second, third):
        sample.save()
    report = pt.track_dataset(dataset, tracker=drift, mask_field="objects", points_per_object=20)
    assert [o.status for o in report.outcomes] == ["done", "no prompt", "failed"]
    assert "Boxes alone do not do" in report.failures[0].message
    xy = pt.read_tracks(first, "tracks").xy[0] / SIZE
    small, large = (xy <= 0.11).all(axis=1), (xy >= (0.39, 0.19)).all(axis=1)
    assert small.sum() + large.sum() == len(xy)
    assert abs(small.sum() - 20) <= 4
    assert abs(large.sum() - 20) <= 2
    (run_key,) = dataset.list_runs()
    assert dataset.get_run_info(run_key).config.points_per_object == 20


def test_a_number_of_points_per_object_needs_a_mask(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=4))
    for options in ({}, {"points": [(0, 1, 1)]}):
        with pytest.raises(OptionError, match=r"Give mask_field, or points='frames\.<field>', as well"):
            pt.track_dataset(dataset, tracker=drift, points_per_object=9, **options)
    with pytest.raises(OptionError, match="points on an object"):
        TrackOptions(mask_field="object", points_per_object=0)
    with pytest.raises(OptionError, match=r"Give mask_field, or points='frames\.<field>', as well"):
        _queries(TrackOptions(points_per_object=9))


def half_plain(index: int, size: tuple[int, int]) -> np.ndarray:
    """A plain left half beside squares, which do not move."""
    width, height = size
    frame = np.full((height, width, 3), 120, np.uint8)
    squares = (np.indices((height, width // 2)) // 8).sum(0) % 2 * 120 + 60
    frame[:, width - width // 2 :] = squares[..., None]  # (height, width // 2, 1)
    return frame


def test_points_on_featureless_ground_are_counted_left_out_or_moved_whatever_asks_for_them(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(media.video(tmp_path / "a.mp4", num_frames=4, draw=half_plain))
    sample = dataset.first()
    sample["everywhere"] = fo.Segmentation(mask=np.ones((SIZE[1], SIZE[0]), dtype=np.uint8))
    sample["objects"] = fo.Detections(detections=[fo.Detection(label="sky", bounding_box=[0.05, 0.1, 0.3, 0.5])])
    sample.save()

    def told(name: str, **options: Any) -> tuple[int, int, list[str]]:
        report = pt.track_dataset(dataset, name, tracker=drift, progress=False, **options)
        (outcome,) = report.outcomes
        return outcome.num_points, outcome.num_featureless, [text.split(",")[0] for _, text in report.warnings]

    assert told("kept", grid_size=4) == (16, 8, ["8 of 16 points lie on featureless ground"])
    assert told("left", grid_size=4, featureless="leave_out") == (
        8, 0, ["8 of 16 points lie on featureless ground: left out"],
    )  # fmt: skip
    assert told("moved", grid_size=6, featureless="snap_to_texture")[::2] == (
        36, ["6 of 36 points were moved from featureless ground to the nearest corner",
             "12 of 36 points lie on featureless ground"],
    )  # fmt: skip
    assert told("masked", grid_size=4, mask_field="everywhere")[:2] == (16, 8)
    assert told("typed", points=[(0, 20, 60), (3, 130, 60)]) == (2, 1, ["1 of 2 points lies on featureless ground"])
    points, featureless, warnings = told("boxed", points="objects", points_per_object=9)
    assert points == featureless > 0
    assert len(warnings) == 1
    assert f"; {points} of {points} points lie on featureless ground" in str(pt.load_report(dataset, "track_boxed"))
