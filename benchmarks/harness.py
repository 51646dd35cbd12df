"""What every benchmark needs: the machine in a line, memory, a process of its own, a table.

Benchmarks are run as scripts (`python benchmarks/trackers/accuracy.py`).
Numbers of different runs are not comparable: measure what is compared in one
run, each way through `run_isolated`.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from time import perf_counter
from typing import Any

_KIB_PER_MIB = 1024
# CPU flags that decide how fast the numeric libraries run
_CPU_FLAGS = ("sse4_2", "avx2", "avx512f", "avx512_vnni", "amx_tile", "asimd", "sve")


@dataclass(frozen=True)
class Isolated:
    """What a function did in a process of its own.

    Args:
        result: its JSON result
        seconds: wall time of the function alone, without starting Python
        peak_rss_mb: the process's highest resident memory, in MiB
    """

    result: Any
    seconds: float
    peak_rss_mb: float


class BenchmarkError(RuntimeError):
    """A measured process failed; the message holds what it wrote to stderr."""


def describe_machine() -> str:
    """The machine in one line: CPU, cores usable, flags that matter, memory, Python, system, and how busy it is."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpu, flags = platform.processor() or platform.machine(), ""
    memory_gib = ""
    if sys.platform == "linux":
        info = Path("/proc/cpuinfo").read_text()
        fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        cpu = fields.get("model name", cpu)
        present = fields.get("flags", fields.get("Features", "")).split()
        flags = " ".join(flag for flag in _CPU_FLAGS if flag in present)
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        memory_gib = f"{total / 2**30:.0f} GiB memory"
    load = f"load {os.getloadavg()[0]:.1f} when described" if hasattr(os, "getloadavg") else ""
    parts = [cpu, f"{usable} cores", flags, memory_gib, f"Python {platform.python_version()}", platform.system(), load]
    return ", ".join(part for part in parts if part)


def rss_mb() -> float:
    """Resident memory of this process now, in MiB (its peak so far where the system does not tell)."""
    return _status_mb("VmRSS")


def peak_rss_mb() -> float:
    """Highest resident memory of this process since it started or since `reset_peak_rss`, in MiB."""
    return _status_mb("VmHWM")


def reset_peak_rss() -> bool:
    """Makes `peak_rss_mb` count from now on.

    Returns:
        False where the system does not allow it: then the peak of the whole process counts
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status_mb(key: str) -> float:
    # not getrusage where it can be helped: its peak is inherited from the process that started this one
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) / _KIB_PER_MIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _KIB_PER_MIB / (_KIB_PER_MIB if sys.platform == "darwin" else 1)


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table, aligned so that it reads as plain text too.

    Args:
        headers: one per column
        rows: cells of each row; anything but a string is right-aligned

    Returns:
        the table, ending without a newline
    """
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(3, len(header), *(len(row[i]) for row in cells)) for i, header in enumerate(headers)]
    numeric = [bool(rows) and not any(isinstance(row[i], str) for row in rows) for i in range(len(headers))]

    def line(values: Sequence[str]) -> str:
        padded = (
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, numeric, strict=True)
        )
        return "| " + " | ".join(padded) + " |"

    rule = (
        "|" + "|".join("-" * (w + 1) + (":" if right else "-") for w, right in zip(widths, numeric, strict=True)) + "|"
    )
    return "\n".join([line(list(headers)), rule, *(line(row) for row in cells)])


def run_isolated(
    function: Callable[..., Any], *, env: dict[str, str] | None = None, timeout_s: float | None = None, **arguments: Any
) -> Isolated:
    """Runs a function in a fresh Python process, so that its memory and caches are its own.

    Args:
        function: a function at the top level of a script or module; its file is
            imported by the new process under another name than `__main__`
        env: environment variables to add
        timeout_s: longest time to wait
        arguments: passed to the function; JSON values only

    Returns:
        the function's result (JSON values only), its seconds and the peak memory

    Raises:
        BenchmarkError: if the process fails or runs out of time
    """
    with tempfile.TemporaryDirectory() as folder:
        job_path, result_path = Path(folder, "job.json"), Path(folder, "result.json")
        job = {"file": function.__code__.co_filename, "name": function.__name__, "arguments": arguments}
        job_path.write_text(json.dumps(job))
        command = [sys.executable, __file__, str(job_path), str(result_path)]
        try:
            done = subprocess.run(
                command,
                env={**os.environ, **(env or {})},
                timeout=timeout_s,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(f"{function.__name__} took more than {timeout_s:g} s") from error
        if done.returncode != 0 or not result_path.exists():
            raise BenchmarkError(f"{function.__name__} ended with exit status {done.returncode}:\n{done.stderr}")
        return Isolated(**json.loads(result_path.read_text()))


def _run_job(job_path: str, result_path: str) -> None:
    """What the fresh process of `run_isolated` does."""
    job = json.loads(Path(job_path).read_text())
    spec = spec_from_file_location("isolated_benchmark", job["file"])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["isolated_benchmark"] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    start = perf_counter()
    result = getattr(module, job["name"])(**job["arguments"])
    seconds = perf_counter() - start
    Path(result_path).write_text(json.dumps({"result": result, "seconds": seconds, "peak_rss_mb": peak_rss_mb()}))


if __name__ == "__main__":
    _run_job(sys.argv[1], sys.argv[2])
