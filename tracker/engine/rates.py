"""How long tracking takes on this machine: measured by every run, kept in a file, asked before the next one.

A sample's seconds are taken to be `a` per frame and megapixel, in each pass, plus `b` per frame and point. Both are
fitted, per tracker, to what runs took; what is older counts for less.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..models.published_weights.store import weights_dir

_FILE = "rates.json"
# of what was measured before, at each new sample
_FORGETTING = 0.9
# how much the first guess of the shares of frames and points counts, in samples
_PRIOR_SAMPLES = 0.001
# seconds per frame and megapixel, and per frame and point: only their ratio matters, while one size was measured
_FIRST_GUESS = np.array([0.2, 0.0002])
# frames smaller than this take no less: a model has a size of its own
_LEAST_MEGAPIXELS = 0.1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What a sample is to the clock.

    Args:
        num_frames: that are tracked
        num_points: tracks
        megapixels: of a displayed frame
        seconds: it took; 0 where that is asked
        passes: through its frames, of trackers that need one for each frame that holds queries
    """

    num_frames: int
    num_points: int
    megapixels: float
    seconds: float = 0.0
    passes: float = 1.0

    @property
    def features(self) -> np.ndarray:
        """(2,) float: frames x megapixels in all passes, frames x points."""
        megapixels = max(self.megapixels, _LEAST_MEGAPIXELS) * self.passes
        return self.num_frames * np.array([megapixels, float(self.num_points)])


def rates_file() -> Path:
    """Where the rates of this machine are kept; need not exist."""
    return weights_dir() / _FILE


def learn(tracker: str, measured: Iterable[Work]) -> None:
    """Refines what is known of a tracker's speed; a file that cannot be written changes nothing.

    Args:
        tracker: its name
        measured: samples with the seconds they took
    """
    samples = [work for work in measured if work.seconds > 0 and work.num_frames > 0]
    if not samples:
        return
    known = _read()
    entry = known.get(tracker)
    gram, moment = (np.zeros((2, 2)), np.zeros(2)) if entry is None else map(np.array, entry)
    for work in samples:
        # relative errors count: each sample weighs the same
        row = work.features / work.seconds
        gram, moment = _FORGETTING * gram + np.outer(row, row), _FORGETTING * moment + row
    known[tracker] = (gram.tolist(), moment.tolist())
    try:
        _write(known)
    except OSError as error:
        logger.info("How long runs take on this machine could not be kept: %s", error)


def expected_seconds(tracker: str, works: Iterable[Work]) -> float | None:
    """How long some samples will take together.

    Args:
        tracker: its name
        works: the samples

    Returns:
        seconds; None where this tracker was not measured on this machine
    """
    entry = _read().get(tracker)
    if entry is None:
        return None
    rates = _fit(*map(np.array, entry))
    return float(sum(work.features @ rates for work in works))


def _fit(gram: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """(2,) non-negative rates: least squares, with the first guess's proportions where the data say nothing."""
    scale = float(_FIRST_GUESS @ moment) / max(float(_FIRST_GUESS @ gram @ _FIRST_GUESS), 1e-30)
    guess = scale * _FIRST_GUESS
    prior = np.diag(_PRIOR_SAMPLES / np.maximum(guess, 1e-30) ** 2)
    rates = np.linalg.solve(gram + prior, moment + prior @ guess)
    if (rates >= 0).all():
        return rates
    alone = moment / np.maximum(np.diag(gram), 1e-30)  # one of both explains all
    return np.where(rates > 0, alone, 0.0)


def _read() -> dict[str, tuple[list[list[float]], list[float]]]:
    try:
        content = json.loads(rates_file().read_text())
    except (OSError, ValueError):
        return {}  # nothing is known, or it was damaged: as on a new machine
    if not isinstance(content, dict):
        return {}
    return {name: tuple(entry) for name, entry in content.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    try:
        gram, moment = entry  # type: ignore[misc]
        return np.array(gram, dtype=float).shape == (2, 2) and np.array(moment, dtype=float).shape == (2,)
    except (TypeError, ValueError):
        return False


def _write(known: dict[str, tuple[list[list[float]], list[float]]]) -> None:
    path = rates_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(known))
    part.replace(path)
