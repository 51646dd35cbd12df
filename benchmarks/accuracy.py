"""How accurate, fast and lean a tracker is, on real clips with known tracks.

    POINT_TRACKING_EVAL_DIR=... python benchmarks/accuracy.py --tracker optical-flow \
        --output benchmarks/results/accuracy.md [option=value ...]

Accuracy is TAP-Vid's, queried first, per kind of clip (kinds are never averaged
together). Speed and memory are measured on made-up frames of 1280 x 720, each
run in its own process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from harness import describe_machine, markdown_table, run_isolated

from point_tracking import Queries, Tracks, VideoFrames, grid_queries, load_tracker
from point_tracking.tracker.evaluation.metrics import (
    MaskScores,
    TapVidScores,
    TrackTruth,
    mask_scores,
    mean_mask_scores,
    mean_tap_vid_scores,
    tap_vid_scores,
)
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.types import FrameMap
from point_tracking.tracker.video.frames import SampledFrames

# masks are stored at half resolution and points near an outline are fair
MASK_TOLERANCE_CELLS = 2
SPEED_SIZE_PX = (1280, 720)
SPEED_GRID = 30


@dataclass(frozen=True)
class EvalClip:
    """One clip of POINT_TRACKING_EVAL_DIR, at full rate or thinned out.

    Args:
        name: of the file
        kind: of truth; kinds are never averaged together
        frames: the clip
        queries: points in pixels of the clip
        truth: tracks, or None for a clip with masks only
        masks: (T, H', W') bool, or None
    """

    name: str
    kind: str
    frames: SampledFrames
    queries: Queries
    truth: TrackTruth | None
    masks: np.ndarray | None


def load_clip(path: Path, every: int) -> EvalClip:
    """Reads a clip and what is known about it.

    Args:
        path: the .npz file; the video lies beside it
        every: keep every n-th frame, from the phase in which most queries lie; other queries are dropped

    Returns:
        the clip
    """
    data = np.load(path)
    video = VideoFrames(path.with_suffix(".mp4"))
    query_t = data["query_t"].astype(int)
    phase = int(np.bincount(query_t % every).argmax())
    kept = query_t % every == phase
    chosen = slice(phase, None, every)
    frames = SampledFrames(video, FrameMap(np.arange(video.num_frames)[chosen], video.num_frames))
    queries = Queries((query_t[kept] - phase) // every, data["query_xy"][kept])
    truth = masks = None
    if "tracks" in data:
        by_frame = {key: np.moveaxis(data[key][kept], 1, 0)[chosen] for key in ("tracks", "visible", "valid")}
        truth = TrackTruth(
            queries.t, by_frame["tracks"], by_frame["visible"], size_px=video.size_px, valid=by_frame["valid"]
        )
    else:
        height, width = (int(side) for side in data["mask_hw"])
        bits = np.unpackbits(data["mask_bits"][chosen], axis=1)[:, : height * width]
        masks = bits.reshape(-1, height, width).astype(bool)
    return EvalClip(path.stem, str(data["kind"]), frames, queries, truth, masks)


def score(clip: EvalClip, tracks: Tracks) -> TapVidScores | MaskScores:
    """Compares tracks with what is known about the clip."""
    if clip.truth is not None:
        return tap_vid_scores(tracks, clip.truth)
    assert clip.masks is not None
    return mask_scores(tracks, clip.queries.t, clip.masks, clip.frames.size_px, tolerance_cells=MASK_TOLERANCE_CELLS)


def accuracy_rows(tracker: Tracker, folder: Path, every: int) -> list[list[object]]:
    """Runs the tracker on every clip.

    Returns:
        one row per kind: kind, clips, delta_avg, AJ, OA, share visible, on object, seconds per clip
    """
    scores: dict[str, list[TapVidScores | MaskScores]] = {}
    seconds: dict[str, list[float]] = {}
    for path in sorted(folder.glob("*.npz")):
        clip = load_clip(path, every)
        start = perf_counter()
        tracks = tracker.track(clip.frames, clip.queries)
        seconds.setdefault(clip.kind, []).append(perf_counter() - start)
        scores.setdefault(clip.kind, []).append(score(clip, tracks))
        print(f"  {clip.name}: {seconds[clip.kind][-1]:.1f} s", file=sys.stderr)
    return [_row(kind, scores[kind], float(np.mean(seconds[kind]))) for kind in sorted(scores)]


def _row(kind: str, scores: list[Any], seconds: float) -> list[object]:
    if isinstance(scores[0], MaskScores):
        masked = mean_mask_scores(scores)
        figures = ["", "", "", _percent(masked.share_visible), _percent(masked.on_object)]
    else:
        tracked = mean_tap_vid_scores(scores)
        shares = (tracked.delta_avg, tracked.average_jaccard, tracked.occlusion_accuracy, tracked.share_visible)
        figures = [*(_percent(share) for share in shares), ""]
    return [kind, len(scores), *figures, f"{seconds:.1f}"]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def make_video(path: str, num_frames: int) -> None:
    """Encodes noise under a moving camera: 1280 x 720, H.264."""
    import av
    import cv2

    width, height = SPEED_SIZE_PX
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (height // 2, width // 2, 3), dtype=np.uint8)
    picture = cv2.resize(noise, (2 * width, 2 * height)).astype(np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for t in range(num_frames):
            x, y = (round(side / 2 * (1 + np.sin(t / period))) for side, period in ((width, 40), (height, 55)))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[y : y + height, x : x + width]))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def track_video(path: str, tracker_name: str, options: dict[str, Any]) -> dict[str, float]:
    """What is timed: decodes and tracks a video.

    Returns:
        seconds, frames and the memory that the tracks take, in MiB
    """
    tracker = load_tracker(tracker_name, **options)
    start = perf_counter()
    frames = VideoFrames(path)
    queries = grid_queries(SPEED_GRID, height=frames.size_px[1], width=frames.size_px[0])
    tracks = tracker.track(frames, queries)
    seconds = perf_counter() - start
    size = sum(array.nbytes for array in (tracks.xy, tracks.visible, tracks.confidence))
    return {"seconds": seconds, "frames": tracks.num_frames, "tracks_mib": size / 2**20}


def speed_rows(tracker_name: str, options: dict[str, Any], lengths: list[int]) -> list[list[object]]:
    """Times the tracker on videos of several lengths, each in its own process.

    Returns:
        one row per length: frames, points, seconds, frames per second, peak MiB, MiB of the tracks
    """
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for num_frames in lengths:
            path = str(Path(folder, f"{num_frames}.mp4"))
            make_video(path, num_frames)
            run = run_isolated(track_video, path=path, tracker_name=tracker_name, options=options)
            seconds, frames = run.result["seconds"], run.result["frames"]
            figures = [round(seconds, 1), round(frames / seconds, 1), round(run.peak_rss_mb)]
            rows.append([frames, SPEED_GRID**2, *figures, round(run.result["tracks_mib"], 1)])
    return rows


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracker", default="optical-flow")
    parser.add_argument("--every", type=int, action="append", help="keep every n-th frame; default: 1 and 4")
    parser.add_argument("--lengths", type=int, nargs="*", default=[50, 500], help="frames of the speed runs")
    parser.add_argument("--output", type=Path, help="markdown file to write")
    parser.add_argument("options", nargs="*", metavar="option=value", help="options of the tracker")
    return parser.parse_args(arguments)


def _option(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    given = _parse(arguments)
    options = dict(_option(text) for text in given.options)
    tracker = load_tracker(given.tracker, **options)
    parts = [
        f"# Accuracy and speed of `{given.tracker}`",
        describe_machine(),
        f"Options: `{json.dumps(tracker.options)}`",
    ]

    folder = os.environ.get("POINT_TRACKING_EVAL_DIR")
    if folder:
        headers = ["kind", "clips", "delta_avg", "AJ", "OA", "visible", "on object", "s per clip"]
        for every in given.every or [1, 4]:
            title = "Every frame" if every == 1 else f"Every {every}th frame"
            parts += [f"## {title}", markdown_table(headers, accuracy_rows(tracker, Path(folder), every))]
        parts.append(
            "Percent; TAP-Vid, queried first, at 256 x 256; means over the clips of a kind. Visible: share declared "
            f"visible. On object: share of these within {MASK_TOLERANCE_CELLS} mask pixels of the object. For sparse "
            "keypoints every label counts as visible, so OA is the share declared visible."
        )
    else:
        parts.append("Accuracy was not measured: POINT_TRACKING_EVAL_DIR is not set.")
    if given.lengths:
        headers = ["frames", "points", "seconds", "frames/s", "peak MiB", "tracks MiB"]
        table = markdown_table(headers, speed_rows(given.tracker, options, given.lengths))
        parts += ["## Speed and memory, 1280 x 720 H.264, decoding included", table]

    report = "\n\n".join(parts) + "\n"
    print(report)
    if given.output is not None:
        given.output.write_text(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
