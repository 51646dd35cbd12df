"""Reports of evaluations: totals, tables, words, and their way into the database and back."""

from __future__ import annotations

import fiftyone as fo
import pytest
from judged_clips import (
    all_hidden,
)

import point_tracking as pt


def test_the_table_is_what_a_report_prints(dataset: fo.Dataset) -> None:
    text = str(pt.evaluate_dataset(dataset, "tracks", "truth"))
    assert text.startswith("Evaluated frames.tracks of 2 samples against frames.truth (queried first)")
    assert "| delta_avg   |  80.0 |" in text
    assert "| MTE px      |  1.50 |" in text
    assert "< 4 px" not in text
    assert "outside" not in text  # nothing to count


def test_samples_are_listed_by_what_became_of_them(dataset: fo.Dataset) -> None:
    all_hidden(dataset.last())
    report = pt.evaluate_dataset(dataset, "tracks", "truth", metrics=["tap_vid"])
    assert [row["sample_id"] for row in report.rows("failed")] == [dataset.last().id]
    head, _, good = report.table("done").splitlines()
    assert head.startswith("| status | filepath | delta_avg | aj |")
    assert "| 1.000 |" in good
    assert "ever visible" in report.table("failed")


def test_totals_per_group(dataset: fo.Dataset) -> None:
    dataset.set_values("kind", ["easy", None])
    report = pt.evaluate_dataset(dataset, "tracks", "truth", group_by="kind")
    assert [(t.group, t.num_samples) for t in report.totals] == [("easy", 1), (None, 1)]
    assert [t.figures["delta_avg"] for t in report.totals] == pytest.approx([1.0, 0.6])
    assert "(no kind)" in report.totals_table()


def test_many_groups_are_rows(dataset: fo.Dataset) -> None:
    report = pt.evaluate_dataset(dataset, "tracks", "truth", group_by="filepath")
    report.outcomes = [
        type(o)(**{**o.__dict__, "group": f"g{k}|{o.sample_id}"}) for k in range(3) for o in report.outcomes
    ]
    lines = report.totals_table().splitlines()
    assert len(lines) == 2 + 6
    assert lines[2].startswith("| g0\\|")
