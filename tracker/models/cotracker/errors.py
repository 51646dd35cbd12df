"""What can go wrong with the files that hold a model's weights."""

from __future__ import annotations

from ...errors import PointTrackingError


class CheckpointError(PointTrackingError, ValueError):
    """A file that holds no weights of the model asked for."""


class WeightsError(PointTrackingError, FileNotFoundError):
    """Weights that are not on this machine and could not be fetched."""


class OutOfMemoryError(PointTrackingError, MemoryError):
    """A run that does not fit into memory, however small its blocks of work are made."""


class LicenseError(PointTrackingError, PermissionError):
    """Weights whose terms of use have not been accepted."""
