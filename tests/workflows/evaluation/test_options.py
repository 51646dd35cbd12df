"""What an evaluation is told, checked before anything is read."""

from __future__ import annotations

import pytest
from trackers import DriftTracker

from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.evaluation.figures import CYCLE, FIGURES, MASKS, METRICS
from point_tracking.workflows.evaluation.options import MATCH, EvaluationOptions


def _groups(options: EvaluationOptions) -> set[str]:
    return {figure.group for figure in options.figures}


def test_the_figures_follow_from_what_tracks_are_judged_by() -> None:
    assert _groups(EvaluationOptions()) == set()
    assert _groups(EvaluationOptions(gt_field="truth")) == set(METRICS)
    assert _groups(EvaluationOptions(gt_field="truth", metrics=["tap_vid"])) == {"tap_vid"}
    everything = EvaluationOptions(gt_field="truth", mask_field="object", cycle=True)
    assert _groups(everything) == {*METRICS, MASKS, CYCLE}
    assert everything.fields("e") == [f"e_{figure.name}" for figure in FIGURES]


def test_judging_by_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(OptionError, match=r"gt_field.*mask_field.*cycle=True"):
        EvaluationOptions().check_purpose()
    for options in (
        EvaluationOptions(gt_field="truth"),
        EvaluationOptions(mask_field="object"),
        EvaluationOptions(cycle=True),
    ):
        options.check_purpose()


def test_keys_are_those_of_evaluations() -> None:
    assert EvaluationOptions("mine").base_key == "eval_mine"
    assert EvaluationOptions(eval_key="e").given_key == "e"
    assert EvaluationOptions().given_key is None
    assert not EvaluationOptions().may_replace
    assert EvaluationOptions(overwrite=True).may_replace


def test_the_record_names_a_loaded_tracker() -> None:
    options = EvaluationOptions(gt_field="truth", cycle=True, tracker=DriftTracker(), metrics=["tap_vid"])
    record = options.to_record()
    assert (record["tracker"], record["metrics"], options.tracker_name) == ("drift", ["tap_vid"], "drift")
    assert "eval_key" not in record


@pytest.mark.parametrize("match", MATCH)
def test_every_way_of_matching_is_taken(match: str) -> None:
    assert EvaluationOptions(match=match).match == match
