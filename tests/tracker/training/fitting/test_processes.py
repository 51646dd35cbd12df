"""Several processes that train one model."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.training.fitting.checkpoint import load_checkpoint
from point_tracking.tracker.training.fitting.processes import Processes

ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


SCRIPT = """
    import sys
    from pathlib import Path

    import torch

    sys.path.insert(0, {tests!r})
    from made_clips import MadeSource
    from point_tracking.tracker.training.configs import TINY
    from point_tracking.tracker.training.fitting.processes import Processes
    from point_tracking.tracker.training.fitting.train import RunOptions, Trainer

    processes = Processes.start("cpu")

    one, other = torch.zeros(2, 3, requires_grad=True), torch.zeros(4, requires_grad=True)
    one.grad = torch.full((2, 3), float(processes.rank + 1))
    other.grad = torch.arange(4.0) * (1 - 2 * processes.rank)
    processes.average_gradients([one, other])
    agreed = processes.agree(float(processes.rank))

    options = RunOptions(Path({out!r}), steps=6, validate=False, precision="float32", log_steps=1)
    trainer = Trainer(TINY, options, processes=processes, source=MadeSource(seed=processes.rank), report=print)
    trainer.run()
    first = trainer.model.fnet.conv1.weight.flatten()[:4].tolist()
    found = processes.gather((one.grad.tolist(), other.grad.tolist(), agreed, first))
    if processes.leads:
        torch.save(found, {out!r} + "/found.pt")
    processes.stop()
"""


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two processes that averaged gradients, then trained."""
    folder = tmp_path_factory.mktemp("together")
    script = folder / "two.py"
    script.write_text(textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parents[1]), out=str(folder / "out")))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script]
    done = subprocess.run(launch, env=ONE_THREAD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_gradients_of_two_processes_are_those_of_both_batches(together: Path):
    for one, other, agreed, _ in torch.load(together / "found.pt", weights_only=True):
        assert one == [[1.5] * 3] * 2
        assert other == [0] * 4
        assert agreed == 0, "the first one's number"


def test_two_processes_train_one_model(together: Path):
    first, second = (weights for *_, weights in torch.load(together / "found.pt", weights_only=True))
    assert first == second
    state = load_checkpoint(together / "checkpoint")
    assert len(state["processes"]) == 2
    generators = [one["source"]["generator"] for one in state["processes"]]
    assert not torch.equal(*generators), "each process draws its own clips"
    batches = [stage.batch for stage in TINY.stages for _ in range(2)]
    assert int(rows(together / "steps.csv")[-1]["clips"]) == 2 * sum(batches)


def test_one_process_alone_needs_no_other():
    alone = Processes.start("cpu")
    assert (alone.rank, alone.count, alone.leads) == (0, 1, True)
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    alone.average_gradients([parameter])
    assert parameter.grad.tolist() == [1, 2]
    assert alone.agree(0.25) == 0.25
    assert alone.gather("a") == ["a"]
    alone.stop()


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(OptionError, match="Invalid device"):
        Processes.start("no-such-device")
