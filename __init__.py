"""Point tracking for video data sets in FiftyOne.

One folder is at once a FiftyOne plugin (`register`), a remote model-zoo source
(`download_model`, `load_model`) and the Python package `point_tracking`. This
module holds no logic: FiftyOne runs it again at every look-up, so every public
name is imported only when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# public name -> module that defines it, relative to this package
_PUBLIC = {
    "PointTrackingError": ".tracker.errors",
    "Queries": ".tracker.types",
    "Tracks": ".tracker.types",
    "FrameMap": ".tracker.types",
    "grid_queries": ".tracker.queries",
    "point_queries": ".tracker.queries",
    "dense_queries": ".tracker.queries",
    "list_trackers": ".tracker.models.registry",
    "tracker_info": ".tracker.models.registry",
    "load_tracker": ".tracker.models.registry",
    "Sampling": ".tracker.video.sampling",
    "VideoFrames": ".tracker.video.frames",
    "probe": ".tracker.video.probe",
    "write_tracks": ".tracker.dataset.writer",
    "read_tracks": ".tracker.dataset.reader",
    "track_dataset": ".tracker.dataset.pipeline",
    "preprocess_dataset": ".tracker.dataset.preprocess",
    "evaluate_dataset": ".tracker.dataset.evaluation",
    "adapt_tracker": ".tracker.dataset.adaptation",
    "truth_queries": ".tracker.dataset.truth_sets",
    "load_tapvid": ".tracker.dataset.truth_sets",
    "write_tapvid": ".tracker.dataset.truth_sets",
    "load_known_clips": ".tracker.dataset.truth_sets",
    "load_report": ".tracker.dataset.runs",
    "fill_metadata": ".tracker.dataset.video_samples",
    # also what FiftyOne's model zoo looks for in the root of a source
    "load_model": ".tracker.dataset.zoo_model",
    "download_model": ".tracker.dataset.zoo_source",
    "resolve_input": ".operators.zoo_form",
}

__all__ = sorted(_PUBLIC)  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from .operators.zoo_form import resolve_input
    from .tracker.dataset.adaptation import adapt_tracker
    from .tracker.dataset.evaluation import evaluate_dataset
    from .tracker.dataset.pipeline import track_dataset
    from .tracker.dataset.preprocess import preprocess_dataset
    from .tracker.dataset.reader import read_tracks
    from .tracker.dataset.runs import load_report
    from .tracker.dataset.truth_sets import load_known_clips, load_tapvid, truth_queries, write_tapvid
    from .tracker.dataset.video_samples import fill_metadata
    from .tracker.dataset.writer import write_tracks
    from .tracker.dataset.zoo_model import load_model
    from .tracker.dataset.zoo_source import download_model
    from .tracker.errors import PointTrackingError
    from .tracker.models.registry import list_trackers, load_tracker, tracker_info
    from .tracker.queries import dense_queries, grid_queries, point_queries
    from .tracker.types import FrameMap, Queries, Tracks
    from .tracker.video.frames import VideoFrames
    from .tracker.video.probe import probe
    from .tracker.video.sampling import Sampling


def __getattr__(name: str):
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module, package=__name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])


def register(plugin) -> None:
    """Called by FiftyOne when it loads the folder as a plugin.

    Args:
        plugin: FiftyOne's plugin context
    """
    from .operators import OPERATORS

    for operator in OPERATORS:
        plugin.register(operator)
