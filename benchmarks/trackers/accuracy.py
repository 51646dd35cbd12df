"""How accurate, fast and lean trackers are, on real clips with known tracks.

    POINT_TRACKING_EVAL_DIR=... python benchmarks/trackers/accuracy.py --output benchmarks/results/accuracy.md

takes every tracker that can be loaded without a licence question, and plain
Lucas-Kanade beside them. To choose:

    ... --tracker optical-flow --tracker cotracker3-offline --option checkpoint=scaled_offline.pth

An option goes with the tracker named before it. `--json` keeps the figures, and
`--baseline` takes optical-flow's, the bar, from such a file instead of running it.

Accuracy is TAP-Vid's, queried first, per kind of clip (kinds are never averaged
together), with what the promotion rule decides. Speed is also measured on
made-up frames of 1280 x 720. Each tracker runs in processes of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from point_tracking import PointTrackingError, VideoFrames, grid_queries, list_trackers, load_tracker, tracker_info
from point_tracking.benchmarks.harness import (
    describe_machine,
    markdown_table,
    peak_rss_mb,
    reset_peak_rss,
    run_isolated,
)
from point_tracking.benchmarks.trackers.baselines import lucas_kanade
from point_tracking.benchmarks.trackers.promotion import MAX_VISIBLE_OUTSIDE_PERCENT, KindFigures, decide_promotion
from point_tracking.tracker.formats.known_clips import KnownClip, known_clips, read_known_clip
from point_tracking.tracker.metrics.counting import mean_known
from point_tracking.tracker.metrics.masks import mask_scores
from point_tracking.tracker.metrics.tap_vid import share_visible_outside, tap_vid_scores
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.types import FrameMap, Tracks
from point_tracking.tracker.video.frames import SampledFrames

# masks are stored at half resolution and points near an outline are fair
MASK_TOLERANCE_CELLS = 2
BAR = "optical-flow"  # what a tracker must beat to be the default
SPEED_SIZE_PX = (1280, 720)
SPEED_GRID = 20

FIGURES = ("delta_avg", "average_jaccard", "occlusion_accuracy", "share_visible", "on_object", "visible_outside")
_FIGURE_HEADERS = ("delta_avg", "AJ", "OA", "visible", "on object", "outside")
_COST_HEADERS = ("ms/frame", "us/frame/point", "peak MiB")


@dataclass
class Contestant:
    """A tracker with the options it runs with."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        options = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name} ({options})" if options else self.name


def load(name: str, options: dict[str, Any]) -> Tracker:
    """A tracker of the registry, or the baseline."""
    return lucas_kanade.LucasKanadeTracker() if name == lucas_kanade.NAME else load_tracker(name, **options)


def score(clip: KnownClip, tracks: Tracks) -> dict[str, float]:
    """Compares tracks with what is known about the clip.

    Returns:
        the `FIGURES` that the clip tells, as shares; NaN where there is nothing to count
    """
    if clip.truth is not None:
        scores = tap_vid_scores(tracks, clip.truth)
        return {
            "delta_avg": scores.delta_avg,
            "average_jaccard": scores.average_jaccard,
            "occlusion_accuracy": scores.occlusion_accuracy,
            "share_visible": scores.share_visible,
            "visible_outside": share_visible_outside(tracks, clip.truth),
        }
    assert clip.masks is not None
    masked = mask_scores(tracks, clip.queries.t, clip.masks, clip.size_px, tolerance_cells=MASK_TOLERANCE_CELLS)
    return {"share_visible": masked.share_visible, "on_object": masked.on_object}


def measure_clips(name: str, options: dict[str, Any], paths: list[str], every: int) -> list[dict[str, Any]]:
    """What runs in a process of its own: tracks every clip and compares.

    Returns:
        per clip: its kind, frames, points, seconds, peak MiB and figures
    """
    tracker = load(name, options)
    measured = []
    for path in paths:
        clip = read_known_clip(path).every(every)
        video = VideoFrames(clip.video_path)
        frames = SampledFrames(video, FrameMap(clip.source_indices, video.num_frames))
        reset_peak_rss()
        start = perf_counter()
        tracks = tracker.track(frames, clip.queries)
        measured.append(
            {
                "clip": clip.name,
                "kind": clip.kind,
                "frames": tracks.num_frames,
                "points": tracks.num_points,
                "seconds": perf_counter() - start,
                "peak_mib": peak_rss_mb(),
                "figures": score(clip, tracks),
            }
        )
    return measured


def by_kind(measured: Sequence[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Means over the clips of each kind.

    Returns:
        kind -> figures in percent (None where the kind does not tell), clips, ms per
        frame, us per frame and point, and the highest peak
    """
    kinds: dict[str, dict[str, float | None]] = {}
    for kind in sorted({clip["kind"] for clip in measured}):
        clips = [clip for clip in measured if clip["kind"] == kind]
        means: dict[str, float | None] = {}
        for name in FIGURES:
            values = [clip["figures"][name] for clip in clips if name in clip["figures"]]
            mean = 100 * mean_known(values) if values else float("nan")
            means[name] = None if np.isnan(mean) else mean
        means["clips"] = len(clips)
        means["ms_per_frame"] = 1e3 * float(np.mean([clip["seconds"] / clip["frames"] for clip in clips]))
        means["us_per_point"] = 1e6 * float(
            np.mean([clip["seconds"] / (clip["frames"] * clip["points"]) for clip in clips])
        )
        means["peak_mib"] = max(clip["peak_mib"] for clip in clips)
        kinds[kind] = means
    return kinds


def kind_figures(means: dict[str, float | None]) -> KindFigures:
    """What the promotion rule reads."""
    return KindFigures(
        delta_avg=means["delta_avg"],
        average_jaccard=means["average_jaccard"],
        on_object=means["on_object"],
        share_visible=means["share_visible"],
        visible_outside=means["visible_outside"],
    )


def accuracy_rows(results: dict[str, dict[str, dict[str, float | None]]]) -> list[list[object]]:
    """One row per kind and tracker."""
    rows: list[list[object]] = []
    kinds = sorted({kind for means in results.values() for kind in means})
    for kind in kinds:
        for label, by in results.items():
            if kind not in by:
                continue
            means = by[kind]
            figures = ["" if means[name] is None else f"{means[name]:.1f}" for name in FIGURES]
            costs = [f"{means['ms_per_frame']:.1f}", f"{means['us_per_point']:.0f}", f"{means['peak_mib']:.0f}"]
            rows.append([kind, label, means["clips"], *figures, *costs])
    return rows


def promotion_lines(results: dict[str, dict[str, dict[str, float | None]]]) -> list[str]:
    """What the promotion rule decides about each tracker beside the one to beat."""
    if BAR not in results:
        return [f"No decision: {BAR} was not measured."]
    figures = {label: {kind: kind_figures(means) for kind, means in kinds.items()} for label, kinds in results.items()}
    return [f"- {label}: {decide_promotion(own, figures[BAR])}" for label, own in figures.items() if label != BAR]


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


def track_video(path: str, name: str, options: dict[str, Any], grid: int) -> dict[str, float]:
    """What is timed: decodes and tracks a video.

    Returns:
        seconds, frames and the memory that the tracks take, in MiB
    """
    tracker = load(name, options)
    start = perf_counter()
    frames = VideoFrames(path)
    queries = grid_queries(grid, height=frames.size_px[1], width=frames.size_px[0])
    tracks = tracker.track(frames, queries)
    seconds = perf_counter() - start
    size = sum(array.nbytes for array in (tracks.xy, tracks.visible, tracks.confidence))
    return {"seconds": seconds, "frames": tracks.num_frames, "tracks_mib": size / 2**20}


def speed_rows(contestants: Sequence[Contestant], lengths: Sequence[int], grid: int) -> list[list[object]]:
    """Times the trackers on videos of several lengths, each in its own process.

    Returns:
        one row per length and tracker
    """
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for num_frames in lengths:
            path = str(Path(folder, f"{num_frames}.mp4"))
            make_video(path, num_frames)
            for one in contestants:
                run = run_isolated(track_video, path=path, name=one.name, options=one.options, grid=grid)
                seconds, frames = run.result["seconds"], run.result["frames"]
                figures = [round(seconds, 1), round(frames / seconds, 1), round(run.peak_rss_mb)]
                rows.append([one.label, frames, grid**2, *figures, round(run.result["tracks_mib"], 1)])
    return rows


def default_contestants() -> list[Contestant]:
    """The baseline, and every tracker that asks for no consent and no weights of the user's."""
    names = [name for name in list_trackers() if tracker_info(name).commercial_use]
    return [Contestant(lucas_kanade.NAME), *(Contestant(name) for name in names)]


class _AddTracker(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        namespace.contestants = [*(namespace.contestants or []), Contestant(str(values))]


class _AddOption(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        if not namespace.contestants:
            parser.error("--option goes with the --tracker before it")
        name, separator, value = str(values).partition("=")
        if not separator:
            parser.error(f"Invalid option {values!r}. Expected name=value")
        try:
            namespace.contestants[-1].options[name] = json.loads(value)
        except json.JSONDecodeError:
            namespace.contestants[-1].options[name] = value


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracker", dest="contestants", action=_AddTracker, help="may be repeated")
    parser.add_argument("--option", action=_AddOption, metavar="NAME=VALUE", help="of the tracker before it")
    parser.add_argument("--every", type=int, action="append", help="keep every n-th frame; default: 1 and 4")
    parser.add_argument("--clips", default="*", help="only clips of such names, e.g. 'composite_*'")
    parser.add_argument("--lengths", type=int, nargs="*", default=[50], help="frames of the speed runs; none: no runs")
    parser.add_argument("--grid", type=int, default=SPEED_GRID, help="points per side of the speed runs")
    parser.add_argument("--baseline", type=Path, help=f"take the figures of {BAR} from this --json file")
    parser.add_argument("--json", type=Path, help="file to keep the figures in")
    parser.add_argument("--output", type=Path, help="markdown file to write")
    return parser.parse_args(arguments)


def accuracy_of(
    contestants: Sequence[Contestant], paths: list[str], every: int, known: dict[str, Any]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Measures trackers, or takes what is known about them.

    Args:
        contestants: trackers
        paths: .npz files of the clips
        every: keep every n-th frame
        known: label -> means by kind, of an earlier run

    Returns:
        label -> means by kind
    """
    results: dict[str, dict[str, dict[str, float | None]]] = dict(known)
    for one in contestants:
        print(f"{one.label}, every {every}", file=sys.stderr, flush=True)
        run = run_isolated(measure_clips, name=one.name, options=one.options, paths=paths, every=every)
        results[one.label] = by_kind(run.result)
    return results


def _accuracy_parts(given: argparse.Namespace, contestants: Sequence[Contestant], paths: list[str]) -> list[str]:
    parts: list[str] = []
    kept: dict[str, Any] = {"machine": describe_machine(), "every": {}}
    baseline = json.loads(given.baseline.read_text())["every"] if given.baseline else {}
    for every in given.every or [1, 4]:
        known = {label: by for label, by in baseline.get(str(every), {}).items() if label == BAR}
        to_run = [one for one in contestants if one.label not in known]
        results = accuracy_of(to_run, paths, every, known)
        kept["every"][str(every)] = results
        headers = ["kind", "tracker", "clips", *_FIGURE_HEADERS, *_COST_HEADERS]
        parts += [f"## {'Every frame' if every == 1 else f'Every {every}th frame'}"]
        parts += [
            markdown_table(headers, accuracy_rows(results)),
            "Promotion rule:",
            "\n".join(promotion_lines(results)),
        ]
    if given.json:
        given.json.write_text(json.dumps(kept, indent=1))
    parts.append(
        "Percent; TAP-Vid, queried first, at 256 x 256; means over the clips of a kind. Visible: share declared "
        f"visible. On object: share of these within {MASK_TOLERANCE_CELLS} mask pixels of the object. Outside: share "
        "of positions that truly lie outside the frame and are reported visible; the promotion rule allows "
        f"{MAX_VISIBLE_OUTSIDE_PERCENT:g}, or as much as the one to beat has. For sparse keypoints every label counts "
        "as visible, so OA is the share declared visible. The rule decides by those at full rate."
    )
    return parts


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    given = _parse(arguments)
    contestants = given.contestants or default_contestants()
    parts = ["# Accuracy and speed of the trackers", describe_machine()]
    try:
        options = {one.label: load(one.name, one.options).options for one in contestants}
    except PointTrackingError as error:
        print(error, file=sys.stderr)
        return 1
    parts.append("\n".join(f"- {label}: `{json.dumps(values)}`" for label, values in options.items()))

    folder = os.environ.get("POINT_TRACKING_EVAL_DIR")
    if folder:
        paths = [str(path) for path in known_clips(folder) if path.match(f"{given.clips}.npz")]
        parts += _accuracy_parts(given, contestants, paths)
    else:
        parts.append("Accuracy was not measured: POINT_TRACKING_EVAL_DIR is not set.")
    if given.lengths:
        headers = ["tracker", "frames", "points", "seconds", "frames/s", "peak MiB", "tracks MiB"]
        table = markdown_table(headers, speed_rows(contestants, given.lengths, given.grid))
        parts += ["## Speed and memory, 1280 x 720 H.264, decoding included", table]

    report = "\n\n".join(parts) + "\n"
    print(report)
    if given.output is not None:
        given.output.write_text(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
