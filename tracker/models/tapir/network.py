"""The TAPIR network: encoding frames, first positions from a cost volume, and refining them.

Sources: TAPIR, arXiv:2306.08637, sec. 3; BootsTAP, arXiv:2402.00847; causal:
RoboTAP, arXiv:2308.15975. Points never see one another. Positions, logits, norms
and residual streams are float32 in every mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..shared.independent_points.frame_maps import Course, Estimate, FrameMaps, Points
from ..shared.independent_points.model_sizes import Size, refinement_sizes
from ..shared.independent_points.sampling import AROUND, correlate_around, sample_clamped
from ..shared.independent_points.soft_peak import soft_peak
from ..shared.independent_points.trunk import TOTAL_STRIDE, PreactivationResNet, unit_length
from .config import STATE_PARTS, TapirConfig
from .mixer import BlockState, Mixer

HIGH, LOW = 0, 1
"""Levels of the maps; the pooled one comes last."""


@dataclass
class Templates:
    """What points look like in their own frames, in one size.

    Args:
        high: (P, C) float32, at a quarter of the frame
        low: (P, C') float32, at an eighth
    """

    high: Tensor
    low: Tensor


# of an iteration, by block of the mixer
IterationState = list[BlockState]


class Tapir(nn.Module):
    """The network; parameters have the names of the published checkpoints.

    Args:
        config: its sizes
    """

    def __init__(self, config: TapirConfig) -> None:
        super().__init__()
        self.config = config
        self.resnet_torch = PreactivationResNet(config.widths, config.depths)
        if config.extra_convs:
            self.extra_convs = _ExtraConvs(config)
        self.torch_cost_volume_track_mods = _CostVolumeHeads()
        self.torch_pips_mixer = Mixer(config)

    @property
    def device(self) -> torch.device:
        return self.torch_pips_mixer.linear.weight.device

    def sizes(self, frame: Size) -> list[Size]:
        """The sizes in which tracks are refined for a model's frame of (height, width); the first is 256 x 256."""
        return refinement_sizes(frame)

    def encode(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Encodes frames.

        Args:
            frames: (n, 3, H, W) float32 from -1 to 1, H and W multiples of 8

        Returns:
            the levels of `FrameMaps`, float32: a quarter and an eighth of the frame, and maybe a sixteenth
        """
        groups = self.resnet_torch(frames)
        low = groups[3]
        if self.config.extra_convs:
            low = self.extra_convs(low)
        high, low = unit_length(groups[1]), unit_length(low)
        if not self.config.pooled:
            return high, low
        pooled = F.avg_pool2d(low.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
        return high, low, pooled

    def read_templates(self, sets: Sequence[FrameMaps], points: Points) -> list[Templates]:
        """What points look like in their frames, in every size."""
        found = []
        for maps in sets:
            high, low = (
                sample_clamped(maps.levels[i], points.frame, maps.place(i, points.xy))[:, 0] for i in (HIGH, LOW)
            )
            found.append(Templates(high, low))
        return found

    def track(self, sets: Sequence[FrameMaps], rows: Tensor, points: Points, course: Course) -> Estimate:
        """Tracks points through all frames.

        Args:
            sets: maps of the clip by size, as `sizes` says
            rows: (T,) int64, the frames in the order in which they are gone through
            points: where they are given
            course: how to go on

        Returns:
            positions and logits; the mean of those in all sizes, of a causal model those in the last
        """
        templates = self.read_templates(sets, points)
        start = self.start(sets[0], rows, templates[0], course)
        if not self.config.causal:
            own = rows == points.frame[:, None]  # (P, T)
            start.xy = torch.where(own[..., None], points.xy[:, None], start.xy)
        return self.refine(sets, rows, templates, start, course)

    def start(self, maps: FrameMaps, rows: Tensor, templates: Templates, course: Course) -> Estimate:
        """First positions and logits of points in each frame alone, in the smallest size."""
        level = maps.levels[LOW]
        _, height, width, _ = level.shape
        shape = (len(templates.low), len(rows))
        found = level.new_empty(*shape, STATE_PARTS, dtype=torch.float32)
        for some, few in course.blocks(*shape):
            cells = level[rows[few]].flatten(0, 2)  # (t h w, C)
            cost = (templates.low[some].to(cells.dtype) @ cells.mT).float()
            cost = cost.view(-1, 1, height, width)  # (p t, 1, h, w)
            found[some, few] = self.torch_cost_volume_track_mods(cost, course.temperature).view(
                some.stop - some.start, -1, STATE_PARTS
            )
        estimate = Estimate(found[..., :2] * TOTAL_STRIDE, found[..., 2], found[..., 3])
        course.on_estimate(estimate)
        return estimate

    def refine(
        self,
        sets: Sequence[FrameMaps],
        rows: Tensor,
        templates: Sequence[Templates],
        start: Estimate,
        course: Course,
        state: Sequence[Sequence[IterationState]] | None = None,
    ) -> Estimate:
        """Refines positions and logits in every size.

        Args:
            sets: maps of the clip by size
            rows: (T,) int64, the frames in the order in which they are gone through
            templates: of the points, by size
            start: where to start from
            course: how to go on
            state: of a causal model, by size and iteration; updated. None = nothing comes before the first frame

        Returns:
            as of `track`
        """
        xy, results = start.xy, []
        for i, (maps, template) in enumerate(zip(sets, templates, strict=True)):
            begin = Estimate(xy, start.occlusion, start.expected_dist)
            steps = None if state is None else state[i]
            results.append(self._refine_in_size(maps, rows, template, begin, course, steps))
            xy = results[-1].xy
        if self.config.causal or len(results) == 1:
            return results[-1]
        parts = ([getattr(result, name) for result in results] for name in ("xy", "occlusion", "expected_dist"))
        return Estimate(*(torch.stack(part).mean(dim=0) for part in parts))

    def _refine_in_size(
        self,
        maps: FrameMaps,
        rows: Tensor,
        templates: Templates,
        begin: Estimate,
        course: Course,
        state: Sequence[IterationState] | None,
    ) -> Estimate:
        xy, logits = begin.xy, torch.stack([begin.occlusion, begin.expected_dist], dim=-1)  # (P, T, 2)
        own = torch.cat([templates.high, templates.low], dim=1)  # (P, C)
        feature = own[:, None].expand(-1, len(rows), -1)
        for iteration in range(course.iterations):
            around = self._correlate(maps, rows, xy, own if iteration == 0 else feature, course)
            x = torch.cat([logits, feature, around], dim=-1)
            change = self.torch_pips_mixer(x, None if state is None else state[iteration])
            xy = xy + maps.pixels(change[..., :2])
            logits = logits + change[..., 2:STATE_PARTS]
            feature = feature + change[..., STATE_PARTS:]
            estimate = Estimate(xy, logits[..., 0], logits[..., 1])
            course.on_estimate(estimate)
        return estimate

    def _correlate(self, maps: FrameMaps, rows: Tensor, xy: Tensor, feature: Tensor, course: Course) -> Tensor:
        """(P, T, levels x 49) products of (P, C) or (P, T, C) features with what surrounds their points."""
        points, frames = xy.shape[:2]
        split = self.config.high_dim
        found = xy.new_empty(points, frames, len(maps.levels) * AROUND)
        for some, few in course.blocks(points, frames):
            template = feature[some, None] if feature.ndim == 2 else feature[some, few, None]  # (p, .., 1, C)
            for i, level in enumerate(maps.levels):
                part = template[..., :split] if i == HIGH else template[..., split:]
                place = maps.place(i, xy[some, few])
                products = correlate_around(level, rows[few], place, part)  # (p, t, 49, 1)
                found[some, few, i * AROUND : (i + 1) * AROUND] = products[..., 0]
        return found


class _ExtraConvs(nn.Module):
    """Blocks of two convolutions, whose shortcut starts after the norm; not before, as in other networks."""

    def __init__(self, config: TapirConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_ExtraConv(config.low_dim, config.extra_width) for _ in range(config.extra_convs))

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, h, w) of any dtype to float32, channels last in memory."""
        x = x.float()
        for block in self.blocks:
            x = block(x)
        return x


class _ExtraConv(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(width)
        self.conv = nn.Conv2d(width, hidden, 3, padding=1)
        self.conv_1 = nn.Conv2d(hidden, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer_norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # channels last in memory
        y = F.gelu(self.conv(x.to(self.conv.weight.dtype)), approximate="tanh")
        return x + self.conv_1(y).float()


class _CostVolumeHeads(nn.Module):
    """Positions and logits from products of a template with all cells of a frame; float32 in every mode."""

    def __init__(self) -> None:
        super().__init__()
        self.hid1 = nn.Conv2d(1, 16, 3, padding=1)
        self.hid2 = nn.Conv2d(16, 1, 3, padding=1)
        self.hid3 = nn.Conv2d(16, 32, 3, stride=2)
        self.hid4 = nn.Linear(32, 16)
        self.occ_out = nn.Linear(16, 2)

    def forward(self, cost: Tensor, temperature: float) -> Tensor:
        """(K, 1, h, w) products to (K, 4): x, y in cells, and both logits."""
        hidden = F.relu(self.hid1(cost))
        xy = soft_peak(self.hid2(hidden)[:, 0], temperature)  # (K, 2)
        # windows begin at the first cell and reach beyond the last one
        seen = F.relu(self.hid3(F.pad(hidden, (0, 1, 0, 1)))).mean(dim=(2, 3))
        return torch.cat([xy, self.occ_out(F.relu(self.hid4(seen)))], dim=1)


def set_matrix_dtype(model: Tapir, dtype: torch.dtype) -> None:
    """Converts the trunk's convolutions and the mixer's linear layers in place, but for the one that ends it."""
    mixer = model.torch_pips_mixer
    parts = [model.resnet_torch, mixer.linear, mixer.blocks]
    if model.config.extra_convs:
        parts.append(model.extra_convs)
    for part in parts:
        for module in part.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.to(dtype)
