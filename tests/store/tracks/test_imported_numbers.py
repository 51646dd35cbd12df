"""Tracks survive FiftyOne's exports and imports, and can be gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database.fields import owner_of
from point_tracking.store.tracks.imported_numbers import number_array
from point_tracking.tracker.errors import FieldError

MakeDataset = Callable[..., fo.Dataset]
TYPES = [fo.types.FiftyOneDataset, fo.types.LegacyFiftyOneDataset]


@pytest.fixture
def imported(make_dataset: MakeDataset, clip: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A function that tracks, exports and imports: the dataset before and after."""
    made: list[fo.Dataset] = []

    def make(kind: type, layout: str) -> tuple[fo.Dataset, fo.Dataset]:
        dataset = make_dataset(clip)
        pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=3, layout=layout)
        folder = str(tmp_path / "export")
        dataset.export(export_dir=folder, dataset_type=kind, export_media=True)
        made.append(fo.Dataset.from_dir(dataset_dir=folder, dataset_type=kind))
        return dataset, made[0]

    yield make
    for dataset in made:
        dataset.delete()


@pytest.mark.parametrize("layout", ["points", "frame"])
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_they_are_read_and_gone_on_with(imported: Callable[..., Any], kind: type, layout: str) -> None:
    before, after = imported(kind, layout)
    expected, found = (pt.read_tracks(dataset.first(), "tracks") for dataset in (before, after))
    np.testing.assert_array_equal(found.xy, expected.xy)
    np.testing.assert_array_equal(found.visible, expected.visible)
    np.testing.assert_array_equal(found.confidence, expected.confidence)
    tracker = DriftTracker()
    left = pt.track_dataset(after, tracker=tracker, grid_size=3, layout=layout, skip_existing=True)
    assert [o.status for o in left.outcomes] == ["skipped"]
    again = pt.track_dataset(after, tracker=tracker, grid_size=3, layout=layout, overwrite=True)
    assert (again.num_samples, again.failures) == (1, [])
    assert owner_of(after.get_field("tracks_info")) == {"label_field": "tracks"}
    np.testing.assert_array_equal(pt.read_tracks(after.first(), "tracks").xy, expected.xy)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_imported_tracks_are_a_prompt_and_known_tracks(imported: Callable[..., Any], kind: type) -> None:
    _, after = imported(kind, "frame")
    tracker = DriftTracker()
    report = pt.track_dataset(after, "again", tracker=tracker, points="frames.tracks")
    assert (report.failures, report.num_points) == ([], 9)
    pt.track_dataset(after, "third", tracker=tracker, grid_size=3)
    scores = pt.evaluate_dataset(after, "third", "tracks")
    assert scores.failures == []


def test_a_field_of_somebody_else_is_not_taken_over(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample["tracks_info"] = fo.DynamicEmbeddedDocument(state="old", num_points=3)
    sample.save()
    with pytest.raises(FieldError, match=r"not ours.*rename_sample_field\('tracks_info'"):
        pt.track_dataset(dataset, tracker=DriftTracker())


def test_numbers_of_the_legacy_export() -> None:
    values = [[0.5, {"$numberDouble": "NaN"}], [{"$numberDouble": "-Infinity"}, {"$numberLong": "7"}]]
    np.testing.assert_array_equal(number_array(values), [[0.5, np.nan], [-np.inf, 7]])
    with pytest.raises(TypeError):
        number_array([{"$date": 0}])
