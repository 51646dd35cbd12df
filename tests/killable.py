"""Runs in processes of their own, which a test may kill: `workflows/lifecycle/runs_to_kill.py` or another script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fiftyone as fo

SCRIPT = Path(__file__).parent / "workflows" / "lifecycle" / "runs_to_kill.py"


@contextmanager
def start_run(folder: Path, script: Path = SCRIPT) -> Iterator[Callable[..., subprocess.Popen]]:
    """Gives a function that starts a run in a process of its own and waits until FiftyOne is loaded there.

    Its arguments are the dataset or its name, further variables of the environment, and
    what the script is to do. The processes are ended with the block; what they wrote to
    stderr is in `stderr-<number>.txt` in the folder.
    """
    running: list[subprocess.Popen] = []

    def begin(dataset: fo.Dataset | str, *, env: dict[str, str] | None = None, **job: Any) -> subprocess.Popen:
        if not isinstance(dataset, str):
            dataset.persistent = True
        name = dataset if isinstance(dataset, str) else dataset.name
        command = [sys.executable, str(script), json.dumps({"dataset": name, **job})]
        errors = folder / f"stderr-{len(running)}.txt"
        with errors.open("w") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env={**os.environ, **(env or {})},
            )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", errors.read_text()
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


def lines_until(process: subprocess.Popen, iteration: int) -> None:
    """Waits until so many samples are finished."""
    assert process.stdout is not None
    for line in process.stdout:
        if int(line.split()[0]) >= iteration:
            return
