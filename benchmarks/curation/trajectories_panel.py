"""How long the panel Trajectories takes to open: reading on the server, and in a browser from the click to the picture.

Videos and tracks are generated. The last is very long: 20,000 frames, of which the panel reads a part. The
browser is Chromium without a screen or graphics card, where one is installed.

    python benchmarks/curation/trajectories_panel.py [--repeat 3] [--no-browser] [--output trajectories_panel.md]

Set FIFTYONE_DATABASE_DIR, and FIFTYONE_PLUGINS_DIR to a folder with a link to the plugin, to leave your own alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from point_tracking.benchmarks.harness import describe_machine, markdown_table

SIZE = (160, 96)
# frames, tracks
CASES = ((90, 100), (90, 400), (400, 500), (20_000, 100))
GOAL_S = 5.0
HIDDEN_SHARE = 0.05
TESTS = Path(__file__).parents[2] / "tests"


def make_sample(folder: Path, num_frames: int, num_tracks: int) -> Any:
    """A tracked video in a dataset of its own."""
    import fiftyone as fo
    import numpy as np

    import point_tracking as pt
    from point_tracking.tracker.transcoding.encode import encode_video

    path = folder / f"{num_frames}_{num_tracks}.mp4"
    pictures = (np.full((SIZE[1], SIZE[0], 3), 64 + k % 128, np.uint8) for k in range(num_frames))
    encode_video(pictures, path, fps=30, crf=30)
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(path)))
    pt.fill_metadata(dataset)
    rng = np.random.default_rng(0)
    middle, phase = rng.uniform((20, 20), (140, 76), (num_tracks, 2)), rng.uniform(0, 6, num_tracks)
    t = np.arange(num_frames)[:, None]
    way = np.stack([12 * np.sin(t / 50 + phase), 9 * np.cos(t / 70 + phase)], axis=2)
    visible = rng.uniform(size=(num_frames, num_tracks)) > HIDDEN_SHARE
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks((middle + way).astype(np.float32), visible, visible * 0.9))
    return dataset.first()


def fastest_and_slowest(action: Callable[[], Any], repeat: int) -> str:
    """Seconds, as text."""
    seconds = []
    for _ in range(repeat):
        started = perf_counter()
        action()
        seconds.append(perf_counter() - started)
    return f"{min(seconds):.2f} - {max(seconds):.2f}"


def opening_seconds(sample: Any) -> float:
    """From the click on the panel's tab to its picture with all tracks, in a browser."""
    sys.path.insert(0, str(TESTS))
    import browser  # pyright: ignore[reportMissingImports] - of the tests

    with browser.app_page(sample._dataset) as page:
        browser.open_sample(page)
        started = perf_counter()
        page.locator('[data-cy="panel-tab-point_trajectories"]').click()
        page.wait_for_function("window.PointTracking && window.PointTracking.shown && window.PointTracking.shown.count")
        page.wait_for_function("(document.querySelector('[data-cy=pt-frame]') || {}).textContent")
        return perf_counter() - started


def measure(folder: Path, num_frames: int, num_tracks: int, repeat: int, with_browser: bool) -> list[str]:
    """One row of the table."""
    from point_tracking.panels.trajectories.scene import Choice, build_scene, build_window

    sample = make_sample(folder, num_frames, num_tracks)
    scene = build_scene(sample, Choice("tracks"))
    indices = [row["index"] for row in scene["tracks"]]
    row = [
        f"{num_frames:,}",
        str(num_tracks),
        f"{len(scene['frames'])} x {len(indices)}",
        fastest_and_slowest(lambda: build_scene(sample, Choice("tracks")), repeat),
        f"{len(json.dumps(scene)) / 1024:,.0f}",
        fastest_and_slowest(lambda: build_window(sample, "tracks", indices, num_frames // 2), repeat),
        f"{opening_seconds(sample):.1f}" if with_browser else "-",
    ]
    _delete(sample._dataset)
    return row


def _delete(dataset: Any) -> None:
    """FiftyOne alone would first copy all that objects of this process hold of it, which takes minutes."""
    import fiftyone as fo

    fo.Sample._instances.pop(dataset._sample_collection_name, None)
    fo.Frame._instances.pop(dataset._frame_collection_name, None)
    dataset.delete()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(Path(folder), *case, options.repeat, not options.no_browser) for case in CASES]
    head = ["frames", "tracks", "shown", "reading (s)", "sent (KiB)", "around the playhead (s)", "opening (s)"]
    lines = [
        "# The panel Trajectories",
        "",
        f"Seconds, fastest - slowest of {options.repeat}. Reading: `build_scene`, with figures and suspicion. Opening: "
        "one try in a headless browser on the same machine, from the click on the tab to the picture. "
        f"Goal: {GOAL_S:g} s to open 20,000 frames. Where the machine's load is above its number of cores, other work "
        "takes its share, and times are up to that ratio longer than on a machine of one's own.",
        "",
        markdown_table(head, rows),
        "",
        describe_machine(),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.output is not None:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
