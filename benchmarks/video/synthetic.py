"""How fast training clips are made: sizes, threads and devices; every case in a process of its own.

The rate per second of processor time tells what a training run pays for its data on a
CPU that it shares; the rate by the clock is what is waited for. On a GPU, where there
is one, the clock counts to the end of its work.

    python benchmarks/video/synthetic.py [--seconds 8] [--threads 1] [--device cpu cuda] [--output results/synthetic.md]
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time

from point_tracking.benchmarks.harness import (
    describe_machine,
    markdown_table,
    peak_rss_mb,
    reset_peak_rss,
    run_isolated,
)

TEXTURES = 60
# name, options, clips per call on a CPU and on a GPU
CASES = {
    "8 x 96 x 128, 48 points": ({"height": 96, "width": 128, "num_frames": 8, "num_points": 48}, 4, 64),
    "12 x 96 x 128, 48 points": ({"height": 96, "width": 128, "num_frames": 12, "num_points": 48}, 4, 64),
    "pairs of 96 x 128, 160 points": ({"height": 96, "width": 128, "num_points": 160}, 8, 128),
    "18 x 192 x 256, 192 points": ({"height": 192, "width": 256, "num_frames": 18, "num_points": 192}, 2, 24),
    "24 x 256 x 384, 256 points": ({"height": 256, "width": 384, "num_frames": 24, "num_points": 256}, 1, 16),
}
# parts of the first case: what each kind of content costs
CONTENT = ("everything as usual", "flat layers only", "a figure in every clip", "motion blur in every clip")
PLAIN = {"ball": 0.0, "box": 0.0, "room": 0.0, "floor": 0.0, "figure": 0.0}
CHANGES = {CONTENT[1]: PLAIN, CONTENT[2]: {"figure": 1.0}, CONTENT[3]: {"motion_blur": 1.0}}


@dataclass(frozen=True)
class Rate:
    """Clips per second by the clock and per second of processor time, and the peak memory in MiB."""

    clock: float
    cpu: float
    memory_mb: float


def measure(case: str, device: str, threads: int, seconds: float, content: str = CONTENT[0]) -> dict[str, float]:
    """The rate of one case."""
    import torch

    from point_tracking.tracker.synthetic_video.config import SyntheticConfig
    from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, build_textures

    torch.set_num_threads(threads)
    options, cpu_batch, gpu_batch = CASES[case]
    batch = cpu_batch if device == "cpu" else gpu_batch
    config = SyntheticConfig(**{**options, **CHANGES.get(content, {})})
    renderer = ClipRenderer(config, device=device, seed=1, textures=build_textures(TEXTURES))
    make = renderer.pairs if "pairs" in case else renderer.clips

    def finish() -> None:
        if device != "cpu":
            torch.cuda.synchronize()

    make(batch)
    finish()
    reset_peak_rss()
    count, start, cpu_start = 0, perf_counter(), process_time()
    while perf_counter() - start < seconds:
        make(batch)
        count += batch
        finish()
    clock, cpu = perf_counter() - start, process_time() - cpu_start
    memory = peak_rss_mb() if device == "cpu" else torch.cuda.max_memory_allocated() / 2**20
    return asdict(Rate(count / clock, count / cpu, memory))


def run(case: str, device: str, threads: int, seconds: float, content: str = CONTENT[0]) -> Rate:
    arguments = {"case": case, "device": device, "threads": threads, "seconds": seconds, "content": content}
    return Rate(**run_isolated(measure, env={"OMP_NUM_THREADS": str(threads)}, **arguments).result)


def frames_of(case: str) -> int:
    return CASES[case][0].get("num_frames", 2)


def texture_seconds(count: int) -> float:
    """Time to draw textures."""
    from point_tracking.tracker.synthetic_video.renderer import build_textures

    start = process_time()
    build_textures(count)
    return process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8, help="per case")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--device", nargs="+", default=None, help="cpu, cuda; default: what there is")
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()

    import torch

    devices = options.device or (["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
    rows = []
    for case in CASES:
        for device in devices:
            for threads in options.threads if device == "cpu" else [1]:
                rate = run(case, device, threads, options.seconds)
                name = f"{threads} thread{'s' if threads > 1 else ''}" if device == "cpu" else device
                frames = f"{rate.clock * frames_of(case):.0f}"
                row = [case, name, f"{rate.clock:.1f}", f"{rate.cpu:.1f}", frames, f"{rate.memory_mb:.0f}"]
                rows.append(row)
                print(*row, sep=" | ", flush=True)
    first = next(iter(CASES))
    base, parts = None, []
    for content in CONTENT:
        rate = run(first, devices[0], 1, options.seconds, content)
        base = base or rate
        parts.append([content, f"{rate.cpu:.1f}", f"{base.cpu / rate.cpu:.2f}"])
        print(*parts[-1], sep=" | ", flush=True)
    headers = ["clips", "on", "clips/s", "clips per CPU second", "frames/s", "peak MiB"]
    text = "\n\n".join(
        [
            "# Synthetic video",
            "Clips are frames x height x width; "
            f"{TEXTURES} textures, everything else as in `SyntheticConfig`. On a GPU the memory is the GPU's.",
            markdown_table(headers, rows),
            f"What content costs ({first}, one thread):",
            markdown_table(["content", "clips per CPU second", "time, as a multiple"], parts),
            f"Drawing textures takes {texture_seconds(TEXTURES) / TEXTURES * 1e3:.0f} ms each (256 x 256), once.",
            f"Machine: {describe_machine()}.",
        ]
    )
    print(text)
    if options.output:
        options.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
