"""Where each format counts from: units, origin, direction of y and number of the first frame, once for all.

Our pixels have (0, 0) at the centre of the top-left pixel, y down, frames from 0. Sources: the formats' own
documentation and files of the programs; what the modules say in detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Origin = Literal["centre", "edge", "one"]
_OFFSETS: Mapping[str, float] = {"centre": 0.0, "edge": 0.5, "one": 1.0}


@dataclass(frozen=True)
class Convention:
    """How a format writes positions and frames.

    Args:
        origin: what the format's zero is: "centre" of the corner pixel, its outer "edge", or "one" pixel before its
            centre (pixels are counted from 1)
        shares: positions are shares of width and height; otherwise pixels
        y_up: the origin is the bottom-left corner
        first_frame: number of the video's first frame, where nobody says otherwise
    """

    origin: Origin = "centre"
    shares: bool = False
    y_up: bool = False
    first_frame: int = 0

    def to_file(self, xy_px: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
        """Positions as the format writes them.

        Args:
            xy_px: (..., 2) float, our pixels; NaN stays
            size_px: (width, height) of the frame

        Returns:
            (..., 2) float64
        """
        xy = np.asarray(xy_px, dtype=np.float64) + _OFFSETS[self.origin]
        if self.y_up:
            xy = np.stack([xy[..., 0], size_px[1] - xy[..., 1]], axis=-1)
        return xy / np.array(size_px, dtype=np.float64) if self.shares else xy

    def from_file(self, xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
        """The inverse of `to_file`.

        Args:
            xy: (..., 2) float, as the format writes them
            size_px: (width, height) of the frame

        Returns:
            (..., 2) float64, our pixels
        """
        found = np.asarray(xy, dtype=np.float64)
        if self.shares:
            found = found * np.array(size_px, dtype=np.float64)
        if self.y_up:
            found = np.stack([found[..., 0], size_px[1] - found[..., 1]], axis=-1)
        return found - _OFFSETS[self.origin]


CONVENTIONS: Mapping[str, Convention] = {
    # ours
    "npz": Convention(),
    "csv": Convention(),
    "parquet": Convention(),
    # shares of the raster, 0 and 1 are its outer edges
    "tapvid": Convention("edge", shares=True),
    # whole numbers are pixels; where in the pixel is not said in these programs
    "dlc": Convention(),
    "lightning-pose": Convention(),
    "slp": Convention(),
    "coco": Convention(),
    # CVAT's own zero is an edge; FiftyOne's exporter, importer and client write positions without the half pixel
    "cvat": Convention(),
    # left and top of boxes, counted from 1
    "mot": Convention("one", first_frame=1),
    "colmap": Convention("edge"),
    "rerun": Convention("edge"),
    "nuke": Convention("edge", y_up=True, first_frame=1),
    "after-effects": Convention("edge"),
    "blender": Convention("edge", shares=True, y_up=True, first_frame=1),
    "3de": Convention("edge", y_up=True, first_frame=1),
}
