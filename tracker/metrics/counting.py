"""Shares and means that say NaN where there is nothing to count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

Scores = TypeVar("Scores")


def share(part: Any, whole: Any) -> float:
    """Part of a whole as counted by `np.count_nonzero`; NaN where the whole is empty.

    Args:
        part: bool array, a subset of `whole`
        whole: bool array of the same shape

    Returns:
        from 0 to 1, or NaN
    """
    return ratio(np.count_nonzero(part), np.count_nonzero(whole))


def ratio(part: int | np.integer, whole: int | np.integer) -> float:
    """part / whole; NaN where the whole is 0."""
    return float(part / whole) if whole else float("nan")


def mean_known(values: Sequence[float]) -> float:
    """The mean of those values that are no NaN; NaN where there are none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The plain mean over clips, as the field's benchmarks report a dataset: each clip counts the same.

    Args:
        scores: one per clip, at least one, all of one type: a dataclass of floats and tuples of floats

    Returns:
        the means; clips in which a figure counts nothing are left out of that figure
    """
    first: Any = scores[0]
    means: dict[str, Any] = {}
    for field in fields(first):
        column = [getattr(one, field.name) for one in scores]
        if isinstance(column[0], tuple):
            means[field.name] = tuple(mean_known(values) for values in zip(*column, strict=True))
        else:
            means[field.name] = mean_known(column)
    return type(first)(**means)
