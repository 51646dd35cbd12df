"""Frames per second and memory of drawing trails on a video: decoding, drawing and encoding.

The clip is generated: 640 x 360 H.264 with a moving texture; 400 points wander over it, one in ten hidden. Drawing
alone, without any file, is measured beside the whole; so are animated pictures, and runs over a dataset with one video
at a time and with several.

    python benchmarks/video/render_trails.py [--frames 600] [--repeat 3] [--clips 6] [--output FILE]
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
# videos at the same time in a run over a dataset
WORKERS = (1, 2)


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


def animate_clip(path: str, num_frames: int, suffix: str) -> dict[str, float]:
    """The whole: an animated picture of the default size and rate."""
    from point_tracking.tracker.rendering.output import render

    fields = [("tracks", make_tracks(num_frames))]
    render(path, f"{path}.png", fields, overwrite=True)  # imports
    start, start_cpu = perf_counter(), process_time()
    made = render(path, f"{path}{suffix}", fields, overwrite=True)
    seconds, cpu_s = perf_counter() - start, process_time() - start_cpu
    megabytes = Path(made.path).stat().st_size / 1e6
    return {"frames": num_frames, "kept": made.num_frames, "seconds": seconds, "cpu_s": cpu_s, "megabytes": megabytes}


def render_many(path: str, num_frames: int, num_clips: int, num_workers: int) -> dict[str, float]:
    """A run over a dataset of copies of the clip."""
    import fiftyone as fo

    import point_tracking as pt

    dataset = fo.Dataset()
    with tempfile.TemporaryDirectory() as folder:
        clips = [Path(folder, f"{k}.mp4") for k in range(num_clips)]
        for clip in clips:
            clip.hardlink_to(path)
        dataset.add_samples([fo.Sample(filepath=str(clip)) for clip in clips], progress=False)
        for sample in dataset:
            pt.write_tracks(sample, "tracks", make_tracks(num_frames), layout="frame", keep_hidden=False)
        options: dict[str, Any] = {"num_workers": num_workers, "progress": False}
        pt.render_dataset(dataset.limit(1), "tracks", Path(folder, "first"), **options)  # imports
        start, start_cpu = perf_counter(), process_time()
        report = pt.render_dataset(dataset, "tracks", Path(folder, "trails"), **options)
        seconds, cpu_s = perf_counter() - start, process_time() - start_cpu
    dataset.delete()
    if report.failures:
        raise SystemExit(report.failures[0].message)
    return {"frames": report.total("num_frames"), "seconds": seconds, "cpu_s": cpu_s}


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


ANIMATIONS = {f"animated picture, {suffix}": (animate_clip, {"suffix": suffix}, 1) for suffix in (".webp", ".gif")}


def many(num_clips: int) -> dict[str, tuple[Any, dict[str, Any], int]]:
    """The runs over a dataset, as `WAYS`."""
    told = {1: "one video at a time", **{number: f"{number} videos at a time" for number in WORKERS[1:]}}
    return {told[n]: (render_many, {"num_clips": num_clips, "num_workers": n}, 1) for n in WORKERS}


def measure(
    ways: dict[str, tuple[Any, dict[str, Any], int]], clips: dict[int, Path], num_frames: int, repeat: int
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Runs each way some times, in turn, so that a busy moment does not hit one way alone.

    Args:
        ways: name -> function, its arguments, and how much longer than the others its clip is
        clips: by that length
        num_frames: of the clip of length 1
        repeat: runs of each

    Returns:
        the fastest run of each way, and the frames per second of its slowest
    """
    best: dict[str, dict[str, float]] = {}
    slowest: dict[str, float] = {}
    for _ in range(repeat):
        for name, (function, options, times) in ways.items():
            arguments = {"path": str(clips[times]), "num_frames": times * num_frames, **options}
            result = run_isolated(function, **arguments).result
            wanted = times * num_frames * options.get("num_clips", 1)
            if result["frames"] != wanted:
                raise SystemExit(f"{name} made {result['frames']} of {wanted} frames")
            fps = result["frames"] / result["seconds"]
            slowest[name] = min(fps, slowest.get(name, fps))
            if name not in best or result["seconds"] < best[name]["seconds"]:
                best[name] = result
    return best, slowest


def figures(name: str, result: dict[str, float], slowest: dict[str, float]) -> list[Any]:
    """What all tables tell of a way."""
    fps, cpu_ms = result["frames"] / result["seconds"], 1000 * result["cpu_s"] / result["frames"]
    return [name, round(fps), round(slowest[name]), f"{cpu_ms:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=600, help="length of the generated clip")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way; the fastest counts")
    parser.add_argument("--clips", type=int, default=6, help="videos of a run over a dataset")
    parser.add_argument("--output", type=Path, help="write the tables to this markdown file")
    arguments = parser.parse_args()
    columns = ["what", "frames/s, fastest run", "slowest run", "CPU ms per frame"]
    with tempfile.TemporaryDirectory() as folder:
        clips = {times: Path(folder, f"clip{times}.mp4") for times in (1, LONGER)}
        for times, clip in clips.items():
            make_clip(clip, times * arguments.frames)
        told = (clips, arguments.frames, arguments.repeat)
        best, slowest = measure(WAYS, *told)
        single = [[*figures(name, one, slowest), round(one["memory_mb"])] for name, one in best.items()]
        best, slowest = measure(ANIMATIONS, *told)
        animated = [
            [*figures(name, one, slowest), round(one["kept"]), f"{one['megabytes']:.1f}"] for name, one in best.items()
        ]
        best, slowest = measure(many(arguments.clips), *told)
        first = next(iter(best.values()))["seconds"]
        several = [[*figures(name, one, slowest), f"{first / one['seconds']:.2f}"] for name, one in best.items()]
    parts = [
        "# Trails",
        f"{arguments.frames} frames of {SIZE[0]} x {SIZE[1]}, H.264, {NUM_POINTS} points, {HIDDEN_SHARE:.0%} hidden "
        f"and drawn; {arguments.repeat} runs of each. Goal: {GOAL_FPS} frames/s with a tail of 15 on 2 cores. CPU time "
        "is that of all threads in the fastest run; it tells less of what else the machine does.",
        markdown_table([*columns, "peak memory above start (MiB)"], single),
        "Animated pictures, 480 pixels wide and at most 12.5 frames per second where nothing else is asked for; frames "
        "of the source per second, and the size of the file (a texture with noise that moves everywhere is the worst "
        "case).",
        markdown_table([*columns, "frames kept", "MB"], animated),
        f"A run over a dataset (`render_dataset`) of {arguments.clips} such clips, each with its own tracks read from "
        "the database.",
        markdown_table([*columns, "times as fast"], several),
        f"Machine: {describe_machine()}.",
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
