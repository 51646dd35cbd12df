"""How fast the trackers with a streaming session follow live video.

    python benchmarks/trackers/streaming.py --output benchmarks/results/streaming.md

A made-up video of 640 x 360 (a textured picture under a moving camera, things
passing in front) is pushed frame by frame with 100 points. Told are the frames per
second, the longest time a single push took, how many frames results are late, and
the memory: it must not grow with the video.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import cv2
import numpy as np

from point_tracking import load_tracker, point_queries
from point_tracking.benchmarks.harness import (
    describe_machine,
    markdown_table,
    peak_rss_mb,
    reset_peak_rss,
    run_isolated,
)
from point_tracking.tracker.synthetic_video.collages import make_collage

SIZE_PX, POINTS = (640, 360), 100
TRACKERS = ("pt-fused-2", "pt-small")


def pictures(seed: int = 0) -> list[np.ndarray]:
    """Smoothed noise with detail at several scales."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(4):
        image = np.zeros((480, 800, 3))
        for sigma in (1.5, 3.0, 8.0):
            noise = cv2.GaussianBlur(rng.normal(size=image.shape), (0, 0), sigma)
            image += noise / noise.std()
        made.append(np.clip(128 + 35 * image, 0, 255).astype(np.uint8))
    return made


def measure(name: str, num_frames: int) -> dict[str, Any]:
    """Pushes the video frame by frame; runs in a process of its own."""
    video = make_collage(pictures(), 3, num_frames=num_frames, size_px=SIZE_PX, num_points=2).video
    rng = np.random.default_rng(0)
    points = [(0, float(rng.uniform(20, 620)), float(rng.uniform(20, 340))) for _ in range(POINTS)]
    session: Any = load_tracker(name).open_session(SIZE_PX)
    session.add(point_queries(points))
    reset_peak_rss()
    late, done, slowest, halfway = 0, 0, 0.0, 0.0
    start, cpu = perf_counter(), process_time()
    for i, frame in enumerate(video):
        pushed = perf_counter()
        done += session.push(frame[None]).num_frames
        slowest, late = max(slowest, perf_counter() - pushed), max(late, i + 1 - done)
        if i == num_frames // 2:
            halfway = peak_rss_mb()
    seconds, cpu = perf_counter() - start, process_time() - cpu
    return {
        "seconds": seconds,
        "cpu": cpu,
        "slowest": slowest,
        "late": late,
        "halfway_mib": halfway,
        "peak_mib": peak_rss_mb(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--output", type=Path, help="markdown file for the table")
    given = parser.parse_args()
    rows = []
    for name in TRACKERS:
        one = run_isolated(measure, name=name, num_frames=given.frames).result
        rows.append(
            [
                name,
                f"{given.frames / one['seconds']:.1f}",
                f"{1e3 * one['cpu'] / given.frames:.0f}",
                f"{1e3 * one['slowest']:.0f}",
                one["late"],
                f"{one['halfway_mib']:.0f}",
                f"{one['peak_mib']:.0f}",
            ]
        )
    header = ("tracker", "frames/s", "CPU ms/frame", "slowest push, ms", "frames late", "MiB halfway", "MiB at the end")
    text = (
        f"# Live video\n\n{describe_machine()}\n\n{given.frames} frames of {SIZE_PX[0]} x {SIZE_PX[1]}, "
        f"{POINTS} points, pushed one by one.\n\n{markdown_table(header, rows)}\n"
    )
    print(text)
    if given.output is not None:
        given.output.write_text(text)


if __name__ == "__main__":
    main()
