"""One thread for a while, also for several callers at once."""

from __future__ import annotations

import threading

import pytest
import torch

from point_tracking.tracker.models.cotracker.running.threads import one_thread


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_the_number_comes_back_also_after_an_error():
    with one_thread():
        assert torch.get_num_threads() == 1
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1, "the outer one still runs"
    assert torch.get_num_threads() == 2
    with pytest.raises(ValueError, match="a bug"), one_thread():
        raise ValueError("a bug")
    assert torch.get_num_threads() == 2


def test_callers_that_overlap_share_one_change():
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with one_thread():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(10)
    with one_thread():
        pass
    leave.set()
    thread.join()
    with one_thread():
        pass
    assert torch.get_num_threads() == 2
