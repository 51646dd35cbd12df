"""Runs: they learn, resume, skip what is no number, and say what went wrong."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from point_tracking.tracker.errors import OptionError, OutputError, ResumeError, TrainingDivergedError
from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.training.__main__ import main
from point_tracking.tracker.training.configs import TINY, TrainingConfig, TrainingStage, find_config
from point_tracking.tracker.training.fitting.checkpoint import load_checkpoint
from point_tracking.tracker.training.fitting.train import RunOptions, Trainer

from ..made_clips import MadeSource

COMMAND = [sys.executable, "-m", "point_tracking.tracker.training", "--config", "tiny", "--precision", "float32"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def trainer(out: Path, config: TrainingConfig = TINY, source: MadeSource | None = None, **options) -> Trainer:
    options = {"steps": 8, "validate": False, "precision": "float32", "log_steps": 1, **options}
    return Trainer(config, RunOptions(out, **options), source=source or MadeSource(), report=lambda line: None)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def only(stage: TrainingStage, **changes) -> TrainingConfig:
    return replace(TINY, stages=(replace(stage, share=1.0, **changes),))


def test_a_tiny_model_overfits_one_batch(tmp_path: Path):
    config = only(TINY.stages[2], learning_rate=5e-3, contrastive=0.0)
    trainer(tmp_path, config, MadeSource(seed=4, same=True), steps=120).run()
    losses = [float(row["loss"]) for row in rows(tmp_path / "steps.csv")]
    assert sum(losses[-10:]) < 0.35 * sum(losses[:10])


def test_stages_follow_each_other_and_train_what_they_should(tmp_path: Path):
    run = trainer(tmp_path, steps=10)
    start = {name: value.clone() for name, value in run.model.state_dict().items()}
    changed: dict[str, set[str]] = {}
    for _ in range(10):
        stage = run._schedule.stage(run.progress)
        assert stage is not None
        run._set_frozen(stage)
        run._step(stage)
        run._schedule.advance(run.progress)
        now = run.model.state_dict()
        changed.setdefault(stage.name, set()).update(
            name.split(".")[0] for name in now if not torch.equal(now[name], start[name])
        )
        start = {name: value.clone() for name, value in now.items()}
    assert changed == {
        "pairs": {"fnet", "corr_mlp"},
        "frozen": {"updateformer", "corr_mlp"},
        "joint": {"fnet", "updateformer", "corr_mlp"},
    }


def test_parameters_can_be_frozen_by_name(tmp_path: Path):
    run = trainer(tmp_path, only(TINY.stages[2], frozen=("fnet.", "updateformer.vis_conf_head.")), steps=2)
    before = run.model.updateformer.vis_conf_head.weight.clone()
    run.run()
    assert torch.equal(run.model.updateformer.vis_conf_head.weight, before)


def test_training_goes_on_from_a_given_model(tmp_path: Path):
    torch.manual_seed(9)
    model = CoTracker3(TINY.model)
    weight = model.fnet.conv1.weight.clone()
    run = Trainer(TINY, RunOptions(tmp_path, steps=3, validate=False), source=MadeSource(), model=model)
    assert torch.equal(run.ema.fnet.conv1.weight, weight)


def test_curves_are_written(tmp_path: Path):
    pytest.importorskip("matplotlib")
    trainer(tmp_path, steps=12, log_steps=2).run()
    table = rows(tmp_path / "steps.csv")
    assert [int(row["step"]) for row in table] == [2, 4, 6, 8, 10, 12]
    assert [row["stage"] for row in table] == ["pairs", "pairs", "frozen", "joint", "joint", "joint"]
    assert all(float(row["loss"]) > 0 for row in table)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


# -- resuming


def states_equal(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(states_equal(one[key], other[key]) for key in one)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(states_equal, one, other))  # type: ignore[arg-type]
    return one == other


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_killed_and_resumed_run_equals_an_undisturbed_one(tmp_path: Path, one_thread: None):
    """The command itself, killed with SIGKILL in the middle; all weights, moments and random states are the same."""
    budget = ["--steps", "40", "--checkpoint-steps", "4", "--no-validation", "--device", "cpu"]
    killed = subprocess.Popen([*COMMAND, *budget, "--out", tmp_path / "cut"], env=ONE_THREAD, stdout=subprocess.PIPE)
    index = tmp_path / "cut" / "checkpoint" / "index.json"
    deadline = time.monotonic() + 120
    while not index.is_file() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    step = load_checkpoint(index.parent)["progress"]["step"]
    assert 4 <= step < 40, "killed in the middle"
    command = [*COMMAND[3:], *budget, "--out"]
    assert main([*command, str(tmp_path / "cut"), "--resume"]) == 0
    assert main([*command, str(tmp_path / "whole")]) == 0
    one, other = (load_checkpoint(tmp_path / name / "checkpoint") for name in ("whole", "cut"))
    for timed in ("seconds", "stage_seconds"):
        del one["progress"][timed], other["progress"][timed]
    assert one["progress"]["step"] == 40
    for key in one:
        assert states_equal(one[key], other[key]), key


def test_the_curve_goes_on_where_the_checkpoint_was(tmp_path: Path):
    trainer(tmp_path, steps=12, stop_after=1e-9).run()  # one step
    with (tmp_path / "steps.csv").open("a") as file:
        file.write("7,pairs,1,1\n")  # of a run killed after its last checkpoint
    trainer(tmp_path, steps=12, resume=True).run()
    assert [int(row["step"]) for row in rows(tmp_path / "steps.csv")] == list(range(1, 13))


def test_compact_checkpoints_are_smaller_and_resume(tmp_path: Path):
    sizes = []
    for compact in (False, True):
        out = tmp_path / str(compact)
        trainer(out, steps=6, compact=compact, stop_after=1e-9).run()
        sizes.append(sum(file.stat().st_size for file in (out / "checkpoint").iterdir()))
        assert trainer(out, steps=6, compact=compact, resume=True).run()
    assert sizes[1] < sizes[0]


def test_a_complete_run_is_told_and_left_as_it_is(tmp_path: Path):
    trainer(tmp_path, steps=3).run()
    told: list[str] = []
    options = RunOptions(tmp_path, steps=9, resume=True, validate=False, precision="float32")
    again = Trainer(TINY, options, source=MadeSource(), report=told.append)
    assert again.run()
    assert again.progress.step == 3
    assert "complete already" in told[0]


def test_a_folder_in_use_is_not_overwritten(tmp_path: Path):
    trainer(tmp_path, steps=3).run()
    with pytest.raises(ResumeError, match="already"):
        trainer(tmp_path, steps=3)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path):
    trainer(tmp_path, steps=3).run()
    wider = replace(TINY, model=replace(TINY.model, width=24))
    with pytest.raises(ResumeError, match="another model"):
        trainer(tmp_path, wider, resume=True)


# -- what goes wrong


def not_a_number(until: int):
    """Spoils the first batches."""

    def spoil(xy: torch.Tensor, number: int) -> torch.Tensor:
        return torch.full_like(xy, float("nan")) if number <= until else xy

    def spoil_queries(xy: torch.Tensor, number: int) -> torch.Tensor:
        return torch.cat([spoil(xy[:, :1], number), xy[:, 1:]], dim=1)

    return spoil_queries


def test_a_batch_that_is_no_number_is_skipped_and_counted(tmp_path: Path):
    run = trainer(tmp_path, only(TINY.stages[2]), MadeSource(spoil=not_a_number(until=2)), steps=5)
    run.run()
    assert run.progress.skipped == 2
    assert run.progress.skipped_in_a_row == 0
    assert rows(tmp_path / "steps.csv")[-1]["skipped"] == "2"
    assert all(torch.isfinite(value).all() for value in run.model.state_dict().values())


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("stage", range(3))
def test_positions_that_are_none_are_skipped_in_every_stage(tmp_path: Path, stage: int, wrong: float):
    """In the query frame too, where positions are places to look at."""

    def spoil(xy: torch.Tensor, number: int) -> torch.Tensor:
        return torch.full_like(xy, wrong) if number == 2 else xy

    run = trainer(tmp_path, only(TINY.stages[stage]), MadeSource(spoil=spoil), steps=3)
    assert run.run()
    assert (run.progress.step, run.progress.skipped) == (3, 1)
    assert all(torch.isfinite(value).all() for value in run.model.state_dict().values())


def test_many_of_them_in_a_row_end_the_run(tmp_path: Path):
    run = trainer(tmp_path, only(TINY.stages[2]), MadeSource(spoil=not_a_number(until=99)), steps=50)
    weight = run.model.fnet.conv1.weight.clone()
    with pytest.raises(TrainingDivergedError, match="3 steps in a row"):
        run.run()
    assert torch.equal(run.model.fnet.conv1.weight, weight)


def test_unusable_folders_and_budgets(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        trainer(tmp_path / "file" / "out")
    with pytest.raises(OptionError, match="budget"):
        RunOptions(tmp_path)
    with pytest.raises(OptionError, match="minutes"):
        RunOptions(tmp_path, minutes=-1.0)
    for name, value in {
        "minutes": float("nan"),
        "stop_after": float("inf"),
        "checkpoint_steps": 0,
        "log_steps": 0,
    }.items():
        budget = {} if name == "minutes" else {"steps": 1}
        with pytest.raises(OptionError, match=f"Invalid {name}"):
            RunOptions(tmp_path, **budget, **{name: value})
    with pytest.raises(OptionError, match="precision"):
        RunOptions(tmp_path, steps=1, precision="half")
    with pytest.raises(OptionError, match="small, small-gpu, base"):
        find_config("huge")


def test_a_curve_that_was_cut_off_is_gone_on_with(tmp_path: Path):
    torn = b"1,pairs,1.5,1"  # other cases: test_curves.py
    assert not trainer(tmp_path, steps=8, stop_after=1e-9).run()
    for name in ("steps.csv", "validation.csv"):
        with (tmp_path / name).open("ab") as file:
            file.write(torn)
    assert trainer(tmp_path, steps=8, resume=True).run()
    assert [int(row["step"]) for row in rows(tmp_path / "steps.csv")] == list(range(1, 9))
