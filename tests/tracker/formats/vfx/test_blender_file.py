"""Blender's script: the golden file, and what it does to a stand-in of Blender's clips."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from made_clips import corner_clip

from point_tracking.tracker.formats.options import WriteOptions
from point_tracking.tracker.formats.vfx.blender_file import write_clips

GOLDEN = Path(__file__).parents[3] / "data" / "formats" / "corners_blender.txt"


def test_the_layout_is_the_golden_one(tmp_path: Path):
    write_clips(tmp_path / "a.py", [corner_clip()], WriteOptions(first_frame=1))
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")


def test_the_script_adds_markers_and_mutes_them_where_nothing_is_seen(monkeypatch: pytest.MonkeyPatch):
    made: dict[str, list[SimpleNamespace]] = {}

    def new(name: str, frame: int) -> SimpleNamespace:
        markers = made.setdefault(name, [])

        def insert_frame(frame: int, co: tuple[float, float]) -> SimpleNamespace:
            markers.append(SimpleNamespace(frame=frame, co=co, mute=False))
            return markers[-1]

        return SimpleNamespace(markers=SimpleNamespace(insert_frame=insert_frame))

    clip = SimpleNamespace(tracking=SimpleNamespace(tracks=SimpleNamespace(new=new)))
    blender = ModuleType("bpy")
    blender.data = SimpleNamespace(movieclips=SimpleNamespace(load=lambda path: clip))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bpy", blender)
    exec(compile(GOLDEN.read_text(encoding="utf-8"), "script", "exec"), {})  # noqa: S102  written by us
    second = made["rechts oben ä 2"]
    assert [(marker.frame, marker.mute) for marker in second] == [
        (1, False), (2, False), (3, True), (5, False), (6, False), (7, True)
    ]  # fmt: skip
    assert second[0].co == pytest.approx((159.5 / 160, 1 - 0.5 / 120), abs=1e-8)


def test_names_and_paths_are_no_code(tmp_path: Path):
    write_clips(tmp_path / "a.py", [corner_clip('/a"; import os #\n.mp4')], WriteOptions(first_frame=1))
    tree = (tmp_path / "a.py").read_text(encoding="utf-8")
    assert 'VIDEO = "/a\\"; import os #\\n.mp4"\n' in tree
