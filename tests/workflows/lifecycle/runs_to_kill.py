"""A run in a process of its own, for tests that end it: `python runs_to_kill.py '{"dataset": ..., ...}'`."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    import fiftyone as fo
    from trackers import DriftTracker

    import point_tracking as pt
    from point_tracking.store.database import connection as database
    from point_tracking.store.database import liveness as owners
    from point_tracking.tracker.errors import DatabaseError
    from point_tracking.workflows.tracking import scheduler as conductor

    job = json.loads(sys.argv[1])
    # a shell that starts tests in the background leaves Ctrl-C ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "paths" in job:
        dataset = fo.Dataset(job["dataset"], persistent=True)
        dataset.add_samples([fo.Sample(filepath=path) for path in job["paths"]])
    else:
        dataset = fo.load_dataset(job["dataset"])
    print("ready", flush=True)
    if "preprocess" in job:
        copies = pt.preprocess_dataset(dataset, progress=False, **job["preprocess"])
        frames = copies.dataset.values("metadata.total_frame_count")
        print(json.dumps({"outcomes": copies.rows(), "frames": frames}), flush=True)
        return
    if "render" in job:
        pt.render_dataset(dataset, progress=False, **job["render"])
        return
    pause_s = job.get("pause_s", 0.0)
    database.PATIENCE_S = job.get("patience_s", database.PATIENCE_S)
    if "evaluate" in job:
        evaluate(dataset, pause_s, job["evaluate"])
        return
    if "adapt" in job:
        adapt(dataset, pause_s, job["adapt"])
        return
    tracker = DriftTracker(on_frame=lambda _: time.sleep(pause_s))

    def track() -> pt.TrackReport:
        return pt.track_dataset(
            dataset,
            tracker=tracker,
            progress=lambda p: print(f"{p.iteration} {p.progress:.3f}", flush=True),
            **job["options"],
        )

    owners.BEAT_S = conductor.BEAT_S = job.get("beat_s", owners.BEAT_S)
    try:
        report = track()
    except DatabaseError:
        print("-1 the database is gone", flush=True)
        sys.stdin.readline()
        report = track()
    result = {"outcomes": report.rows(), "keypoints": dataset.count("frames.tracks.keypoints")}
    print(json.dumps(result), flush=True)


def say(progress: Any) -> None:
    print(f"{progress.iteration} {progress.progress:.3f}", flush=True)


def evaluate(dataset: Any, pause_s: float, options: dict[str, Any]) -> None:
    """An evaluation that takes its time for each sample."""
    import point_tracking as pt
    from point_tracking.workflows.evaluation.judge_sample import SampleJudge

    attempt = SampleJudge.attempt

    def slowly(judge: SampleJudge, *arguments: Any) -> Any:
        time.sleep(pause_s)
        return attempt(judge, *arguments)

    SampleJudge.attempt = slowly  # pyright: ignore[reportAttributeAccessIssue]
    print(json.dumps(pt.evaluate_dataset(dataset, progress=say, **options).to_dict()), flush=True)


def adapt(dataset: Any, pause_s: float, options: dict[str, Any]) -> None:
    """An adaptation whose training is nothing but waiting."""
    from adaptable import TeacherTracker, drifting_start

    import point_tracking as pt
    from point_tracking.tracker.training.adapting import adaptation

    def wait(*_arguments: Any, **_options: Any) -> Any:
        print("1 0.5", flush=True)
        time.sleep(pause_s)
        raise RuntimeError("the training was to be interrupted")

    adaptation.adapt = wait
    student = {"tracker": drifting_start(), "teachers": [TeacherTracker()], "own_start": False}
    pt.adapt_tracker(dataset, progress=False, **student, **options)


if __name__ == "__main__":
    main()
