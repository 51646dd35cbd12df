"""`python -m point_tracking.tracker.training.selection`: fits the estimate of pt-fused-2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from ...errors import PointTrackingError
from ...models.pt_fused_2.candidates import Candidates
from ...models.pt_fused_2.estimate import ESTIMATE_FILE, checksum
from ...models.pt_small.tracker import WEIGHT_FILES, WEIGHTS_FOLDER, ShippedTracker, load_pt_small
from .clips import CHOOSING, FITTING, VALIDATION, ClipSet, MadeClip, made_clips, read_candidates
from .fitting import Declared, calibration_error, declared, fit_confidence, fit_estimate, rows_of, select


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 = the file is written, 2 = an error was told."""
    parser = argparse.ArgumentParser(prog="point_tracking.tracker.training.selection", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=ESTIMATE_FILE, help="file to write; that of the package if not given"
    )
    parser.add_argument("--weights", type=Path, help="of pt-small; those that ship where not given")
    given = parser.parse_args(arguments)
    weights = given.weights or WEIGHTS_FOLDER / WEIGHT_FILES["pt-small"]
    try:
        network = load_pt_small(checkpoint=given.weights, device="cpu")
        rows = [rows_of(found, clip.truth, clip.size_px) for clip, found in _read(FITTING, network)]
        estimate = fit_estimate(rows, checksum(weights))
        chosen = [
            declared(select(found, estimate, clip.size_px), clip.truth, clip.size_px)
            for clip, found in _read(CHOOSING, network)
        ]
        before, _ = calibration_error(chosen)
        estimate = fit_confidence(estimate, chosen)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        estimate.save(given.out)
        held_back: list[Declared] = [
            declared(select(found, estimate, clip.size_px), clip.truth, clip.size_px)
            for clip, found in _read(VALIDATION, network)
        ]
    except PointTrackingError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    error_after, curve = calibration_error(held_back)
    print(f"Wrote {given.out}: {given.out.stat().st_size / 1024:.0f} KiB")
    print(f"Expected calibration error: {before:.3f} without the table, {error_after:.3f} on validation clips")
    print("Confidence -> share within 4 px: " + ", ".join(f"{said:.2f} -> {right:.2f}" for said, right in curve))
    return 0


def _read(which: ClipSet, network: ShippedTracker) -> Iterator[tuple[MadeClip, list[Candidates]]]:
    for clip in made_clips(which):
        print(clip.name, flush=True)
        yield clip, read_candidates(clip, network)


if __name__ == "__main__":
    sys.exit(main())
