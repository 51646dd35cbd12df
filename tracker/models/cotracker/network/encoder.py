"""The feature CNN: one frame in, one map of features at a quarter of its size out.

Source: CoTracker3, arXiv:2410.11831, sec. 3.1; CoTracker, arXiv:2307.07635.
Frames never influence each other, so clips are encoded a few frames at a time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...shared.residual_encoder import NORM_EPS, ResidualEncoder, instance_norm
from .config import CoTrackerConfig

_LENGTH_EPS = 1e-12


class FeatureEncoder(ResidualEncoder):
    """The residual CNN; in CoTracker3 its features are of unit length.

    In training, frames may be parts of such of the model's resolution.

    Args:
        config: the model's sizes
    """

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__(config.feature_dim, config.stride, config.encoder_widths, _norm)
        self.normalize = config.version == 3

    def _encode(self, x: Tensor) -> Tensor:
        features = super()._encode(x).contiguous()  # (n, h, w, C)
        if not self.normalize:
            return features
        length = features.square().sum(dim=-1, keepdim=True).clamp(min=_LENGTH_EPS).sqrt()
        return features / length


def _norm(x: Tensor) -> Tensor:
    if len(x) == 1:
        # torch's batch norm of one frame is an instance norm, with other rounding than `instance_norm`: recorded
        # figures of our own trackers were made with it
        return F.batch_norm(x, None, None, training=True, eps=NORM_EPS)
    if torch.is_grad_enabled():
        return instance_norm(x)
    # both sums in one call, for GPUs, which encode several frames together
    variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)  # (n, c, 1, 1) each
    return x.sub_(mean).mul_((variance + NORM_EPS).rsqrt_())
