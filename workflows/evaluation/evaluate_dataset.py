"""Evaluation: the tracks of every sample of a dataset or view are judged, and the scores stored with it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import changing_document, retried
from ...store.database.fields import OWNER_KEY, owner_of
from ...store.labels.known_tracks import check_keypoints_field
from ...store.labels.masks import check_mask_field
from ...store.tracks.sample_status import read_marks
from ...store.tracks.videos import check_collection
from ...tracker.errors import FieldError
from ...tracker.metrics.truth import QueryMode
from ...tracker.models.base import CancelCheck, Tracker
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..lifecycle.run import attempt_each, open_run, run_environment
from .figures import FIGURES, field_of
from .judge_sample import SampleJudge
from .options import EVALUATION_DEFAULTS, EvaluationOptions
from .report import EvaluationReport


def evaluate_dataset(
    samples: SampleCollection,
    label_field: str = EVALUATION_DEFAULTS.label_field,
    gt_field: str | None = EVALUATION_DEFAULTS.gt_field,
    *,
    query_mode: QueryMode = EVALUATION_DEFAULTS.query_mode,
    match: str = EVALUATION_DEFAULTS.match,
    sparse: bool | None = EVALUATION_DEFAULTS.sparse,
    metrics: Sequence[str] = EVALUATION_DEFAULTS.metrics,
    mask_field: str | None = EVALUATION_DEFAULTS.mask_field,
    cycle: bool = EVALUATION_DEFAULTS.cycle,
    tracker: str | Tracker | None = EVALUATION_DEFAULTS.tracker,
    tracker_options: Mapping[str, Any] | None = EVALUATION_DEFAULTS.tracker_options,
    group_by: str | None = EVALUATION_DEFAULTS.group_by,
    eval_key: str | None = EVALUATION_DEFAULTS.eval_key,
    overwrite: bool = EVALUATION_DEFAULTS.overwrite,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> EvaluationReport:
    """Judges the tracks of every sample of a dataset or view.

    Scores are stored in the sample fields `<eval_key>_<figure>` (float; None where
    there is nothing to count), their means in the run record `<eval_key>`. A
    sample that cannot be judged is recorded as a failure, and the run goes on.

    Args:
        samples: a video dataset or view; a view that filters labels or frames chooses the
            known tracks and masks that count, never which tracks are judged
        label_field: the frame field with tracks, without "frames."
        gt_field: the frame field with known tracks: Keypoints with an index or an
            instance, in either layout; None to judge by masks or cycles alone
        query_mode: "first": a point is asked for where it is visible first (or where the
            sample field `<gt_field>_query_frames` says), and later frames count;
            "strided": in every 5th frame in which it is visible, and all others count
        match: which track answers which truth: "index", "place" (the nearest one in
            the query frame) or "auto" (by index where that fits, otherwise by place)
        sparse: whether a frame without a keypoint of a known point is unlabelled
            (left out) and not hidden; None = as the sample field `<gt_field>_sparse`
            says, or False
        metrics: any of "tap_vid", "dynamic_replica", "point_odyssey"
        mask_field: frame field with an object's masks; points that start on it are
            to stay on it
        cycle: track the points back from where they were seen last and measure how
            near their start they end: needs no truth, takes as long as tracking
        tracker: that goes back; None = the one that made the tracks, with its options
        tracker_options: what `load_tracker` takes for that name
        group_by: sample field by whose values totals are grouped; None = one total
        eval_key: name of the run record and of the fields; chosen where not given
        overwrite: replace the evaluation of that name, with all its scores: samples that
            are not judged anew have none then
        progress: None as FiftyOne is configured, True or False, or a function
            that takes a `Progress`
        cancelled: asked between samples, and between chunks of tracking; True ends the run

    Returns:
        the report; `print(report)` shows the totals, `report.failures` what could not be judged

    Raises:
        CollectionError: if the collection holds no videos
        OptionError: for an option outside what is supported, or nothing to evaluate against
        UnknownTrackerError: for an unknown tracker
        FieldError: for fields that do not exist or hold something else, or score fields
            that are somebody else's
    """
    options = EvaluationOptions.picked_from(locals())
    return run_evaluation(samples, options, progress=progress, cancelled=cancelled)


def run_evaluation(
    samples: SampleCollection,
    options: EvaluationOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> EvaluationReport:
    """Does what `evaluate_dataset` says, for options that are checked already.

    Args:
        samples: a video dataset or view
        options: what the run is told
        progress, cancelled: as for `evaluate_dataset`

    Returns:
        the report

    Raises:
        the same errors as `evaluate_dataset`
    """
    started = time.monotonic()
    check_collection(samples)
    options.check_purpose()
    dataset = samples._dataset
    check_evaluation_fields(dataset, options)
    report = EvaluationReport(
        label_field=options.label_field,
        gt_field=options.gt_field,
        query_mode=options.query_mode,
        group_by=options.group_by,
    )
    reporter = ProgressReporter(progress, len(samples))  # refuses bad ones before anything is replaced
    with run_environment(dataset):
        ids, paths = samples.values(["id", "filepath"])
        if not ids:
            return report
        with open_run(
            dataset,
            options,
            report,
            num_targets=len(ids),
            prepare=lambda key: declare_scores(dataset, key, options),
            started=started,
        ) as run:
            report.fields = options.fields(run.key)
            judge = SampleJudge(samples, options, run.key, read_marks(dataset, ids, options.label_field), cancelled)
            targets = list(zip(ids, paths, strict=True))
            attempt_each(
                run, report, reporter, targets, lambda sample_id, path: judge.attempt(sample_id, path, reporter)
            )
    return report


def check_evaluation_fields(dataset: fo.Dataset, options: EvaluationOptions) -> None:
    """Refuses fields that do not exist or hold something else.

    Args:
        dataset: the dataset
        options: what the run is told

    Raises:
        FieldError: saying what was found
    """
    for name, role in ((options.label_field, "tracks"), (options.gt_field, "known tracks")):
        if name is not None:
            check_keypoints_field(dataset, name, role)
    if options.mask_field is not None:
        check_mask_field(dataset, options.mask_field)
    if options.group_by is not None and options.group_by not in dataset.get_field_schema(flat=True):
        raise FieldError(f"There is no sample field {options.group_by!r} to group totals by. Check the name")


@retried
def declare_scores(dataset: fo.Dataset, eval_key: str, options: EvaluationOptions) -> None:
    """Declares the score fields, and never takes over one that is somebody else's.

    Scores that an earlier evaluation left under this key go: what is not judged anew is not known.
    """
    with changing_document:
        _declare_scores(dataset, eval_key, options)


def _declare_scores(dataset: fo.Dataset, eval_key: str, options: EvaluationOptions) -> None:
    schema = dataset.get_field_schema(flat=False)
    names = {figure: field_of(eval_key, figure.name) for figure in FIGURES}
    owners = {name: owner_of(schema[name]) for name in names.values() if name in schema}
    wanted = {names[figure] for figure in options.figures}
    for name in wanted & set(owners):
        owner = owners[name]
        if owner is None:
            raise FieldError(f"The sample field {name!r} exists and is no score. Choose another evaluation key")
        if owner.get("eval_key") != eval_key:
            raise FieldError(
                f"The sample field {name!r} belongs to the evaluation {owner.get('eval_key')!r}. "
                "Choose another evaluation key"
            )
    earlier = {name for name, owner in owners.items() if owner is not None and owner.get("eval_key") == eval_key}
    if earlier - wanted:
        dataset.delete_sample_fields(sorted(earlier - wanted))
    if earlier & wanted:
        dataset.clear_sample_fields(sorted(earlier & wanted))
    for figure in options.figures:
        if names[figure] not in earlier:
            dataset.add_sample_field(
                names[figure], fo.FloatField, description=figure.meaning, info={OWNER_KEY: {"eval_key": eval_key}}
            )
