"""What `export_tracks` and `import_tracks` are told, said once for Python, forms and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...store.tracks.keypoints import LAYOUTS
from ...tracker.errors import OptionError
from ...tracker.formats.conventions import CONVENTIONS
from ...tracker.formats.options import ReadOptions, WriteOptions
from ...tracker.formats.registry import FileFormat, file_format

FRAMES = ("video", "source")
NAMES = ("labels", "index")
# options of some formats alone: for which
SPECIAL_OPTIONS: Mapping[str, str] = {
    "names": "for formats that call points by unique names",
    "images": "for training sets and colours",
    "scorer": "for tables of DeepLabCut's kind",
    "reconstruct": "for 'colmap'",
}
_LARGEST_OFFSET = 10**8


@dataclass(frozen=True)
class ExportOptions:
    """How tracks are exported; what each means: `export_tracks`.

    Raises:
        OptionError: for a value outside what is supported, or one that the format does not heed
    """

    format: str = "cvat"
    frame_offset: int | None = None
    every: int = 1
    min_confidence: float | None = None
    min_length: int = 1
    top: int | None = None
    names: str = "labels"
    frames: str = "video"
    images: bool = False
    scorer: str = "point_tracking"
    reconstruct: bool = False
    overwrite: bool = False
    skip_existing: bool = False

    def __post_init__(self) -> None:
        chosen = self.file_format
        check_frame_offset(self.frame_offset)
        _check_whole("every", self.every, 1)
        _check_whole("min_length", self.min_length, 1)
        if self.top is not None:
            _check_whole("top", self.top, 1)
        if self.min_confidence is not None:
            check_min_confidence(self.min_confidence)
        for name, value, allowed in (("names", self.names, NAMES), ("frames", self.frames, FRAMES)):
            if value not in allowed:
                raise OptionError(f"Invalid {name} ({value!r}). Supported values are {', '.join(allowed)}")
        if not isinstance(self.scorer, str) or not self.scorer.strip() or set(self.scorer) & set(',/\\\n\r\t"'):
            raise OptionError(f"Invalid scorer ({self.scorer!r}). Expected a name without commas and slashes")
        if self.overwrite and self.skip_existing:
            raise OptionError("overwrite and skip_existing contradict each other. Set one of them")
        given = {name for name, default in _DEFAULTS.items() if getattr(self, name) != default}
        unheeded = [name for name in SPECIAL_OPTIONS if name in given and name not in chosen.options]
        if unheeded:
            why = "; ".join(f"{name}: {SPECIAL_OPTIONS[name]}" for name in unheeded)
            raise OptionError(
                f"The format {self.format!r} has no place for {', '.join(unheeded)} ({why}). Leave that out"
            )

    @property
    def file_format(self) -> FileFormat:
        return file_format(self.format)

    @property
    def first_frame(self) -> int:
        """The number that the video's first frame has in the file."""
        return CONVENTIONS[self.format].first_frame if self.frame_offset is None else self.frame_offset

    @property
    def least_confidence(self) -> float:
        """Positions with less are left out."""
        return self.file_format.min_confidence if self.min_confidence is None else self.min_confidence

    def write_options(self) -> WriteOptions:
        """What a writer is told."""
        return WriteOptions(self.first_frame, self.overwrite, self.names, self.images, self.scorer, self.reconstruct)


_DEFAULTS: Mapping[str, Any] = {
    name: spec.default for name, spec in ExportOptions.__dataclass_fields__.items() if name != "format"
}


@dataclass(frozen=True)
class ImportOptions:
    """How files are imported; what each means: `import_tracks`.

    Raises:
        OptionError: for a value outside what is supported
    """

    format: str = "cvat"
    field: str | Mapping[str, str] | None = None
    frame_offset: int | None = None
    min_confidence: float = 0.0
    layout: str | None = None
    interpolate: bool = True
    overwrite: bool = False

    def __post_init__(self) -> None:
        chosen = file_format(self.format, to_import=True)
        check_frame_offset(self.frame_offset)
        check_min_confidence(self.min_confidence)
        if self.layout is not None and self.layout not in LAYOUTS:
            raise OptionError(f"Invalid layout ({self.layout!r}). Supported values are {', '.join(LAYOUTS)}")
        if not chosen.module and self.layout is not None:
            raise OptionError(f"The format {self.format!r} says itself how its labels are stored. Leave layout out")
        if self.min_confidence and not chosen.scores:
            raise OptionError(f"A file of the format {self.format!r} holds no likelihoods. Leave min_confidence out")
        if chosen.module and isinstance(self.field, Mapping):
            raise OptionError(f"A file of the format {self.format!r} holds one field. Give its name alone")

    @property
    def file_format(self) -> FileFormat:
        return file_format(self.format, to_import=True)

    @property
    def first_frame(self) -> int:
        """The number that the video's first frame has in the file."""
        return CONVENTIONS[self.format].first_frame if self.frame_offset is None else self.frame_offset

    def read_options(self) -> ReadOptions:
        """What a reader is told."""
        return ReadOptions(self.first_frame)


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"Invalid {name} ({value!r}). Expected a whole number of at least {least}")


def check_frame_offset(value: Any) -> None:
    """Refuses what cannot be the number of a first frame.

    Raises:
        OptionError: saying what can
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_OFFSET:
        raise OptionError(f"Invalid frame_offset ({value!r}). Expected the number of the first frame, from 0")


def check_min_confidence(value: Any) -> None:
    """Refuses what is no share.

    Raises:
        OptionError: saying what is
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise OptionError(f"Invalid min_confidence ({value!r}). Expected a number from 0 to 1")
