"""CoTracker2: the older network, with one feature per point that is updated as it goes.

Source: CoTracker, arXiv:2307.07635, sec. 3. Works in windows only (`online`).
It differs from CoTracker3 in what a token holds, in masks that keep points
whose frame has not come out of the exchange, and in how visibility is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .chunks import ChunkSizes, default_chunks
from .config import COTRACKER2, CoTrackerConfig
from .correlation import FeatureMaps, build_pyramid, correlate, sample_templates
from .encoder import FeatureEncoder
from .model import QuerySupport, TrackState, sincos_1d
from .transformer import UpdateTransformer

_DISPLACEMENT_SCALE = 1000.0  # of the displacement code's frequencies


class CoTracker2(nn.Module):
    """The CoTracker2 network.

    Args:
        config: the sizes; those of the published models are constants of `config`
    """

    initial_visibility = 10.0  # logit

    def __init__(self, config: CoTrackerConfig = COTRACKER2) -> None:
        super().__init__()
        self.config = config
        dim = config.feature_dim
        self.fnet = FeatureEncoder(config)
        self.updateformer = UpdateTransformer(config)
        self.norm = nn.GroupNorm(1, dim)
        self.track_feat_updater = nn.Sequential(nn.Linear(dim, dim), nn.GELU())
        self.vis_predictor = nn.Sequential(nn.Linear(dim, 1))
        self.time_emb: Tensor
        self.pos_emb: Tensor
        self.register_buffer("time_emb", sincos_1d(config.token_dim, torch.arange(config.window, device="cpu"))[None])
        self.register_buffer("pos_emb", _sincos_2d(config.token_dim, config.grid_size))

    @property
    def template_shape(self) -> tuple[int, int, int]:
        """(levels, positions, channels) of a point's template: one feature."""
        return 1, 1, self.config.feature_dim

    def encode(self, frames: Tensor) -> list[Tensor]:
        """Encodes (n, 3, H, W) frames in [-1, 1]; see `CoTracker3.encode`."""
        return build_pyramid(self.fnet(frames), self.config.levels)

    def support(self, maps: FeatureMaps, t: Tensor, xy: Tensor) -> Tensor:
        """Samples the features of query points at level 0, (B, N, 1, 1, C)."""
        return sample_templates(FeatureMaps(maps.levels[:1], maps.frames), t, xy, radius=0)

    def refine(
        self,
        maps: FeatureMaps,
        queries: QuerySupport,
        state: TrackState,
        iterations: int | None = None,
        chunks: ChunkSizes | None = None,
    ) -> Iterator[TrackState]:
        """Improves a guess for one window again and again; see `CoTracker3.refine`.

        Yields:
            the guess after every iteration; its visibility changes in the last one only
        """
        chunks = chunks or default_chunks(state.xy.device)
        num_points, num_frames = state.xy.shape[1:3]
        if num_points == 0:
            yield state
            return
        frame = torch.arange(num_frames, device=state.xy.device)
        known = queries.t[..., None] <= frame  # (B, N, T): the point has been given by then
        if not queries.first_window:
            known = known & (frame >= self.config.step)
        position = self._window_embedding(state.xy[:, :, 0])  # (B, N, T, token_dim)
        fixed = torch.stack([known.to(position.dtype), state.visibility], dim=-1)  # (B, N, T, 2)
        assert isinstance(queries.templates, Tensor)
        feature = queries.templates.flatten(2).unsqueeze(2).expand(-1, -1, num_frames, -1)  # (B, N, T, C)
        virtual = self.updateformer.virtual_after_first_time_block()
        iterations = iterations or self.config.iterations
        for i in range(iterations):
            xy = state.xy.detach()
            tokens = self._embed(maps, xy, feature, fixed, position, chunks)  # (B, N, T, D)
            tokens = self.updateformer(tokens, virtual, chunks, point_mask=queries.t < num_frames)
            update = self.updateformer.flow_head(tokens).float()  # (B, N, T, 2 + C)
            change = self.norm(update[..., 2:].flatten(0, 2))  # (B * N * T, C)
            feature = feature + self.track_feat_updater(change).view(feature.shape)  # (B, N, T, C)
            visibility = state.visibility
            if i == iterations - 1:
                visibility = self.vis_predictor(feature)[..., 0]  # (B, N, T)
            state = TrackState(xy + update[..., :2], visibility, state.confidence)
            yield state

    def _window_embedding(self, xy_first: Tensor) -> Tensor:
        """The embedding of where points start in this window and of time, (B, N, T, token_dim)."""
        height, width = self.config.grid_size
        x, y = (xy_first[..., i] * (2 / max(side - 1, 1)) - 1 for i, side in enumerate((width, height)))
        grid = torch.stack([x, y], dim=-1)[:, :, None]  # (B, N, 1, 2) in [-1, 1]
        table = self.pos_emb.expand(len(grid), -1, -1, -1)
        position = F.grid_sample(table, grid, padding_mode="border", align_corners=True)  # (B, token_dim, N, 1)
        return position[..., 0].transpose(1, 2)[:, :, None] + self.time_emb[:, None]  # (B, N, T, token_dim)

    def _embed(
        self, maps: FeatureMaps, xy: Tensor, feature: Tensor, fixed: Tensor, position: Tensor, chunks: ChunkSizes
    ) -> Tensor:
        """Makes the transformer's tokens, (B, N, T, D), some points at a time."""
        batch, num_points, num_frames = xy.shape[:3]
        clip = torch.arange(batch, device=xy.device).repeat_interleave(num_points)  # (B * N,)
        xy, feature, fixed, position = (x.flatten(0, 1) for x in (xy, feature, fixed, position))  # (B * N, T, ..) each
        t = torch.arange(num_frames, device=xy.device)
        tokens = xy.new_empty(batch * num_points, num_frames, self.config.width)
        for some in chunks.slices(batch * num_points, chunks.gather_tokens // num_frames):
            volumes = [
                correlate(maps, level, clip[some], t, xy[some], feature[some, :, None], self.config.radius)
                for level in range(self.config.levels)
            ]  # (p, T, (2 r + 1) ** 2) each
            volume = torch.cat(volumes, dim=-1).float() / math.sqrt(self.config.feature_dim)
            shift = displacement_code(xy[some] - xy[some, :1], self.config.feature_dim // 2)  # (p, T, 2 + C)
            token = torch.cat([shift, volume, feature[some], fixed[some]], dim=-1) + position[some]
            block = self.updateformer.input_transform(token).float()  # (p, T, D)
            if torch.is_grad_enabled():
                tokens = block
            else:
                tokens[some] = block
        return tokens.unflatten(0, (batch, num_points))  # (B, N, T, D)


def displacement_code(shift: Tensor, dim: int) -> Tensor:
    """The positional code of how far a point is from where the window starts.

    Args:
        shift: (..., 2) feature pixels
        dim: entries per axis, even

    Returns:
        (..., 2 + 2 * dim): x, y; then sine and cosine in turns for x, then for y
    """
    omega = torch.arange(0, dim, 2, device=shift.device, dtype=shift.dtype) * (_DISPLACEMENT_SCALE / dim)  # (dim / 2,)
    angle = shift[..., None] * omega  # (..., 2, dim / 2)
    code = torch.stack([angle.sin(), angle.cos()], dim=-1)  # (..., 2, dim / 2, 2)
    return torch.cat([shift, code.flatten(-3)], dim=-1)


def _sincos_2d(dim: int, size: tuple[int, int]) -> Tensor:
    """The sine-cosine embedding of a map, (1, dim, height, width): half for x, half for y."""
    height, width = size
    y, x = torch.meshgrid(torch.arange(height, device="cpu"), torch.arange(width, device="cpu"), indexing="ij")
    table = torch.cat([sincos_1d(dim // 2, x.flatten()), sincos_1d(dim // 2, y.flatten())], dim=1)  # (h * w, dim)
    return table.T.reshape(1, dim, height, width).contiguous()
