"""How long runs take: fitted to what was measured, within a factor of two, kept in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.engine.rates import Work, expected_seconds, learn, rates_file


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "none" / "weights"))


def _work(frames: int, points: int, megapixels: float, rates: tuple[float, float]) -> Work:
    work = Work(frames, points, megapixels)
    return Work(frames, points, megapixels, float(work.features @ np.array(rates)))


def test_nothing_is_known_before_the_first_run() -> None:
    assert expected_seconds("optical-flow", [Work(50, 100, 0.2)]) is None
    learn("optical-flow", [])
    learn("optical-flow", [Work(0, 100, 0.2, 1.0), Work(50, 100, 0.2, 0.0)])
    assert not rates_file().exists()


def test_one_run_tells_the_time_of_the_same_again_and_of_longer_videos() -> None:
    learn("optical-flow", [Work(50, 100, 0.25, 5.0)])
    assert expected_seconds("optical-flow", [Work(50, 100, 0.25)]) == pytest.approx(5.0, rel=0.01)
    assert expected_seconds("optical-flow", [Work(500, 100, 0.25)] * 2) == pytest.approx(100.0, rel=0.01)
    assert expected_seconds("pt-fused", [Work(50, 100, 0.25)]) is None


def test_what_goes_through_a_video_for_each_query_frame_takes_as_many_times_as_long() -> None:
    learn("dense", [Work(50, 1, 0.25, 40.0, passes=4)])
    assert expected_seconds("dense", [Work(50, 1, 0.25, passes=12)]) == pytest.approx(120.0, rel=0.01)
    assert expected_seconds("dense", [Work(50, 1, 0.25)]) == pytest.approx(10.0, rel=0.01)


@pytest.mark.parametrize("rates", [(0.5, 0.00001), (0.05, 0.001), (0.2, 0.0002)])
def test_runs_with_several_numbers_of_points_tell_others_within_a_factor_of_two(rates: tuple[float, float]) -> None:
    learn("t", [_work(40, n, size, rates) for n, size in ((100, 0.23), (900, 0.23), (400, 0.9), (25, 2.0))])
    for frames, points, size in ((300, 196, 0.23), (80, 2500, 0.9), (1000, 1, 0.1), (10, 64, 8.0)):
        expected = _work(frames, points, size, rates).seconds
        found = expected_seconds("t", [Work(frames, points, size)])
        assert found is not None
        assert 0.5 < found / expected < 2.0, (frames, points, size)


def test_a_machine_that_became_slower_is_noticed() -> None:
    learn("t", [_work(40, 100, 0.23, (0.1, 0.0001))] * 20)
    learn("t", [_work(40, 100, 0.23, (0.4, 0.0004))] * 20)
    found, expected = expected_seconds("t", [Work(40, 100, 0.23)]), _work(40, 100, 0.23, (0.4, 0.0004)).seconds
    assert found is not None
    assert 0.5 < found / expected < 2.0


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(1, 3000), st.floats(0.01, 8), st.floats(0.01, 500)), min_size=1)
)
def test_expected_times_are_never_negative(samples: list[tuple[int, int, float, float]]) -> None:
    learn("any", [Work(*sample) for sample in samples])
    for frames, points, size, _ in samples:
        found = expected_seconds("any", [Work(frames, points, size)])
        assert found is not None
        assert found >= 0


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"t": 1}', '{"t": [[1, 2], [3]]}', '{"t": [[["a"]], [1]]}'])
def test_a_damaged_file_is_as_none(text: str) -> None:
    rates_file().parent.mkdir(parents=True)
    rates_file().write_text(text)
    assert expected_seconds("t", [Work(1, 1, 1.0)]) is None
    learn("t", [Work(10, 10, 1.0, 1.0)])
    assert expected_seconds("t", [Work(10, 10, 1.0)]) == pytest.approx(1.0, rel=0.01)


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(file / "weights"))
    learn("t", [Work(10, 10, 1.0, 1.0)])
    assert expected_seconds("t", [Work(10, 10, 1.0)]) is None
