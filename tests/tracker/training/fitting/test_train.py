"""Runs: they learn, resume, skip what is no number, and say what went wrong."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from point_tracking.tracker.errors import OptionError, OutputError, ResumeError, TrainingDivergedError
from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.training.__main__ import main
from point_tracking.tracker.training.configs import TINY, TrainingConfig, TrainingStage, find_config
from point_tracking.tracker.training.data.batches import SyntheticSource
from point_tracking.tracker.training.fitting.checkpoint import load_checkpoint
from point_tracking.tracker.training.fitting.schedule import learning_rate
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


def test_learning_rate_rises_then_falls():
    stage = replace(TINY.stages[0], learning_rate=1.0, warmup=0.1, final_rate=0.2)
    assert learning_rate(stage, 0.0) < 0.01
    assert learning_rate(stage, 0.05) == pytest.approx(0.5 * learning_rate(replace(stage, warmup=0.0), 0.05))
    assert learning_rate(stage, 0.5) == pytest.approx(0.2 + 0.8 / 2)
    assert learning_rate(stage, 1.0) == pytest.approx(0.2)


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


def test_a_killed_and_resumed_run_equals_an_undisturbed_one(tmp_path: Path):
    """The command itself, killed with SIGKILL in the middle; all weights, moments and random states are the same."""
    budget = ["--steps", "60", "--checkpoint-steps", "5", "--no-validation", "--device", "cpu"]
    whole = subprocess.Popen([*COMMAND, *budget, "--out", tmp_path / "whole"], env=ONE_THREAD, stdout=subprocess.PIPE)
    killed = subprocess.Popen([*COMMAND, *budget, "--out", tmp_path / "cut"], env=ONE_THREAD, stdout=subprocess.PIPE)
    index = tmp_path / "cut" / "checkpoint" / "index.json"
    deadline = time.monotonic() + 120
    while not index.is_file() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    step = load_checkpoint(index.parent)["progress"]["step"]
    assert 5 <= step < 60, "killed in the middle"
    subprocess.run([*COMMAND, *budget, "--out", tmp_path / "cut", "--resume"], env=ONE_THREAD, check=True)
    whole.communicate()
    assert whole.returncode == 0
    one, other = (load_checkpoint(tmp_path / name / "checkpoint") for name in ("whole", "cut"))
    for timed in ("seconds", "stage_seconds"):
        del one["progress"][timed], other["progress"][timed]
    assert one["progress"]["step"] == 60
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


@pytest.mark.parametrize("torn", [b"1,pai", b"1,pairs,1.5,1", b"\xff\xfe\x00,,\n"])
def test_a_curve_that_was_cut_off_is_gone_on_with(tmp_path: Path, torn: bytes):
    assert not trainer(tmp_path, steps=8, stop_after=1e-9).run()
    for name in ("steps.csv", "validation.csv"):
        with (tmp_path / name).open("ab") as file:
            file.write(torn)
    assert trainer(tmp_path, steps=8, resume=True).run()
    assert [int(row["step"]) for row in rows(tmp_path / "steps.csv")] == list(range(1, 9))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_the_command_tells_where_memory_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, error: Exception
):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(SyntheticSource, "next", fail)
    assert main(["--config", "tiny", "--steps", "3", "--out", str(tmp_path), "--device", "cpu", "--no-validation"]) == 2
    assert capsys.readouterr().err.startswith("OutOfMemoryError: memory ran out")
    monkeypatch.setattr(SyntheticSource, "next", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["--config", "tiny", "--steps", "3", "--out", str(tmp_path), "--device", "cpu", "--no-validation"])


def test_stages_check_their_sizes():
    with pytest.raises(OptionError, match="half windows"):
        only(TINY.stages[2], frames=5)
    with pytest.raises(OptionError, match="multiples"):
        only(TINY.stages[2], size=(30, 32))
    with pytest.raises(OptionError, match="kind"):
        replace(TINY.stages[0], kind="other")


def test_the_command_tells_errors_in_a_line(tmp_path: Path):
    command = [*COMMAND, "--steps", "3", "--out", tmp_path, "--device", "no-such-device"]
    done = subprocess.run(command, env=ONE_THREAD, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("OptionError: Invalid device")


BARE = """
    import sys

    MISSING = {"av", "fiftyone", "huggingface_hub", "matplotlib", "PIL"}

    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in MISSING:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Missing())
    import importlib.util
    find_spec = importlib.util.find_spec
    importlib.util.find_spec = lambda name, *rest: None if name in MISSING else find_spec(name, *rest)
    from point_tracking.tracker.training.__main__ import main

    sys.exit(main(["--config", "tiny", "--steps", "6", "--out", sys.argv[1], "--device", "cpu"]))
"""


def test_training_needs_torch_numpy_safetensors_and_opencv_alone(tmp_path: Path):
    """As on a GPU machine without anything else; the curves are then not drawn."""
    script = tmp_path / "bare.py"
    script.write_text(textwrap.dedent(BARE))
    done = subprocess.run([sys.executable, script, tmp_path / "out"], env=ONE_THREAD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 0 < float(rows(tmp_path / "out" / "validation.csv")[-1]["classical_delta_avg"]) < 1
    assert not (tmp_path / "out" / "curves.png").exists()


# -- several processes


SCRIPT = """
    import sys
    from dataclasses import replace
    from pathlib import Path

    sys.path.insert(0, {tests!r})
    from made_clips import MadeSource
    from point_tracking.tracker.training.configs import TINY
    from point_tracking.tracker.training.fitting.processes import Processes
    from point_tracking.tracker.training.fitting.train import RunOptions, Trainer

    processes = Processes.start("cpu")
    options = RunOptions(Path({out!r}), steps=6, validate=False, precision="float32", log_steps=1)
    trainer = Trainer(TINY, options, processes=processes, source=MadeSource(seed=processes.rank), report=print)
    trainer.run()
    first = trainer.model.fnet.conv1.weight.flatten()[:4].tolist()
    weights = processes.gather(first)
    assert weights[0] == weights[1], weights
    processes.stop()
"""


def test_two_processes_train_one_model(tmp_path: Path):
    script = tmp_path / "two.py"
    script.write_text(textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parents[1]), out=str(tmp_path / "out")))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script]
    done = subprocess.run(launch, env=ONE_THREAD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    state = load_checkpoint(tmp_path / "out" / "checkpoint")
    assert len(state["processes"]) == 2
    generators = [one["source"]["generator"] for one in state["processes"]]
    assert not torch.equal(*generators), "each process draws its own clips"
    batches = [stage.batch for stage in TINY.stages for _ in range(2)]
    assert int(rows(tmp_path / "out" / "steps.csv")[-1]["clips"]) == 2 * sum(batches)


def test_gradients_of_two_processes_are_those_of_both_batches(tmp_path: Path):
    script = tmp_path / "mean.py"
    script.write_text(
        textwrap.dedent("""
        import torch
        from point_tracking.tracker.training.fitting.processes import Processes

        processes = Processes.start("cpu")
        one, other = torch.zeros(2, 3, requires_grad=True), torch.zeros(4, requires_grad=True)
        one.grad = torch.full((2, 3), float(processes.rank + 1))
        other.grad = torch.arange(4.0) * (1 - 2 * processes.rank)
        processes.average_gradients([one, other])
        assert (one.grad == 1.5).all() and (other.grad == 0).all(), (one.grad, other.grad)
        assert processes.agree(float(processes.rank)) == 0
        processes.stop()
        """)
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script]
    done = subprocess.run(launch, env=ONE_THREAD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
