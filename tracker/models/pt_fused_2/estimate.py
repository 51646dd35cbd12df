"""How good a candidate is: a small learned estimate, boosted trees kept as plain arrays.

The model file holds two forests over `candidates.FEATURES`: one estimates how
visible and how exact a place is together, the other how exact it is given that
the point is visible; and a monotone table from the first to the share of such
points that lie within 4 px. `tracker/training/selection` fits it.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...errors import PointTrackingError
from .candidates import FEATURES

ESTIMATE_FILE = Path(__file__).parent / "estimate.npz"

_FOREST_ARRAYS = ("feature", "threshold", "left", "right", "unknown_left", "value")
_ROWS_TOGETHER = 2048


class EstimateError(PointTrackingError):
    """The file of pt-fused-2's estimate is missing, damaged or of another version."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Regression trees whose leaves are added up.

    Args:
        feature: (trees, nodes) int16, -1 in a leaf
        threshold: (trees, nodes) float32; a row goes left where its feature is not above
        left: (trees, nodes) int16, node to go on with; a leaf goes on with itself
        right: likewise
        unknown_left: (trees, nodes) bool, where a feature that is NaN goes
        value: (trees, nodes) float32 of leaves
        base: added to the sum
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    unknown_left: np.ndarray
    value: np.ndarray
    base: float

    def __post_init__(self) -> None:
        trees, nodes = self.feature.shape
        if any(getattr(self, name).shape != (trees, nodes) for name in _FOREST_ARRAYS):
            raise EstimateError("Invalid forest: its arrays have different shapes")
        within = all((one >= 0).all() and (one < nodes).all() for one in (self.left, self.right))
        if not within or (self.feature >= len(FEATURES)).any():
            raise EstimateError("Invalid forest: a node points outside of it")
        depth, reached = 0, np.zeros((trees, nodes), bool)
        reached[:, 0] = True
        while (reached & (self.feature >= 0)).any():
            depth += 1
            if depth > nodes:
                raise EstimateError("Invalid forest: a tree never ends")
            tree, node = np.nonzero(reached & (self.feature >= 0))
            reached = np.zeros((trees, nodes), bool)
            reached[tree, self.left[tree, node]] = reached[tree, self.right[tree, node]] = True
        offset = (np.arange(trees) * nodes)[:, None]
        flat = {name: getattr(self, name).ravel() for name in ("threshold", "unknown_left", "value")}
        flat["feature"] = np.maximum(self.feature, 0).ravel().astype(np.int64)
        flat["left"], flat["right"] = ((side + offset).ravel().astype(np.int64) for side in (self.left, self.right))
        object.__setattr__(self, "_flat", flat)
        object.__setattr__(self, "_roots", offset[:, 0].astype(np.int64))
        object.__setattr__(self, "_depth", depth)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Adds up the leaves that rows fall into.

        Args:
            features: (R, F) float32, NaN where something is not known

        Returns:
            (R,) float32
        """
        parts = [self._predict(features[i : i + _ROWS_TOGETHER]) for i in range(0, len(features), _ROWS_TOGETHER)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _predict(self, features: np.ndarray) -> np.ndarray:
        flat: dict[str, np.ndarray] = self._flat  # type: ignore[attr-defined]
        columns = np.ascontiguousarray(features.T)  # (F, R)
        rows = np.arange(len(features))
        node = np.repeat(self._roots[:, None], len(features), axis=1)  # type: ignore[attr-defined]  # (trees, R)
        for _ in range(self._depth):  # type: ignore[attr-defined]
            value = columns[flat["feature"][node], rows]
            with np.errstate(invalid="ignore"):
                goes_left = value <= flat["threshold"][node]
            unknown = np.isnan(value)
            if unknown.any():
                goes_left |= unknown & flat["unknown_left"][node]
            node = np.where(goes_left, flat["left"][node], flat["right"][node])
        return flat["value"][node].sum(axis=0) + np.float32(self.base)


@dataclass(frozen=True, eq=False)
class Estimate:
    """What the model file holds.

    Args:
        seen: estimates visible x mean over 1, 2, 4, 8, 16 px of (error below), 0 to 1
        place: estimates the same mean for a point that is visible
        seen_steps: (M,) increasing estimates of `seen`
        share_within: (M,) never decreasing, the share of points declared visible there that are, within 4 px
        fitted_to: checksum of the network's weights that the features came from
    """

    seen: Forest
    place: Forest
    seen_steps: np.ndarray
    share_within: np.ndarray
    fitted_to: str

    def confidence(self, seen: np.ndarray) -> np.ndarray:
        """The confidence that goes with an estimate of `seen`: (...) float32 from 0 to 1."""
        return np.interp(seen, self.seen_steps, self.share_within).astype(np.float32)

    def save(self, path: Path) -> None:
        """Writes the model file: plain arrays, nothing pickled."""
        arrays = {
            f"{name}_{part}": getattr(getattr(self, name), part)
            for name in ("seen", "place")
            for part in (*_FOREST_ARRAYS, "base")
        }
        np.savez_compressed(
            path,
            **arrays,
            seen_steps=self.seen_steps,
            share_within=self.share_within,
            fitted_to=np.array(self.fitted_to),
            features=np.array(FEATURES),
        )


def load_estimate(path: Path = ESTIMATE_FILE) -> Estimate:
    """Reads a model file.

    Args:
        path: of a file that `Estimate.save` wrote

    Raises:
        EstimateError: if it is missing, damaged, or was fitted to other features than this version has
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if tuple(file["features"].tolist()) != FEATURES:
                raise EstimateError(
                    f"{path} was fitted to other features than this version of pt-fused-2 has. Fit it anew with "
                    "`python -m point_tracking.tracker.training.selection`"
                )
            forests = {
                name: Forest(*(file[f"{name}_{part}"] for part in _FOREST_ARRAYS), base=float(file[f"{name}_base"]))
                for name in ("seen", "place")
            }
            steps, share = file["seen_steps"], file["share_within"]
            return Estimate(forests["seen"], forests["place"], steps, share, str(file["fitted_to"]))
    except FileNotFoundError as error:
        raise EstimateError(f"There is no file {path}. It ships with the package: install it anew") from error
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise EstimateError(f"{path} cannot be read ({error}). It ships with the package: install it anew") from error


@lru_cache(maxsize=1)
def shipped_estimate() -> Estimate:
    """The estimate that ships with the package, read once."""
    return load_estimate()


def checksum(path: Path) -> str:
    """SHA-256 of a file of weights, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
