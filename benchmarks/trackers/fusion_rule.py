"""What pt-fused's rule is chosen by: synthetic clips that neither training nor validation has.

    python benchmarks/trackers/fusion_rule.py --output benchmarks/results/fusion_rule.md
    python benchmarks/trackers/fusion_rule.py --images FOLDER --weights my.safetensors

Both halves run once per clip; then every combination of the rule's constants is
scored: TAP-Vid's figures, queried first, and the share of positions outside the
frame that are reported visible. `--images` adds clips whose textures are cut out
of a folder's images, which the learned half never saw in training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from point_tracking import load_tracker
from point_tracking.benchmarks.harness import describe_machine, markdown_table
from point_tracking.tracker.metrics.counting import mean_known, mean_scores
from point_tracking.tracker.metrics.tap_vid import share_visible_outside, tap_vid_scores
from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.tracker.models.pt_fused.tracker import FusedOptions, fuse
from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, build_textures
from point_tracking.tracker.types import Queries, Tracks

SEED = 30_000_001  # neither that of training nor of validation
FRAMES, HEIGHT, WIDTH, POINTS, TEXTURES = 40, 192, 256, 128, 64

AGREEMENT_PX = (2.0, 3.0, 4.0, 6.0)
SURE = (0.6, 0.7, 0.8)
ALONE = (0.6, 0.7, 0.75, 0.8, 0.9)
EDGE_PX = (0.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Attempt:
    """What both halves said of one clip."""

    truth: TrackTruth
    flow: Tracks
    learned: Tracks


def attempts(count: int, images: Path | None, weights: str | None) -> Iterator[Attempt]:
    """Yields clips with the tracks of both halves."""
    flow, learned = load_tracker("optical-flow"), load_tracker("pt-small", checkpoint=weights)
    config = SyntheticConfig()
    textures = build_textures(TEXTURES, config.texture_size, seed=SEED, folder=images)
    renderer = ClipRenderer(config, device="cpu", seed=SEED, textures=textures)
    for _ in range(count):
        clip = renderer.clips(1, num_frames=FRAMES, height=HEIGHT, width=WIDTH, num_points=POINTS)
        video = clip.video[0].permute(0, 2, 3, 1).contiguous().numpy()
        query_t, xy = clip.query_t[0].numpy(), clip.xy[0].numpy()
        queries = Queries(query_t, xy[query_t, np.arange(POINTS)].astype(np.float64))
        truth = TrackTruth(query_t, xy, clip.visible[0].numpy(), size_px=(WIDTH, HEIGHT))
        yield Attempt(truth, flow.track(video, queries), learned.track(video, queries))


def figures(found: list[Attempt], tracks: Callable[[Attempt], Tracks]) -> list[str]:
    """delta_avg, AJ, OA and the share outside, in percent."""
    scores = mean_scores([tap_vid_scores(tracks(one), one.truth) for one in found])
    outside = mean_known([share_visible_outside(tracks(one), one.truth) for one in found])
    shown = (scores.delta_avg, scores.average_jaccard, scores.occlusion_accuracy, outside)
    return [f"{100 * value:.1f}" for value in shown]


def table(found: list[Attempt]) -> str:
    """One row for each half, the rule as it is, and the rule with other constants, one or two at a time."""
    now = FusedOptions()

    def fused(**changed: Any) -> list[str]:
        options = FusedOptions(**changed)
        return figures(found, lambda one: fuse(one.flow, one.learned, (WIDTH, HEIGHT), options))

    rows = [
        ["optical-flow", "", "", "", *figures(found, lambda one: one.flow)],
        ["pt-small", "", "", "", *figures(found, lambda one: one.learned)],
        ["**the rule**", now.agreement_px, now.sure, f"{now.alone}, {now.edge_px:g} px", *fused()],
    ]
    for agreement, sure in product(AGREEMENT_PX, SURE):
        rows.append(["", agreement, sure, "as above", *fused(agreement_px=agreement, sure=sure)])
    for alone, edge in product(ALONE, EDGE_PX):
        rows.append(["", "as above", "as above", f"{alone}, {edge:g} px", *fused(alone=alone, edge_px=edge)])
    header = ("tracker", "agreement_px", "sure", "alone, edge_px", "delta_avg", "AJ", "OA", "outside")
    return markdown_table(header, [[str(cell) for cell in row] for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=24, help="of each kind of texture")
    parser.add_argument("--images", type=Path, help="folder of images to cut textures out of, for a second table")
    parser.add_argument("--weights", help="of pt-small; those that ship where not given")
    parser.add_argument("--output", type=Path, help="markdown file for the tables")
    given = parser.parse_args()
    parts = [
        "# The rule of pt-fused on synthetic clips\n",
        f"{describe_machine()}\n",
        f"{given.clips} clips of {FRAMES} frames, {HEIGHT} x {WIDTH}, {POINTS} points each, queried first, percent. "
        "`outside`: positions outside the frame reported visible, mean over clips.\n",
    ]
    kinds: list[tuple[str, Path | None]] = [("Drawn textures, as in training", None)]
    if given.images is not None:
        kinds.append((f"Textures cut out of {len(list(given.images.iterdir()))} photographs", given.images))
    for title, folder in kinds:
        parts.append(f"## {title}\n\n{table(list(attempts(given.clips, folder, given.weights)))}\n")
    text = "\n".join(parts)
    print(text)
    if given.output is not None:
        given.output.write_text(text)


if __name__ == "__main__":
    main()
