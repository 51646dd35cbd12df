"""The command: what it tells, and what it needs."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from point_tracking.tracker.training.__main__ import main
from point_tracking.tracker.training.data.batches import SyntheticSource

COMMAND = [sys.executable, "-m", "point_tracking.tracker.training", "--config", "tiny", "--precision", "float32"]


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


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


def test_the_command_tells_errors_in_a_line(tmp_path: Path):
    command = [*COMMAND, "--steps", "3", "--out", tmp_path, "--device", "no-such-device"]
    done = subprocess.run(command, env=ONE_THREAD, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("OptionError: Invalid device")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


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
