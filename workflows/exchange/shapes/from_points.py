"""Point tracks as tracks of single points, whichever layout they are stored in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....store.labels.objects import LabelDocument, instance_id_of
from ....store.tracks.imported_numbers import number_array
from ....store.tracks.sample_status import SampleMark
from ....store.tracks.track_names import DEFAULT_LABEL
from ....tracker.coordinates import denormalize_xy, track_index_of
from ....tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from .notes import TRACKS, attributes_of, flags_of, made_track, never_there, notes_of, with_ends

Labels = Sequence[tuple[int, Mapping[str, Any]]]


def layout_of(labels: Labels, mark: SampleMark | None) -> str | None:
    """In which layout keypoints are point tracks; None where they are labels of another kind.

    Args:
        labels: (frame index, keypoint as it is stored)
        mark: of the sample, where a run wrote it
    """
    if mark is not None:
        return mark.layout
    if any(document.get("track_numbers") for _, document in labels):
        return "objects"
    single = all(len(document.get("points") or ()) == 1 and document.get("index") for _, document in labels)
    return "points" if labels and single else None


@dataclass
class _PointTrack:
    label: str
    notes: dict[str, Any]
    shapes: dict[int, TrackedShape] = field(default_factory=dict)


def point_shape_tracks(
    labels: Labels,
    mark: SampleMark | None,
    field_name: str,
    layout: str,
    size_px: tuple[int, int],
    num_frames: int,
    left_out: Counter[str],
) -> list[ShapeTrack]:
    """Turns the keypoints of point tracks into tracks of single points.

    CVAT draws lines between keyframes for single points only, so each point of an object is a track of its own.

    Args:
        labels: (frame index, keypoint as it is stored)
        mark: of the sample, where a run wrote it
        field_name: without "frames."
        layout: "points", "frame" or "objects"
        size_px: (width, height) of the displayed frame
        num_frames: T
        left_out: counts what a file cannot hold

    Returns:
        by index; not numbered yet
    """
    found: dict[int, _PointTrack] = {}
    prompts: dict[Any, int] = {}
    whole: dict[str, Any] = {"field": field_name, "kind": TRACKS, "layout": layout}
    if mark is not None:
        whole["points"] = mark.num_points
    for frame_index, document in labels:
        points = number_array([list(point) for point in document.get("points") or ()]).reshape(-1, 2)
        xy = denormalize_xy(points, size_px)
        scores = document.get("confidence") or [None] * len(xy)
        for place, index, about in _places(document, layout, prompts):
            label = document.get("label") or DEFAULT_LABEL
            track = found.setdefault(index, _PointTrack(label, {**whole, "index": index, **about}))
            if not np.isfinite(xy[place]).all():
                # of the layout "points" it should not have been stored
                left_out["points without a position"] += layout == "points"
            elif frame_index in track.shapes:
                left_out["second keypoints of a track in one frame"] += 1
            else:
                several = None if layout == "points" else place
                track.shapes[frame_index] = TrackedShape(
                    frame_index,
                    "points",
                    xy[place : place + 1],
                    **flags_of(document),
                    attributes=attributes_of(document, left_out, several),
                    notes=notes_of(document, track.label, scores[place], with_id=False),
                )
    left_out += Counter()  # without what was counted zero times
    return [
        made_track(one.label, with_ends(one.shapes.values(), num_frames) or (never_there(),), one.notes)
        for _, one in sorted(found.items())
    ]


def _places(document: LabelDocument, layout: str, prompts: dict[Any, int]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(place, index of the track, what is noted of it) of the points of a keypoint."""
    assert isinstance(document, Mapping)
    number = len(document.get("points") or ())
    if layout == "points":
        about = {name: document[name] for name in ("object", "node") if document.get(name) is not None}
        if document.get("index") and number:
            yield 0, int(document["index"]), about
    elif layout == "frame":
        for place in range(number):
            yield place, int(track_index_of(place)), {}
    else:
        listed = document.get("track_numbers") or ()
        prompt = prompts.setdefault(tuple(listed), len(prompts))
        about = {"object": document["index"]} if document.get("index") is not None else {}
        instance = instance_id_of(document)
        if instance is not None:
            about["instance"] = instance
        for place, index in enumerate(listed[:number]):
            if index:
                yield place, int(index), {**about, "of": [prompt, place, number]}
