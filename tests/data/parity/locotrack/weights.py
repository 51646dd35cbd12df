"""Parity helpers for LocoTrack: deterministic weights, stored cases, comparison; numpy (torch for weights).

    make_weights({name: shape or tensor}) -> {name: float32 torch tensor}, names without "model."
    load_case(name)                       -> dict
    compare(tracks, visible, occlusion, expected_dist, case) -> dict with "ok" and the measured differences
"""
import hashlib
import json
import os

import numpy as np

DATA = os.path.dirname(os.path.abspath(__file__))
STRICT_PX = 0.003  # pixels of the 256 x 256 frame
STRICT_LOGIT = 5e-4
VISIBLE_MARGIN = 1e-3  # flags may differ where |score - 0.5| is not larger
SALT = "locotrack-parity-1"

HEAD_PX = 2.0  # scale of the rows that move a point (pixels of the 256 frame)
HEAD_LOGIT = 0.5  # scale of the rows that move the occlusion and expected_dist logits
HEAD_BIAS = {256: (0.0, -0.8, -0.2, -0.5), 384: (1.0, 3.4, 0.6, -0.6)}  # by model width: cancels the mean step
COST_GAIN = 0.35  # centre of the cost convolution: sets how peaked the heat map is


def _rng(name, shape):
    text = f"{SALT}|{name}|{'x'.join(map(str, shape))}"
    return np.random.RandomState(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little"))


def _fill(name, shape):
    z = _rng(name, shape).standard_normal(size=shape).astype(np.float32)
    if name == "cost_conv.weight":  # (1, 2, 3, 3): a blurred sum of the two volumes, perturbed
        kernel = np.float32([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
        return np.float32(COST_GAIN) * (np.float32([0.8, 1.0])[None, :, None, None] * kernel + 0.2 * z)  # type: ignore
    if name == "occ_linear.weight":  # (2, 6)
        return 1.5 * z
    if name == "occ_linear.bias":
        return np.float32([0.3, -0.6])
    if name == "torch_pips_mixer.output_proj.weight":  # (388, dim): x, y, occlusion, expected_dist, 384 unused
        scale = np.full((shape[0], 1), 1.0, np.float32)
        scale[:2], scale[2:4] = HEAD_PX, HEAD_LOGIT
        return scale * z / np.float32(np.sqrt(shape[1]))
    if len(shape) == 1:
        norm_gain = name.endswith(".weight")  # the only one-dimensional weights are norm gains
        return 1 + np.float32(0.1) * z if norm_gain else np.float32(0.05) * z
    fan_in = int(np.prod(shape[1:]))
    if name.startswith("resnet_torch."):
        if "initial_conv" not in name:  # zero mean over inputs: drops the common mean left by ReLU
            z = z - z.mean(axis=1, keepdims=True)
        return z * np.float32(np.sqrt(2.0 / fan_in))
    if name == "torch_pips_mixer.input_proj.weight":  # (dim, 854): occlusion, expected_dist, 768 correlation, 84 motion
        z = z / np.float32(np.sqrt(fan_in))
        z[:, :2] *= 4
        z[:, 2:770] -= z[:, 2:770].mean(axis=1, keepdims=True)  # the embeddings are all positive
        z[:, 2:770] *= 2.5
        z[:, 814:] -= z[:, 814:].mean(axis=1, keepdims=True)  # cosines of small angles are all near one
        return z
    if name.endswith("dense.2.weight"):
        return (z - z.mean(axis=1, keepdims=True)) * np.float32(1.5 / np.sqrt(fan_in))
    if name.endswith(("query_proj.weight", "key_proj.weight")):
        return z * np.float32(1.4 / np.sqrt(fan_in))
    if name.startswith("cmdtop."):
        return z * np.float32(np.sqrt(2.0 / fan_in))
    return z / np.float32(np.sqrt(fan_in))


def make_weights(state_dict):
    import torch

    shapes = {name: tuple(int(s) for s in getattr(value, "shape", value)) for name, value in state_dict.items()}
    out = {}
    for name, shape in shapes.items():
        array = np.ascontiguousarray(_fill(name, shape), dtype=np.float32)
        assert array.shape == shape, (name, array.shape, shape)
        if name == "torch_pips_mixer.output_proj.bias":
            array[:4] = HEAD_BIAS.get(shapes["torch_pips_mixer.output_proj.weight"][1], 0)
        out[name] = torch.from_numpy(array)
    return out


def load_case(name, folder=DATA):
    with np.load(os.path.join(folder, name + ".npz"), allow_pickle=False) as z:
        case = {key: z[key] for key in z.files if key != "meta"}
        case.update(json.loads(str(z["meta"])), name=name)
    return case


def compare(tracks, visible, occlusion, expected_dist, case, *, px=STRICT_PX, logit=STRICT_LOGIT):
    """Arrays as stored: (T, N, 2), (T, N), (T, N), (T, N); any but tracks may be None."""
    height, width = case["video"].shape[1:3]
    result = {"name": case["name"]}
    difference = np.abs(np.asarray(tracks, np.float64) - case["tracks"]) * [256 / width, 256 / height]
    result["max_px"] = float(np.nan_to_num(difference, nan=np.inf).max())
    ok = result["max_px"] <= px
    for name, values in (("occlusion", occlusion), ("expected_dist", expected_dist)):
        if values is not None:
            result[name] = float(np.abs(np.asarray(values, np.float64) - case[name]).max())
            ok &= result[name] <= logit
    if visible is not None:
        differs = np.asarray(visible, bool) != case["visible"]
        clear = np.abs(case["score"] - case["threshold"]) > VISIBLE_MARGIN
        result["visible_wrong"] = int((differs & clear).sum())
        ok &= result["visible_wrong"] == 0
    result["ok"] = bool(ok)
    return result

