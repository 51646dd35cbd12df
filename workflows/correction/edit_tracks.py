"""Hiding and removing tracks, and taking the last correction of a sample back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone.core.sample import SampleView

from ...store.corrections.corrections import corrections_in
from ...store.corrections.frame_edits import (
    Change,
    Hidden,
    Removed,
    edited_label,
    num_positions,
    style_of,
    track_places,
)
from ...store.corrections.hidden_spans import hidden_spans, with_hidden
from ...store.corrections.sample_edit import edit_sample, restore_sample
from ...store.database.claims import claimed
from ...store.database.frame_documents import FrameStore
from ...store.runs.outcomes import count_of
from ...tracker.coordinates import frame_index_of
from ...tracker.errors import OptionError
from ..lifecycle.run import run_environment
from .points import TrackedSample, checked_indices, checked_span, tracked_sample


@dataclass(frozen=True)
class TrackEdit:
    """What hiding or removing tracks comes to.

    Args:
        num_tracks: that were named
        num_points: positions of them that are shown no longer
        num_frames: frames with these
        num_corrections: corrections among them that go too
    """

    num_tracks: int
    num_points: int
    num_frames: int
    num_corrections: int

    def __str__(self) -> str:
        words = f"{count_of(self.num_points, 'point')} of {count_of(self.num_tracks, 'track')} in "
        words += count_of(self.num_frames, "frame")
        if self.num_corrections:
            words += f", {count_of(self.num_corrections, 'correction')} among them"
        return words


def hide_tracks(
    sample: fo.Sample | SampleView,
    label_field: str,
    indices: Sequence[int],
    from_frame: int = 0,
    to_frame: int | None = None,
) -> TrackEdit:
    """Hides tracks in some frames: their points are wrong there, or show what is not to be seen.

    Where hidden points are stored (`keep_hidden`), they stay with `occluded=True`; else they are deleted. Corrections
    in these frames go too. A rerun does not show the tracks there again, unless they are corrected there meanwhile.
    `undo_correction` takes it back until the sample is written again.

    Args:
        sample: a video sample of a dataset or view, tracked in the layout "points" or "objects"
        label_field: with the tracks; "frames." may be left out
        indices: of the tracks, from 1
        from_frame: first frame index, from 0
        to_frame: frame index to stop before; None = the end

    Returns:
        what it came to, in numbers

    Raises:
        CollectionError: if it is no video sample of a dataset
        FieldError: if the field holds no tracks of this sample, or in the layout "frame"
        OptionError: for tracks or frames that do not exist
        ClaimError: if a run is writing the tracks of this sample
        WriteError, DatabaseError: if the database refused or stays away; the sample is whole
    """
    found = tracked_sample(sample, label_field)
    chosen, span = checked_indices(indices, found), checked_span(from_frame, to_frame, found)

    def facts(mark: Mapping[str, Any]) -> dict[str, Any]:
        return {"hidden": with_hidden(hidden_spans(mark), chosen, *span)}

    return _change(found, dict.fromkeys(chosen, Hidden()), span, facts)


def remove_tracks(sample: fo.Sample | SampleView, label_field: str, indices: Sequence[int]) -> TrackEdit:
    """Removes tracks from all frames; the others keep their indices.

    Args:
        sample, label_field, indices: as of `hide_tracks`

    Returns:
        what it came to, in numbers

    Raises:
        the errors of `hide_tracks`
    """
    found = tracked_sample(sample, label_field)
    chosen = checked_indices(indices, found)
    return _change(found, dict.fromkeys(chosen, Removed()), (0, found.num_frames), lambda _: {})


def undo_correction(sample: fo.Sample | SampleView, label_field: str) -> int:
    """Takes the last correction of a sample back: of `correct_tracks`, `hide_tracks` or `remove_tracks`.

    Only the last one is kept, and only until the sample's tracks are written again.

    Args:
        sample, label_field: as of `hide_tracks`

    Returns:
        the number of frames that were put back

    Raises:
        OptionError: if there is nothing to take back
        the errors of `hide_tracks`
    """
    found = tracked_sample(sample, label_field)
    with run_environment(found.dataset), claimed(found.dataset, found.label_field, found.sample_id) as claims:
        if claims.store.replaced(found.sample_id) is None:
            raise OptionError(
                f"There is no correction to take back in {found.label_field!r} of this sample: nothing was corrected, "
                "the last correction was taken back already, or the sample was tracked again since"
            )
        return restore_sample(found.dataset, found.sample_id, claims)


def preview_edit(
    sample: fo.Sample | SampleView, label_field: str, indices: Sequence[int], from_frame: int = 0
) -> TrackEdit:
    """What hiding or removing tracks would come to; arguments and errors as of `hide_tracks`."""
    found = tracked_sample(sample, label_field)
    span = checked_span(from_frame, None, found)
    labels = FrameStore(found.dataset, found.label_field).labels(found.sample_id)
    changes = dict.fromkeys(checked_indices(indices, found), Hidden())
    return _changed(labels, changes, span, found)[1]


def shown_indices(sample: fo.Sample | SampleView, label_field: str) -> list[int]:
    """The tracks of which a sample holds any keypoint; arguments and errors as of `hide_tracks`."""
    found = tracked_sample(sample, label_field)
    labels = FrameStore(found.dataset, found.label_field).labels(found.sample_id)
    return sorted(style_of(labels, found.layout).examples)


def _change(
    found: TrackedSample,
    changes: Mapping[int, Change],
    span: tuple[int, int],
    facts: Any,
) -> TrackEdit:
    summary = TrackEdit(len(changes), 0, 0, 0)

    def edit(labels: Any, mark: Mapping[str, Any]) -> Any:
        nonlocal summary
        changed, summary = _changed(labels, changes, span, found)
        return changed, facts(mark)

    with run_environment(found.dataset), claimed(found.dataset, found.label_field, found.sample_id) as claims:
        edit_sample(found.dataset, found.sample_id, edit, claims)
    return summary


def _changed(
    labels: Mapping[int, dict[str, Any]],
    changes: Mapping[int, Change],
    span: tuple[int, int],
    found: TrackedSample,
) -> tuple[dict[int, dict[str, Any] | None], TrackEdit]:
    """The frames that change, and what that comes to."""
    style = style_of(labels, found.layout)
    within = {number: label for number, label in labels.items() if span[0] <= frame_index_of(number) < span[1]}
    touched = {number: label for number, label in within.items() if _holds(label, changes, found.layout)}
    changed = {number: edited_label(label, changes, style) for number, label in touched.items()}
    gone = {number: _num_shown(label) - _num_shown(changed[number]) for number, label in touched.items()}
    lost = [one for one in corrections_in(touched, found.size_px) if one.index in changes]
    return changed, TrackEdit(len(changes), sum(gone.values()), sum(map(bool, gone.values())), len(lost))


def _holds(label: Mapping[str, Any], changes: Mapping[int, Change], layout: str) -> bool:
    keypoints = label.get("keypoints") or ()
    return any(index in changes for keypoint in keypoints for _, index in track_places(keypoint, layout))


def _num_shown(label: Mapping[str, Any] | None) -> int:
    shown = [keypoint for keypoint in (label or {}).get("keypoints") or () if not keypoint.get("occluded")]
    return num_positions({"keypoints": shown})
