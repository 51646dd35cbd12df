"""The sample field with the paths of rendered videos, which the App offers as media."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import fiftyone as fo

from ...store.database.fields import OWNER_KEY, owner_of
from ...store.tracks.videos import select_videos, videos_of
from ...tracker.errors import FieldError
from ..output_files.media_field import changing_media_fields, declare_media_field, remove_media_field

_KIND = "kind"
_RENDERED = "rendered"


def check_shown_paths(dataset: fo.Dataset, name: str) -> None:
    """Refuses a media field that somebody else made, or that may not be written.

    Args:
        dataset: the dataset
        name: of the field, which need not exist

    Raises:
        FieldError: saying what was found
    """
    field = dataset.get_field(name)
    if field is None:
        return
    if not _holds_paths(dataset, name):
        raise FieldError(f"The field {name!r} holds something else than rendered videos. Choose another name")
    if field.read_only:
        raise FieldError(f"The field {name!r} is read-only. Choose another media field")


def store_paths(dataset: fo.Dataset, name: str, paths: Mapping[str, str], description: str) -> None:
    """Stores where rendered videos lie, and makes the App offer them.

    Args:
        dataset: of the samples
        name: of the media field
        paths: of the videos, by the ids of samples; those that were deleted since are left out
        description: of the field
    """
    with changing_media_fields(dataset):
        declare_media_field(dataset, name, description=description, info={OWNER_KEY: {_KIND: _RENDERED}})
    there = select_videos(dataset, list(paths)).values("id")
    dataset.set_values(name, {sample_id: paths[sample_id] for sample_id in there}, key_field="id")


def forget_paths(dataset: fo.Dataset, name: str, paths: Collection[tuple[str, str]]) -> int:
    """Takes paths out of a media field where they still are; the field goes too, once it is empty.

    Args:
        dataset: of the samples
        name: of the media field
        paths: (sample id, path) of each

    Returns:
        how many there were
    """
    if not _holds_paths(dataset, name):
        return 0
    held = select_videos(dataset, [sample_id for sample_id, _ in paths]).values(["id", name])
    gone = [sample_id for sample_id, path in zip(*held, strict=True) if (sample_id, path) in paths]
    if gone:
        dataset.set_values(name, dict.fromkeys(gone), key_field="id")
    with changing_media_fields(dataset):
        if not videos_of(dataset).count(name):
            remove_media_field(dataset, name)
    return len(gone)


def _holds_paths(dataset: fo.Dataset, name: str) -> bool:
    field = dataset.get_field(name)
    return field is not None and (owner_of(field) or {}).get(_KIND) == _RENDERED
