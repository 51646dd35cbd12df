"""The formats that tracks are exported to and imported from."""

from __future__ import annotations

from pathlib import Path

import pytest

from point_tracking.tracker.errors import FormatError, OptionError
from point_tracking.workflows.exchange.files import SampleFile
from point_tracking.workflows.exchange.formats import FORMATS, failed_outcome, format_of


def test_formats_are_told_by_name():
    assert format_of("cvat").suffix == ".xml"
    with pytest.raises(OptionError, match="Supported values are cvat"):
        format_of("xml")
    assert len({one.suffix for one in FORMATS.values()}) == len(FORMATS)


def test_a_failure_keeps_its_reason():
    outcome = failed_outcome(SampleFile(Path("a.xml"), "1", "a.mp4"), FormatError("no such thing"))
    assert (outcome.status, outcome.kind, outcome.message) == ("failed", "FormatError", "no such thing")
