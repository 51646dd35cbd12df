"""What trackers of others cost here on the CPU: stages against a plain form of the network, memory against the plan.

    python benchmarks/trackers/peers.py [--quick] [--parts speed memory points locotrack]

Runs the published sizes with pseudo-random weights: time and memory do not
depend on them. The plain form is that of the tests, written as the paper reads:
whole correlation volumes, up-sampling of every pixel in every iteration.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import Any

from point_tracking.benchmarks.harness import (
    describe_machine,
    markdown_table,
    peak_rss_mb,
    reset_peak_rss,
    rss_mb,
    run_isolated,
)
from point_tracking.benchmarks.trackers.cotracker import core_rates, release_free_memory, timed
from point_tracking.benchmarks.trackers.published_sizes import SIZE, make_model, read_frames

TESTS = Path(__file__).parents[2] / "tests"
PARTS = ("speed", "memory", "points", "locotrack")
ALLTRACKER_STAGES = ("encoder", "correlation", "motion encoder", "time", "space", "heads", "up-sampling")
# operations of the published network at 384 x 512: encoding a frame, and refining one of a window once
ENCODER_GFLOP = {"alltracker": 83, "alltracker-tiny": 33}
REFINE_GFLOP = 22.5
WINDOW = 16


@contextmanager
def watched_stages(model: Any) -> Iterator[dict[str, float]]:
    """CPU seconds of an AllTracker's stages for a while."""
    from point_tracking.tracker.models.alltracker import network
    from point_tracking.tracker.models.alltracker.update import TimeBlock

    totals: dict[str, float] = {}
    update = model.update_block
    model.encode = timed(totals, "encoder", model.encode)
    model.upsample = timed(totals, "up-sampling", model.upsample)
    model._run_head = timed(totals, "heads", model._run_head)
    update.motion_encoder.forward = timed(totals, "motion encoder", update.motion_encoder.forward)
    for block in update.refine:
        block.forward = timed(totals, "time" if isinstance(block, TimeBlock) else "space", block.forward)
    of = network._Correlations.of
    network._Correlations.of = timed(totals, "correlation", of)  # type: ignore[method-assign]
    try:
        yield totals
    finally:
        network._Correlations.of = of  # type: ignore[method-assign]


def load_alltracker(name: str, **options: Any) -> Any:
    """A tracker of such a network in the size of the frames."""
    from point_tracking.tracker.models.alltracker.options import AllTrackerOptions
    from point_tracking.tracker.models.alltracker.tracker import AllTrackerTracker

    return AllTrackerTracker(make_model(name), AllTrackerOptions(device="cpu", **options))


def queries_of(num_points: int, query_frames: int, num_frames: int) -> Any:
    """Random points, in frames that are spread over the clip."""
    import numpy as np

    import point_tracking as pt

    rng = np.random.default_rng(0)
    t = np.arange(num_points) % query_frames * max(num_frames // query_frames, 1)
    return pt.Queries(t=t, xy=rng.uniform(0, [SIZE[1] - 1, SIZE[0] - 1], (num_points, 2)))


def measure_clip(name: str, num_frames: int, num_points: int, iterations: int, dtype: str) -> dict:
    """One clip through the tracker: CPU seconds of each stage, and peak memory."""
    tracker = load_alltracker(name, iterations=iterations, dtype=dtype)
    frames, queries = read_frames(num_frames), queries_of(num_points, 1, num_frames)
    tracker.track(frames[:1], queries_of(4, 1, 1))  # libraries set themselves up
    rates = core_rates(dtype)
    release_free_memory()
    base = rss_mb()
    reset_peak_rss()
    start = process_time()
    with watched_stages(tracker.model) as totals:
        tracks = tracker.track(frames, queries)
    seconds, peak_mb = process_time() - start, peak_rss_mb() - base
    return {"seconds": seconds, "stages": totals, "peak_mb": peak_mb, "plan": tracks.info["plan"], "rates": rates}


def measure_plain(name: str, num_frames: int, num_points: int, iterations: int) -> dict:
    """The same clip through the plain form."""
    import numpy as np
    import torch

    sys.path.insert(0, str(TESTS))
    from plain_alltracker import PlainAllTracker  # pyright: ignore[reportMissingImports] - of the tests

    model, frames = PlainAllTracker(make_model(name)), read_frames(num_frames)
    queries = queries_of(num_points, 1, num_frames)
    rows = np.concatenate([queries.t[:, None], queries.xy.round()], axis=1).astype(int)
    totals: dict[str, float] = {}
    model.encode = timed(totals, "encoder", model.encode)
    model.correlations = timed(totals, "correlation", model.correlations)
    model.time_block = timed(totals, "time", model.time_block)
    with torch.inference_mode():
        model.encode(frames[:1])
        totals.clear()
        release_free_memory()
        base = rss_mb()
        reset_peak_rss()
        start = process_time()
        model.track(frames, rows, iterations, "last", backward=False)
    return {"seconds": process_time() - start, "stages": totals, "peak_mb": peak_rss_mb() - base}


def measure_memory(
    name: str, num_frames: int, num_points: int, query_frames: int, backward: bool, limit_gb: float | None
) -> dict:
    """Peak memory of one clip, one iteration, against what was planned."""
    tracker = load_alltracker(name, iterations=1, memory_limit_gb=limit_gb)
    frames = read_frames(num_frames)
    tracker.track(frames[:1], queries_of(4, 1, 1))
    release_free_memory()
    base = rss_mb()
    reset_peak_rss()
    tracks = tracker.track(frames, queries_of(num_points, query_frames, num_frames), backward=backward)
    return {"peak_mb": peak_rss_mb() - base, "plan": tracks.info["plan"]}


# name, frames, points, query frames, backward, memory limit in GiB
MEMORY = [
    ("alltracker", 3, 100, 1, False, None),
    ("alltracker", 16, 100, 1, False, None),
    ("alltracker", 24, 2500, 1, False, None),
    ("alltracker", 16, 100, 1, False, 0.5),
    ("alltracker", 16, 100, 1, False, 0.18),
    ("alltracker", 20, 100, 2, True, None),
    ("alltracker", 20, 100, 2, True, 0.25),
    ("alltracker-tiny", 16, 100, 1, False, None),
    ("alltracker-tiny", 16, 100, 1, False, 0.18),
]


def memory_table(cases: list[tuple]) -> str:
    """How well memory is foretold."""
    rows = []
    for name, num_frames, num_points, query_frames, backward, limit_gb in cases:
        found = run_isolated(
            measure_memory,
            name=name,
            num_frames=num_frames,
            num_points=num_points,
            query_frames=query_frames,
            backward=backward,
            limit_gb=limit_gb,
        ).result
        plan = found["plan"]
        kept = [what for what in ("clip", "volumes") if plan[f"keeps_{what}"]]
        rows.append(
            [
                name,
                f"{num_frames}, {num_points}, {query_frames}" + (", backward" if backward else ""),
                "free memory" if limit_gb is None else f"{limit_gb * 1024:.0f} MiB",
                ", ".join(kept) or "nothing",
                round(found["peak_mb"]),
                plan["estimated_mb"],
                f"{plan['estimated_mb'] / found['peak_mb']:.2f}",
            ]
        )
    headers = ["model", "T, N, query frames", "limit", "keeps", "measured", "planned", "planned / measured"]
    return markdown_table(headers, rows)


def speed_tables(names: list[str], num_frames: int, num_points: int, iterations: int) -> str:
    """Stages of ours and of the plain form, in CPU seconds."""
    size: dict[str, Any] = {"num_frames": num_frames, "num_points": num_points, "iterations": iterations}
    rows, shares = [], []
    for name in names:
        gflop = num_frames * ENCODER_GFLOP[name] + WINDOW * iterations * REFINE_GFLOP
        plain = run_isolated(measure_plain, name=name, **size).result
        for dtype in ("float32", "bfloat16"):
            found = run_isolated(measure_clip, name=name, dtype=dtype, **size).result
            total = found["seconds"]
            rows.append(
                [
                    name,
                    dtype,
                    f"{total:.1f}",
                    f"{plain['seconds']:.1f}",
                    f"{plain['seconds'] / total:.2f}x",
                    f"{gflop / total:.0f}",
                    f"{found['rates'][0] / 1e9:.0f}, {found['rates'][1] / 1e9:.0f}",
                    round(found["peak_mb"]),
                    round(plain["peak_mb"]),
                ]
            )
            shares.append([name, dtype, *(f"{found['stages'].get(stage, 0):.2f}" for stage in ALLTRACKER_STAGES)])
        shares.append(
            [name, "plain", *(f"{plain['stages'][s]:.2f}" if s in plain["stages"] else "-" for s in ALLTRACKER_STAGES)]
        )
    headers = [
        "model",
        "dtype",
        "s",
        "plain s",
        "plain / ours",
        "GFLOP/s",
        "products, convolutions GFLOP/s",
        "peak MiB",
        "plain peak MiB",
    ]
    return markdown_table(headers, rows) + "\n\n" + markdown_table(["model", "form", *ALLTRACKER_STAGES], shares)


POINT_STAGES = ("encoder", "first positions", "correlation", "mixer")


def load_point_model(name: str, **options: Any) -> Any:
    """TAPIR or LocoTrack at the published size, with the weights of the reference cases."""
    from point_tracking.tracker.models.locotrack.options import LocoTrackOptions
    from point_tracking.tracker.models.locotrack.tracker import LocoTrackTracker
    from point_tracking.tracker.models.tapir.options import TapirOptions
    from point_tracking.tracker.models.tapir.tracker import TapirTracker

    if name.startswith("locotrack"):
        return LocoTrackTracker(make_model(name), LocoTrackOptions(device="cpu", **options))
    return TapirTracker(make_model(name), TapirOptions(device="cpu", **options))


def measure_points(name: str, num_frames: int, num_points: int, dtype: str, limit_gb: float | None) -> dict:
    """One clip, points in all of its frames: CPU seconds of each stage, and peak memory."""
    tracker = load_point_model(name, dtype=dtype, memory_limit_gb=limit_gb)
    frames, queries = read_frames(num_frames), queries_of(num_points, num_frames, num_frames)
    tracker.track(frames[:1], queries_of(4, 1, 1))  # libraries set themselves up
    totals: dict[str, float] = {}
    model = tracker.model
    model.encode = timed(totals, "encoder", model.encode)
    model.start = timed(totals, "first positions", model.start)
    model._correlate = timed(totals, "correlation", model._correlate)
    model.torch_pips_mixer.forward = timed(totals, "mixer", model.torch_pips_mixer.forward)
    release_free_memory()
    base = rss_mb()
    reset_peak_rss()
    start = process_time()
    tracks = tracker.track(frames, queries)
    seconds, peak_mb = process_time() - start, peak_rss_mb() - base
    return {"seconds": seconds, "stages": totals, "peak_mb": peak_mb, "plan": tracks.info["plan"]}


def measure_locotrack(name: str, num_frames: int, num_points: int, repeats: int) -> dict:
    """LocoTrack's whole way and that of the plain form, in turn: the best CPU seconds, and peak memory of the first."""
    import numpy as np
    import torch

    sys.path.insert(0, str(TESTS))
    from plain_locotrack import PlainLocoTrack  # pyright: ignore[reportMissingImports] - of the tests

    tracker = load_point_model(name)
    plain = PlainLocoTrack(tracker.model)
    frames, queries = read_frames(num_frames), queries_of(num_points, num_frames, num_frames)
    rows = np.concatenate([queries.t[:, None], queries.xy], axis=1)
    tracker.track(frames[:1], queries_of(4, 1, 1))  # libraries set themselves up
    found: dict[str, float] = {}
    for _ in range(repeats):
        for form in ("ours", "plain"):
            release_free_memory()
            base = rss_mb()
            reset_peak_rss()
            start = process_time()
            with torch.inference_mode():
                tracker.track(frames, queries, backward=True) if form == "ours" else plain.track(frames, rows, 4)
            seconds = process_time() - start
            found[form] = min(seconds, found.get(form, seconds))
            found.setdefault(f"{form}_mb", peak_rss_mb() - base)
    return found


def locotrack_table(num_frames: int, num_points: int, repeats: int) -> str:
    """LocoTrack against the plain form, end to end."""
    rows = []
    for name in ("locotrack-base", "locotrack-small"):
        found = run_isolated(
            measure_locotrack, name=name, num_frames=num_frames, num_points=num_points, repeats=repeats
        ).result
        ours, plain = found["ours"], found["plain"]
        row = [name, f"{num_frames}, {num_points}", f"{ours:.1f}", f"{plain:.1f}", f"{plain / ours:.2f}x"]
        rows.append([*row, round(found["ours_mb"]), round(found["plain_mb"])])
    headers = ["model", "T, N", "s", "plain s", "plain / ours", "peak MiB", "plain peak MiB"]
    return markdown_table(headers, rows)


def points_table(cases: list[tuple]) -> str:
    """TAPIR and LocoTrack: stages in CPU seconds, memory as measured and as planned."""
    rows = []
    for name, num_frames, num_points, dtype, limit_gb in cases:
        found = run_isolated(
            measure_points,
            name=name,
            num_frames=num_frames,
            num_points=num_points,
            dtype=dtype,
            limit_gb=limit_gb,
        ).result
        planned = found["plan"]["estimated_mb"]
        rows.append(
            [
                name,
                dtype,
                f"{num_frames}, {num_points}",
                "free memory" if limit_gb is None else f"{limit_gb * 1024:.0f} MiB",
                f"{found['seconds']:.1f}",
                *(f"{found['stages'].get(stage, 0):.2f}" for stage in POINT_STAGES),
                round(found["peak_mb"]),
                planned,
                f"{planned / found['peak_mb']:.2f}",
            ]
        )
    headers = ["model", "dtype", "T, N", "limit", "s", *POINT_STAGES, "peak MiB", "planned", "planned / measured"]
    return markdown_table(headers, rows)


# name, frames, points, dtype, memory limit in GiB
POINTS = [
    ("bootstapir", 8, 400, "float32", None),
    ("bootstapir", 8, 400, "bfloat16", None),
    ("tapir", 8, 400, "float32", None),
    ("bootstapir-online", 8, 400, "float32", 0.1),
    ("locotrack-base", 8, 400, "float32", None),
    ("locotrack-base", 8, 400, "bfloat16", None),
    ("locotrack-small", 8, 400, "float32", None),
    ("tapir", 24, 50, "float32", None),
    ("locotrack-small", 24, 50, "float32", None),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the tiny model, one iteration")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    print(f"{describe_machine()}; one thread, CPU seconds, {SIZE[0]} x {SIZE[1]}\n")
    tables: dict[str, Callable[[], str]] = {
        "speed": lambda: (
            speed_tables(["alltracker-tiny"], 3, 100, 1)
            if given.quick
            else speed_tables(["alltracker", "alltracker-tiny"], 3, 400, 4)
        ),
        "memory": lambda: memory_table(MEMORY[-1:] if given.quick else MEMORY),
        "locotrack": lambda: locotrack_table(*((3, 50, 1) if given.quick else (4, 200, 3))),
        "points": lambda: points_table([("tapir", 3, 50, "float32", None)] if given.quick else POINTS),
    }
    for part in given.parts:
        print(f"## {part}\n\n{tables[part]()}\n", flush=True)


if __name__ == "__main__":
    main()
