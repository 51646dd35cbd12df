"""FiftyOne's `apply_model` against our own `track_dataset`: the same tracker, the same clips, the same points.

Each way runs in a process of its own against the configured FiftyOne database,
on datasets that are deleted afterwards. Needs ffmpeg and ffprobe on the PATH:

    python benchmarks/dataset_runs/apply_model.py [--output benchmarks/results/apply_model.md]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from point_tracking.benchmarks import harness

SIZE_PX = (640, 360)
TRACKER = "optical-flow"
WAYS = {
    "track_dataset": ("track_dataset", "points"),
    "apply_model": ("apply_model", "points"),
    "apply_model, the model stores (store_in)": ("store_in", "points"),
    "track_dataset, layout 'frame'": ("track_dataset", "frame"),
    "apply_model, layout 'frame'": ("apply_model", "frame"),
    "apply_model, store_in, layout 'frame'": ("store_in", "frame"),
}


def make_clips(folder: str, num_clips: int, num_frames: int) -> list[str]:
    """Clips of a smooth random texture that moves."""
    import av
    import cv2

    width, height = SIZE_PX
    noise = np.random.default_rng(0).integers(0, 256, (height // 4 + 40, width // 4 + 40, 3), dtype=np.uint8)
    texture = cv2.resize(noise, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    paths = []
    for clip in range(num_clips):
        path = Path(folder) / f"{clip}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for k in range(num_frames):
                picture = texture[k : k + height, 2 * k : 2 * k + width]
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        paths.append(str(path))
    return paths


def measure(way: str, layout: str, paths: list[str], grid_size: int) -> dict[str, Any]:
    """Tracks the clips one way (in a process of its own).

    Returns:
        seconds, those of them beside tracking, MiB above the memory before, and a
        digest of what was stored
    """
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=path) for path in paths], progress=False)
    pt.fill_metadata(dataset)
    tracker = pt.load_tracker(TRACKER)
    tracking = _timed(tracker)
    options = {"grid_size": grid_size, "layout": layout}
    harness.reset_peak_rss()
    before, start = harness.rss_mb(), time.perf_counter()
    if way == "track_dataset":
        pt.track_dataset(dataset, "tracks", tracker=tracker, progress=False, **options)
    elif way == "store_in":
        model = pt.load_model(tracker, store_in="tracks", **options)
        dataset.apply_model(model, skip_failures=False, progress=False)
    else:
        dataset.apply_model(
            pt.load_model(tracker, **options), label_field="tracks", skip_failures=False, progress=False
        )
    seconds, memory = time.perf_counter() - start, harness.peak_rss_mb() - before
    points = dataset.values("frames.tracks.keypoints.points", unwind=True)
    positions = np.array([xy for keypoint in points for xy in keypoint], dtype=np.float64)
    dataset.delete()
    return {
        "seconds": seconds,
        "beside": seconds - sum(tracking),
        "memory": memory,
        "stored": len(positions),
        "digest": float(np.nansum(positions)),
    }


def _timed(tracker: Any) -> list[float]:
    """Notes how long each `track` of a tracker takes, decoding included."""
    spent: list[float] = []
    track = tracker.track

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        tracks = track(*arguments, **options)
        spent.append(time.perf_counter() - start)
        return tracks

    tracker.track = timed
    return spent


def table(paths: list[str], grid_size: int, repeats: int) -> str:
    """Measures every way and checks that all of a layout stored the same."""
    rows, digests = [], {}
    reference = None
    for name, (way, layout) in WAYS.items():
        runs = [
            harness.run_isolated(measure, way=way, layout=layout, paths=paths, grid_size=grid_size).result
            for _ in range(repeats)
        ]
        digests.setdefault(layout, set()).update((run["stored"], run["digest"]) for run in runs)
        # the machine may be busy: what is compared is the part that differs
        run = min(runs, key=lambda run: run["beside"])
        reference = reference or run
        share = f"{run['beside'] / reference['beside']:.1f}"
        rows.append([name, f"{run['beside']:.2f}", share, f"{run['seconds']:.1f}", f"{run['memory']:.0f}"])
    if any(len(found) > 1 for found in digests.values()):
        raise harness.BenchmarkError(f"the ways did not store the same: {digests}")
    headers = ["way", "seconds beside tracking", "as a multiple", "seconds in all", "MiB above before"]
    return harness.markdown_table(headers, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--grid-size", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=2, help="runs of each way; the fastest counts")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = make_clips(folder, arguments.clips, arguments.frames)
        measured = table(paths, arguments.grid_size, arguments.repeats)
    width, height = SIZE_PX
    text = "\n".join(
        [
            "# dataset.apply_model against track_dataset",
            "",
            f"{arguments.clips} clips of {arguments.frames} frames, {width} x {height}; {arguments.grid_size} x "
            f"{arguments.grid_size} points, tracker {TRACKER}; of {arguments.repeats} runs the one with the least time "
            "beside tracking (prompts, storing, FiftyOne's reader; decoding counts as tracking). All ways of a layout "
            "stored the same positions.",
            "",
            measured,
            "",
            f"Machine: {harness.describe_machine()}.",
            "",
        ]
    )
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
