"""The run of a dataset: how well reading, tracking and writing overlap, and whether memory stays constant.

Four questions, each answered by processes of their own on generated clips:

1. `decoding`: decode ahead in threads or in processes?
2. `overlap`: how close does the wall time of `track_dataset` come to that of its slowest stage alone?
3. `batching`: is a model faster where several short clips share a call?
4. `many`: does memory grow over 1,000 clips?

    python benchmarks/dataset_runs/pipeline.py [--parts batching] [--clips 1000] [--output pipeline.md]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from point_tracking.benchmarks import harness

# (number, width, height, frames): a folder as people have them
MIXED = [(1, 1280, 720, 30), (2, 640, 360, 60), (4, 320, 240, 40), (8, 160, 120, 24)]
TINY = (64, 48, 12)
GRID = 20
WORKERS = 2
# short clips that share a call of the model: number, frames, points, width, height
BATCH, BATCH_FRAMES, BATCH_POINTS, BATCH_SIZE = 4, 16, 64, (224, 160)
PARTS = ("decoding", "overlap", "batching", "many")


def _clip(path: Path, width: int, height: int, frames: int, seed: int) -> str:
    import av

    noise = np.random.default_rng(seed).integers(0, 255, (height // 4 + 20, width // 4 + 20, 3), dtype=np.uint8)
    texture = noise.repeat(4, axis=0).repeat(4, axis=1)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for t in range(frames):
            shift = t % 40
            view = np.ascontiguousarray(texture[shift // 2 : shift // 2 + height, shift : shift + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, format="rgb24")))
        container.mux(stream.encode())
    return str(path)


def make_mixed(folder: str) -> list[str]:
    """The mixed folder."""
    kinds = [(w, h, t) for number, w, h, t in MIXED for _ in range(number)]
    order = np.random.default_rng(0).permutation(len(kinds))
    return [_clip(Path(folder, f"{k}.mp4"), *kinds[i], seed=k) for k, i in enumerate(order.tolist())]


def make_tiny(folder: str, number: int) -> list[str]:
    """Small clips, a hundred of them different."""
    made = [_clip(Path(folder, f"{k}.mp4"), *TINY, seed=k) for k in range(min(number, 100))]
    paths = []
    for k in range(number):
        path = Path(folder, f"clip-{k}.mp4")
        path.hardlink_to(made[k % len(made)])
        paths.append(str(path))
    return paths


# threads or processes


def _decode(path: str) -> int:
    import point_tracking as pt

    return sum(len(chunk) for chunk in pt.VideoFrames(path).chunks())


def _decode_and_send(path: str) -> np.ndarray:
    import point_tracking as pt

    return np.concatenate(list(pt.VideoFrames(path).chunks()))


def measure_decoding(paths: list[str], way: str) -> float:
    """Seconds to have every frame in this process."""
    import point_tracking as pt

    list(pt.VideoFrames(paths[0]).chunks())  # first use
    if way == "one thread":
        start = time.perf_counter()
        for path in paths:
            _decode(path)
    elif way == "threads":
        with ThreadPoolExecutor(WORKERS) as threads:
            start = time.perf_counter()
            list(threads.map(_decode, paths))
    else:
        with ProcessPoolExecutor(WORKERS) as processes:
            list(processes.map(_decode, paths[:WORKERS]))
            start = time.perf_counter()
            for _ in processes.map(_decode_and_send, paths):
                pass
    return time.perf_counter() - start


# overlap


def _tracker(name: str, frame_s: float) -> Any:
    import point_tracking as pt
    from point_tracking.tracker.models.base import Tracker

    if name != "stand-in":
        return pt.load_tracker(name)

    class StandIn(Tracker):
        """Takes a fixed time per frame without using a core, as a model on a GPU does."""

        name = "stand-in"

        def first_reading(self, size_px, queries):
            return 0, size_px

        def _track(self, source, queries, backward, hooks):
            count = 0
            for chunk in source.chunks():
                time.sleep(frame_s * len(chunk))
                count += len(chunk)
                hooks.report(min(count / max(source.num_frames_hint, 1), 1.0))
            xy = np.repeat(queries.xy[None], count, axis=0)
            return pt.Tracks(xy=xy, visible=np.ones(xy.shape[:2], bool), confidence=np.ones(xy.shape[:2]))

    return StandIn()


def measure_alone(paths: list[str], tracker_name: str, frame_s: float) -> dict[str, float]:
    """Each stage on its own, one sample after the other: read, track frames that lie in memory, write."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    tracker = _tracker(tracker_name, frame_s)
    seconds = {"read": 0.0, "track": 0.0, "write": 0.0}
    for sample in dataset:
        start = time.perf_counter()
        video = pt.VideoFrames(sample.filepath)
        width, height = video.size_px
        queries = pt.grid_queries(GRID, width=width, height=height)
        frames = np.concatenate(list(video.chunks()))
        seconds["read"] += time.perf_counter() - start
        start = time.perf_counter()
        tracks = tracker.track(frames, queries)
        seconds["track"] += time.perf_counter() - start
        start = time.perf_counter()
        pt.write_tracks(sample, "tracks", tracks)
        seconds["write"] += time.perf_counter() - start
    dataset.delete()
    return seconds


def measure_run(paths: list[str], tracker_name: str, frame_s: float) -> dict[str, Any]:
    """The same through `track_dataset`."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    tracker = _tracker(tracker_name, frame_s)
    start = time.perf_counter()
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=GRID, progress=False)
    wall = time.perf_counter() - start
    assert not report.failures, report.failures
    dataset.delete()
    return {"wall": wall, "stages": report.stages}


# short clips together


def measure_batching(repeats: int) -> list[float]:
    """CPU seconds one by one over those in one batch, of pt-small on one thread."""
    import torch

    import point_tracking as pt
    from point_tracking.tracker.training.steps.unroll import encode_clips, unrolled_windows

    torch.set_num_threads(1)
    model: Any = pt.load_tracker("pt-small", device="cpu").model  # type: ignore[attr-defined]
    width, height = BATCH_SIZE
    chance = torch.Generator().manual_seed(0)
    video = torch.randint(0, 256, (BATCH, BATCH_FRAMES, 3, height, width), generator=chance, dtype=torch.uint8)
    query_xy = torch.rand(BATCH, BATCH_POINTS, 2, generator=chance) * torch.tensor([width - 1.0, height - 1.0])
    query_t = torch.zeros(BATCH, BATCH_POINTS, dtype=torch.int64)

    @torch.inference_mode()
    def seconds_of(clips: slice) -> float:
        start = time.process_time()
        maps = encode_clips(model, video[clips])
        for _ in unrolled_windows(model, maps, query_t[clips], query_xy[clips], model.config.iterations):
            pass
        return time.process_time() - start

    seconds_of(slice(0, 1))  # first use
    ratios = []
    for _ in range(repeats):
        alone = sum(seconds_of(slice(k, k + 1)) for k in range(BATCH))
        ratios.append(alone / seconds_of(slice(0, BATCH)))
    return ratios


# memory


def measure_many(paths: list[str]) -> dict[str, Any]:
    """A run over many clips; its peak memory along the way."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    peaks: dict[int, float] = {}

    def note(progress: Any) -> None:
        for mark in (100, 500, len(paths)):
            if progress.iteration >= mark and mark not in peaks:
                peaks[mark] = harness.peak_rss_mb()

    start = time.perf_counter()
    report = pt.track_dataset(dataset, tracker="optical-flow", grid_size=5, progress=note)
    wall = time.perf_counter() - start
    result = {
        "wall": wall,
        "peaks": {str(k): v for k, v in peaks.items()},
        "done": report.num_samples,
        "failures": len(report.failures),
        "keypoints": report.num_keypoints,
        "stages": report.stages,
    }
    dataset.delete()
    return result


def _overlap_table(paths: list[str]) -> str:
    rows = []
    for name, frame_s in (("optical-flow", 0.0), ("stand-in", 0.012), ("stand-in", 0.0)):
        arguments = {"paths": paths, "tracker_name": name, "frame_s": frame_s}
        alone = harness.run_isolated(measure_alone, **arguments).result
        run = harness.run_isolated(measure_run, **arguments).result
        slowest = max(alone.values())
        slowest_inside = max(use["seconds"] for use in run["stages"].values())
        label = name if name != "stand-in" else f"stand-in, {frame_s * 1000:.0f} ms per frame"
        rows.append(
            [
                label,
                *(f"{alone[stage]:.1f}" for stage in ("read", "track", "write")),
                f"{sum(alone.values()):.1f}",
                f"{run['wall']:.1f}",
                f"{run['wall'] / slowest:.2f}",
                f"{run['wall'] / slowest_inside:.2f}",
                f"{run['stages']['track']['utilisation']:.0%}",
            ]
        )
    headers = [
        "tracker",
        "read alone (s)",
        "track alone (s)",
        "write alone (s)",
        "all three (s)",
        "track_dataset (s)",
        "of the slowest alone",
        "of the slowest in the run",
        "tracker busy",
    ]
    return harness.markdown_table(headers, rows)


def _decoding_part(paths: list[str]) -> list[str]:
    ways = ("one thread", "threads", "processes")
    seconds = {way: harness.run_isolated(measure_decoding, paths=paths, way=way).result for way in ways}
    rows = [[way, f"{s:.2f}", f"{seconds['one thread'] / s:.2f}x"] for way, s in seconds.items()]
    frames = sum(number * t for number, _, _, t in MIXED)
    return [
        "## Decoding ahead: threads or processes",
        "",
        f"{len(paths)} clips of mixed sizes, {frames} frames, until every frame is in the process that tracks; "
        f"{WORKERS} at a time.",
        "",
        harness.markdown_table(["way", "seconds", "times faster"], rows),
        "",
    ]


def _overlap_part(paths: list[str]) -> list[str]:
    return [
        "## Overlap",
        "",
        f"The {len(paths)} clips of mixed sizes, {GRID**2} points each. Alone: each stage by itself, frames and tracks "
        "held in memory. Of the slowest: the run's wall time over that stage's, alone at another moment, or in the "
        "same run (which does not depend on how busy the machine was at either). The stand-in waits a fixed time per "
        "frame without using a core, as a model on a GPU does.",
        "",
        _overlap_table(paths),
        "",
    ]


def _batching_part() -> list[str]:
    ratios = sorted(harness.run_isolated(measure_batching, repeats=9).result)
    width, height = BATCH_SIZE
    return [
        "## Short clips in one batch",
        "",
        f"pt-small on one thread of the CPU, clips of {width} x {height}, {BATCH_FRAMES} frames, {BATCH_POINTS} "
        f"points: {BATCH} clips in one batch were {ratios[len(ratios) // 2]:.2f} times as fast as one after the other "
        f"(CPU time; median of {len(ratios)} repeats, {ratios[0]:.2f} to {ratios[-1]:.2f}). What a GPU gains was not "
        "measured.",
        "",
    ]


def _many_part(clips: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        many = harness.run_isolated(measure_many, paths=make_tiny(folder, clips)).result
    peaks = many["peaks"]
    growth = peaks[str(clips)] / peaks["100"] - 1 if "100" in peaks else float("nan")
    stages = ", ".join(f"{name} {use['seconds']:.1f} s" for name, use in many["stages"].items())
    return [
        f"## {clips:,} clips of {TINY[0]} x {TINY[1]}, {TINY[2]} frames",
        "",
        f"`track_dataset` with optical flow, 25 points: {many['wall']:.1f} s, {clips / many['wall']:.1f} clips per "
        f"second; {many['done']:,} done, {many['failures']} failures, {many['keypoints']:,} keypoints ({stages}).",
        "",
        "Peak RSS: "
        + ", ".join(f"{value:.0f} MiB at clip {key}" for key, value in peaks.items())
        + f" ({growth:+.1%} from clip 100 to the last).",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which questions to answer")
    parser.add_argument("--clips", type=int, default=1000, help="small clips of the memory run")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    text = ["# The run of a dataset", "", harness.describe_machine(), ""]
    with tempfile.TemporaryDirectory() as folder:
        mixed = make_mixed(folder) if {"decoding", "overlap"} & set(arguments.parts) else []
        parts = {
            "decoding": lambda: _decoding_part(mixed),
            "overlap": lambda: _overlap_part(mixed),
            "batching": _batching_part,
            "many": lambda: _many_part(arguments.clips),
        }
        for name in PARTS:
            if name in arguments.parts:
                text += parts[name]()
    print("\n".join(text))
    if arguments.output:
        arguments.output.write_text("\n".join(text))


if __name__ == "__main__":
    main()
