"""A folder of videos from files to keypoints: what decoding, tracking and writing cost.

Runs against the configured FiftyOne database, on a dataset that is deleted
afterwards:

    python benchmarks/dataset_runs/end_to_end.py FOLDER [--tracker optical-flow] [--grid-size 30] [--output FILE]
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from point_tracking.benchmarks import harness

SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}


def _seconds(action) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure_parts(path: str, tracker_name: str, grid_size: int) -> dict:
    """Each part of one video's way on its own."""
    import fiftyone as fo

    import point_tracking as pt

    video = pt.VideoFrames(path)
    width, height = video.size_px
    decode = _seconds(lambda: sum(len(chunk) for chunk in video.chunks()))
    queries = pt.grid_queries(grid_size, width=width, height=height)
    tracker = pt.load_tracker(tracker_name)
    start = time.perf_counter()
    tracks = tracker.track(video, queries)
    track = time.perf_counter() - start
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=path))
    sample = dataset.first()
    write = _seconds(lambda: pt.write_tracks(sample, "tracks", tracks))
    dataset.delete()
    return {
        "size": f"{width} x {height}",
        "frames": tracks.num_frames,
        "decode": decode,
        "track": track,
        "write": write,
    }


def measure_folder(paths: list[str], tracker_name: str, grid_size: int) -> dict:
    """The whole folder through `track_dataset`."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    report = pt.track_dataset(dataset, tracker=tracker_name, grid_size=grid_size, progress=False)
    result = {
        "seconds": report.seconds,
        "frames": report.num_frames,
        "keypoints": report.num_keypoints,
        "failures": len(report.failures),
    }
    dataset.delete()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("POINT_TRACKING_VIDEO_DIR"))
    parser.add_argument("--tracker", default="optical-flow")
    parser.add_argument("--grid-size", type=int, default=30)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    if arguments.folder is None:
        print("end_to_end: no folder given and POINT_TRACKING_VIDEO_DIR is not set; skipped")
        return
    paths = sorted(str(p.resolve()) for p in Path(arguments.folder).iterdir() if p.suffix.lower() in SUFFIXES)
    if not paths:
        parser.error(f"there is no video in {arguments.folder}")
    options = {"tracker_name": arguments.tracker, "grid_size": arguments.grid_size}
    rows = []
    for path in paths:
        run = harness.run_isolated(measure_parts, path=path, **options)
        parts = run.result
        seconds = [f"{parts[name]:.2f}" for name in ("decode", "track", "write")]
        rows.append([Path(path).name, parts["size"], parts["frames"], *seconds, f"{run.peak_rss_mb:.0f}"])
    whole = harness.run_isolated(measure_folder, paths=paths, **options)
    headers = ["video", "size", "frames", "decode alone (s)", "track incl. decode (s)", "write (s)", "peak RSS (MiB)"]
    text = "\n".join(
        [
            "# A folder of videos, end to end",
            "",
            harness.describe_machine(),
            "",
            f"Tracker {arguments.tracker!r}, {arguments.grid_size**2} points per video.",
            "",
            harness.markdown_table(headers, rows),
            "",
            f"All of it through `track_dataset`: {whole.result['seconds']:.1f} s for {whole.result['frames']} frames "
            f"and {whole.result['keypoints']:,} keypoints, {whole.result['failures']} failures, "
            f"peak RSS {whole.peak_rss_mb:.0f} MiB.",
            "",
        ]
    )
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
