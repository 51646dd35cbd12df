"""How well *Suggest points to check* finds wrong tracks: the share of truly wrong ones among the first 10 %.

    python benchmarks/curation/suspicion.py --synthetic 32 --tracker optical-flow --tracker pt-fused
    POINT_TRACKING_EVAL_DIR=... python benchmarks/curation/suspicion.py --tracker optical-flow --tracker pt-fused

The first makes rendered clips, of which one half is for choosing (weights of the figure by logistic regression, half
values) and the other judges; the second judges real clips. A track is wrong if in a tenth or more of the frames in
which it claims to see its point, and the point is really seen, it is farther than 8 pixels of the 256 x 256 frame away.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from point_tracking import Queries, Tracks, VideoFrames, load_tracker
from point_tracking.benchmarks.harness import markdown_table
from point_tracking.tracker.formats.known_clips import known_clips, read_known_clip
from point_tracking.tracker.metrics.cycle import cycle_ends
from point_tracking.tracker.metrics.suspicion import Signs, cycle_distances, find_signs
from point_tracking.tracker.metrics.truth import TrackTruth, evaluation_scale
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.types import FrameMap
from point_tracking.tracker.video.frames import FrameSource, SampledFrames, as_frame_source
from point_tracking.tracker.video.reversal import ReversedFrames

SEED = 60_000_001  # neither that of training nor of validation, nor of other rules
HEIGHT, WIDTH, FRAMES, TEXTURES, POINTS = 240, 320, 40, 64, 200
WRONG_PX, WRONG_SHARE, FIRST = 8.0, 0.1, 0.1
SIGNS = ("cycle", "jump", "company", "doubt")


@dataclass(frozen=True, eq=False)
class Judged:
    """Tracks of one clip: what speaks against each, and whether it is wrong."""

    clip: str
    kind: str
    signs: Signs
    wrong: np.ndarray
    counted: np.ndarray


def wrong_tracks(tracks: Tracks, truth: TrackTruth) -> tuple[np.ndarray, np.ndarray]:
    """(N,) bool whether each is wrong, and (N,) bool whether that can be told."""
    both = tracks.visible & truth.visible & (np.arange(tracks.num_frames)[:, None] > truth.query_t[None])
    if truth.valid is not None:
        both &= truth.valid
    apart = np.linalg.norm((tracks.xy - truth.xy) * evaluation_scale(truth.size_px), axis=2)
    far = both & (apart > WRONG_PX)
    count = both.sum(axis=0)
    return far.sum(axis=0) >= np.maximum(WRONG_SHARE * count, 1), count > 0


def signs_of(frames: FrameSource, tracks: Tracks, tracker: Tracker, query_t: np.ndarray) -> Signs:
    ends = cycle_ends(tracks, frames.size_px, query_t)
    if not len(ends.columns):
        return find_signs(tracks, frames.size_px)
    queries = Queries(tracks.num_frames - 1 - ends.ends.t, ends.ends.xy)
    back = tracker.track(ReversedFrames(frames), queries)
    returned = Tracks(back.xy[::-1], back.visible[::-1], back.confidence[::-1])
    return find_signs(tracks, frames.size_px, cycle_distances(ends, returned, frames.size_px))


def judge(clip: str, kind: str, frames: FrameSource, truth: TrackTruth, tracker: Tracker) -> Judged:
    xy = truth.xy[truth.query_t, np.arange(len(truth.query_t))]
    tracks = tracker.track(frames, Queries(truth.query_t, xy))
    wrong, counted = wrong_tracks(tracks, truth)
    return Judged(clip, kind, signs_of(frames, tracks, tracker, truth.query_t), wrong, counted)


def synthetic(count: int) -> Iterator[tuple[str, str, FrameSource, TrackTruth]]:
    import torch

    from point_tracking.tracker.synthetic_video.config import SyntheticConfig
    from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, build_textures

    torch.set_num_threads(1)
    config = SyntheticConfig(height=HEIGHT, width=WIDTH, num_frames=FRAMES, num_points=POINTS, figure=0.3)
    renderer = ClipRenderer(config, seed=SEED, textures=build_textures(TEXTURES, config.texture_size, seed=SEED))
    for number in range(count):
        with torch.no_grad():
            clip = renderer.clips(1)
        video = clip.video[0].permute(0, 2, 3, 1).contiguous().numpy()
        arrays = [values[0].numpy() for values in (clip.query_t, clip.xy, clip.visible)]
        # queries in the first frame that shows the point, as a person would ask
        query_t = arrays[2].argmax(axis=0)
        early = query_t < FRAMES // 2
        truth = TrackTruth(query_t[early], arrays[1][:, early], arrays[2][:, early], (WIDTH, HEIGHT))
        yield f"synthetic_{number}", "rendered", as_frame_source(video), truth


def real(folder: str) -> Iterator[tuple[str, str, FrameSource, TrackTruth]]:
    for path in known_clips(folder):
        clip = read_known_clip(path)
        if clip.truth is not None:
            video = VideoFrames(clip.video_path)
            frames = SampledFrames(video, FrameMap(clip.source_indices, video.num_frames))
            yield clip.name, clip.kind, frames, clip.truth


def share_among_first(score: np.ndarray, wrong: np.ndarray) -> float:
    """The share of wrong tracks among the most suspicious."""
    first = max(round(FIRST * len(score)), 1)
    return float(wrong[np.argsort(-score, kind="stable")[:first]].mean())


def area_under_curve(score: np.ndarray, wrong: np.ndarray) -> float:
    """How often a wrong track is more suspicious than a right one."""
    if wrong.all() or not wrong.any():
        return float("nan")
    one, other = score[wrong][:, None], score[~wrong][None]
    return float(((one > other) + 0.5 * (one == other)).mean())


def fitted(features: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Weights, none below 0, and bias of a logistic regression, by gradient descent."""
    x = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    weights = np.zeros(x.shape[1])
    for _ in range(20_000):
        error = 1 / (1 + np.exp(-x @ weights)) - wrong
        weights -= 0.5 * (x.T @ error) / len(x)
        weights[:-1] = np.maximum(weights[:-1], 0)
    return weights


def rows_of(name: str, judged: list[Judged]) -> list[list[str]]:
    """One row for each kind of clip."""
    rows = []
    for kind in sorted({one.kind for one in judged}):
        own = [one for one in judged if one.kind == kind and one.counted.any()]
        wrong = np.concatenate([one.wrong[one.counted] for one in own])
        scores = {"suspicion": [one.signs.suspicion for one in own]}
        scores |= {sign: [one.signs.features[:, k] for one in own] for k, sign in enumerate(SIGNS)}
        # within each clip, as a person sees them
        shares = {
            key: np.mean([share_among_first(s[o.counted], o.wrong[o.counted]) for s, o in zip(v, own, strict=True)])
            for key, v in scores.items()
        }
        best = np.mean([min(o.wrong[o.counted].mean() / FIRST, 1.0) for o in own])
        area = area_under_curve(
            np.concatenate([s[o.counted] for s, o in zip(scores["suspicion"], own, strict=True)]), wrong
        )
        rows.append(
            [name, kind, str(len(own)), str(len(wrong)), f"{wrong.mean():.1%}"]
            + [f"{shares[key]:.1%}" for key in ("suspicion", *SIGNS)]
            + [f"{best:.1%}", f"{area:.3f}"]
        )
    return rows


HEADERS = ("tracker", "clips of", "clips", "tracks", "wrong", "first 10 %", *SIGNS, "at best", "AUC")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synthetic", type=int, default=0, help="rendered clips; the second half judges")
    parser.add_argument("--tracker", action="append", default=[])
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    judged: dict[str, list[Judged]] = {name: [] for name in arguments.tracker or ["optical-flow"]}
    trackers = {name: load_tracker(name) for name in judged}
    folder = os.environ.get("POINT_TRACKING_EVAL_DIR", "")
    clips = synthetic(arguments.synthetic) if arguments.synthetic else real(folder)
    for name, kind, frames, truth in clips:
        for tracker in trackers:
            judged[tracker].append(judge(name, kind, frames, truth, trackers[tracker]))
            print(name, tracker, judged[tracker][-1].wrong.mean().round(3), flush=True)
    if arguments.synthetic:
        chosen = [one for found in judged.values() for one in found[: arguments.synthetic // 2]]
        features = np.concatenate([one.signs.features[one.counted] for one in chosen])
        wrong = np.concatenate([one.wrong[one.counted] for one in chosen])
        print("fitted on the first half:", dict(zip((*SIGNS, "bias"), fitted(features, wrong).round(2), strict=True)))
        judged = {name: found[arguments.synthetic // 2 :] for name, found in judged.items()}
    table = markdown_table(HEADERS, [row for name, found in judged.items() for row in rows_of(name, found)])
    print(table)
    if arguments.output:
        arguments.output.write_text(table + "\n")


if __name__ == "__main__":
    main()
