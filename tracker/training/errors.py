"""What can go wrong in training that its user can mend."""

from __future__ import annotations

from ..errors import PointTrackingError


class TrainingError(PointTrackingError):
    """The root of what goes wrong in training."""


class TrainingDivergedError(TrainingError, ArithmeticError):
    """Too many batches in a row gave a loss or gradients that are no numbers."""


class ResumeError(TrainingError, ValueError):
    """A training checkpoint that is damaged, missing or of another run."""


class TextureError(TrainingError, ValueError):
    """A folder of textures that is missing, or holds no image that can be read."""


class AdaptationError(TrainingError, ValueError):
    """A tracker cannot be adapted to these videos."""


class TooFewVideosError(AdaptationError):
    """There are not enough videos to train on some and judge by others."""
