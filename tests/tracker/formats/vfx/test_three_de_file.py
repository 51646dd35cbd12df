"""3DEqualizer's text: the golden file, and what a parser of it finds."""

from __future__ import annotations

from pathlib import Path

from made_clips import corner_clip

from point_tracking.tracker.formats.options import WriteOptions
from point_tracking.tracker.formats.vfx.three_de_file import write_clips

GOLDEN = Path(__file__).parents[3] / "data" / "formats" / "corners_3de.txt"


def test_the_layout_is_the_golden_one(tmp_path: Path):
    write_clips(tmp_path / "a.txt", [corner_clip()], WriteOptions(first_frame=1))
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")


def test_a_parser_finds_points_with_as_many_keys_as_they_say():
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    number, place, found = int(lines[0]), 1, {}
    for _ in range(number):
        keys = int(lines[place + 2])
        found[lines[place]] = [tuple(map(float, line.split())) for line in lines[place + 3 : place + 3 + keys]]
        place += 3 + keys
    assert place == len(lines)
    assert [key[0] for key in found["rechts_oben_ä_2"]] == [1, 2, 5, 6]
    assert found["links_oben_1"][0] == (1, 0.5, 119.5)
