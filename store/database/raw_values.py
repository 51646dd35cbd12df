"""Values as the database keeps them, without a conversion of each: the only place that asks FiftyOne for them so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone as fo
from bson import ObjectId
from fiftyone.core.collections import SampleCollection

from .connection import RetryingCollection


def raw_values(samples: SampleCollection, names: Sequence[str]) -> list[list[Any]]:
    """The values of some fields, declared or not.

    Args:
        samples: a dataset or view
        names: of the fields, those on frames with "frames."

    Returns:
        for each field a list with an entry per sample; labels are documents
    """
    return samples.aggregate([fo.Values(name, _raw=True) for name in names])


def list_lengths(samples: SampleCollection, name: str) -> list[Any]:
    """How long the lists in a field are, counted by the database, so that none of them is loaded.

    Args:
        samples: a dataset or view
        name: of a field with a list per label, such as "frames.tracks.keypoints.points"

    Returns:
        for each sample as `raw_values`, with a number in place of each list; 0 where there is none
    """
    return samples.aggregate(fo.Values(name, expr=fo.ViewField().length(), _raw=True))


def raw_keypoints(
    dataset: fo.Dataset, sample_id: str, label_field: str, frame_numbers: Sequence[int], names: Sequence[str]
) -> dict[int, list[dict[str, Any]]]:
    """The keypoints of some frames of a sample; no other frame is loaded.

    Args:
        dataset: with the sample
        sample_id: the sample
        label_field: with the keypoints, without "frames."
        frame_numbers: of the frames, from 1
        names: of what is wanted of each keypoint, declared or not

    Returns:
        frame number -> its keypoints as documents, which lack what is not stored; frames without any are left out
    """
    steps = [
        {"$match": {"_sample_id": ObjectId(sample_id), "frame_number": {"$in": list(frame_numbers)}}},
        {"$project": {"_id": 0, "frame_number": 1, **{f"{label_field}.keypoints.{name}": 1 for name in names}}},
        {"$sort": {"frame_number": 1}},
    ]
    found = RetryingCollection(dataset._frame_collection).aggregate(steps)
    keypoints = {frame["frame_number"]: (frame.get(label_field) or {}).get("keypoints") for frame in found}
    return {number: ones for number, ones in keypoints.items() if ones}


def keypoint_columns(
    dataset: fo.Dataset, sample_id: str, label_field: str, names: Sequence[str], *, lengths: Sequence[str] = ()
) -> dict[str, list[Any]]:
    """What all keypoints of a sample say, attribute by attribute; as much as there is, where one answer of the database
    holds no more than 16 MB.

    Args:
        dataset: with the sample
        sample_id: the sample
        label_field: with the keypoints, without "frames."
        names: of what is wanted of each keypoint, declared or not
        lengths: of lists of each keypoint, of which the lengths are wanted; none of `names`

    Returns:
        "frame_number" -> of the frames that hold keypoints, increasing; each name -> for each of these frames a list
        with the value of each keypoint, None where it has none; of `lengths` the length, 0 where it has none
    """
    wanted: dict[str, Any] = {name: {"$ifNull": [f"$$this.{name}", None]} for name in names}
    wanted |= {name: {"$size": {"$ifNull": [f"$$this.{name}", []]}} for name in lengths}
    values = {
        f"c{k}": {"$map": {"input": f"${label_field}.keypoints", "in": one}} for k, one in enumerate(wanted.values())
    }
    steps = [
        {"$match": {"_sample_id": ObjectId(sample_id), f"{label_field}.keypoints.0": {"$exists": True}}},
        # before the values: by the index of the collection
        {"$sort": {"frame_number": 1}},
        {"$project": {"_id": 0, "frame_number": 1, **values}},
    ]
    columns: dict[str, list[Any]] = {name: [] for name in ("frame_number", *wanted)}
    keys = ("frame_number", *values)
    for frame in RetryingCollection(dataset._frame_collection).aggregate(steps):
        for key, column in zip(keys, columns.values(), strict=True):
            column.append(frame[key])
    return columns


def labelled_frames(dataset: fo.Dataset, sample_id: str, label_field: str) -> list[int]:
    """The numbers of the frames that hold a label, were it an empty one.

    Args:
        dataset: with the sample
        sample_id: the sample
        label_field: the name, without "frames."
    """
    steps = [
        {"$match": {"_sample_id": ObjectId(sample_id), f"{label_field}._cls": {"$exists": True}}},
        {"$sort": {"frame_number": 1}},
        {"$project": {"_id": 0, "frame_number": 1}},
    ]
    return [frame["frame_number"] for frame in RetryingCollection(dataset._frame_collection).aggregate(steps)]
