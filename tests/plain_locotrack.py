"""LocoTrack as plainly as its paper reads (arXiv:2407.15420, sec. 3): slow, every sample on its own, nothing in pieces.

The tests' and the benchmark's yardstick for what is computed faster. Maps are
(frames, channels, rows, columns), positions raster: the first pixel's centre is
at 0.5. Frames are 256 x 256 or smaller (then they are enlarged).
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE, RADIUS, TEMPERATURE = 256, 3, 20.0
STRIDES = (1, 2, 2, 1)


class PlainLocoTrack:
    """The same network, from the same parameters.

    Args:
        model: with `state_dict` and `config`
    """

    def __init__(self, model) -> None:
        self.p = {key: value.float() for key, value in model.state_dict().items()}
        self.config = model.config

    def track(self, frames: np.ndarray, rows: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
        """Tracks points.

        Args:
            frames: uint8 (T, H, W, 3)
            rows: (N, 3) t, x, y in pixels, pixel centres whole
            iterations: refinements

        Returns:
            (T, N, 2) pixels; (T, N, 2) logits: occlusion, expected distance
        """
        height, width = frames.shape[1:3]
        scale = torch.tensor([SIDE / width, SIDE / height])
        xy = (torch.from_numpy(rows[:, 1:]).float() + 0.5) * scale
        found, logits = self.refine(self.encode(frames), torch.from_numpy(rows[:, 0]).long(), xy, iterations)
        return ((found / scale - 0.5).numpy().transpose(1, 0, 2), logits.numpy().transpose(1, 0, 2))

    def encode(self, frames: np.ndarray) -> list[Tensor]:
        """Maps at a quarter, an eighth and a half of the frame, features of length one."""
        x = torch.from_numpy(frames.copy()).float().permute(0, 3, 1, 2) / 255 * 2 - 1
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False)
        groups = [torch.cat(some) for some in zip(*(self.trunk(frame[None]) for frame in x), strict=True)]
        return [
            map_ / map_.square().sum(1, keepdim=True).clamp(min=1e-12).sqrt()
            for map_ in (groups[1], groups[3], groups[0])
        ]

    def conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        """With the padding that TensorFlow calls "same"."""
        weight = self.p[name + ".weight"]
        side, kernel = x.shape[-1], weight.shape[-1]
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        pad = (total // 2, total - total // 2)
        return F.conv2d(F.pad(x, pad + pad), weight, self.p.get(name + ".bias"), stride)

    def linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.p[name + ".weight"], self.p[name + ".bias"])

    def layer_norm(self, name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".weight"], self.p[name + ".bias"], 1e-5)

    def trunk(self, x: Tensor) -> list[Tensor]:
        def normed(name: str, x: Tensor) -> Tensor:
            return F.instance_norm(x, None, None, self.p[name + ".weight"], self.p[name + ".bias"], eps=1e-5).relu()

        x, found = self.conv("resnet_torch.initial_conv", x, 2), []
        for group, stride in enumerate(STRIDES):
            for block in range(self.config.depths[group]):
                at, step = f"resnet_torch.block_groups.{group}.blocks.{block}.", stride if block == 0 else 1
                active = normed(at + "bn_0", x)
                shortcut = self.conv(at + "proj_conv", active, step) if block == 0 else x
                x = self.conv(at + "conv_1", normed(at + "bn_1", self.conv(at + "conv_0", active, step))) + shortcut
            found.append(x)
        return found

    def around(self, map_: Tensor, frames: Tensor, xy: Tensor, padding: str) -> Tensor:
        """(K, 49, C): features around (K, 2) positions in the frames (K,) of a map, row by row."""
        height, width = map_.shape[2:]
        dy, dx = torch.meshgrid(*[torch.arange(-RADIUS, RADIUS + 1.0)] * 2, indexing="ij")
        at = xy * torch.tensor([width / SIDE, height / SIDE])
        at = at[:, None] + torch.stack([dx, dy], dim=-1).flatten(0, 1)  # (K, 49, 2)
        grid = 2 * at / torch.tensor([width, height]) - 1
        found = F.grid_sample(map_[frames], grid[:, None], padding_mode=padding, align_corners=False)
        return found[:, :, 0].mT

    def start(self, maps: list[Tensor], t: Tensor, xy: Tensor) -> tuple[Tensor, Tensor]:
        """First positions (N, T, 2) and logits (N, T, 2), from products with whole maps."""
        high, low = (
            torch.einsum("nc,tchw->nthw", self.around(map_, t, xy, "border")[:, 24], map_) for map_ in maps[:2]
        )
        points, frames = high.shape[:2]
        low = F.interpolate(low.flatten(0, 1)[:, None], high.shape[2:], mode="bilinear", align_corners=False)
        volume = torch.cat([low, high.flatten(0, 1)[:, None]], dim=1)  # (N T, 2, h, w)
        scores = (TEMPERATURE * self.conv("cost_conv", volume)[:, 0]).flatten(1).softmax(dim=1)  # (N T, h w)
        side = high.shape[-1]
        y, x = torch.meshgrid(*[torch.arange(float(side))] * 2, indexing="ij")
        peak = scores.argmax(dim=1)
        near = (x.flatten() - (peak % side)[:, None]) ** 2 + (y.flatten() - (peak // side)[:, None]) ** 2 < 25
        weight = scores * near
        found = torch.stack([(weight * (axis.flatten() + 0.5)).sum(1) for axis in (x, y)], dim=1)
        found = found / weight.sum(1, keepdim=True).clamp(min=1e-12) * (SIDE / side)
        cells = volume.flatten(2)
        logits = self.linear("occ_linear", torch.cat([cells.mean(2), cells.amax(2), cells.amin(2)], dim=1))
        found = found.unflatten(0, (points, frames))
        found[torch.arange(points), t] = xy
        return found, logits.unflatten(0, (points, frames))

    def refine(self, maps: list[Tensor], t: Tensor, given: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        xy, logits = self.start(maps, t, given)
        templates = [self.around(map_, t, given, "border") for map_ in maps]
        points, frames = xy.shape[:2]
        every = torch.arange(frames).repeat(points)
        for _ in range(iterations):
            codes = []
            for level, map_ in enumerate(maps):
                around = self.around(map_, every, xy.flatten(0, 1), "zeros").unflatten(0, (points, frames))
                volume = torch.einsum("ntpc,nsc->ntps", around, templates[level]).flatten(0, 1)  # (N T, 49, 49)
                codes += [self.code(level, volume.mT), self.code(level, volume)]
            tokens = torch.cat([logits, torch.cat(codes, dim=1).unflatten(0, (points, frames)), motion(xy)], dim=-1)
            step = self.transformer(tokens)
            xy, logits = xy + step[..., :2], logits + step[..., 2:4]
        return xy, logits

    def code(self, level: int, volume: Tensor) -> Tensor:
        """(K, 49, 49), channels before cells of an image, to (K, C)."""
        x = volume.unflatten(2, (7, 7))
        for i, size in enumerate(self.config.convs):
            at = f"cmdtop.{level}.conv.{i}."
            x = self.conv(at + "0", x, size.stride)
            x = F.group_norm(x, x.shape[1] // 16, self.p[at + "1.weight"], self.p[at + "1.bias"], 1e-5).relu()
        return x.mean(dim=(2, 3))

    def transformer(self, tokens: Tensor) -> Tensor:
        at, heads = "torch_pips_mixer.", self.config.width // 64
        past = (torch.arange(tokens.shape[1])[:, None] - torch.arange(tokens.shape[1])).float()
        bias = []
        for head in range(heads):
            slope = 24 ** (-(head % (heads // 2) + 1) / (heads // 2))
            away = past if head < heads // 2 else -past
            bias.append((-slope * away).masked_fill(away < 0, -1e9))
        x = self.linear(at + "input_proj", tokens)
        for i in range(self.config.layers):
            name = f"{at}transformer.layers.{i}."
            y = self.layer_norm(name + "layer_norm1", x)
            q, k, v = (
                self.linear(f"{name}attn.{part}_proj", y).unflatten(-1, (heads, 64)).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            mixed = ((q @ k.mT) / 8 + torch.stack(bias)).softmax(dim=-1) @ v
            x = x + self.linear(name + "attn.final_proj", mixed.transpose(1, 2).flatten(2))
            y = F.gelu(self.linear(name + "dense.0", self.layer_norm(name + "layer_norm2", x)))
            x = x + self.linear(name + "dense.2", y)
        return self.linear(at + "output_proj", self.layer_norm(at + "transformer.ln_out", x))


def motion(xy: Tensor) -> Tensor:
    """(N, T, 2) to (N, T, 84)."""
    ahead, back = torch.zeros_like(xy), torch.zeros_like(xy)
    ahead[:, :-1], back[:, 1:] = (xy[:, :-1] - xy[:, 1:]) / SIDE, (xy[:, 1:] - xy[:, :-1]) / SIDE
    v = torch.cat([ahead, back], dim=-1)
    waves = [v * 2**k for k in range(10)]
    return torch.cat([v, *(w.sin() for w in waves), *((w + math.pi / 2).sin() for w in waves)], dim=-1)
