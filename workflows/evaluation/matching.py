"""Which track answers which known point."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from ...store.database.raw_values import keypoint_columns
from ...store.labels.known_tracks import KnownTracks
from ...tracker.coordinates import column_of
from ...tracker.errors import TruthError
from ...tracker.metrics.truth import STRIDE_FRAMES, TrackTruth, evaluation_scale
from ...tracker.types import Tracks
from .options import EvaluationOptions

# tracks start where their query was given; this much covers rounding and models that move their own queries
MATCH_TOLERANCE_PX = 8.0


@dataclass(frozen=True, eq=False)
class Answers:
    """Which track answers which query.

    Args:
        truth: with Q queries
        columns: (Q,) int, the track of each
        matched_by: how they were found
    """

    truth: TrackTruth
    columns: np.ndarray
    matched_by: str


def find_answers(
    known: KnownTracks,
    tracks: Tracks,
    instances: dict[str, int],
    options: EvaluationOptions,
    warnings: list[str],
) -> Answers:
    """Matches tracks with truth.

    Args:
        known: the truth
        tracks: that are judged
        instances: id of instance -> column of the tracks, from `instance_columns`
        options: of the evaluation
        warnings: receives what the user should know, in words

    Returns:
        the queries and the tracks that answer them

    Raises:
        TruthError: if frames or points do not fit together, or no known point is ever visible
    """
    if tracks.num_frames != len(known.xy):
        raise TruthError(
            f"The tracks have {tracks.num_frames} frames, the known tracks {len(known.xy)}. "
            "Were they made from different versions of the video?"
        )
    truth, points = known.queried(options.query_mode)
    every_5th = f" in frames 0, {STRIDE_FRAMES}, {2 * STRIDE_FRAMES}, ..." if options.query_mode == "strided" else ""
    if not len(points):
        raise TruthError(f"No known point of this sample is ever visible{every_5th}, so there is nothing to ask for")
    never = len(known.keys) - len(np.unique(points))
    if never:
        warnings.append(f"{never} of {len(known.keys)} known points are never visible{every_5th} and were left out")
    if options.query_mode == "strided":
        every = np.arange(len(points))
        if tracks.num_points == len(points) and starts_fit(truth, tracks, every):
            return Answers(truth, every, "query")
        warnings.append(
            f"{tracks.num_points} tracks answer {len(points)} strided queries: each track answers all queries of "
            "its point. For the published protocol, track the queries of truth_queries(..., query_mode='strided')"
        )
    return _by_point(known, tracks, instances, options, truth, points)


def _by_point(
    known: KnownTracks,
    tracks: Tracks,
    instances: dict[str, int],
    options: EvaluationOptions,
    truth: TrackTruth,
    points: np.ndarray,
) -> Answers:
    first, asked = known.queried("first")
    by_key = match_by_key(known, tracks, instances)
    same_keys = bool((by_key[asked] >= 0).all())
    fits = same_keys and (options.match == "index" or starts_fit(first, tracks, by_key[asked]))
    if options.match != "place" and fits:
        return Answers(truth, by_key[points], "instance" if known.by_instance else "index")
    by_place = match_by_place(first, tracks) if options.match != "index" else None
    if by_place is not None:
        columns = np.full(len(known.keys), -1)
        columns[asked] = by_place
        return Answers(truth, columns[points], "place")
    raise TruthError(_mismatch(known, tracks, options, same_keys))


def _mismatch(known: KnownTracks, tracks: Tracks, options: EvaluationOptions, same_keys: bool) -> str:
    last = "" if known.by_instance else f", the last with the index {known.keys[-1]}"
    numbers = f"{len(known.keys)} known points{last}; {tracks.num_points} tracks"
    if options.match == "index":
        return f"Some known points have no track of their index: {numbers}. Track them, or use match='place'"
    near = (
        f"some known points have no track within {MATCH_TOLERANCE_PX:g} px (of 256) in the frame they are first visible"
    )
    reason = "tracks do not start where the known points of the same index do, and " if same_keys else ""
    return (
        f"The tracks do not answer the known points ({numbers}): {reason}{near}. Track the known points themselves: "
        f"points={options.gt_field!r}"
    )


def instance_columns(dataset: fo.Dataset, sample_id: str, label_field: str) -> dict[str, int]:
    """The column of each instance in the tracks of a sample; empty where keypoints have none, or are several points."""
    names = ("index", "instance._id", "track_numbers")
    _, indices, instances, numbers = keypoint_columns(dataset, sample_id, label_field, names).values()
    if any(listed for frame in numbers for listed in frame):
        return {}  # of the layout "objects": the index is the object's, not a track's
    return {
        str(instance): column_of(index)
        for frame_indices, frame_instances in zip(indices, instances, strict=True)
        for index, instance in zip(frame_indices, frame_instances, strict=True)
        if instance is not None and index is not None
    }


def match_by_key(known: KnownTracks, tracks: Tracks, instances: dict[str, int]) -> np.ndarray:
    """The tracks with the truth's own keys.

    Args:
        known: the truth
        tracks: that are judged
        instances: id of instance -> column, for a truth with instances

    Returns:
        (N,) int, column of each point; -1 where it has no track
    """
    if known.by_instance:
        return np.array([instances.get(str(key), -1) for key in known.keys], dtype=np.int64)
    columns = column_of(known.keys.astype(np.int64))
    return np.where(columns < tracks.num_points, columns, -1)


def query_distances_px(truth: TrackTruth, tracks: Tracks, columns: np.ndarray) -> np.ndarray:
    """How far tracks are from the queries they are to answer, in the query frames.

    Args:
        truth: with Q queries
        tracks: that are judged
        columns: (Q,) int, the track of each query

    Returns:
        (Q,) float, pixels of the 256 x 256 frame; NaN where the track has no position there
    """
    own = tracks.xy[truth.query_t, columns]
    asked = truth.xy[truth.query_t, np.arange(len(columns))]
    return np.linalg.norm((own - asked) * evaluation_scale(truth.size_px), axis=1)


def starts_fit(truth: TrackTruth, tracks: Tracks, columns: np.ndarray) -> bool:
    """Whether most tracks are, in the query frames, where the truth has its queries; unknown positions say nothing."""
    distance = query_distances_px(truth, tracks, columns)
    known = distance[np.isfinite(distance)]
    return not known.size or float(np.median(known)) <= MATCH_TOLERANCE_PX


def match_by_place(truth: TrackTruth, tracks: Tracks) -> np.ndarray | None:
    """The tracks that are nearest to the queries in their frames, each used once.

    Args:
        truth: with Q queries
        tracks: that are judged

    Returns:
        (Q,) int, column of each query; None where some query has no track within 8 px of a 256 x 256 frame
    """
    scale = evaluation_scale(truth.size_px)
    num_queries = len(truth.query_t)
    pairs: list[tuple[float, int, int]] = []
    for query, t in enumerate(truth.query_t):
        distance = np.linalg.norm((tracks.xy[t] - truth.xy[t, query]) * scale, axis=1)  # (N,)
        near = np.flatnonzero(distance <= MATCH_TOLERANCE_PX)
        pairs += [(float(distance[n]), query, int(n)) for n in near]
    columns = np.full(num_queries, -1)
    taken: set[int] = set()
    for _, query, column in sorted(pairs):
        if columns[query] < 0 and column not in taken:
            columns[query] = column
            taken.add(column)
    return columns if (columns >= 0).all() else None
