"""What tracks are called, and which of them are the points of one label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...tracker.errors import ShapeError

DEFAULT_LABEL = "point"


@dataclass(frozen=True)
class PromptLabel:
    """A label that points were asked for with: one Keypoint per frame in the layout "objects".

    Args:
        label: what it is called
        index: its own index; None where it has none
        instance_id: of its instance; None where it has none
        columns: the track of each of its points, in order; None for a point that is not tracked
    """

    label: str
    index: int | None
    instance_id: str | None
    columns: tuple[int | None, ...]


@dataclass(frozen=True)
class TrackNames:
    """What tracks are called, by the labels that they were asked for with.

    Args:
        labels: (N,) the label of each keypoint
        objects: (N,) the index that the prompt had, stored as `object`; None where it had none
        nodes: (N,) which point of a skeleton each track is, stored as `node`; None where it is none of one
        prompts: the labels that the tracks are the points of; None where that is not known

    Raises:
        ShapeError: unless there is one name per track
    """

    labels: tuple[str, ...]
    objects: tuple[int | None, ...]
    nodes: tuple[str | None, ...] | None = None
    prompts: tuple[PromptLabel, ...] | None = None

    def __post_init__(self) -> None:
        lengths = {len(names) for names in (self.labels, self.objects, self.nodes) if names is not None}
        if len(lengths) > 1:
            raise ShapeError(f"Names of {sorted(lengths)} tracks were given. Expected one per track")

    @property
    def has_objects(self) -> bool:
        """Whether any track has an `object`."""
        return any(number is not None for number in self.objects)

    @property
    def has_nodes(self) -> bool:
        """Whether any track has a `node`."""
        return any(node is not None for node in self.nodes or ())

    def rows(self) -> list[tuple[str, int | None, str | None]]:
        """(label, object, node) of each track."""
        return list(zip(self.labels, self.objects, self.nodes or [None] * len(self.labels), strict=True))

    def common(self) -> tuple[str, int | None]:
        """The label and the object that all tracks share; "point" and None where they differ."""
        labels, objects = set(self.labels), set(self.objects)
        return (labels.pop() if len(labels) == 1 else DEFAULT_LABEL, objects.pop() if len(objects) == 1 else None)

    def chosen(self, columns: np.ndarray) -> TrackNames:
        """Those of some tracks; points of a label that are not among them are not tracked any more.

        Args:
            columns: (K,) int, or (N,) bool
        """
        kept = np.arange(len(self.labels))[columns].tolist()
        return TrackNames(
            tuple(self.labels[k] for k in kept),
            tuple(self.objects[k] for k in kept),
            None if self.nodes is None else tuple(self.nodes[k] for k in kept),
            None if self.prompts is None else _moved(self.prompts, {old: new for new, old in enumerate(kept)}),
        )


def _moved(prompts: Sequence[PromptLabel], places: dict[int | None, int]) -> tuple[PromptLabel, ...]:
    """Labels whose tracks stand in other columns now; those without any are gone."""
    moved = (replace(prompt, columns=tuple(places.get(column) for column in prompt.columns)) for prompt in prompts)
    return tuple(prompt for prompt in moved if any(column is not None for column in prompt.columns))


def names_of(
    labels: Sequence[str | None] | np.ndarray | None, objects: Sequence[int | None] | np.ndarray | None
) -> TrackNames | None:
    """Names of tracks that are known by label and object alone: those that share both are one label's points.

    Args:
        labels: (N,) or None
        objects: (N,) or None

    Returns:
        the names; None where neither is given
    """
    if labels is None and objects is None:
        return None
    number = len(labels) if labels is not None else len(objects or ())
    named = [label or DEFAULT_LABEL for label in (labels if labels is not None else [None] * number)]
    numbered = list(objects) if objects is not None else [None] * number
    columns: dict[tuple[str, int | None], list[int]] = {}
    for column, pair in enumerate(zip(named, numbered, strict=True)):
        columns.setdefault(pair, []).append(column)
    prompts = tuple(PromptLabel(label, index, None, tuple(points)) for (label, index), points in columns.items())
    return TrackNames(tuple(named), tuple(numbered), prompts=prompts)


def name_elements(label: str, number: int | None, node: str | None = None) -> dict[str, Any]:
    """What a keypoint is called: its label, and its `object` and `node` where it has them."""
    elements: dict[str, Any] = {"label": label}
    if number is not None:
        elements["object"] = number
    if node is not None:
        elements["node"] = node
    return elements
