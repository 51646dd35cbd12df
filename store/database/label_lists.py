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
        self._make_lists(sample_id, sorted({change.frame_number for change in changes if change.before is None}))
        for start in range(0, len(changes), _BATCH):
            self._frames.write(list(self._requests(sample_id, changes[start : start + _BATCH])))
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

    def _requests(self, sample_id: str, changes: Sequence[LabelChange]) -> Iterator[UpdateOne]:
        sample, touched = ObjectId(sample_id), {"last_modified_at": _now()}
        for change in changes:
            frame = {"_sample_id": sample, "frame_number": change.frame_number}
            if change.before is None:
                assert change.after is not None
                absent = {self.path: {"$not": {"$elemMatch": {"$or": _same_object(change.after)}}}}
                yield UpdateOne({**frame, **absent}, {"$push": {self.path: change.after}, "$set": touched})
            elif change.after is None:
                # the whole label as it was read: what was changed since stays
                yield UpdateOne(
                    {**frame, self.path: change.before}, {"$pull": {self.path: change.before}, "$set": touched}
                )
            else:
                yield UpdateOne(
                    {**frame, self.path: change.before}, {"$set": {f"{self.path}.$": change.after, **touched}}
                )


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
