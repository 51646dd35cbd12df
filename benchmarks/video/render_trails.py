"""Frames per second and memory of drawing trails on a video: decoding, drawing and encoding.

The clip is generated: 640 x 360 H.264 with a moving texture; 400 points wander over it, one in ten hidden. Drawing
alone, without any file, is measured beside the whole.

    python benchmarks/video/render_trails.py [--frames 600] [--repeat 3] [--output results/render_trails.md]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from point_tracking.benchmarks.harness import (
    describe_machine,
    markdown_table,
    peak_rss_mb,
    reset_peak_rss,
    rss_mb,
    run_isolated,
)

SIZE = (640, 360)
FPS = 30
NUM_POINTS = 400
HIDDEN_SHARE = 0.1
GOAL_FPS = 60
# how much longer the clip is whose memory is compared
LONGER = 4


def make_clip(path: Path, num_frames: int) -> None:
    """Encodes a texture that moves to and fro, with a little noise."""
    import cv2
    import numpy as np

    from point_tracking.tracker.transcoding.encode import encode_video

    rng = np.random.default_rng(0)
    width, height = SIZE
    layers = [rng.random((height // s + 2, 3 * width // (2 * s) + 2, 3), np.float32) for s in (64, 16, 4)]
    texture = np.mean([cv2.resize(layer, (3 * width // 2, height)) for layer in layers], axis=0) * 255

    def picture(k: int) -> np.ndarray:
        left = round((0.5 - 0.5 * np.cos(k / 150 * 2 * np.pi)) * width / 2)
        noise = rng.normal(0, 3, (height, width, 1)).astype(np.float32)
        return np.clip(texture[:, left : left + width] + noise, 0, 255).astype(np.uint8)

    encode_video((picture(k) for k in range(num_frames)), path, fps=FPS, crf=21)


def make_tracks(num_frames: int) -> Any:
    """400 points that wander by about two pixels per frame; hidden ones keep their positions."""
    import numpy as np

    import point_tracking as pt

    rng = np.random.default_rng(1)
    start = rng.random((1, NUM_POINTS, 2)) * np.array(SIZE)
    far = start + np.cumsum(rng.normal(0, 1.6, (num_frames, NUM_POINTS, 2)), axis=0)
    sides = np.array(SIZE) - 1
    xy = sides - np.abs(far % (2 * sides) - sides)  # thrown back at the borders
    runs = rng.random((num_frames // 15 + 1, NUM_POINTS)) >= HIDDEN_SHARE
    visible = np.repeat(runs, 15, axis=0)[:num_frames]
    return pt.Tracks(xy=xy, visible=visible, confidence=np.ones(visible.shape))


def render_clip(path: str, num_frames: int, **options: Any) -> dict[str, float]:
    """The whole: a video with trails."""
    from point_tracking.tracker.rendering.options import TrailOptions
    from point_tracking.tracker.rendering.output import render

    fields = [("tracks", make_tracks(num_frames))] * options.pop("num_panes", 1)
    render(path, f"{path}.png", fields)  # imports, and codecs that are loaded once
    before_mb = rss_mb()
    reset_peak_rss()
    start, start_cpu = perf_counter(), process_time()
    made = render(path, f"{path}.trails.mp4", fields, TrailOptions(**options), overwrite=True)
    seconds, cpu_s = perf_counter() - start, process_time() - start_cpu
    Path(f"{path}.png").unlink()
    return {"frames": made.num_frames, "seconds": seconds, "cpu_s": cpu_s, "memory_mb": peak_rss_mb() - before_mb}


def draw_only(path: str, num_frames: int) -> dict[str, float]:
    """Drawing on one picture in memory, in one thread."""
    import cv2
    import numpy as np

    from point_tracking.tracker.rendering.colors import colors_of
    from point_tracking.tracker.rendering.trails import draw_trails

    cv2.setNumThreads(1)
    tracks = make_tracks(num_frames)
    frame, colors = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8), colors_of(tracks, "track")
    before_mb = rss_mb()
    reset_peak_rss()
    start, start_cpu = perf_counter(), process_time()
    for index in range(num_frames):
        draw_trails(frame, tracks, index, colors)
    seconds, cpu_s = perf_counter() - start, process_time() - start_cpu
    return {"frames": num_frames, "seconds": seconds, "cpu_s": cpu_s, "memory_mb": peak_rss_mb() - before_mb}


WAYS: dict[str, tuple[Any, dict[str, Any], int]] = {
    "drawing alone": (draw_only, {}, 1),
    "video, tail 15": (render_clip, {}, 1),
    "video, tail 15, coloured by speed": (render_clip, {"color_by": "speed"}, 1),
    "video, tail 60": (render_clip, {"tail": 60}, 1),
    "two fields side by side, tail 15": (render_clip, {"num_panes": 2}, 1),
    f"video, tail 15, {LONGER} times as long": (render_clip, {}, LONGER),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=600, help="length of the generated clip")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way; the fastest counts")
    parser.add_argument("--output", type=Path, help="write the table to this markdown file")
    arguments = parser.parse_args()
    best: dict[str, dict[str, float]] = {}
    slowest: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        clips = {times: Path(folder, f"clip{times}.mp4") for times in (1, LONGER)}
        for times, clip in clips.items():
            make_clip(clip, times * arguments.frames)
        for _ in range(arguments.repeat):  # in turn, so that a busy moment does not hit one way alone
            for name, (function, options, times) in WAYS.items():
                num_frames = times * arguments.frames
                result = run_isolated(function, path=str(clips[times]), num_frames=num_frames, **options).result
                if result["frames"] != num_frames:
                    raise SystemExit(f"{name} made {result['frames']} of {num_frames} frames")
                fps = result["frames"] / result["seconds"]
                slowest[name] = min(fps, slowest.get(name, fps))
                if name not in best or result["seconds"] < best[name]["seconds"]:
                    best[name] = result
    rows = [
        [
            name,
            round(result["frames"] / result["seconds"]),
            round(slowest[name]),
            f"{1000 * result['cpu_s'] / result['frames']:.1f}",
            round(result["memory_mb"]),
        ]
        for name, result in best.items()
    ]
    columns = ["what", "frames/s, fastest run", "slowest run", "CPU ms per frame", "peak memory above start (MiB)"]
    heading = (
        f"{arguments.frames} frames of {SIZE[0]} x {SIZE[1]}, H.264, {NUM_POINTS} points, {HIDDEN_SHARE:.0%} hidden "
        f"and drawn; {arguments.repeat} runs of each. Goal: {GOAL_FPS} frames/s with a tail of 15 on 2 cores. CPU time "
        "is that of all threads in the fastest run; it tells less of what else the machine does.\n"
    )
    text = f"# Trails\n\n{heading}\n{markdown_table(columns, rows)}\n\nMachine: {describe_machine()}.\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
