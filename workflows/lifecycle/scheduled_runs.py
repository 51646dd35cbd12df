"""Runs that were scheduled: FiftyOne keeps them in a queue, and a worker, another process, does them one by one.

FiftyOne knows no workers and cancels nothing: a run that is told to end is marked as failed, which
the run itself looks at from time to time, and ends in order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo

PLUGIN = "@fo-video/point-tracking/"
WORKER_COMMAND = "fiftyone delegated launch"

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
_STATES = {"scheduled": WAITING, "queued": WAITING, "running": RUNNING, "completed": DONE, "failed": FAILED}
_CANCELLED = "Cancelled in the App"
# runs that are over are shown as long as they are among so many of the latest
_NUM_OVER = 5
# how often a run asks whether it was told to end, and how long a look at the machine's processes is believed
_ASK_S = 2.0
_BELIEVED_S = 5.0
# a run at work that was not heard of for so long has most likely lost its worker
SILENT_S = 600.0
_KEY = re.compile(r"^\[(\w+)\] ")

_seen: tuple[float, bool] = (-_BELIEVED_S, False)


@dataclass(frozen=True)
class ScheduledRun:
    """A run in FiftyOne's queue.

    Args:
        id: of FiftyOne's operation
        title: of its operator
        state: "waiting", "running", "done", "failed" or "cancelled"
        share: done, from 0 to 1; None where not told
        text: what it told last
        run_key: of its record, once it has one
        error: why it failed, the last line
        silent_s: seconds since it was heard of last; since it was scheduled, where it waits
    """

    id: str
    title: str
    state: str
    share: float | None = None
    text: str = ""
    run_key: str | None = None
    error: str = ""
    silent_s: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.state not in (WAITING, RUNNING)


def scheduled_runs(dataset: fo.Dataset) -> list[ScheduledRun]:
    """The scheduled runs of this plugin on a dataset: those to come, at work, and the latest that are over.

    Args:
        dataset: the dataset

    Returns:
        latest first
    """
    operations = [
        operation
        for operation in _service().list_operations(dataset_id=dataset._doc.id)
        if operation.operator.startswith(PLUGIN) and operation.run_state in _STATES
    ]
    operations.sort(key=lambda operation: operation.updated_at or datetime.min, reverse=True)
    runs = [_scheduled_run(operation) for operation in operations]
    over = [run for run in runs if run.is_over][:_NUM_OVER]
    return [run for run in runs if not run.is_over or run in over]


def cancel_scheduled(run_id: str) -> None:
    """Takes a run out of the queue, or tells it to end: what it finished stays.

    Args:
        run_id: of a run that waits or is at work; nothing happens to others
    """
    from fiftyone.operators.executor import ExecutionResult

    operation = _find(run_id)
    if operation is None:
        return
    for state in ("scheduled", "queued", "running"):
        if _service().set_failed(operation.id, result=ExecutionResult(error=_CANCELLED), required_state=state):
            return


def forget_scheduled(run_id: str) -> None:
    """Removes a run that is over from the queue; its record and what it wrote stay."""
    operation = _find(run_id)
    if operation is not None:
        _service().delete_operation(operation.id)


def told_to_end(run_id: Any) -> Callable[[], bool]:
    """What a run at work asks between chunks of work: whether somebody marked it as failed.

    Args:
        run_id: of FiftyOne's operation, as FiftyOne has it

    Returns:
        a function without arguments, cheap to call often
    """
    asked, answer = -_ASK_S, False

    def is_told() -> bool:
        nonlocal asked, answer
        if not answer and time.monotonic() - asked >= _ASK_S:
            asked = time.monotonic()
            try:
                answer = _service().get(run_id).run_state == "failed"
            except ValueError:  # it was deleted
                answer = True
        return answer

    return is_told


def with_key(run_key: str | None, text: str) -> str:
    """What a scheduled run tells of itself, with the key of its record: FiftyOne keeps nothing else of it."""
    return f"[{run_key}] {text}" if run_key else text


def worker_is_seen() -> bool:
    """Whether a worker runs on this machine, or one elsewhere was heard of just now."""
    global _seen
    if time.monotonic() - _seen[0] >= _BELIEVED_S:
        _seen = (time.monotonic(), _has_process() or _hears_one())
    return _seen[1]


def _has_process() -> bool:
    import psutil

    words = WORKER_COMMAND.split()[1:]
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or ()
        if all(word in command for word in words) and any("fiftyone" in part for part in command):
            return True
    return False


def _hears_one() -> bool:
    running = _service().list_operations(run_state="running")
    return any(_seconds_since(operation.updated_at) < SILENT_S for operation in running)


def _scheduled_run(operation: Any) -> ScheduledRun:
    status, error = operation.status, getattr(operation.result, "error", None) or ""
    text = (status.label if status is not None else None) or ""
    key = _KEY.match(text)
    state = _STATES[operation.run_state]
    if state == FAILED and error == _CANCELLED:
        state, error = CANCELLED, ""
    return ScheduledRun(
        id=str(operation.id),
        title=operation.operator.removeprefix(PLUGIN).replace("_", " ").capitalize(),
        state=state,
        share=status.progress if status is not None else None,
        text=_KEY.sub("", text),
        run_key=key.group(1) if key else None,
        error=error.strip().rsplit("\n", 1)[-1],
        silent_s=_seconds_since(operation.queued_at if state == WAITING else operation.updated_at),
    )


def _seconds_since(moment: datetime | None) -> float:
    """Seconds since a time as FiftyOne stores it, in UTC."""
    if moment is None:
        return 0.0
    return (datetime.now(timezone.utc).replace(tzinfo=None) - moment).total_seconds()


def _find(run_id: str) -> Any:
    """FiftyOne's operation of a run, or None; it is asked for by another kind of id than the App knows."""
    operations = _service().list_operations(include_archived=True)
    return next((operation for operation in operations if str(operation.id) == run_id), None)


def _service() -> Any:
    from fiftyone.operators.delegated import DelegatedOperationService

    return DelegatedOperationService()
