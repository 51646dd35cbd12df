"""What CoTracker costs on the CPU: stages, share of the matrix peak, memory against the plan, streaming.

    python benchmarks/cotracker.py [--quick] [--threads 1] [--plans-only]

Runs the published sizes with random weights: time and memory do not depend on
them. The published implementation is not run: its times stand in the table
`PUBLISHED`, measured on another core, and are compared through the share of the
matrix product's peak that both reach on their own core.
"""

from __future__ import annotations

import argparse
import ctypes
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

from harness import describe_machine, markdown_table, peak_rss_mb, reset_peak_rss, rss_mb, run_isolated

# (frames, points) -> seconds of a whole forward pass of six iterations of the published code, in float32
# on one core with 107 GFLOP/s of matrix peak
PUBLISHED = {(8, 100): 11.0, (12, 400): 35.1, (8, 2500): 114.0}
PUBLISHED_PEAK = 107e9
PUBLISHED_MB = {(8, 2500): 1974, (24, 100): 2030, (24, 400): 1989}
ITERATIONS = 6


def matrix_peak(repeats: int = 4) -> float:
    """Operations per CPU second of the fastest of a few products of two 1024 x 1024 float32 matrices."""
    import torch

    a = torch.randn(1024, 1024)
    best = float("inf")
    for _ in range(repeats):
        start = process_time()
        torch.mm(a, a)
        best = min(best, process_time() - start)
    return 2 * 1024**3 / best


def release_free_memory() -> None:
    """Gives memory that the allocator holds without using it back to the system, where it is glibc's."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def timed(totals: dict[str, float], stage: str, function: Callable) -> Callable:
    """A function that adds its CPU time to a stage."""

    def run(*args, **kwargs):
        start = process_time()
        result = function(*args, **kwargs)
        totals[stage] = totals.get(stage, 0.0) + process_time() - start
        return result

    return run


def measure_clip(num_frames: int, num_points: int, dtype: str, threads: int) -> dict:
    """One clip through the offline tracker, in this process: CPU time per stage, memory, plan."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker import costs, transformer
    from point_tracking.tracker.models.cotracker.adapter import CoTrackerTracker
    from point_tracking.tracker.models.cotracker.model import CoTracker3

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = CoTracker3()
    tracker = CoTrackerTracker.from_model(model, device="cpu", dtype=dtype, support_grid=0, iterations=ITERATIONS)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (num_frames, 96, 128, 3), dtype=np.uint8)

    def queries(count: int) -> pt.Queries:
        return pt.Queries(t=rng.integers(0, num_frames, count), xy=rng.uniform(0, [127, 95], (count, 2)), origin="grid")

    warm_up = queries(4)
    tracker.track(frames[:1], pt.Queries(t=np.zeros(4, dtype=int), xy=warm_up.xy))  # libraries set themselves up
    totals: dict[str, float] = {}
    model.encode = timed(totals, "encoder", model.encode)
    model._correlation = timed(totals, "correlation", model._correlation)
    model._embed = timed(totals, "tokens", model._embed)
    model.updateformer._exchange = timed(totals, "space", model.updateformer._exchange)
    transformer._over_time = timed(totals, "time", transformer._over_time)
    peaks = [matrix_peak()]
    release_free_memory()
    base = rss_mb()
    reset_peak_rss()
    start, wall = process_time(), perf_counter()
    tracks = tracker.track(frames, queries(num_points))
    seconds, wall = process_time() - start, perf_counter() - wall
    peak_mb = peak_rss_mb() - base
    peaks.append(matrix_peak())
    encoder_flops = num_frames * costs.encoder_flops(model.config)
    refine_flops = ITERATIONS * costs.refine_flops(model.config, num_frames, num_points)
    totals["correlation MLP, input"] = totals.pop("tokens") - totals["correlation"]
    return {
        "seconds": seconds,
        "wall": wall,
        "stages": totals,
        "peak": max(peaks),
        "encoder_share": encoder_flops / totals["encoder"] / max(peaks),
        "refine_share": refine_flops / (seconds - totals["encoder"]) / max(peaks),
        "share": (encoder_flops + refine_flops) / seconds / max(peaks),
        "flops": encoder_flops + refine_flops,
        "peak_mb": peak_mb,
        "estimated_mb": tracks.info["plan"]["estimated_mb"],
    }


def measure_plan(model_name: str, num_frames: int, num_points: int, backward: bool, limit_gb: float | None) -> dict:
    """Peak memory of one clip through any of the models, one iteration, against what was planned."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.adapter import CoTrackerTracker
    from point_tracking.tracker.models.cotracker.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE
    from point_tracking.tracker.models.cotracker.cotracker2 import CoTracker2
    from point_tracking.tracker.models.cotracker.model import CoTracker3

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = {
        "offline": lambda: CoTracker3(COTRACKER3_OFFLINE),
        "online": lambda: CoTracker3(COTRACKER3_ONLINE),
        "cotracker2": lambda: CoTracker2(COTRACKER2),
    }[model_name]()
    tracker = CoTrackerTracker.from_model(model, device="cpu", support_grid=0, iterations=1, memory_limit_gb=limit_gb)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (num_frames, 96, 128, 3), dtype=np.uint8)
    queries = pt.Queries(t=np.zeros(num_points, dtype=int), xy=rng.uniform(0, [127, 95], (num_points, 2)))
    if backward:
        queries = pt.Queries(t=np.full(num_points, num_frames // 2), xy=queries.xy)
    tracker.track(frames[:1], pt.Queries(t=np.zeros(4, dtype=int), xy=queries.xy[:4]))  # libraries set themselves up
    release_free_memory()
    base = rss_mb()
    reset_peak_rss()
    tracks = tracker.track(frames, queries, backward=backward)
    return {"peak_mb": peak_rss_mb() - base, "plan": tracks.info["plan"]}


# model, frames, points, backward, memory limit in GiB: what the plan has to cut in different ways
PLANS = [
    ("offline", 48, 100, False, 0.15),
    ("offline", 24, 900, False, 0.12),
    ("online", 24, 100, False, None),
    ("online", 24, 900, False, None),
    ("online", 40, 100, True, None),
    ("online", 40, 100, True, 0.2),
    ("cotracker2", 24, 100, False, None),
    ("cotracker2", 24, 900, False, None),
]


def plan_table(plans: list[tuple]) -> str:
    """How well memory is foretold for chained windows, the online models, and both directions."""
    rows = []
    for name, num_frames, num_points, backward, limit_gb in plans:
        found = run_isolated(
            measure_plan,
            model_name=name,
            num_frames=num_frames,
            num_points=num_points,
            backward=backward,
            limit_gb=limit_gb,
        ).result
        plan = found["plan"]
        rows.append(
            [
                name + (", backward" if backward else ""),
                f"{num_frames}, {num_points}",
                "free memory" if limit_gb is None else f"{limit_gb * 1024:.0f} MiB",
                plan["window_frames"],
                plan["points_per_pass"],
                round(found["peak_mb"]),
                plan["estimated_mb"],
                f"{plan['estimated_mb'] / found['peak_mb']:.2f}",
            ]
        )
    headers = ["model", "T, N", "limit", "window", "points at once", "measured", "planned", "planned / measured"]
    return markdown_table(headers, rows)


def measure_stream(num_points: int, threads: int) -> dict:
    """Steady state of a streaming session: CPU time per new frame, and memory after 2 and 6 windows."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.adapter import CoTrackerTracker
    from point_tracking.tracker.models.cotracker.config import COTRACKER3_ONLINE
    from point_tracking.tracker.models.cotracker.model import CoTracker3

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = CoTracker3(COTRACKER3_ONLINE)
    tracker = CoTrackerTracker.from_model(model, device="cpu", support_grid=0, iterations=ITERATIONS)
    totals: dict[str, float] = {}
    model.encode = timed(totals, "encoder", model.encode)
    session = tracker.open_session((128, 96))
    session.add(
        pt.Queries(t=np.zeros(num_points, dtype=int), xy=np.random.default_rng(0).uniform(0, 95, (num_points, 2)))
    )
    frames = np.random.default_rng(0).integers(0, 255, (8, 96, 128, 3), dtype=np.uint8)
    memory, seconds = [], 0.0
    for _ in range(4):
        totals.clear()
        start = process_time()
        session.push(frames)
        seconds = process_time() - start
        memory.append(rss_mb())
    return {
        "seconds_per_frame": seconds / 8,
        "encoder_per_frame": totals["encoder"] / 8,
        "growth_mb": memory[-1] - memory[1],
    }


def speed_row(num_frames: int, num_points: int, dtype: str, threads: int) -> tuple[list, list, list]:
    """Rows of the three tables about clips."""
    found = run_isolated(
        measure_clip, num_frames=num_frames, num_points=num_points, dtype=dtype, threads=threads
    ).result
    size = f"{num_frames}, {num_points}"
    published = PUBLISHED.get((num_frames, num_points))
    gain = "-"
    if published is not None and threads == 1:
        gain = f"{found['share'] / (found['flops'] / published / PUBLISHED_PEAK):.2f}x"
    speed = [
        size,
        dtype,
        f"{found['seconds']:.1f}",
        f"{found['peak'] / 1e9:.0f}",
        f"{found['encoder_share']:.0%}",
        f"{found['refine_share']:.0%}",
        f"{found['share']:.0%}",
        gain,
    ]
    total = found["seconds"]
    names = ("encoder", "correlation", "correlation MLP, input", "time", "space")
    stages = [size, dtype, *(f"{found['stages'].get(name, 0) / total:.0%}" for name in names)]
    other = PUBLISHED_MB.get((num_frames, num_points))
    memory = [
        size,
        dtype,
        round(found["peak_mb"]),
        found["estimated_mb"],
        f"{found['estimated_mb'] / found['peak_mb']:.2f}",
    ]
    return speed, stages, [*memory, str(other or "-")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plans-only", action="store_true", help="only compare memory plans with measured peaks")
    given = parser.parse_args()
    if given.plans_only:
        print(f"{describe_machine()}\n\n{plan_table(PLANS)}")
        return
    sizes = [(8, 100), (12, 400)] if given.quick else [(8, 100), (12, 400), (24, 100), (8, 2500), (48, 100)]
    dtypes = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    rows = [speed_row(*size, dtype, given.threads) for size in sizes for dtype in dtypes]
    print(f"{describe_machine()}; {given.threads} thread(s), CPU seconds\n")
    print("## Speed: offline model, six iterations, whole clip\n")
    headers = ["T, N", "dtype", "s", "peak GFLOP/s", "encoder", "iterations", "whole", "published / ours"]
    print(markdown_table(headers, [row[0] for row in rows]))
    print("\n## Where the time goes\n")
    headers = ["T, N", "dtype", "encoder", "correlation", "its MLP, input", "time", "space"]
    print(markdown_table(headers, [row[1] for row in rows]))
    print("\n## Memory above the loaded model, MiB\n")
    headers = ["T, N", "dtype", "measured", "planned", "planned / measured", "published"]
    print(markdown_table(headers, [row[2] for row in rows]))
    print("\n## Memory plans of windows and the other models, MiB above the loaded model\n")
    print(plan_table(PLANS[2:3] if given.quick else PLANS))
    print("\n## Streaming: cost of a new frame in the steady state, online model\n")
    counts = [100] if given.quick else [100, 400]
    streams = []
    for count in counts:
        found = run_isolated(measure_stream, num_points=count, threads=given.threads).result
        costs = (f"{found['seconds_per_frame']:.2f}", f"{found['encoder_per_frame']:.2f}")
        streams.append([count, *costs, f"{found['growth_mb']:.0f}"])
    print(markdown_table(["N", "s per frame", "of it encoder", "memory growth over 2 windows, MiB"], streams))


def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware."""
    info = Path("/proc/cpuinfo")
    return info.exists() and any(flag in info.read_text() for flag in ("avx512_bf16", "amx_bf16"))


if __name__ == "__main__":
    main()
