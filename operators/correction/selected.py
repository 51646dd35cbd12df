"""Which tracks a person means: the points that were selected in the open video, in words where that does not work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ...store.corrections.selected_labels import SelectedPoint, selected_points
from ...store.database.fields import FRAMES_PREFIX
from ...store.database.frame_documents import FrameStore
from ...store.tracks.videos import select_videos
from ...tracker.errors import OptionError
from ...workflows.correction.points import fields_with_tracks, tracked_sample

_HOW = "Open a video and click on one or more of its points; a selected point has a white centre"


@dataclass(frozen=True)
class Selection:
    """Points that were selected.

    Args:
        sample: of the dataset
        label_field: with their tracks
        points: by time and track
    """

    sample: fo.Sample
    label_field: str
    points: tuple[SelectedPoint, ...]

    @property
    def indices(self) -> list[int]:
        """The tracks, each once."""
        return sorted({point.index for point in self.points})

    @property
    def first_t(self) -> int:
        """Frame index of the earliest selected point."""
        return self.points[0].t

    def __str__(self) -> str:
        indices = ", ".join(map(str, self.indices[:10])) + (", ..." if len(self.indices) > 10 else "")
        return f"{'track' if len(self.indices) == 1 else 'tracks'} {indices}"


def open_sample_of(ctx: Any) -> fo.Sample:
    """The sample that is open in the App, else the one that labels were selected in.

    Raises:
        OptionError: if there is none
    """
    ids = {label.get("sample_id") for label in ctx.selected_labels or ()} - {None}
    sample_id = ctx.current_sample or (ids.pop() if len(ids) == 1 else None)
    if sample_id is None:
        raise OptionError(f"No video is open. {_HOW}")
    sample = select_videos(ctx.dataset, sample_id).first()
    return ctx.dataset[sample.id] if ctx.dataset.media_type == "video" else sample


def selection_of(ctx: Any) -> Selection:
    """The points that were selected in the open video.

    Raises:
        OptionError: if nothing was selected, or nothing that is a track
        FieldError: if the tracks are stored in the layout "frame"
    """
    tracked = fields_with_tracks(ctx.dataset)
    chosen = [label for label in ctx.selected_labels or () if label.get("frame_number")]
    if not chosen:
        raise OptionError(f"No points are selected. {_HOW}")
    fields = sorted({str(label["field"]).removeprefix(FRAMES_PREFIX) for label in chosen})
    if not set(fields) & set(tracked):
        raise OptionError(
            f"The selected labels are in {', '.join(fields)}, where there are no tracks that point tracking wrote. "
            f"Select points of {' or '.join(tracked) or 'tracks; this dataset has none yet'}"
        )
    if len(fields) > 1:
        raise OptionError(f"Labels of several fields are selected: {', '.join(fields)}. Select points of one field")
    sample = open_sample_of(ctx)
    found = tracked_sample(sample, fields[0])
    named = [(int(label["frame_number"]), str(label["label_id"])) for label in chosen]
    store = FrameStore(ctx.dataset, found.label_field)
    points = selected_points(store, found.sample_id, found.layout, found.size_px, named)
    if not points:
        raise OptionError(
            "The selected points are not stored any more: they were changed since the video was opened. Close the "
            "video, open it again, and select the points anew"
        )
    return Selection(sample, found.label_field, tuple(points))
