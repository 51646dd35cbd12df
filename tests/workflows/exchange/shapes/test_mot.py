"""Boxes of a sample as MOT lines and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import pytest
from exchanged import assert_same, random_tracks, stored, with_fields

import point_tracking as pt
from point_tracking.tracker.errors import FormatError

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, clip: Path) -> fo.Dataset:
    """One clip with two objects in the first three frames; one touches two edges of the picture."""
    made = make_dataset(clip)
    sample = made.first()
    for number in (1, 2, 3):
        boxes = [
            fo.Detection(label="ä car", bounding_box=[0, 0, 0.25, 0.5], index=1),
            fo.Detection(label="dog", bounding_box=[0.5, 0.125 * number, 0.25, 0.125], index=2),
        ]
        sample.frames[number] = fo.Frame(boxes=fo.Detections(detections=boxes))
    sample.save()
    return made


def test_boxes_come_back(dataset: fo.Dataset, tmp_path: Path):
    report = pt.export_tracks(dataset, "boxes", tmp_path / "a.txt", format="mot")
    assert (report.outcomes[0].num_tracks, report.outcomes[0].num_labels, report.left_out) == (2, 6, {})
    assert (tmp_path / "a.txt").read_text().splitlines()[0] == "1,1,1,1,40,60,1,2,1"
    report = pt.import_tracks(dataset, "back", tmp_path / "a.txt", format="mot")
    assert str(report).startswith("imported as mot: 1 file, 2 tracks, 6 labels")
    assert_same(stored(dataset, "back"), stored(dataset, "boxes"), ids=False)


def test_an_offset_and_confidences_are_told(dataset: fo.Dataset, tmp_path: Path):
    dataset.set_values("frames.boxes.detections.confidence", [[[0.5, 0.5]] * 3])
    report = pt.export_tracks(dataset, "boxes", tmp_path / "out", format="mot", frame_offset=0)
    assert report.left_out == {"confidences": 6}
    (path,) = (tmp_path / "out").glob("*.txt")
    assert path.read_text().startswith("0,1,")
    with pytest.raises(FormatError, match="frame"):
        pt.import_tracks(dataset, "back", path, format="mot")
    assert pt.import_tracks(dataset, "back", tmp_path / "out", format="mot", frame_offset=0).failures == []


def test_points_are_no_boxes(dataset: fo.Dataset, tmp_path: Path, rng):
    with_fields(dataset, tracks=random_tracks(rng, 12, 2, media.SIZE))
    with pytest.raises(FormatError, match="holds no boxes"):
        pt.export_tracks(dataset, "tracks", tmp_path / "a.txt", format="mot")
