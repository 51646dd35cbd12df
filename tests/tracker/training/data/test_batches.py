"""Batches of training clips: their shapes, what is repaired, and a source that resumes exactly."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.training.data.batches import SyntheticSource, TrainingBatch

OPTIONS = {**TINY.synthetic, "texture_count": 3}


def batch(**changes) -> TrainingBatch:
    values = {
        "video": torch.zeros(2, 3, 3, 8, 10, dtype=torch.uint8),
        "xy": torch.arange(2 * 3 * 5 * 2).float().reshape(2, 3, 5, 2),
        "visible": torch.ones(2, 3, 5, dtype=torch.bool),
        "query_t": torch.tensor([[0, 1, 2, 1, 0], [2, 2, 2, 0, 0]]),
    }
    return TrainingBatch(**{**values, **changes})


def test_queries_are_the_positions_in_their_own_frames():
    made = batch()
    for b in range(2):
        for n in range(5):
            assert torch.equal(made.query_xy[b, n], made.xy[b, int(made.query_t[b, n]), n])
    assert made.num_frames == 3


@pytest.mark.parametrize(
    ("name", "shape"), [("xy", (2, 3, 4, 2)), ("visible", (2, 2, 5)), ("query_t", (1, 5)), ("known", (2, 3, 5, 1))]
)
def test_tensors_that_do_not_fit_are_named(name: str, shape: tuple[int, ...]):
    with pytest.raises(ShapeError, match=f"Invalid {name}"):
        batch(**{name: torch.zeros(shape, dtype=torch.int64)})
    with pytest.raises(ShapeError, match="uint8"):
        batch(video=torch.zeros(2, 3, 3, 8, 10))


@given(st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e30]), st.integers(0, 59))
def test_positions_that_are_none_become_zero_and_are_told(wrong: float, place: int):
    made = batch()
    spoiled = made.xy.clone()
    spoiled.view(-1)[place] = wrong
    repaired, sound = batch(xy=spoiled).repaired()
    assert not sound
    expected = made.xy.clone()
    expected.view(-1)[place] = 0
    assert torch.equal(repaired.xy, expected)
    assert made.repaired() == (made, True)


def test_a_batch_moves_with_all_its_parts():
    moved = batch(known=torch.ones(2, 3, 5, dtype=torch.bool), train_visibility=False).to(torch.device("meta"))
    for name in ("video", "xy", "visible", "query_t", "known"):
        assert getattr(moved, name).device.type == "meta"
    assert not moved.train_visibility


@pytest.mark.parametrize("stage", TINY.stages[:2], ids=lambda stage: stage.kind)
def test_synthetic_batches_have_the_sizes_of_their_stage(stage):
    made = SyntheticSource(OPTIONS, device=torch.device("cpu"), seed=1).next(stage, 0.5)
    frames = 2 if stage.kind == "pairs" else stage.frames
    assert made.video.shape == (stage.batch, frames, 3, *stage.size)
    assert made.xy.shape == (stage.batch, frames, stage.points, 2)
    if stage.kind == "pairs":
        assert (made.query_t == 0).all()


def test_a_source_goes_on_where_another_was():
    first, second = (SyntheticSource(OPTIONS, device=torch.device("cpu"), seed=seed) for seed in (1, 2))
    stage = TINY.stages[1]
    first.next(stage, 0.0)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.next(stage, 0.0).video, second.next(stage, 0.0).video)
