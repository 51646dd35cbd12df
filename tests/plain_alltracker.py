"""AllTracker as plainly as its paper reads (arXiv:2506.07310, sec. 3): slow, whole maps, nothing shared.

The tests' and the benchmark's yardstick for what is computed faster or in
pieces. Maps are (frames, channels, rows, columns).
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

HEADS, LEVELS, RADIUS, STRIDE = 8, 5, 4, 8


class PlainAllTracker:
    """The same network, from the same parameters.

    Args:
        model: with `state_dict` and `config`
    """

    def __init__(self, model) -> None:
        self.p = {key: value.float() for key, value in model.state_dict().items()}
        self.config = model.config

    def encode(self, frames: np.ndarray) -> Tensor:
        """uint8 (T, H, W, 3) to (T, C, h, w)."""
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = ((torch.from_numpy(frames.copy()).float() / 255 - mean) / deviation).permute(0, 3, 1, 2)
        down, right = -x.shape[2] % 64, -x.shape[3] % 64
        x = F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2), mode="replicate")
        encode = self.convnext if self.config.encoder == "convnext" else self.residual
        return torch.cat([encode(frame[None]) for frame in x])

    def conv(self, name: str, x: Tensor, **how) -> Tensor:
        return F.conv2d(x, self.p[name + ".weight"], self.p[name + ".bias"], **how)

    def linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.p[name + ".weight"], self.p[name + ".bias"])

    def norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.p[name + ".weight"], self.p[name + ".bias"]
        return F.layer_norm(x.permute(0, 2, 3, 1), weight.shape, weight, bias, 1e-6).permute(0, 3, 1, 2)

    def convnext(self, x: Tensor) -> Tensor:
        at = "cnn.features."
        x = self.norm(at + "0.1", self.conv(at + "0.0", x, stride=4))
        for stage, depth in zip((1, 3, 5), self.config.stage_depths, strict=True):
            if stage > 1:
                how = {"stride": 2} if stage == 3 else {"padding": 2, "dilation": 2}
                x = self.conv(f"{at}{stage - 1}.1", self.norm(f"{at}{stage - 1}.0", x), **how)
            for i in range(depth):
                x = self.space_block(f"{at}{stage}.{i}", x)
        return self.conv("dot_conv", x)

    def residual(self, x: Tensor) -> Tensor:
        size = (x.shape[2] // STRIDE, x.shape[3] // STRIDE)

        def normed(name: str, x: Tensor, **how) -> Tensor:
            return F.instance_norm(self.conv(name, x, **how), eps=1e-5)

        x = normed("fnet.conv1", x, stride=2, padding=3).relu()
        stages = []
        for layer in (1, 2, 3, 4):
            for block in (0, 1):
                at, stride = f"fnet.layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
                y = normed(at + ".conv1", x, stride=stride, padding=1).relu()
                y = normed(at + ".conv2", y, padding=1).relu()
                x = normed(at + ".downsample.0", x, stride=2) if stride == 2 else x
                x = (x + y).relu()
            stages.append(F.interpolate(x, size, mode="bilinear", align_corners=True))
        return self.conv("fnet.conv3", normed("fnet.conv2", torch.cat(stages, dim=1), padding=1).relu())

    def space_block(self, name: str, x: Tensor) -> Tensor:
        y = self.conv(name + ".block.0", x, padding=3, groups=x.shape[1])
        y = self.norm(name + ".block.2", y).permute(0, 2, 3, 1)
        y = self.linear(name + ".block.5", F.gelu(self.linear(name + ".block.3", y)))
        return x + self.p[name + ".layer_scale"] * y.permute(0, 3, 1, 2)

    def time_block(self, name: str, x: Tensor) -> Tensor:
        frames, channels, rows, columns = x.shape
        x = x.permute(2, 3, 0, 1).reshape(rows * columns, frames, channels)  # (n, S, C)

        def heads(y: Tensor) -> Tensor:
            return y.unflatten(-1, (HEADS, -1)).transpose(1, 2)  # (n, heads, S, C / heads)

        y = F.layer_norm(x, (channels,), eps=1e-6)
        k, v = self.linear(name + ".block.attn.to_kv", y).chunk(2, dim=-1)
        q = self.linear(name + ".block.attn.to_q", y)
        y = F.scaled_dot_product_attention(heads(q), heads(k), heads(v)).transpose(1, 2).flatten(2)
        x1 = x + self.linear(name + ".block.attn.to_out", y)
        y = F.layer_norm(x1, (channels,), eps=1e-6)
        y = F.gelu(self.linear(name + ".block.mlp.fc1", y), approximate="tanh")
        x2 = x1 + self.linear(name + ".block.mlp.fc2", y)
        x = x + self.p[name + ".layer_scale"].flatten() * x2
        return x.reshape(rows, columns, frames, channels).permute(2, 3, 0, 1)  # (S, C, h, w)

    def correlations(self, anchor: Tensor, features: Tensor, flow: Tensor) -> Tensor:
        """(C, h, w) anchor, (S, C, h, w) features, (S, 2, h, w) flow in cells to (S, 405, h, w)."""
        channels, rows, columns = anchor.shape
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centres = torch.stack([x, y], dim=-1) + flow.permute(0, 2, 3, 1)  # (S, h, w, 2)
        steps = torch.arange(-RADIUS, RADIUS + 1.0)
        around = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1)  # (9, 9, 2): x first
        found = []
        for frame in range(len(features)):
            level = features[frame][None]
            for k in range(LEVELS):
                if k:
                    level = F.interpolate(level, scale_factor=0.5, mode="area")
                volume = torch.einsum("cn,chw->nhw", anchor.flatten(1), level[0]) / math.sqrt(channels)
                at = centres[frame].reshape(-1, 1, 1, 2) / 2**k + around  # (n, 9, 9, 2)
                side = torch.tensor([volume.shape[2] - 1, volume.shape[1] - 1]).clamp(min=1)
                at = 2 * at / side - 1
                read = F.grid_sample(volume[:, None], at, align_corners=True, padding_mode="border")  # (n, 1, 9, 9)
                found.append(read.flatten(1).T.reshape(1, -1, rows, columns))  # (1, 81, h, w)
        return torch.cat(found, dim=1).reshape(len(features), -1, rows, columns)  # (S, 405, h, w)

    def window(
        self, anchor: Tensor, features: Tensor, state: Tensor, rows: slice, iterations: int
    ) -> tuple[Tensor, Tensor]:
        """(C, h, w), (S, C, h, w) and (S, 4, h, w) to the new state and (S, 4, H, W) pixels and scores."""
        flow, visconf = state[:, :2], state[:, 2:]
        times = self.p["time_emb"][0, rows]  # (S, 128)
        g = anchor[:128].expand(len(features), -1, -1, -1)
        context = anchor[-128:] + times[:, :, None, None]
        at = "update_block."
        for _ in range(iterations):
            corr = self.correlations(anchor, features, flow)
            a = self.conv(at + "motion_encoder.convc1", corr).relu()
            a = self.conv(at + "motion_encoder.convc2", a, padding=1).relu()
            b = self.conv(at + "motion_encoder.convf1", flow, padding=2).relu()
            b = self.conv(at + "motion_encoder.convf2", b, padding=1).relu()
            m = self.conv(at + "motion_encoder.conv", torch.cat([a, b], dim=1), padding=1).relu()
            g = self.conv(at + "compressor", torch.cat([g, context, m, flow, visconf], dim=1))
            for i in range(2 * self.config.block_pairs):
                g = (self.space_block if i % 2 else self.time_block)(f"{at}refine.{i}", g)
            g = self.conv(at + "final_conv", g)
            flow = flow + self.conv("flow_head.2", self.conv("flow_head.0", g, padding=1).relu(), padding=1)
            visconf = visconf + self.conv("visconf_head.2", self.conv("visconf_head.0", g, padding=1).relu(), padding=1)
            weights = 0.25 * self.conv("upsample_weight.2", self.conv("upsample_weight.0", g, padding=1).relu())
        state = torch.cat([flow, visconf], dim=1)
        full = self.upsample(state, weights)
        return state, torch.cat([full[:, :2], full[:, 2:].sigmoid()], dim=1)

    @staticmethod
    def upsample(state: Tensor, weights: Tensor) -> Tensor:
        """(S, 4, h, w) and (S, 576, h, w) to (S, 4, 8 h, 8 w)."""
        frames, channels, rows, columns = state.shape
        shares = weights.reshape(frames, 1, 9, 8, 8, rows, columns).softmax(dim=2)
        beside = F.unfold(8 * state, 3, padding=1).reshape(frames, channels, 9, 1, 1, rows, columns)
        mixed = (shares * beside).sum(dim=2)  # (S, 4, 8, 8, h, w)
        return mixed.permute(0, 1, 4, 2, 5, 3).reshape(frames, channels, 8 * rows, 8 * columns)  # (S, 4, H, W)

    def forward_maps(self, features: Tensor, iterations: int, keep: str) -> dict[int, Tensor]:
        """What the anchor, frame 0 of the features, says: (4, H, W) by frame."""
        total, length, step = len(features), self.config.window, self.config.window // 2
        grid = features.shape[2:]
        if total == 1:
            return {}
        if total == 2:
            _, full = self.window(features[0], features[1:], torch.zeros(1, 4, *grid), slice(1, 2), iterations)
            return {1: full[0]}
        starts = [0]
        while starts[-1] + length < total:
            starts.append(starts[-1] + step)
        padded = torch.cat([features, features[-1:].expand(starts[-1] + length, -1, -1, -1)])
        state, found = torch.zeros(length, 4, *grid), {}
        for start in starts:
            if start:
                state = torch.cat([state[step:], state[-1:].expand(step, -1, -1, -1)])
            state, full = self.window(features[0], padded[start : start + length], state, slice(0, length), iterations)
            for i in range(min(length, total - start)):
                if keep == "last" or start + i not in found:
                    found[start + i] = full[i]
        return found

    def track(
        self, frames: np.ndarray, queries: np.ndarray, iterations: int, keep: str, backward: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (T, H, W, 3) and whole (N, 3) t, x, y to (T, N, 2) pixels and (T, N, 2) scores, NaN where unknown."""
        features = self.encode(frames)
        left, top = (-frames.shape[2] % 64) // 2, (-frames.shape[1] % 64) // 2
        values = np.full((len(frames), len(queries), 4), np.nan, np.float32)
        for q in np.unique(queries[:, 0]):
            columns = np.flatnonzero(queries[:, 0] == q)
            x, y = queries[columns, 1] + left, queries[columns, 2] + top
            parts = [(features[q:], 1)] + ([(features[: q + 1].flip(0), -1)] if backward else [])
            for part, direction in parts:
                for t, full in self.forward_maps(part, iterations, keep).items():
                    if direction > 0 or t > 0:
                        values[q + direction * t, columns] = full[:, y, x].T.numpy()
        return values[..., :2] + queries[:, 1:], values[..., 2:]
