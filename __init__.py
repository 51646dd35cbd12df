"""Point tracking for video datasets in FiftyOne.

One folder is at once a FiftyOne plugin (`register`), a remote model-zoo source
(`download_model`, `load_model`) and the Python package `point_tracking`. This
module holds no logic: FiftyOne runs it again at every look-up, so every public
name is imported only when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

# public name -> module that defines it, relative to this package
_PUBLIC = {
    "PointTrackingError": ".tracker.errors",
    "Queries": ".tracker.types",
    "Tracks": ".tracker.types",
    "FrameMap": ".tracker.types",
    "grid_queries": ".tracker.queries",
    "inside_queries": ".tracker.queries",
    "point_queries": ".tracker.queries",
    "dense_queries": ".tracker.queries",
    "list_trackers": ".tracker.models.registry",
    "tracker_info": ".tracker.models.registry",
    "tracker_table": ".tracker.models.registry",
    "load_tracker": ".tracker.models.registry",
    "Sampling": ".tracker.video.sampling",
    "VideoFrames": ".tracker.video.frames",
    "probe": ".tracker.video.probe",
    "write_tracks": ".store.tracks.writer",
    "read_tracks": ".store.tracks.reader",
    "track_dataset": ".workflows.tracking.track_dataset",
    "label_queries": ".workflows.tracking.prompts",
    "preprocess_dataset": ".workflows.preprocessing.preprocess_dataset",
    "evaluate_dataset": ".workflows.evaluation.evaluate_dataset",
    "propagate_labels": ".workflows.propagation.propagate_labels",
    "correct_tracks": ".workflows.correction.correct_tracks",
    "hide_tracks": ".workflows.correction.edit_tracks",
    "remove_tracks": ".workflows.correction.edit_tracks",
    "undo_correction": ".workflows.correction.edit_tracks",
    "suggest_points": ".workflows.correction.suggest_points",
    "render_dataset": ".workflows.rendering.render_dataset",
    "render_trails": ".workflows.rendering.render_trails",
    "describe_motion": ".workflows.motion.describe_motion",
    "index_motion": ".workflows.motion.brain_index",
    "adapt_tracker": ".workflows.adaptation.adapt_tracker",
    "truth_queries": ".workflows.evaluation.queries",
    "load_tapvid": ".workflows.exchange.tap_vid",
    "write_tapvid": ".workflows.exchange.tap_vid",
    "load_known_clips": ".workflows.exchange.known_clips",
    "annotate_tracks": ".workflows.exchange.cvat_tasks.annotate_tracks",
    "load_corrections": ".workflows.exchange.cvat_tasks.load_corrections",
    "export_tracks": ".workflows.exchange.export_tracks",
    "import_tracks": ".workflows.exchange.import_tracks",
    "load_report": ".workflows.lifecycle.kinds",
    "fill_metadata": ".store.tracks.videos",
    # also what FiftyOne's model zoo looks for in the root of a source
    "load_model": ".workflows.model_zoo.model",
    "download_model": ".workflows.model_zoo.source",
    "resolve_input": ".operators.model_zoo.model_form",
}

__all__ = sorted(_PUBLIC)  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from .operators.model_zoo.model_form import resolve_input
    from .store.tracks.reader import read_tracks
    from .store.tracks.videos import fill_metadata
    from .store.tracks.writer import write_tracks
    from .tracker.errors import PointTrackingError
    from .tracker.models.registry import list_trackers, load_tracker, tracker_info, tracker_table
    from .tracker.queries import dense_queries, grid_queries, inside_queries, point_queries
    from .tracker.types import FrameMap, Queries, Tracks
    from .tracker.video.frames import VideoFrames
    from .tracker.video.probe import probe
    from .tracker.video.sampling import Sampling
    from .workflows.adaptation.adapt_tracker import adapt_tracker
    from .workflows.correction.correct_tracks import correct_tracks
    from .workflows.correction.edit_tracks import hide_tracks, remove_tracks, undo_correction
    from .workflows.correction.suggest_points import suggest_points
    from .workflows.evaluation.evaluate_dataset import evaluate_dataset
    from .workflows.evaluation.queries import truth_queries
    from .workflows.exchange.cvat_tasks.annotate_tracks import annotate_tracks
    from .workflows.exchange.cvat_tasks.load_corrections import load_corrections
    from .workflows.exchange.export_tracks import export_tracks
    from .workflows.exchange.import_tracks import import_tracks
    from .workflows.exchange.known_clips import load_known_clips
    from .workflows.exchange.tap_vid import load_tapvid, write_tapvid
    from .workflows.lifecycle.kinds import load_report
    from .workflows.model_zoo.model import load_model
    from .workflows.model_zoo.source import download_model
    from .workflows.motion.brain_index import index_motion
    from .workflows.motion.describe_motion import describe_motion
    from .workflows.preprocessing.preprocess_dataset import preprocess_dataset
    from .workflows.propagation.propagate_labels import propagate_labels
    from .workflows.rendering.render_dataset import render_dataset
    from .workflows.rendering.render_trails import render_trails
    from .workflows.tracking.prompts import label_queries
    from .workflows.tracking.track_dataset import track_dataset


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
    from .panels import PANELS

    for operator_or_panel in (*OPERATORS, *PANELS):
        plugin.register(operator_or_panel)
