"""Which tracker is recommended for what is tracked, and what many query frames cost: said once, for forms and reports.

Nothing is recommended that forbids commercial use, or does not say that it is allowed.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from .tracker_info import MANY_FRAMES, ONE_FRAME, TrackerInfo

MANY_QUERY_FRAMES = 8
"""From more distinct query frames on, a pass through the video for each is worth a warning."""


def situation_of(num_query_frames: int | None, *, fills_frame: bool) -> str | None:
    """What is asked of a tracker.

    Args:
        num_query_frames: distinct frames that hold queries, of a video; None = not known
        fills_frame: whether the points are a grid, or fill masks

    Returns:
        `ONE_FRAME`, `MANY_FRAMES`, or None for what suits any tracker
    """
    if num_query_frames is None:
        return None
    if num_query_frames > MANY_QUERY_FRAMES:
        return MANY_FRAMES
    return ONE_FRAME if fills_frame and num_query_frames == 1 else None


def recommended_tracker(
    trackers: Iterable[TrackerInfo],
    situation: str | None,
    *,
    has_gpu: bool,
    may_download: bool,
    is_here: Callable[[TrackerInfo], bool],
) -> TrackerInfo | None:
    """The first tracker that is meant for a situation and can be had on a machine.

    Args:
        trackers: to choose from
        situation: as of `situation_of`
        has_gpu: whether the machine has one
        may_download: whether it may fetch files
        is_here: whether a tracker's files are on it

    Returns:
        the tracker; None where the default is as good, and nothing should be said
    """
    for info in trackers:
        fits = situation in info.recommended_for and info.commercial_use is True
        if fits and (has_gpu or not info.needs_gpu) and (may_download or is_here(info)):
            return info
    return None


def passes_warning(tracker: str, num_passes: int) -> str | None:
    """What to say where a tracker goes through a video many times; None where it does not.

    Args:
        tracker: its name
        num_passes: through a video
    """
    if num_passes <= MANY_QUERY_FRAMES:
        return None
    return (
        f"The points lie in {num_passes} frames, and {tracker} goes through the video once for each of these. "
        "bootstapir takes the points of all frames in one pass"
    )


def has_gpu() -> bool:
    """Whether trackers would run on an NVIDIA GPU here; torch is asked only where it is loaded already."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return bool(torch.cuda.is_available())
    try:
        if metadata.version("torch").endswith("+cpu"):
            return False
    except metadata.PackageNotFoundError:
        return False
    return any(Path("/dev").glob("nvidia[0-9]*")) or shutil.which("nvidia-smi") is not None
