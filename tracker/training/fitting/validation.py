"""The validation curve: fixed synthetic clips that no training batch contains.

The clips come from the same renderer, with textures and a seed of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ...coordinates import inside_frame
from ...metrics.counting import mean_scores
from ...metrics.tap_vid import TapVidScores, tap_vid_scores
from ...metrics.truth import TrackTruth
from ...models.cotracker.network.model import CoTracker3
from ...types import Queries, Tracks
from ..configs import TrainingConfig
from ..data.batches import TrainingBatch
from ..steps.unroll import encode_clips, unrolled_windows

VALIDATION_SEED = 20_000_003
_SIZE = (192, 256)  # (height, width) of the clips
_POINTS = 64
_TEXTURES = 64
_THRESHOLD = 0.5  # of visibility x confidence


def validation_frames(config: TrainingConfig) -> int:
    """Frames of the validation clips: as many as the longest training clip, and at least two and a half windows."""
    frames = [stage.frames for stage in config.stages if stage.kind == "tracks"]
    return max([*frames, config.model.window + 3 * config.model.step])


@dataclass(frozen=True)
class ValidationClips:
    """Fixed synthetic clips.

    Args:
        options: of `SyntheticConfig`
        count: clips
        num_frames: of each
    """

    options: Mapping[str, Any]
    count: int
    num_frames: int

    @cached_property
    def clips(self) -> list[TrainingBatch]:
        """One batch per clip, on the CPU."""
        from ...synthetic_video.config import SyntheticConfig
        from ...synthetic_video.renderer import ClipRenderer, build_textures

        config = SyntheticConfig(**self.options)
        textures = build_textures(_TEXTURES, config.texture_size, seed=VALIDATION_SEED)  # none of them in training
        renderer = ClipRenderer(config, device="cpu", seed=VALIDATION_SEED, textures=textures)
        height, width = _SIZE
        made = []
        for _ in range(self.count):
            clip = renderer.clips(1, num_frames=self.num_frames, height=height, width=width, num_points=_POINTS)
            made.append(TrainingBatch(clip.video, clip.xy, clip.visible, clip.query_t))
        return made

    def score_model(self, model: CoTracker3, iterations: int) -> TapVidScores:
        """How well a model does; it is left in evaluation mode."""
        model.eval()
        return mean_scores([self._score(clip, self._run(model, clip, iterations)) for clip in self.clips])

    def jaccard_by_threshold(
        self, model: CoTracker3, iterations: int, thresholds: Sequence[float]
    ) -> dict[float, float]:
        """AJ for thresholds of visibility x confidence: what a tracker's own threshold is chosen by."""
        model.eval()
        tracks = [self._run(model, clip, iterations) for clip in self.clips]
        jaccard = {}
        for threshold in thresholds:
            scores = []
            for clip, found in zip(self.clips, tracks, strict=True):
                visible = (found.confidence > threshold) & self._in_frame(clip, found.xy)
                scores.append(self._score(clip, replace(found, visible=visible)))
            jaccard[threshold] = mean_scores(scores).average_jaccard
        return jaccard

    def classical_delta_avg(self) -> float:
        """The same for the classical tracker."""
        from ...models.registry import load_tracker

        tracker = load_tracker("optical-flow")
        scores = []
        for clip in self.clips:
            frames = clip.video[0].permute(0, 2, 3, 1).contiguous().numpy()
            queries = Queries(clip.query_t[0].numpy(), clip.query_xy[0].double().numpy())
            scores.append(self._score(clip, tracker.track(frames, queries)))
        return mean_scores(scores).delta_avg

    @staticmethod
    def _score(clip: TrainingBatch, tracks: Tracks) -> TapVidScores:
        height, width = clip.video.shape[-2:]
        truth = TrackTruth(
            clip.query_t[0].numpy(), clip.xy[0].numpy(), clip.visible[0].numpy(), size_px=(width, height)
        )
        return tap_vid_scores(tracks, truth)

    def _run(self, model: CoTracker3, clip: TrainingBatch, iterations: int) -> Tracks:
        config, device = model.config, model.time_emb.device
        num_frames, num_points = clip.visible.shape[1:]
        xy = np.zeros((num_frames, num_points, 2), np.float32)
        confidence = np.zeros((num_frames, num_points), np.float32)
        with torch.inference_mode():
            on_device = clip.to(device)
            maps = encode_clips(model, on_device.video)
            windows = unrolled_windows(model, maps, on_device.query_t, on_device.query_xy, iterations)
            for start, states in windows:
                state, rows = states[-1], slice(start, min(start + config.window, num_frames))
                length = rows.stop - rows.start
                xy[rows] = (state.xy[0, :, :length] * config.stride).transpose(0, 1).cpu().numpy()
                certain = state.visibility.sigmoid() * state.confidence.sigmoid()  # (1, N, S)
                confidence[rows] = certain[0, :, :length].T.cpu().numpy()
        return Tracks(xy, (confidence > _THRESHOLD) & self._in_frame(clip, xy), confidence)

    @staticmethod
    def _in_frame(clip: TrainingBatch, xy: np.ndarray) -> np.ndarray:
        height, width = clip.video.shape[-2:]
        return inside_frame(xy, (width, height))
