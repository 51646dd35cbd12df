"""What a person gives: positions of tracks, indices of tracks; checked against the sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.sample import SampleView

from ...store.corrections.corrections import Correction, check_layout_of
from ...store.corrections.sample_edit import check_tracked
from ...store.database.fields import FRAMES_PREFIX, check_label_name, is_ours
from ...store.database.frame_documents import FrameStore
from ...store.tracks.videos import dataset_of, frame_size_of
from ...tracker.coordinates import inside_frame
from ...tracker.errors import OptionError, QueryError


@dataclass(frozen=True)
class TrackedSample:
    """A sample whose tracks can be corrected.

    Args:
        dataset: its dataset
        sample_id: its id
        filepath: of its media
        label_field: with the tracks, without "frames."
        layout: "points" or "objects"
        size_px: (width, height) of the displayed frame
        mark: what was written, as it is stored
    """

    dataset: fo.Dataset
    sample_id: str
    filepath: str
    label_field: str
    layout: str
    size_px: tuple[int, int]
    mark: Mapping[str, Any]

    @property
    def num_frames(self) -> int:
        """Frames of the video that decode."""
        return int(self.mark["num_frames"])

    @property
    def num_points(self) -> int:
        """Tracks, removed ones too."""
        return int(self.mark["num_points"])


def tracked_sample(sample: fo.Sample | SampleView, label_field: str) -> TrackedSample:
    """Looks at a sample that is to be corrected.

    Args:
        sample: a video sample of a dataset or view
        label_field: with the tracks; "frames." may be left out

    Raises:
        CollectionError: if it is no video sample of a dataset
        FieldError: if the field holds no tracks of this sample, or in the layout "frame"
        VideoError: if the video's size cannot be found out
    """
    dataset, sample_id = dataset_of(sample)
    bare = label_field.removeprefix(FRAMES_PREFIX) if isinstance(label_field, str) else label_field
    check_label_name(bare)
    layout = check_tracked(dataset, sample_id, bare)
    check_layout_of(layout, bare)
    mark = FrameStore(dataset, bare).mark(sample_id) or {}
    return TrackedSample(dataset, sample_id, sample.filepath, bare, layout, frame_size_of(sample), mark)


def fields_with_tracks(dataset: fo.Dataset) -> list[str]:
    """The frame fields that hold tracks of runs.

    Args:
        dataset: the dataset
    """
    schema = dataset.get_frame_field_schema(flat=False) or {}
    keypoints = [name for name, field in schema.items() if getattr(field, "document_type", None) is fo.Keypoints]
    return [name for name in keypoints if is_ours(dataset, name)]


def checked_corrections(rows: Sequence[Sequence[float]], sample: TrackedSample) -> list[Correction]:
    """Reads (index, frame, x, y) as corrections.

    Args:
        rows: any number
        sample: that they are of

    Raises:
        QueryError: saying which row is wrong, and what is allowed
    """
    found: dict[tuple[int, int], Correction] = {}
    for row in np.asarray(rows, dtype=object).tolist() if isinstance(rows, np.ndarray) else rows:
        values = list(row) if isinstance(row, Sequence | np.ndarray) and not isinstance(row, str) else []
        if len(values) != 4 or not all(isinstance(v, Real) and not isinstance(v, bool) for v in values):
            raise QueryError(
                f"Invalid correction ({row!r}). Expected (index, frame, x, y): the track's index from 1, the frame "
                "index from 0, and the position in pixels of the displayed frame"
            )
        index, t = (_whole(value) for value in values[:2])
        x, y = float(values[2]), float(values[3])
        if index is None or not 1 <= index <= sample.num_points:
            raise QueryError(f"There is no track {values[0]!r}. This sample has the tracks 1 to {sample.num_points}")
        if t is None or not 0 <= t < sample.num_frames:
            raise QueryError(
                f"Track {index} was corrected in frame {values[1]!r}, but the video has {sample.num_frames} frames "
                f"(allowed are 0 to {sample.num_frames - 1})"
            )
        width, height = sample.size_px
        if not (isfinite(x) and isfinite(y) and bool(inside_frame(np.array([x, y]), sample.size_px))):
            raise QueryError(
                f"The position ({x:g}, {y:g}) of track {index} lies outside the {width} x {height} frame. Allowed are "
                f"0 <= x <= {width - 1} and 0 <= y <= {height - 1} pixels; to say that it is not seen, use hide_tracks"
            )
        if (index, t) in found:
            raise QueryError(f"Track {index} was corrected twice in frame {t}. Give one position for each frame")
        found[index, t] = Correction(index, t, x, y)
    return list(found.values())


def checked_indices(indices: Sequence[int], sample: TrackedSample) -> list[int]:
    """Reads indices of tracks.

    Args:
        indices: at least one
        sample: that the tracks are of

    Returns:
        each once, increasing

    Raises:
        OptionError: saying what is allowed
    """
    given = [indices] if isinstance(indices, Integral) else list(indices)
    if not given:
        raise OptionError("No track was named. Give the indices of one or more tracks, such as [1, 5]")
    for value in given:
        index = None if isinstance(value, bool) else _whole(value)
        if index is None or not 1 <= index <= sample.num_points:
            raise OptionError(f"There is no track {value!r}. This sample has the tracks 1 to {sample.num_points}")
    return sorted({int(value) for value in given})


def checked_span(from_frame: int, to_frame: int | None, sample: TrackedSample) -> tuple[int, int]:
    """First frame index, and the one to stop before.

    Raises:
        OptionError: saying what is allowed
    """
    first = _whole(from_frame)
    stop = sample.num_frames if to_frame is None else _whole(to_frame)
    if first is None or stop is None or not 0 <= first < stop <= sample.num_frames:
        raise OptionError(
            f"Invalid frames (from_frame={from_frame!r}, to_frame={to_frame!r}). The video has the frames 0 to "
            f"{sample.num_frames - 1}; to_frame is the frame to stop before, None = the end"
        )
    return first, stop


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    number = float(value)
    return int(number) if isfinite(number) and number == int(number) else None
