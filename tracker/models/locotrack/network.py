"""The LocoTrack network: encoding frames, first positions from a cost volume, and refining them.

Source: LocoTrack, arXiv:2407.15420, sec. 3. Points never see one another.
Positions, logits, the motion's code, norms and residual streams are float32 in
every mode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..shared.independent_points.frame_maps import Course, Estimate, FrameMaps, Points
from ..shared.independent_points.model_sizes import FIRST_SIDE, Size
from ..shared.independent_points.sampling import RADIUS, correlate_around, sample_clamped
from ..shared.independent_points.soft_peak import soft_peak
from ..shared.independent_points.trunk import PreactivationResNet, unit_length
from .config import FREQUENCIES, LEVELS, LocoTrackConfig
from .correlation_encoder import CorrelationEncoder
from .transformer import MotionTransformer

HIGH, LOW = 0, 1
"""Levels of the maps, at a quarter and an eighth of the frame; the one at half of it comes last."""
_STRIDE = 4
"""Pixels per cell of the cost volume."""


class LocoTrack(nn.Module):
    """The network; parameters have the names of the published checkpoints.

    Args:
        config: its sizes
    """

    def __init__(self, config: LocoTrackConfig) -> None:
        super().__init__()
        self.config = config
        self.resnet_torch = PreactivationResNet(config.widths, config.depths)
        self.torch_pips_mixer = MotionTransformer(config)
        self.cmdtop = nn.ModuleList(CorrelationEncoder(config.convs) for _ in range(LEVELS))
        self.cost_conv = nn.Conv2d(2, 1, 3, padding=1)
        self.occ_linear = nn.Linear(6, 2)

    @property
    def device(self) -> torch.device:
        return self.occ_linear.weight.device

    def sizes(self, frame: Size) -> list[Size]:
        """The sizes in which a model's frame of (height, width) is looked at: first 256 x 256, then its own."""
        first = (FIRST_SIDE, FIRST_SIDE)
        return [first] if frame == first else [first, frame]

    def encode(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Encodes frames.

        Args:
            frames: (n, 3, H, W) float32 from -1 to 1, H and W multiples of 8

        Returns:
            the levels of `FrameMaps`, float32: a quarter, an eighth and a half of the frame
        """
        half, quarter, _, eighth = self.resnet_torch(frames)
        return unit_length(quarter), unit_length(eighth), unit_length(half)

    def track(self, sets: Sequence[FrameMaps], rows: Tensor, points: Points, course: Course) -> Estimate:
        """Tracks points through all frames.

        Args:
            sets: maps of the clip by size, as `sizes` says
            rows: (T,) int64, the frames in the order in which they are gone through
            points: where they are given
            course: how to go on

        Returns:
            positions and logits
        """
        start = self.start(sets[0], rows, points, course)
        own = rows == points.frame[:, None]  # (P, T)
        start.xy = torch.where(own[..., None], points.xy[:, None], start.xy)
        course.on_estimate(start)
        return self.refine(sets[-1], rows, self.read_templates(sets[-1], points), start, course)

    def read_templates(self, maps: FrameMaps, points: Points) -> list[Tensor]:
        """What surrounds points in their own frames: (P, 49, C) of each level."""
        return [
            sample_clamped(level, points.frame, maps.place(i, points.xy), RADIUS) for i, level in enumerate(maps.levels)
        ]

    def start(self, maps: FrameMaps, rows: Tensor, points: Points, course: Course) -> Estimate:
        """First positions and logits of points in each frame alone."""
        template = [sample_clamped(maps.levels[i], points.frame, maps.place(i, points.xy))[:, 0] for i in (HIGH, LOW)]
        shape = (len(points.frame), len(rows))
        found = template[0].new_empty(*shape, 4)
        for some, few in course.blocks(*shape):
            costs = []
            for i in (HIGH, LOW):
                level = maps.levels[i][rows[few]]  # (t, h, w, C)
                cost = (template[i][some].to(level.dtype) @ level.flatten(0, 2).mT).float()  # (p, t h w)
                costs.append(cost.view(-1, *level.shape[1:3]))  # (p t, h, w)
            found[some, few] = self._start(costs[HIGH], costs[LOW], course).unflatten(0, (some.stop - some.start, -1))
        return Estimate(found[..., :2] * _STRIDE, found[..., 2], found[..., 3])

    def _start(self, high: Tensor, low: Tensor, course: Course) -> Tensor:
        """(K, h, w) and (K, h / 2, w / 2) products to (K, 4): x, y in cells, and both logits."""
        low = F.interpolate(low[:, None], high.shape[1:], mode="bilinear", align_corners=False)[:, 0]
        volume = torch.stack([low, high], dim=1)  # (K, 2, h, w)
        xy = soft_peak(self.cost_conv(volume)[:, 0], course.temperature)
        cells = volume.flatten(2)
        figures = torch.cat([cells.mean(dim=2), cells.amax(dim=2), cells.amin(dim=2)], dim=1)  # (K, 6)
        return torch.cat([xy, self.occ_linear(figures)], dim=1)

    def refine(
        self, maps: FrameMaps, rows: Tensor, templates: Sequence[Tensor], start: Estimate, course: Course
    ) -> Estimate:
        """Refines positions and logits.

        Args:
            maps: of the clip
            rows: (T,) int64, the frames in the order in which they are gone through
            templates: of `read_templates`
            start: where to start from
            course: how to go on
        """
        estimate = start
        bias = self.torch_pips_mixer.attention_bias(len(rows))
        for _ in range(course.iterations):
            logits = torch.stack([estimate.occlusion, estimate.expected_dist], dim=-1)  # (P, T, 2)
            around = self._correlate(maps, rows, templates, estimate.xy, course)
            tokens = torch.cat([logits, around, _motion_code(estimate.xy, maps.size)], dim=-1)
            change = self.torch_pips_mixer(tokens, bias)
            estimate = Estimate(
                estimate.xy + maps.pixels(change[..., :2]),
                estimate.occlusion + change[..., 2],
                estimate.expected_dist + change[..., 3],
            )
            course.on_estimate(estimate)
        return estimate

    def _correlate(
        self, maps: FrameMaps, rows: Tensor, templates: Sequence[Tensor], xy: Tensor, course: Course
    ) -> Tensor:
        """(P, T, correlation_dim) codes of what surrounds points, compared with their templates."""
        points, frames = xy.shape[:2]
        found = xy.new_empty(points, frames, self.config.correlation_dim)
        for some, few in course.blocks(points, frames):
            codes = []
            for i, (level, encoder) in enumerate(zip(maps.levels, self.cmdtop, strict=True)):
                place = maps.place(i, xy[some, few])
                products = correlate_around(level, rows[few], place, templates[i][some])  # (p, t, 49, 49)
                codes.append(encoder(products.flatten(0, 1)))
            found[some, few] = torch.cat(codes, dim=1).unflatten(0, (some.stop - some.start, -1))
        return found


def _motion_code(xy: Tensor, size: Size) -> Tensor:
    """Steps to the next and from the last frame, and their sines: (P, T, 2) to (P, T, MOTION_PARTS)."""
    height, width = size
    x, y = xy.unbind(dim=-1)
    relative = torch.stack([x * (width / FIRST_SIDE / FIRST_SIDE), y * (height / FIRST_SIDE / FIRST_SIDE)], dim=-1)
    step = relative[:, 1:] - relative[:, :-1]  # (P, T - 1, 2)
    ahead, back = F.pad(-step, (0, 0, 0, 1)), F.pad(step, (0, 0, 1, 0))
    v = torch.cat([ahead, back], dim=-1)  # (P, T, 4)
    scale = 2.0 ** torch.arange(FREQUENCIES, dtype=torch.float32, device=xy.device)
    angle = (v[..., None, :] * scale[:, None]).flatten(-2)  # (P, T, 40), by frequency
    return torch.cat([v, angle.sin(), (angle + math.pi / 2).sin()], dim=-1)


def set_matrix_dtype(model: LocoTrack, dtype: torch.dtype) -> None:
    """Converts the convolutions of trunk and encoders and the transformer's layers in place."""
    for part in (model.resnet_torch, model.cmdtop, model.torch_pips_mixer.transformer):
        for module in part.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.to(dtype)
