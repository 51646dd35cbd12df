"""The transformer's blocks: normalisations, masks, virtual tokens."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.cotracker.network import transformer
from point_tracking.tracker.models.cotracker.network.chunks import ChunkSizes


def test_layer_norms_have_the_published_epsilons(small_model):
    # tokens this small tell 1e-6 from 1e-5, unlike the reference cases
    x = torch.randn(3, 32) * 1e-3
    expected = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-6).sqrt()
    torch.testing.assert_close(transformer.layer_norm(x), expected)
    block = small_model("offline").updateformer.space_point2virtual_blocks[0]
    centred = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    expected = centred * block.norm_context.weight + block.norm_context.bias
    torch.testing.assert_close(block.normed_context(x), expected)


def test_gelu_is_the_tanh_form():
    x = torch.linspace(-8, 8, 4001)
    expected = F.gelu(x, approximate="tanh")
    with torch.inference_mode():
        torch.testing.assert_close(transformer.tanh_gelu_(x.clone()), expected, atol=2e-6, rtol=1e-6)
    assert (F.gelu(x) - expected).abs().max() > 1e-4, "erf and tanh differ by more than that"


def test_first_time_block_on_virtual_tokens_is_the_same_in_every_frame(small_model):
    former = small_model("offline").updateformer
    with torch.inference_mode():
        once = former.virtual_after_first_time_block()
        repeated = former.virual_tracks.expand(1, -1, 9, -1).clone()
        in_full = former.time_blocks[0](repeated, axis=2)
    torch.testing.assert_close(once.expand(-1, -1, 9, -1), in_full, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("num_points", [1, 5, 6, 40])
def test_masked_points_do_not_reach_the_others(small_model, num_points):
    model = small_model("v2")
    former = model.updateformer
    generator = torch.Generator().manual_seed(num_points)
    points = torch.randn(1, num_points, 8, 32, generator=generator)
    mask = torch.ones(1, num_points + 3, dtype=torch.bool)
    mask[:, num_points:] = False
    with torch.inference_mode():
        virtual = former.virtual_after_first_time_block()
        # three more points that are masked; where their number meets that of the virtual
        # tokens, the published model masks something else
        more = torch.cat([points, torch.randn(1, 3, 8, 32, generator=generator)], dim=1)
        alone = former(points.clone(), virtual, ChunkSizes())
        together = former(more.clone(), virtual, ChunkSizes(), point_mask=mask)
    same = torch.allclose(alone, together[:, :num_points], atol=1e-4)
    assert same == (num_points + 3 != model.config.virtual_tokens)


def test_a_masked_point_sees_the_mean_of_the_virtual_tokens(small_model):
    block = small_model("v2").updateformer.space_point2virtual_blocks[0]
    x, context = torch.randn(1, 4, 3, 32), torch.randn(1, 6, 3, 32)
    masks = transformer.ExchangeMasks.of(torch.tensor([[True, False, True, True]]), 6, torch.float32)
    with torch.inference_mode():
        found = block.cross_attn(x, context, 1, masks.write)
        values = block.cross_attn.to_kv(context).chunk(2, dim=-1)[1]
        expected = block.cross_attn.to_out(values.mean(dim=1))  # (1, T, D)
        torch.testing.assert_close(found[:, 1], expected, atol=1e-5, rtol=1e-5)
        assert not torch.allclose(found[:, 0], expected, atol=1e-2)


@pytest.mark.parametrize("num_points", [1, 6, 9])
@pytest.mark.parametrize("batch", [1, 2])
def test_masks_hold_every_key_in_one_piece(small_model, monkeypatch, num_points, batch):
    # kernels of GPUs refuse a mask whose last axis is repeated or not contiguous; 6 are as many as virtual tokens
    former, seen = small_model("v2").updateformer, []
    real = F.scaled_dot_product_attention

    def watched(q, k, v, attn_mask=None):
        if attn_mask is not None:
            seen.append((attn_mask.shape[-1] - k.shape[-2], attn_mask.stride(-1), len(attn_mask) - len(q)))
        return real(q, k, v, attn_mask=attn_mask)

    monkeypatch.setattr(F, "scaled_dot_product_attention", watched)
    mask = torch.arange(num_points).expand(batch, -1) % 3 > 0
    with torch.inference_mode():
        virtual = former.virtual_after_first_time_block()
        former(torch.randn(batch, num_points, 4, 32), virtual, ChunkSizes(block_tokens=8), point_mask=mask)
    assert seen
    assert set(seen) == {(0, 1, 0)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_masked_scores_stay_finite_in_every_kernel(dtype):
    masks = transformer.ExchangeMasks.of(torch.tensor([[True, False]]), 3, torch.float32)
    score = masks.write[0, 0, 1, 0]
    assert torch.isfinite(score.to(dtype) * 1.4427), "kernels multiply scores by log2(e)"
    assert score + 1000.0 == score, "scores vanish in it, so that all keys count the same"


@pytest.mark.parametrize("num_points", [1, 7, 33])
def test_results_do_not_depend_on_block_sizes(small_model, num_points):
    former = small_model("offline").updateformer
    points = torch.randn(1, num_points, 11, 32)
    with torch.inference_mode():
        virtual = former.virtual_after_first_time_block()
        whole = former(points.clone(), virtual, ChunkSizes(block_tokens=10**6))
        for tokens in (1, 10, 25):
            parts = former(points.clone(), virtual, ChunkSizes(block_tokens=tokens))
            torch.testing.assert_close(whole, parts, atol=1e-4, rtol=1e-4)
