"""The media field of rendered videos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest

from point_tracking.tracker.errors import FieldError
from point_tracking.workflows.rendering.shown_paths import check_shown_paths, forget_paths, store_paths


def test_paths_are_stored_for_samples_that_are_there_and_forgotten_where_they_still_are(
    make_dataset: Callable[..., fo.Dataset], clips: list[Path]
) -> None:
    dataset = make_dataset(*clips[:3])
    ids = dataset.values("id")
    check_shown_paths(dataset, "trails")
    dataset.delete_samples(ids[2:])
    store_paths(dataset, "trails", {sample_id: f"/{k}" for k, sample_id in enumerate(ids)}, "Trails")
    check_shown_paths(dataset, "trails")
    assert dataset.values("trails") == ["/0", "/1"]
    assert dataset.app_config.media_fields == ["filepath", "trails"]
    dataset.app_config.grid_media_field = "trails"
    dataset.save()
    paths = {(sample_id, f"/{k}") for k, sample_id in enumerate(ids)}
    dataset.set_values("trails", {ids[1]: "/mine"}, key_field="id")
    assert forget_paths(dataset, "trails", paths) == 1
    assert dataset.values("trails") == [None, "/mine"]
    assert forget_paths(dataset, "trails", {(ids[1], "/mine")}) == 1
    assert not dataset.has_sample_field("trails")
    assert (dataset.app_config.media_fields, dataset.app_config.grid_media_field) == (["filepath"], "filepath")
    assert forget_paths(dataset, "trails", paths) == 0


def test_fields_of_others_are_neither_written_nor_emptied(
    make_dataset: Callable[..., fo.Dataset], clips: list[Path]
) -> None:
    dataset = make_dataset(clips[0])
    dataset.set_values("notes", ["/mine"])
    with pytest.raises(FieldError, match="something else"):
        check_shown_paths(dataset, "notes")
    assert forget_paths(dataset, "notes", {(dataset.first().id, "/mine")}) == 0
    assert dataset.values("notes") == ["/mine"]
