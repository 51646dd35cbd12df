"""Tracks out to files of other programs, a dataset at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from exchanged import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, FormatError, OptionError, OutputExistsError

MakeDataset = Callable[..., fo.Dataset]
LIBRARIES = {"parquet": "pyarrow", "slp": "sleap_io"}


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


@pytest.mark.parametrize("name", ["npz", "csv", "parquet", "tapvid", "slp", "dlc", "lightning-pose", "coco"])
def test_each_format_comes_back_from_a_folder_onto_the_same_samples(two: fo.Dataset, tmp_path: Path, name: str) -> None:
    if name in LIBRARIES:
        pytest.importorskip(LIBRARIES[name], reason=f"{LIBRARIES[name]} is not installed")
    report = pt.export_tracks(two, "tracks", tmp_path / "out", format=name)
    assert report.failures == []
    report = pt.import_tracks(two, "back", tmp_path / "out", format=name)
    assert report.failures == []
    for sample in two:
        found, wanted = pt.read_tracks(sample, "back"), pt.read_tracks(sample, "tracks")
        np.testing.assert_array_equal(found.visible, wanted.visible)
        np.testing.assert_allclose(found.xy, wanted.xy, atol=1e-3)


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_table_holds_the_whole_dataset(two: fo.Dataset, tmp_path: Path, name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    path = tmp_path / f"all.{name}"
    report = pt.export_tracks(two, "tracks", path, format=name)
    assert [outcome.sample_id for outcome in report.outcomes] == two.values("id")
    assert str(report).startswith(f"exported as {name}: 1 file of 2 videos, 6 tracks")
    assert pt.import_tracks(two, "back", path, format=name).failures == []
    for sample in two:
        np.testing.assert_array_equal(pt.read_tracks(sample, "back").xy, pt.read_tracks(sample, "tracks").xy)
    report = pt.import_tracks(two.skip(1), "other", path, format=name, min_confidence=0.5)
    assert str(report).splitlines()[1] == "1 clip of other videos left alone: clip.mp4"
    found, wanted = pt.read_tracks(two.last(), "other"), pt.read_tracks(two.last(), "tracks")
    np.testing.assert_array_equal(found.visible, wanted.visible & (wanted.confidence >= 0.5))


def test_an_export_that_was_cut_off_goes_on(two: fo.Dataset, tmp_path: Path) -> None:
    assert pt.export_tracks(two, "tracks", tmp_path / "none", format="npz", cancelled=lambda: True).cancelled
    pt.export_tracks(two.limit(1), "tracks", tmp_path / "out", format="npz")
    assert len(json.loads((tmp_path / "out" / "index.json").read_text())["files"]) == 1
    report = pt.export_tracks(two, "tracks", tmp_path / "out", format="npz", skip_existing=True)
    assert [outcome.status for outcome in report.outcomes] == ["skipped", "done"]
    assert "1 file left alone: there already" in str(report)
    assert len(json.loads((tmp_path / "out" / "index.json").read_text())["files"]) == 2


def test_a_training_set_lies_in_deeplabcuts_folders_and_comes_back(two: fo.Dataset, tmp_path: Path) -> None:
    report = pt.export_tracks(two, "tracks", tmp_path / "out", format="dlc", images=True, scorer="me", every=2)
    assert report.failures == []
    tables = sorted((tmp_path / "out" / "labeled-data").glob("*/CollectedData_me.csv"))
    assert len(tables) == 2
    assert pt.import_tracks(two, "back", tmp_path / "out", format="dlc").failures == []
    with pytest.raises(OptionError, match="without a suffix"):
        pt.export_tracks(two.limit(1), "tracks", tmp_path / "a.csv", format="dlc", images=True)


def test_turned_videos_are_failures_where_a_program_does_not_turn_them(
    make_dataset: MakeDataset, tmp_path: Path, rng: np.random.Generator
) -> None:
    dataset = make_dataset(media.rotated_video(tmp_path / "a.mp4", 90, num_frames=5))
    pt.write_tracks(dataset.first(), "tracks", random_tracks(rng, 5, 2, media.SIZE[::-1]))
    with pytest.raises(FormatError, match="turned for display"):
        pt.export_tracks(dataset, "tracks", tmp_path / "a.nk", format="nuke")
    assert not (tmp_path / "a.nk").exists()
    assert pt.export_tracks(dataset, "tracks", tmp_path / "a.csv", format="csv").failures == []
    pt.import_tracks(dataset, "back", tmp_path / "a.csv", format="csv")
    found, wanted = (pt.read_tracks(dataset.first(), field) for field in ("back", "tracks"))
    np.testing.assert_array_equal(found.xy, wanted.xy)


def test_names_that_are_not_unique_are_refused(two: fo.Dataset, tmp_path: Path) -> None:
    sample = two.first()
    made = replace(pt.read_tracks(sample, "tracks"), labels=["a", "a", "b"])
    pt.write_tracks(sample, "named", made)
    one = two.limit(1)
    with pytest.raises(FormatError, match=r"called 'a'.*names='index'"):
        pt.export_tracks(one, "named", tmp_path / "a.csv", format="dlc")
    report = pt.export_tracks(one, "named", tmp_path / "a.csv", format="dlc", names="index")
    assert report.failures == []
