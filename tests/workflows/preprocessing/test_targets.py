"""Where copies go, and what is in the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import pytest
from hypothesis import given
from hypothesis import strategies as st
from preprocessed import files, statuses

import point_tracking as pt
from point_tracking.tracker.errors import (
    CollectionError,
    OptionError,
    OutputError,
)
from point_tracking.workflows.preprocessing import targets as preprocess_targets_module
from point_tracking.workflows.preprocessing.targets import output_name

MakeDataset = Callable[..., fo.Dataset]


def test_sources_of_the_same_name_get_names_of_their_own(make_dataset: MakeDataset, sources: Path, out: Path) -> None:
    paths = []
    for k, name in enumerate(("one", "two")):
        (sources / name).mkdir()
        paths.append(media.video(sources / name / "clip.mp4", 5 + k))
    dataset = make_dataset(*paths, paths[0])
    report = pt.preprocess_dataset(dataset, out)
    assert statuses(report) == ["done", "done", "reused"]
    assert files(out) == sorted(output_name(str(path)) for path in paths)
    assert all(name.startswith("clip-") for name in files(out))
    assert report.dataset.values("source_video.num_frames") == [5, 6, 5]
    alone = pt.preprocess_dataset(dataset[1:2], out, dataset_name=f"{dataset.name}-alone")
    assert alone.outcomes[0].output_path == report.outcomes[1].output_path
    assert statuses(alone) == ["reused"]


def test_sources_whose_copies_would_have_one_place_do_not_share_it(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocess_targets_module, "output_name", lambda _source: "same.mp4")
    report = pt.preprocess_dataset(dataset, out)
    assert statuses(report) == ["done", "failed"]
    assert "has the same place" in report.failures[0].message
    assert report.dataset.values("source_video.filepath") == [dataset.first().filepath]


def test_output_folders_among_the_sources_are_refused(dataset: fo.Dataset, sources: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(sources)
    for folder in (sources, tmp_path / "link", f"{sources}/../sources"):
        with pytest.raises(OptionError, match="is the folder of the source videos"):
            pt.preprocess_dataset(dataset, folder)
    for folder in (sources / "small", tmp_path / "link" / "a" / "b"):
        with pytest.raises(OptionError, match="lies inside the folder of source videos"):
            pt.preprocess_dataset(dataset, folder)
    assert files(sources) == ["a.mp4", "b.mp4"]
    assert dataset.list_runs() == []


def test_folders_that_cannot_be_written_are_refused(dataset: fo.Dataset, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(OutputError, match="is a file"):
        pt.preprocess_dataset(dataset, blocker)
    with pytest.raises(OutputError, match="cannot be written to"):
        pt.preprocess_dataset(dataset, blocker / "below")
    if os.name == "posix" and Path("/proc/self").exists():
        with pytest.raises(OutputError, match="cannot be written to"):
            pt.preprocess_dataset(dataset, "/proc/point-tracking-copies")
    assert dataset.list_runs() == []


def test_collections_without_videos_are_refused(
    dataset: fo.Dataset, make_dataset: MakeDataset, tmp_path: Path, out: Path
) -> None:
    picture = media.picture_file(tmp_path / "picture.png")
    with pytest.raises(CollectionError, match=r"^Expected videos, and the media type of this collection is 'image'"):
        pt.preprocess_dataset(make_dataset(picture), out)
    grouped = make_dataset()
    grouped.add_group_field("group", default="video")
    group = fo.Group()
    grouped.add_samples(
        [
            fo.Sample(filepath=str(picture), group=group.element("picture")),
            fo.Sample(filepath=dataset.first().filepath, group=group.element("video")),
        ]
    )
    with pytest.raises(CollectionError, match="grouped"):
        pt.preprocess_dataset(grouped, out)
    with pytest.raises(CollectionError, match="'mixed'"):
        pt.preprocess_dataset(grouped.select_group_slices(_allow_mixed=True), out)
    report = pt.preprocess_dataset(grouped.select_group_slices("video"), out)
    assert (report.num_samples, report.failures) == (1, [])
    with pytest.raises(CollectionError, match="found list"):
        pt.preprocess_dataset([], out)
    assert pt.preprocess_dataset(make_dataset(), out).outcomes == []


def test_other_peoples_data_sets_are_left_alone(dataset: fo.Dataset, make_dataset: MakeDataset, out: Path) -> None:
    other = make_dataset()
    with pytest.raises(CollectionError, match="did not make it"):
        pt.preprocess_dataset(dataset, out, dataset_name=other.name)
    with pytest.raises(CollectionError, match="the source videos itself"):
        pt.preprocess_dataset(dataset, out, dataset_name=dataset.name, overwrite=True)
    name = pt.preprocess_dataset(dataset, out).dataset_name
    with pytest.raises(CollectionError, match="copies of 2 of these videos in another folder"):
        pt.preprocess_dataset(dataset, f"{out}2", dataset_name=name)
    moved = pt.preprocess_dataset(dataset, f"{out}2", dataset_name=name, overwrite=True).dataset
    assert [Path(path).parent for path in moved.values("filepath")] == [Path(f"{out}2")] * 2
    stranger = make_dataset(dataset.first().filepath)
    with pytest.raises(CollectionError, match=f"copies of the videos of '{dataset.name}', not of '{stranger.name}'"):
        pt.preprocess_dataset(stranger, out, dataset_name=name, overwrite=True)
    with pytest.raises(CollectionError, match="the source videos itself"):
        pt.preprocess_dataset(moved, f"{out}3", dataset_name=name)
    assert len(moved) == 2
    assert not Path(f"{out}3").exists()


def test_names_that_fiftyone_would_refuse_in_the_end_are_refused_first(dataset: fo.Dataset, out: Path) -> None:
    with pytest.raises(OptionError, match="in addresses it reads"):
        pt.preprocess_dataset(dataset, out, dataset_name=dataset.name.replace(".", "-"))
    with pytest.raises(OptionError, match="Choose another one"):
        pt.preprocess_dataset(dataset, out, dataset_name="$$$")
    assert dataset.list_runs() == []


@given(st.text("ab. \u00e9\U00020bb7-", min_size=1, max_size=40), st.text("ab/", max_size=10))
def test_names_of_copies_are_short_of_the_limit_and_differ_with_the_path(name: str, folder: str) -> None:
    path = f"/{folder}/{name * 9}.mov"
    made = output_name(path)
    assert made == output_name(path)
    assert made.endswith(".mp4")
    assert "/" not in made
    assert len(os.fsencode(made)) <= 150
    assert made != output_name(f"/other{path}")
