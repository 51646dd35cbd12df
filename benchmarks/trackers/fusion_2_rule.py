"""What pt-fused-2's constants are chosen by: made-up clips that nothing else has.

    python benchmarks/trackers/fusion_2_rule.py redetection --output benchmarks/results/fusion_2_redetection.md
    python benchmarks/trackers/fusion_2_rule.py selection --output benchmarks/results/fusion_2_rule.md

`redetection` runs the flow chain alone, with flow and the encoder's maps computed
once per clip: when a match anywhere in the frame is believed, with the way back
known and without. `selection` reads the candidates once per clip and replays the
choice among them. Both go through the constants one after the other (the second twice) and
keep what is best on average over the kinds of clips: delta_avg and AJ (TAP-Vid,
queried first); the second less what is reported visible outside the frame above
4 % (of the chain, estimate and guard judge that). `low` and `chain_alone` are as lenient as
collages allow (`LENIENT`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch

from point_tracking import load_tracker
from point_tracking.benchmarks.harness import describe_machine, markdown_table
from point_tracking.tracker.coordinates import edge_aligned, inside_frame
from point_tracking.tracker.metrics.counting import mean_known
from point_tracking.tracker.metrics.tap_vid import share_visible_outside, tap_vid_scores
from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.tracker.models.optical_flow import working_size
from point_tracking.tracker.models.pt_fused_2.candidates import Candidates
from point_tracking.tracker.models.pt_fused_2.chain import RedetectingChain, RedetectionRules
from point_tracking.tracker.models.pt_fused_2.estimate import Forest, load_estimate
from point_tracking.tracker.models.pt_fused_2.matching import GlobalMatcher
from point_tracking.tracker.models.pt_fused_2.selection import SelectionRules
from point_tracking.tracker.models.pt_fused_2.stream import MAP_BUDGET_BYTES, StreamRules
from point_tracking.tracker.models.pt_small.guided import GuidedNetwork
from point_tracking.tracker.models.pt_small.tracker import ShippedTracker
from point_tracking.tracker.models.shared.flow_chain import ChainRules, FlowBetween, FlowField
from point_tracking.tracker.training.selection.clips import CHOOSING, ClipSet, MadeClip, made_clips, read_candidates
from point_tracking.tracker.training.selection.fitting import select
from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video.frames import resize

ROUNDS = 2
ALLOWED_OUTSIDE = 0.04
# Collages hardly care how much is shown, while real things that bend look less like themselves than made ones do, and
# were hidden too often with what scenes and interrupted clips ask for: of values that are as good on collages, the
# one that shows most, as long as interrupted clips hold
LENIENT = ("low", "chain_alone")
AS_GOOD, LEAST_INTERRUPTED = 0.003, 0.6

REDETECTION = {
    "way_back_px": (2.0, 3.0, 4.5),
    "likeness": (0.6, 0.7, 0.8),
    "lead": (0.025, 0.05, 0.1),
    "search_px": (2.0, 4.0, 8.0),
}
UNCHECKED = {
    "unchecked_likeness": (0.75, 0.8, 0.85, 0.9),
    "unchecked_lead": (0.05, 0.1, 0.15, 0.2),
}
SELECTION = {
    "low": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
    "chain_alone": (0.05, 0.1, 0.15, 0.2, 0.3),
    "network_alone": (0.05, 0.1, 0.15, 0.2, 0.3),
    "high": (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5),
    "path_weight": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5),
    "look_ahead": (0, 4, 8, 12),
    "guard.edge_px": (0.0, 4.0, 8.0, 12.0),
    "guard.edge_estimate": (0.3, 0.4, 0.5, 0.6),
    "guard.stretch_score": (1.6, 1.8, 2.0, 2.2, 2.4),
    "guard.stretch_estimate": (0.3, 0.4, 0.5, 0.6),
    "guard.shortest_stretch": (0, 2, 3, 4),
}

T = TypeVar("T")


@dataclass(frozen=True)
class Figures:
    """What was measured on clips of one kind, as shares."""

    delta_avg: float
    average_jaccard: float
    visible_outside: float

    def worth(self, allowed_outside: float) -> float:
        """delta_avg and AJ, less what is reported visible outside the frame above what is allowed."""
        return self.delta_avg + self.average_jaccard - max(self.visible_outside - allowed_outside, 0)

    def __str__(self) -> str:
        return f"{100 * self.delta_avg:.1f} / {100 * self.average_jaccard:.1f} ({100 * self.visible_outside:.1f})"


def kind_of(name: str) -> str:
    """Kind and step of a made clip: "collage_3/3" -> "collage/3"."""
    kind, _, rest = name.partition("_")
    return kind + ("/" + rest.split("/")[1] if "/" in rest else "")


def scored(tracks: Mapping[str, tuple[Tracks, TrackTruth]]) -> dict[str, Figures]:
    """Figures by kind of clip, means over its clips."""
    kinds: dict[str, list[tuple[float, float, float]]] = {}
    for name, (found, truth) in tracks.items():
        scores = tap_vid_scores(found, truth)
        outside = share_visible_outside(found, truth)
        kinds.setdefault(kind_of(name), []).append((scores.delta_avg, scores.average_jaccard, outside))
    return {
        kind: Figures(*(mean_known(list(column)) for column in zip(*rows, strict=True))) for kind, rows in kinds.items()
    }


def worth(figures: Mapping[str, Figures], allowed_outside: float) -> float:
    """What constants are chosen by: the mean over kinds."""
    return float(np.mean([one.worth(allowed_outside) for one in figures.values()]))


def with_constant(rules: T, name: str, value: Any) -> T:
    """Rules with one constant changed; "guard.edge_px" is one of the rules within."""
    outer, _, inner = name.partition(".")
    return replace(rules, **{outer: with_constant(getattr(rules, outer), inner, value) if inner else value})  # type: ignore


def constant(rules: Any, name: str) -> Any:
    """The value of one constant."""
    outer, _, inner = name.partition(".")
    return constant(getattr(rules, outer), inner) if inner else getattr(rules, outer)


def most_lenient(tried: Mapping[Any, dict[str, Figures]], allowed_outside: float) -> Any:
    """The first value that is as good on collages and does not fail interrupted clips."""
    deciding = {
        value: {kind: one for kind, one in found.items() if kind.startswith("collage")}
        for value, found in tried.items()
    }
    best = max(worth(found, allowed_outside) for found in deciding.values())
    for value, found in tried.items():
        holds = found["interrupted"].average_jaccard >= LEAST_INTERRUPTED
        if holds and worth(deciding[value], allowed_outside) >= best - AS_GOOD:
            return value
    return max(tried, key=lambda value: worth(tried[value], allowed_outside))


def choose(
    rules: T,
    grid: Mapping[str, Sequence[Any]],
    measure: Callable[[T], dict[str, Figures]],
    rounds: int,
    allowed_outside: float,
) -> tuple[T, list[list[str]]]:
    """Goes through the constants one after the other.

    Returns:
        the best rules; table rows of everything that was tried in the last round
    """
    known: dict[str, dict[str, Figures]] = {}

    def figures(tried: T) -> dict[str, Figures]:
        key = repr(tried)
        if key not in known:
            known[key] = measure(tried)
        return known[key]

    rows: list[list[str]] = []
    for _ in range(rounds):
        rows = []
        for name, values in grid.items():
            tried = {value: figures(with_constant(rules, name, value)) for value in values}
            best = max(tried, key=lambda value: worth(tried[value], allowed_outside))
            if name in LENIENT:
                best = most_lenient(tried, allowed_outside)
                rules = with_constant(rules, name, best)
            if worth(figures(rules), allowed_outside) >= worth(tried[best], allowed_outside):
                best = constant(rules, name)
            for value, found in tried.items():
                label = f"**{value:g}**" if value == best else f"{value:g}"
                rows.append(
                    [name, label, f"{100 * worth(found, allowed_outside):.2f}", *(str(one) for one in found.values())]
                )
            rules = with_constant(rules, name, best)
            print(
                name,
                best,
                *(f"{value:g}: {100 * worth(one, allowed_outside):.2f}" for value, one in tried.items()),
                flush=True,
            )
        print({name: constant(rules, name) for name in grid}, flush=True)
    return rules, rows


@dataclass(frozen=True, eq=False)
class Seen:
    """What the chain needs of a clip, computed once."""

    clip: MadeClip
    greys: list[np.ndarray]
    flows: dict[tuple[int, int], FlowField]
    maps: list[torch.Tensor]
    to_cells: np.ndarray
    working_px: tuple[int, int]

    @classmethod
    def of(cls, clip: MadeClip, network: ShippedTracker, rules: ChainRules) -> Seen:
        working_px = working_size(clip.size_px, StreamRules.resolution)
        greys = [cv2.cvtColor(resize(frame, working_px), cv2.COLOR_RGB2GRAY) for frame in clip.video]
        between = FlowBetween(rules, working_px)
        flows = {(id(a), id(b)): between(a, b) for a, b in pairwise(greys)}
        guided, maps = GuidedNetwork(network, clip.size_px, 1, lambda: None), []
        for i, frame in enumerate(clip.video):
            guided.encode(frame[None])
            maps.append(guided.map_of(i).half())
        return cls(clip, greys, flows, maps, guided.to_cells, working_px)

    def chain(self, rules: ChainRules, redetection: RedetectionRules, checked: bool) -> Tracks:
        """The chain's tracks."""
        clip, matcher = self.clip, GlobalMatcher(self.clip.size_px, self.to_cells, MAP_BUDGET_BYTES if checked else 0)

        def known_flow(first: np.ndarray, second: np.ndarray) -> FlowField:
            return self.flows[id(first), id(second)]

        chain = RedetectingChain(rules, redetection, self.working_px, clip.size_px, matcher, known_flow)
        chain.add(clip.queries.t, edge_aligned(clip.queries.xy, clip.size_px, self.working_px).astype(np.float32))
        matcher.add(clip.queries.t, clip.queries.xy)
        xy, kept = [], []
        for t, (grey, features) in enumerate(zip(self.greys, self.maps, strict=True)):
            new = np.flatnonzero(clip.queries.t == t)
            if len(new):
                matcher.learn(new, t, features)
            state, _ = chain.advance(t, grey, features)
            xy.append(edge_aligned(state.xy, self.working_px, clip.size_px))
            kept.append(state.kept & inside_frame(xy[-1], clip.size_px))
        return Tracks(np.stack(xy), np.stack(kept), np.stack(kept).astype(np.float32))


def redetection_tables(which: ClipSet, network: ShippedTracker, chain: ChainRules) -> Iterator[str]:
    """Chooses when a match is believed."""
    seen = {clip.name: Seen.of(clip, network, chain) for clip in made_clips(which)}
    kinds = list(dict.fromkeys(kind_of(name) for name in seen))

    def measure(rules: RedetectionRules, checked: bool) -> dict[str, Figures]:
        tracks = {name: (one.chain(chain, rules, checked), one.clip.truth) for name, one in seen.items()}
        return scored(tracks)

    header = ("constant", "value", "worth", *kinds)
    without = measure(RedetectionRules(likeness=1.0), True)
    best, rows = choose(RedetectionRules(), REDETECTION, lambda rules: measure(rules, True), 1, 1.0)
    rows.insert(0, ["nothing is found again", "", f"{100 * worth(without, 1.0):.2f}", *map(str, without.values())])
    yield f"## With the way back known\n\n{markdown_table(header, rows)}\n\nChosen: {best}\n"
    best, rows = choose(best, UNCHECKED, lambda rules: measure(rules, False), 1, 1.0)
    yield f"## Without the way back\n\n{markdown_table(header, rows)}\n\nChosen: {best}\n"


class Remembering:
    """A forest that predicts the same rows only once."""

    def __init__(self, forest: Forest) -> None:
        self._forest, self._known = forest, {}

    def predict(self, features: np.ndarray) -> np.ndarray:
        key = features.tobytes()
        if key not in self._known:
            self._known[key] = self._forest.predict(features)
        return self._known[key]


def selection_tables(which: ClipSet, network: ShippedTracker, estimate_path: Path | None) -> Iterator[str]:
    """Chooses the constants around the estimate."""
    loaded = load_estimate(*([] if estimate_path is None else [estimate_path]))
    forests: dict[str, Any] = {name: Remembering(getattr(loaded, name)) for name in ("seen", "place")}
    estimate = replace(loaded, **forests)
    found: dict[str, tuple[list[Candidates], MadeClip]] = {}
    for clip in made_clips(which):
        found[clip.name] = (read_candidates(clip, network), replace(clip, video=clip.video[:1]))
    kinds = list(dict.fromkeys(kind_of(name) for name in found))

    def measure(rules: SelectionRules) -> dict[str, Figures]:
        tracks = {}
        for name, (candidates, clip) in found.items():
            frames = select(candidates, estimate, clip.size_px, rules)
            xy, visible, confidence = (
                np.stack([getattr(one, part) for one in frames]) for part in ("xy", "visible", "confidence")
            )
            tracks[name] = (Tracks(xy, visible, confidence), clip.truth)
        return scored(tracks)

    best, rows = choose(SelectionRules(), SELECTION, measure, ROUNDS, ALLOWED_OUTSIDE)
    table = markdown_table(("constant", "value", "worth", *kinds), rows)
    yield f"## Constants around the estimate\n\n{table}\n\nChosen: {best}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("redetection", "selection"))
    parser.add_argument("--estimate", type=Path, help="file of the estimate; the one that ships where not given")
    parser.add_argument("--output", type=Path, help="markdown file for the tables")
    given = parser.parse_args()
    network = load_tracker("pt-small", device="cpu")
    assert isinstance(network, ShippedTracker)
    parts = [
        f"# The constants of pt-fused-2: {given.part}\n",
        f"{describe_machine()}\n",
        f"{CHOOSING.collages} collages of 48 frames, {CHOOSING.scenes} rendered scenes of 40, whole and every third "
        "frame (/3). delta_avg / AJ in percent (share of positions outside the frame reported visible). Everything "
        "that was tried in the last round; what was kept is bold.\n",
    ]
    if given.part == "redetection":
        parts += redetection_tables(replace(CHOOSING, interrupted=0), network, StreamRules().chain)
    else:
        parts += selection_tables(CHOOSING, network, given.estimate)
    text = "\n".join(parts)
    print(text)
    if given.output is not None:
        given.output.write_text(text)


if __name__ == "__main__":
    main()
