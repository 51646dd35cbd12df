"""Runs that are killed (SIGKILL) at random moments, and what is in the data set afterwards.

Half of the kills hit a run that fills an empty field and is continued with
`skip_existing=True`, half hit one that replaces old tracks. After every kill each
sample is looked at; after the last, the data set is compared with one that was never
disturbed, field by field but for ids and time stamps:

    python benchmarks/faults.py [--kills 50] [--output benchmarks/results/faults.md]
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import harness
import numpy as np

REPLACED_CLIPS, CLIPS_PER_KILL = 12, 4
# of the kills, the share that hits a run before its first sample
EARLY = 0.2
OLD_GRID, NEW_GRID = 3, 6
FRAME_S = 0.004


def _clip(path: Path, frames: int) -> str:
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for t in range(frames):
            picture = np.full((48, 64, 3), 8 * t % 256, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return str(path)


def _tracker() -> Any:
    import point_tracking as pt
    from point_tracking.tracker.models.base import Tracker

    class Still(Tracker):
        name = "still"

        def _track(self, source, queries, backward, hooks):
            count = 0
            for chunk in source.chunks():
                time.sleep(FRAME_S * len(chunk))
                count += len(chunk)
            xy = np.repeat(queries.xy[None], count, axis=0)
            return pt.Tracks(xy=xy, visible=np.ones(xy.shape[:2], bool), confidence=np.ones(xy.shape[:2]))

    return Still()


def child(name: str, mode: str) -> None:
    """The run that is killed; says when it begins."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.load_dataset(name)
    print("ready", flush=True)
    said: list[bool] = []

    def say(_: Any) -> None:
        if not said:
            said.append(True)
            print("going", flush=True)

    options: dict[str, Any] = {mode: True}
    pt.track_dataset(dataset, tracker=_tracker(), grid_size=NEW_GRID, progress=say, **options)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        left_out = ("_id", "created_at", "last_modified_at", "written_at", "run_key", "_dataset_id", "_rand")
        return {k: _plain(v) for k, v in value.items() if k not in left_out}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _state(dataset: Any) -> list[Any]:
    samples = list(dataset._sample_collection.find().sort("_id", 1))
    order = {sample["_id"]: k for k, sample in enumerate(samples)}
    frames = list(dataset._frame_collection.find())
    for frame in frames:
        frame["_sample_id"] = order.get(frame["_sample_id"], "no sample")
    frames.sort(key=lambda frame: (str(frame["_sample_id"]), frame["frame_number"]))
    return [_plain(document) for document in (*samples, *frames)]


def _phases(dataset: Any) -> list[str]:
    """How far the samples were that the killed run had claimed."""
    from point_tracking.tracker.dataset import database

    key = {"_id": database.key_range(f"{dataset._doc.id}/"), "sample_id": {"$exists": True}}
    return [claim["phase"] for claim in database.collection(database.CLAIMS).find(key)]


def _torn(dataset: Any, replacing: bool) -> int:
    """Samples that have lost their old tracks and do not have the new ones."""
    import point_tracking as pt

    if not replacing:
        return 0
    torn = 0
    for sample in dataset.view():
        tracks = pt.read_tracks(sample, "tracks")
        torn += not (tracks.num_points in (OLD_GRID**2, NEW_GRID**2) and bool(tracks.visible.all()))
    return torn


def measure(folder: str, kills: int, replacing: bool, seed: int) -> dict[str, Any]:
    """Kills runs on one data set, and compares."""
    import fiftyone as fo

    import point_tracking as pt
    from point_tracking.tracker.dataset import database
    from point_tracking.tracker.dataset.recovery import recover

    number = REPLACED_CLIPS if replacing else CLIPS_PER_KILL * kills
    paths = [_clip(Path(folder, f"{k}.mp4"), 8 + k % 12) for k in range(number)]
    mode = "overwrite" if replacing else "skip_existing"
    options: dict[str, Any] = {mode: True}
    datasets = []
    for _ in range(2):
        dataset = fo.Dataset(persistent=True)
        dataset.add_samples([fo.Sample(filepath=path) for path in paths])
        if replacing:
            pt.track_dataset(dataset, tracker=_tracker(), grid_size=OLD_GRID, progress=False)
        datasets.append(dataset)
    expected, dataset = datasets
    pt.track_dataset(expected, tracker=_tracker(), grid_size=NEW_GRID, progress=False, **options)
    rng, phases, torn, before_end = random.Random(seed), Counter[str](), 0, 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, __file__, "--child", dataset.name, mode], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if rng.random() > EARLY:
            process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.5))
        before_end += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        dataset.reload()
        phases.update(_phases(dataset) or ["no sample"])
        recover(dataset)
        torn += _torn(dataset, replacing)
    report = pt.track_dataset(dataset, tracker=_tracker(), grid_size=NEW_GRID, progress=False, **options)
    key = {"_id": database.key_range(f"{dataset._doc.id}/")}
    names = (database.CLAIMS, database.STAGED, database.OUTCOMES)
    left = sum(database.collection(name).count_documents(key) for name in names)
    reports: list[Any] = [pt.load_report(dataset, run) for run in dataset.list_runs()]
    result = {
        "hit": before_end,
        "phases": dict(phases),
        "torn": torn,
        "equal": _state(dataset) == _state(expected),
        "failures": len(report.failures),
        "left": left,
        "interrupted": sum(r.interrupted for r in reports),
    }
    for made in datasets:
        made.delete()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("DATASET", "MODE"), help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    rows = []
    for replacing in (False, True):
        kills = arguments.kills // 2 + (arguments.kills % 2 if replacing else 0)
        with tempfile.TemporaryDirectory() as folder:
            found = harness.run_isolated(
                measure, folder=folder, kills=kills, replacing=replacing, seed=arguments.seed
            ).result
        phases = ", ".join(f"{name} {number}" for name, number in sorted(found["phases"].items()))
        rows.append(
            [
                "replacing old tracks" if replacing else "filling an empty field",
                kills,
                found["hit"],
                phases,
                found["torn"],
                "yes" if found["equal"] else "NO",
                found["failures"],
                found["left"],
                found["interrupted"],
            ]
        )
    headers = [
        "run",
        "kills",
        "before its end",
        "where claimed samples were",
        "samples torn after a kill",
        "equal to an undisturbed run",
        "failures",
        "documents left over",
        "runs recorded as interrupted",
    ]
    text = "\n".join(
        [
            "# Killed at random moments",
            "",
            harness.describe_machine(),
            "",
            f"{REPLACED_CLIPS} clips to replace, {CLIPS_PER_KILL} per kill to fill; SIGKILL after a random time, then "
            f"the same call again; seed {arguments.seed}. Torn: the old tracks are gone and the new ones are not "
            "complete, once what every run does first was done.",
            "",
            harness.markdown_table(headers, [[str(cell) for cell in row] for row in rows]),
            "",
        ]
    )
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
