"""Tracks in from files of other programs, a folder at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from exchanged import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldExistsError, FormatError, OptionError

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, tmp_path: Path, rng: np.random.Generator) -> fo.Dataset:
    """Two clips with tracks."""
    made = make_dataset(*(media.video(tmp_path / f"{k}.mp4", num_frames=5) for k in range(2)))
    for sample in made:
        pt.write_tracks(sample, "tracks", random_tracks(rng, 5, 3, media.SIZE))
    return made


def test_a_file_that_fails_does_not_end_the_others(dataset: fo.Dataset, tmp_path: Path) -> None:
    pt.export_tracks(dataset, "tracks", tmp_path / "out")
    broken, _ = sorted((tmp_path / "out").glob("*.xml"))
    broken.write_text(broken.read_text()[:-40])
    report = pt.import_tracks(dataset, "back", tmp_path / "out")
    assert sorted(outcome.status for outcome in report.outcomes) == ["done", "failed"]
    assert "cut off" in report.failures[0].message
    with pytest.raises(FormatError, match="cut off"):
        pt.import_tracks(dataset, "back", broken)


def test_tracks_are_replaced_only_when_asked(dataset: fo.Dataset, tmp_path: Path) -> None:
    pt.export_tracks(dataset.limit(1), "tracks", tmp_path / "a.xml")
    one = dataset.limit(1)
    with pytest.raises(FieldExistsError, match="overwrite=True"):
        pt.import_tracks(one, None, tmp_path / "a.xml")
    before = pt.read_tracks(dataset.first(), "tracks")
    pt.import_tracks(one, None, tmp_path / "a.xml", overwrite=True)
    np.testing.assert_array_equal(pt.read_tracks(dataset.first(), "tracks").xy, before.xy)


def test_hand_made_points_are_never_replaced(dataset: fo.Dataset, tmp_path: Path) -> None:
    pt.export_tracks(dataset.limit(1), "tracks", tmp_path / "a.xml")
    sample = dataset.first()
    sample.frames[1]["mine"] = fo.Keypoints(keypoints=[fo.Keypoint(label="mine", points=[(0.5, 0.5)], index=1)])
    sample.save()
    with pytest.raises(FieldExistsError, match="did not write"):
        pt.import_tracks(dataset.limit(1), "mine", tmp_path / "a.xml", overwrite=True)
    assert dataset.first().frames[1]["mine"].keypoints[0].label == "mine"


def test_what_cannot_be_imported_is_refused(dataset: fo.Dataset, tmp_path: Path) -> None:
    pt.export_tracks(dataset.limit(1), "tracks", tmp_path / "other.xml")
    with pytest.raises(OptionError, match="Invalid format"):
        pt.import_tracks(dataset, None, tmp_path / "other.xml", format="xml")
    with pytest.raises(CollectionError, match=r"not clear .*other\.xml"):
        pt.import_tracks(dataset, None, tmp_path / "other.xml")


def test_a_crafted_file_is_refused(dataset: fo.Dataset, tmp_path: Path) -> None:
    text = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations><meta>&x;</meta></annotations>'
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(FormatError, match="DOCTYPE"):
        pt.import_tracks(dataset.limit(1), None, tmp_path / "a.xml")
