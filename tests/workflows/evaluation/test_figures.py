"""Figures: their names, what they say of themselves, and what they are worth."""

from __future__ import annotations

import fiftyone as fo

import point_tracking as pt


def test_score_fields_say_what_they_mean_and_match_the_report(dataset: fo.Dataset) -> None:
    report = pt.evaluate_dataset(dataset, "tracks", "truth", metrics=["point_odyssey"], eval_key="mine")
    written = [name for name in dataset.get_field_schema() if name.startswith("mine_")]
    assert written == report.fields == ["mine_track_survival", "mine_mte_px"]
    field = dataset.get_field("mine_mte_px")
    assert isinstance(field, fo.FloatField)
    assert "Median trajectory error" in field.description
