"""Correcting tracks: positions that a person gives are stored, and their tracks followed again from them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.sample import SampleView

from ...store.corrections.corrections import Correction, merged, read_corrections
from ...store.corrections.frame_edits import edited_label, style_of
from ...store.corrections.hidden_spans import hidden_spans, without_hidden
from ...store.corrections.sample_edit import Edit, declare_corrections, edit_sample, new_correction
from ...store.database.claims import Claims, check_free, claimed
from ...store.database.frame_documents import FrameStore
from ...store.runs.outcomes import DONE, FAILED
from ...store.runs.records import known_runs, record_of
from ...store.tracks.reader import read_tracks
from ...tracker.coordinates import frame_index_of, frame_number_of
from ...tracker.errors import Cancelled, OptionError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.models.registry import DEFAULT_TRACKER, list_trackers, load_tracker
from ...tracker.video.frames import VideoFrames
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..lifecycle.run import choose_key, open_run, run_environment
from .options import CorrectOptions
from .points import TrackedSample, checked_corrections, tracked_sample
from .report import CorrectionOutcome, CorrectionReport
from .retracking import changes_along, known_tracks, placed_at, query_frames, track_known

CORRECTION_DEFAULTS = CorrectOptions()


def correct_tracks(
    sample: fo.Sample | SampleView,
    label_field: str,
    corrections: Sequence[Sequence[float]],
    *,
    retrack: bool = CORRECTION_DEFAULTS.retrack,
    tracker: str | Tracker | None = CORRECTION_DEFAULTS.tracker,
    tracker_options: Mapping[str, Any] | None = None,
    run_key: str | None = None,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> CorrectionReport:
    """Says where tracks really are in some frames, and follows them again from there.

    A correction is stored on the track's keypoint in that frame (`keyframe=True`, `corrected=True`) before anything is
    tracked, and stays: a track that is followed again passes through all its corrections, and through the point that it
    was asked for in the first place, exactly. Between two of them it is followed from both sides. Other tracks are left
    as they are, byte for byte. Until the sample is written again, `undo_correction` takes all of it back.

    Args:
        sample: a video sample of a dataset or view, tracked in the layout "points" or "objects"
        label_field: with the tracks; "frames." may be left out
        corrections: [(index, frame, x, y), ...]: the track's index as its keypoints carry it (from 1), the frame index
            (from 0), and the position in pixels of the displayed frame; one of an earlier correction of the same
            track and frame is replaced. [] follows all tracks again that were ever corrected in this sample
        retrack: False only stores the corrections
        tracker: a name from `list_trackers()`, or a loaded Tracker; None = the one that made the tracks, as it was
            set up then
        tracker_options: what `load_tracker` takes for that name
        run_key: name of the run record, which says what was corrected; chosen where not given
        progress: None as FiftyOne is configured, True or False, or a function that takes a `Progress`
        cancelled: asked between chunks of tracking; True ends it, what was given stays stored

    Returns:
        the report; `print(report)` says in words what was done

    Raises:
        CollectionError: if it is no video sample of a dataset
        FieldError: if the field holds no tracks of this sample, or in the layout "frame"
        QueryError: for a track or frame that does not exist, or a position outside the frame
        OptionError: for an option outside what is supported, or nothing to correct
        UnknownTrackerError: for an unknown tracker
        ClaimError: if a run is writing the tracks of this sample
        VideoError: if the video does not decode
        WriteError, DatabaseError: if the database refused or stays away; the sample is whole
    """
    options = CorrectOptions.picked_from(locals())
    return run_correction(sample, options, progress=progress, cancelled=cancelled)


def run_correction(
    sample: fo.Sample | SampleView,
    options: CorrectOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> CorrectionReport:
    """Does what `correct_tracks` says, for options that are checked already; arguments and errors as there."""
    started = time.monotonic()
    found = tracked_sample(sample, options.label_field)
    given = checked_corrections(options.corrections, found)
    if not given and not options.retrack:
        raise OptionError("No corrections were given. Give [(index, frame, x, y), ...], or retrack=True")
    report = CorrectionReport(label_field=found.label_field)
    with run_environment(found.dataset):
        if not options.retrack:
            with claimed(found.dataset, found.label_field, found.sample_id) as claims:
                outcome = _store(found, given, claims, new_correction())
            report.outcomes.append(outcome)
            report.num_targets, report.seconds = 1, time.monotonic() - started
            return report
        used = _used(found, given)
        choose_key(found.dataset, options)  # refuses a taken one before anything is loaded
        loaded = tracker_of(found, options.tracker, options.tracker_options)
        report.tracker = loaded.name
        rows = [[one.index, one.t, one.x, one.y] for one in used]
        recorded = replace(options, tracker=loaded, tracker_options=None, corrections=rows)
        with open_run(found.dataset, recorded, report, num_targets=1, started=started) as run:
            claims = Claims(FrameStore(found.dataset, found.label_field), run.owner)
            try:
                with _held(claims, found.sample_id), ProgressReporter(progress, 1) as reporter:
                    outcome = _correct(sample, found, given, claims, loaded, reporter, cancelled)
                    report.outcomes.append(replace(outcome, seconds=time.monotonic() - started))
                    reporter.finished(f"{found.filepath}: {DONE}")
            except Cancelled:
                report.cancelled = True
            except Exception as error:
                failed = CorrectionOutcome(
                    found.sample_id, found.filepath, FAILED, kind=type(error).__name__, message=str(error)
                )
                report.outcomes.append(failed)
                raise
    return report


@contextmanager
def _held(claims: Claims, sample_id: str) -> Iterator[None]:
    check_free(claims.take(sample_id))
    try:
        yield
    finally:
        claims.release(sample_id)


def _used(found: TrackedSample, given: Sequence[Correction]) -> list[Correction]:
    """All corrections of the tracks that are to be followed again.

    Raises:
        OptionError: if there are none
    """
    stored = read_corrections(FrameStore(found.dataset, found.label_field), found.sample_id, found.size_px)
    corrections = merged(stored, given)
    if not corrections:
        raise OptionError(
            f"No track of this sample was corrected in {found.label_field!r}, so there is nothing to follow again. "
            "Give corrections: [(index, frame, x, y), ...]"
        )
    touched = {one.index for one in given} or {one.index for one in corrections}
    return [one for one in corrections if one.index in touched]


def record_of_tracks(found: TrackedSample) -> dict[str, Any] | None:
    """What the run was told that tracked a sample; None where that is not known any more."""
    run_key = found.mark.get("run_key")
    return record_of(found.dataset, run_key) if run_key in known_runs(found.dataset) else None


def tracker_of(
    found: TrackedSample, tracker: str | Tracker | None, tracker_options: Mapping[str, Any] | None
) -> Tracker:
    """The tracker that was chosen, else the one that made the tracks.

    Args:
        found: the sample
        tracker, tracker_options: as of `correct_tracks`

    Raises:
        OptionError: if it cannot be loaded by its name
    """
    if isinstance(tracker, Tracker):
        return tracker
    if tracker is not None:
        return load_tracker(tracker, **dict(tracker_options or {}))
    name = found.mark.get("tracker")
    if name is None:  # written by hand or by other programs
        return load_tracker(DEFAULT_TRACKER)
    if name not in list_trackers():
        raise OptionError(
            f"The tracks were made by {name!r}, which cannot be loaded by its name. Give tracker=..., a loaded one or "
            f"one of {', '.join(list_trackers())}"
        )
    record = record_of_tracks(found) or {}
    return load_tracker(name, **dict(record.get("tracker_options") or {}))


def _store(found: TrackedSample, given: Sequence[Correction], claims: Claims, correction: str) -> CorrectionOutcome:
    """Stores what a person gave; nothing of it depends on what is tracked from it."""
    by_frame: dict[int, dict[int, Any]] = {}
    for one in given:
        by_frame.setdefault(int(frame_number_of(one.t)), {})[one.index] = placed_at(one, found.size_px)

    def edit(labels: Any, mark: Mapping[str, Any]) -> Any:
        style = style_of(labels, found.layout)
        changed = {number: edited_label(labels.get(number), own, style) for number, own in by_frame.items()}
        return changed, {"hidden": without_hidden(hidden_spans(mark), [one.key for one in given])}

    number = _edit(found, edit, claims, correction) if given else 0
    return CorrectionOutcome(found.sample_id, found.filepath, DONE, num_stored=len(given), num_frames=number)


def _edit(found: TrackedSample, edit: Edit, claims: Claims, correction: str) -> int:
    declare_corrections(found.dataset, found.label_field, found.layout)
    return edit_sample(found.dataset, found.sample_id, edit, claims, correction)


def _correct(
    sample: fo.Sample | SampleView,
    found: TrackedSample,
    given: Sequence[Correction],
    claims: Claims,
    tracker: Tracker,
    reporter: ProgressReporter,
    cancelled: CancelCheck | None,
) -> CorrectionOutcome:
    correction = new_correction()
    record = record_of_tracks(found)
    tracks = read_tracks(sample, found.label_field)
    query_t = query_frames(found.mark, record, tracks)
    outcome = _store(found, given, claims, correction)
    used = _used(found, given)
    known = known_tracks(used, tracks, query_t, backward=bool((record or {}).get("backward")))
    labels = claims.store.labels(found.sample_id)
    video = VideoFrames(found.filepath)
    frames = _frames_of(labels, found.num_frames, used, known)
    paths = track_known(
        known,
        video,
        tracker,
        frames,
        progress=lambda share: reporter.inside(share, found.filepath),
        cancelled=cancelled,
    )

    def edit(labels: Any, mark: Mapping[str, Any]) -> Any:
        style = style_of(labels, found.layout)
        changes = changes_along(paths, frames, used, found.size_px, hidden_spans(mark))
        return {number: edited_label(labels.get(number), own, style) for number, own in changes.items()}, {}

    number = _edit(found, edit, claims, correction)
    return replace(
        outcome,
        num_tracks=len(known),
        num_corrections=len(used),
        num_frames=number,
        warnings=tuple(video.warnings),
    )


def _frames_of(
    labels: Mapping[int, Any], num_frames: int, used: Sequence[Correction], known: Sequence[Any]
) -> np.ndarray:
    """(S,) frame indices to track through: those that the run has written, and those of anchors."""
    written = {int(frame_index_of(number)) for number in labels}
    anchors = {anchor.t for one in known for anchor in one.anchors}
    frames = sorted(t for t in written | anchors if t < num_frames)
    first = 0 if any(one.from_start for one in known) else min(anchors)
    return np.array([t for t in frames if t >= first], dtype=np.int64)
