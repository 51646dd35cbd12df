"""Values as the database keeps them, without a conversion of each: the only place that asks FiftyOne for them so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection


def raw_values(samples: SampleCollection, names: Sequence[str]) -> list[list[Any]]:
    """The values of some fields, declared or not.

    Args:
        samples: a dataset or view
        names: of the fields, those on frames with "frames."

    Returns:
        for each field a list with an entry per sample; labels are documents
    """
    return samples.aggregate([fo.Values(name, _raw=True) for name in names])
