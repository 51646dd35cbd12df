"""One sample on its way through a run: read, tracked, written. Each step runs in a thread of its stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.corrections.frame_edits import Style
from ...store.corrections.sample_edit import declare_corrections
from ...store.database.claims import Busy, Claims
from ...store.database.fields import FRAMES_PREFIX
from ...store.database.frame_documents import MARK_DONE, MARK_WRITING
from ...store.runs.outcomes import DONE, FAILED, NO_PROMPT, SKIPPED, Outcome
from ...store.tracks.keypoints import check_document_size
from ...store.tracks.sample_status import SampleMark, noted_queries
from ...store.tracks.source_links import FILEPATH, check_copy, check_source
from ...store.tracks.videos import VideoShape, playback_warnings, store_metadata
from ...store.tracks.writer import Amend, store_tracks
from ...tracker.coordinates import frame_index_of, frame_number_of
from ...tracker.engine.ahead import AheadFrames, ByteBudget
from ...tracker.engine.onto_source import onto_source
from ...tracker.engine.run import PreparedClip, TrackedClip, prepare_clip, track_prepared
from ...tracker.errors import Cancelled, DatabaseError, FieldExistsError, NoPromptError, OutsideVideoError, VideoError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.video.frames import VideoFrames
from ..correction.overwriting import Following, KeptCorrections, kept_corrections, with_corrections
from .free_memory import free_after
from .options import TrackOptions, check_track_size
from .prompts import Prompt, reads_masks_of_sources, settled_prompt
from .targets import Target


@dataclass(frozen=True, eq=False)
class ReadSample:
    """What reading a sample gives: its video, what to track, and frames that are being decoded ahead."""

    video: VideoFrames
    prompt: Prompt
    clip: PreparedClip
    ahead: AheadFrames
    kept: KeptCorrections | None = None


@dataclass(frozen=True, eq=False)
class TrackedSample:
    """What tracking a sample gives, to be written; `amend` marks what a person had corrected."""

    video: VideoFrames
    prompt: Prompt
    clip: TrackedClip
    amend: Amend | None = None


@dataclass(frozen=True)
class Stopped:
    """What must end the whole run came up at this sample."""

    error: BaseException


# from step to step: nothing yet, read, tracked; or, in the end: decided, held by another run, the run's end
State = ReadSample | TrackedSample | Outcome | Busy | Stopped | None
S = TypeVar("S", ReadSample, TrackedSample)


@dataclass(eq=False)
class Job:
    """A sample on its way through the steps.

    Args:
        target: the sample
        state: what the last step gave
        share: of its tracking that is done, from 0 to 1
        seconds: spent in steps that are over
        warnings, num_featureless: for its outcome
        claimed: whether the run holds the sample
    """

    target: Target
    state: State = None
    share: float = 0.0
    seconds: float = 0.0
    step_began: float = 0.0
    warnings: list[str] = field(default_factory=list)
    num_featureless: int = 0
    claimed: bool = False

    def expect(self, kind: type[S]) -> S:
        """The state that a step begins with.

        Raises:
            TypeError: if the steps before it gave something else
        """
        if not isinstance(self.state, kind):
            raise TypeError(f"A sample comes to this step as {type(self.state).__name__}, not {kind.__name__}")
        return self.state

    def move_to(self, state: State) -> None:
        """Goes on to another state; what the last one held in memory is freed."""
        before, self.state = self.state, state
        if isinstance(before, ReadSample):
            before.ahead.close()


@dataclass
class SampleSteps:
    """The steps, and everything that stays the same from sample to sample.

    Args:
        samples: the dataset or view that is tracked
        destination: the dataset that is written to
        tracker: ready to track; None where the steps are done by workers elsewhere
        options: what the run is told
        run_key: of its record
        claims: what the run holds
        cancelled: asked between chunks of work
        budget: of frames decoded ahead
    """

    samples: SampleCollection
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
        self._masks_of_sources = reads_masks_of_sources(self.samples._dataset, self.destination, self.options)
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

    def _step(self, job: Job, step: Callable[[Job], State]) -> bool:
        job.step_began = time.perf_counter()
        try:
            job.move_to(step(job))
        except (Cancelled, DatabaseError, KeyboardInterrupt) as error:
            job.move_to(Stopped(error))
        except BaseException as error:  # noqa: BLE001 - one bad clip must not end the run; the reason is recorded
            if not self._lacks_prompt(error):
                self._fail(job, error)
                return False
            job.move_to(self._outcome(job, NO_PROMPT, kind=type(error).__name__, message=str(error)))
        job.seconds += time.perf_counter() - job.step_began
        goes_on = isinstance(job.state, ReadSample | TrackedSample)
        if not goes_on:
            self._release(job)
        return goes_on

    def _lacks_prompt(self, error: BaseException) -> bool:
        """Whether a sample has nothing to track from; what is asked of all alike may not be in this video."""
        outside = isinstance(error, OutsideVideoError) and self.options.asks_all_alike
        return outside or isinstance(error, NoPromptError)

    def _fail(self, job: Job, error: BaseException) -> None:
        kind, message = type(error).__name__, str(error) or type(error).__name__
        job.move_to(self._outcome(job, FAILED, kind=kind, message=message))
        free_after(error)
        self._release(job)

    def _release(self, job: Job) -> None:
        if not job.claimed:
            return
        try:
            self.claims.release(job.target.destination_id)
            job.claimed = False
        except DatabaseError as error:
            job.move_to(Stopped(error))

    def _outcome(self, job: Job, status: str, **facts) -> Outcome:
        return job.target.outcome(
            status,
            seconds=job.seconds + time.perf_counter() - job.step_began,
            warnings=tuple(job.warnings),
            **facts,
        )

    def _read(self, job: Job) -> State:
        target, options, tracker = job.target, self.options, self._ready_tracker
        if target.finished:
            return self._outcome(job, SKIPPED)
        if self._is_cancelled():
            raise Cancelled("The run was cancelled")
        if options.write_to == "source" and target.source_link is None:
            raise VideoError("This sample has no preprocessed video, so there is nothing to track. Preprocess it first")
        if target.source_link is not None:
            check_source(target.source_link, job.warnings)
        video = VideoFrames(target.filepath)
        busy = self.claims.take(target.destination_id)
        if busy is not None:
            return busy
        job.claimed = True
        written = self._written_meanwhile(job)
        if written is not None:
            return written
        if self._declared:
            self.claims.store.check_declared()
        self._check_labels(target)
        holder = (self.samples, target.sample_id)
        if self._masks_of_sources:
            holder = (self.destination, target.destination_id)
        prompt, job.num_featureless = settled_prompt(*holder, options, video, tracker, job.warnings)
        queries = prompt.queries
        kept = None
        if target.marked and not options.discard_corrections:
            place = (self.claims.store, self.destination, target.destination_id)
            from_copy = target.source_link is not None
            kept = kept_corrections(*place, queries, layout=options.layout, from_copy=from_copy)
        check_document_size(len(queries), options.layout, options.keep_hidden, options.interpolate, prompt.names)
        clip = prepare_clip(video, queries, sampling=options.checked_sampling, check_size=check_track_size)
        if tracker.capabilities.joint:
            _ = clip.source.num_frames  # such a tracker asks before it reads; counting may mean decoding
        ahead = AheadFrames(clip.source, self.budget)
        reading = tracker.first_reading(ahead.size_px, clip.queries)
        if reading is not None:
            ahead.begin(*reading)
        return ReadSample(video, prompt, PreparedClip(ahead, clip.queries, clip.source_indices), ahead, kept)

    @property
    def _ready_tracker(self) -> Tracker:
        if self.tracker is None:
            raise TypeError("These steps were made for workers elsewhere: there is no tracker here")
        return self.tracker

    def _written_meanwhile(self, job: Job) -> Outcome | None:
        """What to say of a sample that was finished since the run began."""
        target, mark = job.target, self.claims.store.mark(job.target.destination_id)
        if mark is None or mark.get("state") != MARK_DONE:
            return None
        if target.marked and mark.get("run_key") == target.marked_by:
            return None
        if mark.get("run_key") != self.run_key:
            job.warnings.append("another run tracked this sample meanwhile")
            return self._outcome(job, SKIPPED)
        # a worker of this run, which died before it could tell
        return self._outcome(job, DONE, **{key: mark[key] for key in ("num_points", "num_frames", "num_keypoints")})

    def _check_labels(self, target: Target) -> None:
        """Refuses to replace labels that somebody made since the run began.

        Raises:
            FieldExistsError: saying so
        """
        store, sample_id = self.claims.store, target.destination_id
        if target.marked or target.replaces_labels or store.mark(sample_id) is not None:
            return
        if store.holders([sample_id], of_keypoints=True):
            raise FieldExistsError(
                f"Labels that point tracking did not write were added to {FRAMES_PREFIX}{self.options.label_field} of "
                "this sample while the run was going on, and are left alone. Use another label field"
            )

    def _track(self, job: Job) -> State:
        if self._is_cancelled():
            raise Cancelled("The run was cancelled")
        read = job.expect(ReadSample)

        def report(share: float) -> None:
            job.share = share

        try:
            tracked = track_prepared(
                read.clip,
                self._ready_tracker,
                backward=self.options.backward,
                progress=report,
                cancelled=self._is_cancelled,
            )
        finally:
            read.ahead.close()
            self.decoded_s += read.ahead.busy_s
            self.waited_s += read.ahead.waited_s
        if read.kept is None:
            return TrackedSample(read.video, read.prompt, tracked)
        job.warnings.append(read.kept.warning())
        store, options, queries = self.claims.store, self.options, read.prompt.queries
        style = Style(options.layout, options.keep_hidden)
        following = Following(read.video, self._ready_tracker, options.backward, self._is_cancelled)
        clip, names, amend = with_corrections(read.kept, tracked, queries, read.prompt.names, style, following)
        declare_corrections(self.destination, store.label_field, options.layout)
        return TrackedSample(read.video, Prompt(queries, names), clip, amend)

    def _write(self, job: Job) -> State:
        if self._abandoned.is_set():
            raise Cancelled("The run ended while this sample was being tracked")
        sample = job.expect(TrackedSample)
        tracks = sample.clip.tracks
        job.warnings.extend(sample.video.warnings)
        job.warnings.extend(tracks.info.get("warnings", ()))
        self._check_labels(job.target)
        stored = self._store(job.target, sample)
        if job.target.source_link is None:
            job.warnings.extend(playback_warnings(sample.video))
        self._declared = True
        return self._outcome(
            job,
            DONE,
            num_points=tracks.num_points,
            num_featureless=job.num_featureless,
            num_passes=self._ready_tracker.capabilities.num_passes(sample.prompt.queries),
            num_frames=tracks.num_frames,
            num_keypoints=stored,
            megapixels=sample.video.size_px[0] * sample.video.size_px[1] / 1e6,
            plan=dict(tracks.info.get("plan") or {}),
        )

    def _store(self, target: Target, sample: TrackedSample) -> int:
        video, tracks, source_indices = sample.video, sample.clip.tracks, sample.clip.source_indices
        shape = VideoShape(video.size_px, video.num_frames)
        frame_numbers, interpolated = frame_number_of(source_indices), None
        query_numbers = frame_number_of(sample.prompt.queries.t)
        if target.source_link is not None:
            check_copy(target.filepath, video.num_frames, target.source_link)
            moved = onto_source(
                tracks,
                target.source_link.frame_numbers[source_indices],
                video.size_px,
                target.source_link.size_px,
                interpolate=self.options.interpolate,
            )
            query_numbers = target.source_link.frame_numbers[sample.prompt.queries.t]
            tracks, frame_numbers, interpolated = moved.tracks, moved.frame_numbers, moved.interpolated
            shape = VideoShape(target.source_link.size_px, target.source_link.num_frames)
            check_track_size(tracks.num_points, tracks.num_frames)
        if self.options.media_field == FILEPATH:
            # first: who dies after the tracks are stored does not come back to this sample
            store_metadata(self.samples._dataset, target.sample_id, video)
        return store_tracks(
            self.destination,
            target.destination_id,
            self.options.label_field,
            tracks,
            shape,
            frame_numbers=frame_numbers,
            keep_hidden=self.options.keep_hidden,
            mark=SampleMark(
                state=MARK_WRITING,
                layout=self.options.layout,
                num_points=len(sample.prompt.queries),
                num_frames=shape.num_frames,
                tracker=self.options.tracker_name,
                run_key=self.run_key,
                query_t=noted_queries(frame_index_of(query_numbers), tracks.num_points),
            ),
            interpolated=interpolated,
            names=sample.prompt.names,
            claims=self.claims,
            amend=sample.amend,
        )
