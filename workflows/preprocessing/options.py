"""What a preprocessing run is told, checked before anything is read or written.

The defaults of the SDK, the operator's form and the documentation are the
defaults of `PreprocessOptions`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...store.database.fields import check_sample_field_name
from ...store.tracks.source_links import source_link_field_of
from ...tracker.errors import OptionError, OutputError
from ...tracker.transcoding.policy import FramePolicy
from ...tracker.transcoding.transcode import COPY_DEFAULTS, TranscodeOptions
from ..lifecycle.options import RunOptions, option

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
        if not isinstance(self.output_dir, (str, os.PathLike)) or not os.fspath(self.output_dir):
            raise OptionError(f"Invalid output_dir ({self.output_dir!r}). Expected the path of a folder")
        if self.target not in TARGETS:
            raise OptionError(f"Invalid target ({self.target!r}). Supported values are {', '.join(TARGETS)}")
        if self.dataset_name is not None and not (isinstance(self.dataset_name, str) and self.dataset_name.strip()):
            raise OptionError(f"Invalid dataset_name ({self.dataset_name!r}). Expected a name, or None")
        super().__post_init__()
        for name in (self.media_field, source_link_field_of(self.media_field)):
            check_sample_field_name(name, "media field")
        workers = self.num_workers
        if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 1):
            raise OptionError(f"Invalid num_workers ({workers!r}). Expected a whole number of at least 1, or None")

    @property
    def folder(self) -> Path:
        """The output folder, absolute."""
        return Path(os.path.abspath(os.path.expanduser(self.output_dir)))

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


def check_folder(folder: Path, sources: Iterable[str]) -> None:
    """Refuses an output folder that is, or lies in, a folder of sources.

    Args:
        folder: the output folder; need not exist
        sources: paths of the source videos

    Raises:
        OptionError: naming the two folders
        OutputError: if there is a file in the folder's place
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file. Expected a folder for the copies")
    resolved = Path(os.path.realpath(folder))
    for parent in sorted({os.path.dirname(os.path.abspath(path)) for path in sources}):
        source_folder = Path(os.path.realpath(parent))
        if resolved == source_folder:
            raise OptionError(
                f"The output folder is the folder of the source videos ({parent}). Choose another one, so that "
                "sources and copies are never mixed up"
            )
        if source_folder in resolved.parents:
            raise OptionError(
                f"The output folder {folder} lies inside the folder of source videos {parent}, where the copies would "
                "be taken for sources the next time it is read. Choose a folder outside of it"
            )


def make_folder(folder: Path) -> None:
    """Creates the output folder and makes sure that files can be made in it.

    Args:
        folder: the output folder

    Raises:
        OutputError: saying why it cannot be used
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"The output folder {folder} cannot be written to: {error.strerror or error}. "
            "Choose a folder you may write to"
        ) from error


def check_writable(folder: Path) -> None:
    """Warns early, without making anything, of a folder that cannot be written to.

    Args:
        folder: the output folder; need not exist

    Raises:
        OutputError: if it, or the folder it would be made in, cannot be written to
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise OutputError(f"{existing} is a file, so there can be no folder {folder}")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(f"{existing} cannot be written to: permission denied. Choose another folder")
