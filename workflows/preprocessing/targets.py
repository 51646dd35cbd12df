"""Which videos a preprocessing run copies, where to, and what it must refuse before it starts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fiftyone as fo
from fiftyone.core.collections import SampleCollection
from fiftyone.core.utils import to_slug

from ...store.database.fields import owner_of
from ...store.tracks.source_links import FILEPATH, source_link_field_of
from ...store.tracks.videos import check_collection
from ...tracker.errors import CollectionError, FieldError, FieldExistsError, OptionError
from ..output_files.folders import check_folder, file_name, make_folder
from .options import PreprocessOptions

INFO_KEY = "point_tracking"
PREPROCESSED_FROM = "preprocessed_from"
_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class CopyTarget:
    """One sample of a run.

    Args:
        sample_id: of the source's sample
        source: path of the source
        output: path of its copy
        tags: of the sample
    """

    sample_id: str
    source: str
    output: Path
    tags: tuple[str, ...] = ()


def output_name(source: str) -> str:
    """The file name of a copy: that of the source, and a digest of its path.

    The digest keeps sources of the same name in different folders apart, whatever
    else is preprocessed with them.

    Args:
        source: path of the source

    Returns:
        for example "cat-1f0c2a9bd9e47c30.mp4"
    """
    path = os.path.abspath(source)
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST_LENGTH]
    return file_name(path, digest, ".mp4")


def find_copy_targets(samples: SampleCollection, options: PreprocessOptions) -> list[CopyTarget]:
    """Chooses the copies' names, and makes all checks that need no media.

    Args:
        samples: a video dataset or view
        options: what the run is told

    Returns:
        one target per sample, in the order of the collection

    Raises:
        CollectionError: if these are no videos, or the dataset to write is not a fitting one
        FieldError: if the media field cannot be written
        FieldExistsError: if stored data would be replaced without being told to
        OptionError: if the output folder is, or lies in, a folder of sources
        OutputError: if the output folder cannot be written to
    """
    check_collection(samples)
    targets = _targets(samples, options)
    if targets:
        check_folder(options.folder, [target.source for target in targets])
        check_destination(samples, options)
        make_folder(options.folder)
    return targets


def check_destination(samples: SampleCollection, options: PreprocessOptions) -> None:
    """Refuses to write to someone else's dataset or field, or over other copies without being told to.

    Args:
        samples: a video dataset or view
        options: what the run is told

    Raises:
        CollectionError, FieldError, FieldExistsError: saying what is in the way
    """
    if options.target == "dataset":
        _check_dataset(samples._dataset, _targets(samples, options), options)
    else:
        _check_media_field(samples, _targets(samples, options), options)


def _targets(samples: SampleCollection, options: PreprocessOptions) -> list[CopyTarget]:
    columns = samples.values(["id", FILEPATH, "tags"])
    folder = options.folder
    return [CopyTarget(i, p, folder / output_name(p), tuple(t or ())) for i, p, t in zip(*columns, strict=True)]


def dataset_name_of(dataset: fo.Dataset, options: PreprocessOptions) -> str:
    """The name of the dataset of copies."""
    return options.dataset_name or f"{dataset.name}-preprocessed"


def check_is_of(dataset: fo.Dataset, source: fo.Dataset) -> None:
    """Refuses a dataset that does not hold the copies of a source's videos.

    Args:
        dataset: to write copies to
        source: the dataset of the sources

    Raises:
        CollectionError: saying whose it is
    """
    name = dataset.name
    if name == source.name:
        raise CollectionError(f"{name!r} is the dataset of the source videos itself. Choose another dataset_name")
    record = (dataset.info or {}).get(INFO_KEY)
    if not isinstance(record, dict) or PREPROCESSED_FROM not in record:
        raise CollectionError(
            f"There is a dataset {name!r} already, and preprocessing did not make it. Choose another dataset_name"
        )
    if record[PREPROCESSED_FROM] != source.name:
        raise CollectionError(
            f"The dataset {name!r} holds copies of the videos of {record[PREPROCESSED_FROM]!r}, not of "
            f"{source.name!r}. Choose another dataset_name"
        )


def _check_dataset(source: fo.Dataset, targets: Sequence[CopyTarget], options: PreprocessOptions) -> None:
    name = dataset_name_of(source, options)
    if not fo.dataset_exists(name):
        _check_name(name)
        return
    found = fo.load_dataset(name)
    check_is_of(found, source)
    if options.overwrite:
        return
    planned = {target.sample_id: str(target.output) for target in targets}
    source_ids, paths = found.values([f"{source_link_field_of(FILEPATH)}.sample_id", FILEPATH])
    moved = [i for i, path in zip(source_ids, paths, strict=True) if planned.get(i, path) != path]
    if moved:
        raise CollectionError(
            f"The dataset {name!r} already has copies of {len(moved)} of these videos in another folder. "
            "Choose another dataset_name, or overwrite=True to replace them"
        )


def _check_name(name: str) -> None:
    """Refuses a name that FiftyOne would refuse once everything is encoded."""
    try:
        slug = to_slug(name)
    except ValueError as error:
        raise OptionError(f"Invalid dataset_name ({name!r}): {error}. Choose another one") from error
    taken = next((other for other in fo.list_datasets() if to_slug(other) == slug), None)
    if taken is not None:
        raise OptionError(
            f"Invalid dataset_name ({name!r}): in addresses it reads {slug!r}, as the dataset {taken!r} does. "
            "Choose another one"
        )


def _check_media_field(samples: SampleCollection, targets: Sequence[CopyTarget], options: PreprocessOptions) -> None:
    name = options.media_field
    schema = samples._dataset.get_field_schema(flat=False)
    link = schema.get(source_link_field_of(name)) if name != FILEPATH else None
    is_ours = link is not None and owner_of(link) is not None
    if name in schema and not is_ours:
        raise FieldError(f"The sample field {name!r} exists and is not ours. Choose another media_field")
    if link is not None and not is_ours:
        raise FieldError(
            f"The sample field {source_link_field_of(name)!r} exists and is not ours, but the media field {name!r} "
            "needs that name. Choose another media_field"
        )
    if name not in schema or options.overwrite:
        return
    planned = {target.sample_id: str(target.output) for target in targets}
    ids, paths = samples.values(["id", name])
    moved = [i for i, path in zip(ids, paths, strict=True) if path is not None and planned[i] != path]
    if moved:
        raise FieldExistsError(
            f"{len(moved)} of these samples already have a copy of another folder in {name!r}. "
            "Choose another media_field, or overwrite=True to replace it"
        )
