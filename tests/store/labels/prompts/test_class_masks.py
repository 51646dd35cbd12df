"""The classes of segmentations."""

from __future__ import annotations

from collections.abc import Callable

import fiftyone as fo
import numpy as np

from point_tracking.store.labels.prompts.class_masks import mask_targets_of
from point_tracking.store.tracks.track_names import TrackNames
from point_tracking.tracker.types import Queries

SIZE_PX = (100, 50)
Read = Callable[..., tuple[Queries, TrackNames, list[str]]]


LEFT = np.repeat(np.repeat([[3, 0, 5, 5]], 10, axis=0), 5, axis=1).astype(np.uint8)  # (10, 20)


def test_one_is_an_object_as_a_whole(read: Read) -> None:
    queries, names, _ = read("seg", {4: fo.Segmentation(mask=LEFT)}, points_per_object=12)
    assert set(queries.t.tolist()) == {3}
    assert ((queries.xy[:, 0] <= 24.5) | (queries.xy[:, 0] >= 49.5)).all()
    assert names.prompts is not None
    assert len(names.prompts) == 1


def test_its_classes_are_objects_where_their_names_are_known(dataset: fo.Dataset, read: Read) -> None:
    dataset.mask_targets = {"frames.seg": {3: "goat", 5: "kid", 9: "cow"}}
    later = np.where(LEFT == 0, 9, LEFT).astype(np.uint8)
    frames = {4: fo.Segmentation(mask=LEFT), 6: fo.Segmentation(mask=later)}
    try:
        queries, _, _ = read("seg", frames, points_per_object=6)
        assert queries.labels is not None
        assert {(label, t) for label, t in zip(queries.labels, queries.t.tolist(), strict=True)} == {
            ("goat", 3),
            ("kid", 3),
            ("cow", 5),
        }
        assert (queries.xy[queries.labels == "goat", 0] <= 24.5).all()
        only, _, _ = read("seg", frames, classes=["cow"])
        assert set(only.t.tolist()) == {5}
        every, _, _ = read("seg", frames, classes=["kid"], prompt_frames="all")
        assert set(every.t.tolist()) == {3, 5}
    finally:
        dataset.mask_targets = {}


def test_colours_and_the_background_are_no_classes(dataset: fo.Dataset) -> None:
    dataset.mask_targets = {"frames.seg": {0: "background", 3: "goat"}, "other": {"#ff0000": "kid"}}
    try:
        assert mask_targets_of(dataset, "frames.seg") == {3: "goat"}
        assert mask_targets_of(dataset, "frames.other") == {}, "found without the prefix, too"
    finally:
        dataset.mask_targets = {}
    assert mask_targets_of(dataset, "frames.seg") == {}
