"""The frame documents of one label field, as MongoDB keeps them.

FiftyOne's own calls write frames by loading them; here many frames travel per
call, every call may be repeated, and what one field's run does never touches other
fields. The names of FiftyOne's collections and of the keys it gives every frame are
known only here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, ConnectionFailure

from ...tracker.coordinates import FIRST_FRAME_NUMBER, frame_number_of
from ...tracker.errors import FieldError
from .connection import CORRECTIONS, REPLACED, STAGED, RetryingCollection, collection, dataset_id_of
from .fields import info_field_of, missing_field
from .keys import Key

_BASE_KEYS = ["_id", "frame_number", "_sample_id", "_dataset_id", "created_at", "last_modified_at"]
_DUPLICATE = 11000
_STORED = {"$exists": True, "$ne": None}
# states of a sample's mark: some of its frames are written, all of them are
MARK_WRITING = "writing"
MARK_DONE = "done"
Ranges = list[list[int]]
EVERY_FRAME: Ranges = [[0, 2**31]]


@dataclass(frozen=True)
class FramesFound:
    """The frame documents of a sample.

    Args:
        numbers: of all of them, increasing
        holding: of those that hold something in the label field
    """

    numbers: list[int]
    holding: list[int]


class FrameStore:
    """The frames of a dataset, as far as one label field is concerned.

    Args:
        dataset: the dataset
        label_field: a checked name, without "frames."
    """

    def __init__(self, dataset: fo.Dataset, label_field: str) -> None:
        self.dataset_id = dataset_id_of(dataset)
        self.label_field = label_field
        self.info_field = info_field_of(label_field)
        self._name = dataset.name
        self._samples = RetryingCollection(dataset._sample_collection)
        self._frames = RetryingCollection(dataset._frame_collection)

    def find(self, sample_id: str) -> FramesFound | None:
        """What frame documents a sample has; None where the sample is gone."""
        steps = [
            {"$match": {"_sample_id": ObjectId(sample_id)}},
            {"$project": {"_id": 0, "frame_number": 1, "holds": {"$gt": [f"${self.label_field}", None]}}},
            {"$sort": {"frame_number": 1}},
        ]
        if not self.has_sample(sample_id):
            return None
        found = self._frames.aggregate(steps)
        return FramesFound([d["frame_number"] for d in found], [d["frame_number"] for d in found if d["holds"]])

    def holders(self, sample_ids: Sequence[str], *, of_keypoints: bool) -> set[str]:
        """The samples that have something in the label field; looks at no more frames of each than it must.

        Args:
            sample_ids: which samples to look at
            of_keypoints: whether a label without any keypoint does not count
        """
        there = {f"{self.label_field}.keypoints.0": {"$exists": True}} if of_keypoints else {self.label_field: _STORED}
        steps = [
            {"$match": {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}}},
            {"$project": {"_id": 1}},
            {
                "$lookup": {
                    "from": self._frames.name,
                    "let": {"sample": "$_id"},
                    "pipeline": [
                        {"$match": {"$expr": {"$eq": ["$_sample_id", "$$sample"]}, **there}},
                        {"$limit": 1},
                        {"$project": {"_id": 1}},
                    ],
                    "as": "found",
                }
            },
            {"$match": {"found": {"$ne": []}}},
        ]
        return {str(document["_id"]) for document in self._samples.aggregate(steps)}

    def has_keypoints(self) -> bool:
        """Whether any sample of the dataset has a keypoint in the label field."""
        return self._frames.find_one({f"{self.label_field}.keypoints.0": {"$exists": True}}, {"_id": 1}) is not None

    def has_sample(self, sample_id: str) -> bool:
        """Whether the sample is still in the dataset."""
        return self._samples.find_one({"_id": ObjectId(sample_id)}, {"_id": 1}) is not None

    def check_declared(self) -> None:
        """Notices that the dataset or the field was deleted while a run was going on.

        Raises:
            CollectionError, FieldError: saying which
        """
        name = self._missing_field()
        if name is not None:
            raise FieldError(f"The field {name!r} was deleted while the run was going on. Run again to make it anew")

    def is_declared(self) -> bool:
        """Whether the dataset has the field, so that documents with it can be read."""
        return self._missing_field() is None

    def _missing_field(self) -> str | None:
        return missing_field(self.dataset_id, self._name, self.label_field, self.info_field)

    def mark(self, sample_id: str) -> dict[str, Any] | None:
        """The sample's mark as it is stored."""
        found = self._samples.find_one({"_id": ObjectId(sample_id)}, {self.info_field: 1})
        return (found or {}).get(self.info_field)

    def set_mark(self, sample_id: str, mark: Mapping[str, Any] | None, *, on_disk: bool = False) -> bool:
        """Stores or removes the sample's mark.

        Args:
            sample_id: the sample
            mark: what to store; None removes the mark
            on_disk: return only when all that was written is on the server's disk

        Returns:
            False where the sample is gone
        """
        change: dict[str, Any] = {"$set": {"last_modified_at": _now()}}
        if mark is None:
            change["$unset"] = {self.info_field: ""}
        else:
            change["$set"][self.info_field] = dict(mark)
        samples = self._samples.on_disk() if on_disk else self._samples
        done = samples.update_one({"_id": ObjectId(sample_id)}, change)
        return done.matched_count > 0

    def write(self, sample_id: str, documents: Mapping[int, Any]) -> None:
        """Stores label documents, creating the frames that are missing.

        Args:
            sample_id: the sample
            documents: frame number -> document; None creates the frame and leaves the label alone
        """
        now, sample = _now(), ObjectId(sample_id)
        base = {"_dataset_id": self.dataset_id, "created_at": now}
        requests = []
        for number, document in documents.items():
            key = {"_sample_id": sample, "frame_number": number}
            if document is None:
                change = {"$setOnInsert": {**base, "last_modified_at": now}}
            else:
                change = {"$set": {self.label_field: document, "last_modified_at": now}, "$setOnInsert": base}
            requests.append(UpdateOne(key, change, upsert=True))
        self._frames.write(requests)

    def insert(self, sample_id: str, documents: Mapping[int, Any]) -> None:
        """As `write`, for a sample without any frame document: cheaper."""
        now = _now()
        base = {"_sample_id": ObjectId(sample_id), "_dataset_id": self.dataset_id}
        requests = [
            InsertOne(
                {
                    "frame_number": number,
                    **base,
                    "created_at": now,
                    "last_modified_at": now,
                    **({} if document is None else {self.label_field: document}),
                }
            )
            for number, document in documents.items()
        ]
        if not requests:
            return
        try:
            self._frames.plain.bulk_write(requests, ordered=False)
        except (BulkWriteError, ConnectionFailure) as error:
            refused = error.details.get("writeErrors", []) if isinstance(error, BulkWriteError) else []
            if any(refusal.get("code") != _DUPLICATE for refusal in refused):
                raise
            # a run of another field made some of the frames meanwhile, or the server may have stored some
            self.write(sample_id, documents)

    def stage(self, sample_id: str, documents: Mapping[int, Any]) -> None:
        """Stores label documents aside, where they replace nothing yet; None will clear the label."""
        base = {"_sample_id": ObjectId(sample_id), "_dataset_id": self.dataset_id}
        requests = []
        for number, document in documents.items():
            key = str(self.key(sample_id) / f"{number:09d}")
            staged = {"_id": key, **base, "frame_number": number, "label": document}
            requests.append(ReplaceOne({"_id": key}, staged, upsert=True))
        collection(STAGED).write(requests)

    def switch(self, sample_id: str) -> None:
        """Puts all staged documents in their places; may be interrupted and repeated."""
        steps = [
            {"$match": {"_id": self.key(sample_id).below}},
            {
                "$project": {
                    "_id": 0,
                    "_sample_id": 1,
                    "_dataset_id": 1,
                    "frame_number": 1,
                    self.label_field: {"$ifNull": ["$label", "$$REMOVE"]},
                    "created_at": "$$NOW",
                    "last_modified_at": "$$NOW",
                }
            },
            {
                "$merge": {
                    "into": self._frames.name,
                    "on": ["_sample_id", "frame_number"],
                    "whenMatched": [
                        {
                            "$set": {
                                self.label_field: {"$ifNull": [f"$$new.{self.label_field}", "$$REMOVE"]},
                                "last_modified_at": "$$NOW",
                            }
                        }
                    ],
                    "whenNotMatched": "insert",
                }
            },
        ]
        collection(STAGED).aggregate(steps)

    def drop_staged(self, sample_id: str) -> None:
        """Removes what was stored aside."""
        collection(STAGED).delete_many({"_id": self.key(sample_id).below})

    def labels(self, sample_id: str, *, corrected: bool = False) -> dict[int, dict[str, Any]]:
        """The label documents of a sample as stored, by frame number; `corrected`: where a keypoint was corrected."""
        only = {f"{self.label_field}.keypoints.corrected": True} if corrected else {}
        steps = [
            {"$match": {"_sample_id": ObjectId(sample_id), self.label_field: _STORED, **only}},
            {"$project": {"_id": 0, "frame_number": 1, "label": f"${self.label_field}"}},
            {"$sort": {"frame_number": 1}},
        ]
        return {found["frame_number"]: found["label"] for found in self._frames.aggregate(steps)}

    def has_corrections(self, sample_id: str) -> bool:
        """Whether a person corrected a keypoint of the sample."""
        found = {"_sample_id": ObjectId(sample_id), f"{self.label_field}.keypoints.corrected": True}
        return self._frames.find_one(found, {"_id": 1}) is not None

    def keep_replaced(self, sample_id: str, numbers: Sequence[int], correction: str) -> None:
        """Copies the labels of some frames aside, with the sample's mark: what a correction is about to replace.

        What it kept before, of an earlier step of the same correction, stays.

        Args:
            sample_id: the sample
            numbers: of the frames
            correction: an id for it, which the sample's next mark names
        """
        kept = self.key(sample_id) / correction
        first = {"dataset_id": self.dataset_id, "correction": correction, "mark": self.mark(sample_id)}
        change = {"$setOnInsert": first, "$addToSet": {"frame_numbers": {"$each": list(numbers)}}}
        collection(CORRECTIONS).update_one({"_id": str(kept)}, change, upsert=True)
        steps = [
            {"$match": {"_sample_id": ObjectId(sample_id), "frame_number": {"$in": list(numbers)}}},
            {
                "$project": {
                    "_id": {"$concat": [str(kept / ""), {"$toString": "$frame_number"}]},
                    "frame_number": 1,
                    "label": f"${self.label_field}",
                }
            },
            {"$merge": {"into": REPLACED, "whenMatched": "keepExisting"}},
        ]
        self._frames.aggregate(steps)

    def replaced(self, sample_id: str) -> tuple[Mapping[str, Any], list[int]] | None:
        """What the sample's last correction replaced.

        Returns:
            the mark before it, and the numbers of the frames; None where something else was written since, or nothing
            was corrected
        """
        correction = (self.mark(sample_id) or {}).get("correction")
        if correction is None:
            return None
        header = collection(CORRECTIONS).find_one({"_id": str(self.key(sample_id) / correction)})
        return None if header is None else (header["mark"], header["frame_numbers"])

    def stage_replaced(self, sample_id: str, correction: str, numbers: Sequence[int]) -> None:
        """Stores aside what a correction replaced, as `stage` does, without it leaving the server.

        Args:
            sample_id: the sample
            correction: its id
            numbers: of the frames
        """
        self.stage(sample_id, dict.fromkeys(numbers))  # frames that held nothing, or did not exist
        steps = [
            {"$match": {"_id": (self.key(sample_id) / correction).below, "label": {"$ne": None}}},
            {
                "$project": {
                    "_id": {"$concat": [str(self.key(sample_id) / ""), _padded("$frame_number")]},
                    "_sample_id": ObjectId(sample_id),
                    "_dataset_id": {"$literal": self.dataset_id},
                    "frame_number": 1,
                    "label": 1,
                }
            },
            {"$merge": {"into": STAGED, "whenMatched": "replace"}},
        ]
        collection(REPLACED).aggregate(steps)

    def drop_replaced(self, sample_id: str, *, but: str | None = None) -> None:
        """Removes what corrections replaced.

        Args:
            sample_id: the sample
            but: id of a correction that can still be taken back
        """
        key = self.key(sample_id)
        for header in collection(CORRECTIONS).find({"_id": key.below}):
            if header["correction"] != but:
                collection(REPLACED).delete_many({"_id": (key / header["correction"]).below})
                collection(CORRECTIONS).delete_one({"_id": header["_id"]})

    def clear(self, sample_id: str, keep: Ranges) -> None:
        """Removes the field's labels of a sample, and the empty frames that were created for them.

        Args:
            sample_id: the sample
            keep: frame numbers, in ranges, that were there before
        """
        sample = {"_sample_id": ObjectId(sample_id)}
        removal = {"$unset": {self.label_field: ""}}
        self._frames.update_many({**sample, self.label_field: {"$exists": True}}, removal)
        others = {
            "$filter": {
                "input": {"$objectToArray": "$$ROOT"},
                "cond": {"$and": [{"$not": [{"$in": ["$$this.k", _BASE_KEYS]}]}, {"$gt": ["$$this.v", None]}]},
            }
        }
        empty: dict[str, Any] = {**sample, "$expr": {"$eq": [{"$size": others}, 0]}}
        if keep:
            empty["$nor"] = [{"frame_number": {"$gte": low, "$lte": high}} for low, high in keep]
        self._frames.delete_many(empty)

    def delete_orphans(self, sample_id: str) -> None:
        """Removes the frames of a sample that is gone."""
        self._frames.delete_many({"_sample_id": ObjectId(sample_id)})

    def refresh(self, sample_id: str) -> None:
        """Brings objects of the sample that this process holds up to date, as FiftyOne's own writes do."""
        if not self.has_sample(sample_id):
            return
        fo.Sample._reload_docs(self._samples.name, sample_ids=[sample_id])
        fo.Frame._reload_docs(self._frames.name, sample_ids=[sample_id])

    def key(self, sample_id: str) -> Key:
        """Under which claims and staged frames of a sample are kept."""
        return Key(self.dataset_id, (self.label_field, sample_id))


def missing_numbers(found: Sequence[int], num_frames: int) -> list[int]:
    """The frame numbers of a video that have no document yet."""
    present = set(found)
    return [number for number in range(FIRST_FRAME_NUMBER, frame_number_of(num_frames)) if number not in present]


def ranges_of(numbers: Sequence[int]) -> Ranges:
    """Increasing numbers as [first, last] of each run without gaps."""
    ranges: Ranges = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _padded(number: str) -> dict[str, Any]:
    """An expression of the number in nine digits, as keys of staged frames have it."""
    digits = {"$concat": ["000000000", {"$toString": number}]}
    return {"$substrCP": [digits, {"$subtract": [{"$strLenCP": digits}, 9]}, 9]}


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)
