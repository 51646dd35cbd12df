"""Every tracker with published weights, at the published size, from a checkpoint file to tracks of a real clip.

    python benchmarks/trackers/published_sizes.py [--frames 3] [--points 100] [--only tapir locotrack-base]

The weights are those of the reference cases, pseudo-random: positions mean nothing, but the path from a file as it
would be downloaded to tracks in the video's pixels is that of the real ones, and so are time and memory. Without
POINT_TRACKING_VIDEO_DIR, the frames are noise.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
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

PARITY = Path(__file__).parents[2] / "tests" / "data" / "parity"
SIZE = (384, 512)


def read_frames(num_frames: int) -> Any:
    """The first frames of a real clip where there is one, else noise: uint8 (T, 384, 512, 3)."""
    import numpy as np

    import point_tracking as pt

    folder = os.environ.get("POINT_TRACKING_VIDEO_DIR")
    clips = sorted(Path(folder).glob("*.mp4")) if folder else []
    if not clips:
        return np.random.default_rng(0).integers(0, 256, (num_frames, *SIZE, 3), np.uint8)
    chunks = pt.VideoFrames(clips[0]).chunks(stop=num_frames, size_px=(SIZE[1], SIZE[0]))
    return np.concatenate(list(chunks))


def weights_module(family: str) -> Any:
    """The module that makes a family's weights."""
    file = PARITY / ("parity.py" if family == "cotracker" else f"{family}/weights.py")
    spec = spec_from_file_location(f"{family}_weights", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def published_models() -> dict[str, tuple[str, Any]]:
    """Name -> family, and what makes the network."""
    from point_tracking.tracker.models.alltracker import config as alltracker
    from point_tracking.tracker.models.alltracker.network import AllTracker
    from point_tracking.tracker.models.cotracker.network import config as cotracker
    from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model
    from point_tracking.tracker.models.locotrack import config as locotrack
    from point_tracking.tracker.models.locotrack.network import LocoTrack
    from point_tracking.tracker.models.tapir import config as tapir
    from point_tracking.tracker.models.tapir.network import Tapir

    return {
        "cotracker3-offline": ("cotracker", lambda: build_model(cotracker.COTRACKER3_OFFLINE)),
        "cotracker3-online": ("cotracker", lambda: build_model(cotracker.COTRACKER3_ONLINE)),
        "cotracker2": ("cotracker", lambda: build_model(cotracker.COTRACKER2)),
        "alltracker": ("alltracker", lambda: AllTracker(alltracker.ALLTRACKER)),
        "alltracker-tiny": ("alltracker", lambda: AllTracker(alltracker.ALLTRACKER_TINY)),
        "tapir": ("tapir", lambda: Tapir(tapir.TAPIR)),
        "bootstapir": ("tapir", lambda: Tapir(tapir.BOOTSTAPIR)),
        "bootstapir-online": ("tapir", lambda: Tapir(tapir.BOOTSTAPIR_ONLINE)),
        "locotrack-small": ("locotrack", lambda: LocoTrack(locotrack.LOCOTRACK_SMALL)),
        "locotrack-base": ("locotrack", lambda: LocoTrack(locotrack.LOCOTRACK_BASE)),
    }


def make_model(name: str) -> Any:
    """A network with the weights of the reference cases; torch computes on one thread from then on."""
    import torch

    torch.set_num_threads(1)
    family, build = published_models()[name]
    with torch.device("meta"):
        model = build()
    model.load_state_dict(weights_module(family).make_weights(model.state_dict()), assign=True)
    return model.eval().requires_grad_(False)


def write_checkpoint(name: str, folder: Path) -> Path:
    """Writes a file as the authors of a tracker publish it.

    Args:
        name: of the tracker
        folder: for the file

    Returns:
        its path
    """
    import torch

    family, weights = published_models()[name][0], make_model(name).state_dict()
    content = {
        "alltracker": {"model": weights},
        "locotrack": {"epoch": 1, "state_dict": {f"model.{key}": value for key, value in weights.items()}},
    }.get(family, weights)
    path = folder / f"{name}.pth"
    torch.save(content, path)
    return path


def measure(name: str, checkpoint: str, num_frames: int, num_points: int) -> dict:
    """Loads a tracker and tracks points of two frames in both directions."""
    import numpy as np
    import torch

    import point_tracking as pt

    torch.set_num_threads(1)
    flavour = {"flavour": name} if name.startswith("bootstapir") else {}
    start = process_time()
    tracker = pt.load_tracker(name, checkpoint=checkpoint, device="cpu", **flavour)
    loading = process_time() - start
    frames = read_frames(num_frames)
    height, width = frames.shape[1:3]
    xy = np.random.default_rng(0).uniform(0, [width - 1, height - 1], (num_points, 2))
    queries = pt.Queries(t=np.arange(num_points) % 2 * (num_frames - 1), xy=xy)
    base = rss_mb()
    reset_peak_rss()
    start = process_time()
    tracks = tracker.track(frames, queries, backward=True)
    seconds = process_time() - start
    assert tracks.xy.shape == (num_frames, num_points, 2)
    finite = np.isfinite(tracks.xy).all(axis=2)
    return {
        "loading": loading,
        "seconds": seconds,
        "peak_mb": peak_rss_mb() - base,
        "planned_mb": tracks.info["plan"]["estimated_mb"],
        "finite": float(finite.mean()),
        "visible": float(tracks.visible.mean()),
    }


def main() -> None:
    names = list(published_models())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    given = parser.parse_args()
    rows = []
    for name in given.only:
        with tempfile.TemporaryDirectory(prefix="published-sizes-") as folder:
            path = write_checkpoint(name, Path(folder))
            size_mb = path.stat().st_size / 1e6
            found = run_isolated(
                measure, name=name, checkpoint=str(path), num_frames=given.frames, num_points=given.points
            ).result
        rows.append(
            [
                name,
                f"{size_mb:.1f}",
                f"{found['loading']:.1f}",
                f"{found['seconds']:.1f}",
                round(found["peak_mb"]),
                found["planned_mb"],
                f"{found['finite']:.0%}",
                f"{found['visible']:.0%}",
            ]
        )
        print(f"{name}: {found['seconds']:.1f} s", file=sys.stderr, flush=True)
    headers = ["tracker", "file MB", "loading s", "tracking s", "peak MiB", "planned", "positions", "visible"]
    print(
        f"{describe_machine()}; one thread, CPU seconds; {given.frames} frames, {given.points} points, backward too\n"
    )
    print(markdown_table(headers, rows))


if __name__ == "__main__":
    main()
