"""Taking back what a run drew: its files, as long as nobody changed them, and their paths in the media field."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import fiftyone as fo

from ...store.database.connection import changing_document
from ...store.runs.outcomes import DONE, count_of
from ...store.runs.records import known_runs, record_of, run_keys
from ...tracker.errors import OptionError
from ..lifecycle.kinds import TakeBack, TakenBack, load_report
from ..lifecycle.run import check_over, run_environment
from .options import RenderOptions
from .report import RenderOutcome, RenderReport
from .shown_paths import forget_paths

_MIB = 2**20


class _Found(Enum):
    GONE = "gone"
    OWN = "own"
    CHANGED = "changed since"


def plan_deletion(dataset: fo.Dataset, run_key: str) -> TakenBack:
    """What `delete_files` would delete; only looks.

    Args:
        dataset: that keeps the run
        run_key: of its record

    Returns:
        the files that are as the run left them, in words, and those that were changed

    Raises:
        OptionError: if there is no rendering run of that key
    """
    report = _report(dataset, run_key)
    return _told(report, _look_at_all(report), {})


def delete_files(dataset: fo.Dataset, run_key: str) -> TakenBack:
    """Deletes the files that a run drew, their paths in its media field, and its record.

    A file that somebody changed since, or that another run drew anew, is kept and named, and so is a file that the
    run found and left alone. The media field goes too, once it is empty. A process that dies in the middle leaves
    files that are whole or gone, and the record: the same call again does the rest.

    Args:
        dataset: that keeps the run
        run_key: of its record

    Returns:
        what was deleted, and which files were kept

    Raises:
        OptionError: if there is no rendering run of that key, or it is still at work
        DatabaseError: if the database stays away, or lets this user only read
    """
    _report(dataset, run_key)
    with run_environment(dataset):
        check_over(dataset, run_key, "its files")
        report = _report(dataset, run_key)
        found = _look_at_all(report)
        own = [str(outcome.output_path) for outcome, state in found if state is _Found.OWN]
        refused = {path: reason for path in own if (reason := _delete(path)) is not None}
        if report.media_field is not None:
            forget_paths(dataset, report.media_field, set(_paths_to_forget(dataset, report)))
        if not refused:  # else the record still says which files are the run's
            with changing_document:
                dataset.delete_run(run_key)
    return _told(report, found, refused)


def _report(dataset: fo.Dataset, run_key: str) -> RenderReport:
    if run_key not in known_runs(dataset) or record_of(dataset, run_key)["method"] != RenderOptions.METHOD:
        raise OptionError(f"There is no run {run_key!r} that drew trails in this dataset")
    report: Any = load_report(dataset, run_key)
    return report


def _look_at_all(report: RenderReport) -> list[tuple[RenderOutcome, _Found]]:
    """The files that the run wrote, and what became of each."""
    return [(outcome, _look_at(outcome)) for outcome in report.outcomes_with(DONE) if outcome.output_path]


def _look_at(outcome: RenderOutcome) -> _Found:
    """Whether the file is still the one that the run wrote: of its size, and not written since."""
    try:
        there = os.lstat(str(outcome.output_path))
    except (FileNotFoundError, NotADirectoryError):
        return _Found.GONE
    except OSError:  # not to be looked at, so nothing is known of it
        return _Found.CHANGED
    same = (there.st_size, there.st_mtime_ns) == (outcome.size_bytes, outcome.modified_ns)
    return _Found.OWN if same and stat.S_ISREG(there.st_mode) else _Found.CHANGED


def _delete(path: str) -> str | None:
    """Deletes a file; returns why that does not work, None where it does."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror or str(error)
    return None


def _paths_to_forget(dataset: fo.Dataset, report: RenderReport) -> Iterator[tuple[str, str]]:
    """The paths that the run stored, but for those of files that are there and that another run shows as well."""
    others = set(_shown_by_others(dataset, report))
    for outcome in report.outcomes:
        path = outcome.output_path
        if path and not ((outcome.sample_id, path) in others and os.path.lexists(path)):
            yield outcome.sample_id, path


def _shown_by_others(dataset: fo.Dataset, report: RenderReport) -> Iterator[tuple[str, str]]:
    for key in run_keys(dataset, RenderOptions.METHOD):
        if key != report.run_key and record_of(dataset, key).get("media_field") == report.media_field:
            outcomes = _report(dataset, key).outcomes
            yield from ((outcome.sample_id, outcome.output_path) for outcome in outcomes if outcome.output_path)


def _told(report: RenderReport, found: list[tuple[RenderOutcome, _Found]], refused: Mapping[str, str]) -> TakenBack:
    """What is deleted and what is kept, in words.

    Args:
        report: of the run
        found: the files of the run
        refused: of these, those that could not be deleted, by path, with the reason
    """
    deleted = [one for one, state in found if state is _Found.OWN and one.output_path not in refused]
    size_mib = sum(outcome.size_bytes for outcome in deleted) / _MIB
    changed = [f"{outcome.output_path} was changed since" for outcome, state in found if state is _Found.CHANGED]
    locked = [f"{path} could not be deleted ({reason})" for path, reason in refused.items()]
    paths = "" if report.media_field is None else f" and the paths in {report.media_field!r}"
    return TakenBack(f"{count_of(len(deleted), 'file')} ({size_mib:.1f} MiB){paths}", (*changed, *locked))


TAKE_BACK = TakeBack("files", plan=plan_deletion, delete=delete_files)
