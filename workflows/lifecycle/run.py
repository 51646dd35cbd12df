"""The life of a run, the same for every workflow.

    with run_environment(dataset):                      # recovery, SIGTERM, words for refusals
        targets = ...                                   # what is to be done
        with open_run(dataset, options, report, num_targets=len(targets)) as run:
            ...                                         # the work; run.owner, run.journal
    return report                                       # stored, however the run ended

The key is chosen under a lock, so that no two runs share one. The record is on the
server's disk before the work begins. The owner shows others that the run is alive;
once it is dead, the next run on the dataset ends it from what its journal says.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import fiftyone as fo

from ...store.database.connection import LAST_PATIENCE_S, dataset_id_of, with_retries, write_permission
from ...store.database.journal import Journal
from ...store.database.liveness import Owner, Watch, owners_of
from ...store.database.locks import lock
from ...store.runs.outcomes import NOT_RUN, SampleOutcome
from ...store.runs.records import RunKeyTakenError, free_key, register_run, save_report, versions
from ...tracker.errors import Cancelled, DatabaseError, OptionError
from ...version import __version__
from .options import RunOptions
from .progress import ProgressReporter
from .recovery import recover
from .report import Report, SampleReport
from .shutdown import orderly_termination

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """A run under way.

    Args:
        key: of its record
        owner: who others see at work
        journal: takes outcomes as they come, for the case that the run never ends
    """

    key: str
    owner: Owner
    journal: Journal


@contextmanager
def run_environment(dataset: fo.Dataset) -> Iterator[None]:
    """What surrounds every run: dead runs are ended first, SIGTERM ends the block in order, refusals are told in words.

    Args:
        dataset: that is written to

    Raises:
        DatabaseError: if the database stays away, or lets this user only read
    """
    with write_permission(), orderly_termination():
        recover(dataset)
        yield


def choose_key(dataset: fo.Dataset, options: RunOptions) -> str:
    """The key of the run to come.

    Args:
        dataset: that keeps the run
        options: of the run; a key given there is used as it is

    Returns:
        the key; where none was given, the first free of `base_key`, `base_key`_2, ...

    Raises:
        OptionError: if the given key belongs to a run that this one must not replace
    """
    try:
        return free_key(
            dataset,
            options.given_key,
            options.base_key,
            replaceable=options.METHOD if options.may_replace else None,
        )
    except RunKeyTakenError as error:
        remedy = " or delete that run"
        if error.method == options.METHOD:
            remedy = f", delete that run, or use {options.AGAIN} to run it again"
        raise OptionError(f"{error}. Choose another {options.KEY_NOUN}{remedy}") from error


@contextmanager
def open_run(
    dataset: fo.Dataset,
    options: RunOptions,
    report: Report,
    *,
    num_targets: int,
    prepare: Callable[[str], Any] | None = None,
    started: float | None = None,
) -> Iterator[Run]:
    """Records a run before its work and stores its report after it, however the work ends.

    Args:
        dataset: that keeps the run
        options: what the run is told
        report: gets its key, the number of targets and the seconds; what else it says is the block's to fill in
        num_targets: samples the run is going to look at
        prepare: called with the key, under the lock and before the run is recorded
        started: `time.monotonic()` from which its seconds count; None = now

    Raises:
        OptionError: if the given key is taken
        DatabaseError: if the database stays away
    """
    started = time.monotonic() if started is None else started
    with Owner(dataset, None, version=__version__) as owner:
        with lock(owner, "runs"):
            key = choose_key(dataset, options)
            if prepare is not None:
                prepare(key)
            record = {**options.to_record(), "num_targets": num_targets, "versions": versions()}
            register_run(dataset, key, options.METHOD, record)
            owner.name_run(key)
        report.run_key, report.num_targets = key, num_targets
        patience_s = None
        try:
            yield Run(key, owner, Journal(owner, key))
        except BaseException:
            # what ended the run stays the error to see, and is not held up by a database that is gone
            patience_s = LAST_PATIENCE_S
            raise
        finally:
            report.seconds = time.monotonic() - started
            report.cancelled = report.cancelled or report.num_not_run > 0
            _save(dataset, key, report, patience_s)


def is_at_work(dataset: fo.Dataset, run_key: str) -> bool:
    """Whether a process is still at a run.

    Args:
        dataset: that keeps the run
        run_key: of its record
    """
    watch = Watch()
    owners = [owner for owner in owners_of(dataset_id_of(dataset)) if owner.get("run_key") == run_key]
    return any(not watch.is_dead(owner["_id"]) for owner in owners)


def check_over(dataset: fo.Dataset, run_key: str, made: str) -> None:
    """Refuses to delete what a run made while it is still making it.

    Args:
        dataset: that keeps the run
        run_key: of its record
        made: what it made, in words, such as "its tracks"

    Raises:
        OptionError: saying to wait for its end
    """
    if is_at_work(dataset, run_key):
        raise OptionError(f"The run {run_key!r} is still at work. Cancel it, or wait for its end, then delete {made}")


def attempt_each(
    run: Run,
    report: SampleReport[Any],
    reporter: ProgressReporter,
    samples: Sequence[tuple[str, str]],
    attempt: Callable[[str, str], SampleOutcome],
) -> None:
    """Works on sample after sample, with its outcome on disk before the next one; those not reached are told too.

    Args:
        run: under way
        report: gets the outcomes
        reporter: told of each
        samples: (id, path of its media)
        attempt: called with both; whatever is wrong with the sample is in what it returns, an outage of the database
            is raised and waited for
    """
    try:
        with reporter:
            for sample_id, path in samples:
                outcome = with_retries(partial(attempt, sample_id, path), attempt_s=None)
                report.outcomes.append(outcome)
                run.journal.add(asdict(outcome))
                reporter.finished(f"{path}: {outcome.status}")
    except Cancelled:
        report.cancelled = True
    finally:
        rest = samples[len(report.outcomes) :]
        report.outcomes.extend(report.OUTCOME(sample_id, path, NOT_RUN) for sample_id, path in rest)


def _save(dataset: fo.Dataset, key: str, report: Report, patience_s: float | None) -> None:
    try:
        save_report(dataset, key, report.to_dict(), patience_s=patience_s)
    except DatabaseError:
        if patience_s is None:
            raise
        # the next run makes a report from the journal
        logger.exception("The report of the run %r could not be stored", key)
