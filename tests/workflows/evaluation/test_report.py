"""Reports of evaluations: totals, tables, words, and their way into the database and back."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_clips import all_hidden

import point_tracking as pt
from point_tracking.workflows.evaluation.report import EvaluationOutcome, EvaluationReport


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


def _report(*outcomes: EvaluationOutcome, **values: Any) -> EvaluationReport:
    return EvaluationReport(label_field="tracks", outcomes=list(outcomes), num_targets=len(outcomes), **values)


def _outcome(number: int = 0, status: str = "done", group: str | None = None, **figures: float | None):
    return EvaluationOutcome(f"s{number}", f"/{number}.mp4", status, group=group, figures=figures)


@given(st.lists(st.none() | st.floats(0, 1), max_size=6))
def test_totals_are_means_over_the_samples_that_know_the_figure(values: list[float | None]) -> None:
    report = _report(*(_outcome(k, aj=value) for k, value in enumerate(values)), _outcome(9, "failed"))
    known = [value for value in values if value is not None]
    assert [total.num_samples for total in report.totals] == ([len(values)] if values else [])
    for total in report.totals:
        mean = total.figures["aj"]
        assert mean == (pytest.approx(sum(known) / len(known)) if known else None)
    assert bool(report.totals_table()) == bool(known)


def test_tables_show_single_thresholds_where_asked_and_only_known_figures() -> None:
    report = _report(_outcome(aj=0.5, delta_1=0.25, mte_px=None))
    assert "< 1 px" not in report.totals_table()
    table = report.totals_table(all_figures=True)
    assert "< 1 px" in table
    assert "MTE" not in table


def test_notes_say_what_the_figures_of_the_table_mean_and_nothing_where_there_are_none() -> None:
    notes = "\n".join(_report(_outcome(aj=0.5, mte_px=None), run_key="judged").notes)
    assert "`judged_...`" in notes
    assert "**AJ**" in notes
    assert "MTE" not in notes
    assert _report(_outcome(0, "failed")).notes == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "of 1 sample without known tracks in 0.0 s"),
        ({"gt_field": "truth", "query_mode": "strided"}, "against frames.truth (queried strided)"),
        ({"cancelled": True}, "; cancelled with 1 sample to go"),
        ({"interrupted": True}, "; interrupted, or still running"),
    ],
)
def test_it_is_said_what_was_judged_and_how_it_ended(values: dict[str, Any], text: str) -> None:
    report = _report(_outcome(aj=0.5), _outcome(1, "failed"), _outcome(2, "not run"), **values)
    assert text in str(report)
    assert "; 1 failure" in str(report)


def test_reports_of_earlier_versions_know_their_fields() -> None:
    values = _report(_outcome(aj=0.5, oa=1.0), run_key="eval", fields=["eval_aj", "eval_oa"]).to_dict()
    assert values["totals"][0]["figures"] == {"aj": 0.5, "oa": 1.0}
    del values["fields"]
    assert EvaluationReport.from_dict(values).fields == ["eval_aj", "eval_oa"]
