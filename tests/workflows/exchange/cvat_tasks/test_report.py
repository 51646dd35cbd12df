"""What was sent to the server and what came back, in words."""

from __future__ import annotations

from point_tracking.workflows.exchange.cvat_tasks.report import AnnotationTask, CorrectionsLoaded


def test_the_task_says_what_was_sent_and_what_comes_next():
    task = AnnotationTask("check", "tracks", "tracks_check", 1, 3, 10, 2000, ["2 x instance masks"])
    assert str(task).splitlines() == [
        "1 video sent to CVAT under the key 'check': 3 tracks of frames.tracks with 10 keyframes for 2,000 labels",
        "when they are corrected: load_corrections(dataset, 'check')",
        "left out: 2 x instance masks",
    ]


def test_the_report_says_what_was_changed():
    assert str(CorrectionsLoaded("check", "tracks")) == "nothing was changed in the task 'check'"
    report = CorrectionsLoaded("check", "tracks", 1, 2, 1, 0, 1, 0, 1, warnings=[("a.mp4", "mind this")])
    assert report.num_changes == 5
    assert str(report).splitlines() == [
        "frames.tracks of 1 video corrected: 2 keyframes moved, 1 added, 0 deleted; 1 stretch gone or hidden; "
        "0 tracks removed, 1 new",
        "a.mp4: mind this",
    ]
