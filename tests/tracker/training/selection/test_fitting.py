"""From candidates with a truth to the model file."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.tracker.models.pt_fused_2.candidates import FEATURES
from point_tracking.tracker.models.pt_fused_2.selection import SelectedFrame
from point_tracking.tracker.training.selection import fitting
from point_tracking.tracker.training.selection.fitting import (
    Declared,
    Rows,
    calibration_error,
    declared,
    fit_confidence,
    fit_estimate,
    rows_of,
)

from ...models.pt_fused_2.made_candidates import candidates

SIZE_PX = (256, 256)


@pytest.fixture(scope="module")
def rows() -> Rows:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, len(FEATURES))).astype(np.float32)
    good = 1 / (1 + np.exp(-2 * features[:, 3]))
    features[rng.random(features.shape) < 0.1] = np.nan
    return Rows(features, good, rng.random(4000) < 0.7)


def test_the_forest_says_what_the_fitted_model_says(rows: Rows, monkeypatch: pytest.MonkeyPatch):
    import sklearn.ensemble

    fitted: list = []

    class Kept(sklearn.ensemble.HistGradientBoostingRegressor):
        def fit(self, *args, **kwargs):
            fitted.append(self)
            return super().fit(*args, **kwargs)

    monkeypatch.setattr(sklearn.ensemble, "HistGradientBoostingRegressor", Kept)
    estimate = fit_estimate([rows], "abc")
    np.testing.assert_allclose(estimate.seen.predict(rows.features), fitted[0].predict(rows.features), atol=1e-4)
    np.testing.assert_allclose(estimate.place.predict(rows.features), fitted[1].predict(rows.features), atol=1e-4)


def test_rows_are_the_candidates_with_their_truth():
    one = candidates(2)
    one.xy[1, 0] = (103, 50)
    one.xy[1, 1] = (100, 80)
    xy = np.zeros((2, 2, 2))
    xy[1] = (100, 50)
    visible = np.array([[True, True], [True, False]])
    found = rows_of([one], TrackTruth(np.array([0, 0]), xy, visible, size_px=SIZE_PX), SIZE_PX)
    np.testing.assert_allclose(found.good, [1, 1, 0.6, 0])
    assert found.visible.tolist() == [True, True, False, False]


def test_shared_rows_count_once_and_queries_not_at_all():
    one = candidates(2, rows=np.array([[0, 0, -1], [1, 1, -1]]), since_query=np.array([1, 0]))
    truth = TrackTruth(np.array([0, 1]), np.full((2, 2, 2), 50.0), np.ones((2, 2), bool), size_px=SIZE_PX)
    assert len(rows_of([one], truth, SIZE_PX).good) == 1


def test_only_points_declared_visible_count_and_hidden_ones_are_wrong():
    xy = np.full((2, 3, 2), 50, np.float32)
    frames = [
        SelectedFrame(xy[0], np.ones(3, bool), np.full(3, 0.9, np.float32), np.full(3, 0.8, np.float32)),
        SelectedFrame(xy[1], np.array([True, True, False]), np.full(3, 0.7, np.float32), np.full(3, 0.6, np.float32)),
    ]
    visible = np.array([[True, True, True], [True, False, True]])
    found = declared(frames, TrackTruth(np.zeros(3, int), xy.astype(float), visible, size_px=SIZE_PX), SIZE_PX)
    assert found.right.tolist() == [True, False]
    np.testing.assert_allclose(found.confidence, 0.7)


def test_confidence_becomes_the_share_that_is_right(rows: Rows):
    rng = np.random.default_rng(0)

    def clip(count: int) -> Declared:
        values = rng.random(count).astype(np.float32)
        return Declared(values, values, rng.random(count) < values**2)

    estimate = fit_confidence(fit_estimate([rows], "abc"), [clip(3000), clip(9000)])
    before, _ = calibration_error([clip(5000)])
    later = clip(5000)
    after, curve = calibration_error([Declared(later.estimate, estimate.confidence(later.estimate), later.right)])
    assert before > 0.1
    assert after < 0.05
    assert all(first[0] <= second[0] for first, second in pairwise(curve))
    grid = np.linspace(0, 1, 101)
    assert (np.diff(estimate.confidence(grid)) > 0).all(), "surer stays surer"


def test_clips_count_alike_however_many_points_they_declare():
    sure = Declared(np.ones(10), np.ones(10), np.ones(10, bool))
    wrong = Declared(np.zeros(1000), np.zeros(1000), np.ones(1000, bool))
    error, _ = calibration_error([sure, wrong])
    assert error == pytest.approx(0.5, abs=0.01)


def test_nothing_else_needs_scikit_learn():
    assert not hasattr(fitting, "HistGradientBoostingRegressor"), "imported inside the function that fits"
