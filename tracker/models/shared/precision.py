"""Where a model runs and in which precision, for every family.

One implementation serves all: the switch of TF32 counts the runs of the whole
process.
"""

from __future__ import annotations

from ..cotracker.running.precision import DTYPES, choose_device, choose_dtype, matrix_products

__all__ = ["DTYPES", "choose_device", "choose_dtype", "matrix_products"]
