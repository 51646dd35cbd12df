"""What a propagation would do is told in numbers, before anything is tracked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from drawn_labels import box

import point_tracking as pt
from point_tracking.workflows.propagation import overview
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.overview import overview_of


@pytest.fixture
def dataset(make_dataset: Any, tmp_path: Path) -> fo.Dataset:
    """Three videos: with two keyframes and an unmarked label, with a label without identity, and one that is none."""
    dataset = make_dataset(
        media.video(tmp_path / "0.mp4", num_frames=8),
        media.video(tmp_path / "1.mp4", num_frames=8),
        media.text_file(tmp_path / "broken.mp4"),
    )
    first, second, third = dataset
    first.frames[1]["box"], first.frames[8]["box"] = box(0.1), box(0.3)
    first.frames[4]["box"] = box(0.2, keyframe=None)
    second.frames[1]["box"] = box(0.1, index=None)
    third.frames[1]["box"] = box(0.1)
    for sample in (first, second, third):
        sample.save()
    return dataset


def _counts(found: overview.Overview) -> dict[str, int]:
    return {name: value for name, value in vars(found).items() if name not in ("warnings", "namesakes")}


def test_it_counts_over_the_videos_that_can_be_read(dataset: fo.Dataset) -> None:
    assert _counts(overview_of(dataset, PropagateOptions(field="box"))) == {
        "num_samples": 2,
        "num_keyframes": 4,
        "num_objects": 2,
        "num_to_fill": 5 + 7,
        "num_unchanged": 0,
        "num_unmarked": 1,
        "num_without_identity": 1,
        "num_corrected": 0,
    }


def test_after_a_run_nothing_is_left_to_fill_and_nothing_was_written_before(dataset: fo.Dataset) -> None:
    options = PropagateOptions(field="box", output_field="out", tracker="optical-flow")
    overview_of(dataset, options)
    assert not dataset.has_frame_field("out")
    pt.propagate_labels(dataset, "box", "out", tracker="optical-flow", progress=False)
    found = overview_of(dataset, options)
    assert (found.num_to_fill, found.num_unchanged, found.num_corrected) == (0, 12, 0)
    sample = dataset.first()
    sample.frames[8]["out"].detections[0].bounding_box = [0.4, 0.3, 0.2, 0.4]
    sample.save()
    found = overview_of(dataset, options)
    assert (found.num_to_fill, found.num_unchanged, found.num_corrected) == (3, 9, 1)


def test_no_more_than_some_samples_are_looked_at(dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "SAMPLES_LOOKED_AT", 1)
    assert overview_of(dataset, PropagateOptions(field="box")).num_samples == 1


def test_objects_of_one_name_that_were_drawn_once_each_are_told(dataset: fo.Dataset) -> None:
    assert overview_of(dataset, PropagateOptions(field="box")).namesakes == []
    sample = dataset.last()
    sample.filepath = dataset.first().filepath
    sample.frames[1]["box"], sample.frames[5]["box"] = box(0.1, index=1), box(0.2, index=2)
    sample.save()
    assert overview_of(dataset, PropagateOptions(field="box")).namesakes == ["bar"]
