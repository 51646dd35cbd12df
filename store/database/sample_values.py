"""One field of samples, read and written on the server without loading the samples."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
from bson import ObjectId

from .connection import RetryingCollection


class SampleValues:
    """The values of a field of ours, as MongoDB keeps them.

    Args:
        dataset: the dataset
        field: of samples
    """

    def __init__(self, dataset: fo.Dataset, field: str) -> None:
        self.field = field
        self._samples = RetryingCollection(dataset._sample_collection)

    def read(self, sample_id: str) -> Any:
        """The value; None where there is none, or no such sample."""
        return (self._samples.find_one({"_id": ObjectId(sample_id)}, {self.field: 1}) or {}).get(self.field)

    def write(self, sample_id: str, value: Any) -> None:
        """Replaces the value; does nothing where the sample is gone.

        Args:
            sample_id: the sample
            value: as MongoDB can keep it
        """
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        change = {"$set": {self.field: value, "last_modified_at": now}}
        self._samples.update_one({"_id": ObjectId(sample_id)}, change)
