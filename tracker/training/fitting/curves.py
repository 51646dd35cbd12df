"""Learning curves: CSV files that grow while a run goes on, and a picture of them."""

from __future__ import annotations

import csv
import importlib.util
import math
from collections.abc import Mapping
from pathlib import Path

from ...errors import OutputError

STEP_COLUMNS = (
    "step",
    "stage",
    "seconds",
    "clips",
    "learning_rate",
    "loss",
    "visible",
    "hidden",
    "visibility",
    "confidence",
    "contrastive",
    "offset",
    "mlp_offset",
    "error_px",
    "gradient_norm",
    "skipped",
)
VALIDATION_COLUMNS = ("step", "stage", "seconds", "clips", "delta_avg", "jaccard", "occlusion", "classical_delta_avg")


class CurveFile:
    """A CSV file with a row per measurement.

    Args:
        path: the CSV file; need not exist
        columns: its first row

    Raises:
        OutputError: if it cannot be written
    """

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self._columns = columns

    def start(self, step: int) -> None:
        """Keeps the rows up to a step, those of the run that is resumed."""
        kept = [row for row in self.rows() if float(row["step"]) <= step]
        self._write(kept, "w")

    def append(self, row: Mapping[str, object]) -> None:
        """Adds a row; missing columns stay empty."""
        self._write([row], "a")

    def rows(self) -> list[dict[str, str]]:
        """All rows so far, without those that were cut off when a disk was full or a machine went down."""
        if not self.path.is_file():
            return []
        with self.path.open(newline="", errors="replace") as file:
            return [row for row in csv.DictReader(file) if _is_whole(row)]

    def _write(self, rows: list, mode: str) -> None:
        try:
            with self.path.open(mode, newline="") as file:
                writer = csv.DictWriter(file, self._columns, restval="", extrasaction="ignore")
                if mode == "w":
                    writer.writeheader()
                for row in rows:
                    writer.writerow({key: _short(value) for key, value in row.items()})
        except OSError as error:
            raise OutputError(f"The curve {self.path} cannot be written: {error.strerror or error}") from error


def draw_curves(steps: CurveFile, validation: CurveFile, path: Path) -> bool:
    """Draws loss and validation delta_avg over time.

    Args:
        steps: losses by step
        validation: scores on the validation clips
        path: of the PNG file

    Returns:
        whether it was drawn; False where matplotlib is not installed
    """
    if importlib.util.find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    by_stage: dict[str, tuple[list[float], list[float]]] = {}
    for row in steps.rows():
        times, losses = by_stage.setdefault(row["stage"], ([], []))
        times.append(float(row["seconds"]) / 60)
        losses.append(_number(row["loss"]))
    for stage, (times, losses) in by_stage.items():
        left.plot(times, losses, label=stage, linewidth=1)
    left.set(xlabel="minutes", ylabel="loss", yscale="log" if by_stage else "linear")
    if by_stage:
        left.legend()
    rows = validation.rows()
    minutes = [float(row["seconds"]) / 60 for row in rows]
    right.plot(minutes, [_number(row["delta_avg"]) for row in rows], marker="o", label="this model")
    right.plot(minutes, [_number(row["classical_delta_avg"]) for row in rows], linestyle="--", label="optical-flow")
    right.set(xlabel="minutes", ylabel="validation delta_avg")
    right.legend()
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise OutputError(f"The picture {path} cannot be written: {error.strerror or error}") from error
    return True


def _is_whole(row: Mapping[str | None, str | None]) -> bool:
    if None in row or None in row.values():
        return False
    try:
        return math.isfinite(float(row["step"] or "")) and math.isfinite(float(row["seconds"] or ""))
    except (KeyError, ValueError):
        return False


def _number(text: str) -> float:
    return float(text) if text else math.nan


def _short(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
