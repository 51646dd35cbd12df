"""`make demo`: real tracks to look at, in one command.

Builds a dataset, tracks it with the tracker that needs no download, says what
was written, makes FiftyOne find this checkout as a plugin and opens the App.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .plugin_link import OPERATOR_URI, PLUGIN_NAME, link_plugin

if TYPE_CHECKING:
    import fiftyone as fo

    from ..workflows.tracking.report import TrackReport
    from .build import Comparison

CHECKOUT = Path(__file__).resolve().parent.parent
DATA_FOLDER = CHECKOUT / "demo" / "data"
CLIPS_DATASET = "point-tracking-demo"
VIDEOS_DATASET = "point-tracking-demo-videos"

INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl-C


def keep_output_from_children(log: Path) -> None:
    """Gives child processes a log file for their output, and keeps ours to ourselves.

    FiftyOne starts a database and a server that inherit our standard output and
    live a little longer than we do: a pipe there (`make demo | tee log`) would
    not end when we end.

    Args:
        log: file that receives what they print
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            stream.flush()
            private = os.dup(stream.fileno())  # descriptors made by dup are not inherited
            os.dup2(file.fileno(), stream.fileno())
            setattr(sys, name, os.fdopen(private, "w", 1, encoding=stream.encoding, errors=stream.errors))


def run_on_clips(grid_size: int) -> tuple[fo.Dataset, TrackReport]:
    """Makes the demo clips, tracks them and prints how far the tracks are from the truth.

    Args:
        grid_size: points per side in the first frame
    """
    from .build import track_clips
    from .clips import make_clips

    print(f"Making short videos with known motion in {DATA_FOLDER} ...")
    clips = make_clips(DATA_FOLDER, grid_size=grid_size)
    dataset, report, comparisons = track_clips(CLIPS_DATASET, clips)
    print_result(dataset, report)
    print_comparisons(comparisons)
    return dataset, report


def run_on_videos(folder: Path, grid_size: int) -> tuple[fo.Dataset, TrackReport]:
    """Tracks the user's own videos.

    Args:
        folder: that holds them
        grid_size: points per side in the first frame

    Raises:
        DemoError: if there is no video in the folder
    """
    from .build import find_videos, track_videos

    videos = find_videos(folder)
    print(f"Tracking {len(videos)} videos in {folder} ...")
    dataset, report = track_videos(VIDEOS_DATASET, videos, grid_size)
    print_result(dataset, report)
    return dataset, report


def print_result(dataset: fo.Dataset, report: TrackReport) -> None:
    """Prints what a run wrote: counts, fields, failures."""
    from .build import MASK_FIELD, PREDICTION_FIELD, TRUTH_FIELD

    meaning = {
        f"frames.{PREDICTION_FIELD}": "the tracked points, one keypoint per visible point and frame",
        f"frames.{TRUTH_FIELD}": "where these points really are (known, since the demo made the clips)",
        MASK_FIELD: "one object in the first frame; try it as the mask field of the operator",
    }
    fields = [*dataset.get_field_schema(), *(f"frames.{name}" for name in dataset.get_frame_field_schema() or {})]
    print(f"\n{report}")
    for failure in report.failures:
        print(f"  failed: {Path(failure.filepath).name}: {failure.message}")
    for filepath, warning in report.warnings:
        print(f"  note: {Path(filepath).name}: {warning}")
    print(f"\nDataset {dataset.name!r} (run record {report.run_key!r}) now has")
    for name, text in meaning.items():
        if name in fields:
            print(f"  {name:<14} {text}")


def print_comparisons(comparisons: list[Comparison]) -> None:
    """Prints prediction against truth, a row per clip that was tracked."""
    if not comparisons:
        return
    print(f"\n  {'against the truth':<18}{'mean error':>12}{'visible found':>15}{'hidden shown':>14}")
    for c in comparisons:
        print(f"  {c.name:<18}{c.mean_error_px:>9.2f} px{c.found:>15.0%}{c.false:>14.0%}")


def register_plugin() -> bool:
    """Links the checkout into FiftyOne's plugins folder and checks that FiftyOne loads it.

    Returns:
        whether the operator is there, from whichever folder
    """
    import fiftyone as fo
    import fiftyone.operators as foo
    import fiftyone.plugins as fop

    directories = [Path(p.directory) for p in fop.list_plugins() if p.name == PLUGIN_NAME]
    if any(directory.resolve() == CHECKOUT for directory in directories):
        print(f"\nPlugin: FiftyOne finds this checkout in {directories[0]}")
    elif directories:
        print(f"\nPlugin: FiftyOne uses {directories[0]}, which is not this checkout; nothing was changed")
    else:
        print(f"\nPlugin: {link_plugin(str(fo.config.plugins_dir), CHECKOUT).message}")
    registered = foo.operator_exists(OPERATOR_URI)
    print(f"Operator {OPERATOR_URI}: {'registered' if registered else 'NOT registered'}")
    if not registered:
        print("  `fiftyone plugins list` shows what FiftyOne found, and whether it is enabled")
    return registered


def open_app(dataset: fo.Dataset) -> None:
    """Opens the App and waits for Ctrl-C."""
    import fiftyone as fo

    session = fo.launch_app(dataset)
    print("\nOpen a video and press play; the fields are switched on and off at the left. Ctrl-C ends the App.")
    try:
        session.wait(-1)
    except KeyboardInterrupt:
        print("\nClosing the App")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; `make demo` passes its variables as they are, so empty means not given."""
    parser = argparse.ArgumentParser(prog="make demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--app", choices=["0", "1", ""], default="1", help="DEMO_APP: 0 prints only (default: 1)")
    parser.add_argument("--videos", default="", help="VIDEOS: a folder of your own videos (default: the demo clips)")
    parser.add_argument("--grid-size", type=int, default=16, help="points per side in the first frame (default: 16)")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Runs the demo.

    Args:
        arguments: of the command line

    Returns:
        the exit status: 0 if something was tracked and the operator is registered
    """
    options = parse_arguments(arguments)
    keep_output_from_children(DATA_FOLDER / "services.log")
    started = time.monotonic()
    from .build import DemoError

    try:
        if options.videos:
            dataset, report = run_on_videos(Path(options.videos).expanduser().resolve(), options.grid_size)
        else:
            dataset, report = run_on_clips(options.grid_size)
        registered = register_plugin()
        print(f"\nDone in {time.monotonic() - started:.0f} s. Look at it again at any time with")
        print(f"  {Path(sys.executable).parent / 'fiftyone'} app launch {dataset.name}")
        if options.app != "0":
            open_app(dataset)
    except DemoError as error:
        print(f"make demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0 if registered and report.num_samples else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
