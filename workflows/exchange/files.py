"""Which file belongs to which sample: one file, or a folder of files with an index."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...tracker.errors import CollectionError, FormatError, OptionError
from ...tracker.formats.output_files import complete_file

INDEX = "index.json"
_ID_DIGITS = 8
_NOT_IN_FILE_NAMES = re.compile(r"[^\w.-]+")
_LISTED = 5


@dataclass(frozen=True)
class SampleFile:
    """A file and the sample it is of.

    Args:
        path: of the file
        sample_id: of the sample
        media_path: of the sample's video
    """

    path: Path
    sample_id: str
    media_path: str


def planned_files(path: str | os.PathLike[str], suffix: str, samples: Sequence[tuple[str, str]]) -> list[SampleFile]:
    """The files that an export writes.

    Args:
        path: with the format's suffix a file, for one sample; without any a folder with one file per sample
        suffix: of the format, such as ".xml"
        samples: (id, path of the video) of each

    Raises:
        OptionError: for another suffix
        CollectionError: if one file is to hold several samples, or there are none
    """
    target = Path(path)
    if not samples:
        raise CollectionError("There are no samples to export")
    if target.suffix.lower() == suffix:
        if len(samples) > 1:
            raise CollectionError(
                f"A {suffix} file holds one video, and there are {len(samples)} samples. Give a folder, a path without "
                "a suffix: it gets one file per sample"
            )
        return [SampleFile(target, *samples[0])]
    if target.suffix:
        raise OptionError(f"Invalid path ({target}). Expected a {suffix} file, or a folder: a path without a suffix")
    return [SampleFile(target / f"{file_stem(i, media)}{suffix}", i, media) for i, media in samples]


def file_stem(sample_id: str, media_path: str) -> str:
    """What a sample's file is called in a folder: equal names of videos stay apart."""
    stem = _NOT_IN_FILE_NAMES.sub("_", Path(media_path).stem).strip("._") or "video"
    return f"{stem}_{sample_id[-_ID_DIGITS:]}"


def write_index(folder: Path, format_name: str, files: Sequence[SampleFile]) -> None:
    """Notes in a folder which file is of which sample; what is noted of other files there stays."""
    known = {entry["file"]: entry for entry in read_index(folder)}
    for one in files:
        known[one.path.name] = {"file": one.path.name, "sample_id": one.sample_id, "filepath": one.media_path}
    with complete_file(folder / INDEX, overwrite=True) as file:
        json.dump({"format": format_name, "files": list(known.values())}, file, indent=1)


def read_index(folder: Path) -> list[dict[str, Any]]:
    """What a folder's index says of its files; nothing where there is none.

    Raises:
        FormatError: if it is damaged
    """
    path = folder / INDEX
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["files"]
        return [{key: str(entry[key]) for key in ("file", "sample_id", "filepath")} for entry in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} is damaged. Delete it: files are then told by their names") from error


def found_files(path: str | os.PathLike[str], suffix: str, samples: Sequence[tuple[str, str]]) -> list[SampleFile]:
    """The files that an import reads, each with its sample: told by id, else by the video's name, else there is one.

    Args:
        path: a file, or a folder of files
        suffix: of the format, such as ".xml"
        samples: (id, path of the video) of each that may be meant

    Raises:
        FormatError: if there is no such file
        CollectionError: if it is not clear which sample a file is of; lists the files
    """
    target = Path(path)
    if target.is_dir():
        paths = sorted(found for found in target.iterdir() if found.suffix.lower() == suffix)
        if not paths:
            raise FormatError(f"The folder {target} holds no {suffix} files")
    elif target.is_file():
        if target.suffix.lower() != suffix:
            raise FormatError(
                f"{target} is no {suffix} file. Give a {suffix} file or a folder of them; unpack an archive first"
            )
        paths = [target]
    else:
        raise FormatError(f"There is no file or folder {target}")
    noted = {
        entry["file"]: entry["sample_id"]
        for folder in {found.parent for found in paths}
        for entry in read_index(folder)
    }
    matched = {found: _sample_of(found, noted, samples) for found in paths}
    if len(paths) == 1 and len(samples) == 1:
        matched[paths[0]] = matched[paths[0]] or samples[0]
    _check_matches(matched)
    return [SampleFile(found, *sample) for found, sample in matched.items() if sample is not None]


def _sample_of(path: Path, noted: Mapping[str, str], samples: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    by_id = {sample_id: (sample_id, media) for sample_id, media in samples}
    if noted.get(path.name) in by_id:
        return by_id[noted[path.name]]
    named = [(i, media) for i, media in samples if file_stem(i, media) == path.stem]
    stem = re.sub(r"_[0-9a-f]{8}$", "", path.stem)
    named = named or [(i, media) for i, media in samples if Path(media).stem in (path.stem, stem)]
    return named[0] if len(named) == 1 else None


def _check_matches(matched: Mapping[Path, tuple[str, str] | None]) -> None:
    lost = [path.name for path, sample in matched.items() if sample is None]
    if lost:
        raise CollectionError(
            f"It is not clear which samples these files are of: {_listed(lost)}. Name each like its video, or import "
            "one file onto one sample: import_tracks(dataset.select(sample_id), ...)"
        )
    owners: dict[str, list[str]] = {}
    for path, sample in matched.items():
        if sample is not None:
            owners.setdefault(sample[0], []).append(path.name)
    twice = [names for names in owners.values() if len(names) > 1]
    if twice:
        raise CollectionError(f"These files are of the same sample: {_listed(twice[0])}. Keep one of them")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
