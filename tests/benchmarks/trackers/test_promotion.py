"""The promotion rule on made-up figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from point_tracking.benchmarks.trackers.promotion import KindFigures, decide_promotion

RGBD, COMPOSITE, MASKS = "rgbd_reprojection_dense", "composite_exact_dense", "object_mask_only"
DEFAULT = {
    RGBD: KindFigures(delta_avg=91.8, average_jaccard=86.0, share_visible=93.3, visible_outside=10.2),
    COMPOSITE: KindFigures(delta_avg=62.1, average_jaccard=55.1, share_visible=50.7, visible_outside=1.7),
    MASKS: KindFigures(on_object=99.5, share_visible=91.0),
}
BETTER = {
    RGBD: KindFigures(delta_avg=90.8, average_jaccard=85.0, share_visible=93.3, visible_outside=10.2),
    COMPOSITE: KindFigures(delta_avg=62.2, average_jaccard=55.2, share_visible=50.7, visible_outside=5.0),
    MASKS: KindFigures(on_object=90.0, share_visible=60.0),
}


def test_a_tracker_that_just_passes_every_bound_is_promoted():
    decision = decide_promotion(BETTER, DEFAULT)
    assert decision.promoted
    assert decision.reasons == ()
    assert str(decision) == "may become the default"


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        (COMPOSITE, {"delta_avg": 62.1}, "delta_avg 62.1 does not beat 62.1"),
        (COMPOSITE, {"average_jaccard": 55.0}, "AJ 55.0 does not beat 55.1"),
        (COMPOSITE, {"delta_avg": float("nan")}, "delta_avg was not measured for both"),
        (COMPOSITE, {"average_jaccard": None}, "AJ was not measured for both"),
        (COMPOSITE, {"visible_outside": 5.1}, "5.1 % of positions outside the frame"),
        (COMPOSITE, {"visible_outside": None}, "points outside the frame were not measured for both"),
        (RGBD, {"delta_avg": 90.7}, "delta_avg 90.7 is more than 1 below 91.8"),
        (RGBD, {"average_jaccard": 84.9}, "AJ 84.9 is more than 1 below 86.0"),
        (RGBD, {"visible_outside": 10.3}, "at most 10.2 are allowed"),
        (MASKS, {"on_object": 89.9}, "89.9 % on the object"),
        (MASKS, {"on_object": float("nan")}, "nan % on the object"),
        (MASKS, {"on_object": None}, "on the object was not measured for both"),
        (MASKS, {"share_visible": 59.9}, "declared visible: 59.9 %"),
        (MASKS, {"share_visible": None}, "declared visible: unknown"),
    ],
)
def test_one_failed_bound_is_enough_and_named(kind: str, change: dict, reason: str):
    decision = decide_promotion({**BETTER, kind: replace(BETTER[kind], **change)}, DEFAULT)
    assert not decision.promoted
    assert len(decision.reasons) == 1
    assert decision.reasons[0].startswith(f"{kind}: ")
    assert reason in decision.reasons[0]
    assert str(decision).startswith("stays experimental: ")


def test_kinds_must_be_measured_for_both():
    some = {RGBD: BETTER[RGBD]}
    assert decide_promotion(some, DEFAULT).reasons == (
        f"{COMPOSITE}: measured for the default only",
        f"{MASKS}: measured for the default only",
    )
    assert decide_promotion(BETTER, some).reasons[0] == f"{COMPOSITE}: measured for the candidate only"
    assert decide_promotion({}, {}).reasons == ("nothing was measured",)


def test_the_default_does_not_beat_itself():
    assert not decide_promotion(DEFAULT, DEFAULT).promoted
