"""Curves: files that grow, survive what cuts them off, and a picture of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import pytest

from point_tracking.tracker.errors import OutputError
from point_tracking.tracker.training.fitting.curves import STEP_COLUMNS, VALIDATION_COLUMNS, CurveFile, draw_curves


@pytest.fixture
def curve(tmp_path: Path) -> CurveFile:
    file = CurveFile(tmp_path / "steps.csv", STEP_COLUMNS)
    file.start(0)
    for step in range(1, 5):
        file.append({"step": step, "stage": "pairs", "seconds": 1.5 * step, "loss": 1 / step, "unknown": 7})
    return file


def test_rows_come_back_with_what_was_not_given_empty(curve: CurveFile):
    rows = curve.rows()
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert float(rows[3]["loss"]) == 0.25
    assert rows[0]["visible"] == ""
    assert "unknown" not in rows[0]


def test_a_resumed_run_keeps_the_rows_up_to_its_step(curve: CurveFile):
    curve.start(2)
    curve.append({"step": 3, "stage": "joint", "seconds": 9.0})
    assert [(row["step"], row["stage"]) for row in curve.rows()] == [("1", "pairs"), ("2", "pairs"), ("3", "joint")]


@pytest.mark.parametrize("torn", [b"5,pai", b"5,pairs,1.5,1", b"\xff\xfe\x00,,\n", b"nan,pairs,1" + b"," * 13])
def test_a_row_that_was_cut_off_is_left_out(curve: CurveFile, torn: bytes):
    with curve.path.open("ab") as file:
        file.write(torn)
    assert len(curve.rows()) == 4
    curve.start(4)
    curve.append({"step": 5, "stage": "pairs", "seconds": 8})
    assert len(curve.rows()) == 5


def test_there_are_no_rows_without_a_file(tmp_path: Path):
    assert CurveFile(tmp_path / "missing.csv", STEP_COLUMNS).rows() == []


def test_a_folder_that_went_away_is_told(tmp_path: Path):
    with pytest.raises(OutputError, match=r"steps\.csv cannot be written"):
        CurveFile(tmp_path / "missing" / "steps.csv", STEP_COLUMNS).append({"step": 1})


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
@pytest.mark.parametrize("empty", [False, True])
def test_the_picture_is_drawn_whatever_there_is(curve: CurveFile, tmp_path: Path, empty: bool):
    validation = CurveFile(tmp_path / "validation.csv", VALIDATION_COLUMNS)
    if empty:
        curve.start(0)
    else:
        validation.start(0)
        validation.append({"step": 4, "stage": "pairs", "seconds": 6, "delta_avg": 0.5})
    assert draw_curves(curve, validation, tmp_path / "curves.png")
    picture = cv2.imread(str(tmp_path / "curves.png"))
    assert picture is not None
    assert picture.shape == (480, 1200, 3)
    with pytest.raises(OutputError):
        draw_curves(curve, validation, tmp_path / "missing" / "curves.png")


def test_without_matplotlib_nothing_is_drawn(curve: CurveFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not draw_curves(curve, curve, tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
