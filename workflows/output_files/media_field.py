"""Sample fields with paths of videos that the App offers beside the videos themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import fiftyone as fo

from ...store.database.connection import changing_document, dataset_document, dataset_id_of
from ...store.database.liveness import Owner
from ...store.database.locks import lock
from ...store.tracks.source_links import FILEPATH


@contextmanager
def changing_media_fields(dataset: fo.Dataset) -> Iterator[None]:
    """What surrounds a change of a dataset's media fields, so that runs that do it at once take turns.

    Args:
        dataset: whose fields are changed
    """
    # two threads must not change the document of a dataset at once, and a run that starts changes it too
    with Owner(dataset, None) as owner, lock(owner, "runs"), changing_document:
        catch_up(dataset)
        yield


def catch_up(dataset: fo.Dataset) -> None:
    """Notices fields that another process declared; reloads only then, since that drops unsaved changes."""
    stored = (dataset_document(dataset_id_of(dataset), "sample_fields.name") or {}).get("sample_fields") or []
    with changing_document:
        if not {field["name"] for field in stored} <= set(dataset.get_field_schema(flat=False, include_private=True)):
            dataset.reload()


def declare_media_field(
    dataset: fo.Dataset, name: str, *, description: str, info: Mapping[str, Any] | None = None
) -> None:
    """Declares a field for paths, and makes the App offer it; to be called within `changing_media_fields`.

    Args:
        dataset: of the samples
        name: of the sample field; one that exists stays as it is
        description: what the files are
        info: kept with the field
    """
    if name not in dataset.get_field_schema(flat=False):
        dataset.add_sample_field(name, fo.StringField, description=description, info=dict(info) if info else None)
    if name not in dataset.app_config.media_fields:
        dataset.app_config.media_fields.append(name)
        dataset.save()


def remove_media_field(dataset: fo.Dataset, name: str) -> None:
    """Deletes a field of paths, and makes the App forget it; to be called within `changing_media_fields`.

    Args:
        dataset: of the samples
        name: of the sample field
    """
    config = dataset.app_config
    config.media_fields = [other for other in config.media_fields if other != name]
    for place in ("grid_media_field", "modal_media_field"):
        if getattr(config, place) == name:
            setattr(config, place, FILEPATH)
    dataset.save()
    dataset.delete_sample_field(name)
