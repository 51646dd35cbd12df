"""Messages in the words of the App: no names of Python are left in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.errors import PointTrackingError
from point_tracking.workflows.lifecycle.app_words import in_app_words
from point_tracking.workflows.tracking.options import TrackOptions

ROOT = Path(pt.__file__).parent
# an option with a value as Python writes it
PYTHON = re.compile(r"\b[a-z_]+=(?:True|False|None|'\w+'|\d)|\(t, x, y\)|\bpreprocess_dataset\b|\bthe shape \(")
# rooms whose messages no form and no result shows
ELSEWHERE = (
    "workflows/model_zoo",
    "workflows/exchange/cvat_tasks",
    "workflows/tracking/ray_cluster",
    "tracker/training/",
    "tracker/models/base.py",
)


def messages() -> Iterator[tuple[str, str]]:
    """The texts of errors and warnings in the code, (place, text); values are left out of them."""
    for room in ("tracker", "store", "workflows"):
        for file in sorted((ROOT / room).rglob("*.py")):
            place = file.relative_to(ROOT).as_posix()
            if place.startswith(ELSEWHERE):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and "warn" in ast.unparse(node.func)):
                    for inner in ast.walk(node):
                        if isinstance(inner, ast.JoinedStr | ast.Constant):
                            yield place, _text(inner)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "7"  # a value


def test_no_message_keeps_the_names_of_python() -> None:
    found = [(place, text) for place, text in messages() if PYTHON.search(text)]
    assert len(found) > 8, "the messages are not found any more"
    assert [(place, told) for place, text in found if PYTHON.search(told := in_app_words(text))] == []


def _refused(make: Callable[[], object]) -> str:
    with pytest.raises(PointTrackingError) as error:
        make()
    return in_app_words(str(error.value))


def test_options_have_the_names_of_their_inputs() -> None:
    told = _refused(lambda: TrackOptions(points=[(1, 2)]))
    assert told == "Points must be rows of three numbers frame, x, y, and these have 2"
    told = _refused(lambda: TrackOptions(overwrite=True, skip_existing=True))
    assert told.startswith("'Replace existing tracks' and 'Leave finished samples alone' exclude each other")
    told = _refused(lambda: TrackOptions(sampling={"max_frames": 0}))
    assert told == "Invalid max frames (0). Expected a whole number of at least 1"
    assert "the layout 'One keypoint per frame'" in _refused(lambda: TrackOptions(grid_size=350))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="=(_"), max_size=60))
def test_texts_without_options_stay_as_they_are(text: str) -> None:
    if "dataset" not in text and "or None" not in text and "Use None" not in text:
        assert in_app_words(text) == text
