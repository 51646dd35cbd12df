"""Preprocessed copies into the database: as samples of a dataset, or as a second media field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import fiftyone as fo

from ...store.database.connection import with_retries
from ...store.database.liveness import Owner
from ...store.database.locks import lock
from ...store.tracks.source_links import FILEPATH, declare_source_link, source_link_document, source_link_field_of
from ...tracker.errors import CollectionError
from ...tracker.transcoding.transcode import Transcoded
from ..output_files.media_field import catch_up, changing_media_fields, declare_media_field
from .options import PreprocessOptions
from .targets import INFO_KEY, PREPROCESSED_FROM, CopyTarget, check_is_of, dataset_name_of


@dataclass(frozen=True, eq=False)
class Copy:
    """A finished copy of a sample's video.

    Args:
        target: the sample
        made: the file
        metadata: of the copy
    """

    target: CopyTarget
    made: Transcoded
    metadata: fo.VideoMetadata


def store_copies(
    dataset: fo.Dataset, copies: Sequence[Copy], options: PreprocessOptions, *, patience_s: float | None = None
) -> str | None:
    """Stores copies where the options say; what is stored already is not stored again.

    Args:
        dataset: of the sources
        copies: to store
        options: what the run is told
        patience_s: how long to try where the database is away

    Returns:
        the name of the dataset of the copies; None for a media field

    Raises:
        CollectionError: if someone else made a dataset of that name meanwhile
        DatabaseError: if the database stays away
    """
    store = store_dataset if options.target == "dataset" else store_media_field
    # many copies may take longer than a frozen server is waited for
    return with_retries(partial(store, dataset, copies, options), attempt_s=None, patience_s=patience_s)


def store_dataset(source: fo.Dataset, copies: Sequence[Copy], options: PreprocessOptions) -> str:
    """Adds copies to their dataset; samples whose copy is unchanged keep their labels.

    Runs that store at once take turns, so that each source gets one sample.

    Args:
        source: the dataset of the sources
        copies: to add
        options: what the run is told

    Returns:
        the name of the dataset

    Raises:
        CollectionError: if someone else made a dataset of that name meanwhile
    """
    with Owner(source, None) as owner, lock(owner, "copies"):
        dataset = _open_dataset(source, options)
        present = _present_copies(dataset)
        outdated, added = [], []
        for copy in copies:
            document = source_link_document(copy.made.provenance, source, copy.target.sample_id)
            facts = (copy.made.path, document["frame_numbers"], document["mtime_ns"])
            old = present.get(copy.target.sample_id)
            if old is not None and old[1:] == facts:
                continue
            if old is not None:
                outdated.append(old[0])
            sample = fo.Sample(filepath=copy.made.path, tags=list(copy.target.tags), metadata=copy.metadata)
            sample[source_link_field_of(FILEPATH)] = fo.DynamicEmbeddedDocument(
                **{key: value for key, value in document.items() if key != "_cls"}
            )
            added.append(sample)
        if outdated:
            dataset.delete_samples(outdated)
        if added:
            dataset.add_samples(added, dynamic=False, progress=False)
    return dataset.name


def _open_dataset(source: fo.Dataset, options: PreprocessOptions) -> fo.Dataset:
    name = dataset_name_of(source, options)
    if not fo.dataset_exists(name):
        _make_dataset(source, name, options)
    dataset = fo.load_dataset(name)
    catch_up(dataset)
    check_is_of(dataset, source)
    declare_source_link(dataset, FILEPATH)
    return dataset


def _make_dataset(source: fo.Dataset, name: str, options: PreprocessOptions) -> None:
    """Makes the dataset, unless someone else just did.

    It gets its name last: one left by a killed process without its note would be
    taken for someone else's. Until then it is not persistent, so FiftyOne removes it.
    """
    dataset = fo.Dataset()
    dataset.media_type = fo.core.media.VIDEO
    dataset.info[INFO_KEY] = {PREPROCESSED_FROM: source.name}
    dataset.save()
    dataset._doc.persistent = options.persistent
    try:
        dataset.name = name  # saves both
    except ValueError as error:
        dataset.delete()
        if not fo.dataset_exists(name):
            raise CollectionError(f"There can be no dataset {name!r}: {error}") from error


def _present_copies(dataset: fo.Dataset) -> dict[str, tuple[Any, ...]]:
    """Source id -> own id, and by what an unchanged copy is told."""
    field = source_link_field_of(FILEPATH)
    keys = [f"{field}.sample_id", "id", FILEPATH, f"{field}.frame_numbers", f"{field}.mtime_ns"]
    return {source_id: tuple(facts) for source_id, *facts in zip(*dataset.values(keys), strict=True)}


def store_media_field(dataset: fo.Dataset, copies: Sequence[Copy], options: PreprocessOptions) -> None:
    """Gives samples the path of their copy in a second media field.

    Args:
        dataset: of the samples
        copies: to store
        options: what the run is told
    """
    with changing_media_fields(dataset):
        declare_source_link(dataset, options.media_field)
        declare_media_field(
            dataset,
            options.media_field,
            description="Small copies of the videos; frame-numbered labels belong to the source in filepath",
        )
    _set_media(dataset, copies, options.media_field)


def _set_media(dataset: fo.Dataset, copies: Sequence[Copy], name: str) -> None:
    links = {
        copy.target.sample_id: source_link_document(copy.made.provenance, dataset, copy.target.sample_id)
        for copy in copies
    }
    paths = {copy.target.sample_id: copy.made.path for copy in copies}
    dataset.set_values(source_link_field_of(name), links, key_field="id", validate=False, expand_schema=False)
    dataset.set_values(name, paths, key_field="id")
