"""Tracks out to files of other programs, a dataset at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from exchanged import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError, OutputExistsError

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def two(make_dataset: MakeDataset, tmp_path: Path, rng: np.random.Generator) -> fo.Dataset:
    """Two clips of the same name with tracks."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    paths = [media.video(tmp_path / name / "clip.mp4", num_frames=5 + k) for k, name in enumerate("ab")]
    dataset = make_dataset(*paths)
    for k, sample in enumerate(dataset):
        pt.write_tracks(sample, "tracks", random_tracks(rng, 5 + k, 3, media.SIZE))
    return dataset


def test_a_dataset_becomes_a_folder_that_comes_back_onto_the_same_samples(two: fo.Dataset, tmp_path: Path) -> None:
    report = pt.export_tracks(two, "tracks", tmp_path / "out", format="cvat")
    assert len(report.outcomes) == 2
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert [entry["sample_id"] for entry in index["files"]] == two.values("id")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [*(f"clip_{i[-8:]}.xml" for i in two.values("id")), "index.json"]
    )
    assert pt.import_tracks(two, "back", tmp_path / "out").failures == []
    for sample in two:
        np.testing.assert_array_equal(pt.read_tracks(sample, "back").xy, pt.read_tracks(sample, "tracks").xy)


def test_a_sample_that_fails_does_not_end_the_others(two: fo.Dataset, tmp_path: Path) -> None:
    sample = two.first()
    sample.frames[9] = fo.Frame(tracks=fo.Keypoints(keypoints=[fo.Keypoint(points=[(0, 0)], index=1)]))
    sample.save()
    report = pt.export_tracks(two, "tracks", tmp_path / "out")
    assert [outcome.status for outcome in report.outcomes] == ["failed", "done"]
    assert "has 5 frames" in report.failures[0].message
    assert len(list((tmp_path / "out").glob("*.xml"))) == 1
    with pytest.raises(FieldError, match="has 5 frames"):
        pt.export_tracks(two.limit(1), "tracks", tmp_path / "one.xml")


def test_existing_files_stay_unless_asked(two: fo.Dataset, tmp_path: Path) -> None:
    pt.export_tracks(two, "tracks", tmp_path / "out")
    with pytest.raises(OutputExistsError):
        pt.export_tracks(two, "tracks", tmp_path / "out")
    assert pt.export_tracks(two, "tracks", tmp_path / "out", overwrite=True).failures == []


def test_what_cannot_be_exported_is_refused(two: fo.Dataset, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Invalid format"):
        pt.export_tracks(two, "tracks", tmp_path / "out", format="CVAT")
    with pytest.raises(OptionError, match="Invalid field"):
        pt.export_tracks(two, ["tracks", "tracks"], tmp_path / "out")
    with pytest.raises(FieldError, match="no field 'nothing'"):
        pt.export_tracks(two.limit(1), "nothing", tmp_path / "a.xml")
    with pytest.raises(CollectionError, match="no samples"):
        pt.export_tracks(two.limit(0), "tracks", tmp_path / "a.xml")
    assert not (tmp_path / "a.xml").exists()


def test_a_sample_without_tracks_gives_a_file_without_any(
    make_dataset: MakeDataset, clip: Path, tmp_path: Path
) -> None:
    dataset = make_dataset(clip)
    dataset.add_frame_field("tracks", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    assert pt.export_tracks(dataset, "tracks", tmp_path / "a.xml").outcomes[0].num_tracks == 0
    assert "<size>12</size>" in (tmp_path / "a.xml").read_text()
    assert pt.import_tracks(dataset, "back", tmp_path / "a.xml").outcomes[0].num_tracks == 0
