"""A file that appears under its name only when it is complete, and never over another one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from av.error import FFmpegError

from ..errors import OutputError, PointTrackingError

PART_SUFFIX = ".part"


@contextmanager
def part_file(path: Path) -> Iterator[Path]:
    """A name for the unfinished copy beside the finished one; whatever is left there is removed."""
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{PART_SUFFIX}")
    try:
        yield part
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


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
        return OutputError(f"There is no space left in {folder}. Nothing was kept of this copy; free some space")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(f"{folder} cannot be written to ({reason}). Choose a folder you may write to")
    return OutputError(f"The copy could not be written to {folder}: {reason}")


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
