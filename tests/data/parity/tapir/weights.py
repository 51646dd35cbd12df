"""Parity helpers for the TAPIR family: deterministic weights, stored cases, comparison; numpy (torch for weights).

    make_weights(shapes)   -> {key: float32 tensor}; shapes: {key: shape or tensor}
    load_case(name)        -> dict
    compare(case, tracks, occlusion=None, expected_dist=None, visible=None) -> dict with 'ok'
"""
import hashlib
import json
import os

import numpy as np

DATA = os.path.dirname(os.path.abspath(__file__))
SALT = "tapir-parity-1"
TOL_PX = 0.0005     # largest track difference, in pixels of the model frame
TOL_LOGIT = 0.00015 # largest difference of an occlusion / expected_dist logit
VIS_MARGIN = 0.001  # visible may differ only where |score - 0.5| <= this


def _normal(key, shape):
    text = f"{SALT}|{key}|{'x'.join(map(str, shape))}"
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
    return np.random.RandomState(seed).standard_normal(size=shape).astype(np.float32)


def _fill(key, shape, extra_convs):
    shape = tuple(int(s) for s in shape)
    z = _normal(key, shape)
    leaf = key.rsplit(".", 1)[-1]
    root = key.split(".", 1)[0]
    f = np.float32
    if key == "torch_cost_volume_track_mods.hid1.weight":   # mostly passes the centre on
        z = z * f(0.15)
        z[:, 0, 1, 1] += f(1.0)
        return z
    if key == "torch_cost_volume_track_mods.hid2.weight":
        z = z * f(0.02)
        z[0, :, 1, 1] += f(0.045)
        return z
    if key == "torch_cost_volume_track_mods.occ_out.weight":
        return z * f(4.0)
    if key == "torch_cost_volume_track_mods.occ_out.bias":
        return np.asarray(OCC_BIAS[extra_convs], np.float32)
    if key == "torch_pips_mixer.linear_1.weight":
        s = np.full((shape[0], 1), 0.12, np.float32)        # feature update
        s[:2] = 0.9                                         # x, y update, pixels
        s[2:4] = 0.25                                       # occlusion, expected_dist
        return z * (s / f(np.sqrt(shape[1])))
    if key == "torch_pips_mixer.linear_1.bias":
        z = z * f(0.01)
        z[2:4] = MIX_BIAS[extra_convs]
        return z
    if len(shape) == 1:
        if leaf == "weight":                                # gains of the norms
            return (f(1.0) + f(0.1) * z).astype(np.float32)
        return z * f(0.05)
    fan_in = int(np.prod(shape[1:]))
    if len(shape) == 4:                                     # smooth kernels: neighbouring cells look alike
        taps = shape[2] * shape[3]
        z = (z + f(SMOOTH) * f(np.sqrt(taps)) * z.mean(axis=(2, 3), keepdims=True)) / f(np.sqrt(1 + SMOOTH**2))
    if root == "resnet_torch":                              # zero mean over inputs: no common mean
        if shape[1] > 3:
            z = z - z.mean(axis=1, keepdims=True)
        return z * f(np.sqrt(2.0 / fan_in))
    if root == "extra_convs":
        if key.endswith("conv_1.weight"):
            z = z - z.mean(axis=1, keepdims=True)
            return z * f(0.5 / np.sqrt(fan_in))
        return z * f(1.0 / np.sqrt(fan_in))
    if key == "torch_pips_mixer.linear.weight":
        return z * f(6.0 / np.sqrt(fan_in))
    if key.endswith("mlp1_up.weight"):
        return z * f(1.0 / np.sqrt(3))
    if key.endswith("mlp1_up_1.weight"):
        return z * f(0.7 / np.sqrt(3))
    if key.endswith("mlp2_down.weight"):
        return z * f(0.7 / np.sqrt(fan_in))
    return z * f(1.0 / np.sqrt(fan_in))


SMOOTH = 2.0
# per model: without / with extra convs, so that about half of the points are visible
OCC_BIAS = ((2.8, 0.2), (4.2, 0.6))
MIX_BIAS = ((0.0, -0.25), (-0.05, 0.05))


def make_weights(shapes):
    """The same keys and shapes (values ignored), with deterministic content."""
    import torch

    out = {}
    extra_convs = any(key.startswith("extra_convs.") for key in shapes)
    for key, value in shapes.items():
        shape = tuple(value.shape) if hasattr(value, "shape") else tuple(value)
        array = _fill(key, shape, extra_convs)
        assert array.shape == shape, (key, array.shape, shape)
        out[key] = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    return out


def load_case(name):
    with np.load(os.path.join(DATA, name + ".npz"), allow_pickle=False) as z:
        case = {k: z[k] for k in z.files if k != "meta"}
        case.update(json.loads(str(z["meta"])))
    case["name"] = name
    return case


def compare(case, tracks, occlusion=None, expected_dist=None, visible=None, tol_px=TOL_PX, after_query=False):
    """Compares with the published output; arrays are (T, N, ...), pixels of the given frames, centre convention.

    Only entries with case['defined'] (T, N) count: a point that was added to a stream later has no
    output before its frame. tol_px is in pixels of the model frame (the square the model works on).
    after_query: look only at frames from each point's query frame on (for callers that hide what is before).
    """
    as_array = lambda a: a.detach().cpu().numpy() if hasattr(a, "detach") else np.asarray(a)
    p = as_array(tracks).astype(np.float64)
    result = {"name": case["name"], "ok": False}
    if p.shape != case["tracks"].shape:
        result["error"] = f"tracks shape {p.shape} != {case['tracks'].shape}"
        return result
    use = case["defined"].astype(bool)
    if after_query:
        use = use & (np.arange(len(use))[:, None] >= case["queries"][None, :, 0])
    h, w = case["video"].shape[1:3]
    scale = np.asarray([case["model_frame"][1] / w, case["model_frame"][0] / h])
    d = np.nan_to_num(np.abs(p - case["tracks"]) * scale, nan=np.inf)[use]
    result["max_px"] = float(d.max()) if d.size else 0.0
    ok = result["max_px"] <= tol_px
    for name, value in (("occlusion", occlusion), ("expected_dist", expected_dist)):
        if value is not None:
            d = np.nan_to_num(np.abs(as_array(value).astype(np.float64) - case[name]), nan=np.inf)[use]
            result[f"max_{name}"] = float(d.max()) if d.size else 0.0
            ok = ok and result[f"max_{name}"] <= TOL_LOGIT
    if visible is not None:
        wrong = (as_array(visible).astype(bool) != case["visible"].astype(bool)) & use
        far = np.abs(case["score"] - 0.5) > VIS_MARGIN
        result["vis_wrong"] = int((wrong & far).sum())
        ok = ok and result["vis_wrong"] == 0
    result["ok"] = bool(ok)
    return result
