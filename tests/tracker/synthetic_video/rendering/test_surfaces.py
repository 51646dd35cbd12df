"""What rays meet on all surfaces."""

from __future__ import annotations

import torch

from ..made_scenes import all_hits, plan


def test_outlines_do_not_leak_beyond_their_layer():
    builder = plan("planes", seed=7, batch=6)
    hits, batch = all_hits(builder), builder.render_batch(builder.clips)
    size = batch.layers.half_size[:, 1:, None, None]
    shortest = size[..., :2].amin(-1)
    beyond = torch.maximum(hits.x[:, 1:].abs() / size[..., 0], hits.y[:, 1:].abs() / size[..., 1]) - 1
    far = (beyond * shortest > hits.footprint[:, 1:]) & ~batch.layers.endless[:, 1:, None, None]
    assert far.any()
    assert (hits.cover[:, 1:][far] == 0).all()
