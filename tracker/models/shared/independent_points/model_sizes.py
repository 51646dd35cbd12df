"""The sizes in which a clip is looked at: a first one of 256 x 256, and those in which tracks are refined.

Source: TAPIR, arXiv:2306.08637, sec. 3 and appendix; positions inside the models
are raster positions of a frame of 256 x 256, whatever its shape.
"""

from __future__ import annotations

import math

FIRST_SIDE = 256
SIZE_UNIT = 8

Size = tuple[int, int]


def refinement_sizes(size: Size) -> list[Size]:
    """The (height, width) in which tracks are refined, one after the other.

    Args:
        size: (height, width) of the model's frame

    Returns:
        from 256 x 256 to that size, in equal steps of the logarithm
    """
    steps = math.ceil(max(math.log2(side / FIRST_SIDE) for side in size))
    if steps < 1:
        return [(FIRST_SIDE, FIRST_SIDE)]
    sizes = []
    for i in range(steps + 1):
        height, width = (_in_units(FIRST_SIDE * (side / FIRST_SIDE) ** (i / steps)) for side in size)
        sizes.append((height, width))
    return sizes


def _in_units(side: float) -> int:
    return SIZE_UNIT * round(side // SIZE_UNIT)
