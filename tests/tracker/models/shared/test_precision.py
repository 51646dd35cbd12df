"""In which precision matrices are multiplied, and that a caller's settings come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Barrier, Thread
from typing import Any

import pytest
import torch

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.shared import precision as shared_precision
from point_tracking.tracker.models.shared.precision import choose_device, matrix_products

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
MATMUL: Any = torch.backends.cuda.matmul
CUDNN: Any = torch.backends.cudnn
needs_new_settings = pytest.mark.skipif(not hasattr(MATMUL, "fp32_precision"), reason="this torch has only flags")


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Puts back what a test changed; these are no plain attributes, so monkeypatch cannot."""
    before = state()
    yield
    if hasattr(MATMUL, "fp32_precision"):
        torch.set_float32_matmul_precision("highest")
        CUDNN.allow_tf32 = True
    for (owner, name), value in zip(shared_precision._tf32_settings(), before, strict=True):
        setattr(owner, name, value)


def state() -> tuple:
    return tuple(getattr(owner, name) for owner, name in shared_precision._tf32_settings())


def is_tf32() -> tuple[bool, ...]:
    return tuple(value in (True, "tf32") for value in state())


@pytest.mark.parametrize("before", [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize(("dtype", "inside"), [("float32", False), ("bfloat16", False), ("tf32", True)])
def test_tf32_is_used_only_where_it_was_chosen(before: tuple[bool, bool], dtype: str, inside: bool) -> None:
    MATMUL.allow_tf32, CUDNN.allow_tf32 = before
    with matrix_products(dtype, CUDA):
        assert is_tf32() == (inside, inside)
    assert (MATMUL.allow_tf32, CUDNN.allow_tf32) == before


@needs_new_settings
@pytest.mark.parametrize("dtype", ["float32", "tf32"])
@pytest.mark.parametrize("before", [("ieee", "ieee"), ("tf32", "ieee"), ("none", "tf32")])
def test_callers_who_set_precisions_by_operation_are_not_broken(before: tuple[str, str], dtype: str) -> None:
    MATMUL.fp32_precision, CUDNN.conv.fp32_precision = before
    for device in (CPU, CUDA):
        with matrix_products(dtype, device):
            if device == CUDA:
                assert is_tf32() == (dtype == "tf32",) * 2
        assert (MATMUL.fp32_precision, CUDNN.conv.fp32_precision) == before


def test_older_torch_has_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    class Flags:
        allow_tf32 = True

    matmul, cudnn = Flags(), Flags()
    monkeypatch.setattr(torch.backends.cuda, "matmul", matmul)
    monkeypatch.setattr(torch.backends, "cudnn", cudnn)
    with matrix_products("float32", CUDA):
        assert not matmul.allow_tf32
        assert not cudnn.allow_tf32
    assert matmul.allow_tf32
    assert cudnn.allow_tf32
    monkeypatch.undo()


def test_nothing_is_touched_on_other_devices() -> None:
    before = state()
    with matrix_products("float32", CPU):
        assert state() == before


def test_settings_come_back_after_an_error() -> None:
    before = state()
    with pytest.raises(ZeroDivisionError), matrix_products("tf32", CUDA):
        raise ZeroDivisionError
    assert state() == before


@pytest.mark.parametrize("first_to_leave", [0, 1])
def test_float32_stays_float32_beside_a_run_in_tf32(first_to_leave: int) -> None:
    before = state()
    stacks = [ExitStack(), ExitStack()]
    for stack, dtype in zip(stacks, ("float32", "tf32"), strict=True):
        stack.enter_context(matrix_products(dtype, CUDA))
        assert is_tf32() == (False, False), "the strictest run decides"
    stacks.pop(first_to_leave).close()
    assert is_tf32() == ((True, True) if first_to_leave == 0 else (False, False))
    stacks[0].close()
    assert state() == before


def test_overlapping_threads_leave_no_trace() -> None:
    before = state()
    barrier, wrong = Barrier(4), []

    def run(dtype: str) -> None:
        for _ in range(100):
            barrier.wait()
            with matrix_products(dtype, CUDA):
                if dtype == "float32" and any(is_tf32()):
                    wrong.append(is_tf32())

    threads = [Thread(target=run, args=(dtype,)) for dtype in ("float32", "tf32", "tf32", "bfloat16")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert state() == before


@pytest.mark.parametrize("device", [None, 3, "warp", "cuda:99", ["cpu"]])
def test_devices_that_are_not_there_are_refused(device: object) -> None:
    with pytest.raises(OptionError, match="Supported values are auto, cpu, cuda, mps"):
        choose_device(device)
    assert choose_device(torch.device("cpu")) == CPU
