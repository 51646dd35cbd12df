"""How well labels are carried by tracks, and how many of them a person must draw.

    POINT_TRACKING_EVAL_DIR=... python benchmarks/curation/propagation.py --output benchmarks/results/propagation.md
    python benchmarks/curation/propagation.py --synthetic 24 --output benchmarks/results/propagation_rules.md

The first measures on the clips of a folder that have a mask in every frame: their boxes and masks are what a person
draws, and the truth. The second compares the constants of `Rules` on rendered clips, which is what they are chosen by.
`--cache FOLDER` keeps tracks, so that a second run takes minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from point_tracking import PointTrackingError, load_tracker
from point_tracking.benchmarks.curation.propagation_clips import TrackCache, eval_clips, synthetic_clips
from point_tracking.benchmarks.curation.propagation_effort import (
    Carrier,
    Filler,
    fill_straight,
    keyframes_needed,
    mask_overlap,
)
from point_tracking.benchmarks.harness import describe_machine, markdown_table, run_isolated
from point_tracking.tracker.propagation import (
    Keyframe,
    MaskedBox,
    PropagationOptions,
    Rules,
    Stretch,
    fill_frames,
    query_seeds,
)
from point_tracking.tracker.propagation.shapes import box_iou

APART = 30  # frames between two keyframes, and looked at after one
LEAST_IOU = (0.7, 0.8)
BAR_CLIPS = ("davismask_goat", "davismask_soapbox")
SPEED_FRAMES, SPEED_SIZE_PX = 90, (640, 360)
SYNTHETIC_EVERY = 3  # on synthetic clips, only every third frame can be drawn: tracks from all would take hours
CHANGES: dict[str, tuple[float, ...]] = {
    "own_deviation": (0.1, 0.2, 0.4, 1e9),
    "distance_power": (0.5, 2),
    "trust_power": (0, 1, 3),
    "unknown_trust": (0.1, 0.6, 1),
    "straight_weight": (0, 0.05, 0.2),
    "disagreement_weight": (0, 0.1, 1),
    "size_weight": (0, 0.75, 1),
    "least_points": (4, 16),
    "least_share": (0.1, 0.3),
}
HEADERS = ["rules", "box mean", "worst", "keyframes .7", ".8", "mask mean", "worst", "keyframes .7", ".8"]


def stretch_overlaps(clip, fill: Filler, stretch: Stretch) -> np.ndarray:
    """Box IoU in the frames of one stretch; 0 where there is no box."""
    boxes = fill(clip, stretch)
    frames = range(stretch.first, stretch.last + 1)
    return np.array([box_iou(boxes[t].xyxy, clip.shapes[t].xyxy) if t in boxes else 0.0 for t in frames])


def mask_figures(clip, carrier: Carrier, stretch: Stretch) -> dict[str, float]:
    """Mean J of the carried masks, of the first one stretched with their boxes, and of it left where it was."""
    first = clip.shapes[stretch.sources[0]]
    rows = []
    for frame in carrier.fill(clip, stretch):
        assert isinstance(frame.shape, MaskedBox)
        shapes = (frame.shape, MaskedBox(frame.shape.xyxy, first.mask), first)
        rows.append([mask_overlap(shape, clip.shapes[frame.t], clip.size_px) for shape in shapes])
    return dict(zip(("carried", "box-warped", "static"), np.mean(rows, axis=0).tolist(), strict=True))


def clip_figures(clip, cache: TrackCache, prompts: Sequence[str]) -> dict[str, Any]:
    """All that is measured on one clip."""
    one, two = Stretch(1, APART, 0, None), Stretch(1, APART - 1, 0, APART)
    straight = stretch_overlaps(clip, fill_straight, two)
    for prompt in prompts:
        cache.get_many(clip, prompt, [0, APART])
    found: dict[str, Any] = {
        "clip": clip.name,
        "frames": clip.num_frames,
        "linear": {"mean": straight.mean(), "worst": straight.min()},
        "static": stretch_overlaps(clip, fill_straight, one).mean(),
    }
    kept: dict[Stretch, np.ndarray] = {}
    found["linear"]["keyframes"] = [keyframes_needed(clip, fill_straight, least, kept) for least in LEAST_IOU]
    for prompt in prompts:
        plain = Carrier(cache, prompt, options=PropagationOptions())
        filled = stretch_overlaps(clip, plain, two)
        kept = {}
        found[prompt] = {
            "one": stretch_overlaps(clip, plain, one).mean(),
            "mean": filled.mean(),
            "worst": filled.min(),
            "keyframes": [keyframes_needed(clip, Carrier(cache, prompt), least, kept) for least in LEAST_IOU],
        }
    if "mask" in prompts:
        plain = Carrier(cache, "mask", options=PropagationOptions())
        found["J one"], found["J two"] = (mask_figures(clip, plain, stretch) for stretch in (one, two))
    return json.loads(json.dumps(found, default=float))


def figure_tables(found: list[dict[str, Any]], prompts: Sequence[str]) -> str:
    """What was measured with one tracker."""
    rows, effort, masks = [], [], []
    for one in found:
        row = [one["clip"], f"{one['static']:.3f}", f"{one['linear']['mean']:.3f} / {one['linear']['worst']:.3f}"]
        for prompt in prompts:
            figures = one[prompt]
            row += [f"{figures['one']:.3f}", f"{figures['mean']:.3f} / {figures['worst']:.3f}"]
        rows.append(row)
        counts = [one["linear"]["keyframes"], *(one[prompt]["keyframes"] for prompt in prompts)]
        effort.append([one["clip"], one["frames"], *(f"{a} / {b}" for a, b in counts)])
        for name in ("J one", "J two"):
            if name in one:
                masks.append([one["clip"], name[2:], *(f"{value:.3f}" for value in one[name].values())])
    totals = [
        " / ".join(str(sum(one[way]["keyframes"][i] for one in found)) for i in range(len(LEAST_IOU)))
        for way in ("linear", *prompts)
    ]
    effort.append(["in all", sum(one["frames"] for one in found), *totals])
    headers = ["clip", "still", "two, linear", *(f"{part}{p}" for p in prompts for part in ("one ", "two "))]
    parts = [
        f"Box IoU, frames 1 to {APART}. `still`: the box of frame 0 left where it was. One: from frame 0, 0 where "
        f"it is lost. Two: from frames 0 and {APART}, mean / worst frame.",
        markdown_table(headers, rows),
        "Keyframes until every frame has box IoU >= 0.7 / >= 0.8 (beginning with frame 0; always the worst frame):",
        markdown_table(["clip", "frames", "linear", *prompts], [[str(cell) for cell in row] for row in effort]),
    ]
    if masks:
        parts += [
            "Mean J of masks over the same frames:",
            markdown_table(["clip", "keyframes", "carried", "box-warped", "static"], masks),
        ]
    return "\n\n".join([*parts, *bar_lines(found, prompts)])


def bar_lines(found: list[dict[str, Any]], prompts: Sequence[str]) -> list[str]:
    """The bars, each with what was found."""
    judged = [one for one in found if one["clip"] in BAR_CLIPS]
    if len(judged) < len(BAR_CLIPS):
        return ["No bars: the clips they are about were not measured."]
    lines = []

    def bar(what: str, value: float, passed: bool) -> None:
        lines.append(f"- {'met' if passed else '**missed**'}: {what}: {value:.3f}".removesuffix(".000"))

    for prompt, least in zip(("box", "mask"), (0.78, 0.83), strict=True):
        if prompt in prompts:
            value = float(np.mean([one[prompt]["one"] for one in judged]))
            bar(f"goat and soapbox from one {prompt} >= {least}", value, value >= least)
    for prompt in prompts:
        value = float(np.mean([one[prompt]["mean"] for one in judged]))
        bar(f"two of kind {prompt}, mean >= 0.83", value, value >= 0.83)
        worst = min(one[prompt]["worst"] for one in judged)
        bar(f"two of kind {prompt}, worst frame >= 0.70", worst, worst >= 0.70)
        loss = max(one["linear"]["mean"] - one[prompt]["mean"] for one in found)
        bar(f"{prompt}: never more than 0.03 below linear, at most", loss, loss <= 0.03)
        count = sum(one[prompt]["keyframes"][0] for one in judged)
        bar(f"{prompt}: at most 10 keyframes on goat and soapbox at 0.7", count, count <= 10)
        for i, least in enumerate(LEAST_IOU):
            more = sum(one[prompt]["keyframes"][i] > one["linear"]["keyframes"][i] for one in found)
            bar(f"{prompt}: clips that need more keyframes than linear at {least}", more, more == 0)
    return ["Bars:", "\n".join(lines)]


def speed_seconds() -> tuple[float, float]:
    """Seconds to carry one mask through made-up frames, tracking and filling together: by the clock, and of CPU."""
    rng = np.random.default_rng(0)
    width, height = SPEED_SIZE_PX
    picture = np.repeat(np.repeat(rng.integers(0, 255, (height, width, 3), dtype=np.uint8), 2, axis=0), 2, axis=1)
    frames = np.stack([picture[t : t + height, 2 * t : 2 * t + width] for t in range(SPEED_FRAMES)])
    middle = SPEED_FRAMES // 2
    shape = MaskedBox(np.array([220, 120, 420, 240]), np.ones((120, 200), bool))
    start, cpu_start = perf_counter(), process_time()
    seeds = query_seeds({("one", middle): shape}, SPEED_SIZE_PX)
    tracks = seeds.split(load_tracker("optical-flow").track(frames, seeds.queries, backward=True))["one"]
    filled = fill_frames([Keyframe(middle, shape)], tracks, SPEED_FRAMES, SPEED_SIZE_PX)
    assert len(filled) > 1
    return perf_counter() - start, process_time() - cpu_start


def rule_rows(count: int, cache: TrackCache) -> Iterator[list[str]]:
    """What other constants would do, on synthetic clips; each changed alone."""
    clips = list(synthetic_clips(count))
    drawn = [[*range(0, clip.num_frames, SYNTHETIC_EVERY), clip.num_frames - 1] for clip in clips]
    for prompt in ("box", "mask"):
        for clip, frames in zip(clips, drawn, strict=True):
            cache.get_many(clip, prompt, sorted(set(frames)))
    now = Rules()

    def figures(fill: Filler) -> list[str]:
        ious, needed = [], np.zeros(len(LEAST_IOU), int)
        for clip, frames in zip(clips, drawn, strict=True):
            starts = range(0, clip.num_frames - APART, 2 * SYNTHETIC_EVERY)
            ious += [stretch_overlaps(clip, fill, Stretch(t + 1, t + APART - 1, t, t + APART)) for t in starts]
            kept: dict[Stretch, np.ndarray] = {}
            needed += [keyframes_needed(clip, fill, least, kept, frames) for least in LEAST_IOU]
        means = [np.mean([one.mean() for one in ious]), np.mean([one.min() for one in ious])]
        return [*(f"{value:.3f}" for value in means), *(str(value) for value in needed)]

    def both(rules: Rules) -> list[str]:
        return [cell for prompt in ("box", "mask") for cell in figures(Carrier(cache, prompt, rules))]

    yield ["linear", *figures(fill_straight), "", "", "", ""]
    yield ["**as they are**", *both(now)]
    for name, values in CHANGES.items():
        for value in values:
            if value != getattr(now, name):
                yield [f"{name} = {value:g}", *both(replace(now, **{name: value}))]


def synthetic_report(count: int, tracker: str, folder: Path | None) -> str:
    """The table that the constants are chosen by."""
    rows = []
    for row in rule_rows(count, TrackCache(tracker, folder)):
        print(*row, sep=" | ", flush=True)
        rows.append(row)
    title = "# Constants of propagation on synthetic clips"
    text = (
        f"{count} rendered clips, tracker {tracker}. Box IoU between two keyframes {APART} frames apart, mean and "
        f"worst frame, means over pairs; keyframes that the annotator needs, who can draw "
        f"every {SYNTHETIC_EVERY}rd frame. One constant is changed at a time."
    )
    return "\n\n".join([title, describe_machine(), text, markdown_table(HEADERS, rows)]) + "\n"


def eval_report(given: argparse.Namespace, folder: str) -> tuple[str, dict[str, Any]]:
    """Tables and figures for the clips of a folder."""
    kept: dict[str, Any] = {"machine": describe_machine(), "trackers": {}}
    parts = ["# Labels carried by tracks", describe_machine()]
    for tracker in given.tracker or ["optical-flow", "pt-fused"]:
        cache, found = TrackCache(tracker, given.cache), []
        for clip in eval_clips(folder):
            if given.clips is None or clip.name in given.clips:
                found.append(clip_figures(clip, cache, given.prompt or ["box", "mask"]))
                print(tracker, json.dumps(found[-1]), flush=True)
        kept["trackers"][tracker] = found
        parts += [f"## {tracker}", figure_tables(found, given.prompt or ["box", "mask"])]
    if given.seconds:
        kept["seconds"] = run_isolated(speed_seconds, env={"OMP_NUM_THREADS": "2"}).result
        size = f"{SPEED_FRAMES} frames of {SPEED_SIZE_PX[0]} x {SPEED_SIZE_PX[1]}"
        clock, cpu = kept["seconds"]
        parts.append(
            f"One object with a mask through {size} with optical-flow, two threads: {clock:.1f} s by the clock, "
            f"{cpu:.1f} s of CPU (bar: 10 s)."
        )
    return "\n\n".join(parts) + "\n", kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracker", action="append", help="may be repeated; default: optical-flow and pt-fused")
    parser.add_argument("--prompt", action="append", choices=["box", "mask"], help="default: both")
    parser.add_argument("--clips", nargs="+", help="names of clips; default: all with masks")
    parser.add_argument("--synthetic", type=int, metavar="CLIPS", help="compare constants on so many rendered clips")
    parser.add_argument("--cache", type=Path, help="folder to keep tracks in")
    parser.add_argument("--no-seconds", dest="seconds", action="store_false", help="leave the speed out")
    parser.add_argument("--json", type=Path, help="file to keep the figures in")
    parser.add_argument("--output", type=Path, help="markdown file to write")
    given = parser.parse_args()
    if given.synthetic:
        text, kept = synthetic_report(given.synthetic, (given.tracker or ["optical-flow"])[0], given.cache), None
    else:
        folder = os.environ.get("POINT_TRACKING_EVAL_DIR")
        if not folder:
            print("Set POINT_TRACKING_EVAL_DIR to a folder of clips with masks", file=sys.stderr)
            return 1
        try:
            text, kept = eval_report(given, folder)
        except PointTrackingError as error:
            print(error, file=sys.stderr)
            return 1
    print(text)
    if given.output is not None:
        given.output.write_text(text)
    if given.json is not None and kept is not None:
        given.json.write_text(json.dumps(kept, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
