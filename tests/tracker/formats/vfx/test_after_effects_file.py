"""After Effects' keyframe data: the golden file, and what a parser of it finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_clips import corner_clip

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.options import WriteOptions
from point_tracking.tracker.formats.vfx.after_effects_file import write_clips

GOLDEN = Path(__file__).parents[3] / "data" / "formats" / "corners_after_effects.txt"


def test_the_layout_is_the_golden_one(tmp_path: Path):
    write_clips(tmp_path / "a.txt", [corner_clip()], WriteOptions())
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")


def test_a_parser_finds_a_control_for_each_stretch():
    text = GOLDEN.read_text(encoding="utf-8")
    blocks = [block.splitlines() for block in text.split("Effects\tPoint Control #")[1:]]
    keys = [[line.split("\t")[1:4] for line in block[2:] if line.startswith("\t")] for block in blocks]
    assert [[int(key[0]) for key in block] for block in keys] == [
        [0, 1, 2, 3, 4, 5], [0, 1], [4, 5], [0, 1], [4, 5], [0]
    ]  # fmt: skip
    assert keys[0][0] == ["0", "0.5", "0.5"]
    assert keys[5][0] == ["0", "159.5", "119.5"]
    assert "\tUnits Per Second\t10\n" in text
    assert text.endswith("End of Keyframe Data\n")


def test_a_video_without_a_rate_is_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="frames per second"):
        write_clips(tmp_path / "a.txt", [replace(corner_clip(), fps=None)], WriteOptions())
