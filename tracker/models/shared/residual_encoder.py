"""The residual feature CNN that CoTracker, PIPs and AllTracker's tiny model share, at any stride.

Sources: PIPs (arXiv:2204.04153), CoTracker (arXiv:2307.07635). Features are not
brought to unit length here.
"""

from __future__ import annotations

from dataclasses import replace

from ..cotracker.network.config import COTRACKER2
from ..cotracker.network.encoder import FeatureEncoder

__all__ = ["FeatureEncoder", "residual_encoder"]


def residual_encoder(feature_dim: int, stride: int) -> FeatureEncoder:
    """The CNN with stages of 64, 96, 128 and 128 channels.

    Args:
        feature_dim: channels of a feature
        stride: pixels per side of a cell of the feature map
    """
    return FeatureEncoder(replace(COTRACKER2, feature_dim=feature_dim, stride=stride))
