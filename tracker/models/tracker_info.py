"""What is told of a tracker without loading it: what it is good for, its files and its terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .published_weights.files import WeightsFile
from .published_weights.terms import NOT_STATED, use_allowed, used_together

ONE_FRAME, MANY_FRAMES = "one frame", "many frames"
"""What can be asked of a tracker: points that fill a frame or its masks; points of many frames."""


@dataclass(frozen=True)
class TrackerInfo:
    """What a user needs to know before choosing a tracker.

    Args:
        name: as passed to `load_tracker`
        summary: one line: what it is good for
        code_license: SPDX name of the code's licence
        weights_license: SPDX expression, or None for a tracker without weights
        commercial_use: whether code and weights allow it; None where their authors do not say
        weights_from: where the weights come from, in words
        loader: "module:callable", relative to this package
        options: "module:dataclass" of what the loader takes; None where that depends on more than the name
        needs_gpu: whether it is slow without one
        requirements: distributions it imports beyond numpy
        files: weights that have to be downloaded, with their terms; the first is the one that `checkpoint` replaces
        same_tensors: other trackers whose files cannot be told from this one's by names and shapes of tensors; its
            options have `flavour` then
        tags: words to find it by
        pass_per_query_frame: whether it goes through the clip once for each frame that holds queries; its capabilities
            say it too
        recommended_for: what forms recommend it for, `ONE_FRAME` or `MANY_FRAMES` (see `recommendation`)
        adaptable: whether `adapt_tracker` can train it further
        adapted: a user trained it further on own videos
    """

    name: str
    summary: str
    code_license: str
    weights_license: str | None
    commercial_use: bool | None
    weights_from: str
    loader: str
    options: str | None = None
    needs_gpu: bool = False
    requirements: tuple[str, ...] = ()
    files: tuple[WeightsFile, ...] = ()
    same_tensors: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default_factory=tuple)
    pass_per_query_frame: bool = False
    recommended_for: tuple[str, ...] = ()
    adaptable: bool = True
    adapted: bool = False

    @property
    def size_mb(self) -> float | None:
        """What has to be downloaded, or None."""
        return sum(file.size_mb for file in self.files) if self.files else None

    @property
    def files_description(self) -> str:
        """Which files have to be downloaded and their terms, in words."""
        return "; ".join(file.description for file in self.files)

    @property
    def terms(self) -> str:
        """The licence of code and weights in one line, for forms and tables."""
        return f"code {self.code_license}, {self.weights_terms}"

    @property
    def weights_terms(self) -> str:
        """The licence of the weights, and what code and weights together allow."""
        weights = f"weights {self.weights_license}" if self.weights_license else "no weights"
        if self.weights_license == NOT_STATED:
            weights = "weights without a stated licence"
        return f"{weights}: {use_allowed(self.commercial_use)}"

    @property
    def notes(self) -> str:
        """What else a user must know of the terms of its files, such as of data they were trained on; "" = nothing."""
        return ". ".join(dict.fromkeys(file.notes for file in self.files if file.notes))


def published(*files: WeightsFile) -> dict[str, Any]:
    """The fields that trackers with published weights share, and those that follow from these files."""
    return {
        "code_license": "Apache-2.0",
        "weights_license": " AND ".join(dict.fromkeys(file.spdx for file in files)),
        "commercial_use": used_together(file.commercial_use for file in files),
        "weights_from": "; ".join(file.published_at for file in files),
        "files": files,
        "needs_gpu": True,
        "requirements": ("torch", "safetensors", "huggingface_hub"),
    }
