"""The fast network against a short plain form of the paper's equations.

The plain form samples with `grid_sample`, multiplies with einsum, attends with
an explicit softmax and merges nothing. It reads the parameters by name.
"""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.cotracker.network.chunks import ChunkSizes
from point_tracking.tracker.models.cotracker.network.correlation import FeatureMaps, SampledTemplates
from point_tracking.tracker.models.cotracker.network.model import QuerySupport, TrackState
from point_tracking.tracker.models.cotracker.running.online import WindowedPoints


class PlainCoTracker3:
    """One clip (T, h, w, C per level) and N points, without batches or blocks of work."""

    def __init__(self, model) -> None:
        self.config = model.config
        self.state = dict(model.state_dict())

    def linear(self, name, x):
        return F.linear(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def sample(self, level_map, frame, xy):
        """(h, w, C) of a frame at (.., 2) pixels."""
        height, width, _ = level_map.shape[1:]
        grid = 2 * xy / torch.tensor([width - 1.0, height - 1.0]) - 1
        image = level_map[frame].permute(2, 0, 1)[None]
        out = F.grid_sample(image, grid.reshape(1, 1, -1, 2), padding_mode="border", align_corners=True)
        return out[0, :, 0].T.reshape(*xy.shape[:-1], -1)

    def neighbourhood(self, xy):
        r = self.config.radius
        dx, dy = torch.meshgrid(torch.arange(-r, r + 1.0), torch.arange(-r, r + 1.0), indexing="ij")
        return xy[..., None, :] + torch.stack([dx, dy], dim=-1).reshape(-1, 2)

    def correlation(self, levels, t_query, xy_query, xy):
        out = []
        for level, level_map in enumerate(levels):
            rows = []
            for n in range(len(t_query)):
                template = self.sample(level_map, int(t_query[n]), self.neighbourhood(xy_query[n] / 2**level))
                around = [
                    self.sample(level_map, t, self.neighbourhood(xy[n, t] / 2**level)) for t in range(xy.shape[1])
                ]
                rows.append(torch.einsum("tpc,sc->tps", torch.stack(around), template).flatten(1))
            hidden = F.gelu(self.linear("corr_mlp.fc1", torch.stack(rows)))
            out.append(self.linear("corr_mlp.fc2", hidden))
        return torch.cat(out, dim=-1)  # (N, T, L * corr_dim)

    def motion(self, xy):
        height, width = self.config.grid_size
        size = torch.tensor([width, height])
        forward, backward = torch.zeros_like(xy), torch.zeros_like(xy)
        forward[:, :-1] = (xy[:, :-1] - xy[:, 1:]) / size
        backward[:, 1:] = (xy[:, 1:] - xy[:, :-1]) / size
        v = torch.cat([forward, backward], dim=-1)
        waves = [v * 2**k for k in range(self.config.motion_frequencies)]
        return torch.cat([v, *[w.sin() for w in waves], *[(w + math.pi / 2).sin() for w in waves]], dim=-1)

    def attention(self, name, x, context):
        q, (k, v) = self.linear(f"{name}.to_q", x), self.linear(f"{name}.to_kv", context).chunk(2, dim=-1)
        q, k, v = (part.unflatten(-1, (self.config.heads, -1)).transpose(-2, -3) for part in (q, k, v))
        scores = (q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
        return self.linear(f"{name}.to_out", (scores.softmax(dim=-1) @ v).transpose(-2, -3).flatten(-2))

    def mlp(self, name, x):
        hidden = F.gelu(self.linear(f"{name}.mlp.fc1", norm(x)), approximate="tanh")
        return x + self.linear(f"{name}.mlp.fc2", hidden)

    def self_block(self, name, x):
        return self.mlp(name, x + self.attention(f"{name}.attn", norm(x), norm(x)))

    def cross_block(self, name, x, context):
        weight, bias = self.state[f"{name}.norm_context.weight"], self.state[f"{name}.norm_context.bias"]
        context = F.layer_norm(context, context.shape[-1:], weight, bias, eps=1e-5)
        return self.mlp(name, x + self.attention(f"{name}.cross_attn", norm(x), context))

    def transformer(self, tokens):
        """(N, T, token_dim) -> (N, T, 4)."""
        name = "updateformer"
        points = self.linear(f"{name}.input_transform", tokens)
        virtual = self.state[f"{name}.virual_tracks"][0].expand(-1, points.shape[1], -1)
        for i in range(self.config.depth):
            both = self.self_block(f"{name}.time_blocks.{i}", torch.cat([points, virtual]))
            points, virtual = (part.transpose(0, 1) for part in both.split([len(points), len(virtual)]))  # (T, ..)
            virtual = self.cross_block(f"{name}.space_virtual2point_blocks.{i}", virtual, points)
            virtual = self.self_block(f"{name}.space_virtual_blocks.{i}", virtual)
            points = self.cross_block(f"{name}.space_point2virtual_blocks.{i}", points, virtual)
            points, virtual = points.transpose(0, 1), virtual.transpose(0, 1)
        return torch.cat(
            [self.linear(f"{name}.flow_head", points), self.linear(f"{name}.vis_conf_head", points)], dim=-1
        )

    def run(self, levels, t_query, xy_query, num_frames, iterations):
        xy = xy_query[:, None].repeat(1, num_frames, 1)
        logits = torch.zeros(*xy.shape[:2], 2)
        time = F.interpolate(self.state["time_emb"].transpose(1, 2), num_frames, mode="linear").transpose(1, 2)
        for _ in range(iterations):
            correlation = self.correlation(levels, t_query, xy_query, xy)
            tokens = torch.cat([logits, correlation, self.motion(xy)], dim=-1) + time
            update = self.transformer(tokens)
            xy, logits = xy + update[..., :2], logits + update[..., 2:]
        return xy, logits


def norm(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


@pytest.mark.parametrize("num_frames", [1, 5, 60])
@pytest.mark.parametrize("chunks", [ChunkSizes(), ChunkSizes(1, 3, 4, 5)], ids=["large", "tiny"])
def test_network_equals_the_plain_form(small_model, random_maps, random_queries, num_frames, chunks):
    model = small_model("offline")
    maps = random_maps(model, num_frames, batch=2)
    t, xy = random_queries(model, num_frames, num_points=7, batch=2)
    xy[:, 0] = torch.tensor([-3.0, 40.0])  # far outside
    with torch.inference_mode():
        queries = QuerySupport(model.support(maps, t, xy), t)
        *_, found = model.refine(maps, queries, TrackState.at_queries(xy, num_frames), 2, chunks)
        for b in range(2):
            levels = [level[b] for level in maps.levels]
            plain_xy, plain_logits = PlainCoTracker3(model).run(levels, t[b], xy[b], num_frames, 2)
            torch.testing.assert_close(found.xy[b], plain_xy, atol=2e-4, rtol=1e-4)
            torch.testing.assert_close(found.visibility[b], plain_logits[..., 0], atol=2e-4, rtol=1e-4)
            torch.testing.assert_close(found.confidence[b], plain_logits[..., 1], atol=2e-4, rtol=1e-4)
    assert (found.xy - xy[:, :, None]).abs().max() > 0.05, "tracks that do not move prove nothing"


@pytest.mark.parametrize("num_frames", [5, 90])
def test_templates_sampled_when_needed_equal_stored_ones(small_model, random_maps, random_queries, num_frames):
    model = small_model("offline")
    maps = random_maps(model, num_frames, batch=2)
    t, xy = random_queries(model, num_frames, num_points=7, batch=2)
    found = []
    with torch.inference_mode():
        for templates in (model.support(maps, t, xy), SampledTemplates(maps, t, xy, model.config.radius)):
            states = model.refine(maps, QuerySupport(templates, t), TrackState.at_queries(xy, num_frames), 2)
            found.append(list(states)[-1].xy)
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)


def test_training_form_equals_the_inference_form(small_model, random_maps, random_queries):
    model = small_model("offline")
    maps = random_maps(model, 6)
    t, xy = random_queries(model, 6, num_points=5)
    results = []
    for context in (torch.inference_mode(), torch.enable_grad()):
        with context:
            queries = QuerySupport(model.support(maps, t, xy), t)
            *_, found = model.refine(maps, queries, TrackState.at_queries(xy, 6), 1)
            results.append(found)
    torch.testing.assert_close(results[0].xy, results[1].xy.detach(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(results[0].visibility, results[1].visibility.detach(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["online", "v2"])
def test_batches_of_clips_equal_single_clips_in_windows(small_model, random_maps, random_queries, kind):
    model = small_model(kind)
    maps = random_maps(model, 14, batch=2)
    t, xy = random_queries(model, 14, num_points=5, batch=2)

    def track(maps, t, xy):
        points = WindowedPoints(model, t, xy)
        for start in (0, 4, 8):
            part = FeatureMaps(maps.levels, maps.frames[start : start + 8])
            *_, state = points.refine_window(part)
        return state

    with torch.inference_mode():
        both = track(maps, t, xy)
        for b in range(2):
            one = FeatureMaps(tuple(level[b : b + 1] for level in maps.levels), maps.frames)
            alone = track(one, t[b : b + 1], xy[b : b + 1])
            torch.testing.assert_close(both.xy[b], alone.xy[0], atol=2e-4, rtol=1e-4)
            torch.testing.assert_close(both.visibility[b], alone.visibility[0], atol=2e-4, rtol=1e-4)
