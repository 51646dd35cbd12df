"""A file that appears under its name only when it is complete, and never over another one."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from av.error import FFmpegError

from ..errors import OutputError, OutputExistsError, PointTrackingError

PART_SUFFIX = ".part"
_PART_NAME = re.compile(rf"\..+\.[0-9a-f]{{8}}{re.escape(PART_SUFFIX)}", re.DOTALL)


@contextmanager
def part_file(path: Path) -> Iterator[Path]:
    """A name for the unfinished copy beside the finished one; whatever is left there is removed.

    The file is locked for as long as its process lives, so that what a killed process
    left can be told from what is being written.

    Raises:
        OutputError: if it cannot be made
    """
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{PART_SUFFIX}")
    with output_errors(part), part.open("wb") as held:
        _lock(held.fileno())
        try:
            yield part
        finally:
            with suppress(FileNotFoundError):
                part.unlink()


def remove_abandoned_parts(folder: Path) -> int:
    """Removes the unfinished copies of processes that were killed.

    Args:
        folder: where copies are made

    Returns:
        how many were removed
    """
    removed = 0
    for part in folder.glob(f".*{PART_SUFFIX}"):
        if not _PART_NAME.fullmatch(part.name):
            continue
        with suppress(OSError), part.open("rb") as found:
            if _lock(found.fileno()):
                part.unlink()
                removed += 1
    return removed


def _lock(descriptor: int) -> bool:
    """Locks a file without waiting; False where another process holds it, or the system has no such locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


@contextmanager
def output_errors(part: Path) -> Iterator[None]:
    """Says in words why a file cannot be written.

    Raises:
        OutputError: in place of any error of the system or of FFmpeg
    """
    try:
        yield
    except PointTrackingError:
        raise
    except (FFmpegError, OSError) as error:
        raise _in_words(error, part.parent) from error


def _in_words(error: Exception, folder: Path) -> OutputError:
    number = getattr(error, "errno", None)
    reason = getattr(error, "strerror", None) or str(error)
    if number in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return OutputError(f"There is no space left in {folder}. Nothing was kept of this file; free some space")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(f"{folder} cannot be written to ({reason}). Choose a folder you may write to")
    return OutputError(f"The file could not be written to {folder}: {reason}")


def publish(part: Path, path: Path, *, overwrite: bool) -> None:
    """Gives a finished file its name.

    Args:
        part: the file under its passing name, in the same folder
        path: its name
        overwrite: replace a file of that name

    Raises:
        OutputExistsError: if there is one and overwrite is False
        OutputError: if the system refuses
    """
    with output_errors(part):
        if overwrite:
            os.replace(part, path)
            return
        try:
            rename_new(part, path)
        except FileExistsError as error:
            raise OutputExistsError(f"{path} was made by someone else at the same time") from error


def rename_new(part: Path, path: Path) -> None:
    """Renames without ever replacing a file.

    Raises:
        FileExistsError: if there is a file of that name
        OSError: if the system refuses
    """
    if os.name == "nt":
        os.rename(part, path)  # refuses an existing name there
        return
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        os.rename(part, path)
