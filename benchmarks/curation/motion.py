"""How right descriptions of motion are, on synthetic clips whose camera is known.

    python benchmarks/curation/motion.py            # all of it, about ten minutes on one core
    python benchmarks/curation/motion.py texture    # one of: cameras, cuts, neighbours, texture, long

Results stand in `benchmarks/results/motion.md`. The constants of `tracker.motion` and `tracker.queries.texture` were
chosen on clips of other seeds (1 to 11, 21 to 23) than those that are judged here.
"""

from __future__ import annotations

import resource
import sys
import time

import cv2
import numpy as np
import torch

import point_tracking as pt
from point_tracking.tracker.motion.description import MotionDescription, describe
from point_tracking.tracker.motion.trajectories import trajectories_of
from point_tracking.tracker.queries import grid_queries
from point_tracking.tracker.queries.texture import FEATURELESS, texture_map
from point_tracking.tracker.synthetic_video.camera_moves import (
    CameraMove,
    known_grid,
    moved_clips,
    true_rates,
)
from point_tracking.tracker.synthetic_video.clip_builder import ClipBuilder
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, SyntheticConfig
from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video.frames import ArrayFrames
from point_tracking.workflows.motion.helper_grid import piece_bounds, piece_of, track_piece
from point_tracking.workflows.motion.pictures import align_frames

FPS, SIZE, GRID = 25.0, (192, 144), 10
# a textured world that does not bend: of a plain wall nobody can tell how it moves
WORLD = {"max_layers": 3, "num_points": 64, "low_texture": 0.0, "non_rigid": 0.0}
RANGES = {
    "static": (0.0, 0.0),
    "pan": (0.04, 0.4),
    "tilt": (0.04, 0.3),
    "roll": (0.15, 0.6),
    "zoom": (0.12, 0.35),
    "handheld": (0.002, 0.01),
}
AXES = {"pan": 0, "tilt": 1, "roll": 2, "zoom": 3}


def draw_moves(rng: np.random.Generator, count: int) -> list[CameraMove]:
    """Every kind in turn, of random rates and directions."""
    kinds = [list(RANGES)[k % len(RANGES)] for k in range(count)]
    rates = [rng.uniform(*RANGES[kind]) * (1 if kind == "handheld" else rng.choice([-1, 1])) for kind in kinds]
    return [CameraMove(kind, float(rate)) for kind, rate in zip(kinds, rates, strict=True)]


def known_description(builder: ClipBuilder, clip: int, fps: float, grid: int = GRID) -> MotionDescription:
    """What is told by tracks that are true."""
    width, height = builder.size_px
    pieces = []
    for first, last in piece_bounds(builder.times.shape[1], fps):
        grids = [
            grid_queries(grid, height=height, width=width, frame_index=t) for t in (first, (first + last) // 2, last)
        ]
        starts = np.concatenate([queries.t for queries in grids])
        xy, visible = known_grid(builder, clip, np.concatenate([queries.xy for queries in grids]), starts)
        part = slice(first, last + 1)
        tracks = Tracks(xy[part], visible[part], visible[part].astype(np.float32))
        pieces.append(piece_of(tracks, first, (width, height), fps))
    return describe(pieces)


def tracked_description(frames: np.ndarray, fps: float, grid: int = GRID) -> MotionDescription:
    """What is told by the tracker that runs anywhere."""
    tracker, size_px = pt.load_tracker("optical-flow"), (frames.shape[2], frames.shape[1])
    pieces, spans = [], []
    for first, last in piece_bounds(len(frames), fps):
        source = ArrayFrames(frames[first : last + 1], fps)
        pieces.append(piece_of(track_piece(source, tracker, grid), first, size_px, fps))
        spans.append(align_frames(source, pieces[-1], first=first))
    return describe(pieces, spans)


def frames_of(builder: ClipBuilder) -> np.ndarray:
    """(B, T, H, W, 3) uint8."""
    return np.ascontiguousarray(builder.video().permute(0, 1, 3, 4, 2).numpy())


def cameras() -> None:
    """The kind of camera, and how fast it is."""
    moves = draw_moves(np.random.default_rng(100), 60)
    config = SyntheticConfig(height=SIZE[1], width=SIZE[0], num_frames=51, **WORLD)
    builder = moved_clips(ClipRenderer(config, seed=100), moves, fps=FPS)
    video, true = frames_of(builder), np.abs(true_rates(builder, fps=FPS).numpy()).mean(1)
    for name in ("true tracks", "optical-flow"):
        right, errors, started = 0, [], time.perf_counter()
        for k, move in enumerate(moves):
            by_truth = name == "true tracks"
            camera = (known_description(builder, k, FPS) if by_truth else tracked_description(video[k], FPS)).camera
            right += camera.kind == move.kind
            if camera.kind != move.kind:
                print(f"    {name}: clip {k} is {move.kind} ({move.rate:.3f}), told {camera.kind}")
            if move.kind in AXES:
                axis = AXES[move.kind]
                found = [camera.pan, camera.tilt, np.radians(camera.roll), np.log1p(camera.zoom)][axis]
                errors.append(abs(found / true[k, axis] - 1))
        seconds, errors = time.perf_counter() - started, np.array(errors)
        print(
            f"{name}: camera right in {right} of {len(moves)}; magnitude within 10 % in {(errors <= 0.1).sum()} of "
            f"{len(errors)}, median error {np.median(errors):.2%}, 90 % below {np.percentile(errors, 90):.2%}; "
            f"{seconds / len(moves):.2f} s a clip"
        )


def cuts() -> None:
    """The frames of cuts."""
    rng = np.random.default_rng(200)
    config = SyntheticConfig(height=SIZE[1], width=SIZE[0], num_frames=40, **WORLD)
    video = frames_of(moved_clips(ClipRenderer(config, seed=200), draw_moves(rng, 60), fps=FPS))
    exact = wrong = missed = 0
    for k in range(0, 60, 2):
        first, second = int(rng.integers(12, 40)), int(rng.integers(12, 40))
        clip = np.concatenate([video[k][:first], video[k + 1][:second]])
        found = [event.first for event in tracked_description(clip, FPS).events if event.label == "cut"]
        exact += first in found
        missed += first not in found
        wrong += len([frame for frame in found if frame != first])
    uncut = sum(tracked_description(clip, FPS).figures["num_cuts"] for clip in video[:30])  # type: ignore
    print(f"cuts: {exact} of 30 exact to the frame, {missed} missed, {wrong} elsewhere; {uncut} in 30 clips without")


def neighbours() -> None:
    """Whether clips of like motion are nearest, whatever their length, size and rate."""
    rng = np.random.default_rng(300)
    vectors, labels, groups = [], [], []
    for k, (fps, frames, size) in enumerate(
        [(15.0, 45, (128, 96)), (25.0, 51, (192, 144)), (50.0, 80, (256, 144)), (25.0, 75, (96, 160))]
    ):
        config = SyntheticConfig(height=size[1], width=size[0], num_frames=frames, **WORLD)
        moves = draw_moves(rng, 60)
        builder = moved_clips(ClipRenderer(config, seed=300 + k), moves, fps=fps)
        for n, move in enumerate(moves):
            vectors.append(known_description(builder, n, fps).embedding)
            direction = "" if move.kind in ("static", "handheld") else f" {np.sign(move.rate):+.0f}"
            labels.append(move.kind + direction)
            groups.append(k)
    vectors, labels, groups = np.array(vectors), np.array(labels), np.array(groups)
    distance = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    share = (labels[distance.argmin(1)] == labels).mean()
    others = np.where(groups[:, None] == groups[None], np.inf, distance)
    across = (labels[others.argmin(1)] == labels).mean()
    classes = len(set(labels.tolist()))
    print(f"neighbours: {share:.1%} of {len(labels)} clips have a nearest one of their class (of {classes})")
    print(f"    {across:.1%} where it is looked for among clips of other lengths, sizes and rates alone")


def texture() -> None:
    """How often tracks are wrong on ground that is told to be featureless, and elsewhere."""
    config = SyntheticConfig(
        height=192, width=256, num_frames=24, num_points=150, low_texture=0.5, first_share=1.0, motion=0.6,
        fast_layer=0, fast_pan=0, max_layers=3,
    )  # fmt: skip
    renderer, tracker = ClipRenderer(config, seed=400), pt.load_tracker("optical-flow")
    at_query, least, error = [], [], []
    for _ in range(40):
        clip = renderer.clips(1)
        video = np.ascontiguousarray(clip.video[0].permute(0, 2, 3, 1).numpy())
        xy, visible, t = clip.xy[0].numpy(), clip.visible[0].numpy(), clip.query_t[0].numpy()
        chosen = np.flatnonzero(t < 18)
        starts = [(int(t[n]), *np.clip(xy[t[n], n], 0, [255, 191]).tolist()) for n in chosen]
        tracks = tracker.track(video, pt.point_queries(starts))
        maps = np.stack([texture_map(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)) for frame in video])
        for j, n in enumerate(chosen):
            seen = np.flatnonzero(visible[:, n] & (np.arange(24) > t[n]))
            if len(seen) < 3:
                continue
            places = np.clip(np.rint(xy[:, n]), 0, [255, 191]).astype(int)
            scores = maps[np.arange(24), places[:, 1], places[:, 0]]
            off = np.linalg.norm(tracks.xy[seen, j] - xy[seen, n], axis=1)
            at_query.append(scores[t[n]])
            least.append(min(scores[t[n]], scores[seen].min()))
            error.append(np.median(np.where(np.isfinite(off), off, np.inf)))
    wrong = np.array(error) > 4
    print(f"texture: {len(wrong)} tracks, {wrong.mean():.1%} wrong (more than 4 px off in the median frame)")
    for name, scores in (("at the query", np.array(at_query)), ("least along the way", np.array(least))):
        for threshold in (0.05, 0.1, FEATURELESS, 0.3, 0.5):
            flagged = scores < threshold
            print(
                f"    {name} below {threshold:g}: {flagged.mean():.1%} flagged; wrong {wrong[flagged].mean():.1%} of "
                f"these, {wrong[~flagged].mean():.1%} of the others"
            )


def long() -> None:
    """How long 20,000 frames take, and how much memory."""
    rng, frames, points = np.random.default_rng(500), 20_000, 400
    steps = rng.normal(0, 0.5, (frames, 1, 2)) + rng.normal(0, 0.1, (frames, points, 2))
    xy = (rng.uniform(100, 500, (points, 2)) + np.cumsum(steps, axis=0) % 80).astype(np.float32)
    visible = rng.random((frames, points)) < 0.9
    tracks = Tracks(xy, visible, visible.astype(np.float32))
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    told = describe([trajectories_of(tracks, (640, 360), FPS)])
    seconds = time.process_time() - started
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    print(f"long: {frames} frames x {points} points in {seconds:.1f} s of one core, {more:.1f} GiB more")
    print(f"    {len(told.events)} spans")


PARTS = {"cameras": cameras, "cuts": cuts, "neighbours": neighbours, "texture": texture, "long": long}

if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
