"""What is free, and what happens where it is not enough."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OutOfMemoryError
from point_tracking.tracker.models.shared import memory as memory_module
from point_tracking.tracker.models.shared.memory import (
    available_bytes,
    is_out_of_memory,
    require_memory,
    run_within_memory,
)

from ..cotracker.running.test_memory_plan import CPU, MIB


def test_free_memory_is_found():
    found = available_bytes(CPU)
    assert found is None or 10 * MIB < found < 2**50


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_running_out_of_memory_is_recognised(error, expected):
    assert is_out_of_memory(error) is expected


@given(needed=st.integers(1, 2**45), budget=st.none() | st.integers(1, 2**45), limited=st.booleans())
def test_runs_are_refused_only_where_the_smallest_plan_is_too_large(needed: int, budget: int | None, limited: bool):
    limit_gb = budget / 2**30 if limited and budget is not None else None
    room = None if budget is None else budget if limited else budget / memory_module._FREE_SHARE
    if room is None or needed <= room:
        require_memory(needed, budget, limit_gb)
        return
    with pytest.raises(OutOfMemoryError, match=r"GiB of memory above the model.*Track fewer points") as caught:
        require_memory(needed, budget, limit_gb)
    advised = float(str(caught.value).rpartition(" ")[2])
    assert needed <= int(advised * 2**30) + 1, "so much is enough"
    assert advised * 2**30 <= 1.02 * needed


def test_a_refusal_says_what_was_found_and_what_is_needed():
    with pytest.raises(
        OutOfMemoryError, match=r"needs 2\.35 GiB .* and memory_limit_gb allows 0\.5\. .*at least 2\.35$"
    ):
        require_memory(int(2.345 * 2**30), 2**29, 0.5)
    with pytest.raises(OutOfMemoryError, match=r"needs 2\.35 GiB .* and 1\.25 are free\. .*at least 2\.35$"):
        require_memory(int(2.345 * 2**30), 2**30, None)


def test_halving_goes_on_until_it_fits():
    def run(size: int) -> str:
        if size > 30:
            raise MemoryError
        return f"ran with {size}"

    assert run_within_memory(run, 100, lambda size: size // 2) == ("ran with 25", 25)


def test_where_nothing_fits_the_error_says_what_to_do():
    tried = []

    def run(size: int) -> None:
        tried.append(size)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand so on")

    with pytest.raises(OutOfMemoryError, match=r"CUDA out of memory\..*fewer points.*memory_limit_gb") as caught:
        run_within_memory(run, 1000, lambda size: size - 1 if size > 997 else None)
    assert tried == [1000, 999, 998, 997]
    assert isinstance(caught.value, MemoryError)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "its frames would keep the memory of the failed attempts"
    tried.clear()
    with pytest.raises(OutOfMemoryError):
        run_within_memory(run, 1000, lambda size: size - 1)
    assert len(tried) == 8


def test_other_errors_end_the_work():
    def run(_: int) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run_within_memory(run, 4, lambda size: size // 2)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                "memory.max": "1000",
                "memory.current": "900",
                "memory.stat": "anon 200\ninactive_file 400\nactive_file 100",
            },
            600,
        ),
        ({"memory.max": "1000", "memory.current": "900", "memory.stat": "anon 900"}, 100),
        ({"memory.max": "1000", "memory.current": "1200", "memory.stat": "anon 1200"}, 0),
        ({"memory.max": "max", "memory.current": "900", "memory.stat": "anon 900"}, None),
        ({"memory.max": "1000"}, None),
        ({}, None),
    ],
)
def test_what_files_are_cached_in_counts_as_free_in_a_container(files, expected, tmp_path, monkeypatch):
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    monkeypatch.setattr(memory_module, "_CGROUP", tmp_path)
    assert memory_module._cgroup_room() == expected
