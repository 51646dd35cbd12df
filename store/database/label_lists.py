"""Single labels in the lists of a frame field, changed on the server where they are still what was read.

The App saves what a person draws as changes to places in these lists, so labels keep their places: one is replaced
where it stands, a new one is added at the end, and only one that has to go shifts those behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne

from ...tracker.errors import WriteError
from .connection import RetryingCollection

_BATCH = 500


@dataclass(frozen=True, eq=False)
class LabelChange:
    """A change of one label in one frame.

    Args:
        frame_number: from 1
        before: the label as it was read; None = it is added
        after: the label as it shall be; None = it is removed
    """

    frame_number: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class LabelLists:
    """The label lists of a frame field, as MongoDB keeps them.

    Args:
        dataset: the dataset
        list_path: such as "box.detections"
    """

    def __init__(self, dataset: fo.Dataset, list_path: str) -> None:
        self.path = list_path
        self.field, _, self._list = list_path.partition(".")
        self._class = dataset.get_frame_field_schema(flat=False)[self.field].document_type.__name__
        self._dataset_id = dataset._doc.id
        self._samples = RetryingCollection(dataset._sample_collection)
        self._frames = RetryingCollection(dataset._frame_collection)

    def read(self, sample_id: str) -> dict[int, list[dict[str, Any]]]:
        """The labels of a sample, by frame number, in the order of their lists."""
        steps = [
            {"$match": {"_sample_id": ObjectId(sample_id), f"{self.path}.0": {"$exists": True}}},
            {"$project": {"_id": 0, "frame_number": 1, "labels": f"${self.path}"}},
            {"$sort": {"frame_number": 1}},
        ]
        return {found["frame_number"]: found["labels"] for found in self._frames.aggregate(steps)}

    def apply(self, sample_id: str, changes: Sequence[LabelChange]) -> None:
        """Makes changes; one whose label is no longer what was read is left undone.

        The sample's `last_modified_at` is raised with every batch, so that an open tab notices.

        Args:
            sample_id: the sample
            changes: in any order

        Raises:
            WriteError: if the sample was deleted
        """
        self._touch(sample_id)
        self._add(sample_id, [change for change in changes if change.before is None])
        others = [change for change in changes if change.before is not None]
        for start in range(0, len(others), _BATCH):
            self._frames.write([self._change(sample_id, change) for change in others[start : start + _BATCH]])
            self._touch(sample_id)

    def _add(self, sample_id: str, changes: Sequence[LabelChange]) -> None:
        """Adds labels, those of a frame in one step; where one of them is in the way, those that are not."""
        by_frame: dict[int, list[Mapping[str, Any]]] = {}
        for change in changes:
            by_frame.setdefault(change.frame_number, []).append(change.after or {})
        self._make_lists(sample_id, sorted(by_frame))
        for batch in _batches(by_frame):
            whole = [self._addition(sample_id, number, by_frame[number]) for number in batch]
            done = self._frames.write(whole)
            if done is not None and done.matched_count < len(whole):
                single = [(number, [label]) for number in batch for label in by_frame[number]]
                self._frames.write([self._addition(sample_id, number, label) for number, label in single])
            self._touch(sample_id)

    def _touch(self, sample_id: str) -> None:
        now = {"$set": {"last_modified_at": _now()}}
        if not self._samples.update_one({"_id": ObjectId(sample_id)}, now).matched_count:
            raise _gone(sample_id)

    def check_sample(self, sample_id: str) -> None:
        """Notices that a sample was deleted while a run was going on.

        Raises:
            WriteError: if it was
        """
        if self._samples.find_one({"_id": ObjectId(sample_id)}, {"_id": 1}) is None:
            raise _gone(sample_id)

    def refresh(self, sample_id: str) -> None:
        """Brings objects of the sample that this process holds up to date, as FiftyOne's own writes do."""
        fo.Sample._reload_docs(self._samples.name, sample_ids=[sample_id])
        fo.Frame._reload_docs(self._frames.name, sample_ids=[sample_id])

    def _make_lists(self, sample_id: str, numbers: Sequence[int]) -> None:
        """Makes frames, and lists in them, where there are none yet."""
        now, empty = _now(), {"_cls": self._class, self._list: []}
        frame = {"_dataset_id": self._dataset_id, "created_at": now, "last_modified_at": now}
        keys = [{"_sample_id": ObjectId(sample_id), "frame_number": number} for number in numbers]
        self._frames.write([UpdateOne(key, {"$setOnInsert": frame}, upsert=True) for key in keys])
        self._frames.write([UpdateOne({**key, self.field: None}, {"$set": {self.field: empty}}) for key in keys])

    def _addition(self, sample_id: str, number: int, labels: Sequence[Mapping[str, Any]]) -> UpdateOne:
        """Adds labels to a frame that has none of their objects."""
        same = [condition for label in labels for condition in _same_object(label)]
        frame = {**self._frame(sample_id, number), self.path: {"$not": {"$elemMatch": {"$or": same}}}}
        added = {"$push": {self.path: {"$each": list(labels)}}, "$set": {"last_modified_at": _now()}}
        return UpdateOne(frame, added)

    def _change(self, sample_id: str, change: LabelChange) -> UpdateOne:
        """Replaces or removes a label that is still as it was read; one that was changed since stays."""
        frame = {**self._frame(sample_id, change.frame_number), self.path: change.before}
        touched = {"last_modified_at": _now()}
        if change.after is None:
            return UpdateOne(frame, {"$pull": {self.path: change.before}, "$set": touched})
        return UpdateOne(frame, {"$set": {f"{self.path}.$": change.after, **touched}})

    def _frame(self, sample_id: str, number: int) -> dict[str, Any]:
        return {"_sample_id": ObjectId(sample_id), "frame_number": number}


def _batches(by_frame: Mapping[int, Sequence[Any]]) -> Iterator[list[int]]:
    """Frame numbers in groups of about as many labels as are written at a time."""
    batch: list[int] = []
    count = 0
    for number, labels in by_frame.items():
        batch.append(number)
        count += len(labels)
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _same_object(label: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What tells another label of the same object, which may have been drawn meanwhile."""
    same: list[dict[str, Any]] = [{"_id": label["_id"]}]
    instance = label.get("instance")
    if instance is not None:
        same.append({"instance._id": instance["_id"]})
    elif label.get("index") is not None:
        same.append({"label": label.get("label"), "index": label["index"], "instance": None})
    return same


def _gone(sample_id: str) -> WriteError:
    return WriteError(f"The sample {sample_id} was deleted while the run was going on")


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)
