"""Inputs that both forms share, how their values are read, and how a report is told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import fiftyone.operators.types as types

from ...tracker.errors import OptionError
from ...tracker.formats.conventions import CONVENTIONS
from ...tracker.formats.registry import FORMATS
from ..shared import forms
from ..shared.background import bullets, show_text

DEFAULT_FORMAT = "csv"
_ROWS_SHOWN = 50


def begin_form(ctx: Any, label: str, blocked: str, *, to_import: bool) -> tuple[types.Object, str | None]:
    """The first inputs: which videos, and which format.

    Args:
        ctx: FiftyOne's execution context
        label: of the choice of videos
        blocked: what to say where there are none
        to_import: offer only formats that are read

    Returns:
        (the form, the format that is chosen now; None where there is nothing to choose for)
    """
    forms.unfold(ctx)
    inputs = types.Object()
    if not forms.add_videos(ctx, inputs, label, blocked=blocked):
        return inputs, None
    return inputs, add_format(ctx, inputs, to_import=to_import)


def add_format(ctx: Any, inputs: types.Object, *, to_import: bool) -> str:
    """Asks for the format.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        to_import: offer only what is read

    Returns:
        the format that is chosen now
    """
    default = DEFAULT_FORMAT
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


def add_choice(inputs: types.Object, name: str, labels: Mapping[str, str], default: str, label: str) -> None:
    """Asks for one of a few values, each said in words."""
    choices = types.RadioGroup()
    for value, text in labels.items():
        choices.add_choice(value, label=text)
    inputs.enum(name, list(labels), default=default, label=label, view=choices)


def given_values(
    params: Mapping[str, Any], known: Collection[str], special: Collection[str], heeded: Collection[str]
) -> dict[str, Any]:
    """The values of a form that become options, with its format.

    Args:
        params: of the execution context
        known: names of the options
        special: names of those that some formats alone heed
        heeded: of these, those of the chosen format; fields that another format showed keep their last values
    """
    unheeded = set(special) - set(heeded)
    values = {
        key: value for key, value in params.items() if key in known and key not in unheeded and value not in (None, "")
    }
    return {**values, "format": params.get("format") or DEFAULT_FORMAT}


def path_of(params: Mapping[str, Any], missing: str) -> str:
    """The path that was given.

    Args:
        params: of the execution context
        missing: what to say where there is none

    Raises:
        OptionError: if nothing was said
    """
    text = str(params.get("path") or "").strip()
    if not text:
        raise OptionError(missing)
    return str(Path(text).expanduser())


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
