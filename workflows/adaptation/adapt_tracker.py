"""Adaptation: a tracker is trained further on the videos of a dataset or view, without labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fiftyone.core.collections import SampleCollection

from ...store.runs.outcomes import Failure
from ...store.tracks.videos import check_collection
from ...tracker.errors import Cancelled
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.models.registry import load_tracker, tracker_info
from ..lifecycle.progress import Progress, ProgressOption, ProgressReporter
from ..lifecycle.run import open_run, run_environment
from .options import DEFAULT_STUDENT, AdaptOptions
from .report import AdaptationReport, SkippedClips

if TYPE_CHECKING:
    from ...tracker.training.adapting.adaptation import Adaptation

_DEFAULTS = AdaptOptions.__dataclass_fields__


def adapt_tracker(
    samples: SampleCollection,
    name: str,
    *,
    tracker: str | Tracker = DEFAULT_STUDENT,
    tracker_options: Mapping[str, Any] | None = None,
    teachers: Sequence[str | Tracker] | None = None,
    own_start: bool = True,
    minutes: float | None = None,
    steps: int | None = None,
    held_out: float = _DEFAULTS["held_out"].default,
    seed: int = _DEFAULTS["seed"].default,
    learning_rate: float = _DEFAULTS["learning_rate"].default,
    points: int = _DEFAULTS["points"].default,
    batch: int = _DEFAULTS["batch"].default,
    ema: bool = _DEFAULTS["ema"].default,
    device: str = "auto",
    overwrite: bool = False,
    run_key: str | None = None,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> AdaptationReport:
    """Trains a tracker further on videos without labels, and stores it under a name if it is better.

    Teachers track clips of the videos, the student learns to follow them. A part of
    the videos is held out; the result is kept only if, on these, more points come
    back to where they started than before. Only the videos are read: no label of the
    dataset is changed. The new tracker is in `list_trackers()` then.

    Args:
        samples: a video dataset or view, at least two different videos
        name: of the new tracker
        tracker: to start from: one of CoTracker3's form, by name or loaded
        tracker_options: what `load_tracker` takes for that name, e.g. a `checkpoint`
        teachers: trackers to learn from, by name or loaded. The terms of their weights
            bind the result: a non-commercial teacher makes it non-commercial
        own_start: the tracker, as it was, is a teacher too
        minutes: of training; None = 30, unless `steps` is given
        steps: of training instead; such a run is repeatable
        held_out: share of the videos to judge by; at least one, at most 32
        seed: of the division of videos and of all draws
        learning_rate: at the start; it falls to 0
        points: tracks per clip; clips with fewer features are skipped
        batch: clips per step
        ema: keep averaged weights instead of the last ones
        device: "auto" (cuda, else cpu) or a torch device, for trackers given by name
        overwrite: replace an adapted tracker of the same name
        run_key: name of the run record; chosen where not given
        progress: None as FiftyOne is configured, True or False, or a function
            that takes a `Progress`
        cancelled: asked often; True ends the run, and nothing is stored

    Returns:
        the report; `print(report)` shows scores before and after

    Raises:
        CollectionError: if the collection holds no videos
        OptionError: for an option outside what is supported, such as a name that is taken
        UnknownTrackerError: for an unknown tracker
        TooFewVideosError: if there are not enough videos to hold some out
        AdaptationError: if the videos, or what the teachers make of them, cannot be learnt from
    """
    options = AdaptOptions.picked_from(locals())
    return run_adaptation(samples, options, progress=progress, cancelled=cancelled)


def run_adaptation(
    samples: SampleCollection,
    options: AdaptOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> AdaptationReport:
    """Does what `adapt_tracker` says, for options that are checked already.

    Args:
        samples: a video dataset or view
        options: what the run is told
        progress, cancelled: as for `adapt_tracker`

    Returns:
        the report

    Raises:
        the same errors as `adapt_tracker`
    """
    from ...tracker.training.adapting.adaptation import adapt, check_student, training_device
    from ...tracker.training.adapting.held_out import split_videos

    started = time.monotonic()
    check_collection(samples)
    dataset = samples._dataset
    ids, paths = samples.values(["id", "filepath"])
    tell = _reporter(progress, len(ids))
    split_videos(paths, options.held_out, options.seed)  # before anything is loaded
    student, teachers = _load(options, training_device(options.device))
    check_student(student)
    report = AdaptationReport(name=options.name, tracker=student.name)
    with (
        run_environment(dataset),
        open_run(dataset, options, report, num_targets=len(ids), started=started),
    ):
        try:
            result = adapt(
                paths,
                options.name,
                options.training,
                student,
                teachers,
                progress=tell,
                cancelled=cancelled,
            )
            _fill(report, result, dict(zip(paths, ids, strict=True)))
        except Cancelled:
            report.cancelled = True
        except BaseException as error:  # an interrupt from the keyboard is a reason too
            report.reason = str(error) or type(error).__name__
            raise
    return report


def _load(options: AdaptOptions, device: str) -> tuple[Tracker, list[Tracker]]:
    """The student and its teachers, each loaded once."""
    loaded: dict[str, Tracker] = {}

    def load(given: str | Tracker, **more: Any) -> Tracker:
        if isinstance(given, Tracker):
            return given
        if given not in loaded:
            with_weights = tracker_info(given).weights_license is not None
            loaded[given] = load_tracker(given, **({"device": device} if with_weights else {}), **more)
        return loaded[given]

    given = {key: value for key, value in (options.tracker_options or {}).items() if key != "device"}
    student = load(options.tracker, **given)
    teachers = [load(teacher) for teacher in options.teachers or ()]
    if options.own_start:
        teachers.insert(0, student)
    return student, list({id(teacher): teacher for teacher in teachers}.values())


def _fill(report: AdaptationReport, result: Adaptation, sample_ids: Mapping[str, str]) -> None:
    """Copies what became of a run into its report."""
    lineage = result.lineage
    assert result.verdict is not None
    report.teachers = {
        terms.name: {
            "license": terms.license,
            "commercial_use": terms.commercial_use,
            "batches": result.batches.get(terms.name, 0),
        }
        for terms in lineage.teachers
    }
    report.kept, report.reason = result.kept, result.verdict.reason
    report.before = result.before.to_dict() if result.before else {}
    report.after = result.after.to_dict() if result.after else {}
    report.path = None if result.path is None else str(result.path)
    report.license, report.commercial_use = lineage.license, lineage.commercial_use
    report.num_videos, report.num_held_out = len(result.trained_on), len(result.judged_by) - len(result.failures)
    report.num_points, report.steps, report.clips = result.num_points, result.steps, result.clips
    skips = result.skips
    report.skipped = [
        SkippedClips(path, f"{reason}: {skips.details[path]}" if path in skips.details else reason, count)
        for (path, reason), count in sorted(skips.clips.items())
    ]
    report.failures = [
        Failure(sample_ids[path], path, "VideoError", reason) for path, reason in sorted(result.failures.items())
    ]


class AdaptationProgress(Progress):
    """The state of a run that works on all videos at once."""

    @property
    def label(self) -> str:
        return self.message


def _reporter(option: ProgressOption, total: int) -> Callable[[float, str], None]:
    """Tells how far a run is: to a callback, on a bar of percents, or nobody."""
    if callable(option):
        return lambda share, text: option(AdaptationProgress(0 if share < 1 else total, total, share, text))
    bar = ProgressReporter(option, 100)
    told = [0]

    def tell(share: float, text: str) -> None:
        while told[0] < int(100 * share):
            told[0] += 1
            bar.finished(text)

    return tell
