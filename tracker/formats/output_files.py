"""Files that appear under their names only when they are complete."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..errors import OutputError, OutputExistsError, PointTrackingError


@contextmanager
def complete_path(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """A path of the same suffix to write to; whatever ends the block early leaves what was there before.

    Args:
        path: of the file; its folder is made
        overwrite: replace a file that is there

    Raises:
        OutputExistsError: if there is one, and replacing it was not asked for
        OutputError: if it cannot be written
    """
    path = Path(path)
    check_free(path, overwrite=overwrite)
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            with part.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        if isinstance(error, PointTrackingError):
            raise
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def library_path(path: str | os.PathLike[str], *, overwrite: bool, expected_bytes: int) -> Iterator[Path]:
    """As `complete_path`, for libraries that write files by themselves, and end the process where a disk is full.

    They write to the system's temporary folder, if it has room enough; the file is copied from there.

    Args:
        path: of the file; its folder is made
        overwrite: replace a file that is there
        expected_bytes: that the library will write, at most

    Raises:
        OutputExistsError: if there is one, and replacing it was not asked for
        OutputError: if it cannot be written
    """
    path = Path(path)
    check_free(path, overwrite=overwrite)
    with tempfile.TemporaryDirectory() as folder:
        room = shutil.disk_usage(folder).free
        if room < expected_bytes:
            raise OutputError(
                f"{path} cannot be written: the temporary folder {folder} has {room / 2**20:,.0f} MiB left, and up to "
                f"{expected_bytes / 2**20:,.0f} are needed. Make room there, or set TMPDIR to another folder"
            )
        scratch = Path(folder) / path.name
        try:
            yield scratch
        except RuntimeError as error:
            # whatever these libraries meet while they write
            raise OutputError(f"{path} cannot be written: {error}") from error
        with complete_path(path, overwrite=overwrite) as part:
            shutil.copyfile(scratch, part)


@contextmanager
def complete_file(path: str | os.PathLike[str], *, overwrite: bool, encoding: str = "utf-8") -> Iterator[TextIO]:
    """A text file to write to; whatever ends the block early leaves what was there before.

    Args:
        path: of the file; its folder is made
        overwrite: replace a file that is there
        encoding: of its text

    Raises:
        OutputExistsError: if there is one, and replacing it was not asked for
        OutputError: if it cannot be written
    """
    with complete_path(path, overwrite=overwrite) as part, part.open("w", encoding=encoding, newline="\n") as file:
        yield file


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuses to replace a file, unless that was asked for.

    Raises:
        OutputExistsError: naming it
    """
    if path.is_dir() or (path.exists() and not overwrite):
        remedy = "It is a folder: choose another path" if path.is_dir() else "Use overwrite=True to replace it"
        raise OutputExistsError(f"{path} exists. {remedy}, or choose another path")
