"""In which precision matrices are multiplied, and that a caller's settings come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from point_tracking.tracker.models.cotracker.precision import matrix_products


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Puts back what a test changed; these are no plain attributes, so monkeypatch cannot."""
    before = tf32_allowed()
    yield
    allow_tf32(*before)


def allow_tf32(matmul: bool, cudnn: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


def tf32_allowed() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("before", [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize(
    ("dtype", "inside"), [("float32", (False, False)), ("bfloat16", (False, False)), ("tf32", (True, True))]
)
def test_tf32_is_used_only_where_it_was_chosen(
    before: tuple[bool, bool], dtype: str, inside: tuple[bool, bool]
) -> None:
    allow_tf32(*before)
    with matrix_products(dtype):
        assert tf32_allowed() == inside
    assert tf32_allowed() == before
