"""The skeletons of keypoint fields."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo

from ..database.connection import changing_document, retried
from ..database.fields import FRAMES_PREFIX
from .fields import selectable


def skeleton_of(dataset: fo.Dataset, path: str) -> fo.KeypointSkeleton | None:
    """The skeleton of a field: its own, with or without "frames.", else the dataset's default.

    Args:
        dataset: the dataset
        path: of the field, with "frames." where it is on frames
    """
    names = (path, path.removeprefix(FRAMES_PREFIX))
    own = next((dataset.skeletons[name] for name in names if name in dataset.skeletons), None)
    return own or dataset.default_skeleton


def node_names(dataset: fo.Dataset, path: str, number: int) -> list[str | None]:
    """What the points of a multi-point keypoint are called.

    Args:
        dataset: the dataset
        path: of its field, with "frames." where it is on frames
        number: of its points

    Returns:
        as many names; None where the skeleton has none
    """
    skeleton = skeleton_of(dataset, path)
    named = list(skeleton.labels or ()) if skeleton is not None else []
    return [named[k] if k < len(named) else None for k in range(number)]


@retried
def copy_skeleton(dataset: fo.Dataset, path: str, destination: fo.Dataset, label_field: str) -> None:
    """Gives a field of tracks the skeleton of the field they were asked for with; one that it has stays.

    Args:
        dataset: of the prompt
        path: of its field, with or without "frames."
        destination: that the tracks are written to
        label_field: the frame field of the tracks, without "frames."
    """
    skeleton, target = skeleton_of(dataset, selectable(dataset, path)), f"{FRAMES_PREFIX}{label_field}"
    if skeleton is None or skeleton_of(destination, target) == skeleton or target in destination.skeletons:
        return
    with changing_document:
        destination.skeletons = {**destination.skeletons, target: skeleton.copy()}


@retried
def give_skeleton(
    dataset: fo.Dataset, label_field: str, nodes: Sequence[str], edges: Sequence[tuple[str, str]]
) -> bool:
    """Gives a frame field a skeleton; one that it has stays.

    Args:
        dataset: the dataset
        label_field: the frame field, without "frames."
        nodes: names of the points, in their order
        edges: pairs of names that are connected

    Returns:
        whether the field's skeleton has these nodes now
    """
    target = f"{FRAMES_PREFIX}{label_field}"
    existing = dataset.skeletons.get(target)
    if existing is not None:
        return list(existing.labels or ()) == list(nodes)
    places = {name: place for place, name in enumerate(nodes)}
    connected = [[places[a], places[b]] for a, b in edges if a in places and b in places]
    # a skeleton without edges draws none: each point alone
    skeleton = fo.KeypointSkeleton(labels=list(nodes), edges=connected or [[k] for k in range(len(nodes))])
    with changing_document:
        dataset.skeletons = {**dataset.skeletons, target: skeleton}
    return True
