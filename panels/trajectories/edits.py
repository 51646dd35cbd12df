"""What a person does to tracks in the panel: finding a keypoint, storing a position, hiding, following again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import fiftyone as fo
import numpy as np

from ...store.corrections.corrections import read_corrections
from ...store.corrections.frame_edits import track_places
from ...store.database.frame_documents import FrameStore
from ...store.database.raw_values import raw_keypoints
from ...store.tracks.sample_status import read_marks
from ...store.tracks.videos import dataset_of, frame_size_of
from ...tracker.coordinates import clamped_to_frame, denormalize_xy, frame_index_of
from ...tracker.errors import OptionError
from ...workflows.correction.correct_tracks import correct_tracks
from ...workflows.correction.edit_tracks import hide_tracks
from ...workflows.correction.report import CorrectionReport


def keypoint_id_of(sample: fo.Sample, field: str, index: int, frame_number: int) -> str | None:
    """The id of the keypoint that a track has in a frame; None where it has none there.

    Args:
        sample: a video of a dataset
        field: with the tracks, without "frames."
        index: of the track, from 1
        frame_number: from 1
    """
    keypoints, layout = _keypoints(sample, field, frame_number)
    for keypoint in keypoints:
        if layout == "frame" or any(place == index for _, place in track_places(keypoint, layout)):
            return str(keypoint["_id"])
    return None


def track_of_keypoint(sample: fo.Sample, field: str, keypoint_id: str, frame_number: int) -> int | None:
    """The index of the track that a keypoint is of; None where that is not one track.

    Args:
        sample, field, frame_number: as of `keypoint_id_of`
        keypoint_id: of the keypoint
    """
    keypoints, layout = _keypoints(sample, field, frame_number)
    indices = [
        index
        for keypoint in keypoints
        if layout != "frame" and str(keypoint["_id"]) == keypoint_id
        for _, index in track_places(keypoint, layout)
    ]
    return indices[0] if len(indices) == 1 else None


def _keypoints(sample: fo.Sample, field: str, frame_number: int) -> tuple[list[dict[str, Any]], str]:
    dataset, sample_id = dataset_of(sample)
    mark = read_marks(dataset, [sample_id], field).get(sample_id)
    names = ["_id", "index", "track_numbers"]
    found = raw_keypoints(dataset, sample_id, field, [frame_number], names)
    return found.get(frame_number, []), "points" if mark is None else mark.layout


def place_track(sample: fo.Sample, field: str, index: int, frame_number: int, share: Sequence[float]) -> None:
    """Stores where a track is in a frame; it is not followed from there yet.

    Args:
        sample, field, index, frame_number: as of `keypoint_id_of`
        share: (x, y) as shares of the frame

    Raises:
        PointTrackingError: as of `correct_tracks`
    """
    size_px = frame_size_of(sample)
    x, y = clamped_to_frame(denormalize_xy(np.array(share, dtype=np.float64), size_px), size_px).tolist()
    correct_tracks(sample, field, [(index, frame_index_of(frame_number), x, y)], retrack=False)


def hide_track_from(sample: fo.Sample, field: str, index: int, frame_number: int) -> str:
    """Hides a track from a frame on; says what that came to. Arguments and errors as of `place_track`."""
    return str(hide_tracks(sample, field, [index], frame_index_of(frame_number)))


def following_again(sample: fo.Sample, field: str, indices: Sequence[int]) -> Callable[..., CorrectionReport]:
    """The work of following corrected tracks again.

    Args:
        sample, field: as of `place_track`
        indices: of the tracks, from 1; none = all that were ever corrected

    Returns:
        what takes progress= and cancelled=, and returns the report

    Raises:
        OptionError: if none of them was corrected
    """
    dataset, sample_id = dataset_of(sample)
    stored = read_corrections(FrameStore(dataset, field), sample_id, frame_size_of(sample))
    used = [one for one in stored if one.index in indices or not indices]
    if not used:
        raise OptionError(
            "No point of this video was corrected yet. Select a track, go to a frame in which it is wrong, turn "
            "'Set position' on and click where the point really is"
        )
    rows = [(one.index, one.t, one.x, one.y) for one in used] if indices else []

    def work(*, progress: Any, cancelled: Callable[[], bool] | None = None) -> CorrectionReport:
        return correct_tracks(sample, field, rows, progress=progress, cancelled=cancelled)

    return work
