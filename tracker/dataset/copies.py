"""Preprocessed copies into the database: as samples of a data set, or as a second media field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import fiftyone as fo

from ..video.transcode import Transcoded
from .origins import FILEPATH, declare_origin, origin_document, origin_field_of
from .preprocess_options import PreprocessOptions
from .preprocess_targets import INFO_KEY, CopyTarget, dataset_name_of


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


def store_dataset(source: fo.Dataset, copies: Sequence[Copy], options: PreprocessOptions) -> str:
    """Adds copies to their data set; samples whose copy is unchanged keep their labels.

    Args:
        source: the data set of the sources
        copies: to add
        options: of the run

    Returns:
        the name of the data set
    """
    name = dataset_name_of(source, options)
    if fo.dataset_exists(name):
        dataset = fo.load_dataset(name)
    else:
        dataset = fo.Dataset(name, persistent=options.persistent)
        dataset.media_type = fo.core.media.VIDEO
        dataset.info[INFO_KEY] = {"preprocessed_from": source.name}
        dataset.save()
    declare_origin(dataset, FILEPATH)
    field = origin_field_of(FILEPATH)
    keys = ["id", FILEPATH, f"{field}.sample_id", f"{field}.frame_numbers", f"{field}.mtime_ns"]
    present = {
        source_id: (own_id, *facts)
        for own_id, path, source_id, *rest in zip(*dataset.values(keys), strict=True)
        for facts in [(path, *rest)]
    }
    outdated, added = [], []
    for copy in copies:
        document = origin_document(copy.made.provenance, source, copy.target.sample_id)
        facts = (copy.made.path, document["frame_numbers"], document["mtime_ns"])
        old = present.get(copy.target.sample_id)
        if old is not None and old[1:] == facts:
            continue
        if old is not None:
            outdated.append(old[0])
        sample = fo.Sample(filepath=copy.made.path, tags=list(copy.target.tags), metadata=copy.metadata)
        sample[field] = fo.DynamicEmbeddedDocument(**{k: v for k, v in document.items() if k != "_cls"})
        added.append(sample)
    if outdated:
        dataset.delete_samples(outdated)
    if added:
        dataset.add_samples(added, dynamic=False, progress=False)
    return name


def store_media_field(dataset: fo.Dataset, copies: Sequence[Copy], options: PreprocessOptions) -> None:
    """Gives samples the path of their copy in a second media field.

    Args:
        dataset: of the samples
        copies: to store
        options: of the run
    """
    name = options.media_field
    declare_origin(dataset, name)
    if name not in dataset.get_field_schema(flat=False):
        dataset.add_sample_field(
            name,
            fo.StringField,
            description="Small copies of the videos; frame-numbered labels belong to the source in filepath",
        )
    if name not in dataset.app_config.media_fields:
        dataset.app_config.media_fields.append(name)
        dataset.save()
    origins = {
        copy.target.sample_id: origin_document(copy.made.provenance, dataset, copy.target.sample_id) for copy in copies
    }
    paths = {copy.target.sample_id: copy.made.path for copy in copies}
    dataset.set_values(origin_field_of(name), origins, key_field="id", validate=False, expand_schema=False)
    dataset.set_values(name, paths, key_field="id")
