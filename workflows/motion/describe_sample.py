"""One sample: its tracks, or those of a helper grid, described, and what was found stored."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import is_outage
from ...store.database.frame_documents import MARK_DONE
from ...store.labels.whole_tracks.attributes import has_attributes, set_track_attribute
from ...store.runs.outcomes import DONE, FAILED, SKIPPED
from ...store.tracks.reader import read_tracks_in_video
from ...store.tracks.sample_status import read_marks
from ...store.tracks.videos import frame_size_of, select_videos
from ...tracker.coordinates import frame_number_of
from ...tracker.errors import Cancelled, MotionError, VideoError
from ...tracker.models.base import CancelCheck, ProgressCallback, Tracker
from ...tracker.models.registry import load_tracker
from ...tracker.motion.description import MotionDescription, describe
from ...tracker.motion.trajectories import trajectories_of
from ...tracker.queries.ground import Ground
from ...tracker.types import Tracks
from ...tracker.video.frames import VideoFrames
from ...tracker.video.probe import probe
from ..lifecycle.progress import ProgressReporter
from .cycle import NOT_FOLLOWED, CycleConsistency, cycle_consistency
from .featureless import featureless_warning, is_featureless, least_texture
from .helper_grid import helper_pieces
from .motion_fields import CYCLE_ERROR, CYCLE_RETURNED, FEATURELESS, FEATURELESS_SHARE, GROUP, SOURCE
from .options import MotionOptions
from .pictures import align_frames
from .report import MotionOutcome


@dataclass
class SampleDescription:
    """Describes sample after sample.

    Args:
        samples: a dataset or view
        options: what the run is told
        cancelled: asked between samples, and inside long work
    """

    samples: SampleCollection
    options: MotionOptions
    cancelled: CancelCheck | None
    _tracker: Tracker | None = field(default=None, init=False)

    @property
    def dataset(self) -> fo.Dataset:
        return self.samples._dataset

    def attempt(self, sample_id: str, filepath: str, reporter: ProgressReporter) -> MotionOutcome:
        """Describes one sample and stores what was found; whatever goes wrong with it becomes a failure.

        Args:
            sample_id: the sample
            filepath: of its media
            reporter: told how far it is

        Raises:
            Cancelled: if the run was cancelled
        """
        started = time.monotonic()
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The run was cancelled")
        outcome = MotionOutcome(sample_id, filepath, DONE)
        try:
            sample = select_videos(self.dataset, sample_id).first()
            if self.options.label_field is None:
                outcome = self._by_grid(sample, outcome, reporter)
            else:
                outcome = self._by_tracks(sample, self.options.label_field, outcome, reporter)
        except Cancelled:
            raise
        except Exception as error:
            if is_outage(error):  # nothing is wrong with the sample
                raise
            message = str(error) or type(error).__name__
            outcome = replace(outcome, status=FAILED, kind=type(error).__name__, message=message)
        return replace(outcome, seconds=time.monotonic() - started)

    def _by_grid(self, sample: Any, outcome: MotionOutcome, reporter: ProgressReporter) -> MotionOutcome:
        options = self.options
        source = f"aligned corners {options.grid_size} {options.tracker_text}"
        if self._is_known(sample, source):
            return replace(outcome, status=SKIPPED)
        tracker = self._loaded()
        video = VideoFrames(sample.filepath)
        pieces = helper_pieces(
            video,
            tracker,
            options.grid_size,
            progress=lambda share: reporter.inside(share, outcome.filepath),
            cancelled=self.cancelled,
        )
        described = describe([piece.trajectories for piece in pieces], [piece.spans for piece in pieces])
        return self._stored(sample, described, source, outcome)

    def _by_tracks(
        self, sample: Any, label_field: str, outcome: MotionOutcome, reporter: ProgressReporter
    ) -> MotionOutcome:
        options = self.options
        mark = read_marks(self.dataset, [sample.id], label_field).get(sample.id)
        if mark is not None and mark.state != MARK_DONE:
            raise MotionError(f"The tracks of this sample in frames.{label_field} are half written. Track it again")
        tracks, num_late = read_tracks_in_video(sample, label_field)
        if not tracks.num_points or not np.isfinite(tracks.xy).any():
            raise MotionError(f"This sample has no tracks in frames.{label_field}. Track it first")
        source = digest_of(tracks, options)
        if self._is_known(sample, source):
            return replace(outcome, status=SKIPPED)
        warnings = [f"tracks of {num_late} frames past the end of the video are left out"] if num_late else []
        size_px, fps = frame_size_of(sample), _rate_of(sample, warnings)
        trajectories = trajectories_of(tracks, size_px, fps)
        video = VideoFrames(sample.filepath) if options.reads_video else None
        spans = None
        if video is not None and options.pictures:
            spans = [align_frames(video, trajectories, cancelled=self.cancelled)]
        described = describe([trajectories], spans)
        featureless = self._featureless(video, tracks, warnings)
        cycle = self._cycle(video, tracks, lambda share: reporter.inside(share, outcome.filepath))
        outcome = replace(outcome, warnings=tuple(warnings))
        outcome = self._stored(sample, described, source, outcome, featureless, cycle)
        if has_attributes(self.dataset, sample.id, label_field):
            self._tell_keypoints(sample.id, label_field, described, featureless, tracks.num_points)
        return outcome

    def _featureless(self, video: VideoFrames | None, tracks: Tracks, warnings: list[str]) -> np.ndarray | None:
        """(N,) bool; None where it was not asked for."""
        if video is None or not self.options.texture:
            return None
        found = is_featureless(least_texture(video, tracks, self.cancelled))
        ground = Ground(int(found.sum()), tracks.num_points)
        if ground.is_worth_saying:
            warnings.append(featureless_warning(ground))
        return found

    def _cycle(self, video: VideoFrames | None, tracks: Tracks, progress: ProgressCallback) -> CycleConsistency:
        if video is None or not self.options.cycle_consistency:
            return NOT_FOLLOWED
        return cycle_consistency(video, tracks, self._loaded(), progress=progress, cancelled=self.cancelled)

    def _tell_keypoints(
        self,
        sample_id: str,
        label_field: str,
        described: MotionDescription,
        featureless: np.ndarray | None,
        num_points: int,
    ) -> None:
        if featureless is not None:
            values = {flag: np.flatnonzero(featureless == flag).tolist() for flag in (False, True)}
            set_track_attribute(self.dataset, sample_id, label_field, FEATURELESS, values)
        # of very many tracks not all were looked at
        if self.options.groups and len(described.groups) == num_points:
            groups = {int(g): np.flatnonzero(described.groups == g).tolist() for g in np.unique(described.groups)}
            set_track_attribute(self.dataset, sample_id, label_field, GROUP, groups)

    def _stored(
        self,
        sample: Any,
        described: MotionDescription,
        source: str,
        outcome: MotionOutcome,
        featureless: np.ndarray | None = None,
        cycle: CycleConsistency = NOT_FOLLOWED,
    ) -> MotionOutcome:
        share = None if featureless is None else float(featureless.mean())
        told = {FEATURELESS_SHARE: share, CYCLE_ERROR: cycle.error, CYCLE_RETURNED: cycle.returned}
        values = {**described.figures, **told, SOURCE: source}
        sample[self.options.motion_field] = fo.DynamicEmbeddedDocument(**values)
        sample[self.options.events_field] = fo.TemporalDetections(
            detections=[
                fo.TemporalDetection(
                    label=event.label, support=[frame_number_of(event.first), frame_number_of(event.last)]
                )
                for event in described.events
            ]
        )
        sample[self.options.vector_field] = described.embedding
        sample.save()
        return replace(
            outcome,
            camera=str(described.figures["camera"]),
            num_cuts=int(described.figures["num_cuts"] or 0),
            num_events=len(described.events),
            num_points=int(described.figures["num_points"] or 0),
            num_featureless=0 if featureless is None else int(featureless.sum()),
        )

    def _is_known(self, sample: Any, source: str) -> bool:
        """Whether the sample was described from the same."""
        stored = sample[self.options.motion_field]
        return not self.options.overwrite and stored is not None and stored[SOURCE] == source

    def _loaded(self) -> Tracker:
        if self._tracker is None:
            given = self.options.tracker
            options = dict(self.options.tracker_options or {})
            self._tracker = given if isinstance(given, Tracker) else load_tracker(given, **options)
        return self._tracker


def digest_of(tracks: Tracks, options: MotionOptions) -> str:
    """A short text that differs where tracks, or what is wanted of them, differ."""
    told = hashlib.blake2b(digest_size=12)
    for array in (tracks.xy, tracks.visible):
        told.update(np.ascontiguousarray(array).tobytes())
    told.update(f"{tracks.xy.shape} {options.texture} {options.pictures} {options.groups}".encode())
    if options.cycle_consistency:
        told.update(options.tracker_text.encode())
    return told.hexdigest()


def _rate_of(sample: Any, warnings: list[str]) -> float | None:
    """Frames per second: the file's, else what the sample says."""
    try:
        rate = probe(sample.filepath).fps
    except VideoError:
        rate = sample.metadata.frame_rate if sample.metadata is not None else None
    if not rate:
        warnings.append("nothing tells how many frames per second this video has: 25 are assumed")
    return rate or None
