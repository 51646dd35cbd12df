"""The operator that shows exactly the samples that failed in a run, or had another outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ...store.runs.outcomes import FAILED, count_of
from ...store.tracks.videos import select_videos
from ...tracker.errors import OptionError
from ..shared.background import bullets, errors_shown, show_text
from ..shared.forms import show_error

URI = "@fo-video/point-tracking/show_run_samples"

STATUSES = {
    "failed": "Failed",
    "done": "Done",
    "skipped": "Left alone: finished before, or by another run",
    "reused": "Reused: an earlier copy fitted",
    "no prompt": "Without a prompt: nothing to track was given for them",
    "not run": "Not run: the run was ended before",
}
_ROWS_SHOWN = 200


class ShowRunSamples(foo.Operator):
    """Sets the view to the samples of a run that had one outcome, and lists them with the reason."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="show_run_samples",
            label="Show samples of a run",
            description="Show exactly the samples that failed (or were done, or skipped) in a tracking, preprocessing "
            "or evaluation run, and why",
            icon="fact_check",
            dynamic=True,
            execute_as_generator=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        inputs = types.Object()
        keys = _keys(ctx)
        if not keys:
            error = OptionError(
                "Track points, preprocess videos or evaluate tracks first. Runs that made copies, or wrote the tracks "
                "of copies onto their source videos, are in the dataset of the sources"
            )
            view = types.Error(label="There is no point tracking run in this dataset yet", description=str(error))
            show_error(inputs.view("no_runs", view), error)
        else:
            runs = types.DropdownView()
            for key in keys:
                runs.add_choice(key, label=f"{key} ({_kind_of(ctx, key)})")
            inputs.enum(
                "run_key", keys, default=keys[0], required=True, label="Run", description="Latest first", view=runs
            )
            _add_statuses(ctx, inputs, ctx.params.get("run_key") or keys[0])
        return types.Property(inputs, view=types.View(label="Show samples of a run"))

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.lifecycle.kinds import load_report

        report: Any = load_report(ctx.dataset, ctx.params["run_key"])
        status = ctx.params.get("status") or "failed"
        if status not in STATUSES:
            raise OptionError(f"Invalid status ({status!r}). Supported values are {', '.join(STATUSES)}")
        ids = _sample_ids(report, status)
        yield ctx.ops.set_view(view=select_videos(ctx.dataset, ids))
        yield show_text(ctx, "Show samples of a run", "\n".join(_told(report, status, len(ids))))

    def __call__(self, sample_collection: Any, run_key: str, *, status: str = "failed") -> Any:
        """The samples of a run that had an outcome.

        Args:
            sample_collection: a dataset or view
            run_key: of the record of the run
            status: "failed", "done", "skipped", "reused" or "not run"

        Returns:
            a view

        Raises:
            OptionError: if there is no such run
        """
        from ...workflows.lifecycle.kinds import load_report

        report: Any = load_report(sample_collection._dataset, run_key)
        return sample_collection.select(_sample_ids(report, status))


def _sample_ids(report: Any, status: str) -> list[str]:
    """The samples of this dataset: where preprocessed copies were tracked and written back, their sources."""
    return [row.get("destination_id") or row["sample_id"] for row in report.rows(status)]


def _keys(ctx: Any) -> list[str]:
    from ...store.runs.records import run_keys
    from ...workflows.lifecycle.kinds import KINDS

    methods = [method for method, kind in KINDS.items() if kind.by_sample]
    return run_keys(ctx.dataset, *methods) if ctx.dataset is not None else []


def _kind_of(ctx: Any, run_key: str) -> str:
    from ...store.runs.records import record_of
    from ...workflows.lifecycle.kinds import KINDS

    return KINDS[record_of(ctx.dataset, run_key)["method"]].noun


def _add_statuses(ctx: Any, inputs: types.Object, run_key: str) -> None:
    """Offers the outcomes that the run has, with their numbers."""
    from ...workflows.lifecycle.kinds import load_report

    report: Any = load_report(ctx.dataset, run_key)
    counts = {status: len(report.rows(status)) for status in STATUSES}
    choices = types.RadioGroup()
    for status, label in STATUSES.items():
        if counts[status] or status == FAILED:
            choices.add_choice(status, label=f"{label} ({counts[status]:,})")
    prop = inputs.enum("status", choices.values(), default=FAILED, required=True, label="Samples to show", view=choices)
    if not counts.get(ctx.params.get("status") or FAILED):
        others = " Choose another outcome" if any(counts.values()) else ""
        prop.invalid = True
        prop.error_message = f"No sample of this run has this outcome.{others}"
    inputs.view("summary", types.Notice(label=str(report).split("\n", 1)[0]))  # without tables


def _told(report: Any, status: str, count: int) -> list[str]:
    """The samples with their reasons as lines in markdown."""
    head = f"**{STATUSES[status]}: {count_of(count, 'sample')}**, shown in the grid now"
    lines = [f"{head}; clear the view bar above it to see all again.", "", str(report).split("\n", 1)[0], ""]
    rows = report.rows(status)
    if any(row["message"] for row in rows):
        shown = bullets([(row["filepath"], row["message"] or "") for row in rows[:_ROWS_SHOWN]])
    else:
        shown = report.table(status).splitlines()[: _ROWS_SHOWN + 2]
    return [*lines, *shown, *([f"... and {count - _ROWS_SHOWN:,} more"] if count > _ROWS_SHOWN else [])]
