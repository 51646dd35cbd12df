"""Blocks of work."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.cotracker.network.chunks import GPU_CHUNKS, ChunkSizes, slices


@given(total=st.integers(0, 500), size=st.integers(0, 600))
def test_blocks_cover_everything_and_are_about_equal(total, size):
    with torch.inference_mode():
        found = list(slices(total, size))
    lengths = [part.stop - part.start for part in found]
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(total))
    assert not lengths or max(lengths) <= max(size, 1)
    assert not lengths or max(lengths) - min(lengths) <= 1, "a block of one costs as many kernels as a full one"
    assert len(found) == -(-total // max(size, 1))


@given(gather=st.integers(1, 500), more=st.integers(0, 500), frames=st.integers(1, 700))
def test_points_of_an_mlp_block_fill_gather_blocks(gather, more, frames):
    chunks = ChunkSizes(gather_tokens=gather, mlp_tokens=gather + more)
    assert chunks.mlp_points(frames) % chunks.gather_points(frames) == 0
    assert chunks.mlp_points(frames) * frames <= max(chunks.mlp_tokens, frames)


def test_blocks_of_a_gpu_fit_its_attention_kernels():
    assert GPU_CHUNKS.block_tokens < 2**16, "rows of a clip of one frame"
