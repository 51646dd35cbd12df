"""What both forms share, and how a report is told."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import fiftyone.operators.types as types

from point_tracking.operators.exchange.exchange_inputs import add_first_frame, add_format, show_report
from point_tracking.workflows.exchange.report import ExchangeReport, FileOutcome


def test_an_import_offers_what_is_read():
    inputs, ctx = types.Object(), SimpleNamespace(params={"format": "nuke"})
    assert add_format(ctx, inputs, to_import=True) == "csv"
    assert add_format(ctx, types.Object(), to_import=False) == "nuke"
    values = inputs.properties["format"].type.values
    assert "npz" in values
    assert "nuke" not in values


def test_the_first_frame_is_that_of_the_format():
    inputs = types.Object()
    add_first_frame(inputs, "mot")
    assert "Empty: 1" in inputs.properties["frame_offset"].view.description


def test_a_report_is_told_in_words():
    told: list[dict[str, Any]] = []
    ctx: Any = SimpleNamespace(ops=SimpleNamespace(show_output=lambda **shown: told.append(shown)))
    done = FileOutcome("a.slp", "1", "a.mp4", num_tracks=2, left_out=Counter({"hidden positions": 7}))
    failed = FileOutcome("b.slp", "2", "b.mp4", "failed", kind="FormatError", message="use names='index'")
    list(show_report(ctx, "Export tracks", ExchangeReport("slp", "exported", [done, failed])))
    text = told[0]["results"]["summary"]
    assert "exported as slp: 1 file, 2 tracks" in text
    assert "- 7 x hidden positions" in text
    assert "'By their numbers'" in text
