"""The clips that the estimate is fitted to, its constants are chosen by, and it is validated on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...metrics.truth import TrackTruth
from ...models.pt_fused_2.candidates import Candidates
from ...models.pt_fused_2.stream import CandidateStream, StreamRules
from ...models.pt_small.tracker import ShippedTracker
from ...synthetic_video.collages import make_collage
from ...synthetic_video.config import SyntheticConfig
from ...synthetic_video.renderer import ClipRenderer, build_textures
from ...types import Queries
from .photographs import FOR_CHOOSING, FOR_FITTING, varied_pictures

EVERY = (1, 3)
"""Clips are read whole, and with these steps between frames."""

_COLLAGE_PICTURES, _COLLAGE_DRAWN = 18, 6
_INTERRUPTED_FRAMES, _INTERRUPTED_POINTS = 32, 80
_SCENE_SIZE_PX, _SCENE_FRAMES, _SCENE_POINTS, _SCENE_TEXTURES = (448, 320), 40, 96, 48


@dataclass(frozen=True)
class ClipSet:
    """Clips of one purpose.

    Args:
        seed: of the set; sets with other seeds have no clip in common
        collages: how many
        interrupted: how many collages that are cut off, or broken by blank frames or another clip
        scenes: how many rendered ones
        photographs: that collages are made of
    """

    seed: int
    collages: int
    interrupted: int
    scenes: int
    photographs: tuple[str, ...]


FITTING = ClipSet(41_000_001, 10, 6, 12, FOR_FITTING)
CHOOSING = ClipSet(42_000_001, 4, 3, 1, FOR_CHOOSING)
VALIDATION = ClipSet(43_000_001, 3, 3, 1, FOR_CHOOSING)


@dataclass(frozen=True, eq=False)
class MadeClip:
    """A clip whose tracks are known.

    Args:
        name: of it, kind first
        video: uint8 (T, H, W, 3) RGB
        queries: N points
        truth: their tracks
    """

    name: str
    video: np.ndarray
    queries: Queries
    truth: TrackTruth

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.video.shape[2], self.video.shape[1]

    def every(self, step: int) -> MadeClip:
        """Every so many frames of it, with the points that are given in one of them."""
        if step == 1:
            return self
        phase = int(np.bincount(self.queries.t % step).argmax())
        kept = self.queries.t % step == phase
        xy, visible = self.truth.xy[phase::step, kept], self.truth.visible[phase::step, kept]
        queries = Queries((self.queries.t[kept] - phase) // step, self.queries.xy[kept])
        truth = TrackTruth(queries.t, xy, visible, size_px=self.size_px)
        return MadeClip(f"{self.name}/{step}", np.ascontiguousarray(self.video[phase::step]), queries, truth)


def made_clips(which: ClipSet) -> Iterator[MadeClip]:
    """The clips of a set, each with all the steps of `EVERY`."""
    pictures = varied_pictures(which.photographs, _COLLAGE_PICTURES, _COLLAGE_DRAWN, which.seed)
    for i in range(which.collages):
        made = make_collage(pictures, which.seed + i)
        yield from _with_steps(f"collage_{i}", made.video, made.query_t, made.xy, made.visible)
    for i in range(which.interrupted):
        yield _interrupted(pictures, which.seed + 1000 + 2 * i, i)
    config = SyntheticConfig()
    textures = build_textures(_SCENE_TEXTURES, config.texture_size, seed=which.seed)
    renderer = ClipRenderer(config, device="cpu", seed=which.seed, textures=textures)
    width, height = _SCENE_SIZE_PX
    for i in range(which.scenes):
        clip = renderer.clips(1, num_frames=_SCENE_FRAMES, height=height, width=width, num_points=_SCENE_POINTS)
        video = clip.video[0].permute(0, 2, 3, 1).contiguous().numpy()
        yield from _with_steps(
            f"scene_{i}", video, clip.query_t[0].numpy(), clip.xy[0].numpy(), clip.visible[0].numpy()
        )


def _interrupted(pictures: list[np.ndarray], seed: int, i: int) -> MadeClip:
    """A clip with a cut; or that goes on after blank frames; or after frames of another clip."""
    made, other = (
        make_collage(pictures, one, num_frames=_INTERRUPTED_FRAMES, num_points=_INTERRUPTED_POINTS)
        for one in (seed, seed + 1)
    )
    rng = np.random.default_rng(seed)
    start, stop = rng.integers(8, 13), rng.integers(18, 23)
    kind = i % 3
    stop = _INTERRUPTED_FRAMES if kind == 0 else stop
    video, visible = made.video.copy(), made.visible.copy()
    video[start:stop] = rng.integers(0, 256) if kind == 1 else other.video[start:stop]
    visible[start:stop] = False
    kept = made.query_t < start
    query_t, xy = made.query_t[kept], made.xy[:, kept]
    queries = Queries(query_t, xy[query_t, np.arange(len(query_t))])
    truth = TrackTruth(query_t, xy, visible[:, kept], size_px=(video.shape[2], video.shape[1]))
    return MadeClip(f"interrupted_{i}", video, queries, truth)


def _with_steps(
    name: str, video: np.ndarray, query_t: np.ndarray, xy: np.ndarray, visible: np.ndarray
) -> Iterator[MadeClip]:
    size_px = (video.shape[2], video.shape[1])
    queries = Queries(query_t, xy[query_t, np.arange(len(query_t))].astype(np.float64))
    whole = MadeClip(name, video, queries, TrackTruth(query_t, xy, visible, size_px=size_px))
    yield from (whole.every(step) for step in EVERY)


def read_candidates(clip: MadeClip, network: ShippedTracker, rules: StreamRules | None = None) -> list[Candidates]:
    """The candidates of all frames of a clip."""
    stream = CandidateStream(network, clip.size_px, len(clip.queries), rules)
    stream.add(clip.queries)
    return stream.push(clip.video) + stream.finish()
