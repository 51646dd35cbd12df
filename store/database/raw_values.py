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
) -> tuple[list[int], list[list[list[Any]]]]:
    """What all keypoints of a sample say, frame by frame: the database hands frames over one by one.

    FiftyOne asks for all frames of a sample as one document, and of a long video (400 points in 700 frames) these are
    more than the 16 MB that MongoDB gives.

    Args:
        dataset: with the sample
        sample_id: the sample
        label_field: with the keypoints, without "frames."
        names: of what is wanted of each keypoint, declared or not
        lengths: of lists of each keypoint, whose lengths are wanted

    Returns:
        the numbers of the frames with keypoints, and a list for each name, then for each of `lengths`, with an entry
        per frame: the values of its keypoints, None where a keypoint does not say it; lengths are 0 there
    """
    said: list[Any] = [{"$ifNull": [f"$$one.{name}", None]} for name in names]
    said += [{"$size": {"$ifNull": [f"$$one.{name}", []]}} for name in lengths]
    keypoints = f"{label_field}.keypoints"
    columns = {f"c{k}": {"$map": {"input": f"${keypoints}", "as": "one", "in": one}} for k, one in enumerate(said)}
    steps = [
        {"$match": {"_sample_id": ObjectId(sample_id), f"{keypoints}.0": {"$exists": True}}},
        {"$sort": {"frame_number": 1}},
        {"$project": {"_id": 0, "frame_number": 1, **columns}},
    ]
    frames = RetryingCollection(dataset._frame_collection).aggregate(steps)
    return [frame["frame_number"] for frame in frames], [[frame[name] for frame in frames] for name in columns]


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
