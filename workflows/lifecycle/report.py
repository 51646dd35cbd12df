"""What every run reports: the base of the reports of all workflows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import fiftyone as fo

from ...store.database.connection import dataset_id_of
from ...store.database.journal import journaled
from ...store.runs.outcomes import FAILED, NOT_RUN, Failure, SampleOutcome, table_of
from ...store.runs.records import record_of

if TYPE_CHECKING:
    from typing_extensions import Self


O = TypeVar("O", bound=SampleOutcome)  # noqa: E741 - an outcome


@dataclass(kw_only=True)
class Report:
    """What became of a run; subclasses say what it was about.

    Args:
        run_key: the run record, None where nothing was run
        seconds: of the whole run
        cancelled: whether it was ended early
        interrupted: whether its process died, or is still at it
        num_targets: samples it set out to look at
    """

    # fields of a report that its run record knows from the start
    FROM_RECORD: ClassVar[tuple[str, ...]] = ()

    run_key: str | None = None
    seconds: float = 0.0
    cancelled: bool = False
    interrupted: bool = False
    num_targets: int = 0

    @property
    def num_not_run(self) -> int:
        """Samples the run did not get to; 0 where it works on all at once."""
        return 0

    @property
    def notes(self) -> list[str]:
        """How to read its text: lines in markdown, to be shown below it."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-serialisable values, for the run record and the App."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`, also for reports that earlier versions stored."""
        known = {spec.name for spec in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    @classmethod
    def unfinished(cls, dataset: fo.Dataset, run_key: str) -> Self:
        """What is known of a run that did not store its report: from its record and its journal.

        Args:
            dataset: of the run
            run_key: of its record
        """
        record = record_of(dataset, run_key)
        outcomes, seconds = journaled(dataset_id_of(dataset), run_key)
        told = {name: record.get(name) for name in (*cls.FROM_RECORD, "num_targets")}
        values = {**told, "run_key": run_key, "seconds": seconds, "interrupted": True, "outcomes": outcomes}
        return cls.from_dict(values)


@dataclass(kw_only=True)
class SampleReport(Report, Generic[O]):
    """A report with an outcome for each sample.

    Args:
        outcomes: one per sample, in the order of the run
    """

    OUTCOME: ClassVar[type[Any]]
    COLUMNS: ClassVar[tuple[str, ...]]

    outcomes: list[O] = field(default_factory=list)

    def outcomes_with(self, *statuses: str) -> list[O]:
        """The outcomes with one of some statuses; all where none is given."""
        return [outcome for outcome in self.outcomes if not statuses or outcome.status in statuses]

    def total(self, name: str) -> int:
        """The sum of one of the numbers of all outcomes."""
        return sum(getattr(outcome, name) for outcome in self.outcomes)

    @property
    def failures(self) -> list[Failure]:
        """The samples that failed, with the reason."""
        failed = self.outcomes_with(FAILED)
        return [Failure(o.sample_id, o.filepath, o.kind or "", o.message or "") for o in failed]

    @property
    def num_not_run(self) -> int:
        """Samples the run did not get to."""
        return max(self.num_targets - len(self.outcomes), 0) + len(self.outcomes_with(NOT_RUN))

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """(filepath, what the user should know) of all samples."""
        return [(outcome.filepath, warning) for outcome in self.outcomes for warning in outcome.warnings]

    def rows(self, *statuses: str) -> list[dict[str, Any]]:
        """One dictionary per sample.

        Args:
            statuses: only samples with one of these; all where none is given
        """
        return [asdict(outcome) for outcome in self.outcomes_with(*statuses)]

    def table(self, *statuses: str) -> str:
        """The samples as a table in markdown; arguments as for `rows`."""
        return table_of(self.rows(*statuses), self.COLUMNS)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        outcomes = [cls.OUTCOME(**{**o, "warnings": tuple(o.get("warnings", ()))}) for o in values["outcomes"]]
        return super().from_dict({**values, "outcomes": outcomes})
