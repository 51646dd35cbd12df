"""Inputs that both forms share, and how a report is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ...tracker.formats.conventions import CONVENTIONS
from ...tracker.formats.registry import FORMATS
from ..shared.background import bullets, show_text

_ROWS_SHOWN = 50


def add_format(ctx: Any, inputs: types.Object, *, to_import: bool, default: str) -> str:
    """Asks for the format.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        to_import: offer only what is read
        default: of the choice

    Returns:
        the format that is chosen now
    """
    choices = types.DropdownView()
    names = [name for name, one in FORMATS.items() if one.imports or not to_import]
    for name in names:
        choices.add_choice(name, label=f"{FORMATS[name].title} ({name})")
    inputs.enum("format", names, default=default, required=True, label="Format", view=choices)
    given = ctx.params.get("format") or default
    return given if given in names else default


def add_first_frame(inputs: types.Object, name: str) -> None:
    """Asks for the number that the video's first frame has in the file."""
    first = CONVENTIONS[name].first_frame
    inputs.int(
        "frame_offset",
        label="Number of the first frame",
        description=f"In the file. Empty: {first}, as {FORMATS[name].title} is used to",
    )


def show_report(ctx: Any, title: str, report: Any) -> Iterator[Any]:
    """Tells the result of an exchange in words; there is no run record to look at later.

    Args:
        ctx: FiftyOne's execution context
        title: of the window
        report: an `ExchangeReport`
    """
    lines = [report.summary, ""]
    if report.left_out:
        lines += ["**Left out**", "", *(f"- {count:,} x {what}" for what, count in sorted(report.left_out.items())), ""]
    for heading, rows in (
        ("Failed", [(failure.filepath, failure.message) for failure in report.failures]),
        ("Done, with a note", report.warnings),
    ):
        if rows:
            lines += [f"**{heading}**", "", *bullets(rows[:_ROWS_SHOWN])]
            if len(rows) > _ROWS_SHOWN:
                lines.append(f"- ... and {len(rows) - _ROWS_SHOWN} more")
            lines.append("")
    yield show_text(ctx, title, "\n".join(lines))
