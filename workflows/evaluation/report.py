"""What an evaluation found, sample by sample, in totals, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...store.runs.outcomes import DONE, SampleOutcome, count_of, table_of
from ..lifecycle.report import SampleReport
from .figures import FIGURES, Figure, field_of

if TYPE_CHECKING:
    from typing_extensions import Self

# groups side by side; more of them are rows
_MAX_COLUMNS = 4


@dataclass(frozen=True)
class EvaluationOutcome(SampleOutcome):
    """What became of one sample; further fields: `SampleOutcome`.

    Args:
        status: "done", "failed" or "not run" (after a cancellation)
        group: the sample's value of the field that totals are grouped by
        figures: name -> value, None where there is nothing to count
        num_points: queries that were judged
        matched_by: "index", "instance", "place" or "query"; None without known tracks
    """

    group: str | None = None
    figures: dict[str, float | None] = field(default_factory=dict)
    num_points: int = 0
    matched_by: str | None = None


@dataclass(frozen=True)
class Totals:
    """Means over samples; each sample counts the same.

    Args:
        group: the value of the field that totals are grouped by; None for all samples
        num_samples: samples that were evaluated
        figures: name -> mean over the samples that know it, None where none does
    """

    group: str | None
    num_samples: int
    figures: dict[str, float | None]


@dataclass(kw_only=True)
class EvaluationReport(SampleReport[EvaluationOutcome]):
    """The result of `evaluate_dataset`; further fields: `SampleReport`. Its run key is the evaluation key.

    Args:
        label_field: the tracks that were judged
        gt_field: what they were judged by; None for masks or cycles only
        query_mode: "first" or "strided"
        group_by: the sample field that totals are grouped by
        fields: the sample fields that hold the figures, those without a value too
    """

    FROM_RECORD = ("label_field", "gt_field", "query_mode", "group_by")
    OUTCOME = EvaluationOutcome

    label_field: str
    gt_field: str | None = None
    query_mode: str = "first"
    group_by: str | None = None
    fields: list[str] = field(default_factory=list)

    @property
    def _done(self) -> list[EvaluationOutcome]:
        return self.outcomes_with(DONE)

    @property
    def num_samples(self) -> int:
        """Samples evaluated in this run."""
        return len(self._done)

    @property
    def figures(self) -> list[Figure]:
        """The figures that some sample has."""
        known = {name for outcome in self._done for name in outcome.figures}
        return [figure for figure in FIGURES if figure.name in known]

    @property
    def notes(self) -> list[str]:
        """What the figures of the table mean, and where each sample's own are."""
        totals = self.totals
        shown = [f for f in self.figures if f.in_table and any(t.figures[f.name] is not None for t in totals)]
        if not shown:
            return []
        return [
            f"Every sample has its own scores in the fields `{self.run_key}_...`: sort the grid by one of them to see "
            "the worst videos first.",
            "",
            "Shares are in %, px are pixels of a frame scaled to 256 x 256:",
            "",
            *[f"- **{figure.title}**: {figure.meaning}" for figure in shown],
        ]

    @property
    def totals(self) -> list[Totals]:
        """Means over all samples, or per group; empty where no sample was evaluated."""
        if self.group_by is None:
            return [self._totals(None, self._done)] if self._done else []
        groups = sorted({outcome.group for outcome in self._done}, key=lambda group: (group is None, group or ""))
        return [self._totals(group, [o for o in self._done if o.group == group]) for group in groups]

    def _totals(self, group: str | None, outcomes: Sequence[EvaluationOutcome]) -> Totals:
        means: dict[str, float | None] = {}
        for figure in self.figures:
            values = [outcome.figures.get(figure.name) for outcome in outcomes]
            known = [value for value in values if value is not None]
            means[figure.name] = float(np.mean(known)) if known else None
        return Totals(group, len(outcomes), means)

    def totals_table(self, *, all_figures: bool = False) -> str:
        """The totals as a markdown table: shares in percent, distances in pixels of 256 x 256.

        Args:
            all_figures: also those of single thresholds

        Returns:
            a row per figure that is known, or per group where there are many; empty without totals
        """
        totals = self.totals
        known = {name for total in totals for name, value in total.figures.items() if value is not None}
        shown = [f for f in self.figures if f.name in known and (f.in_table or all_figures)]
        if not totals or not shown:
            return ""
        rows = [
            [self.group_by or "", "samples", *(figure.title for figure in shown)],
            *([self._label(t), str(t.num_samples), *(f.text(t.figures[f.name]) for f in shown)] for t in totals),
        ]
        if len(totals) <= _MAX_COLUMNS:
            rows = [list(column) for column in zip(*rows, strict=True)]
        return _markdown(rows)

    def _label(self, totals: Totals) -> str:
        if self.group_by is None:
            return "all"
        return totals.group if totals.group is not None else f"(no {self.group_by})"

    def __str__(self) -> str:
        against = (
            f"against frames.{self.gt_field} (queried {self.query_mode})" if self.gt_field else "without known tracks"
        )
        parts = [
            f"Evaluated frames.{self.label_field} of {count_of(self.num_samples, 'sample')} {against} "
            f"in {self.seconds:.1f} s"
        ]
        if self.cancelled:
            parts.append(f"cancelled with {count_of(self.num_not_run, 'sample')} to go")
        if self.interrupted:
            parts.append("interrupted, or still running")
        if self.failures:
            parts.append(count_of(len(self.failures), "failure"))
        table = self.totals_table()
        return "; ".join(parts) + (f"\n\n{table}" if table else "")

    def table(self, *statuses: str) -> str:
        """The samples as a table in markdown; arguments as for `rows`."""
        names = [figure.name for figure in self.figures if figure.in_table]
        rows = [
            {**row, **{name: _three_digits(row["figures"].get(name)) for name in names}} for row in self.rows(*statuses)
        ]
        return table_of(rows, ("status", "filepath", *names, "num_points", "matched_by", "kind", "message"))

    def to_dict(self) -> dict[str, Any]:
        """As of `Report`, with the totals."""
        return {**super().to_dict(), "totals": [asdict(totals) for totals in self.totals]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        report = super().from_dict(values)
        if "fields" not in values and report.run_key:  # of an earlier version
            report.fields = [field_of(report.run_key, figure.name) for figure in report.figures]
        return report


def _three_digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    rows = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (
            cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "|" + "|".join("-" * (w + 2) if k == 0 else "-" * (w + 1) + ":" for k, w in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule, *(line(row) for row in rows[1:])])
