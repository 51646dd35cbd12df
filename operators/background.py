"""Long work of an operator in the App: in a thread, with progress, ended when the tab is closed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import fiftyone.operators.types as types

_POLL_S = 0.25
_STOP_TIMEOUT_S = 60.0
_ROWS_SHOWN = 50


def run_in_thread(ctx: Any, run: Callable[..., Any], samples: Any, options: Any) -> Iterator[Any]:
    """Yields progress while a run works in a thread; closing the App's tab cancels the run.

    Args:
        ctx: FiftyOne's execution context
        run: called with samples, options, progress= and cancelled=
        samples: a data set or view
        options: of the run

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


def show_summary(ctx: Any, title: str, report: Any, *, failed: str, warned: str) -> Iterator[Any]:
    """Tells the result of a run in words, with what failed and why.

    Args:
        ctx: FiftyOne's execution context
        title: of the window
        report: with `failures`, `warnings` and `run_key`; its text is the summary
        failed: heading above the failures
        warned: heading above the warnings
    """
    lines = [str(report), ""]
    for heading, rows in (
        (failed, [(f.filepath, f.message) for f in report.failures]),
        (warned, report.warnings),
    ):
        if rows:
            lines += [f"**{heading}**", ""]
            lines += [f"- `{path}`: {text}" for path, text in rows[:_ROWS_SHOWN]]
            if len(rows) > _ROWS_SHOWN:
                lines.append(
                    f"- ... and {len(rows) - _ROWS_SHOWN} more; all are stored with the run {report.run_key!r}"
                )
            lines.append("")
    if report.failures:
        lines.append("To see exactly these samples: the operator **Show samples of a run** (press the backtick key).")
    outputs = types.Object()
    outputs.str("summary", label="Result", view=types.MarkdownView())
    yield ctx.ops.show_output(
        outputs=types.Property(outputs, view=types.View(label=title)).to_json(),
        results={"summary": "\n".join(lines)},
    )
