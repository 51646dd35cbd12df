"""The sidebar's group for what runs note, beside what a person arranged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest
from fiftyone.core.odm import SidebarGroupDocument
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.workflows.lifecycle.sidebar import GROUP, group_notes
from point_tracking.workflows.tracking.delete_tracks import delete_tracks


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=4)), weather="fine"))
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, run_key="first")
    yield dataset
    dataset.delete()


def groups_of(dataset: fo.Dataset) -> dict[str, list[str]]:
    return {group.name: list(group.paths) for group in dataset.app_config.sidebar_groups or ()}


def test_marks_and_scores_leave_the_groups_of_the_app(dataset: fo.Dataset) -> None:
    pt.evaluate_dataset(dataset, "tracks", cycle=True, tracker=DriftTracker(), eval_key="mine")
    group_notes(dataset)
    groups = groups_of(dataset)
    ours = groups.pop(GROUP)
    assert {"tracks_info.state", "tracks_info.num_points", "mine_cycle_px"} <= set(ours)
    assert not any(path.startswith(("tracks_info", "mine_")) for paths in groups.values() for path in paths)
    assert "tracks_info" not in groups
    assert {"weather", "filepath"} <= set(groups["primitives"])
    assert groups["frame labels"] == ["frames.tracks"]
    assert [group.expanded for group in dataset.app_config.sidebar_groups if group.name == GROUP] == [False]
    group_notes(dataset)
    assert groups_of(dataset) == {**groups, GROUP: ours}


def test_what_a_person_arranged_stays(dataset: fo.Dataset) -> None:
    arranged = [
        SidebarGroupDocument(name="mine", paths=["weather", "tracks_info.run_key"], expanded=False),
        SidebarGroupDocument(name="rest", paths=["filepath"]),
    ]
    # in another process, which this one does not know of
    collection = dataset._doc._get_collection()
    stored = [group.to_dict() for group in arranged]
    collection.update_one({"_id": dataset._doc.id}, {"$set": {"app_config.sidebar_groups": stored}})
    pt.track_dataset(dataset, "second", tracker=DriftTracker(), grid_size=2)
    group_notes(dataset)
    groups = groups_of(dataset)
    assert list(groups) == ["mine", "rest", GROUP]
    assert groups["mine"] == ["weather", "tracks_info.run_key"]
    assert all(path.startswith("second_info.") for path in groups[GROUP])


def test_the_group_goes_with_its_last_field(dataset: fo.Dataset) -> None:
    group_notes(dataset)
    assert GROUP in groups_of(dataset)
    delete_tracks(dataset, "first")
    dataset.reload()
    assert GROUP not in groups_of(dataset)
    assert "weather" in groups_of(dataset)["primitives"]


def test_without_fields_of_ours_nothing_is_arranged() -> None:
    dataset = fo.Dataset()
    group_notes(dataset)
    assert dataset.app_config.sidebar_groups is None
    dataset.delete()
