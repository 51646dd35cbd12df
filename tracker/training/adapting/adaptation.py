"""Training a tracker further on the user's own, unlabelled videos.

    result = adapt(paths, "my-tracker", AdaptationOptions(minutes=30), student, teachers)

Source: CoTracker3, arXiv:2410.11831, sec. 3.1. Teachers (by default the student's
own start) label clips of the videos, the student learns to follow them with less
help, and what it says about visibility stays as it was. The result is stored only
if it is better on videos that were held out; see `held_out`.
"""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ...errors import AdaptationError, Cancelled, OptionError
from ...models.adapted import (
    LINEAGE_KEY,
    UNKNOWN_LICENSE,
    Lineage,
    WeightsTerms,
    check_adapted_dir,
    find_adapted,
    read_metadata,
    save_adapted,
)
from ...models.base import CancelCheck, Tracker
from ...models.cotracker.model_tracker import ModelTracker
from ...models.cotracker.network.config import CoTrackerConfig
from ...models.cotracker.network.model import CoTracker3
from ...models.registry import check_new_name, load_tracker, tracker_info
from ...models.shared.memory import is_out_of_memory
from ...models.shared.precision import choose_device
from ..configs import TrainingConfig, TrainingStage
from ..data.clip_cuts import CutRules, FrameShape
from ..data.pseudo_labels import PseudoLabelSource, Skips
from ..fitting.processes import Processes
from ..fitting.train import RunOptions, Trainer
from .held_out import HeldOutScores, HeldOutVideos, Verdict, split_videos
from .options import AdaptationOptions

ProgressReport = Callable[[float, str], None]
"""Called with the share of the whole run that is done, and what is being done."""

FROZEN = ("updateformer.vis_conf_head.",)
_MAX_ITERATIONS = 4
_MAX_SKIPPED = 20
_HALF_WINDOWS = 3  # of a clip, at most, after its first window
_TRAIN_SHARE = (0.15, 0.85)  # of the progress; before and after it the held-out videos are tracked
_PERMISSIVE = ("Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0")  # that allow commercial use

logger = logging.getLogger(__name__)


@dataclass
class Adaptation:
    """What became of a run.

    Args:
        name: of the tracker to be made
        lineage: what it was made from
        trained_on, judged_by: paths
        num_points: points that were sent forward and back on held-out videos
        before, after: scores on held-out videos
        verdict: whether it was kept, and why
        path: of the weights, None where nothing was kept
        steps, clips: of training
        batches: teacher -> batches it labelled
        skips: clips that were not used
        failures: held-out videos that could not be judged by -> why
    """

    name: str
    lineage: Lineage
    trained_on: list[str] = field(default_factory=list)
    judged_by: list[str] = field(default_factory=list)
    num_points: int = 0
    before: HeldOutScores | None = None
    after: HeldOutScores | None = None
    verdict: Verdict | None = None
    path: Path | None = None
    steps: int = 0
    clips: int = 0
    batches: dict[str, int] = field(default_factory=dict)
    skips: Skips = field(default_factory=Skips)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        return self.path is not None


def adapt(
    videos: Sequence[str],
    name: str,
    options: AdaptationOptions,
    student: Tracker,
    teachers: Sequence[Tracker],
    *,
    progress: ProgressReport | None = None,
    cancelled: CancelCheck | None = None,
) -> Adaptation:
    """Trains a tracker further on videos, and stores it under a name if it is better.

    Args:
        videos: paths
        name: of the new tracker
        options: how
        student: a loaded CoTracker3, left as it is
        teachers: that label clips; the student itself may be one of them
        progress: called with the share done, and what is being done
        cancelled: asked often; True ends the run, and nothing is left of it

    Returns:
        what became of it; `path` is None where it was not better

    Raises:
        OptionError: for a bad name, student or option
        TooFewVideosError: if there are not enough videos to hold some out
        AdaptationError: if too many clips in a row cannot be used
        TrainingDivergedError: if the gradients are no numbers
        OutputError: if the weights cannot be written
        Cancelled: if the run was cancelled
    """
    check_new_name(name, overwrite=options.overwrite)
    check_student(student)
    check_adapted_dir()  # half an hour later would be too late
    assert isinstance(student, ModelTracker)
    return _Run(videos, name, options, student, teachers, progress or _ignore, cancelled).run()


def check_student(student: Tracker) -> None:
    """Refuses trackers that cannot be trained further.

    Raises:
        OptionError: saying which can
    """
    if not isinstance(student, ModelTracker) or not isinstance(student.model, CoTracker3):
        raise OptionError(
            f"The tracker {student.name!r} cannot be adapted. Supported are those of CoTracker3's form, "
            "e.g. 'pt-small' or 'cotracker3-offline'"
        )
    if student.options["dtype"] == "bfloat16":
        raise OptionError("A tracker loaded in bfloat16 cannot be adapted. Load it with dtype='float32'")


def terms_of(tracker: Tracker) -> WeightsTerms:
    """The terms of a loaded tracker's weights; what is not known allows no commercial use."""
    name, checkpoint = tracker.name, tracker.options.get("checkpoint")
    try:
        info = tracker_info(name)
    except OptionError:
        return WeightsTerms(name, UNKNOWN_LICENSE, False)
    if checkpoint is None or not info.commercial_use:
        return WeightsTerms(name, info.weights_license, bool(info.commercial_use))
    metadata = read_metadata(Path(checkpoint))
    if LINEAGE_KEY in metadata:
        try:
            made_from = Lineage.from_json(metadata[LINEAGE_KEY])
        except (ValueError, KeyError, TypeError):
            return WeightsTerms(name, UNKNOWN_LICENSE, False)
        return WeightsTerms(name, made_from.license, made_from.commercial_use)
    found = metadata.get("license", UNKNOWN_LICENSE)
    return WeightsTerms(name, found, found in _PERMISSIVE)


class _Run:
    """One adaptation from start to end."""

    def __init__(
        self,
        videos: Sequence[str],
        name: str,
        options: AdaptationOptions,
        student: ModelTracker,
        teachers: Sequence[Tracker],
        progress: ProgressReport,
        cancelled: CancelCheck | None,
    ) -> None:
        if not teachers:
            raise OptionError("There is no teacher. Name one, or let the student's own start be one")
        self._options = options
        self._student = student
        self._teachers = list(teachers)
        self._progress = progress
        self._cancelled = cancelled
        found = find_adapted(student.name)
        lineage = Lineage(
            terms_of(student),
            tuple(dict.fromkeys(terms_of(teacher) for teacher in teachers)),
            student.name if found is None else found.family,
        )
        trained_on, judged_by = split_videos(videos, options.held_out, options.seed)
        self._result = Adaptation(name, lineage, trained_on, judged_by)

    def run(self) -> Adaptation:
        result, (start, end) = self._result, _TRAIN_SHARE
        held_out = HeldOutVideos(
            result.judged_by,
            self._student,
            load_tracker("optical-flow"),
            progress=lambda share: self._report(start * share, "Before training: tracking the held-out videos"),
            cancelled=self._cancelled,
        )
        result.before, result.num_points = held_out.before.scores, len(held_out.before.points)
        result.failures = held_out.failures
        model = self._train()
        if not all(torch.isfinite(value).all() for value in model.state_dict().values()):
            raise AdaptationError("The weights are no numbers after training. Use a lower learning rate")
        adapted = self._student.with_model(model)
        judged = held_out.score(
            adapted, lambda share: self._report(end + (1 - end) * share, "After training: tracking the held-out videos")
        )
        result.after, result.verdict = judged.scores, held_out.judge(judged)
        self._report(1.0, "Storing the result" if result.verdict.kept else "Done")
        if result.verdict.kept:
            result.path = save_adapted(result.name, model, self._lineage())
        return result

    def _train(self) -> CoTracker3:
        """The student's weights after training, in evaluation mode on the CPU or its device."""
        options, result = self._options, self._result
        start_model = self._student.model
        assert isinstance(start_model, CoTracker3)
        config, device = start_model.config, next(start_model.parameters()).device
        source = PseudoLabelSource(
            result.trained_on,
            self._teachers,
            frame_shape=_frame_shape(config),
            lengths=clip_lengths(config),
            rules=CutRules(frame_step=options.frame_step),
            seed=options.seed,
            max_skipped=_MAX_SKIPPED,
            on_batch=self._report_training,
        )
        forked = [device.index or 0] if device.type == "cuda" else []
        with (
            tempfile.TemporaryDirectory(prefix="point-tracking-adapt-") as folder,
            torch.random.fork_rng(devices=forked),
        ):
            run_options = RunOptions(
                Path(folder),
                **options.budget,
                precision="bfloat16" if device.type == "cuda" else "float32",
                validate=False,
            )
            try:
                trainer = Trainer(
                    training_config(config, options),
                    run_options,
                    processes=Processes(0, 1, device),
                    source=source,
                    model=copy.deepcopy(start_model).requires_grad_(True),
                    report=logger.info,
                )
                trainer.run()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise AdaptationError(
                    f"The memory of {device} is too small for {options.batch} clips of {options.points} points. "
                    "Lower batch or points, or choose another device"
                ) from error
        result.steps, result.clips, result.skips = trainer.progress.step, trainer.progress.clips, source.skips
        for i, teacher in enumerate(self._teachers):
            result.batches[teacher.name] = result.batches.get(teacher.name, 0) + source.batches_of[i]
        return (trainer.ema if options.ema else trainer.model).eval()

    def _lineage(self) -> Lineage:
        result, options = self._result, self._options
        assert result.before is not None
        assert result.after is not None
        facts = {
            "steps": result.steps,
            "clips": result.clips,
            "videos_trained_on": len(result.trained_on),
            "videos_held_out": len(result.judged_by),
            "seed": options.seed,
            "learning_rate": options.learning_rate,
            "before": result.before.to_dict(),
            "after": result.after.to_dict(),
        }
        return Lineage(result.lineage.start, result.lineage.teachers, result.lineage.family, facts)

    def _report_training(self, share: float) -> None:
        start, end = _TRAIN_SHARE
        self._report(start + (end - start) * min(share, 1.0), "Training")

    def _report(self, share: float, text: str) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("The adaptation was cancelled")
        self._progress(share, text)


def training_config(config: CoTrackerConfig, options: AdaptationOptions) -> TrainingConfig:
    """What the trainer is told: one stage, the head frozen, the rate falling from the start."""
    stage = TrainingStage(
        "adapt",
        "tracks",
        share=1.0,
        learning_rate=options.learning_rate,
        final_rate=0.0,
        warmup=0.0,
        batch=options.batch,
        frames=config.window,
        size=config.resolution,
        points=options.points,
        iterations=min(config.iterations, _MAX_ITERATIONS),
        frozen=FROZEN,
    )
    return TrainingConfig("adapt", config, (stage,), seed=options.seed, max_skipped=_MAX_SKIPPED, validation_clips=0)


def clip_lengths(config: CoTrackerConfig) -> list[int]:
    """Numbers of frames of training clips: windows that overlap by half, or the one that sees the whole clip."""
    if config.mode == "offline":
        return [config.window]
    return [config.window + k * config.step for k in range(1, _HALF_WINDOWS + 1)]


def training_device(device: str) -> str:
    """Reads the device option.

    Args:
        device: "auto" (cuda, else cpu), or a torch device that is there

    Raises:
        OptionError: if there is no such device
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return str(choose_device(device))


def _frame_shape(config: CoTrackerConfig) -> FrameShape:
    """Clips have the shape that the model would give a video."""
    if config.motion_resolution is None:
        return lambda size_px: config.resolution
    from ...models.pt_small.tracker import fitting_resolution

    return lambda size_px: fitting_resolution(config, size_px)


def _ignore(share: float, text: str) -> None:
    """Where nobody asks how far the run is."""
