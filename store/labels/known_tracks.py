"""Known tracks out of a field of keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from ...tracker.coordinates import clamped_to_frame, column_of, denormalize_xy, frame_index_of, track_index_of
from ...tracker.errors import FieldError, TruthError
from ...tracker.metrics.truth import QueryMode, TrackTruth, queried_truth
from ..database.fields import FRAMES_PREFIX, has_label_field, type_name
from ..database.raw_values import keypoint_columns, raw_values
from ..tracks.imported_numbers import number_array
from ..tracks.reader import read_tracks_in_video
from ..tracks.videos import frame_size_of, select_videos, video_shape_of
from .views import hides_labels, shown_samples

# where loaders put known tracks
GT_FIELD = "ground_truth"


@dataclass(frozen=True, eq=False)
class KnownTracks:
    """Tracks that people or instruments made.

    Args:
        keys: (N,) of each point: its index, or the id of its instance
        by_instance: whether the keys are ids of instances
        xy: (T, N, 2) float64 pixels, NaN where unknown
        visible: (T, N) bool; what lies outside the frame is not, whatever its label says
        valid: (T, N) bool, where something is known
        size_px: (width, height) of the displayed frame
        query_t: (N,) int, frames in which the points were asked for, -1 where one was not;
            None = where each is visible first
        num_late: frames with labels past the end of the video, which are left out
    """

    keys: np.ndarray
    by_instance: bool
    xy: np.ndarray
    visible: np.ndarray
    valid: np.ndarray
    size_px: tuple[int, int]
    query_t: np.ndarray | None = None
    num_late: int = 0

    def queried(self, mode: QueryMode) -> tuple[TrackTruth, np.ndarray]:
        """Truth with a column per query, and (Q,) int, the point of each.

        Raises:
            TruthError: if a point is not known to be visible in the frame it was asked for in,
                or that frame is none of the clip's
        """
        if mode != "first" or self.query_t is None:
            return queried_truth(self.xy, self.visible, self.size_px, valid=self.valid, mode=mode)
        points = np.flatnonzero(self.query_t >= 0)
        query_t = self.query_t[points]
        if query_t.max(initial=-1) >= len(self.xy):
            raise TruthError(
                f"A point is asked for in frame {int(query_t.max())} (counted from 0), but the video has "
                f"{len(self.xy)} frames"
            )
        if not (self.visible & self.valid)[query_t, points].all():
            raise TruthError("Some points are not known to be visible in the frame that their query is given for")
        chosen = TrackTruth(query_t, self.xy[:, points], self.visible[:, points], self.size_px, self.valid[:, points])
        return chosen, points


def check_keypoints_field(dataset: fo.Dataset, name: str, role: str = "known tracks") -> None:
    """Refuses a frame field that cannot hold tracks.

    Args:
        dataset: the dataset
        name: of the field, without "frames."
        role: what it is to hold, in words, for the message

    Raises:
        FieldError: saying what was found
    """
    if not has_label_field(dataset, name):
        raise FieldError(f"There is no frame field {name!r} with {role}. Check the name")
    found = dataset.get_frame_field_schema(flat=False)[name]
    if getattr(found, "document_type", None) is not fo.Keypoints:
        raise FieldError(f"The frame field {name!r} holds {type_name(found)}, not Keypoints, so it has no {role}")


def sparse_field_of(gt_field: str) -> str:
    """The sample field that says whether a frame without a keypoint is unlabelled (True) or hidden (False)."""
    return f"{gt_field}_sparse"


def query_frames_field_of(gt_field: str) -> str:
    """The sample field with the frame each known point was asked for in: a list, entry j for the index j + 1."""
    return f"{gt_field}_query_frames"


def _query_frames(dataset: fo.Dataset, sample_id: str, gt_field: str, keys: np.ndarray) -> np.ndarray | None:
    """(N,) int, -1 for points that were not asked for; None where the sample does not say.

    Raises:
        TruthError: if the sample says something else
    """
    name = query_frames_field_of(gt_field)
    if name not in dataset.get_field_schema(flat=False):
        return None
    frames = select_videos(dataset, sample_id).values(name)[0]
    if not frames:
        return None
    if not all(isinstance(frame, int | float) and float(frame).is_integer() for frame in frames):
        raise TruthError(f"The sample field {name!r} holds other things than frame indices: {list(frames)[:5]}")
    listed = np.array(frames, dtype=np.int64)
    columns = column_of(keys)
    return np.where(columns < len(listed), listed[np.minimum(columns, len(listed) - 1)], -1)


def is_sparse(dataset: fo.Dataset, sample_id: str, gt_field: str, given: bool | None) -> bool:
    """Whether frames without a keypoint are unlabelled: as given, or as the sample says, or not."""
    if given is not None:
        return given
    name = sparse_field_of(gt_field)
    if name not in dataset.get_field_schema(flat=False):
        return False
    return bool(select_videos(dataset, sample_id).values(name)[0])


def read_known_tracks(samples: SampleCollection, sample_id: str, gt_field: str, *, sparse: bool) -> KnownTracks:
    """Reads the truth of a sample.

    Args:
        samples: a dataset or view; what a view hides is not known: neither that a point is there nor that it is hidden
        sample_id: the sample
        gt_field: frame field of Keypoints with an index, or with an instance; in either layout
        sparse: a frame without a keypoint of a point is unlabelled; otherwise the point is hidden there

    Returns:
        the points that have a label anywhere

    Raises:
        TruthError: if the sample has no known tracks
        FieldError: if its keypoints do not form tracks
        VideoError: if the video's size cannot be found out
    """
    known = _read_all(samples._dataset, sample_id, gt_field, sparse)
    return _as_shown(known, samples, sample_id, gt_field) if hides_labels(samples) else known


def _as_shown(known: KnownTracks, samples: SampleCollection, sample_id: str, gt_field: str) -> KnownTracks:
    """What a view shows of known tracks."""
    prefix = f"{FRAMES_PREFIX}{gt_field}.keypoints"
    names = [f"{prefix}.{name}" for name in ("index", "instance._id", "points", "track_numbers")]
    columns = raw_values(shown_samples(samples, sample_id), [f"{FRAMES_PREFIX}frame_number", *names])
    column_of_key = {key: column for column, key in enumerate(known.keys.tolist())}
    shown, frames = np.zeros(known.visible.shape, dtype=bool), np.zeros(len(known.xy), dtype=bool)
    for frame in zip(*(column[0] if column else [] for column in columns), strict=True):
        number, indices, instances, points, numbers = frame
        row = frame_index_of(number)
        if row >= len(frames):
            continue
        frames[row] = True
        keys = [str(key) for key in instances or []] if known.by_instance else indices or []
        numbers = numbers or [None] * len(points or [])
        for key, positions, own in zip(keys, points or [], numbers, strict=True):
            # of several points under one index, all points of a frame, the index counts on
            counted = range(track_index_of(0), track_index_of(len(positions))) if len(positions) > 1 else [key]
            listed = own or counted
            for k, position in zip(listed, number_array(positions), strict=True):
                if k in column_of_key and np.isfinite(position).all():
                    shown[row, column_of_key[k]] = True
    kept = np.flatnonzero(shown.any(axis=0))
    if not kept.size:
        raise TruthError(f"The view shows no known tracks of this sample in frames.{gt_field}")
    labelled: np.ndarray = np.asarray(np.isfinite(known.xy).all(axis=2))
    unknown = (labelled & ~shown) | ~frames[:, None]
    return replace(
        known,
        keys=known.keys[kept],
        xy=np.where(unknown[..., None], np.nan, known.xy)[:, kept],
        visible=(known.visible & ~unknown)[:, kept],
        valid=(known.valid & ~unknown)[:, kept],
        query_t=None if known.query_t is None else known.query_t[kept],
    )


def _read_all(dataset: fo.Dataset, sample_id: str, gt_field: str, sparse: bool) -> KnownTracks:
    """The truth of a sample as its dataset holds it."""
    names = ("index", "instance._id", "points", "occluded", "track_numbers")
    columns = keypoint_columns(dataset, sample_id, gt_field, names)
    numbers, indices, instances, points, occluded, own = columns.values()
    if not numbers:
        raise TruthError(f"This sample has no known tracks in frames.{gt_field}")
    by_numbers = any(listed for frame in own for listed in frame)
    if not by_numbers and any(index is None for frame in indices for index in frame) and _all_set(instances):
        return _by_instance(dataset[sample_id], numbers, instances, points, occluded, sparse)
    tracks, num_late = read_tracks_in_video(dataset[sample_id], gt_field)
    labelled: np.ndarray = np.asarray(np.isfinite(tracks.xy).all(axis=2))
    columns = np.flatnonzero(labelled.any(axis=0))
    if not columns.size:
        raise TruthError(f"The known tracks of this sample in frames.{gt_field} have no positions")
    labelled = labelled[:, columns]
    keys = track_index_of(columns)
    size_px = frame_size_of(dataset[sample_id])
    xy, inside = _inside(tracks.xy[:, columns].astype(np.float64), size_px)
    return KnownTracks(
        keys=keys,
        by_instance=False,
        xy=xy,
        visible=tracks.visible[:, columns] & inside,
        valid=labelled if sparse else np.ones_like(labelled),
        size_px=size_px,
        query_t=_query_frames(dataset, sample_id, gt_field, keys),
        num_late=num_late,
    )


def _inside(xy: np.ndarray, size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Positions, and which lie in the frame; what lies in the last pixel, beyond its centre, is moved onto it."""
    with np.errstate(invalid="ignore"):
        inside: np.ndarray = np.asarray(((xy >= 0) & (xy <= size_px)).all(axis=-1))
    return np.where(inside[..., None], clamped_to_frame(xy, size_px), xy), inside


def _all_set(instances: Sequence[Any]) -> bool:
    return all(instance is not None for frame in instances for instance in frame or [])


def _by_instance(
    sample: Any,
    numbers: Sequence[int],
    instances: Sequence[Any],
    points: Sequence[Any],
    occluded: Sequence[Any],
    sparse: bool,
) -> KnownTracks:
    shape = video_shape_of(sample, expected_frames=max(numbers, default=0))
    keys = sorted({str(instance) for frame in instances for instance in frame or []})
    columns = {key: column for column, key in enumerate(keys)}
    xy = np.full((shape.num_frames, len(keys), 2), np.nan)
    hidden = np.zeros((shape.num_frames, len(keys)), dtype=bool)
    num_late = 0
    for number, frame_instances, frame_points, flags in zip(numbers, instances, points, occluded, strict=True):
        row = frame_index_of(number)
        if row >= shape.num_frames:
            num_late += bool(frame_points)
            continue
        flags = flags or [None] * len(frame_points or [])
        for instance, positions, flag in zip(frame_instances or [], frame_points or [], flags, strict=True):
            if len(positions or ()) != 1:
                raise TruthError("These keypoints do not have one point per instance, so they do not form tracks")
            xy[row, columns[str(instance)]] = denormalize_xy(number_array(positions[0]), shape.size_px)
            hidden[row, columns[str(instance)]] = bool(flag)
    labelled: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2))
    valid = labelled if sparse else np.ones_like(labelled)
    xy, inside = _inside(xy, shape.size_px)
    return KnownTracks(np.array(keys), True, xy, inside & ~hidden, valid, shape.size_px, num_late=num_late)
