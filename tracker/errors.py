"""Every error this package raises for something a user can mend.

Each message says what was found, what is allowed and what to do. Code that
catches one kind of error names that kind; nothing catches the root class to
hide it.
"""

from __future__ import annotations


class PointTrackingError(Exception):
    """The root of every error raised for what a user can mend."""


class ShapeError(PointTrackingError, ValueError):
    """An array has another shape, type or range than its contract says."""


class QueryError(PointTrackingError, ValueError):
    """Query points that cannot be tracked: outside the frame, NaN, past the end."""


class EmptyQueriesError(QueryError):
    """A prompt was read, but it selects no point at all."""


class OutsideVideoError(QueryError):
    """A point outside the frame, or past the end of the video."""


class NoPromptError(EmptyQueriesError):
    """A sample holds nothing of the kind that the others are tracked from: no mask, no points of its own."""


class MaskError(QueryError):
    """A mask that is missing or cannot be read."""


class OptionError(PointTrackingError, ValueError):
    """An option has a value outside what is supported."""


class UnknownTrackerError(OptionError):
    """A tracker name that is not registered."""


class CheckpointError(PointTrackingError, ValueError):
    """A file that holds no weights of the model asked for."""


class WeightsError(PointTrackingError, FileNotFoundError):
    """Weights that are not on this machine and could not be fetched."""


class LicenseError(PointTrackingError, PermissionError):
    """Weights whose terms of use have not been accepted."""


class OutOfMemoryError(PointTrackingError, MemoryError):
    """A run that does not fit into memory, however small its blocks of work are made."""


class DependencyError(PointTrackingError, ImportError):
    """An optional package is needed for what was asked, and is not installed."""


class LimitError(PointTrackingError, ValueError):
    """The request passes a named limit (points x frames, document size)."""


class VideoError(PointTrackingError):
    """A media file that cannot be opened or decoded as video."""


class VideoNotFoundError(VideoError, FileNotFoundError):
    """There is no file at the given path."""


class OutputError(PointTrackingError, OSError):
    """A file that cannot be written: no space, no permission, no such folder."""


class OutputExistsError(OutputError, FileExistsError):
    """There is another file in the place of an output, and replacing it was not asked for."""


class FieldError(PointTrackingError, ValueError):
    """A label field whose name or type does not allow writing tracks to it."""


class FieldExistsError(FieldError):
    """The label field already holds data, and replacing it was not asked for."""


class TruthError(PointTrackingError, ValueError):
    """Known tracks that are missing, cannot be read, or do not fit what they are to judge."""


class MotionError(PointTrackingError, ValueError):
    """Tracks that no motion can be told from: none, or those of another video."""


class FormatError(PointTrackingError, ValueError):
    """A file of another program that is damaged, of another format, or does not fit the video it is read for."""


class AnnotationError(PointTrackingError):
    """An annotation server that cannot be reached, refuses, or answers otherwise than expected."""


class CollectionError(PointTrackingError, ValueError):
    """A dataset or view that this operation does not support."""


class WriteError(PointTrackingError):
    """The database refused or lost a write; the sample was rolled back."""


class DatabaseError(PointTrackingError):
    """The database stays away, or does not let this user write."""


class ClaimError(PointTrackingError):
    """Another run is writing the same field of the same sample, or has taken it over."""


class Cancelled(PointTrackingError):
    """The run was cancelled through its cancellation hook."""


class TrainingError(PointTrackingError):
    """The root of what goes wrong in training."""


class ResumeError(TrainingError, ValueError):
    """A training checkpoint that is damaged, missing or of another run."""


class TextureError(TrainingError, ValueError):
    """A folder of textures that is missing, or holds no image that can be read."""


class TrainingDivergedError(TrainingError, ArithmeticError):
    """Too many batches in a row gave a loss or gradients that are no numbers."""


class AdaptationError(TrainingError, ValueError):
    """A tracker cannot be adapted to these videos."""


class TooFewVideosError(AdaptationError):
    """There are not enough videos to train on some and judge by others."""
