"""Copies on their way into the database: as samples of a dataset, or as a second media field."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from preprocessed import shown, statuses

import point_tracking as pt
from point_tracking.store.tracks.source_links import media_fields_with_copies
from point_tracking.tracker.errors import (
    CollectionError,
    FieldError,
    FieldExistsError,
)
from point_tracking.workflows.preprocessing import preprocessed_videos as copies_module

MakeDataset = Callable[..., fo.Dataset]


@pytest.mark.parametrize("exists", [False, True])
def test_two_runs_into_one_data_set_at_once(
    make_dataset: MakeDataset, sources: Path, out: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    dataset = make_dataset(*(media.video(sources / f"{k}.mp4", 8) for k in range(4)))
    if exists:
        pt.preprocess_dataset(dataset.limit(1), out)
    at_once, real = threading.Barrier(2), copies_module.store_dataset

    def store(*arguments: Any) -> str:
        at_once.wait(60)
        return real(*arguments)

    monkeypatch.setattr(copies_module, "store_dataset", store)
    reports: list[Any] = []
    threads = [
        threading.Thread(target=lambda: reports.append(pt.preprocess_dataset(dataset, out, progress=False)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.failures for report in reports] == [[], []]
    assert len({report.run_key for report in reports}) == 2
    copies = reports[0].dataset
    copies.reload()
    assert sorted(copies.values("source_video.sample_id")) == sorted(dataset.values("id"))
    assert all(pt.load_report(dataset, report.run_key) == report for report in reports)


def test_a_run_that_cannot_store_its_copies_still_leaves_its_report(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = copies_module.store_dataset

    def store(*arguments: Any) -> str:
        fo.Dataset(f"{dataset.name}-preprocessed")
        return real(*arguments)

    monkeypatch.setattr(copies_module, "store_dataset", store)
    with pytest.raises(CollectionError, match="preprocessing did not make it"):
        pt.preprocess_dataset(dataset, out)
    report: Any = pt.load_report(dataset, "preprocess")
    assert (statuses(report), report.dataset_name) == (["done", "done"], None)


def test_copies_become_a_second_media_field(dataset: fo.Dataset, out: Path) -> None:
    report = pt.preprocess_dataset(dataset, out, every_nth=4, target="media_field", media_field="small")
    dataset.reload()
    assert report.dataset_name is None
    assert dataset.app_config.media_fields == ["filepath", "small"]
    assert media_fields_with_copies(dataset) == ["small"]
    for sample in dataset:
        assert shown(sample.small) == [n - 1 for n in sample.small_source.frame_numbers]
        assert sample.small_source.sample_id == sample.id
    assert statuses(pt.preprocess_dataset(dataset, out, every_nth=4, target="media_field", media_field="small")) == [
        "reused",
        "reused",
    ]
    with pytest.raises(FieldExistsError, match="another folder"):
        pt.preprocess_dataset(dataset, f"{out}2", target="media_field", media_field="small")
    dataset.add_sample_field("mine", fo.StringField)
    with pytest.raises(FieldError, match="not ours"):
        pt.preprocess_dataset(dataset, out, target="media_field", media_field="mine")


def test_a_data_set_whose_making_was_cut_off_is_no_obstacle(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fo.Dataset.save
    name = f"{dataset.name}-preprocessed"

    def die(made: fo.Dataset) -> None:
        if made.name == name or "point_tracking" in made.info:
            raise KeyboardInterrupt
        real(made)

    monkeypatch.setattr(fo.Dataset, "save", die)
    with pytest.raises(KeyboardInterrupt):
        pt.preprocess_dataset(dataset, out)
    monkeypatch.undo()
    report = pt.preprocess_dataset(dataset, out)
    assert (report.num_reused, report.failures) == (2, [])
    assert report.dataset_name == name
    assert report.dataset.persistent
    assert fo.load_dataset(name).media_type == "video"
