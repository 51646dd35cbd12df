"""Long work of an operator in the App: in a thread, with progress, ended when the tab is closed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import fiftyone.operators.types as types

from ...tracker.errors import PointTrackingError

_POLL_S = 0.25
_STOP_TIMEOUT_S = 60.0
_ROWS_SHOWN = 50


def run_in_thread(ctx: Any, run: Callable[..., Any], samples: Any, options: Any) -> Iterator[Any]:
    """Yields progress while a run works in a thread; closing the App's tab cancels the run.

    Args:
        ctx: FiftyOne's execution context
        run: called with samples, options, progress= and cancelled=
        samples: a dataset or view
        options: what the run is told

    Returns:
        what `run` returns
    """
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()
    result: dict[str, Any] = {}

    def work() -> None:
        try:
            result["report"] = run(samples, options, progress=events.put, cancelled=stop.is_set)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            result["error"] = error

    thread = threading.Thread(target=work, name="point-tracking", daemon=True)
    thread.start()
    try:
        yield ctx.ops.set_progress(progress=0.0, label="Starting")
        while thread.is_alive():
            thread.join(_POLL_S)
            latest = None
            while not events.empty():
                latest = events.get()
            if latest is not None:
                yield ctx.ops.set_progress(progress=latest.progress, label=latest.label)
    finally:
        stop.set()
        thread.join(_STOP_TIMEOUT_S)
    if "error" in result:
        raise result["error"]
    return result["report"]


def errors_shown(execute: Callable[[Any, Any], Iterator[Any]]) -> Callable[[Any, Any], Iterator[Any]]:
    """Makes an `execute` that yields show its error in the App, which drops errors of generators without a word.

    Args:
        execute: of an operator

    Returns:
        the same, which shows what it raises before it is raised
    """

    @wraps(execute)
    def shown(operator: Any, ctx: Any) -> Iterator[Any]:
        try:
            yield from execute(operator, ctx)
        except Exception as error:
            if not ctx.delegated:  # a scheduled run stores its error
                text = str(error) if isinstance(error, PointTrackingError) else f"{type(error).__name__}: {error}"
                yield show_text(ctx, operator.config.label, f"**This did not work.** {text}")
            raise

    return shown


def show_text(ctx: Any, title: str, text: str) -> Any:
    """A message to the App that shows a text.

    Args:
        ctx: FiftyOne's execution context
        title: of the window
        text: in markdown
    """
    outputs = types.Object()
    outputs.str("summary", label="Result", view=types.MarkdownView())
    return ctx.ops.show_output(
        outputs=types.Property(outputs, view=types.View(label=title)).to_json(), results={"summary": text}
    )


def bullets(rows: Sequence[tuple[str, str]]) -> list[str]:
    """(path, text) of samples as a list in markdown."""
    return [f"- `{path}`: {text}" for path, text in rows]


def show_summary(
    ctx: Any, title: str, report: Any, *, failed: str, warned: str, notes: Sequence[str] = (), dataset: str = ""
) -> Iterator[Any]:
    """Tells the result of a run in words, with what failed and why.

    Args:
        ctx: FiftyOne's execution context
        title: of the window
        report: with `failures`, `warnings` and `run_key`; its text is the summary
        failed: heading above the failures
        warned: heading above the warnings
        notes: lines in markdown on how to read the report, shown below it
        dataset: name of the dataset with the run, where the App does not show that one
    """
    lines = [str(report), "", *notes, ""]
    for heading, rows in (
        (failed, [(f.filepath, f.message) for f in report.failures]),
        (warned, report.warnings),
    ):
        if rows:
            lines += [f"**{heading}**", ""]
            lines += bullets(rows[:_ROWS_SHOWN])
            if len(rows) > _ROWS_SHOWN:
                lines.append(
                    f"- ... and {len(rows) - _ROWS_SHOWN} more; all are stored with the run {report.run_key!r}"
                )
            lines.append("")
    if report.failures:
        place = f", in the dataset `{dataset}`" if dataset else ""
        lines.append(
            f"To see exactly these samples: the operator **Show samples of a run** (press the backtick key){place}."
        )
    yield show_text(ctx, title, "\n".join(lines))
