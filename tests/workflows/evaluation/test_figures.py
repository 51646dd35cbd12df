"""Figures: their names, what they say of themselves, and what they are worth."""

from __future__ import annotations

import fiftyone as fo
import media
import numpy as np
import pytest
from judged_clips import NUM_FRAMES, NUM_POINTS, tracks_of, truth_xy

import point_tracking as pt
from point_tracking.tracker.metrics.cycle import CycleScores
from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.workflows.evaluation.figures import (
    CYCLE,
    FIGURES,
    MASKS,
    METRICS,
    cycle_figures,
    field_of,
    truth_figures,
)


def test_score_fields_say_what_they_mean_and_match_the_report(dataset: fo.Dataset) -> None:
    report = pt.evaluate_dataset(dataset, "tracks", "truth", metrics=["point_odyssey"], eval_key="mine")
    written = [name for name in dataset.get_field_schema() if name.startswith("mine_")]
    assert written == report.fields == ["mine_track_survival", "mine_mte_px"]
    field = dataset.get_field("mine_mte_px")
    assert isinstance(field, fo.FloatField)
    assert "Median trajectory error" in field.description


def test_every_figure_has_a_name_and_a_meaning_of_its_own() -> None:
    names = [figure.name for figure in FIGURES]
    assert len(set(names)) == len({figure.title for figure in FIGURES}) == len(FIGURES)
    assert all(name.isidentifier() and figure.meaning for name, figure in zip(names, FIGURES, strict=True))
    assert {figure.group for figure in FIGURES} == {*METRICS, MASKS, CYCLE}
    assert field_of("eval", "aj") == "eval_aj"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("aj", 0.1234, "12.3"), ("aj", None, ""), ("mte_px", 1.239, "1.24"), ("oa", 1.0, "100.0")],
)
def test_shares_are_shown_in_percent_and_distances_in_pixels(name: str, value: float | None, text: str) -> None:
    (figure,) = [figure for figure in FIGURES if figure.name == name]
    assert figure.text(value) == text


def _truth(visible: np.ndarray) -> TrackTruth:
    return TrackTruth(np.zeros(NUM_POINTS, dtype=np.int64), truth_xy(), visible, media.SIZE, np.ones_like(visible))


def test_each_group_gives_its_own_figures() -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    for metric in METRICS:
        figures = truth_figures(tracks_of(truth_xy()), _truth(visible), "first", (metric,))
        assert set(figures) == {figure.name for figure in FIGURES if figure.group == metric}
    everything = truth_figures(tracks_of(truth_xy()), _truth(visible), "first", METRICS)
    assert (everything["delta_avg"], everything["aj"], everything["oa"], everything["mte_px"]) == (1.0, 1.0, 1.0, 0.0)


def test_what_cannot_be_counted_is_none_and_not_a_number() -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    figures = truth_figures(tracks_of(truth_xy()), _truth(visible), "first", METRICS)
    assert figures["delta_occluded"] is None, "no point is ever hidden"
    assert figures["outside"] is None
    assert not any(value is not None and np.isnan(value) for value in figures.values())
    cycle = cycle_figures(CycleScores((0.0,) * 5, float("nan"), 0.0, float("nan")))
    assert cycle["cycle_px"] is None
    assert set(cycle) == {figure.name for figure in FIGURES if figure.group == CYCLE}
