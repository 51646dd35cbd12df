"""Which track is which named point of which individual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import FormatError
from ...types import Tracks
from ..clip import UNNAMED, TrackedClip, check_cells

_LARGEST_PX = 1e9
_LISTED = 5
_NUMBERED = re.compile(rf"{UNNAMED}_([1-9]\d{{0,8}})")


@dataclass(frozen=True, eq=False)
class Poses:
    """The tracks of a clip as points of individuals.

    Args:
        individuals: names of I individuals
        nodes: names of K points
        columns: (I, K) int, column of each track; -1 where an individual lacks the point
    """

    individuals: tuple[str, ...]
    nodes: tuple[str, ...]
    columns: np.ndarray

    def values(self, array: np.ndarray, missing: float) -> np.ndarray:
        """Values of tracks by individual and node.

        Args:
            array: (T, N, ...) of the tracks
            missing: for points that an individual lacks

        Returns:
            (T, I, K, ...)
        """
        found = array[:, self.columns].astype(np.float64)  # (T, I, K, ...)
        found[:, self.columns < 0] = missing
        return found


def poses_of(clip: TrackedClip, names: str) -> Poses:
    """Names the tracks of a clip.

    Tracks with nodes are grouped by label and object; those without are points of one individual, called by their
    labels, and by their numbers where they have none.

    Args:
        clip: the tracks
        names: "labels", or "index" for point_1, point_2, ... of one individual

    Returns:
        the tracks by individual and node

    Raises:
        FormatError: if two tracks would have one name
    """
    numbered = [f"{UNNAMED}_{index}" for index in clip.indices.tolist()]
    if names == "index" or not clip.tracks.num_points:
        return Poses(("",), tuple(numbered), np.arange(len(numbered))[None])
    labels, nodes = clip.labels(), clip.node_list()
    if not any(nodes):
        named = [number if label == UNNAMED else label for label, number in zip(labels, numbered, strict=True)]
        _check_unique(named)
        return Poses(("",), tuple(named), np.arange(len(named))[None])
    called = [
        node or (number if label == UNNAMED else label)
        for node, label, number in zip(nodes, labels, numbered, strict=True)
    ]
    keys = list(zip(labels, clip.object_list(), strict=True))
    individuals, every_node = list(dict.fromkeys(keys)), list(dict.fromkeys(called))
    columns = np.full((len(individuals), len(every_node)), -1)
    for column, (key, node) in enumerate(zip(keys, called, strict=True)):
        place = individuals.index(key), every_node.index(node)
        if columns[place] >= 0:
            raise FormatError(f"Two tracks of {key[0]!r} are the point {node!r}. {_REMEDY}")
        columns[place] = column
    return Poses(tuple(_individual_names(individuals)), tuple(every_node), columns)


_REMEDY = "Rename one, choose tracks by a view, or use names='index' to call tracks by their numbers"


def _check_unique(named: Sequence[str]) -> None:
    twice = sorted({name for name in named if named.count(name) > 1}) if len(set(named)) < len(named) else []
    if twice:
        listed = ", ".join(map(repr, twice[:_LISTED])) + (" and more" if len(twice) > _LISTED else "")
        raise FormatError(f"Several tracks are called {listed}, and this format needs a name for each. {_REMEDY}")


def _individual_names(keys: Sequence[tuple[str, int | None]]) -> list[str]:
    labels = [label for label, _ in keys]
    if len(keys) == 1:
        return ["" if labels[0] == UNNAMED else labels[0]]
    if len(set(labels)) == len(labels):
        return labels
    named = [label if number is None else f"{label}_{number}" for label, number in keys]
    _check_unique(named)
    return named


def shown_xy(clip: TrackedClip, poses: Poses) -> np.ndarray:
    """(T, I, K, 2) float64 positions of visible points; NaN elsewhere."""
    return poses.values(np.where(clip.tracks.visible[..., None], clip.tracks.xy, np.nan), np.nan)


@dataclass(frozen=True, eq=False)
class FoundPoses:
    """Points of individuals as a file holds them.

    Args:
        individuals: names of I individuals; "" for one without a name
        nodes: names of K points
        xy: (T, I, K, 2) float, our pixels; NaN where not known
        score: (T, I, K) float from 0 to 1; NaN where not said
        hidden: (T, I, K) bool, points that the file says are hidden; None where it says none
        keyframes: (T, I, K) bool, points that a person placed; None where it says none
    """

    individuals: Sequence[str]
    nodes: Sequence[str]
    xy: np.ndarray
    score: np.ndarray
    hidden: np.ndarray | None = None
    keyframes: np.ndarray | None = None


def clip_of_poses(
    found: FoundPoses,
    frames: np.ndarray,
    place: str,
    *,
    size_px: tuple[int, int] | None = None,
    edges: tuple[tuple[str, str], ...] = (),
    path: str = "",
) -> TrackedClip:
    """The clip of some individuals' points.

    Args:
        found: what the file holds
        frames: (T,) int, frame index of each row, in any order
        place: of the file, for messages
        size_px, edges, path: as `TrackedClip`

    Returns:
        the tracks, individual by individual; points of one individual that are called point_1, point_2, ... are tracks
        of these numbers without names

    Raises:
        FormatError: for positions or scores that are none, frames that stand there twice, names that are not unique
    """
    num_frames, num_individuals, num_nodes = found.xy.shape[:3]
    check_cells(num_frames, num_individuals * num_nodes, num_frames * num_individuals * num_nodes, place)
    for kind, names in (("points", list(found.nodes)), ("individuals", list(found.individuals))):
        if len(set(names)) < len(names):
            raise FormatError(f"{place} has two {kind} of one name: {', '.join(names[:20])}")
    order = np.argsort(frames, kind="stable")
    frames = np.asarray(frames)[order]
    if (np.diff(frames) == 0).any():
        raise FormatError(f"{place} has frame {frames[:-1][np.diff(frames) == 0][0]} twice")
    shape = (num_frames, num_individuals * num_nodes)
    xy = found.xy[order].reshape(*shape, 2)  # (T, N, 2)
    score = found.score[order].reshape(shape)  # (T, N)
    _check_values(xy, score, frames, place)
    known: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2))
    score = np.where(np.isnan(score), 1.0, score)
    hidden = np.zeros(shape, dtype=bool) if found.hidden is None else found.hidden[order].reshape(shape)  # (T, N)
    indices, unnamed = _numbers_of(found)
    several = num_individuals > 1 or any(found.individuals)
    labels = [name or None for name in found.individuals for _ in found.nodes]
    nodes = np.empty(shape[1], dtype=object)
    nodes[:] = list(found.nodes) * num_individuals
    return TrackedClip(
        Tracks(
            np.where(known[..., None], xy, np.nan),
            known & ~hidden,
            np.where(known, score, 0),
            labels=labels if any(labels) else None,  # type: ignore[arg-type]
            objects=[k + 1 for k in range(num_individuals) for _ in found.nodes] if several else None,  # type: ignore[arg-type]
        ),
        frames,
        indices,
        size_px,
        path=path,
        nodes=None if unnamed else nodes,
        edges=edges,
        keyframes=None if found.keyframes is None else found.keyframes[order].reshape(shape),  # (T, N)
    )


def _numbers_of(found: FoundPoses) -> tuple[np.ndarray, bool]:
    """(N,) numbers of the tracks, and whether they are points without names: those that `poses_of` calls by number."""
    numbers = [match.group(1) if (match := _NUMBERED.fullmatch(name)) else None for name in found.nodes]
    if len(found.individuals) == 1 and numbers and all(numbers):
        return np.array([int(number or 0) for number in numbers]), True
    return np.arange(1, len(found.individuals) * len(found.nodes) + 1), False


def _check_values(xy: np.ndarray, score: np.ndarray, frames: np.ndarray, place: str) -> None:
    bad = np.argwhere(np.isinf(xy) | (np.abs(xy) > _LARGEST_PX))
    if len(bad):
        t, n, _ = bad[0]
        raise FormatError(f"{place}, frame {frames[t]}: point {n + 1} is at {xy[t, n].tolist()}, which is no position")
    bad = np.argwhere((score < 0) | (score > 1))
    if len(bad):
        t, n = bad[0]
        raise FormatError(
            f"{place}, frame {frames[t]}: point {n + 1} has the confidence {score[t, n]:g}. Expected 0 to 1"
        )
