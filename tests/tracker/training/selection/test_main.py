"""The command that fits the estimate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.tracker.models.pt_fused_2.estimate import checksum, load_estimate
from point_tracking.tracker.models.pt_small.tracker import WEIGHT_FILES, WEIGHTS_FOLDER
from point_tracking.tracker.synthetic_video.collages import make_collage
from point_tracking.tracker.training.selection import __main__ as command
from point_tracking.tracker.training.selection.clips import MadeClip
from point_tracking.tracker.types import Queries

from ...models.clips import texture


def small_clip(seed: int) -> MadeClip:
    made = make_collage(
        [texture(150, 200, i) for i in range(3)], seed, num_frames=12, size_px=(160, 120), num_points=40
    )
    queries = Queries(made.query_t, made.xy[made.query_t, np.arange(40)])
    truth = TrackTruth(made.query_t, made.xy, made.visible, size_px=(160, 120))
    return MadeClip("small", made.video, queries, truth)


def test_errors_are_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture):
    out = tmp_path / "estimate.npz"
    assert command.main(["--weights", str(tmp_path / "none.safetensors"), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("WeightsError: ")
    assert not out.exists()


def test_the_file_names_the_weights_it_was_fitted_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(command, "made_clips", lambda which: [small_clip(which.seed)])
    out = tmp_path / "new" / "estimate.npz"
    assert command.main(["--out", str(out)]) == 0
    assert load_estimate(out).fitted_to == checksum(WEIGHTS_FOLDER / WEIGHT_FILES["pt-small"])
    told = capsys.readouterr().out
    assert f"Wrote {out}" in told
    assert "Expected calibration error" in told
