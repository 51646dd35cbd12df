"""Tracks of single points as point tracks of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import fiftyone as fo
import numpy as np

from ....store.database.fields import check_label_field
from ....store.database.frame_documents import MARK_WRITING
from ....store.database.label_lists import LabelLists
from ....store.labels.label_writer import declare_list_field, replace_frames
from ....store.tracks.keypoints import LAYOUTS, check_document_size
from ....store.tracks.sample_status import SampleMark, check_foreign_labels, noted_queries, read_contents
from ....store.tracks.track_names import DEFAULT_LABEL, PromptLabel, TrackNames
from ....store.tracks.videos import VideoShape
from ....store.tracks.writer import store_tracks
from ....tracker.coordinates import FIRST_TRACK_INDEX, column_of, frame_index_of, frame_number_of, track_index_of
from ....tracker.errors import FieldExistsError, FormatError
from ....tracker.formats.annotation.between import shown_shapes
from ....tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from ....tracker.types import Tracks
from .notes import is_attribute_name, is_object_id, said_of, whole

# a file that leaves more indices unused than this numbers its tracks in its own way
_MOST_UNUSED = 1000


@dataclass
class PointTracks:
    """Point tracks out of a file, ready to be stored.

    Args:
        tracks: T frames, N points
        names: what they are called; None where the file says nothing
        layout: in which they are stored
        keep_hidden: whether hidden points with a position are stored
        extras: (frame index, index of the track) -> what else its keypoint says
        num_filled: points that lie between the file's keyframes
        warnings: what the user should know, in words
        query_t: (N,) int, frame index that each track was asked for in, -1 = not known; None where none is known
    """

    tracks: Tracks
    names: TrackNames | None
    layout: str
    keep_hidden: bool
    extras: dict[tuple[int, int], dict[str, Any]]
    num_filled: int = 0
    warnings: list[str] = field(default_factory=list)
    query_t: np.ndarray | None = None

    @property
    def num_labels(self) -> int:
        return int(np.isfinite(self.tracks.xy).all(axis=2).sum())


def point_tracks_of(found: Sequence[ShapeTrack], num_frames: int, *, fill: bool) -> PointTracks:
    """Puts tracks of single points together.

    Args:
        found: of one field
        num_frames: T of the video
        fill: whether frames between keyframes are filled

    Returns:
        the tracks; a keypoint's confidence is 1 where the file says none

    Raises:
        FormatError: if a track is no track of single points, or two have one index
    """
    warnings: list[str] = []
    indices = _indices_of(found, warnings)
    number = max([*indices, *(whole(track.notes.get("points")) or 0 for track in found)], default=0)
    xy = np.full((num_frames, number, 2), np.nan, dtype=np.float32)
    visible = np.zeros((num_frames, number), dtype=bool)
    confidence = np.zeros((num_frames, number), dtype=np.float32)
    extras: dict[tuple[int, int], dict[str, Any]] = {}
    hidden_said, num_filled = False, 0
    for track, index in zip(found, indices, strict=True):
        column = column_of(index)
        for shape, filled in shown_shapes(track, num_frames, fill=fill):
            if shape.kind != "points" or len(shape.xy) != 1:
                raise FormatError(
                    f"Track {track.number} ({track.label!r}) has {len(shape.xy)} points as {shape.kind} in frame "
                    f"{shape.frame_index}. Point tracks have one point in every frame"
                )
            t = shape.frame_index
            with np.errstate(over="ignore"):  # what is too large becomes infinite, which `Tracks` refuses
                xy[t, column] = shape.xy[0]
            visible[t, column] = not shape.occluded
            confidence[t, column] = _confidence(shape)
            hidden_said |= shape.occluded or "occluded" in said_of(shape)
            num_filled += filled
            extra = {} if filled else _extra(shape, foreign="field" not in track.notes)
            if extra:
                extras[t, index] = extra
    layout = _layout_of(found)
    made = Tracks(
        xy, visible, confidence, labels=_labels_of(found, indices, number), objects=_objects(found, indices, number)
    )
    keep_hidden = layout == "points" and hidden_said
    return PointTracks(
        made, _names_of(found, indices, number, layout), layout, keep_hidden, extras, num_filled, warnings
    )


def check_points_target(dataset: fo.Dataset, sample_id: str, name: str, made: PointTracks, *, overwrite: bool) -> None:
    """Refuses to write point tracks where that is not possible, or would replace what is to stay.

    Args:
        dataset: the dataset
        sample_id: the sample
        name: of the frame field, without "frames."
        made: what shall be written
        overwrite: replace tracks that this package wrote

    Raises:
        FieldError: if the field's name or type does not allow it
        FieldExistsError: if it holds something, and replacing it was not asked for, or is not ours
        LimitError: if a frame's document would pass the database's limit
    """
    check_label_field(dataset, name)
    check_document_size(made.tracks.num_points, made.layout, made.keep_hidden, names=made.names)
    contents = read_contents(dataset, [sample_id], name)
    check_foreign_labels(dataset, contents.foreign, name, None, "")
    if contents.written and not overwrite:
        raise FieldExistsError(
            f"The field {name!r} of this sample already holds data. Use overwrite=True to replace it, or another field"
        )


def store_point_tracks(dataset: fo.Dataset, sample_id: str, name: str, made: PointTracks, video: VideoShape) -> None:
    """Writes point tracks out of a file to a sample, whole or not at all.

    Args:
        dataset: the dataset
        sample_id: the sample
        name: of a checked frame field, without "frames."
        made: what to write
        video: of the sample
    """
    store_tracks(
        dataset,
        sample_id,
        name,
        made.tracks,
        video,
        frame_numbers=None,
        keep_hidden=made.keep_hidden,
        mark=SampleMark(
            MARK_WRITING,
            made.layout,
            made.tracks.num_points,
            video.num_frames,
            query_t=None if made.query_t is None else noted_queries(made.query_t, made.tracks.num_points),
        ),
        names=made.names,
    )
    if made.extras and made.layout != "frame":
        _add_extras(dataset, sample_id, name, made)


def _add_extras(dataset: fo.Dataset, sample_id: str, name: str, made: PointTracks) -> None:
    """Says of single keypoints what the file says of them besides where they are."""
    types: dict[str, type] = {}
    for extra in made.extras.values():
        for key, value in extra.items():
            types.setdefault(key, type(value))
    if made.layout == "objects":
        types.pop("corrected", None)
    for other in declare_list_field(dataset, name, fo.Keypoints, types):
        made.warnings.append(f"the attribute {other!r} has another type in the field, and is left out")
        for extra in made.extras.values():
            extra.pop(other, None)
    frames = {frame_number_of(t) for t, _ in made.extras}
    changed = {
        number: [{**document, **_extra_of_document(document, number, made)} for document in documents]
        for number, documents in LabelLists(dataset, f"{name}.keypoints").read(sample_id).items()
        if number in frames
    }
    replace_frames(dataset, sample_id, name, changed)


def _extra_of_document(document: Mapping[str, Any], frame_number: int, made: PointTracks) -> dict[str, Any]:
    """What a stored keypoint says more: of the layout "objects" `corrected` has a value for each of its points."""
    t = frame_index_of(frame_number)
    if made.layout != "objects":
        return made.extras.get((t, document["index"]), {})
    listed = [made.extras.get((t, index), {}) for index in document.get("track_numbers") or ()]
    merged = {key: value for extra in listed for key, value in extra.items()}
    if "corrected" in merged:
        merged["corrected"] = [bool(extra.get("corrected")) for extra in listed]
    return merged


def _indices_of(found: Sequence[ShapeTrack], warnings: list[str]) -> list[int]:
    """The index of each track: as noted, else by its number in the file."""
    noted = [whole(track.notes.get("index")) for track in found]
    if all(index for index in noted):
        indices = [index for index in noted if index]
    else:
        numbers = [track.number for track in found]
        shift = 0 if min(numbers) >= FIRST_TRACK_INDEX else FIRST_TRACK_INDEX
        indices = [number + shift for number in numbers]
        if shift:
            warnings.append("the file numbers its tracks from 0: each index is one higher than its number there")
    if len(set(indices)) < len(indices):
        raise FormatError("Two tracks of one field have the same index, so the file does not say which is which")
    return renumbered(indices, warnings)


def renumbered(indices: list[int], warnings: list[str]) -> list[int]:
    """Indices as they are, or numbered anew where they leave too many unused.

    Args:
        indices: of the tracks of a file, from 1, no two alike
        warnings: receives what the user should know, in words
    """
    if max(indices, default=0) > len(indices) + _MOST_UNUSED:
        warnings.append(
            f"the highest number of a track is {max(indices)}, so the {len(indices)} tracks are numbered anew, in the "
            "order of the file"
        )
        return [int(track_index_of(k)) for k in range(len(indices))]
    return indices


def _layout_of(found: Sequence[ShapeTrack]) -> str:
    layout = found[0].notes.get("layout") if found else None
    if layout == "objects" and not all(_of(track) for track in found):
        return "points"
    return layout if layout in LAYOUTS else "points"


def _labels_of(found: Sequence[ShapeTrack], indices: Sequence[int], number: int) -> np.ndarray | None:
    labels: list[str | None] = [None] * number
    for track, index in zip(found, indices, strict=True):
        labels[column_of(index)] = track.label
    return None if set(labels) <= {None, DEFAULT_LABEL} else np.array(labels, dtype=object)


def _objects(found: Sequence[ShapeTrack], indices: Sequence[int], number: int) -> np.ndarray:
    objects = np.full(number, None, dtype=object)
    for track, index in zip(found, indices, strict=True):
        noted = track.notes.get("object")
        objects[column_of(index)] = noted if isinstance(noted, int) and not isinstance(noted, bool) else None
    return objects


def _names_of(found: Sequence[ShapeTrack], indices: Sequence[int], number: int, layout: str) -> TrackNames | None:
    labels = [DEFAULT_LABEL] * number
    nodes: list[str | None] = [None] * number
    for track, index in zip(found, indices, strict=True):
        labels[column_of(index)] = track.label
        node = track.notes.get("node")
        nodes[column_of(index)] = node if isinstance(node, str) else None
    objects = _objects(found, indices, number)
    prompts = _prompts_of(found, indices) if layout == "objects" else None
    names = TrackNames(tuple(labels), tuple(objects), tuple(nodes) if any(nodes) else None, prompts)
    says_more = prompts or names.has_objects or names.has_nodes or set(labels) - {DEFAULT_LABEL}
    return names if says_more else None


def _prompts_of(found: Sequence[ShapeTrack], indices: Sequence[int]) -> tuple[PromptLabel, ...]:
    prompts: dict[int, PromptLabel] = {}
    for track, index in zip(found, indices, strict=True):
        number, place, places = _of(track) or (0, 0, 0)
        noted, instance = track.notes.get("object"), track.notes.get("instance")
        empty = PromptLabel(
            track.label,
            noted if isinstance(noted, int) else None,
            instance if is_object_id(instance) else None,
            (None,) * places,
        )
        prompt = prompts.setdefault(number, empty)
        columns = list(prompt.columns)
        if place < len(columns):
            columns[place] = column_of(index)
        prompts[number] = replace(prompt, columns=tuple(columns))
    return tuple(prompts[number] for number in sorted(prompts))


def _of(track: ShapeTrack) -> tuple[int, int, int] | None:
    """Which label of the layout "objects" a track is a point of: (number, place, places)."""
    noted = track.notes.get("of")
    if not isinstance(noted, list) or len(noted) != 3:
        return None
    number, place, places = (whole(value) for value in noted)
    if number is None or place is None or places is None or not place < places <= _MOST_UNUSED:
        return None
    return number, place, places


def _extra(shape: TrackedShape, *, foreign: bool) -> dict[str, Any]:
    extra = {key: value for key, value in shape.attributes.items() if is_attribute_name(key, fo.Keypoint)}
    if shape.keyframe and (foreign or "keyframe" in said_of(shape)):
        extra["keyframe"] = True
    return extra


def _confidence(shape: TrackedShape) -> float:
    noted = shape.notes.get("confidence")
    return float(noted) if isinstance(noted, int | float) and 0 <= noted <= 1 else 1.0
