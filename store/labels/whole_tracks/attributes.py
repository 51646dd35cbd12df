"""What is told of whole tracks, written to each of their keypoints: attributes such as `featureless`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateMany

from ....tracker.coordinates import track_index_of
from ...database.connection import RetryingCollection
from ...tracks.sample_status import read_marks


def has_attributes(dataset: fo.Dataset, sample_id: str, label_field: str) -> bool:
    """Whether the keypoints of a sample are one per point, so that each can say something of its track.

    Args:
        dataset: the dataset
        sample_id: the sample
        label_field: the name, without "frames."
    """
    mark = read_marks(dataset, [sample_id], label_field).get(sample_id)
    if mark is not None:
        return mark.layout == "points"
    frames = RetryingCollection(dataset._frame_collection)
    several = {"_sample_id": ObjectId(sample_id), f"{label_field}.keypoints.points.1": {"$exists": True}}
    return frames.find_one(several, {"_id": 1}) is None


def set_track_attribute(
    dataset: fo.Dataset, sample_id: str, label_field: str, name: str, tracks: Mapping[Any, Sequence[int]]
) -> None:
    """Writes an attribute to all keypoints of some tracks.

    Args:
        dataset: the dataset; its schema knows the attribute
        sample_id: the sample
        label_field: the name, without "frames."
        name: of the attribute
        tracks: value -> columns of the tracks that have it, from 0
    """
    path = f"{label_field}.keypoints"
    here = {"_sample_id": ObjectId(sample_id), f"{path}.0": {"$exists": True}}
    changes = [
        UpdateMany(
            here,
            {"$set": {f"{path}.$[k].{name}": value}},
            array_filters=[{"k.index": {"$in": [int(track_index_of(int(column))) for column in columns]}}],
        )
        for value, columns in tracks.items()
        if len(columns)
    ]
    if changes:
        RetryingCollection(dataset._frame_collection).write(changes)
        fo.Frame._reload_docs(dataset._frame_collection_name, sample_ids=[sample_id])
