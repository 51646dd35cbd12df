"""The correlation encoder, against its definition with torch's own convolutions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE, LOCOTRACK_SMALL
from point_tracking.tracker.models.locotrack.correlation_encoder import CorrelationEncoder

# zeros before and after the image of each convolution
PADDING = {"locotrack-small": [(1, 1), (0, 0)], "locotrack-base": [(1, 1), (0, 1), (0, 0)]}


@pytest.mark.parametrize("config", [LOCOTRACK_SMALL, LOCOTRACK_BASE], ids=lambda config: config.name)
def test_both_sides_are_looked_at_by_the_same_network(config):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = CorrelationEncoder(config.convs).requires_grad_(False)
        products = torch.randn(5, 49, 49)

    def plain(x):
        for (conv, norm, _), (before, after) in zip(encoder.conv, PADDING[config.name], strict=True):  # type: ignore
            assert norm.eps == 1e-5
            x = F.relu(norm(conv(F.pad(x, (before, after, before, after)))))
        assert x.shape[2:] == (1, 1)
        return x.flatten(1)

    # as an image what lies around the point now, its own surroundings as channels; and the other way
    images = products.mT.unflatten(2, (7, 7)), products.unflatten(2, (7, 7))
    expected = torch.cat([plain(image) for image in images], dim=1)
    torch.testing.assert_close(encoder(products), expected, rtol=1e-4, atol=1e-5)
