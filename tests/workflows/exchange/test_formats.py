"""What reads and writes a sample for each format."""

from __future__ import annotations

from pathlib import Path

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.registry import FORMATS
from point_tracking.workflows.exchange.files import SampleFile
from point_tracking.workflows.exchange.formats import LABEL_FORMATS, failed_outcome, not_run_outcome


def test_each_format_has_one_way():
    assert set(LABEL_FORMATS) == {name for name, one in FORMATS.items() if not one.module}


def test_a_failure_keeps_its_reason():
    one = SampleFile(Path("a.xml"), "1", "a.mp4")
    outcome = failed_outcome(one, FormatError("no such thing"))
    assert (outcome.status, outcome.kind, outcome.message) == ("failed", "FormatError", "no such thing")
    assert not_run_outcome(one).status == "not run"
