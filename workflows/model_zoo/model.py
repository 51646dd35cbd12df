"""A tracker as a FiftyOne model: `dataset.apply_model(model, label_field="tracks")`.

FiftyOne hands a video model an opened reader and stores the labels it returns.
The reader is only asked which file and which frames: ETA's does not turn
rotated video and believes the declared number of frames.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import eta.core.frameutils as etaf
import fiftyone as fo
import fiftyone.core.models as fom
from fiftyone.core.sample import SampleView

from ...store.database.fields import FRAMES_PREFIX, check_label_field
from ...store.database.frame_documents import MARK_WRITING, FrameStore
from ...store.labels.skeletons import copy_skeleton
from ...store.labels.views import hides_frames
from ...store.runs.outcomes import Failure
from ...store.tracks.keypoints import check_document_size, frame_documents
from ...store.tracks.sample_status import SampleMark, check_foreign_labels, read_contents
from ...store.tracks.track_names import TrackNames
from ...store.tracks.videos import VideoShape, dataset_of, playback_warnings, store_metadata
from ...store.tracks.writer import store_tracks
from ...tracker.coordinates import FIRST_FRAME_NUMBER, frame_index_of, frame_number_of
from ...tracker.engine.run import TrackedClip, track_clip
from ...tracker.errors import (
    CollectionError,
    DependencyError,
    EmptyQueriesError,
    FieldExistsError,
    NoPromptError,
    OptionError,
    QueryError,
)
from ...tracker.models.base import Tracker
from ...tracker.models.recommendation import passes_warning
from ...tracker.models.registry import check_tracker_options, load_tracker
from ...tracker.types import Queries, Tracks
from ...tracker.video.frames import VideoFrames
from ..lifecycle.options import facts_of, given_options
from ..tracking.options import TRACK_DEFAULTS, TrackOptions, check_track_size
from ..tracking.prompts import Prompt, prompt_of

_PROMPTS = ("mask_field", "points")
_PROGRAMS = ("ffmpeg", "ffprobe")


def taken_options() -> list[str]:
    """The options of `track_dataset` that `load_model` takes."""
    return [spec.name for spec in given_options(TrackOptions) if facts_of(spec).not_in_model is None]


def refused_options() -> dict[str, str]:
    """The options of `track_dataset` that something else decides here -> what to do instead."""
    facts = {spec.name: facts_of(spec).not_in_model for spec in given_options(TrackOptions)}
    refused = {name: remedy for name, remedy in facts.items() if remedy is not None}
    return {**refused, "progress": "give it to apply_model(model, progress=...)"}


def load_model(
    name: str | Tracker, model_path: str | PathLike[str] | None = None, **options: Any
) -> PointTrackingModel:
    """Loads a tracker as a model for `dataset.apply_model`; also FiftyOne's hook for `foz.load_zoo_model`.

    Args:
        name: one of `list_trackers()`, or a loaded Tracker
        model_path: where FiftyOne's zoo keeps the model's receipt; not read
        options: `grid_size`, `frame_index`, `mask_field`, `points_per_object`, `points`,
            `classes`, `prompt_frames`, `backward`, `sampling`, `layout`, `keep_hidden` as for `track_dataset`, with the
            same defaults; `confidence_thresh` hides points below it; `store_in`
            makes the model write to that field itself, many times faster, and
            `overwrite` lets it replace what is there; everything else goes to
            the tracker. In clips, `frame_index` and a list of points count from
            the clip's first frame

    Returns:
        the model

    Raises:
        UnknownTrackerError: if there is no tracker of that name
        OptionError: for an option that is unknown, unsupported, or belongs elsewhere
        FieldError: if `store_in` is no good name for a label field
        QueryError: for points that are no (t, x, y)
        LimitError: for more points than a frame's document can hold
    """
    del model_path
    for option, remedy in refused_options().items():
        if option in options:
            raise OptionError(f"Invalid option for load_model ({option}): {remedy}")
    store_in = options.pop("store_in", None)
    confidence_thresh = options.pop("confidence_thresh", None)
    chosen = {option: options.pop(option) for option in taken_options() if option in options}
    if chosen.get("overwrite") and store_in is None:
        raise OptionError("overwrite=True goes with store_in: what apply_model stores itself is added to what is there")
    # checked before the tracker is loaded, which may take long
    label_field = TRACK_DEFAULTS.label_field if store_in is None else store_in
    checked = TrackOptions(label_field=label_field, tracker=name, **chosen)
    config = ModelConfig(confidence_thresh)
    if isinstance(name, str):
        check_tracker_options(name, options, besides=[*taken_options(), "store_in", "confidence_thresh"])
        name = load_tracker(name, **options)
    elif options:
        raise OptionError(
            f"Options ({', '.join(sorted(options))}) go with a tracker's name; this one is loaded already"
        )
    return PointTrackingModel(replace(checked, tracker=name), config, store_in)


@dataclass
class ModelConfig:
    """What `apply_model` may change for the time of one call.

    Args:
        confidence_thresh: points below it are hidden; None = the tracker alone decides

    Raises:
        OptionError: for a threshold outside [0, 1]
    """

    confidence_thresh: float | None = None

    def __post_init__(self) -> None:
        threshold = self.confidence_thresh
        if threshold is not None and not (isinstance(threshold, int | float) and 0 <= threshold <= 1):
            raise OptionError(f"Invalid confidence_thresh ({threshold!r}). Expected a number from 0 to 1, or None")


class PointTrackingModel(fom.SamplesMixin, fom.Model):
    """A video model that returns the keypoints of every frame; made by `load_model`.

    Args:
        options: checked, with a loaded tracker
        config: what `apply_model` may change
        store_in: the frame field the model writes to itself; None = FiftyOne does

    Attributes:
        failures: what could not be tracked in the latest `apply_model`
        without_prompt: (filepath, text) of what had nothing to track from
        warnings: (filepath, text) of what was tracked with reservations
    """

    def __init__(self, options: TrackOptions, config: ModelConfig | None = None, store_in: str | None = None) -> None:
        super().__init__()
        assert isinstance(options.tracker, Tracker)
        self.config = config or ModelConfig()
        self.failures: list[Failure] = []
        self.without_prompt: list[tuple[str, str]] = []
        self.warnings: list[tuple[str, str]] = []
        self._tracker: Tracker = options.tracker
        self._options = options
        self._store_in = store_in
        self._video: VideoFrames | None = None

    @property
    def media_type(self) -> str:
        return "video"

    @property
    def needs_fields(self) -> dict[str, str]:
        """The sample fields the prompt is read from: those of `apply_model`, else those of `load_model`."""
        loaded = {key: getattr(self._options, key) for key in _PROMPTS}
        return dict(self._fields) or {key: field for key, field in loaded.items() if isinstance(field, str)}

    @needs_fields.setter
    def needs_fields(self, fields: Mapping[str, str]) -> None:
        for key, field in fields.items():
            if key not in _PROMPTS:
                raise OptionError(
                    f"Invalid argument of apply_model ({key}). The model takes {' or '.join(_PROMPTS)} there, with the "
                    f"name of a field; other options belong to load_model(name, {key}=...)"
                )
            if not isinstance(field, str) or not field:
                raise OptionError(
                    f"Invalid {key} of apply_model ({field!r}). Expected the name of a field; points as numbers "
                    "belong to load_model(name, points=[(t, x, y), ...])"
                )
        if len(fields) > 1:
            raise OptionError("points and mask_field are both set. Choose one kind of prompt")
        self._fields = dict(fields)

    def __enter__(self) -> PointTrackingModel:
        missing = [program for program in _PROGRAMS if shutil.which(program) is None]
        if missing:
            raise DependencyError(
                f"FiftyOne's apply_model opens every video with ffmpeg and ffprobe; not found on the PATH: "
                f"{', '.join(missing)}. Install FFmpeg, or use track_dataset, which needs neither"
            )
        self.failures.clear()
        self.without_prompt.clear()
        self.warnings.clear()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._video = None

    def predict(self, arg: Any, sample: fo.Sample | SampleView | None = None) -> dict[int, fo.Keypoints] | None:
        """Tracks points through one video or clip.

        Args:
            arg: `eta.core.video.VideoReader`; only its path and its frame range are used
            sample: the sample or clip, with the prompt's field

        Returns:
            frame number (from 1, of the video) -> keypoints; None where the model
            has written them itself

        Raises:
            PointTrackingError: saying why it cannot be tracked; also in `failures`
        """
        sample_id = "" if sample is None else sample.id
        try:
            return self._predict(arg, sample)
        except Exception as error:
            message = str(error) or type(error).__name__
            self.failures.append(Failure(sample_id, arg.inpath, type(error).__name__, message))
            raise

    def _predict(self, reader: Any, sample: fo.Sample | SampleView | None) -> dict[int, fo.Keypoints] | None:
        frame_range = _frame_range(reader)
        if self._store_in is not None:
            self._check_target(sample, frame_range is not None)
        elif (view := getattr(sample, "_view", None)) is not None and hides_frames(view):
            raise CollectionError(
                "This view hides frames, and FiftyOne's apply_model makes hidden frames anew when it writes to them: "
                "their other labels would be lost. Use load_model(..., store_in='tracks'), which writes to frames as "
                "they are, or track_dataset"
            )
        video = self._open(reader.inpath)
        warnings: list[str] = []
        try:
            prompt = self._prompt(video, sample, frame_range, warnings)
        except NoPromptError as error:
            self.without_prompt.append((reader.inpath, str(error)))
            return None
        clip = track_clip(
            video,
            prompt.queries,
            self._tracker,
            backward=self._options.backward,
            sampling=self._options.checked_sampling,
            frame_range=frame_range,
            check_size=check_track_size,
        )
        slow = passes_warning(self._tracker.name, self._tracker.capabilities.num_passes(prompt.queries))
        warnings += [] if slow is None else [slow]
        self.warnings.extend((reader.inpath, text) for text in (*warnings, *video.warnings, *playback_warnings(video)))
        clip = replace(clip, tracks=self._above_threshold(clip.tracks))
        if self._store_in is not None:
            assert sample is not None
            self._write(sample, video, clip, prompt.names)
            return None
        # FiftyOne fails without a word on an empty dict
        return self._labels(video, clip, prompt.names) or None

    def _open(self, path: str) -> VideoFrames:
        """The clips of a video come one after the other: it is scanned once."""
        if self._video is None or self._video.probe.path != path:
            self._video = VideoFrames(path)
        return self._video

    def _prompt_options(self) -> TrackOptions:
        """The options with the prompt that `apply_model` named."""
        if not self._fields:
            return self._options
        return replace(self._options, **{key: self._fields.get(key) for key in _PROMPTS})

    def _prompt(
        self,
        video: VideoFrames,
        sample: fo.Sample | SampleView | None,
        frame_range: tuple[int, int] | None,
        warnings: list[str],
    ) -> Prompt:
        options = self._prompt_options()
        sample_id = ""
        if sample is not None:
            sample_id = sample["sample_id"] if sample.has_field("sample_id") else sample.id
        start = 0 if frame_range is None else frame_range[0]
        options = replace(options, frame_index=options.frame_index + start)
        prompt = prompt_of(sample, sample_id, options, video, warnings)
        if frame_range is not None:
            prompt = _inside_clip(prompt, frame_range, options, warnings)
        check_document_size(len(prompt.queries), options.layout, options.keep_hidden, names=prompt.names)
        return prompt

    def _above_threshold(self, tracks: Tracks) -> Tracks:
        threshold = self.config.confidence_thresh
        if threshold is None:
            return tracks
        return replace(tracks, visible=tracks.visible & (tracks.confidence >= threshold))

    def _labels(self, video: VideoFrames, clip: TrackedClip, names: TrackNames | None) -> dict[int, fo.Keypoints]:
        documents = frame_documents(
            clip.tracks, video.size_px, layout=self._options.layout, keep_hidden=self._options.keep_hidden, names=names
        )
        numbers = frame_number_of(clip.source_indices).tolist()
        return {number: fo.Keypoints.from_dict(document) for number, document in zip(numbers, documents, strict=True)}

    def _check_target(self, sample: fo.Sample | SampleView | None, is_clip: bool) -> None:
        """Refuses what must not be written, before the video is tracked."""
        if sample is None:
            raise CollectionError("store_in needs the sample as well: use apply_model, or predict(reader, sample)")
        if is_clip or sample.has_field("support"):
            raise CollectionError(
                "store_in replaces the tracks of whole videos, and this is a clip. Leave store_in out, "
                "and name the field in apply_model(model, label_field=...)"
            )
        assert self._store_in is not None
        dataset, sample_id = dataset_of(sample)
        check_label_field(dataset, self._store_in)
        contents = read_contents(dataset, [sample_id], self._store_in)
        remedy = ", or track_dataset(..., replace_labels=...)"
        check_foreign_labels(dataset, contents.foreign, self._store_in, None, remedy)
        if not self._options.overwrite and contents.written:
            raise FieldExistsError(
                f"{FRAMES_PREFIX}{self._store_in} of this sample already holds data. Use overwrite=True to replace it, "
                "or another field"
            )
        if FrameStore(dataset, self._store_in).has_corrections(sample_id):
            raise FieldExistsError(
                f"Tracks of this sample in {FRAMES_PREFIX}{self._store_in} were corrected by hand, and apply_model "
                "would lose that. Use track_dataset(..., overwrite=True), which keeps corrections, or another field"
            )

    def _write(
        self, sample: fo.Sample | SampleView, video: VideoFrames, clip: TrackedClip, names: TrackNames | None
    ) -> None:
        assert self._store_in is not None
        dataset, sample_id = dataset_of(sample)
        shape = VideoShape(video.size_px, video.num_frames)
        mark = SampleMark(
            state=MARK_WRITING,
            layout=self._options.layout,
            num_points=clip.tracks.num_points,
            num_frames=shape.num_frames,
            tracker=self._tracker.name,
        )
        store_tracks(
            dataset,
            sample_id,
            self._store_in,
            clip.tracks,
            shape,
            frame_numbers=frame_number_of(clip.source_indices),
            keep_hidden=self._options.keep_hidden,
            mark=mark,
            names=names,
        )
        if self._options.layout == "objects" and isinstance(field := self._prompt_options().points, str):
            copy_skeleton(dataset, field, dataset, self._store_in)
        store_metadata(dataset, sample_id, video)


def _frame_range(reader: Any) -> tuple[int, int] | None:
    """The frame indices a reader was opened for, (first, end); None for the whole video."""
    first, last = etaf.parse_frame_ranges(reader.frames).limits
    # the declared number may be too low: whoever asks for all frames gets all that decode
    if first is None or last is None:
        return None
    if first <= FIRST_FRAME_NUMBER and last >= reader.total_frame_count:
        return None
    return frame_index_of(first), frame_index_of(last) + 1


def _inside_clip(prompt: Prompt, frame_range: tuple[int, int], options: TrackOptions, warnings: list[str]) -> Prompt:
    """What belongs to one video (a field, a dict) names its frames; what is given for all, those of the clip."""
    start, stop = frame_range
    queries = prompt.queries
    if isinstance(options.points, str | Mapping):
        inside = (queries.t >= start) & (queries.t < stop)
        if not inside.any():
            raise EmptyQueriesError(
                f"None of the {len(queries)} points lies in the clip (frames {start} to {stop - 1})"
            )
        if not inside.all():
            warnings.append(f"{int((~inside).sum())} of {len(queries)} points lie outside the clip")
        names = None if prompt.names is None else prompt.names.chosen(inside)
        return Prompt(queries.chosen(inside), names)
    t = queries.t if options.points is None else queries.t + start
    if t.max() >= stop:
        raise QueryError(
            f"Frame {int(t.max()) - start} of the clip was asked for, but it has {stop - start} frames (allowed are "
            f"0 to {stop - start - 1}; frames of a clip count from its first)"
        )
    return Prompt(Queries(t, queries.xy, queries.origin))
