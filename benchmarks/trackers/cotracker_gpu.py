"""CoTracker3 on a GPU: parity in every precision, seconds, stages, share of the matrix peak, memory, streaming.

    python benchmarks/trackers/cotracker_gpu.py [--sizes 150,2500] [--dtypes bfloat16 tf32 float32] [--output FILE]
        [--product-first] [--no-parity] [--streams 100 900 2500] [--memory-fractions 0.1 0.02]

To be decided with it, on a GPU:
- `--product-first` against the plain order (`correlation.correlate`): fewer passes over memory for a third more
  products. A fused kernel of gathering, product and blending would take the place of that function.
- The matrices of a correlation have sides of 49 (positions) and 2401 (49 ** 2, the depth of the MLP's first layer):
  no multiples of 8, which tensor cores of some GPUs want in bfloat16. Whether padding to 56 and 2408 pays depends on
  the GPU and its libraries; the columns `correlation` and `correlation MLP, input` show what there is to win.
- Where N is small, time goes into starting kernels: compare (150, 100) with (150, 2500).

Needs torch, numpy, safetensors and huggingface_hub alone: neither FiftyOne nor
PyAV. Random weights, but for the parity cases of `tests/data/parity`. On a
machine without a GPU, `--device cpu --sizes 4,20 --dtypes float32 --streams 4 --no-parity` shows that it runs.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from point_tracking.benchmarks.harness import describe_machine, markdown_table
from point_tracking.benchmarks.trackers.cotracker import STAGES, watched_stages

SIZES = ["50,100", "50,900", "50,2500", "150,100", "150,900", "150,2500", "600,900", "600,2500"]
DTYPES = ["bfloat16", "tf32", "float32"]
STREAMS = [100, 900, 2500]
FRACTIONS = [0.1, 0.02]
ITERATIONS = 6
FRAME_SIZE = (512, 384)
_MATRIX = 8192

Rows = Iterable[tuple[list[object], Callable[[], list[object]]]]
"""Of a table: the first cells of each, which are known before, and what measures all of them."""


def synchronized() -> float:
    """The time once the GPU has done what it was given."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


def matrix_peak(device: str, dtype: str) -> float:
    """Operations per second of the fastest of a few products of two large matrices in a precision."""
    import torch

    from point_tracking.tracker.models.shared.precision import matrix_products

    side = _MATRIX if device.startswith("cuda") else 512
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16 if dtype == "bfloat16" else torch.float32)
    best = float("inf")
    with matrix_products(dtype, torch.device(device)):
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
    from point_tracking.tracker.models.cotracker.network.model import CoTracker3
    from point_tracking.tracker.models.cotracker.running import costs
    from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

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
    with watched_stages(tracker.model, synchronized) as stages:
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


def speed_row(device: str, dtype: str, size: str, peak: float) -> list[object]:
    """The row of one size in one precision."""
    num_frames, num_points = (int(part) for part in size.split(","))
    found = measure(device, dtype, num_frames, num_points, peak)
    total = sum(found["stages"].values()) or 1.0
    planned = found["plan"]["estimated_mb"]
    return [
        size,
        dtype,
        f"{found['seconds']:.3f}",
        f"{peak / 1e12:.0f}",
        f"{found['share']:.0%}",
        *(f"{found['stages'].get(name, 0) / total:.0%}" for name in STAGES),
        f"{found['peak_mb']:.0f}",
        f"{planned}",
        f"{planned / found['peak_mb']:.2f}" if found["peak_mb"] else "-",
        f"{found['plan']['window_frames']}",
    ]


def stream_row(device: str, dtype: str, num_points: int) -> list[object]:
    """Steady state of a session of the online model: milliseconds per new frame, pushed half a window at a time."""
    import numpy as np
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_ONLINE
    from point_tracking.tracker.models.cotracker.network.model import CoTracker3
    from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

    torch.manual_seed(0)
    model = CoTracker3(COTRACKER3_ONLINE)
    tracker = CoTrackerTracker.from_model(model, device=device, dtype=dtype, support_grid=0, iterations=ITERATIONS)
    session = tracker.open_session(FRAME_SIZE)
    rng = np.random.default_rng(0)
    width, height = FRAME_SIZE
    session.add(
        pt.Queries(t=np.zeros(num_points, dtype=int), xy=rng.uniform(0, [width - 1, height - 1], (num_points, 2)))
    )
    step = COTRACKER3_ONLINE.step
    frames = rng.integers(0, 255, (step, height, width, 3), dtype=np.uint8)
    for _ in range(3):
        session.push(frames)
    runs = 5 if device.startswith("cuda") else 1
    start = synchronized()
    for _ in range(runs):
        session.push(frames)
    seconds = (synchronized() - start) / runs
    return [str(num_points), dtype, f"{1000 * seconds / step:.1f}", f"{step / seconds:.0f}"]


def scarce_row(device: str, dtype: str, size: str, fraction: float) -> list[object]:
    """What happens where memory looks free but is not: torch may use a share of it that the plan knows nothing of."""
    import torch

    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(fraction)
    try:
        num_frames, num_points = (int(part) for part in size.split(","))
        found = measure(device, dtype, num_frames, num_points, peak=1.0)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    plan = found["plan"]
    names = ("window_frames", "points_per_pass", "mlp_tokens", "block_tokens", "estimated_mb")
    allowed = fraction * torch.cuda.get_device_properties(device).total_memory / 2**20
    return [size, dtype, f"{allowed:.0f}", f"{found['peak_mb']:.0f}", *(str(plan[name]) for name in names)]


class Report:
    """Tables in a file that is written anew after every row, so that nothing measured is lost."""

    def __init__(self, title: str, path: Path | None) -> None:
        self._parts = [title]
        self._path = path

    def table(self, title: str, headers: list[str], rows: Rows) -> None:
        """Adds a table row by row; of one that cannot be measured it shows what it is about and why.

        Args:
            title: above the table
            headers: of its columns
            rows: the first cells of each, and what measures it
        """
        done: list[list[object]] = []
        self._parts.append("")
        for known, measure_row in rows:
            try:
                row = measure_row()
            except Exception as error:  # noqa: BLE001 - the other rows are still worth measuring; the row says why
                row = [*known, f"{type(error).__name__}: {str(error).splitlines()[0][:90] if str(error) else ''}"]
                row += ["-"] * (len(headers) - len(row))
            done.append(row)
            print(row, flush=True)
            self._parts[-1] = f"## {title}\n\n{markdown_table(headers, done)}"
            if self._path is not None:
                self._path.write_text(str(self), encoding="utf-8")

    def __str__(self) -> str:
        return "\n\n".join(self._parts) + "\n"


def parity_rows(device: str, dtypes: list[str], folder: Path) -> Rows:
    """How far each precision is from the published outputs: float32 strictly, others within the loose bounds."""
    import torch

    import point_tracking as pt
    from point_tracking.tracker.models.cotracker.network.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE
    from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model

    cases = Path(__file__).resolve().parents[2] / "tests" / "data" / "parity"
    spec = importlib.util.spec_from_file_location("parity", cases / "parity.py")
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

    def row(case_name: str, dtype: str) -> list[object]:
        case = parity.load_case(case_name)
        name, config, options = kinds[case["kind"]]
        checkpoint = folder / f"{name}.pth"
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
        tracker = pt.load_tracker(name, checkpoint=checkpoint, device=device, dtype=dtype, **options)
        tracks = tracker.track(case["video"][0], queries, case["params"].get("backward_tracking", False))
        bounds = {} if dtype == "float32" else {"tol_px": parity.LOOSE_PX, "vis_margin": 0.03}
        found = parity.compare(tracks.xy[None], tracks.visible[None], case, **bounds)
        return [case_name, dtype, "yes" if found["ok"] else "NO", str(found)]

    for case_name in sorted(file.stem.removeprefix("case_") for file in cases.glob("*.npz")):
        for dtype in dtypes:
            yield [case_name, dtype], partial(row, case_name, dtype)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="frames,points")
    parser.add_argument("--dtypes", nargs="+", default=DTYPES)
    parser.add_argument("--streams", nargs="*", type=int, default=STREAMS, help="points of the sessions")
    parser.add_argument("--memory-fractions", nargs="*", type=float, default=FRACTIONS, help="of the GPU's memory")
    parser.add_argument("--product-first", action="store_true", help="the other order of correlating")
    parser.add_argument("--no-parity", action="store_true")
    parser.add_argument("--output", type=Path, help="write the tables to this markdown file")
    given = parser.parse_args()
    import torch

    from point_tracking.tracker.models.cotracker.network import chunks

    if given.product_first:
        chunks.GPU_CHUNKS = replace(chunks.GPU_CHUNKS, product_first=True)
        chunks.CPU_CHUNKS = replace(chunks.CPU_CHUNKS, product_first=True)
    on_gpu = given.device.startswith("cuda")
    if on_gpu and not torch.cuda.is_available():
        print("There is no GPU: nothing was measured. --device cpu --sizes 4,20 --no-parity shows that it runs.")
        return
    name = torch.cuda.get_device_name() if on_gpu else "no GPU"
    order = ", products before interpolation" if given.product_first else ""
    title = f"# CoTracker3 on a GPU\n\n{name}, torch {torch.__version__}{order}, {describe_machine()}"
    report = Report(title, given.output)
    if not given.no_parity:
        with tempfile.TemporaryDirectory() as folder:
            rows = parity_rows(given.device, given.dtypes, Path(folder))
            report.table("Parity", ["case", "dtype", "holds", "measured"], rows)
    headers = ["T, N", "dtype", "s", "peak TFLOP/s", "of it", *STAGES, "MiB", "planned", "planned / measured", "window"]
    report.table(
        "Speed and memory, six iterations, 512 x 384", headers, speed_rows(given.device, given.dtypes, given.sizes)
    )
    headers = ["N", "dtype", "ms per new frame", "frames per second"]
    sizes = [(number, dtype) for dtype in given.dtypes for number in given.streams]
    rows = (([str(n), dtype], partial(stream_row, given.device, dtype, n)) for n, dtype in sizes)
    report.table("Streaming: the online model in the steady state, six iterations", headers, rows)
    if on_gpu:
        headers = ["T, N", "dtype", "MiB allowed", "MiB", "window", "points at once", "mlp", "block", "planned"]
        dtype, size = given.dtypes[0], given.sizes[-1]
        rows = (
            ([size, dtype, f"{share:g} of all"], partial(scarce_row, given.device, dtype, size, share))
            for share in given.memory_fractions
        )
        report.table("Where memory looks free but is not", headers, rows)
    print(report)


def speed_rows(device: str, dtypes: list[str], sizes: list[str]) -> Rows:
    """The rows of all sizes in all precisions."""
    for dtype in dtypes:
        peak = matrix_peak(device, dtype)
        for size in sizes:
            yield [size, dtype], partial(speed_row, device, dtype, size, peak)


if __name__ == "__main__":
    main()
