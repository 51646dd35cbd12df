"""Propagation after propagation in a process of its own, for tests that end it.

`python propagations_to_kill.py '{"dataset": ..., "pause_s": ..., "options": {...}}'`
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    import fiftyone as fo
    from trackers import DriftTracker

    import point_tracking as pt
    from point_tracking.store.database import connection, label_lists

    job = json.loads(sys.argv[1])
    if "paths" in job:
        from moving_object import box

        dataset = fo.Dataset(job["dataset"], persistent=True)
        for path in job["paths"]:
            sample = fo.Sample(filepath=path)
            sample.frames[1] = fo.Frame(box=fo.Detections(detections=[box(0)]))
            dataset.add_sample(sample)
    else:
        dataset = fo.load_dataset(job["dataset"])
    print("ready", flush=True)
    pause_s = job.get("pause_s", 0.0)
    connection.PATIENCE_S = job.get("patience_s", connection.PATIENCE_S)
    # many small writes with time between them, so that most moments lie within one
    label_lists._BATCH = job.get("batch", label_lists._BATCH)
    write = connection.RetryingCollection.write

    def slowly(self: connection.RetryingCollection, requests: Sequence[Any]) -> Any:
        time.sleep(pause_s)
        return write(self, requests)

    connection.RetryingCollection.write = slowly
    report = pt.propagate_labels(
        dataset,
        tracker=DriftTracker(),
        progress=lambda p: print(f"{p.iteration} {p.progress:.3f}", flush=True),
        **job["options"],
    )
    print(json.dumps({"outcomes": report.rows()}), flush=True)


if __name__ == "__main__":
    main()
