"""The value that travels between datasets and files: the tracks of one video, with what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..coordinates import FIRST_TRACK_INDEX
from ..errors import FormatError
from ..types import Tracks

UNNAMED = "point"
_MOST_CELLS = 100_000_000  # frames x tracks


@dataclass(frozen=True, eq=False)
class TrackedClip:
    """Tracks of one video.

    Args:
        tracks: T rows, N points, in pixels of the displayed frame; labels and objects as there
        frames: (T,) int, increasing frame indices (from 0) of the rows: frames without a row were not tracked
        indices: (N,) int, number of each track, from 1, no two alike
        size_px: (width, height) of the displayed frame; None where a file does not say
        num_frames: of the video; None where a file does not say
        fps: frames per second; None where not known
        name: of the video's file, without its folder
        path: of the video; empty where a file does not say
        sample_id: of the sample; empty where a file does not say
        nodes: (N,) str or None, which point of a skeleton each track is; None where none is one
        edges: pairs of node names that a skeleton connects
        keyframes: (T, N) bool, positions that a person gave; None where none is known
        query_t: (N,) int, frame index in which each track was asked for, -1 = not known; None where none is known
        media: what the video's file is besides: "rotation" in degrees, "pixel_aspect"
        about: what a file says more, for the way back

    Raises:
        FormatError: unless all fit together
    """

    tracks: Tracks
    frames: np.ndarray
    indices: np.ndarray
    size_px: tuple[int, int] | None
    num_frames: int | None = None
    fps: float | None = None
    name: str = ""
    path: str = ""
    sample_id: str = ""
    nodes: np.ndarray | None = None
    edges: tuple[tuple[str, str], ...] = ()
    keyframes: np.ndarray | None = None
    query_t: np.ndarray | None = None
    media: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frames, indices = (np.asarray(values, dtype=np.int64) for values in (self.frames, self.indices))
        wanted = {"frames": (frames, (self.tracks.num_frames,)), "indices": (indices, (self.tracks.num_points,))}
        for name, (array, shape) in wanted.items():
            if array.shape != shape:
                raise FormatError(f"There are {array.shape} {name} for tracks of the shape {self.tracks.xy.shape}")
        if frames.size and (frames[0] < 0 or (np.diff(frames) <= 0).any()):
            raise FormatError("Frames must increase, and count from 0")
        if indices.size and (indices.min() < FIRST_TRACK_INDEX or len(np.unique(indices)) < len(indices)):
            raise FormatError("Numbers of tracks must differ, and count from 1")
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "indices", indices)

    @property
    def known(self) -> np.ndarray:
        """(T, N) bool, where a track has a position, seen or hidden."""
        return np.asarray(np.isfinite(self.tracks.xy).all(axis=2))

    def labels(self) -> list[str]:
        """What each track is called; those without a name have the default one."""
        named = self.tracks.labels
        return [UNNAMED] * self.tracks.num_points if named is None else [label or UNNAMED for label in named]

    def node_list(self) -> list[str | None]:
        """The node of each track, or None."""
        return [None] * self.tracks.num_points if self.nodes is None else list(self.nodes)

    def object_list(self) -> list[int | None]:
        """The object of each track, or None."""
        return [None] * self.tracks.num_points if self.tracks.objects is None else list(self.tracks.objects)

    def chosen(self, columns: np.ndarray) -> TrackedClip:
        """The clip with some of its tracks.

        Args:
            columns: (K,) int, or (N,) bool
        """
        return replace(
            self,
            tracks=tracks_at(self.tracks, np.s_[:], columns),
            indices=self.indices[columns],
            nodes=None if self.nodes is None else self.nodes[columns],
            keyframes=None if self.keyframes is None else self.keyframes[:, columns],
            query_t=None if self.query_t is None else self.query_t[columns],
        )

    def rows(self, rows: np.ndarray) -> TrackedClip:
        """The clip with some of its frames.

        Args:
            rows: (K,) int, or (T,) bool
        """
        return replace(
            self,
            tracks=tracks_at(self.tracks, rows, np.s_[:]),
            frames=self.frames[rows],
            keyframes=None if self.keyframes is None else self.keyframes[rows],
        )


def tracks_at(tracks: Tracks, rows: Any, columns: Any) -> Tracks:
    """Some rows and columns of tracks."""
    labels, objects = (
        None if names is None else np.asarray(names)[columns] for names in (tracks.labels, tracks.objects)
    )
    xy, visible, confidence = (a[rows][:, columns] for a in (tracks.xy, tracks.visible, tracks.confidence))
    return Tracks(xy, visible, confidence, labels=labels, objects=objects)


def stretches(frames: np.ndarray, there: np.ndarray) -> list[slice]:
    """Runs of rows in which a point is there, in frames that follow each other.

    Args:
        frames: (T,) int, frame indices of the rows
        there: (T,) bool

    Returns:
        slices of rows
    """
    rows = np.flatnonzero(there)
    if not rows.size:
        return []
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(frames[rows]) != 1)) + 1
    return [slice(int(part[0]), int(part[-1]) + 1) for part in np.split(rows, breaks)]


def check_cells(num_frames: int, num_points: int, num_rows: int, place: str) -> None:
    """Refuses a file whose few rows would fill the memory as arrays.

    Raises:
        FormatError: naming the numbers
    """
    cells = num_frames * num_points
    if cells > _MOST_CELLS or cells > 1000 * (num_rows + 10_000):
        raise FormatError(
            f"{place} has {num_rows:,} rows of {num_points:,} tracks in {num_frames:,} frames: more tracks and frames "
            "than such a file can be of"
        )
