"""Points asked for with boxes, masks, lines and keypoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from point_tracking.store.labels.frame_labels import read_values
from point_tracking.store.labels.prompts.points import PromptRules, read_points
from point_tracking.store.tracks.track_names import TrackNames
from point_tracking.tracker.errors import EmptyQueriesError, MaskError, NoPromptError, OptionError
from point_tracking.tracker.types import Queries

SIZE_PX = (100, 50)
Read = Callable[..., tuple[Queries, TrackNames, list[str]]]


def box(*place: float, **facts: Any) -> fo.Detection:
    return fo.Detection(bounding_box=list(place), **facts)


class TestBoxes:
    def test_a_grid_lies_inside_and_carries_label_and_index(self, read: Read) -> None:
        boxes = [box(0.2, 0.4, 0.2, 0.4, label="goat", index=7), box(0.5, 0.1, 0.4, 0.2, label="kid", index=8)]
        queries, names, warnings = read("boxes", {3: boxes}, points_per_object=16)
        assert warnings == []
        assert set(queries.t.tolist()) == {2}
        assert queries.labels is not None
        assert queries.objects is not None
        goat = queries.xy[queries.labels == "goat"]
        assert 12 <= len(goat) <= 20
        assert (goat >= [20 - 0.5, 20 - 0.5]).all()
        assert (goat <= [40 - 0.5, 40 - 0.5]).all()
        assert set(queries.objects[queries.labels == "kid"]) == {8}
        assert names.prompts is not None
        assert [p.columns for p in names.prompts] == [
            tuple(range(len(goat))),
            tuple(range(len(goat), len(queries))),
        ]

    def test_an_object_is_asked_for_once_in_its_first_frame(self, read: Read) -> None:
        frames = {n: [box(0.1 * n, 0.1, 0.2, 0.2, index=1)] for n in (2, 4, 6)}
        queries, _, _ = read("boxes", frames, points_per_object=4)
        assert set(queries.t.tolist()) == {1}

    def test_or_in_each_of_its_keyframes(self, read: Read) -> None:
        frames = {n: [box(0.1, 0.1, 0.2, 0.2, index=1, keyframe=n != 4)] for n in (2, 4, 6)}
        queries, names, _ = read("boxes", frames, points_per_object=4)
        assert sorted(set(queries.t.tolist())) == [1, 5]
        assert names.prompts is not None
        assert [(p.index, len(p.columns)) for p in names.prompts] == [(1, 4), (1, 4)]

    def test_or_in_all_of_its_frames(self, read: Read) -> None:
        frames = {n: [box(0.1, 0.1, 0.2, 0.2, index=1, keyframe=n == 4)] for n in (2, 4, 6)}
        queries, _, _ = read("boxes", frames, points_per_object=4, prompt_frames="all")
        assert sorted(set(queries.t.tolist())) == [1, 3, 5]

    def test_where_it_is_outside_it_is_not_asked_for(self, read: Read) -> None:
        frames = {n: [box(0.1, 0.1, 0.2, 0.2, index=1, outside=n == 2)] for n in (2, 4)}
        assert set(read("boxes", frames)[0].t.tolist()) == {3}
        frames = {n: [box(0.1, 0.1, 0.2, 0.2, index=1, keyframe=n == 2, outside=n == 2)] for n in (2, 4, 5)}
        assert set(read("boxes", frames)[0].t.tolist()) == {3}, "not in every frame either"

    def test_classes_choose(self, read: Read) -> None:
        boxes = [box(0.1, 0.1, 0.2, 0.2, label="goat"), box(0.5, 0.1, 0.2, 0.2, label="kid")]
        queries, _, _ = read("boxes", {1: boxes}, classes="kid")
        assert queries.labels is not None
        assert set(queries.labels) == {"kid"}
        with pytest.raises(NoPromptError, match=r"is one of the classes 'cow'\. Found: goat, kid"):
            read("boxes", {1: boxes}, classes=["cow"])

    def test_a_keyframe_past_the_end_is_left_out_and_told(self, read: Read) -> None:
        frames = {n: [box(0.1, 0.1, 0.2, 0.2, index=1, keyframe=True)] for n in (2, 30)}
        queries, _, (warning,) = read("boxes", frames, points_per_object=4)
        assert set(queries.t.tolist()) == {1}
        assert warning == "4 of 8 points in 'frames.boxes' lie past the end of the video (20 frames)"

    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ((1.2, 0.1, 0.2, 0.2), "lie outside the frame"),
            ((0.1, 0.1, 0.0, 0.2), "have no area"),
            ((0.1, 0.1, -0.1, 0.2), "have no area"),
            ((np.nan, 0.1, 0.2, 0.2), "have no position"),
            ((0.1, 0.1, np.inf, 0.2), "have no position"),
        ],
    )
    def test_one_without_a_place_is_passed_over_and_told(
        self, read: Read, place: tuple[float, ...], reason: str
    ) -> None:
        frames = {2: [box(*place, index=1)], 5: [box(0.1, 0.1, 0.2, 0.2, index=1)]}
        queries, _, (warning,) = read("boxes", frames)
        assert set(queries.t.tolist()) == {4}, "its next frame counts"
        assert warning == f"1 labels in 'frames.boxes' {reason}, and are passed over"
        with pytest.raises(EmptyQueriesError, match=reason):
            read("boxes", {2: [box(*place, index=1)]})

    def test_the_same_index_twice_in_a_frame_is_told(self, read: Read) -> None:
        boxes = [box(0.1, 0.1, 0.2, 0.2, index=1), box(0.5, 0.1, 0.2, 0.2, index=1)]
        queries, _, (warning,) = read("boxes", {1: boxes}, points_per_object=4)
        assert (len(queries), "index 1 in frame 1" in warning) == (4, True)

    def test_on_the_sample_itself(self, dataset: fo.Dataset) -> None:
        sample = fo.Sample(filepath="/absent.mp4", box=box(0.1, 0.1, 0.5, 0.5, label="goat"))
        dataset.add_sample(sample)
        values = read_values(dataset, sample.id, "box", 4)
        assert values is not None
        queries, _ = read_points(values, PromptRules(), SIZE_PX, [], lambda _: 9)
        assert set(queries.t.tolist()) == {4}


class TestMasks:
    def test_points_lie_on_the_mask_of_a_detection(self, read: Read) -> None:
        mask = np.zeros((10, 20), dtype=bool)
        mask[:, 10:] = True
        queries, _, _ = read("boxes", {1: [box(0.2, 0.2, 0.4, 0.4, mask=mask)]}, points_per_object=9)
        assert len(queries) >= 8
        assert (queries.xy[:, 0] >= 40 - 0.5).all()
        assert (queries.xy[:, 0] <= 60 - 0.5).all()

    def test_an_empty_mask_asks_for_nothing(self, read: Read) -> None:
        empty, full = np.zeros((5, 5), dtype=bool), np.ones((5, 5), dtype=bool)
        boxes = [box(0.1, 0.1, 0.2, 0.2, index=1, mask=empty), box(0.5, 0.1, 0.2, 0.2, index=2, mask=full)]
        queries, _, (warning,) = read("boxes", {1: boxes})
        assert queries.objects is not None
        assert set(queries.objects) == {2}
        assert warning == "1 labels in 'frames.boxes' have an empty mask, and are passed over"
        with pytest.raises(NoPromptError, match="have an empty mask"):
            read("boxes", {1: boxes[:1]})

    def test_a_mask_that_is_missing_on_disk_is_named(self, read: Read, tmp_path: Path) -> None:
        lost = str(tmp_path / "lost.png")
        boxes = [box(0.1, 0.1, 0.2, 0.2, index=1, mask_path=lost), box(0.5, 0.1, 0.2, 0.2, index=2)]
        queries, _, warnings = read("boxes", {1: boxes})
        assert queries.objects is not None
        assert set(queries.objects) == {2}
        assert any(lost in warning and "frame 1" in warning for warning in warnings)
        with pytest.raises(MaskError, match="have a mask that cannot be read"):
            read("boxes", {1: boxes[:1]})


class TestLines:
    def test_vertices_and_points_between_them(self, read: Read) -> None:
        line = fo.Polyline(points=[[(0.1, 0.2), (0.5, 0.2), (0.5, 0.6)]], label="rope", index=2)
        queries, _, _ = read("lines", {2: [line]}, points_per_object=9)
        assert len(queries) == 9
        xy = queries.xy.round(6).tolist()
        assert [xy.index(vertex) for vertex in ([10, 10], [50, 10], [50, 30])] == [0, 5, 8]
        queries, _, _ = read("lines", {2: [line]}, points_per_object=1)
        assert queries.xy.tolist() == [[10, 10], [50, 10], [50, 30]], "vertices always"

    def test_one_of_a_single_point_is_that_point(self, read: Read) -> None:
        assert read("lines", {2: [fo.Polyline(points=[[(0.1, 0.2)]])]})[0].xy.tolist() == [[10, 10]]

    def test_one_without_points_is_passed_over(self, read: Read) -> None:
        lines = [fo.Polyline(points=[[]], index=1), fo.Polyline(points=[], index=2)]
        lines.append(fo.Polyline(points=[[(0.1, 0.2), (np.nan, 0.3), (0.3, 0.2)]], index=3))
        queries, _, (warning,) = read("lines", {2: lines}, points_per_object=2)
        assert queries.xy.round(6).tolist() == [[10, 10], [30, 10]]
        assert warning.startswith("2 labels in 'frames.lines' have no position")

    def test_vertices_outside_the_frame_are_left_out_and_counted(self, read: Read) -> None:
        line = fo.Polyline(points=[[(0.5, 0.2), (1.5, 0.2)]])
        queries, _, (warning,) = read("lines", {2: [line]}, points_per_object=4)
        np.testing.assert_allclose(queries.xy, [[50, 10], [50 + 100 / 3, 10]])
        assert warning == "2 of 4 points in 'frames.lines' lie outside the frame"


def animal(*points: tuple[float, float], **facts: Any) -> fo.Keypoint:
    return fo.Keypoint(points=list(points), **facts)


UNKNOWN = (np.nan, np.nan)


class TestKeypoints:
    def test_each_joint_where_it_is_known_first_in_its_place(self, read: Read) -> None:
        frames = {
            1: [animal((0.1, 0.2), UNKNOWN, UNKNOWN, index=3, label="goat")],
            4: [animal((0.2, 0.2), (0.3, 0.4), UNKNOWN, index=3, label="goat")],
        }
        queries, names, _ = read("joints", frames)
        assert [(t, *xy) for t, xy in zip(queries.t.tolist(), queries.xy.tolist(), strict=True)] == [
            (0, 10, 10),
            (3, 30, 20),
        ]
        assert names.prompts is not None
        assert [p.columns for p in names.prompts] == [(0, 1, None)]

    def test_each_keyframe_asks_for_all_its_joints(self, read: Read) -> None:
        frames = {n: [animal((0.1, 0.2), (0.3, 0.4), index=3, keyframe=n != 2)] for n in (1, 2, 4)}
        queries, names, _ = read("joints", frames)
        assert queries.t.tolist() == [0, 0, 3, 3]
        assert names.prompts is not None
        assert [p.columns for p in names.prompts] == [(0, 1), (2, 3)]

    def test_numbers_of_points_that_differ_are_told(self, read: Read) -> None:
        frames = {1: [animal((0.1, 0.2), index=3)], 4: [animal((0.2, 0.2), (0.3, 0.4), index=3)]}
        queries, _, (warning,) = read("joints", frames)
        assert queries.t.tolist() == [0, 3]
        assert "1 to 2" in warning

    def test_joints_are_called_by_the_skeleton(self, dataset: fo.Dataset, read: Read) -> None:
        dataset.skeletons = {"frames.joints": fo.KeypointSkeleton(labels=["nose", "tail"], edges=[[0, 1]])}
        try:
            _, names, _ = read("joints", {1: [animal(UNKNOWN, (0.3, 0.4), (0.5, 0.5), index=3)]})
            assert names.nodes == ("tail", None)
            _, names, _ = read("joints", {1: [animal((0.3, 0.4))]})
            assert names.nodes == (None,), "a single point is no skeleton"
        finally:
            dataset.skeletons = {}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"prompt_frames": "some"}, "Supported values are 'first': in the keyframes .*'all': in every labelled frame"),
        ({"classes": []}, "Expected labels such as"),
        ({"classes": ["goat", 3]}, "Expected labels such as"),
        ({"points_per_object": 0}, "at least 1"),
    ],
)
def test_rules_that_are_not_supported_are_refused(rules: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        PromptRules(**rules)
