"""What an export and an import are told, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.exchange.options import ExportOptions, ImportOptions


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"format": "txt"}, "Supported values are npz, csv"),
        ({"every": 0}, "Invalid every"),
        ({"every": True}, "Invalid every"),
        ({"top": 0}, "Invalid top"),
        ({"min_length": 1.5}, "Invalid min_length"),
        ({"min_confidence": 2}, "Invalid min_confidence"),
        ({"frame_offset": -1}, "Invalid frame_offset"),
        ({"frames": "both"}, "video, source"),
        ({"names": "nodes"}, "labels, index"),
        ({"format": "dlc", "scorer": "a,b"}, "Invalid scorer"),
        ({"overwrite": True, "skip_existing": True}, "contradict"),
        ({"images": True}, r"'csv' has no place for images \(images: for training sets and colours\)"),
        ({"format": "cvat", "names": "index"}, "'cvat' has no place for names"),
        ({"format": "nuke", "reconstruct": True}, "no place for reconstruct"),
    ],
)
def test_exports_refuse_what_is_not_supported(values: dict[str, Any], words: str):
    with pytest.raises(OptionError, match=words):
        ExportOptions(**{"format": "csv", **values})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"format": "nuke"}, "only written"),
        ({"layout": "rows"}, "points, frame, objects"),
        ({"field": {"a": "b"}}, "one field"),
        ({"format": "cvat", "layout": "points"}, "says itself"),
        ({"format": "cvat", "min_confidence": 0.5}, "'cvat' holds no likelihoods"),
        ({"min_confidence": float("nan")}, "Invalid min_confidence"),
    ],
)
def test_imports_refuse_what_is_not_supported(values: dict[str, Any], words: str):
    with pytest.raises(OptionError, match=words):
        ImportOptions(**{"format": "csv", **values})


def test_frames_count_as_the_format_is_used_to_unless_told():
    assert ExportOptions("nuke").first_frame == 1
    assert ExportOptions("nuke", frame_offset=1001).write_options().first_frame == 1001
    assert ImportOptions("mot").first_frame == 1
    assert [ExportOptions(name).least_confidence for name in ("csv", "colmap")] == [0, 0.5]
    assert ExportOptions("colmap", min_confidence=0.0).least_confidence == 0
    assert ImportOptions("csv", frame_offset=1).read_options().first_frame == 1
