"""Where a preprocessed copy comes from, on its sample, and the way back to the source's frame numbers.

The copy in a dataset of its own has its link in the sample field
`source_video`; one in a second media field `<media_field>` has it in
`<media_field>_source` of the same sample.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection
from fiftyone.core.odm import create_field

from ...tracker.coordinates import frame_index_of, frame_number_of
from ...tracker.errors import CollectionError, FieldError, VideoError
from ...tracker.transcoding.provenance import Provenance, read_provenance
from ..database.fields import OWNER_KEY, owner_of

FILEPATH = "filepath"
_DATASET_FIELD = "source_video"

_SUBFIELDS: dict[str, type[fo.Field]] = {
    "filepath": fo.StringField,
    "dataset": fo.StringField,
    "sample_id": fo.StringField,
    "num_frames": fo.IntField,
    "width": fo.IntField,
    "height": fo.IntField,
    "size_bytes": fo.IntField,
    "mtime_ns": fo.IntField,
    "fps": fo.FloatField,
    "codec": fo.StringField,
    "options": fo.DictField,
}


@dataclass(frozen=True, eq=False)
class SourceLink:
    """The source of a copy.

    Args:
        dataset: name of the dataset that holds the source
        sample_id: of the source's sample
        num_frames: of the source that decode
        size_px: (width, height) of the source's displayed frame
        frame_numbers: (T,) int64, the source's frame number (from 1) that each frame of the copy shows
        filepath: of the source, when the copy was made
        size_bytes, mtime_ns: of that file
    """

    dataset: str
    sample_id: str
    num_frames: int
    size_px: tuple[int, int]
    frame_numbers: np.ndarray
    filepath: str
    size_bytes: int
    mtime_ns: int


def source_link_field_of(media_field: str) -> str:
    """The sample field that says where the media of a media field comes from."""
    return _DATASET_FIELD if media_field == FILEPATH else f"{media_field}_source"


def source_link_document(provenance: Provenance, dataset: fo.Dataset, sample_id: str) -> dict[str, Any]:
    """What is stored on the sample of a copy.

    Args:
        provenance: of the copy
        dataset: of the source
        sample_id: of the source

    Returns:
        the embedded document, as the dictionary FiftyOne stores
    """
    source = provenance.source
    return {
        "_cls": "DynamicEmbeddedDocument",
        "filepath": source.path,
        "dataset": dataset.name,
        "sample_id": sample_id,
        "frame_numbers": frame_number_of(provenance.frame_map.source_indices).tolist(),
        "num_frames": provenance.frame_map.num_source_frames,
        "width": source.width,
        "height": source.height,
        "size_bytes": source.size_bytes,
        "mtime_ns": source.mtime_ns,
        "fps": source.fps,
        "codec": source.codec,
        "options": provenance.options,
    }


def declare_source_link(dataset: fo.Dataset, media_field: str) -> None:
    """Declares the field that links are stored in.

    Args:
        dataset: of the copies
        media_field: the field with the copies' paths

    Raises:
        FieldError: if there is a field of that name that is not ours
    """
    name = source_link_field_of(media_field)
    found = dataset.get_field_schema(flat=False).get(name)
    if found is not None:
        if owner_of(found) is None:
            raise FieldError(f"The sample field {name!r} exists and is not ours. Rename it, or use another media field")
        return
    fields = [create_field(key, field_type) for key, field_type in _SUBFIELDS.items()]
    dataset.add_sample_field(
        name,
        fo.EmbeddedDocumentField,
        embedded_doc_type=fo.DynamicEmbeddedDocument,
        description=f"The source of {media_field}, and which of its frames were kept",
        info={OWNER_KEY: {"media_field": media_field}},
        fields=[*fields, create_field("frame_numbers", fo.ListField, subfield=fo.IntField)],
    )


def read_source_links(samples: SampleCollection, media_field: str) -> dict[str, SourceLink]:
    """Reads where the media of some samples comes from.

    Args:
        samples: a dataset or view
        media_field: the field with the media's paths

    Returns:
        sample id -> link, for the samples whose media is a preprocessed copy

    Raises:
        CollectionError: if there are no copies in this dataset at all
    """
    name = _source_link_field(samples, media_field)
    keys = ("dataset", "sample_id", "num_frames", "width", "height", "frame_numbers")
    facts = ("filepath", "size_bytes", "mtime_ns")
    columns = samples.values(["id", *(f"{name}.{key}" for key in (*keys, *facts))])
    return {
        sample_id: SourceLink(dataset, source_id, num_frames, (width, height), np.array(numbers, dtype=np.int64), *rest)
        for sample_id, dataset, source_id, num_frames, width, height, numbers, *rest in zip(*columns, strict=True)
        if source_id is not None
    }


def _source_link_field(samples: SampleCollection, media_field: str) -> str:
    """The field with links; refuses media that has none."""
    name = source_link_field_of(media_field)
    found = samples._dataset.get_field_schema(flat=False).get(name)
    if found is None or owner_of(found) is None:
        raise CollectionError(
            f"The media in {media_field!r} was not made by preprocessing, so there are no source frames to write to. "
            "Run preprocess_dataset first, or use write_to='media'"
        )
    return name


def source_dataset(samples: SampleCollection) -> fo.Dataset:
    """The dataset with the sources of copies in a dataset of their own.

    Args:
        samples: copies

    Raises:
        CollectionError: if these are no copies, their sources are in several datasets, or theirs was deleted
    """
    names = sorted(samples.distinct(f"{_source_link_field(samples, FILEPATH)}.dataset"))
    if len(names) != 1:
        found = f"in {len(names)} datasets ({', '.join(names)})" if names else "unknown"
        raise CollectionError(f"The sources of these samples are {found}. Track the copies of one dataset at a time")
    if not fo.dataset_exists(names[0]):
        raise CollectionError(
            f"The dataset {names[0]!r} with the sources of these samples was deleted or renamed. "
            "Use write_to='media', or preprocess again"
        )
    return fo.load_dataset(names[0])


def source_ids(samples: SampleCollection) -> list[str]:
    """The ids of the sources' samples, of copies in a dataset of their own.

    Args:
        samples: copies

    Raises:
        CollectionError: if these are no copies
    """
    return [source_id for source_id in samples.values(source_id_field(samples)) if source_id is not None]


def source_id_field(samples: SampleCollection) -> str:
    """The sample field with the id of the source's sample, of copies in a dataset of their own.

    Args:
        samples: copies

    Raises:
        CollectionError: if these are no copies
    """
    return f"{_source_link_field(samples, FILEPATH)}.sample_id"


def media_fields_with_copies(dataset: fo.Dataset) -> list[str]:
    """The media fields of a dataset that hold preprocessed copies.

    Args:
        dataset: any dataset

    Returns:
        names, "filepath" among them where the samples themselves are copies
    """
    schema = dataset.get_field_schema(flat=False)
    infos = [owner_of(field) or {} for field in schema.values()]
    return [info["media_field"] for info in infos if "media_field" in info]


def check_copy(path: str, num_frames: int, link: SourceLink) -> None:
    """Refuses a copy that is not the one the sample's link speaks of.

    Args:
        path: of the copy
        num_frames: of the copy that decode
        link: as stored on the sample

    Raises:
        VideoError: saying what to do
    """
    expected = frame_index_of(link.frame_numbers)
    provenance = read_provenance(path)
    same = provenance is None or np.array_equal(provenance.frame_map.source_indices, expected)
    if not same or num_frames != len(expected):
        raise VideoError(
            f"{path} was replaced since it was preprocessed: its frames are no longer those the sample remembers. "
            "Run preprocess_dataset again"
        )


def check_source(link: SourceLink, warnings: list[str]) -> None:
    """Refuses a source that is not the one its copy was made from; one that is out of reach cannot be told.

    Args:
        link: of the copy
        warnings: receives what the user should know, in words

    Raises:
        VideoError: saying what to do
    """
    try:
        status = os.stat(link.filepath)
    except OSError:
        return
    if status.st_size != link.size_bytes:
        raise VideoError(
            f"{link.filepath} was replaced since it was preprocessed: it has {status.st_size:,} bytes now, and had "
            f"{link.size_bytes:,}. Run preprocess_dataset again with overwrite=True, then track the new copy"
        )
    if status.st_mtime_ns != link.mtime_ns:
        warnings.append(
            f"{link.filepath} was touched since it was preprocessed. If its frames are others now, run "
            "preprocess_dataset again with overwrite=True"
        )
