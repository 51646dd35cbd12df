"""The AllTracker network: encoding frames, and refining one window of them.

Source: AllTracker, arXiv:2506.07310, sec. 3. Every cell of the anchor frame is
tracked: its motion from the anchor to each frame of the window, and the logits
of visibility and confidence. Positions are in cells, x before y.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..shared.residual_encoder import ResidualEncoder
from .config import ITERATIONS, NEIGHBOURS, STRIDE, UPSAMPLED, WIDTH, AllTrackerConfig, grid_size, padded_size
from .correlation import Neighbourhoods, correlation_volume, feature_pyramid
from .encoder import WIDTHS, ConvNeXt, convolve, project
from .update import UpdateBlock

# of colours from 0 to 255, red, green, blue
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
_WHITE = 255.0
_WEIGHT_SCALE = 0.25
_MAX_PERIOD = 10_000


@dataclass(frozen=True)
class Blocks:
    """How much is done at once; the numbers do not depend on it, up to rounding.

    Args:
        encoder_frames: frames encoded together
        frames: frames of a window that pass a convolution together
        cells: cells that attend over time together
        volume_cells: anchor cells whose products with a frame are computed together
        keeps_volumes: whether volumes stay for the iterations and windows that need them again
        on_block: called before each block of work; may raise, to end it
    """

    encoder_frames: int = 1
    frames: int = 1
    cells: int = 256
    volume_cells: int = 1 << 20
    keeps_volumes: bool = True
    on_block: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    def halved(self, smallest: Blocks) -> Blocks:
        """Half of every size, but not below the smallest."""
        names = ("encoder_frames", "frames", "cells", "volume_cells")
        return replace(self, **{name: max(getattr(self, name) // 2, getattr(smallest, name)) for name in names})


@dataclass
class Anchor:
    """A frame from which points are tracked.

    Args:
        feature: (h, w, C) map of the frame, as it is stored
        start: (h, w, WIDTH) float32, where the refined feature starts
        context_part: (h, w, WIDTH) float32, of `UpdateBlock.context_part`
        cells: (h, w, 2) float32, the position of each cell
        neighbourhoods: for maps of this size
        volumes: correlation volumes of the anchor with frames, by any key
    """

    feature: Tensor
    start: Tensor
    context_part: Tensor
    cells: Tensor
    neighbourhoods: Neighbourhoods
    volumes: dict[int, Tensor] = field(default_factory=dict)


@dataclass
class Window:
    """What is believed about some frames, seen from the anchor.

    Args:
        state: (S, h, w, 4) float32: motion in cells, visibility and confidence logits
        feature: (S, h, w, WIDTH) float32 of the last iteration
    """

    state: Tensor
    feature: Tensor


class AllTracker(nn.Module):
    """The network; parameters have the names of the published checkpoints.

    Args:
        config: its sizes
    """

    def __init__(self, config: AllTrackerConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("time_emb", time_embedding(config.window)[None])
        self.time_emb: Tensor
        if config.encoder == "convnext":
            self.cnn = ConvNeXt(config.stage_depths)
            self.dot_conv = nn.Conv2d(WIDTHS[-1], config.feature_dim, 1)
        else:
            self.fnet = ResidualEncoder(config.feature_dim, STRIDE)
        self.upsample_weight = _head(1, NEIGHBOURS * UPSAMPLED)
        self.flow_head = _head(3, 2)
        self.visconf_head = _head(3, 2)
        self.update_block = UpdateBlock(config.block_pairs)

    @property
    def device(self) -> torch.device:
        return self.time_emb.device

    def encode(self, frames: Tensor) -> Tensor:
        """Encodes frames.

        Args:
            frames: (n, 3, H, W) float32 from 0 to 255, H and W at least `MIN_SIDE`

        Returns:
            (n, h, w, C) float32 features of the padded frames
        """
        # channel by channel, with numbers of Python: a GPU would wait for constants that are sent to it
        channels = zip(frames.unbind(dim=1), _MEAN, _DEVIATION, strict=True)
        x = torch.stack([(channel / _WHITE - mean) / deviation for channel, mean, deviation in channels], dim=-1)
        x = x.permute(0, 3, 1, 2)  # (n, 3, H, W), channels last in memory
        left, top = padding((x.shape[2], x.shape[3]))
        height, width = padded_size((x.shape[2], x.shape[3]))
        right, bottom = width - left - x.shape[3], height - top - x.shape[2]
        x = F.pad(x, (left, right, top, bottom), mode="replicate")
        if self.config.encoder == "residual":
            return self.fnet(x)
        x = self.cnn(x.permute(0, 2, 3, 1))  # (n, h, w, 384)
        return project(self.dot_conv, x).float()

    def anchor(self, feature: Tensor) -> Anchor:
        """Prepares a frame from which points are tracked.

        Args:
            feature: (h, w, C) of `encode`
        """
        start, context = feature[..., :WIDTH].float(), feature[..., -WIDTH:].float()
        rows, columns = feature.shape[:2]
        y, x = (torch.arange(side, dtype=torch.float32, device=feature.device) for side in (rows, columns))
        cells = torch.stack([x.expand(rows, -1), y[:, None].expand(-1, columns)], dim=-1)  # (h, w, 2)
        neighbourhoods = Neighbourhoods((rows, columns), feature.device)
        return Anchor(feature, start, self.update_block.context_part(context), cells, neighbourhoods)

    def refine(
        self,
        anchor: Anchor,
        maps: Sequence[tuple[int, Tensor]],
        state: Tensor,
        rows: slice,
        iterations: int = ITERATIONS,
        blocks: Blocks | None = None,
        on_iteration: Callable[[], None] = lambda: None,
    ) -> Window:
        """Refines the frames of a window together.

        Args:
            anchor: where the points are given
            maps: key and (h, w, C) features of each of the S frames; equal keys mean the same frame
            state: (S, h, w, 4) float32, as of `Window`, to start from
            rows: S rows of the time embedding
            iterations: how often
            blocks: how much is done at once
            on_iteration: called after each iteration

        Returns:
            the refined window; `state` is not changed
        """
        blocks = blocks or Blocks()
        lookup = _Correlations(anchor, maps, blocks)
        time_part = self.update_block.context_part(self.time_emb[0, rows])[:, None, None]  # (S, 1, 1, C)
        state = state.clone()
        feature = anchor.start.repeat(len(maps), 1, 1, 1)  # (S, h, w, C), never the stored map itself
        for _ in range(iterations):
            for some in _slices(len(maps), blocks.frames):
                blocks.on_block()
                code = self.update_block.motion_encoder(lookup.of(some, state[some, ..., :2]), state[some, ..., :2])
                context = anchor.context_part + time_part[some]
                feature[some] = self.update_block.compress(feature[some], context, code, state[some])
            self.update_block.mix(feature, blocks.cells, blocks.frames, blocks.on_block)
            for some in _slices(len(maps), blocks.frames):
                blocks.on_block()
                feature[some] = self.update_block.finish(feature[some])
                state[some, ..., :2] += self._run_head(self.flow_head, feature[some])
                state[some, ..., 2:] += self._run_head(self.visconf_head, feature[some])
            on_iteration()
        return Window(state, feature)

    def upsample(self, window: Window, some: slice, cells: Tensor) -> Tensor:
        """Motion and logits at the pixels of some cells (convex up-sampling, RAFT, arXiv:2003.12039, sec. 3.3).

        Cells beyond the border count as 0, and logits are scaled as lengths are, as published.

        Args:
            window: refined
            some: its frames
            cells: (K,) int64, row by row

        Returns:
            (K, n frames, 64, 4) float32: motion in pixels and logits at the K cells' pixels, row by row
        """
        beside = _neighbours(cells, window.state.shape[2])  # (K, 9) into the map with a border
        first, _, last = self.upsample_weight
        feature, state = (
            F.pad(x[some], (0, 0, 1, 1, 1, 1)).flatten(1, 2)  # (n, (h + 2) (w + 2), ...)
            for x in (window.feature, window.state)
        )
        patches = feature[:, beside].flatten(2)  # (n, K, 9 C)
        assert isinstance(first, nn.Conv2d)
        kernel = first.weight.permute(0, 2, 3, 1).flatten(1)  # (256, 9 C): neighbours, then channels
        hidden = F.linear(patches.to(kernel.dtype), kernel, first.bias).relu_()
        shares = project(last, hidden).float().unflatten(-1, (NEIGHBOURS, UPSAMPLED))
        shares = (_WEIGHT_SCALE * shares).softmax(dim=2)  # (n, K, 9, 64)
        mixed = shares.mT @ (STRIDE * state[:, beside])  # (n, K, 64, 4)
        return mixed.transpose(0, 1)

    @staticmethod
    def _run_head(head: nn.Sequential, feature: Tensor) -> Tensor:
        first, _, last = head
        return convolve(last, convolve(first, feature).relu_()).float()


class _Correlations:
    """Correlations of the frames of a window, from volumes that are kept or built when they are needed."""

    def __init__(self, anchor: Anchor, maps: Sequence[tuple[int, Tensor]], blocks: Blocks) -> None:
        self._anchor = anchor
        self._maps = maps
        self._blocks = blocks
        wanted = {key for key, _ in maps} if blocks.keeps_volumes else set()
        for key in anchor.volumes.keys() - wanted:
            del anchor.volumes[key]

    def of(self, some: slice, motion: Tensor) -> Tensor:
        """(n, h, w, 405) correlations of some frames with (n, h, w, 2) motion."""
        index, share = self._anchor.neighbourhoods.places((self._anchor.cells + motion).flatten(0, 2))
        parts = index.split(motion.shape[1] * motion.shape[2])  # (h w, 500) of each frame
        frames = self._maps[some.start : some.stop]
        cells = [self._read(key, feature, part) for (key, feature), part in zip(frames, parts, strict=True)]
        found = self._anchor.neighbourhoods.blend(torch.cat(cells), share)  # (n h w, 405)
        return found.unflatten(0, motion.shape[:3])  # (n, h, w, 405)

    def _read(self, key: int, feature: Tensor, index: Tensor) -> Tensor:
        """The products with one frame at some of its cells: (h w, 500) to the same."""
        if self._blocks.keeps_volumes:
            if key not in self._anchor.volumes:
                self._anchor.volumes[key] = self._build(feature)
            return self._anchor.volumes[key].gather(1, index)
        pyramid = feature_pyramid(feature)
        anchor = self._anchor.feature.flatten(0, 1)  # (h w, C)
        size = self._blocks.volume_cells
        pieces = zip(anchor.split(size), index.split(size), strict=True)
        return torch.cat([correlation_volume(some, pyramid).gather(1, where) for some, where in pieces])

    def _build(self, feature: Tensor) -> Tensor:
        return correlation_volume(self._anchor.feature.flatten(0, 1), feature_pyramid(feature))


def time_embedding(length: int) -> Tensor:
    """The published table: (length, WIDTH), sines before cosines.

    On the CPU also where the rest of a model is built on the meta device: torch's operators of that device load its
    compiler, which takes seconds.
    """
    half = torch.arange(WIDTH // 2, dtype=torch.float64, device="cpu")
    rates = torch.exp(half * (-math.log(_MAX_PERIOD) / (WIDTH // 2)))
    angle = torch.arange(length, dtype=torch.float64, device="cpu")[:, None] * rates
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()


def padding(size: tuple[int, int]) -> tuple[int, int]:
    """(left, top) pixels that are put before a frame of (height, width)."""
    height, width = padded_size(size)
    return (width - size[1]) // 2, (height - size[0]) // 2


def empty_state(num_frames: int, size: tuple[int, int], device: torch.device) -> Tensor:
    """No motion and even odds: (num_frames, h, w, 4) for frames of (height, width)."""
    return torch.zeros(num_frames, *grid_size(size), 4, dtype=torch.float32, device=device)


def set_matrix_dtype(model: AllTracker, dtype: torch.dtype) -> None:
    """Converts the convolutions and linear layers of a model in place, but for those that end a head."""
    final = {id(head[2]) for head in (model.flow_head, model.visconf_head)}
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and id(module) not in final:
            module.to(dtype)


def _head(last_kernel: int, channels: int) -> nn.Sequential:
    last = nn.Conv2d(2 * WIDTH, channels, last_kernel, padding=last_kernel // 2)
    return nn.Sequential(nn.Conv2d(WIDTH, 2 * WIDTH, 3, padding=1), nn.ReLU(), last)


def _neighbours(cells: Tensor, width: int) -> Tensor:
    """Places of the 3 x 3 cells around each in a map with a border of one cell: (K,) to (K, 9)."""
    steps = torch.arange(3, device=cells.device)
    around = (steps[:, None] * (width + 2) + steps).flatten()  # (9,)
    first = torch.div(cells, width, rounding_mode="floor") * (width + 2) + cells % width
    return first[:, None] + around


def _slices(total: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]
