"""Everything of a dataset that a run may change, as plain values that tests compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database.connection import CLAIMS, OUTCOMES, OWNERS, STAGED, collection
from point_tracking.store.database.keys import Key


def plain(value: Any) -> Any:
    """A document without ids and time stamps."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("_id", "created_at", "last_modified_at")}
    return [plain(v) for v in value] if isinstance(value, list) else value


def raw_frames(dataset: fo.Dataset) -> list[dict]:
    """The frame documents in order, without ids and time stamps."""
    return [plain(d) for d in dataset._frame_collection.find().sort([("_sample_id", 1), ("frame_number", 1)])]


def state_of(dataset: fo.Dataset) -> tuple[list[Any], list[Any]]:
    """Everything of a dataset that a run may change, without ids and time stamps."""
    samples = [plain(d) for d in dataset._sample_collection.find().sort("_id", 1)]
    for sample in samples:
        for key in ("_rand", "_dataset_id", "tags", "_media_type"):
            sample.pop(key)
        (sample.get("tracks_info") or {}).pop("written_at", None)
    return raw_frames(dataset), samples


def without_ids(state: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
    """A state as two datasets of the same clips share it."""
    frames = [{k: v for k, v in frame.items() if k not in ("_sample_id", "_dataset_id")} for frame in state[0]]
    for sample in state[1]:
        sample.get("tracks_info", {}).pop("run_key", None)
    return frames, state[1]


def undisturbed(
    clips: list[Path], make_dataset: Callable[..., fo.Dataset], **options: Any
) -> tuple[list[Any], list[Any]]:
    """The state, without ids, of a dataset of clips after a run that nothing disturbed."""
    dataset = make_dataset(*clips)
    pt.track_dataset(dataset, tracker=DriftTracker(), progress=False, **options)
    return without_ids(state_of(dataset))


def leftovers(dataset: fo.Dataset) -> list[Any]:
    """What is left of work on a dataset beside it."""
    key = {"_id": Key(dataset._doc.id).below}
    found = [d["_id"] for name in (CLAIMS, STAGED, OUTCOMES) for d in collection(name).find(key)]
    return found + list(collection(OWNERS).find({"dataset_id": dataset._doc.id}))
