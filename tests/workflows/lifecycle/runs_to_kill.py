"""A run in a process of its own, for tests that end it: `python runs_to_kill.py '{"dataset": ..., ...}'`."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

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
    pause_s = job.get("pause_s", 0.0)
    tracker = DriftTracker(on_frame=lambda _: time.sleep(pause_s))

    def track() -> pt.TrackReport:
        return pt.track_dataset(
            dataset,
            tracker=tracker,
            progress=lambda p: print(f"{p.iteration} {p.progress:.3f}", flush=True),
            **job["options"],
        )

    owners.BEAT_S = conductor.BEAT_S = job.get("beat_s", owners.BEAT_S)
    database.PATIENCE_S = job.get("patience_s", database.PATIENCE_S)
    try:
        report = track()
    except DatabaseError:
        print("-1 the database is gone", flush=True)
        sys.stdin.readline()
        report = track()
    result = {"outcomes": report.rows(), "keypoints": dataset.count("frames.tracks.keypoints")}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
