"""CoTracker3 on a GPU: parity in every precision, seconds, stages, share of the matrix peak, memory against the plan.

    python benchmarks/cotracker_gpu.py [--sizes 150,2500 600,2500] [--dtypes bfloat16 tf32 float32] [--output FILE]

Needs torch, numpy, safetensors and huggingface_hub alone: neither FiftyOne nor
PyAV. Random weights, but for the parity cases of `tests/data/parity`. On a
machine without a GPU, `--device cpu --sizes 4,20 --no-parity` shows that it runs.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from cotracker import STAGES, watched_stages
from harness import describe_machine, markdown_table

SIZES = ["50,100", "50,900", "50,2500", "150,100", "150,900", "150,2500", "600,900", "600,2500"]
DTYPES = ["bfloat16", "tf32", "float32"]
ITERATIONS = 6
FRAME_SIZE = (512, 384)
_MATRIX = 8192


def synchronized() -> float:
    """The time once the GPU has done what it was given."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


def matrix_peak(device: str, dtype: str) -> float:
    """Operations per second of the fastest of a few products of two large matrices in a precision."""
    import torch

    from point_tracking.tracker.models.cotracker.precision import matrix_products

    side = _MATRIX if device.startswith("cuda") else 512
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16 if dtype == "bfloat16" else torch.float32)
    best = float("inf")
    with matrix_products(dtype):
        for _ in range(6):
            start = synchronized()
            torch.mm(a, a)
            best = min(best, synchronized() - start)
    return 2 * side**3 / best


def measure(device: str, dtype: str, num_frames: int, num_points: int, peak: float) -> dict[str, Any]:
    """One clip through the offline model: warm-up, a timed run, and a run that waits after every stage."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker import costs
    from point_tracking.tracker.models.cotracker.adapter import CoTrackerTracker
    from point_tracking.tracker.models.cotracker.model import CoTracker3

    torch.manual_seed(0)
    model = CoTracker3()
    tracker = CoTrackerTracker.from_model(model, device=device, dtype=dtype, support_grid=0, iterations=ITERATIONS)
    rng = np.random.default_rng(0)
    width, height = FRAME_SIZE
    frames = rng.integers(0, 255, (num_frames, height, width, 3), dtype=np.uint8)
    queries = pt.Queries(t=np.zeros(num_points, dtype=int), xy=rng.uniform(0, [width - 1, height - 1], (num_points, 2)))
    tracker.track(frames, queries)
    on_gpu = device.startswith("cuda")
    base = torch.cuda.memory_allocated() if on_gpu else 0
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    start = synchronized()
    tracks = tracker.track(frames, queries)
    seconds = synchronized() - start
    peak_bytes = torch.cuda.max_memory_allocated() - base if on_gpu else 0
    with watched_stages(model, synchronized) as stages:
        tracker.track(frames, queries)
    flops = num_frames * costs.encoder_flops(model.config)
    flops += ITERATIONS * costs.refine_flops(model.config, num_frames, num_points)
    return {
        "seconds": seconds,
        "stages": stages,
        "share": flops / seconds / peak,
        "peak_mb": peak_bytes / 2**20,
        "plan": tracks.info["plan"],
    }


def speed_rows(device: str, dtypes: list[str], sizes: list[str]) -> list[list[object]]:
    """A row per size and precision; a size that does not run says why."""
    rows: list[list[object]] = []
    for dtype in dtypes:
        peak = matrix_peak(device, dtype)
        for size in sizes:
            num_frames, num_points = (int(part) for part in size.split(","))
            found = measure(device, dtype, num_frames, num_points, peak)
            total = sum(found["stages"].values()) or 1.0
            planned = found["plan"]["estimated_mb"]
            rows.append(
                [
                    size,
                    dtype,
                    f"{found['seconds']:.3f}",
                    f"{peak / 1e12:.0f}",
                    f"{found['share']:.0%}",
                    *(f"{found['stages'].get(name, 0) / total:.0%}" for name in STAGES),
                    f"{found['peak_mb']:.0f}",
                    f"{planned}",
                    f"{planned / found['peak_mb']:.2f}" if found["peak_mb"] else "-",
                    found["plan"]["window_frames"],
                ]
            )
            print(rows[-1], flush=True)
    return rows


def parity_rows(device: str, dtypes: list[str]) -> list[list[object]]:
    """How far each precision is from the published outputs: float32 strictly, others within the loose bounds."""
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.checkpoint import build_model
    from point_tracking.tracker.models.cotracker.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE

    folder = Path(__file__).resolve().parents[1] / "tests" / "data" / "parity"
    spec = importlib.util.spec_from_file_location("parity", folder / "parity.py")
    assert spec is not None
    assert spec.loader is not None
    parity = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parity)
    kinds: dict[str, tuple[str, Any, dict[str, Any]]] = {
        "offline": ("cotracker3-offline", COTRACKER3_OFFLINE, {}),
        "windowed": ("cotracker3-online", COTRACKER3_ONLINE, {"windowed": True}),
        "online": ("cotracker3-online", COTRACKER3_ONLINE, {"support_grid": 0}),
        "v2": ("cotracker2", COTRACKER2, {}),
        "v2_online": ("cotracker2", COTRACKER2, {"windowed": False, "support_grid": 0}),
    }
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as name:
        for case_name in sorted(file.stem.removeprefix("case_") for file in folder.glob("*.npz")):
            case = parity.load_case(case_name)
            tracker_name, config, options = kinds[case["kind"]]
            checkpoint = Path(name) / f"{tracker_name}.pth"
            if not checkpoint.exists():
                torch.save(parity.make_weights(build_model(config).state_dict()), checkpoint)
            height, width = case["video"].shape[2:4]
            if case["queries"] is not None:
                queries = pt.point_queries(case["queries"][0].tolist())
            else:
                queries = pt.grid_queries(
                    case["params"]["grid_size"],
                    height=height,
                    width=width,
                    frame_index=case["params"].get("grid_query_frame", 0),
                    mask=None if case["mask"] is None else case["mask"][0, 0],
                )
            for dtype in dtypes:
                tracker = pt.load_tracker(tracker_name, checkpoint=checkpoint, device=device, dtype=dtype, **options)
                tracks = tracker.track(case["video"][0], queries, case["params"].get("backward_tracking", False))
                given = (tracks.xy[None], tracks.visible[None], case)
                bounds = {} if dtype == "float32" else {"tol_px": parity.LOOSE_PX, "vis_margin": 0.03}
                found = parity.compare(*given, **bounds)
                rows.append([case_name, dtype, "yes" if found["ok"] else "NO", str(found)])
                print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="frames,points")
    parser.add_argument("--dtypes", nargs="+", default=DTYPES)
    parser.add_argument("--no-parity", action="store_true")
    parser.add_argument("--output", type=Path, help="write the tables to this markdown file")
    given = parser.parse_args()
    import torch

    name = torch.cuda.get_device_name() if given.device.startswith("cuda") else "no GPU"
    parts = [f"# CoTracker3 on a GPU\n\n{name}, torch {torch.__version__}, {describe_machine()}"]
    if not given.no_parity:
        headers = ["case", "dtype", "holds", "measured"]
        parts.append("## Parity\n\n" + markdown_table(headers, parity_rows(given.device, given.dtypes)))
    headers = ["T, N", "dtype", "s", "peak TFLOP/s", "of it", *STAGES, "MiB", "planned", "planned / measured", "window"]
    rows = speed_rows(given.device, given.dtypes, given.sizes)
    parts.append("## Speed and memory, six iterations, 512 x 384\n\n" + markdown_table(headers, rows))
    text = "\n\n".join(parts) + "\n"
    print(text)
    if given.output:
        given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
