"""What tests ask of preprocessed copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import media

import point_tracking as pt


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def shown(path: str) -> list[int]:
    return media.indices_in(frame for chunk in pt.VideoFrames(path).chunks() for frame in chunk)


def statuses(report: Any) -> list[str]:
    return [outcome.status for outcome in report.outcomes]
