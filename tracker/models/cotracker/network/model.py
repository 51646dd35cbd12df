"""CoTracker3: tracks of many points, refined together a few times.

Source: CoTracker3, arXiv:2410.11831, sec. 3. The network knows nothing of
videos, queries in pixels or windows: it is given feature maps and a first guess
for T frames, and yields better guesses. Whole clips are in `offline`, windows
in `online`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .chunks import ChunkSizes, default_chunks, slices
from .config import COTRACKER3_OFFLINE, CoTrackerConfig
from .correlation import FeatureMaps, SampledTemplates, StoredTemplates, build_pyramid, correlate, sample_templates
from .encoder import FeatureEncoder
from .transformer import Linear, UpdateTransformer, add_

Templates = SampledTemplates | StoredTemplates


@dataclass(frozen=True, eq=False)
class TrackState:
    """A guess for every point and frame.

    Args:
        xy: (B, N, T, 2) positions in feature pixels (pixels of the model's frame / stride)
        visibility: (B, N, T) logits
        confidence: (B, N, T) logits; zeros in CoTracker2, which has none
    """

    xy: Tensor
    visibility: Tensor
    confidence: Tensor

    @classmethod
    def at_queries(cls, xy: Tensor, num_frames: int, visibility: float = 0.0) -> TrackState:
        """The first guess: every point stays where it was given.

        Args:
            xy: (B, N, 2) feature pixels
            num_frames: T
            visibility: logit to start from
        """
        logits = xy.new_zeros(*xy.shape[:2], num_frames)  # (B, N, T)
        return cls(xy[:, :, None].expand(-1, -1, num_frames, -1), logits + visibility, logits)


@dataclass(frozen=True, eq=False)
class QuerySupport:
    """What a model knows of the query points besides the guess.

    Args:
        templates: (B, N, L, (2 r + 1) ** 2, C) features around the points in
            their own frames (CoTracker2: (B, N, 1, 1, C)); zeros for points
            whose frame has not come yet; or what samples them (CoTracker3 only)
        t: (B, N) int64 query frames, counted from the first frame of the guess
        first_window: False where half of the guess comes from the window before
    """

    templates: Tensor | SampledTemplates
    t: Tensor
    first_window: bool = True


class CoTracker3(nn.Module):
    """The CoTracker3 network, offline and online alike.

    Args:
        config: the sizes; those of the published models are constants of `config`
    """

    initial_visibility = 0.0  # logit

    def __init__(self, config: CoTrackerConfig = COTRACKER3_OFFLINE) -> None:
        super().__init__()
        self.config = config
        self.fnet = FeatureEncoder(config)
        self.updateformer = UpdateTransformer(config)
        self.corr_mlp = CorrelationMlp(config)
        self.time_emb: Tensor
        self.register_buffer("time_emb", sincos_1d(config.token_dim, torch.arange(config.window, device="cpu"))[None])

    @property
    def template_shape(self) -> tuple[int, int, int]:
        """(levels, positions, channels) of a point's template."""
        return self.config.levels, self.config.neighbourhood, self.config.feature_dim

    def encode(self, frames: Tensor) -> list[Tensor]:
        """Encodes frames.

        Args:
            frames: (n, 3, H, W) in [-1, 1] at the model's resolution

        Returns:
            per level l: (n, h / 2 ** l, w / 2 ** l, C)
        """
        return build_pyramid(self.fnet(frames), self.config.levels)

    def support(self, maps: FeatureMaps, t: Tensor, xy: Tensor) -> Tensor:
        """Samples the templates of query points.

        Args:
            maps: of B clips, containing the query frames
            t: (B, N) int64 query frames
            xy: (B, N, 2) feature pixels

        Returns:
            `QuerySupport.templates`
        """
        return sample_templates(maps, t, xy, self.config.radius)

    def refine(
        self,
        maps: FeatureMaps,
        queries: QuerySupport,
        state: TrackState,
        iterations: int | None = None,
        chunks: ChunkSizes | None = None,
    ) -> Iterator[TrackState]:
        """Improves a guess again and again.

        Args:
            maps: of T frames
            queries: templates of the N points
            state: the guess to start from
            iterations: how often; None = as configured
            chunks: how much to do at once

        Yields:
            the guess after every iteration; positions carry gradients of one
            iteration only, as in the paper
        """
        chunks = chunks or default_chunks(state.xy.device)
        if state.xy.shape[1] == 0:
            yield state
            return
        inputs = self._fold_input(state.xy.shape[2])
        given = queries.templates
        templates = StoredTemplates(given.flatten(0, 1)) if isinstance(given, Tensor) else given
        virtual = self.updateformer.virtual_after_first_time_block()
        for _ in range(iterations or self.config.iterations):
            xy = state.xy.detach()
            tokens = self._embed(maps, templates, TrackState(xy, state.visibility, state.confidence), inputs, chunks)
            tokens = self.updateformer(tokens, virtual, chunks)  # (B, N, T, D)
            move = self.updateformer.flow_head(tokens)  # (B, N, T, 2)
            visibility, confidence = self.updateformer.vis_conf_head(tokens).unbind(dim=-1)  # (B, N, T) each
            state = TrackState(xy + move, state.visibility + visibility, state.confidence + confidence)
            yield state

    def _fold_input(self, num_frames: int) -> FoldedInput:
        """Merges the linear layers in a row, and everything that depends on the frame alone."""
        config = self.config
        layer, fc2 = self.updateformer.input_transform, self.corr_mlp.fc2
        corr_end = 2 + config.levels * config.corr_dim
        corr = layer.weight[:, 2:corr_end].unflatten(1, (config.levels, config.corr_dim))  # (D, L, corr_dim)
        folded = torch.matmul(corr.transpose(0, 1), fc2.weight)  # (L, D, corr_hidden)
        rest = torch.cat([layer.weight[:, :2], layer.weight[:, corr_end:]], dim=1)  # (D, 2 + motion_dim)
        time = resample_time(self.time_emb, num_frames)  # (T, token_dim)
        bias = layer.bias + corr.sum(dim=1) @ fc2.bias + time @ layer.weight.T  # (T, D)
        return FoldedInput(folded.to(self.corr_mlp.fc1.weight.dtype), rest, bias)

    def _embed(
        self, maps: FeatureMaps, templates: Templates, state: TrackState, inputs: FoldedInput, chunks: ChunkSizes
    ) -> Tensor:
        """Makes the transformer's tokens, (B, N, T, D), a block of points x frames at a time."""
        batch, num_points, num_frames = state.visibility.shape
        motion = relative_motion(state.xy, self.config).flatten(0, 1)  # (B * N, T, 4)
        logits = torch.stack([state.visibility, state.confidence], dim=-1).flatten(0, 1)  # (B * N, T, 2)
        xy = state.xy.flatten(0, 1)  # (B * N, T, 2)
        clip = torch.arange(batch, device=xy.device).repeat_interleave(num_points)  # (B * N,)
        tokens = xy.new_empty(batch * num_points, num_frames, self.config.width)
        for frames in chunks.slices(num_frames, chunks.mlp_tokens):
            t = torch.arange(frames.start, frames.stop, device=xy.device)
            for some in chunks.slices(batch * num_points, chunks.mlp_points(len(t))):
                volume = self._correlation(maps, clip[some], t, xy[some, frames], templates.narrow(some), chunks)
                hidden = self.corr_mlp.hidden(volume)  # (L, p, f, corr_hidden)
                code = motion_code(motion[some, frames], self.config.motion_frequencies)  # (p, f, motion_dim)
                side = torch.cat([logits[some, frames], code], dim=-1)  # (p, f, 2 + motion_dim)
                block = F.linear(side, inputs.rest) + inputs.bias[frames]  # (p, f, D)
                for level_hidden, level_layer in zip(hidden, inputs.corr, strict=True):
                    block = add_(block, F.linear(level_hidden, level_layer))
                if torch.is_grad_enabled():
                    tokens = block.float()  # under autocast too
                else:
                    tokens[some, frames] = block
        return tokens.unflatten(0, (batch, num_points))  # (B, N, T, D)

    def _correlation(
        self, maps: FeatureMaps, clip: Tensor, t: Tensor, xy: Tensor, templates: Templates, chunks: ChunkSizes
    ) -> Tensor:
        """The 4D correlation of P points in M frames, (L, P, M, (2 r + 1) ** 4)."""
        levels, radius = range(self.config.levels), self.config.radius
        if torch.is_grad_enabled():
            return torch.stack(
                [self._correlation_with_gradient(maps, level, clip, t, xy, templates) for level in levels]
            )
        volume = maps.levels[0].new_empty(len(levels), len(clip), len(t), self.config.neighbourhood**2)
        # whole tracks, or parts of a single one: each block lies in one piece of the volume
        for some in slices(len(clip), chunks.gather_points(len(t))):
            template = [templates.sample(some, level) for level in levels]  # (p, (2 r + 1) ** 2, C) each
            for frames in slices(len(t), chunks.gather_tokens):
                for level in levels:
                    block = (maps, level, clip[some], t[frames], xy[some, frames], template[level], radius)
                    correlate(*block, out=volume[level, some, frames], product_first=chunks.product_first)
        return volume

    def _correlation_with_gradient(
        self, maps: FeatureMaps, level: int, clip: Tensor, t: Tensor, xy: Tensor, templates: Templates
    ) -> Tensor:
        given = (maps, level, clip, t, xy, templates.sample(slice(None), level), self.config.radius)
        if xy.is_cuda:
            # the features gathered around points are by far the largest thing kept for the backward pass
            volume = checkpoint(correlate, *given, use_reentrant=False)
            assert isinstance(volume, Tensor)
            return volume
        return correlate(*given)


class CorrelationMlp(nn.Module):
    """Compresses the correlation of one level; shared by all levels."""

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        self.fc1 = Linear(config.neighbourhood**2, config.corr_hidden)
        self.fc2 = nn.Linear(config.corr_hidden, config.corr_dim)

    def hidden(self, volume: Tensor) -> Tensor:
        """The first layer with its erf GELU; the second is merged with what follows."""
        return F.gelu(self.fc1(volume))

    def forward(self, volume: Tensor) -> Tensor:
        """The whole MLP, (..., (2 r + 1) ** 4) -> (..., corr_dim)."""
        return self.fc2(self.hidden(volume))


@dataclass(frozen=True, eq=False)
class FoldedInput:
    """The input layer after merging.

    Args:
        corr: (L, D, corr_hidden), from the hidden layer of the correlation MLP at each level
        rest: (D, 2 + motion_dim), from the two logits and the motion code
        bias: (T, D), all biases and the time embedding
    """

    corr: Tensor
    rest: Tensor
    bias: Tensor


def relative_motion(xy: Tensor, config: CoTrackerConfig) -> Tensor:
    """How points move to the next frame and from the one before, in shares of `motion_grid_size`.

    Args:
        xy: (B, N, T, 2) feature pixels

    Returns:
        (B, N, T, 4): x_t - x_{t+1}, then x_t - x_{t-1}; zeros past the ends
    """
    height, width = config.motion_grid_size
    step = xy[:, :, :-1] - xy[:, :, 1:]  # (B, N, T - 1, 2)
    step = torch.stack([step[..., 0] / width, step[..., 1] / height], dim=-1)
    forward = F.pad(step, (0, 0, 0, 1))  # (B, N, T, 2)
    backward = F.pad(-step, (0, 0, 1, 0))  # (B, N, T, 2)
    return torch.cat([forward, backward], dim=-1)


def motion_code(motion: Tensor, frequencies: int) -> Tensor:
    """The positional code of motion: the values, and their sines and cosines.

    Args:
        motion: (..., 4)
        frequencies: 2 ** 0 to 2 ** (frequencies - 1)

    Returns:
        (..., 4 + 8 * frequencies), frequency-major
    """
    scale = 2.0 ** torch.arange(frequencies, dtype=torch.float32, device=motion.device)  # (K,)
    angle = (motion[..., None, :] * scale[:, None]).flatten(-2)  # (..., K * 4)
    return torch.cat([motion, angle.sin(), (angle + 0.5 * math.pi).sin()], dim=-1)


def resample_time(time_emb: Tensor, num_frames: int) -> Tensor:
    """Stretches the time embedding to T frames (linear).

    Args:
        time_emb: (1, W, D)
        num_frames: T

    Returns:
        (T, D); the table itself where T = W
    """
    if time_emb.shape[1] == num_frames:
        return time_emb[0]
    return F.interpolate(time_emb.transpose(1, 2), num_frames, mode="linear")[0].T  # (T, D)


def sincos_1d(dim: int, position: Tensor) -> Tensor:
    """The sine-cosine embedding of whole positions.

    Args:
        dim: even
        position: (M,), on the CPU also where the rest of a model is built on the meta device: torch's operators of that
            device load its compiler, which takes seconds

    Returns:
        (M, dim) float32: sines, then cosines
    """
    omega = 10000.0 ** (-torch.arange(dim // 2, dtype=torch.float64, device=position.device) / (dim / 2))
    angle = position.double().reshape(-1, 1) * omega  # (M, dim / 2)
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()
