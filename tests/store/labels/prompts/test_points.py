"""Points to track out of keypoints and lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from point_tracking.store.labels.frame_labels import values_of
from point_tracking.store.labels.prompts.points import PromptRules, read_points
from point_tracking.tracker.errors import EmptyQueriesError, FieldError, NoPromptError, QueryError

SIZE_PX = (100, 50)


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    for name, kind in (("points", fo.Keypoints), ("point", fo.Keypoint)):
        dataset.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    dataset.add_frame_field("points", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    dataset.add_sample_field("rows", fo.ListField)
    dataset.add_frame_field("rows", fo.ListField)
    yield dataset
    dataset.delete()


def _read(dataset: fo.Dataset, name: str, frame_index: int = 0, **fields: Any) -> tuple[list[list[float]], list[str]]:
    frames = fields.pop("frames", {})
    sample = fo.Sample(filepath="/absent.mp4", **fields)
    for number, label in frames.items():
        sample.frames[number] = fo.Frame(points=label)
    dataset.add_sample(sample)
    warnings: list[str] = []
    values = values_of(dataset[sample.id], name, frame_index)
    queries, _ = read_points(values, PromptRules(), SIZE_PX, warnings, lambda _: 100)
    return [[int(t), *xy] for t, xy in zip(queries.t, queries.xy.round(3).tolist(), strict=True)], warnings


def _keypoints(*keypoints: tuple[Any, ...]) -> fo.Keypoints:
    return fo.Keypoints(keypoints=[fo.Keypoint(points=points, index=index) for points, index in keypoints])


def test_keypoints_on_the_sample_belong_to_the_given_frame(dataset: fo.Dataset) -> None:
    label = _keypoints(([(0.5, 0.5), (0.1, 0.2)], None))
    assert _read(dataset, "points", 4, points=label)[0] == [[4, 50, 25], [4, 10, 10]]
    single = fo.Keypoint(points=[(0.25, 0.5)])
    assert _read(dataset, "point", 2, point=single)[0] == [[2, 25, 25]]


def test_on_frames_a_track_counts_where_it_is_seen_first(dataset: fo.Dataset) -> None:
    hidden = fo.Keypoint(points=[(0.1, 0.1)], index=1, occluded=True)
    frames = {
        2: fo.Keypoints(keypoints=[hidden, fo.Keypoint(points=[(np.nan, np.nan)], index=2)]),
        3: _keypoints(([(0.5, 0.5)], 1), ([(0.2, 0.2)], 2), ([(0.3, 0.3)], None)),
        5: _keypoints(([(0.6, 0.6)], 1), ([(0.3, 0.3)], None)),
    }
    rows, warnings = _read(dataset, "frames.points", frames=frames)
    # keypoints without an index, one per frame, are one object
    assert rows == [[2, 50, 25], [2, 20, 10], [2, 30, 15]]
    assert warnings == []


def test_points_outside_the_frame_are_left_out_and_counted(dataset: fo.Dataset) -> None:
    rows, warnings = _read(dataset, "points", points=_keypoints(([(0.5, 0.5), (1.5, 0.5), (-0.1, 0)], None)))
    assert rows == [[0, 50, 25]]
    assert warnings == ["2 of 3 points in 'points' lie outside the frame"]


def test_lists_hold_rows_in_pixels(dataset: fo.Dataset) -> None:
    assert _read(dataset, "rows", rows=[[1, 9.0, 10.0], [0, 3, 4]])[0] == [[1, 9, 10], [0, 3, 4]]
    with pytest.raises(QueryError):
        _read(dataset, "rows", rows=[[1, 9.0]])
    with pytest.raises(FieldError, match="a list belongs on samples"):
        _read(dataset, "frames.rows")


@pytest.mark.parametrize("fields", [{}, {"points": fo.Keypoints()}, {"points": _keypoints(([(np.nan, 2)], None))}])
def test_a_sample_without_points_has_no_prompt(dataset: fo.Dataset, fields: dict[str, Any]) -> None:
    with pytest.raises(NoPromptError, match="holds no points"):
        _read(dataset, "points", **fields)
    with pytest.raises(NoPromptError, match="holds no points"):
        _read(dataset, "rows")


def test_points_that_are_all_outside_are_no_missing_prompt(dataset: fo.Dataset) -> None:
    with pytest.raises(EmptyQueriesError, match=r"None of the 1 points.*outside the frame") as caught:
        _read(dataset, "points", points=_keypoints(([(2, 2)], None)))
    assert not isinstance(caught.value, NoPromptError)
