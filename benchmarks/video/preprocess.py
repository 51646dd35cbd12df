"""Preprocessing against the `ffmpeg` command line: the same frames, size, preset and quality, in one run.

Each way works in a process of its own on generated H.264 clips. `ffmpeg` is told
exactly the frames and times that our rule keeps. Where there is no `ffmpeg`, its
column is left out and that is said.

    python benchmarks/video/preprocess.py [--seconds 5 30 120 600] [--repeat 3] [--output results/preprocess.md]
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from point_tracking.benchmarks.harness import (
    describe_machine,
    markdown_table,
    peak_rss_mb,
    reset_peak_rss,
    run_isolated,
)

SIZE = (640, 360)
FPS = 30
LOOP_S = 10
PRESET, CRF, GOP = "veryfast", "18", "48"
# the rule of tutorials, and one that keeps every frame and only scales
CASES = {"auto": {"policy": {}, "longest_side": None}, "half size": {"policy": {"every_nth": 1}, "longest_side": 320}}


def make_clip(path: Path, seconds: int) -> None:
    """Encodes a camera that pans over a photo-like texture with noise; longer clips repeat the same ten seconds."""
    import av
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    width, height = SIZE
    layers = [rng.random((height // s + 2, 3 * width // (2 * s) + 2, 3), np.float32) for s in (64, 16, 4)]
    texture = np.mean([cv2.resize(layer, (3 * width // 2, height)) for layer in layers], axis=0) * 255
    frames = []
    for k in range(min(seconds, LOOP_S) * FPS):
        left = round((0.5 - 0.5 * np.cos(k / (LOOP_S * FPS) * 2 * np.pi)) * width / 2)
        noisy = texture[:, left : left + width] + rng.normal(0, 3, (height, width, 1)).astype(np.float32)
        frames.append(np.clip(noisy, 0, 255).astype(np.uint8))
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "21"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for k in range(seconds * FPS):
            frame = av.VideoFrame.from_ndarray(frames[k % len(frames)], format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def cpu_seconds(who: int) -> float:
    """Processor time of this process, or of those it started: less noisy than a clock on a busy machine."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def ours(source: str, target: str, policy: dict[str, Any], longest_side: int | None) -> dict[str, float]:
    """Our copy of one file."""
    from time import perf_counter

    from point_tracking.tracker.transcoding.policy import FramePolicy
    from point_tracking.tracker.transcoding.transcode import TranscodeOptions, transcode

    options = TranscodeOptions(FramePolicy(**policy), longest_side, preset=PRESET, crf=int(CRF))
    Path(target).unlink(missing_ok=True)  # or the copy of the run before would be reused
    reset_peak_rss()
    start, cpu_start = perf_counter(), cpu_seconds(resource.RUSAGE_SELF)
    made = transcode(source, target, options)
    seconds, cpu = perf_counter() - start, cpu_seconds(resource.RUSAGE_SELF) - cpu_start
    if made.reused:
        raise SystemExit("nothing was measured: a copy was reused")
    return {"seconds": seconds, "cpu": cpu, "memory_mb": peak_rss_mb(), "frames": len(made.provenance.frame_map)}


def command_line(source: str, target: str, policy: dict[str, Any], longest_side: int | None) -> dict[str, float]:
    """The same by ffmpeg: its filters choose the frames that our rule chooses, and place them at the same times."""
    from time import perf_counter

    from point_tracking import probe
    from point_tracking.tracker.transcoding.policy import FramePolicy, select_frames
    from point_tracking.tracker.transcoding.timeline import packet_timeline

    timeline = packet_timeline(probe(source))
    assert timeline is not None
    selection = select_frames(timeline, FramePolicy(**policy))
    filters = []
    if not policy:
        every_nth, fps = (3, 7) if timeline.duration_s > 10.001 else (1, 10)
        filters.append(f"select='not(mod(n,{every_nth}))',fps={fps}:round=near")
    if longest_side is not None:
        filters.append(f"scale={longest_side}:-2:flags=area")
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", source, "-an"]
    command += ["-vf", ",".join(filters)] if filters else []
    command += ["-c:v", "libx264", "-preset", PRESET, "-crf", CRF, "-g", GOP, "-pix_fmt", "yuv420p"]
    command += ["-movflags", "+faststart", target]
    start = perf_counter()
    subprocess.run(command, check=True)
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    found = probe(target).num_frames
    if abs(found - len(selection.frame_map)) > 1:
        raise SystemExit(f"ffmpeg kept {found} frames, we {len(selection.frame_map)}: the comparison is not fair")
    return {"seconds": seconds, "cpu": cpu_seconds(resource.RUSAGE_CHILDREN), "memory_mb": peak, "frames": found}


def many(sources: list[str], folder: str, workers: int, threads: int, processes: bool) -> list[float]:
    """Our copies of several files, so many at a time; returns the seconds, and those of the processor."""
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from functools import partial
    from multiprocessing import get_context
    from time import perf_counter

    from point_tracking.tracker.transcoding.transcode import transcode

    work = partial(transcode, threads=threads)
    warm_up = [str(Path(folder, f"warm-up-{k}.mp4")) for k in range(workers)]
    targets = [str(Path(folder, f"{k}.mp4")) for k in range(len(sources))]
    for target in (*warm_up, *targets):
        Path(target).unlink(missing_ok=True)  # or it would be reused
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if processes else ThreadPoolExecutor(workers)
    with pool:
        list(pool.map(work, sources[:workers], warm_up))
        start, cpu_start = perf_counter(), cpu_seconds(resource.RUSAGE_SELF)
        made = list(pool.map(work, sources, targets))
        seconds = perf_counter() - start
    if any(copy.reused for copy in made):
        raise SystemExit("nothing was measured: copies were reused")
    if processes:  # known only when they have ended; a part of it warmed them up
        return [seconds, cpu_seconds(resource.RUSAGE_CHILDREN) * len(sources) / (len(sources) + workers)]
    return [seconds, cpu_seconds(resource.RUSAGE_SELF) - cpu_start]


def compare_files(folder: Path, lengths: list[int], repeat: int) -> str:
    """The table of single files."""
    ways = {"ours": ours}
    if shutil.which("ffmpeg"):
        ways["ffmpeg"] = command_line
    else:
        print("There is no ffmpeg on the PATH: its column is left out.", file=sys.stderr)
    rows = []
    for seconds in lengths:
        clip = folder / f"{seconds}.mp4"
        make_clip(clip, seconds)
        for case, options in CASES.items():
            best: dict[str, Any] = {}
            for _ in range(repeat):  # in turn, so that a busy moment does not hit one way alone
                for name, function in ways.items():
                    target = str(folder / f"{name}.mp4")
                    result = run_isolated(function, source=str(clip), target=target, **options).result
                    best[name] = {key: min(value, best.get(name, result)[key]) for key, value in result.items()}
            mine, theirs = best["ours"], best.get("ffmpeg")
            rows.append(
                [
                    f"{seconds} s",
                    case,
                    f"{seconds * FPS} to {mine['frames']:.0f}",
                    f"{mine['seconds']:.2f}",
                    f"{theirs['seconds']:.2f}" if theirs else "no ffmpeg",
                    f"{mine['seconds'] / theirs['seconds']:.2f}" if theirs else "-",
                    f"{mine['cpu'] / theirs['cpu']:.2f}" if theirs else "-",
                    f"{mine['memory_mb']:.0f}",
                    f"{theirs['memory_mb']:.0f}" if theirs else "-",
                ]
            )
            print(rows[-1], file=sys.stderr)
    headers = [
        "clip",
        "rule",
        "frames",
        "ours (s)",
        "ffmpeg (s)",
        "ours / ffmpeg",
        "CPU ours / ffmpeg",
        "our MiB",
        "ffmpeg MiB",
    ]
    return markdown_table(headers, rows)


def compare_workers(folder: Path, repeat: int) -> str:
    """The table of several files at a time."""
    clip = folder / "many.mp4"
    make_clip(clip, 20)
    sources = []
    for k in range(8):
        sources.append(str(shutil.copy(clip, folder / f"many-{k}.mp4")))
    ways = {
        "one after the other, codecs' own threads": (1, 0, False),
        "2 threads, 1 codec thread each": (2, 1, False),
        "2 threads, 2 codec threads each (the default on 2 cores)": (2, 2, False),
        "2 threads, codecs' own threads": (2, 0, False),
        "2 processes, 1 codec thread each": (2, 1, True),
    }
    best: dict[str, Any] = {}
    for _ in range(repeat):
        for name, (workers, threads, processes) in ways.items():
            out = folder / "many"
            out.mkdir(exist_ok=True)
            arguments = {"workers": workers, "threads": threads, "processes": processes}
            times = run_isolated(many, sources=sources, folder=str(out), **arguments).result
            best[name] = [min(pair) for pair in zip(best.get(name, times), times, strict=True)]
    first, first_cpu = next(iter(best.values()))
    rows = [[name, f"{s:.2f}", f"{s / first:.2f}", f"{cpu / first_cpu:.2f}"] for name, (s, cpu) in best.items()]
    return markdown_table(["8 clips of 20 s", "seconds", "share of the first", "CPU share"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=int, nargs="+", default=[5, 30, 120, 600], help="lengths of the clips")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way; the fastest counts")
    parser.add_argument("--output", type=Path, help="write the tables to this markdown file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = compare_files(Path(name), arguments.seconds, arguments.repeat)
        workers = compare_workers(Path(name), arguments.repeat)
    text = (
        f"# Preprocessing\n\nGenerated {SIZE[0]} x {SIZE[1]} clips at {FPS} frames per second, H.264; x264 preset "
        f"{PRESET}, crf {CRF}, for both. The fastest of {arguments.repeat} runs; a ratio below 1 means that ours is "
        f"faster. Memory is the peak of the whole process, ours with Python.\n\n{files}\n\n"
        f"Several files at a time, rule auto:\n\n{workers}\n\nMachine: {describe_machine()}.\n"
    )
    print(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
