"""What a description of motion found, in words."""

from __future__ import annotations

from point_tracking.workflows.motion.report import MotionOutcome, MotionReport


def report() -> MotionReport:
    outcomes = [
        MotionOutcome("1", "/a.mp4", "done", camera="pan", num_points=400, num_featureless=23),
        MotionOutcome("2", "/b.mp4", "done", camera="pan"),
        MotionOutcome("3", "/c.mp4", "skipped"),
        MotionOutcome("4", "/d.mp4", "failed", kind="MotionError", message="why"),
    ]
    return MotionReport(outcomes=outcomes, num_targets=4, motion_field="motion", events_field="motion_events")


def test_it_says_how_cameras_move_and_what_lies_on_featureless_ground():
    text = str(report())
    for words in ("2 samples", "2 pan", "1 sample left alone", "23 of 400 points lie on featureless", "1 failure"):
        assert words in text
    assert "`motion_events`" in report().notes[0]


def test_it_is_the_same_read_back():
    again = MotionReport.from_dict(report().to_dict())
    assert again.outcomes == report().outcomes
    assert str(again) == str(report())
