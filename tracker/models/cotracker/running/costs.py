"""How many floating point operations the stages take (multiply + add = 2).

For progress and benchmarks. Counted from the sizes; for the published ones
51.8 GFLOP per encoded frame and 33.3 MFLOP + 4.6 kFLOP x T per point, frame and
iteration.
"""

from __future__ import annotations

from ..network.config import CoTrackerConfig


def encoder_flops(config: CoTrackerConfig) -> float:
    """Operations to encode one frame."""
    height, width = config.resolution
    w1, w2, w3, w4 = config.encoder_widths
    dim, cells = config.feature_dim, config.grid_size[0] * config.grid_size[1]
    multiplies = 49 * 3 * w1 * (height * width / 4)
    inner = w1
    for outer, area in ((w1, 4), (w2, 16), (w3, 64), (w4, 256)):
        stride_two = outer is not w1 or area != 4
        per_cell = 9 * inner * outer + 3 * 9 * outer * outer + (inner * outer if stride_two else 0)
        multiplies += per_cell * height * width / area
        inner = outer
    multiplies += (9 * (w1 + w2 + w3 + w4) * 2 * dim + 2 * dim * dim) * cells
    return 2 * multiplies


def block_flops(config: CoTrackerConfig, attended: int) -> float:
    """Operations of one transformer block per token that attends to `attended` others in self-attention."""
    width = config.width
    return 2 * (4 * width * width + 2 * config.mlp_ratio * width * width) + 4 * width * attended


def refine_flops(config: CoTrackerConfig, num_frames: int, num_points: int) -> float:
    """Operations of one iteration (CoTracker3).

    Args:
        config: sizes of the model
        num_frames: T
        num_points: N, support points included

    Returns:
        operations for all points, frames and virtual tokens
    """
    width, virtual = config.width, config.virtual_tokens
    template = config.neighbourhood if config.version == 3 else 1
    correlation = 2 * config.levels * config.neighbourhood * template * config.feature_dim
    mlp = 0.0
    if config.version == 3:
        per_level = config.neighbourhood**2 * config.corr_hidden + config.corr_hidden * config.corr_dim
        mlp = 2 * config.levels * per_level
    point = correlation + mlp + 2 * config.token_dim * width
    # points: time block and the block that reads virtual tokens, and their part as context of the other
    point += config.depth * (block_flops(config, num_frames) + block_flops(config, virtual) - 4 * width * width)
    point += config.depth * 4 * width * width
    proxy = config.depth * (block_flops(config, num_frames) + block_flops(config, virtual))
    proxy += config.depth * (block_flops(config, num_points) + 4 * width * width - 4 * width * width)
    return num_frames * (num_points * point + virtual * proxy)
