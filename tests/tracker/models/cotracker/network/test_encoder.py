"""The feature CNN: frames alone and together."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.cotracker.network import encoder


def test_encoder_gives_the_same_in_batches_and_alone(small_model):
    encoder = small_model("offline").fnet
    frames = torch.rand(3, 3, 48, 64) * 2 - 1
    trained = encoder(frames).detach()
    with torch.inference_mode():
        alone = encoder(frames)
    assert alone.shape == (3, 12, 16, 16)
    torch.testing.assert_close(trained, alone, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(alone.norm(dim=-1), torch.ones(3, 12, 16), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_norms_of_several_frames_keep_channels_last(dtype):
    # or every convolution that follows would turn its input around, as on GPUs it did
    scale = torch.tensor([3.0, 1e-3, 3.0])[:, None, None, None]  # so small that what is added to the variance counts
    x = (torch.randn(3, 8, 12, 16) * scale + 5 * scale).to(dtype).contiguous(memory_format=torch.channels_last)
    expected = F.instance_norm(x.float(), eps=1e-5)
    with torch.inference_mode():
        found = encoder._norm(x.clone(memory_format=torch.preserve_format))
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert found.dtype == dtype
    bound = 1e-5 if dtype == torch.float32 else 0.03
    torch.testing.assert_close(found.float(), expected, atol=bound, rtol=bound)


def test_frames_encoded_together_equal_frames_alone(small_model, monkeypatch):
    # the way GPUs take
    fnet = small_model("offline").fnet
    frames = torch.rand(3, 3, 48, 64) * 2 - 1
    with torch.inference_mode():
        alone = fnet(frames)
        together = fnet._encode(frames.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-3)
