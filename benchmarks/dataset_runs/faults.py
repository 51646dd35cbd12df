"""Runs that are killed (SIGKILL) at random moments or lose their database, and what is in the dataset afterwards.

Half of the kills hit a run that fills an empty field and is continued with
`skip_existing=True`, half hit one that replaces old tracks. After every kill each
sample is looked at; after the last, the dataset is compared with one that was never
disturbed, field by field but for ids and time stamps. The same is asked of runs
whose database server is killed, frozen, or gone for longer than is waited for:

    python benchmarks/dataset_runs/faults.py [--kills 50] [--away 20] [--parts away] [--output faults.md]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from point_tracking.benchmarks import harness

REPLACED_CLIPS, CLIPS_PER_KILL = 12, 4
# of the kills, the share that hits a run before its first sample
EARLY = 0.2
OLD_GRID, NEW_GRID = 3, 6
FRAME_S = 0.004
# while the database is away: slow enough for it to go in the middle
AWAY_FRAME_S, AWAY_AFTER = 0.04, 3
# longer than a run waits
TOO_LONG_S = 75.0
PARTS = ("kills", "away")


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


def _tracker(frame_s: float = FRAME_S) -> Any:
    import point_tracking as pt
    from point_tracking.tracker.models.base import Tracker

    class Still(Tracker):
        name = "still"

        def _track(self, source, queries, backward, hooks):
            count = 0
            for chunk in source.chunks():
                time.sleep(frame_s * len(chunk))
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
    from point_tracking.store.database import connection as database
    from point_tracking.store.database.keys import Key

    key = {"_id": Key(dataset._doc.id).below, "sample_id": {"$exists": True}}
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
    """Kills runs on one dataset, and compares."""
    import fiftyone as fo

    import point_tracking as pt
    from point_tracking.store.database import connection as database
    from point_tracking.store.database.keys import Key
    from point_tracking.workflows.lifecycle.recovery import recover

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
    key = {"_id": Key(dataset._doc.id).below}
    names = (database.CLAIMS, database.STAGED, database.OUTCOMES)
    left = sum(database.collection(name).plain.count_documents(key) for name in names)
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


class _Server:
    """A MongoDB server that may be frozen, killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        package = find_spec("fiftyone")
        assert package is not None
        assert package.origin is not None
        binary = Path(package.origin).parent / "db" / "bin" / "mongod"
        self._command = [str(binary), "--dbpath", str(folder), "--port", str(self.port)]
        self._command += ["--bind_ip", "127.0.0.1", "--nounixsocket"]
        folder.mkdir()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def away_child(paths: list[str]) -> None:
    """The run whose database goes away, or goes on after that; compares with one before."""
    import fiftyone as fo

    import point_tracking as pt
    from point_tracking.store.database import connection as database
    from point_tracking.store.database.keys import Key
    from point_tracking.tracker.errors import DatabaseError

    names = ("expected", "away")
    for name in () if fo.dataset_exists(names[1]) else names:
        dataset = fo.Dataset(name, persistent=True)
        dataset.add_samples([fo.Sample(filepath=path) for path in paths])
        if name == "expected":
            pt.track_dataset(dataset, tracker=_tracker(0), grid_size=NEW_GRID, progress=False)
    expected, dataset = (fo.load_dataset(name) for name in names)
    start = time.monotonic()
    try:
        report = pt.track_dataset(
            dataset,
            tracker=_tracker(AWAY_FRAME_S),
            grid_size=NEW_GRID,
            skip_existing=True,
            progress=lambda p: print("done", p.iteration, flush=True),
        )
    except DatabaseError as error:
        print(json.dumps({"seconds": time.monotonic() - start, "message": str(error)}), flush=True)
        return
    seconds = time.monotonic() - start
    key = {"_id": Key(dataset._doc.id).below}
    kinds = (database.CLAIMS, database.STAGED, database.OUTCOMES)
    result = {
        "seconds": seconds,
        "equal": _state(dataset) == _state(expected),
        "failures": len(report.failures),
        "left": sum(database.collection(kind).plain.count_documents(key) for kind in kinds),
    }
    print(json.dumps(result), flush=True)


def measure_away(way: str, away_s: float) -> dict[str, Any]:
    """Takes the database away in the middle of a run."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [_clip(Path(folder, f"{k}.mp4"), 8 + k % 12) for k in range(REPLACED_CLIPS)]
        server = _Server(Path(folder, "database"))
        try:
            env = {**os.environ, "FIFTYONE_DATABASE_NAME": "faults", "FIFTYONE_SHOW_PROGRESS_BARS": "false"}
            env["FIFTYONE_DATABASE_URI"] = f"mongodb://127.0.0.1:{server.port}"
            command = [sys.executable, __file__, "--child-away", *paths]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
            assert process.stdout is not None
            while process.stdout.readline() != f"done {AWAY_AFTER}\n":
                if process.poll() is not None:
                    raise harness.BenchmarkError(f"The run ended with exit status {process.returncode}")
            if way == "frozen":
                server.process.send_signal(signal.SIGSTOP)
                time.sleep(away_s)
                server.process.send_signal(signal.SIGCONT)
            else:
                server.kill()
                time.sleep(away_s)
                server.start()
            found = json.loads(process.stdout.read().splitlines()[-1])
            process.wait()
            if "message" in found:
                again = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env, check=True)
                found = {**json.loads(again.stdout.splitlines()[-1]), **found}
            return found
        finally:
            server.process.send_signal(signal.SIGCONT)
            server.kill()


def _away_part(away_s: float) -> list[str]:
    rows = []
    for way, seconds in (("killed", away_s), ("frozen", away_s), ("killed", TOO_LONG_S)):
        found = measure_away(way, seconds)
        rows.append(
            [
                way,
                f"{seconds:.0f}",
                f"{found['seconds']:.0f}",
                found.get("message", "its end").split(" (")[0],
                "yes" if found["equal"] else "NO",
                found["failures"],
                found["left"],
            ]
        )
    headers = [
        "database server",
        "away (s)",
        "run (s)",
        "came to",
        "equal to an undisturbed run",
        "failures",
        "documents left over",
    ]
    return [
        "# The database away in the middle",
        "",
        harness.describe_machine(),
        "",
        f"{REPLACED_CLIPS} clips; the server goes when {AWAY_AFTER} are done, and comes back. A run that ended with an "
        "error is followed by the same call with `skip_existing=True`.",
        "",
        harness.markdown_table(headers, [[str(cell) for cell in row] for row in rows]),
        "",
    ]


def _kills_part(all_kills: int, seed: int) -> list[str]:
    rows = []
    for replacing in (False, True):
        kills = all_kills // 2 + (all_kills % 2 if replacing else 0)
        with tempfile.TemporaryDirectory() as folder:
            found = harness.run_isolated(measure, folder=folder, kills=kills, replacing=replacing, seed=seed).result
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
    return [
        "# Killed at random moments",
        "",
        harness.describe_machine(),
        "",
        f"{REPLACED_CLIPS} clips to replace, {CLIPS_PER_KILL} per kill to fill; SIGKILL after a random time, then "
        f"the same call again; seed {seed}. Torn: the old tracks are gone and the new ones are not "
        "complete, once what every run does first was done.",
        "",
        harness.markdown_table(headers, [[str(cell) for cell in row] for row in rows]),
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--away", type=float, default=20.0, help="seconds without the database")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("DATASET", "MODE"), help=argparse.SUPPRESS)
    parser.add_argument("--child-away", nargs="+", metavar="PATH", help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    if arguments.child_away:
        away_child(arguments.child_away)
        return
    lines = _kills_part(arguments.kills, arguments.seed) if "kills" in arguments.parts else []
    lines += _away_part(arguments.away) if "away" in arguments.parts else []
    text = "\n".join(lines)
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
