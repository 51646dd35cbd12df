"""Long work of an operator in the App: in a thread of its server, with progress, and how its result is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import wraps
from typing import Any

import fiftyone.operators.types as types

from ...tracker.errors import PointTrackingError
from ...workflows.lifecycle.app_words import in_app_words
from ...workflows.lifecycle.background_runs import BackgroundRun

RUNS_PANEL = "point_tracking_runs"

_POLL_S = 0.25
_ROWS_SHOWN = 50


def is_from_app(ctx: Any) -> bool:
    """Whether a person pressed a button in the App; from Python an operator runs while its caller waits."""
    return ctx.request_params.get("spaces") is not None


def run_in_background(
    ctx: Any, title: str, work: Callable[..., Any], *, patience_s: float
) -> Generator[Any, None, BackgroundRun]:
    """Starts a run in a thread of the App's server, and shows its progress for a while.

    Args:
        ctx: FiftyOne's execution context
        title: of the run, for people
        work: called with progress= and cancelled=; returns the report
        patience_s: how long to stay with it; then it goes on without anyone waiting

    Returns:
        the run; it may be over
    """
    run = BackgroundRun(title, ctx.dataset.name, work).start()
    deadline = time.monotonic() + patience_s
    yield ctx.ops.set_progress(progress=0.0, label="Starting")
    told = None
    while not run.wait(_POLL_S) and time.monotonic() < deadline:
        latest = run.progress
        if latest is not None and latest is not told:
            told = latest
            yield ctx.ops.set_progress(progress=latest.progress, label=latest.label)
    return run


def show_started(ctx: Any, run: BackgroundRun, when_stopped: str, *, closed: bool) -> Iterator[Any]:
    """Says that a run goes on, and where to look at it.

    Args:
        ctx: FiftyOne's execution context
        run: that goes on
        when_stopped: what becomes of it where the App is stopped: a sentence in markdown
        closed: whether the open sample was closed for it
    """
    again = " The video was closed while it is written to: open it again when the run is done." if closed else ""
    yield ctx.ops.open_panel(RUNS_PANEL, layout="horizontal")
    yield show_text(
        ctx,
        run.title,
        "**The run goes on in the background.** Close this window and work on: what is finished can be looked at "
        f"while the rest runs. The panel **Runs** shows how far it is and can cancel it.{again}\n\n"
        f"Closing this tab does not stop the run. {when_stopped}",
    )


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
        text: in markdown; names of options become those of their inputs
    """
    outputs = types.Object()
    outputs.view("title", types.Header(label=title))  # the App gives such a window no title
    outputs.str("summary", view=types.MarkdownView())
    return ctx.ops.show_output(
        outputs=types.Property(outputs, view=types.View(label=title)).to_json(), results={"summary": in_app_words(text)}
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
        lines.append(f"To see exactly these samples: **Show what failed** in the panel **Runs**{place}.")
    yield show_text(ctx, title, "\n".join(lines))
