"""One sample of an evaluation: what judges its tracks, and what is stored with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import is_outage
from ...store.database.frame_documents import MARK_DONE
from ...store.database.raw_values import labelled_frames
from ...store.labels.known_tracks import is_sparse, read_known_tracks
from ...store.labels.masks import check_mask_field, read_object_masks
from ...store.runs.outcomes import DONE, FAILED
from ...store.runs.records import record_of
from ...store.tracks.reader import read_tracks
from ...store.tracks.sample_status import SampleMark
from ...store.tracks.videos import frame_size_of, select_videos
from ...tracker.coordinates import frame_index_of
from ...tracker.engine.cycle import track_cycle
from ...tracker.errors import Cancelled, FieldError, OptionError, PointTrackingError, TruthError
from ...tracker.metrics.masks import lies_on, mask_scores
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.models.registry import load_tracker
from ...tracker.types import Tracks
from ...tracker.video.frames import VideoFrames
from ..lifecycle.kinds import TRACKING_METHOD
from ..lifecycle.progress import ProgressReporter
from .figures import cycle_figures, field_of, mask_figures, truth_figures
from .matching import find_answers, instance_columns
from .options import EvaluationOptions
from .report import EvaluationOutcome

# points near an outline are fair
MASK_TOLERANCE_CELLS = 2


@dataclass
class SampleJudge:
    """Judges sample after sample; what stays the same from one to the next.

    Args:
        samples: a dataset or view; what a view shows of known tracks and masks is what tracks are judged by
        options: what the run is told
        eval_key: of the run record, which score fields start with
        marks: sample id -> what was written for it
        cancelled: asked between samples and chunks of tracking
    """

    samples: SampleCollection
    options: EvaluationOptions
    eval_key: str
    marks: Mapping[str, SampleMark]
    cancelled: CancelCheck | None
    _trackers: dict[str, Tracker] = field(default_factory=dict)

    @property
    def dataset(self) -> fo.Dataset:
        """The dataset of the samples, which scores are stored in."""
        return self.samples._dataset

    def attempt(self, sample_id: str, filepath: str, reporter: ProgressReporter) -> EvaluationOutcome:
        """Judges one sample and stores its scores; whatever goes wrong with it becomes a failure.

        Args:
            sample_id: the sample
            filepath: of its media
            reporter: told how far the way back of a cycle is

        Raises:
            Cancelled: if the run was cancelled
        """
        started = time.monotonic()
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The evaluation was cancelled")
        judged = _Judged()
        problem: Exception | None = None
        try:
            problem = self._judge(sample_id, filepath, judged, reporter)
            self._store(sample_id, judged.figures)
        except Cancelled:
            raise
        except Exception as error:
            if is_outage(error):  # nothing is wrong with the sample
                raise
            problem = error
        return EvaluationOutcome(
            sample_id,
            filepath,
            DONE if problem is None else FAILED,
            group=judged.group,
            figures={} if problem is not None else judged.figures,
            num_points=judged.num_points,
            matched_by=judged.matched_by,
            kind=None if problem is None else type(problem).__name__,
            message=None if problem is None else _text(problem),
            seconds=time.monotonic() - started,
            warnings=tuple(judged.warnings),
        )

    def _judge(self, sample_id: str, filepath: str, judged: _Judged, reporter: ProgressReporter) -> Exception | None:
        """Asks every judge; returns the first one's error where none could judge."""
        options = self.options
        judges: list[tuple[str, Callable[[Tracks], dict[str, float | None]]]] = []
        if options.gt_field is not None:
            judges.append(("known tracks", lambda tracks: self._by_truth(sample_id, tracks, judged)))
        if options.mask_field is not None:
            judges.append(("masks", lambda tracks: self._by_masks(sample_id, tracks)))
        if options.cycle:
            judges.append(("the way back", lambda tracks: self._by_cycle(sample_id, filepath, tracks, reporter)))
        errors: list[tuple[str, Exception]] = []
        judged.group = self._group(sample_id)
        try:
            tracks = self._tracks(sample_id)
        except PointTrackingError as error:
            return error
        for name, judge in judges:
            try:
                judged.figures |= judge(tracks)
            except Cancelled:
                raise
            except Exception as error:
                if is_outage(error):
                    raise
                errors.append((name, error))
        if len(errors) == len(judges):
            return errors[0][1]
        judged.warnings += [f"not judged by {name} ({type(error).__name__}): {_text(error)}" for name, error in errors]
        return None

    def _by_truth(self, sample_id: str, tracks: Tracks, judged: _Judged) -> dict[str, float | None]:
        options = self.options
        assert options.gt_field is not None
        sparse = is_sparse(self.dataset, sample_id, options.gt_field, options.sparse)
        known = read_known_tracks(self.samples, sample_id, options.gt_field, sparse=sparse)
        if known.num_late:
            judged.warnings.append(f"known tracks of {known.num_late} frames past the end of the video are left out")
        tracked = self._tracked_frames(sample_id, tracks)
        if len(known.xy) == len(tracked):
            known = replace(known, valid=known.valid & tracked[:, None])
        instances = instance_columns(self.dataset, sample_id, options.label_field) if known.by_instance else {}
        answers = find_answers(known, tracks, instances, options, judged.warnings)
        judged.num_points, judged.matched_by = len(answers.columns), answers.matched_by
        _warn_about_hidden(tracks, tracked, judged.warnings)
        figures = truth_figures(
            _chosen(tracks, answers.columns), answers.truth, options.query_mode, tuple(options.metrics)
        )
        if all(value is None for value in figures.values()):
            raise TruthError(
                "There is nothing to count: nothing is known of any point after the frame it is asked for in"
            )
        return figures

    def _by_cycle(
        self, sample_id: str, filepath: str, tracks: Tracks, reporter: ProgressReporter
    ) -> dict[str, float | None]:
        scores = track_cycle(
            VideoFrames(filepath),
            tracks,
            self._tracker(sample_id),
            progress=lambda share: reporter.inside(share, filepath),
            cancelled=self.cancelled,
        )
        return cycle_figures(scores)

    def _tracks(self, sample_id: str) -> Tracks:
        mark = self.marks.get(sample_id)
        if mark is not None and mark.state != MARK_DONE:
            raise FieldError(f"The tracks of this sample in frames.{self.options.label_field} are half written")
        tracks = read_tracks(self.dataset[sample_id], self.options.label_field)
        if (mark is None or mark.num_keypoints) and not np.isfinite(tracks.xy).any():
            removed = "" if mark is None else " any more: they were removed"
            raise FieldError(f"This sample has no tracks in frames.{self.options.label_field}{removed}. Track it first")
        return tracks

    def _tracked_frames(self, sample_id: str, tracks: Tracks) -> np.ndarray:
        """(T,) bool: frames that were tracked; others, between sampled ones, say nothing about the tracker."""
        placed: np.ndarray = np.asarray(np.isfinite(tracks.xy).all(axis=2))
        tracked: np.ndarray = np.asarray(placed.any(axis=1))
        if tracked.all() or sample_id not in self.marks:  # tracks from elsewhere need no label where all is hidden
            return np.ones_like(tracked)
        # a tracked frame has a label even where no point was visible
        labelled = labelled_frames(self.dataset, sample_id, self.options.label_field)
        return tracked | np.isin(np.arange(len(tracked)), frame_index_of(np.array(labelled, dtype=np.int64)))

    def _by_masks(self, sample_id: str, tracks: Tracks) -> dict[str, float | None]:
        assert self.options.mask_field is not None
        size_px = frame_size_of(self.dataset[sample_id])
        name = check_mask_field(self.dataset, self.options.mask_field)
        masks, valid = read_object_masks(self.samples, sample_id, name, size_px, tracks.num_frames)
        valid &= self._tracked_frames(sample_id, tracks)
        start_t = tracks.visible.argmax(axis=0)
        seen = np.flatnonzero(tracks.visible.any(axis=0))
        start_xy = tracks.xy[start_t[seen], seen]
        on_object = lies_on(masks, start_t[seen], start_xy, size_px, tolerance_cells=MASK_TOLERANCE_CELLS)
        columns = seen[on_object & valid[start_t[seen]]]
        if not columns.size:
            raise TruthError(f"No track of this sample starts on the object in {self.options.mask_field!r}")
        figures = mask_figures(
            mask_scores(
                _chosen(tracks, columns),
                start_t[columns],
                masks,
                size_px,
                valid=valid,
                tolerance_cells=MASK_TOLERANCE_CELLS,
            )
        )
        if all(value is None for value in figures.values()):
            raise TruthError(
                f"There is nothing to count: no frame after those in which the tracks start has a mask in "
                f"{self.options.mask_field!r}"
            )
        return figures

    def _tracker(self, sample_id: str) -> Tracker:
        """The tracker that goes back: the one asked for, or the one that made the tracks."""
        options = self.options
        if isinstance(options.tracker, Tracker):
            return options.tracker
        name, given = options.tracker, dict(options.tracker_options or {})
        if name is None:
            mark = self.marks.get(sample_id)
            if mark is None or mark.tracker is None:
                raise OptionError("It is not known which tracker made these tracks. Name one to go back with (tracker)")
            name, given = mark.tracker, _options_of_run(self.dataset, mark.run_key)
        key = f"{name} {sorted(given.items())}"
        if key not in self._trackers:
            self._trackers[key] = load_tracker(name, **given)
        return self._trackers[key]

    def _group(self, sample_id: str) -> str | None:
        if self.options.group_by is None:
            return None
        value = select_videos(self.dataset, sample_id).values(self.options.group_by)[0]
        return None if value is None else str(value)

    def _store(self, sample_id: str, figures: Mapping[str, float | None]) -> None:
        sample = self.dataset[sample_id]
        for figure in self.options.figures:
            sample[field_of(self.eval_key, figure.name)] = figures.get(figure.name)
        sample.save()


@dataclass
class _Judged:
    """What is known about one sample so far."""

    figures: dict[str, float | None] = field(default_factory=dict)
    group: str | None = None
    num_points: int = 0
    matched_by: str | None = None
    warnings: list[str] = field(default_factory=list)


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _chosen(tracks: Tracks, columns: np.ndarray) -> Tracks:
    return Tracks(tracks.xy[:, columns], tracks.visible[:, columns], tracks.confidence[:, columns])


def _warn_about_hidden(tracks: Tracks, tracked: np.ndarray, warnings: list[str]) -> None:
    if not tracked.all():
        warnings.append(
            f"only {np.count_nonzero(tracked)} of {len(tracked)} frames were tracked: the others do not count"
        )
    placed = np.isfinite(tracks.xy[tracked]).all(axis=2)
    if not placed.all() and bool((placed <= tracks.visible[tracked]).all()):
        warnings.append(
            "positions of hidden points were not stored, so delta and survival count them as missed; "
            "track with keep_hidden=True to judge them too"
        )


def _options_of_run(dataset: fo.Dataset, run_key: str | None) -> dict[str, Any]:
    """The options of the tracker of an earlier run; none where its record is gone."""
    if run_key is None or run_key not in dataset.list_runs():
        return {}
    record = record_of(dataset, run_key)
    return dict(record.get("tracker_options") or {}) if record["method"] == TRACKING_METHOD else {}
