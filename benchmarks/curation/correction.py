"""What one correction of a wrong track is worth, and how the ways from both sides are best joined.

    python benchmarks/curation/correction.py --synthetic 12 [--tracker optical-flow]
    POINT_TRACKING_EVAL_DIR=... python benchmarks/curation/correction.py [--tracker optical-flow]

Wrong tracks (as `suspicion.py` says) are put right in the frame in which they are farthest off, and followed again from
there and from their query. Positions within 8 pixels of the 256 x 256 frame count as right; frames are counted in which
the point is really seen, without the two that are known.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from point_tracking import Queries, Tracks, load_tracker
from point_tracking.benchmarks.curation.suspicion import WRONG_PX, real, synthetic, wrong_tracks
from point_tracking.benchmarks.harness import markdown_table
from point_tracking.tracker.correction.paths import Anchor, join_anchors
from point_tracking.tracker.metrics.truth import TrackTruth, evaluation_scale
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.propagation import Keyframe, PointSet, fill_frames
from point_tracking.tracker.video.frames import FrameSource

MOST_TRACKS = 24  # of a clip
WAYS = ("before", "joined where they meet", "mixed by distance", "as keypoint labels are carried", "straight line")


def measure(frames: FrameSource, truth: TrackTruth, tracker: Tracker) -> np.ndarray:
    """(K, ways) share of right positions of each wrong track."""
    columns = np.arange(len(truth.query_t))
    tracks = tracker.track(frames, Queries(truth.query_t, truth.xy[truth.query_t, columns]))
    wrong, _ = wrong_tracks(tracks, truth)
    scale = evaluation_scale(truth.size_px)
    apart = np.linalg.norm((tracks.xy - truth.xy) * scale, axis=2)
    later = truth.visible & (np.arange(tracks.num_frames)[:, None] > truth.query_t[None])
    off = np.where(later & tracks.visible, np.nan_to_num(apart, nan=0.0), -1.0)
    chosen = np.flatnonzero(wrong & (off.max(axis=0) > WRONG_PX))[:MOST_TRACKS]
    if not len(chosen):
        return np.empty((0, len(WAYS)))
    at = off[:, chosen].argmax(axis=0)
    t = np.stack([truth.query_t[chosen], at], axis=1)  # (K, 2)
    xy = truth.xy[t, chosen[:, None]]  # (K, 2, 2)
    both = tracker.track(frames, Queries(t.reshape(-1), xy.reshape(-1, 2)), backward=True)  # (2 K,), (2 K, 2)
    rows = []
    for k, column in enumerate(chosen.tolist()):
        pair = slice(2 * k, 2 * k + 2)
        own = Tracks(both.xy[:, pair], both.visible[:, pair], both.confidence[:, pair])
        counted = later[:, column].copy()
        counted[t[k]] = False
        if counted.any():
            paths = [tracks.xy[:, column], *ways_of(t[k].tolist(), xy[k], own, truth.size_px)]
            rows.append([right(path, truth.xy[:, column], counted, scale) for path in paths])
    return np.array(rows).reshape(-1, len(WAYS))  # (K, ways)


def ways_of(t: list[int], xy: np.ndarray, own: Tracks, size_px: tuple[int, int]) -> list[np.ndarray]:
    """(T, 2) each: the paths to compare, all through both known positions and along the later one's track after it."""
    anchors = [Anchor(t[i], (float(xy[i, 0]), float(xy[i, 1]))) for i in (0, 1)]
    joined = join_anchors(anchors, own, size_px).xy
    between = slice(t[0], t[1] + 1)
    after = np.linspace(0, 1, t[1] - t[0] + 1)[:, None]
    mixed, carried, straight = joined.copy(), joined.copy(), joined.copy()
    mixed[between] = own.xy[between, 0] * (1 - after) + own.xy[between, 1] * after
    straight[between] = xy[0] + (xy[1] - xy[0]) * after
    keyframes = [Keyframe(t[i], PointSet(xy[i : i + 1])) for i in (0, 1)]
    parts = {t[i]: Tracks(own.xy[:, [i]], own.visible[:, [i]], own.confidence[:, [i]]) for i in (0, 1)}
    for one in fill_frames(keyframes, parts, own.num_frames, size_px):
        if t[0] < one.t < t[1]:
            carried[one.t] = one.shape.vector
    return [joined, mixed, carried, straight]


def right(path: np.ndarray, truth: np.ndarray, counted: np.ndarray, scale: np.ndarray) -> float:
    apart = np.linalg.norm((path - truth)[counted] * scale, axis=1)
    return float((np.nan_to_num(apart, nan=np.inf) <= WRONG_PX).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synthetic", type=int, default=0)
    parser.add_argument("--tracker", action="append", default=[])
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    clips = synthetic(arguments.synthetic) if arguments.synthetic else real(os.environ["POINT_TRACKING_EVAL_DIR"])
    trackers = {name: load_tracker(name) for name in arguments.tracker or ["optical-flow"]}
    for name, kind, frames, truth in clips:
        for label, tracker in trackers.items():
            found.setdefault((label, kind), []).append(measure(frames, truth, tracker))
            print(name, label, len(found[label, kind][-1]), flush=True)
    rows = []
    for (label, kind), parts in sorted(found.items()):
        values = np.concatenate(parts)
        if len(values):
            rows.append([label, kind, str(len(values)), *(f"{share:.1%}" for share in values.mean(axis=0))])
    table = markdown_table(("tracker", "clips of", "tracks", *WAYS), rows)
    print(table)
    if arguments.output:
        arguments.output.write_text(table + "\n")


if __name__ == "__main__":
    main()
