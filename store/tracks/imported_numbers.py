"""Numbers as FiftyOne's legacy export leaves them: NaN is written as {"$numberDouble": "NaN"} and stays so."""

from __future__ import annotations

from typing import Any

import numpy as np

_KEYS = ("$numberDouble", "$numberInt", "$numberLong")


def number_array(values: Any) -> np.ndarray:
    """Numbers out of the database as an array.

    Args:
        values: numbers in nested lists of one shape

    Returns:
        float64, of that shape
    """
    try:
        return np.array(values, dtype=np.float64)
    except TypeError:
        return np.array(_plain(values), dtype=np.float64)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        for key in _KEYS:
            if key in value:
                return float(value[key])
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
