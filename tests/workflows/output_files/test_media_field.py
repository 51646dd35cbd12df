"""Fields that the App offers as media."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo

from point_tracking.workflows.output_files.media_field import (
    catch_up,
    changing_media_fields,
    declare_media_field,
    remove_media_field,
)

MakeDataset = Callable[..., fo.Dataset]


def test_a_field_comes_and_goes_with_what_the_app_knows_of_it(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    for _ in range(2):
        with changing_media_fields(dataset):
            declare_media_field(dataset, "trails", description="With trails", info={"made": "here"})
    dataset.set_values("trails", ["/a.mp4"])
    dataset.app_config.modal_media_field = "trails"
    dataset.save()
    dataset.reload()
    assert dataset.app_config.media_fields == ["filepath", "trails"]
    assert dataset.get_field("trails").info == {"made": "here"}
    with changing_media_fields(dataset):
        remove_media_field(dataset, "trails")
    dataset.reload()
    assert not dataset.has_sample_field("trails")
    assert dataset.app_config.media_fields == ["filepath"]
    assert dataset.app_config.modal_media_field == "filepath"


def test_changes_at_once_take_turns(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    names = [f"field_{k}" for k in range(4)]

    def declare(name: str) -> None:
        with changing_media_fields(dataset):
            declare_media_field(dataset, name, description=name)

    threads = [threading.Thread(target=declare, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    catch_up(dataset)
    assert set(dataset.app_config.media_fields) == {"filepath", *names}
    assert set(names) <= set(dataset.get_field_schema())
