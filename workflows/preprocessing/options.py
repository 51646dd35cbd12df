"""What a preprocessing run is told, checked before anything is read or written.

The defaults of the SDK, the operator's form and the documentation are the
defaults of `PreprocessOptions`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...store.database.fields import check_sample_field_name
from ...store.tracks.source_links import source_link_field_of
from ...tracker.errors import OptionError
from ...tracker.transcoding.policy import FramePolicy
from ...tracker.transcoding.transcode import COPY_DEFAULTS, TranscodeOptions
from ..lifecycle.options import RunOptions, option
from ..output_files.folders import absolute_folder
from ..output_files.side_by_side import check_num_workers

TARGETS = {
    "dataset": "A new dataset of the copies",
    "media_field": "A second media field of the same samples",
}


@dataclass(frozen=True)
class PreprocessOptions(RunOptions):
    """The options of `preprocess_dataset`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        FieldError: for a media field with a bad name
    """

    METHOD = "point_tracking_preprocess"

    output_dir: str | os.PathLike[str]
    policy: str | None = None
    fps: float | None = None
    every_nth: int | None = None
    max_frames: int | None = None
    longest_side: int | None = COPY_DEFAULTS.longest_side
    keep_audio: bool = COPY_DEFAULTS.keep_audio
    preset: str = COPY_DEFAULTS.preset
    crf: int = COPY_DEFAULTS.crf
    target: str = "dataset"
    dataset_name: str | None = None
    persistent: bool = True
    media_field: str = "preprocessed_filepath"
    overwrite: bool = False
    num_workers: int | None = option(None, not_recorded="it changes the speed and not the copies")
    run_key: str | None = option(None, not_recorded="it is the record's own name")
    copy: TranscodeOptions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rule = FramePolicy(self.policy, fps=self.fps, every_nth=self.every_nth, max_frames=self.max_frames)
        copy = TranscodeOptions(rule, self.longest_side, self.keep_audio, self.preset, self.crf)
        object.__setattr__(self, "policy", rule.name)
        object.__setattr__(self, "copy", copy)
        absolute_folder(self.output_dir)
        if self.target not in TARGETS:
            raise OptionError(f"Invalid target ({self.target!r}). Supported values are {', '.join(TARGETS)}")
        if self.dataset_name is not None and not (isinstance(self.dataset_name, str) and self.dataset_name.strip()):
            raise OptionError(f"Invalid dataset_name ({self.dataset_name!r}). Expected a name, or None")
        super().__post_init__()
        for name in (self.media_field, source_link_field_of(self.media_field)):
            check_sample_field_name(name, "media field")
        check_num_workers(self.num_workers)

    @property
    def folder(self) -> Path:
        """The output folder, absolute."""
        return absolute_folder(self.output_dir)

    @property
    def base_key(self) -> str:
        return "preprocess"

    def recorded(self, name: str) -> Any:
        if name == "output_dir":
            return str(self.folder)
        if name == "media_field":
            return self.media_field if self.target == "media_field" else None
        return super().recorded(name)

    def to_record(self) -> dict[str, Any]:
        """As of `RunOptions`, with the policy and the sizes of the copies in full."""
        return {**super().to_record(), **self.copy.to_record()}


PREPROCESS_DEFAULTS = PreprocessOptions(output_dir="preprocessed")
