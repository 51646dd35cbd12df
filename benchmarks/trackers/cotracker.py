"""What CoTracker costs on the CPU: stages, share of the matrix peak, memory against the plan, streaming.

    python benchmarks/trackers/cotracker.py [--quick] [--threads 1] [--parts speed plans streaming]

Runs the published sizes with random weights: time and memory do not depend on
them. The published implementation is not run: its times stand in the table
`PUBLISHED`, measured on another core. To compare, they are scaled by how fast
both cores convolve and multiply.
"""

from __future__ import annotations

import argparse
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

# (frames, points) -> seconds of a whole forward pass of six iterations of the published code, in float32
# on one core with 107 GFLOP/s of matrix peak
PUBLISHED = {(8, 100): 11.0, (12, 400): 35.1, (8, 2500): 114.0}
PUBLISHED_PEAK = 107e9
PUBLISHED_ENCODER = 0.85  # of these seconds, per frame
PUBLISHED_MB = {(8, 2500): 1974, (24, 100): 2030, (24, 400): 1989}
ITERATIONS = 6
PARTS = ("speed", "plans", "streaming")


def core_rates(dtype: str = "float32", repeats: int = 4) -> tuple[float, float]:
    """Operations per CPU second that this core reaches in matrix products and in convolutions.

    The best of a few products of two 1024 x 1024 matrices, and of a few 3 x 3
    convolutions of 256 channels. Torch takes them from different libraries: on
    some CPUs one of these is more than twice as fast as the other.
    """
    import torch
    import torch.nn.functional as F

    kind = getattr(torch, dtype)
    a = torch.randn(1024, 1024).to(kind)
    x = torch.randn(1, 256, 96, 128).to(kind).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(256, 256, 3, 3).to(kind).contiguous(memory_format=torch.channels_last)

    def rate(operations: float, run: Callable[[], Any]) -> float:
        best = float("inf")
        for _ in range(repeats):
            start = process_time()
            run()
            best = min(best, process_time() - start)
        return operations / best

    with torch.inference_mode():
        convolutions = rate(2 * 9 * 256**2 * 96 * 128, lambda: F.conv2d(x, weight, padding=1))
        return rate(2 * 1024**3, lambda: torch.mm(a, a)), convolutions


def published_seconds(num_frames: int, num_points: int, products: float, convolutions: float) -> float | None:
    """What the published code would take on a core with these rates in float32, None where it was not measured.

    Its encoder is made of convolutions, the rest of matrix products.
    """
    total = PUBLISHED.get((num_frames, num_points))
    if total is None:
        return None
    encoder = PUBLISHED_ENCODER * num_frames
    return PUBLISHED_PEAK * (encoder / convolutions + (total - encoder) / products)


def release_free_memory() -> None:
    """Gives memory that the allocator holds without using it back to the system, where it is glibc's."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


STAGES = ("encoder", "correlation", "correlation MLP, input", "time", "space")


def timed(
    totals: dict[str, float], stage: str, function: Callable, clock: Callable[[], float] = process_time
) -> Callable:
    """A function that adds its time to a stage."""

    def run(*args, **kwargs):
        start = clock()
        result = function(*args, **kwargs)
        totals[stage] = totals.get(stage, 0.0) + clock() - start
        return result

    return run


@contextmanager
def watched_stages(model: Any, clock: Callable[[], float] = process_time) -> Iterator[dict[str, float]]:
    """Measures a CoTracker3's stages for a while.

    Yields:
        seconds of each of `STAGES`, complete at the end of the block
    """
    from point_tracking.tracker.models.cotracker.network import transformer

    totals: dict[str, float] = {}
    over_time = transformer._over_time
    model.encode = timed(totals, "encoder", model.encode, clock)
    model._correlation = timed(totals, "correlation", model._correlation, clock)
    model._embed = timed(totals, "tokens", model._embed, clock)
    model.updateformer._exchange = timed(totals, "space", model.updateformer._exchange, clock)
    transformer._over_time = timed(totals, "time", over_time, clock)
    try:
        yield totals
    finally:
        transformer._over_time = over_time
        for watched, name in ((model, "encode"), (model, "_correlation"), (model, "_embed")):
            delattr(watched, name)
        del model.updateformer._exchange
    totals["correlation MLP, input"] = totals.pop("tokens", 0.0) - totals.get("correlation", 0.0)


def measure_clip(num_frames: int, num_points: int, dtype: str, threads: int) -> dict:
    """One clip through the offline tracker, in this process: CPU time per stage, memory, plan."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.network.model import CoTracker3
    from point_tracking.tracker.models.cotracker.running import costs
    from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

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
    rates = [(*core_rates(), *core_rates(dtype))]
    release_free_memory()
    base = rss_mb()
    reset_peak_rss()
    start, wall = process_time(), perf_counter()
    with watched_stages(tracker.model) as totals:
        tracks = tracker.track(frames, queries(num_points))
    seconds, wall = process_time() - start, perf_counter() - wall
    peak_mb = peak_rss_mb() - base
    rates.append((*core_rates(), *core_rates(dtype)))
    products32, convolutions32, products, convolutions = (max(column) for column in zip(*rates, strict=True))
    peak = max(products, convolutions)
    published = published_seconds(num_frames, num_points, products32, convolutions32)
    encoder_flops = num_frames * costs.encoder_flops(model.config)
    refine_flops = ITERATIONS * costs.refine_flops(model.config, num_frames, num_points)
    return {
        "seconds": seconds,
        "wall": wall,
        "stages": totals,
        "products": products,
        "convolutions": convolutions,
        "gain": None if published is None else published / seconds,
        "encoder_share": encoder_flops / totals["encoder"] / peak,
        "refine_share": refine_flops / (seconds - totals["encoder"]) / peak,
        "share": (encoder_flops + refine_flops) / seconds / peak,
        "peak_mb": peak_mb,
        "estimated_mb": tracks.info["plan"]["estimated_mb"],
    }


def measure_plan(model_name: str, num_frames: int, num_points: int, backward: bool, limit_gb: float | None) -> dict:
    """Peak memory of one clip through any of the models, one iteration, against what was planned."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.network.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE
    from point_tracking.tracker.models.cotracker.network.cotracker2 import CoTracker2
    from point_tracking.tracker.models.cotracker.network.model import CoTracker3
    from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

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
    ("offline", 48, 100, False, 0.2),
    ("offline", 24, 900, False, 0.28),
    ("online", 24, 100, False, None),
    ("online", 24, 900, False, None),
    ("online", 40, 100, True, None),
    ("online", 40, 100, True, 0.26),
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


def measure_stream(num_points: int, threads: int, iterations: int, windows: int) -> dict:
    """Steady state of a streaming session: CPU time per new frame in the last of some windows, and its memory."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_ONLINE
    from point_tracking.tracker.models.cotracker.network.model import CoTracker3
    from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = CoTracker3(COTRACKER3_ONLINE)
    tracker = CoTrackerTracker.from_model(model, device="cpu", support_grid=0, iterations=iterations)
    totals: dict[str, float] = {}
    model.encode = timed(totals, "encoder", model.encode)
    session = tracker.open_session((128, 96))
    session.add(
        pt.Queries(t=np.zeros(num_points, dtype=int), xy=np.random.default_rng(0).uniform(0, 95, (num_points, 2)))
    )
    frames = np.random.default_rng(0).integers(0, 255, (8, 96, 128, 3), dtype=np.uint8)
    memory, seconds = [], 0.0
    for _ in range(windows + 1):
        totals.clear()
        start = process_time()
        session.push(frames)
        seconds = process_time() - start
        release_free_memory()  # or what the allocator happens to hold hides what the session keeps
        memory.append(rss_mb())
    return {"seconds_per_frame": seconds / 8, "encoder_per_frame": totals["encoder"] / 8, "memory_mb": memory}


# windows after which a session's memory is compared: the first ones still fill what is kept between calls
GROWTH_FROM, GROWTH_TO = 5, 11


def stream_row(num_points: int, threads: int) -> list[object]:
    """A row of the table about sessions; memory with one iteration, which takes as much as six."""

    def measured(iterations: int, windows: int) -> dict:
        return run_isolated(
            measure_stream, num_points=num_points, threads=threads, iterations=iterations, windows=windows
        ).result

    found, memory = measured(ITERATIONS, windows=2), measured(1, windows=GROWTH_TO)["memory_mb"]
    return [
        num_points,
        f"{found['seconds_per_frame']:.2f}",
        f"{found['encoder_per_frame']:.2f}",
        f"{memory[GROWTH_TO] - memory[GROWTH_FROM]:.1f}",
    ]


def speed_row(num_frames: int, num_points: int, dtype: str, threads: int) -> tuple[list, list, list]:
    """Rows of the three tables about clips."""
    found = run_isolated(
        measure_clip, num_frames=num_frames, num_points=num_points, dtype=dtype, threads=threads
    ).result
    size = f"{num_frames}, {num_points}"
    gain = "-" if found["gain"] is None or threads > 1 else f"{found['gain']:.2f}x"
    speed = [
        size,
        dtype,
        f"{found['seconds']:.1f}",
        f"{found['products'] / 1e9:.0f}",
        f"{found['convolutions'] / 1e9:.0f}",
        f"{found['encoder_share']:.0%}",
        f"{found['refine_share']:.0%}",
        f"{found['share']:.0%}",
        gain,
    ]
    total = found["seconds"]
    stages = [size, dtype, *(f"{found['stages'].get(name, 0) / total:.0%}" for name in STAGES)]
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
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=" ".join(PARTS))
    given = parser.parse_args()
    print(f"{describe_machine()}; {given.threads} thread(s), CPU seconds")
    if "speed" in given.parts:
        print_speed(given.quick, given.threads)
    if "plans" in given.parts:
        print("\n## Memory plans of windows and the other models, MiB above the loaded model\n")
        print(plan_table(PLANS[2:3] if given.quick else PLANS))
    if "streaming" in given.parts:
        print("\n## Streaming: cost of a new frame in the steady state, online model\n")
        counts = [100] if given.quick else [100, 400]
        growth = f"memory growth from window {GROWTH_FROM} to {GROWTH_TO}, MiB"
        headers = ["N", "s per frame", "of it encoder", growth]
        print(markdown_table(headers, [stream_row(count, given.threads) for count in counts]))


def print_speed(quick: bool, threads: int) -> None:
    """The three tables about clips."""
    sizes = [(8, 100), (12, 400)] if quick else [(8, 100), (12, 400), (24, 100), (8, 2500), (48, 100)]
    dtypes = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    rows = [speed_row(*size, dtype, threads) for size in sizes for dtype in dtypes]
    print("\n## Speed: offline model, six iterations, whole clip\n")
    rates = ["products GFLOP/s", "convolutions GFLOP/s"]
    headers = ["T, N", "dtype", "s", *rates, "encoder", "iterations", "whole", "published / ours"]
    print(markdown_table(headers, [row[0] for row in rows]))
    print("\n## Where the time goes\n")
    headers = ["T, N", "dtype", "encoder", "correlation", "its MLP, input", "time", "space"]
    print(markdown_table(headers, [row[1] for row in rows]))
    print("\n## Memory above the loaded model, MiB\n")
    headers = ["T, N", "dtype", "measured", "planned", "planned / measured", "published"]
    print(markdown_table(headers, [row[2] for row in rows]))


def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware."""
    info = Path("/proc/cpuinfo")
    return info.exists() and any(flag in info.read_text() for flag in ("avx512_bf16", "amx_bf16"))


if __name__ == "__main__":
    main()
