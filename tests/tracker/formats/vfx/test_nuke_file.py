"""Nuke's Tracker4 as text: the golden file, and what a parser of it finds."""

from __future__ import annotations

import re
from pathlib import Path

from made_clips import corner_clip, empty_clip

from point_tracking.tracker.formats.options import WriteOptions
from point_tracking.tracker.formats.vfx.nuke_file import write_clips

GOLDEN = Path(__file__).parents[3] / "data" / "formats" / "corners.nk"


def curves(row: str) -> list[dict[int, float]]:
    """Frame -> value of each curve in a row: `x7` sets the frame, values that follow count up."""
    found = []
    for text in re.findall(r"\{curve (?:K )?([^}]*)\}", row):
        frame, curve = 0, {}
        for part in text.split():
            if part.startswith("x"):
                frame = int(part[1:])
            else:
                curve[frame] = float(part)
                frame += 1
        found.append(curve)
    return found


def test_the_layout_is_the_golden_one(tmp_path: Path):
    write_clips(tmp_path / "a.nk", [corner_clip()], WriteOptions(first_frame=1001))
    assert (tmp_path / "a.nk").read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")


def test_a_parser_finds_31_columns_and_the_corners():
    text = GOLDEN.read_text(encoding="utf-8")
    columns = re.findall(r"^ \{ \d \d+ \d+ (\w+) \w+ 1 \}$", text, flags=re.MULTILINE)
    rows = re.findall(r"^ (\{ \{curve.*)$", text, flags=re.MULTILINE)
    assert (len(columns), len(rows)) == (31, 4)
    assert text.count("{") == text.count("}")
    enabled, x, y, *_ = curves(rows[1])
    assert (x[1001], y[1001]) == (159.5, 119.5)
    assert (x[1005], y[1005]) == (158.5, 118.5)
    assert 1003 not in x
    assert enabled == {1001: 1, 1003: 0, 1005: 1}
    assert curves(rows[3])[0] == {1001: 1, 1002: 0}


def test_a_clip_without_tracks_is_a_node_without_any(tmp_path: Path):
    write_clips(tmp_path / "a.nk", [empty_clip()], WriteOptions())
    assert "{ 1 31 0 }" in (tmp_path / "a.nk").read_text()
