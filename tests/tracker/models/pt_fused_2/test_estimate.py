"""The estimate as plain arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.models.pt_fused_2.candidates import FEATURES
from point_tracking.tracker.models.pt_fused_2.estimate import (
    ESTIMATE_FILE,
    Estimate,
    EstimateError,
    Forest,
    checksum,
    load_estimate,
    shipped_estimate,
)
from point_tracking.tracker.models.pt_small.tracker import WEIGHT_FILES, WEIGHTS_FOLDER

NODES = 7  # of a complete tree of depth 2


def forest(seed: int = 0, trees: int = 5) -> Forest:
    rng = np.random.default_rng(seed)
    leaf = np.arange(NODES) >= 3
    own = np.arange(NODES)
    left = np.where(leaf, own, 2 * own + 1)
    return Forest(
        feature=np.where(leaf, -1, rng.integers(0, len(FEATURES), (trees, NODES))).astype(np.int16),
        threshold=rng.normal(size=(trees, NODES)).astype(np.float32),
        left=np.tile(left, (trees, 1)).astype(np.int16),
        right=np.tile(np.where(leaf, own, left + 1), (trees, 1)).astype(np.int16),
        unknown_left=rng.random((trees, NODES)) < 0.5,
        value=(rng.normal(size=(trees, NODES)) * leaf).astype(np.float32),
        base=0.25,
    )


def by_hand(one: Forest, row: np.ndarray) -> float:
    total = one.base
    for tree in range(len(one.feature)):
        node = 0
        while one.feature[tree, node] >= 0:
            value = row[one.feature[tree, node]]
            goes_left = one.unknown_left[tree, node] if np.isnan(value) else value <= one.threshold[tree, node]
            node = (one.left if goes_left else one.right)[tree, node]
        total += one.value[tree, node]
    return float(total)


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_rows_fall_into_the_leaves_they_belong_to(seed: int, rows: int):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, len(FEATURES))).astype(np.float32)
    features[rng.random(features.shape) < 0.3] = np.nan
    made = forest(seed)
    np.testing.assert_allclose(made.predict(features), [by_hand(made, row) for row in features], atol=1e-5)


def test_many_rows_are_worked_through_in_parts():
    features = np.random.default_rng(0).normal(size=(5000, len(FEATURES))).astype(np.float32)
    made = forest()
    np.testing.assert_array_equal(made.predict(features)[-7:], made.predict(features[-7:]))


def test_a_file_gives_back_what_was_written(tmp_path: Path):
    steps, share = np.array([0, 0.5, 1], np.float32), np.array([0, 0.8, 1], np.float32)
    Estimate(forest(1), forest(2), steps, share, "abc").save(tmp_path / "estimate.npz")
    read = load_estimate(tmp_path / "estimate.npz")
    features = np.random.default_rng(0).normal(size=(20, len(FEATURES))).astype(np.float32)
    np.testing.assert_array_equal(read.seen.predict(features), forest(1).predict(features))
    np.testing.assert_array_equal(read.place.predict(features), forest(2).predict(features))
    assert read.fitted_to == "abc"
    assert read.confidence(np.array([0.25])) == pytest.approx(0.4)


def broken(**changes: np.ndarray) -> dict[str, np.ndarray]:
    made = forest()
    return {**{name: getattr(made, name) for name in made.__dataclass_fields__}, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"value": np.zeros((5, 3), np.float32)},
        {"left": np.full((5, NODES), NODES, np.int16)},
        {"right": np.full((5, NODES), -1, np.int16)},
        {"feature": np.full((5, NODES), len(FEATURES), np.int16)},
        {"left": np.zeros((5, NODES), np.int16)},
    ],
)
def test_forests_that_would_lead_nowhere_are_refused(changes: dict):
    with pytest.raises(EstimateError, match="Invalid forest"):
        Forest(**broken(**changes))


def test_damaged_and_missing_files_are_told(tmp_path: Path):
    with pytest.raises(EstimateError, match="no file"):
        load_estimate(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(EstimateError, match="cannot be read"):
        load_estimate(tmp_path / "text.npz")
    whole = ESTIMATE_FILE.read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EstimateError, match="cannot be read"):
        load_estimate(tmp_path / "half.npz")


def test_pickles_are_not_run(tmp_path: Path):
    np.savez(tmp_path / "pickled.npz", features=np.array([print], dtype=object))
    with pytest.raises(EstimateError, match="cannot be read"):
        load_estimate(tmp_path / "pickled.npz")


def test_a_file_of_other_features_is_refused(tmp_path: Path):
    np.savez(tmp_path / "other.npz", features=np.array(["height"]))
    with pytest.raises(EstimateError, match="other features"):
        load_estimate(tmp_path / "other.npz")


def test_what_ships_is_small_and_was_fitted_to_the_weights_that_ship():
    assert ESTIMATE_FILE.stat().st_size < 300 * 1024
    estimate = shipped_estimate()
    assert estimate.fitted_to == checksum(WEIGHTS_FOLDER / WEIGHT_FILES["pt-small"])
    assert (np.diff(estimate.seen_steps) >= 0).all()
    assert (np.diff(estimate.share_within) >= 0).all()
    assert 0 <= estimate.share_within.min() <= estimate.share_within.max() <= 1
