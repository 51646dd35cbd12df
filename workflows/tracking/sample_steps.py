"""One sample on its way through a run: read, tracked, written. Each step runs in a thread of its stage."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import fiftyone as fo

from ...store.database.claims import Busy, Claims
from ...store.database.connection import patiently
from ...store.runs.outcomes import DONE, FAILED, SKIPPED, Outcome
from ...store.tracks.keypoints import check_document_size
from ...store.tracks.sample_status import DONE as MARKED_DONE
from ...store.tracks.sample_status import WRITING, SampleMark
from ...store.tracks.source_links import FILEPATH, check_copy, check_source
from ...store.tracks.videos import VideoShape, store_metadata
from ...store.tracks.writer import store_tracks
from ...tracker.coordinates import frame_number_of
from ...tracker.engine.ahead import AheadFrames, ByteBudget
from ...tracker.engine.onto_source import onto_source
from ...tracker.engine.run import PreparedClip, TrackedClip, prepare_clip, track_prepared
from ...tracker.errors import Cancelled, DatabaseError, VideoError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.types import Queries
from ...tracker.video.frames import VideoFrames
from .options import TrackOptions, check_track_size
from .prompts import reads_masks_of_sources, sample_queries
from .targets import Target


@dataclass(eq=False)
class Job:
    """A sample and how far it is.

    Args:
        target: the sample
        share: of its tracking that is done, from 0 to 1
        outcome: once it is decided
        busy: who holds the sample, where it has to wait
        stop: what must end the whole run
    """

    target: Target
    share: float = 0.0
    outcome: Outcome | None = None
    busy: Busy | None = None
    stop: BaseException | None = None
    seconds: float = 0.0
    step_began: float = 0.0
    warnings: list[str] = field(default_factory=list)
    claimed: bool = False
    video: VideoFrames | None = None
    queries: Queries | None = None
    clip: PreparedClip | None = None
    ahead: AheadFrames | None = None
    tracked: TrackedClip | None = None

    def let_go(self) -> None:
        """Frees what the sample holds in memory."""
        ahead, self.ahead = self.ahead, None
        self.video = self.queries = self.clip = self.tracked = None
        if ahead is not None:
            ahead.close()


@dataclass
class SampleWork:
    """The steps, and everything that stays the same from sample to sample.

    Args:
        dataset: of the samples
        destination: the data set that is written to
        tracker: ready to track; None where the steps are done by workers elsewhere
        options: of the run
        run_key: of its record
        claims: of the run
        cancelled: asked between chunks of work
        budget: of frames decoded ahead
    """

    dataset: fo.Dataset
    destination: fo.Dataset
    tracker: Tracker | None
    options: TrackOptions
    run_key: str
    claims: Claims
    cancelled: CancelCheck | None = None
    budget: ByteBudget = field(default_factory=ByteBudget)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._abandoned = threading.Event()
        # from then on, a field that is missing was deleted
        self._declared = self.claims.store.is_declared()
        self._masks_of_sources = reads_masks_of_sources(self.dataset, self.destination, self.options)
        # seconds in which a stage worked for another, or waited for it
        self.decoded_s = 0.0
        self.waited_s = 0.0

    def stop(self) -> None:
        """Makes the steps end at the next opportunity; what is tracked is still written."""
        self._stopping.set()

    def abandon(self) -> None:
        """Makes what comes after the end of the run stay unwritten: its report says that it was not run."""
        self._abandoned.set()

    def _is_cancelled(self) -> bool:
        return self._stopping.is_set() or (self.cancelled is not None and self.cancelled())

    def read(self, job: Job) -> bool:
        """Opens the video, claims the sample, reads what to track, and begins to decode."""
        return self._step(job, self._read)

    def track(self, job: Job) -> bool:
        """Tracks. Several short clips could share one call here: the stage would take what waits for it."""
        return self._step(job, self._track)

    def write(self, job: Job) -> bool:
        """Stores the tracks."""
        return self._step(job, self._write)

    def died(self, job: Job, error: BaseException | None) -> None:
        """Decides about the job of a thread that died."""
        self._fail(job, error or RuntimeError("The thread that worked on this sample died"))

    def _step(self, job: Job, step: Callable[[Job], None]) -> bool:
        job.step_began = time.perf_counter()
        try:
            step(job)
        except (Cancelled, DatabaseError, KeyboardInterrupt) as error:
            job.stop = error
        except BaseException as error:  # noqa: BLE001 - one bad clip must not end the run; the reason is recorded
            self._fail(job, error)
            return False
        job.seconds += time.perf_counter() - job.step_began
        goes_on = job.outcome is None and job.busy is None and job.stop is None
        if not goes_on:
            job.let_go()
            self._release(job)
        return goes_on

    def _fail(self, job: Job, error: BaseException) -> None:
        job.let_go()
        job.outcome = self._outcome(job, FAILED, kind=type(error).__name__, message=str(error) or type(error).__name__)
        _free_memory(error)
        self._release(job)

    def _release(self, job: Job) -> None:
        if not job.claimed:
            return
        try:
            self.claims.release(job.target.destination_id)
            job.claimed = False
        except DatabaseError as error:
            job.stop = error

    def _outcome(self, job: Job, status: str, **facts) -> Outcome:
        return job.target.outcome(
            status,
            seconds=job.seconds + time.perf_counter() - job.step_began,
            warnings=tuple(job.warnings),
            **facts,
        )

    def _read(self, job: Job) -> None:
        target, options = job.target, self.options
        assert self.tracker is not None
        if target.finished:
            job.outcome = self._outcome(job, SKIPPED)
            return
        if self._is_cancelled():
            raise Cancelled("The run was cancelled")
        if options.write_to == "source" and target.origin is None:
            raise VideoError("This sample has no preprocessed video, so there is nothing to track. Preprocess it first")
        if target.origin is not None:
            check_source(target.origin, job.warnings)
        video = VideoFrames(target.filepath)
        job.busy = self.claims.take(target.destination_id)
        if job.busy is not None:
            return
        job.claimed = True
        job.outcome = self._written_meanwhile(job)
        if job.outcome is not None:
            return
        if self._declared:
            self.claims.store.check_declared()
        holder = (self.dataset, target.sample_id)
        if self._masks_of_sources:
            holder = (self.destination, target.destination_id)
        queries = patiently(lambda: sample_queries(*holder, options, video.size_px, job.warnings))
        check_document_size(len(queries), options.layout, options.keep_hidden, options.interpolate)
        clip = prepare_clip(video, queries, sampling=options.checked_sampling, check_size=check_track_size)
        if self.tracker.capabilities.joint:
            _ = clip.source.num_frames  # such a tracker asks before it reads; counting may mean decoding
        ahead = AheadFrames(clip.source, self.budget)
        job.video, job.queries, job.ahead = video, queries, ahead
        job.clip = PreparedClip(ahead, clip.queries, clip.source_indices)
        reading = self.tracker.first_reading(ahead.size_px, clip.queries)
        if reading is not None:
            ahead.begin(*reading)

    def _written_meanwhile(self, job: Job) -> Outcome | None:
        """What to say of a sample that was finished since the run began."""
        target, mark = job.target, self.claims.store.mark(job.target.destination_id)
        if mark is None or mark.get("state") != MARKED_DONE:
            return None
        if target.marked and mark.get("run_key") == target.marked_by:
            return None
        if mark.get("run_key") != self.run_key:
            job.warnings.append("another run tracked this sample meanwhile")
            return self._outcome(job, SKIPPED)
        # a worker of this run, which died before it could tell
        return self._outcome(job, DONE, **{key: mark[key] for key in ("num_points", "num_frames", "num_keypoints")})

    def _track(self, job: Job) -> None:
        assert self.tracker is not None
        assert job.clip is not None
        assert job.ahead is not None
        if self._is_cancelled():
            raise Cancelled("The run was cancelled")
        ahead = job.ahead

        def report(share: float) -> None:
            job.share = share

        try:
            job.tracked = track_prepared(
                job.clip,
                self.tracker,
                backward=self.options.backward,
                progress=report,
                cancelled=self._is_cancelled,
            )
        finally:
            ahead.close()
            self.decoded_s += ahead.busy_s
            self.waited_s += ahead.waited_s

    def _write(self, job: Job) -> None:
        assert job.video is not None
        assert job.queries is not None
        assert job.tracked is not None
        if self._abandoned.is_set():
            raise Cancelled("The run ended while this sample was being tracked")
        job.warnings.extend(job.video.warnings)
        job.warnings.extend(job.tracked.tracks.info.get("warnings", ()))
        stored = self._store(job.target, job.video, job.tracked, job.queries)
        tracks = job.tracked.tracks
        self._declared = True
        job.outcome = self._outcome(
            job,
            DONE,
            num_points=len(job.queries),
            num_frames=tracks.num_frames,
            num_keypoints=stored,
            plan=dict(tracks.info.get("plan") or {}),
        )

    def _store(self, target: Target, video: VideoFrames, tracked: TrackedClip, queries: Queries) -> int:
        tracks, source_indices = tracked.tracks, tracked.source_indices
        shape = VideoShape(video.size_px, video.num_frames)
        frame_numbers, interpolated = frame_number_of(source_indices), None
        if target.origin is not None:
            check_copy(target.filepath, video.num_frames, target.origin)
            moved = onto_source(
                tracks,
                target.origin.frame_numbers[source_indices],
                video.size_px,
                target.origin.size_px,
                interpolate=self.options.interpolate,
            )
            tracks, frame_numbers, interpolated = moved.tracks, moved.frame_numbers, moved.interpolated
            shape = VideoShape(target.origin.size_px, target.origin.num_frames)
            check_track_size(tracks.num_points, tracks.num_frames)
        if self.options.media_field == FILEPATH:
            # first: who dies after the tracks are stored does not come back to this sample
            patiently(lambda: store_metadata(self.dataset, target.sample_id, video))
        return store_tracks(
            self.destination,
            target.destination_id,
            self.options.label_field,
            tracks,
            shape,
            frame_numbers=frame_numbers,
            keep_hidden=self.options.keep_hidden,
            mark=SampleMark(
                state=WRITING,
                layout=self.options.layout,
                num_points=len(queries),
                num_frames=shape.num_frames,
                tracker=self.options.tracker_name,
                run_key=self.run_key,
            ),
            interpolated=interpolated,
            claims=self.claims,
        )


def _free_memory(error: BaseException) -> None:
    """Gives back what a tracker held when it ran out of memory."""
    if not isinstance(error, MemoryError) and "OutOfMemory" not in type(error).__name__:
        return
    error.__traceback__ = None  # its frames hold the arrays
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
