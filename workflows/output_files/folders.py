"""Folders that runs write files to, and what the files are called."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ...tracker.errors import OptionError, OutputError

_STEM_BYTES = 120


def absolute_folder(folder: object) -> Path:
    """The folder that a user names.

    Args:
        folder: its path; "~" and relative ones may be given

    Returns:
        the absolute path; need not exist

    Raises:
        OptionError: if this is no path
    """
    if not isinstance(folder, (str, os.PathLike)) or not os.fspath(folder):
        raise OptionError(f"Invalid output_dir ({folder!r}). Expected the path of a folder")
    return Path(os.path.abspath(os.path.expanduser(folder)))


def file_name(source: str, distinction: str, suffix: str) -> str:
    """The name of a file that is made of a video.

    Args:
        source: path of the video
        distinction: keeps the files of videos of the same name apart
        suffix: of the file

    Returns:
        for example "cat-1f0c2a9bd9e47c30.mp4"; short enough for every file system
    """
    stem = os.fsencode(Path(source).stem)[:_STEM_BYTES].decode("utf-8", "ignore")
    return f"{stem}-{distinction}{suffix}"


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
        raise OutputError(f"{folder} is a file. Expected a folder")
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
