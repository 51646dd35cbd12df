"""What planning for many videos needs: throughput by workers of a Ray cluster, and bytes in the database.

python benchmarks/dataset_runs/scaling.py [--clips 24] [--output benchmarks/results/scaling.md]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from point_tracking.benchmarks import harness
from point_tracking.benchmarks.dataset_runs.pipeline import _clip

SIZE = (320, 240, 60)
GRID = 20
TRACKER = "optical-flow"


def measure_workers(paths: list[str], workers: int) -> dict[str, Any]:
    """The run on a local run (0), or on a cluster with so many workers."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset(persistent=True)
    dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    options: dict[str, Any] = {"progress": False, "tracker": TRACKER, "grid_size": GRID}
    first: list[float] = []
    if workers:
        import ray

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        options |= {"engine": "ray", "num_workers": workers, "progress": lambda p: first.append(time.perf_counter())}
    start = time.perf_counter()
    report = pt.track_dataset(dataset, **options)
    wall = time.perf_counter() - start
    # a cluster's workers start once per run: between its first and last sample is what a long run is like
    steady = first[-1] - first[0] if workers else wall
    frames = dataset._frame_collection
    stats = frames.database.command("collStats", frames.name)
    result = {
        "wall": wall,
        "steady": steady,
        "steady_clips": len(paths) - 1 if workers else len(paths),
        "failures": len(report.failures),
        "frames": report.num_frames,
        "keypoints": report.num_keypoints,
        "bytes": stats["size"],
        "disk_bytes": stats["storageSize"],
        "index_bytes": stats["totalIndexSize"],
    }
    dataset.delete()
    return result


def measure_layout(paths: list[str], layout: str) -> dict[str, Any]:
    """Bytes of a layout."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    report = pt.track_dataset(dataset, tracker=TRACKER, grid_size=GRID, layout=layout, progress=False)
    frames = dataset._frame_collection
    frames.database.client.admin.command("fsync")
    stats = frames.database.command("collStats", frames.name)
    result = {
        "frames": report.num_frames,
        "keypoints": report.num_keypoints,
        **{key: stats[key] for key in ("size", "storageSize", "totalIndexSize")},
    }
    dataset.delete()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [_clip(Path(folder, f"{k}.mp4"), *SIZE, seed=k) for k in range(arguments.clips)]
        runs = {w: harness.run_isolated(measure_workers, paths=paths, workers=w).result for w in (0, 1, 2)}
        layouts = {
            layout: harness.run_isolated(measure_layout, paths=paths[:4], layout=layout).result
            for layout in ("points", "frame")
        }
    rates = {w: r["steady_clips"] / r["steady"] for w, r in runs.items()}
    rows = [
        [
            "this process" if w == 0 else f"Ray, {w} worker{'s' if w > 1 else ''}",
            f"{r['wall']:.1f}",
            f"{rates[w]:.2f}",
            f"{rates[w] / rates[1]:.2f}",
            r["failures"],
        ]
        for w, r in runs.items()
    ]
    headers = ["where", "whole run (s)", "clips per second, once running", "share of 1 worker", "failures"]
    sizes = [
        [
            layout,
            f"{r['size'] / r['keypoints']:.0f}",
            f"{r['storageSize'] / r['keypoints']:.0f}",
            f"{r['totalIndexSize'] / r['frames']:.0f}",
            f"{r['keypoints'] / r['frames']:.0f}",
        ]
        for layout, r in layouts.items()
    ]
    size_headers = [
        "layout",
        "bytes per keypoint",
        "on disk, compressed",
        "index bytes per frame",
        "keypoints per frame",
    ]
    text = "\n".join(
        [
            "# Scaling",
            "",
            harness.describe_machine(),
            "",
            f"{arguments.clips} clips of {SIZE[0]} x {SIZE[1]}, {SIZE[2]} frames, optical flow, {GRID**2} points. "
            "OpenCV uses several cores in every process, so on a machine with few cores more workers share them.",
            "",
            harness.markdown_table(headers, [[str(cell) for cell in row] for row in rows]),
            "",
            "## In the database",
            "",
            harness.markdown_table(size_headers, sizes),
            "",
        ]
    )
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
