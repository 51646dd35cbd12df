"""Which file belongs to which sample: one file, or a folder of files with an index."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
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
        entry: which clip of the file, from 0
    """

    path: Path
    sample_id: str
    media_path: str
    entry: int = 0


def planned_files(
    path: str | os.PathLike[str],
    suffix: str,
    samples: Sequence[tuple[str, str]],
    *,
    holds_many: bool = False,
    inside: Callable[[str], str] | None = None,
) -> list[SampleFile]:
    """The files that an export writes.

    Args:
        path: with the format's suffix a file, for one sample; without any a folder with one file per sample
        suffix: of the format, such as ".xml"
        samples: (id, path of the video) of each
        holds_many: a file may hold several samples
        inside: name of the file in the folder for a stem, where it is not the stem with the suffix; there is no file
            without a folder then

    Raises:
        OptionError: for another suffix
        CollectionError: if one file is to hold several samples, there are none, or two would have one file
    """
    target = Path(path)
    if not samples:
        raise CollectionError("There are no samples to export")
    if target.suffix.lower() == suffix and inside is not None:
        raise OptionError(f"Invalid path ({target}). Pictures and tables lie in a folder: give a path without a suffix")
    if target.suffix.lower() == suffix:
        if len(samples) > 1 and not holds_many:
            raise CollectionError(
                f"A {suffix} file holds one video, and there are {len(samples)} samples. Give a folder, a path without "
                "a suffix: it gets one file per sample"
            )
        return [SampleFile(target, *sample) for sample in samples]
    if target.suffix and not target.is_dir():
        raise OptionError(f"Invalid path ({target}). Expected a {suffix} file, or a folder: a path without a suffix")
    named = [(i, media, file_stem(i, media)) for i, media in samples]
    planned = [
        SampleFile(target / (inside(stem) if inside is not None else f"{stem}{suffix}"), i, media)
        for i, media, stem in named
    ]
    if len({one.path for one in planned}) < len(planned):
        raise CollectionError("Two samples would be written to one file: they are made from one source. Choose one")
    return planned


def file_stem(sample_id: str, media_path: str) -> str:
    """What a sample's file is called in a folder: equal names of videos stay apart."""
    stem = _NOT_IN_FILE_NAMES.sub("_", Path(media_path).stem).strip("._") or "video"
    return f"{stem}_{sample_id[-_ID_DIGITS:]}"


def write_index(folder: Path, format_name: str, files: Sequence[SampleFile]) -> None:
    """Notes in a folder which file is of which sample; what is noted of other files there stays."""
    known = {entry["file"]: entry for entry in read_index(folder)}
    for one in files:
        name = one.path.relative_to(folder).as_posix()
        known[name] = {"file": name, "sample_id": one.sample_id, "filepath": one.media_path}
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


def found_files(
    path: str | os.PathLike[str],
    suffix: str,
    samples: Sequence[tuple[str, str]],
    keys_of: Callable[[Path], Sequence[tuple[str, str]]] | None = None,
) -> list[SampleFile]:
    """The clips that an import reads, each with its sample: told by id, else by the video's name, else there is one.

    Args:
        path: a file, or a folder of files
        suffix: of the format, such as ".xml"
        samples: (id, path of the video) of each that may be meant
        keys_of: what a file says of its clips: (sample id, path of the video) of each, empty where it does not say

    Raises:
        FormatError: if there is no such file
        CollectionError: if it is not clear which sample a file is of; lists the files
    """
    target = Path(path)
    paths = _paths_in(target, suffix)
    folder = target if target.is_dir() else target.parent
    noted = {folder / entry["file"]: entry["sample_id"] for entry in read_index(folder)}
    matched: dict[tuple[Path, int], tuple[str, str] | None] = {}
    for found in paths:
        keys = _keys_in(found, keys_of)
        for entry, key in enumerate(keys):
            matched[found, entry] = _sample_of(found, noted, samples, key, alone=len(keys) == 1)
    if len(matched) == 1 and len(samples) == 1:
        only = next(iter(matched))
        matched[only] = matched[only] or samples[0]
    _check_matches({_told(place, matched): sample for place, sample in matched.items()})
    return [SampleFile(place, *sample, entry) for (place, entry), sample in matched.items() if sample is not None]


def _paths_in(target: Path, suffix: str) -> list[Path]:
    """The files of a format at a path; in a folder also those that its index names in folders below."""
    if target.is_file():
        if target.suffix.lower() != suffix:
            raise FormatError(
                f"{target} is no {suffix} file. Give a {suffix} file or a folder of them; unpack an archive first"
            )
        return [target]
    if not target.is_dir():
        raise FormatError(f"There is no file or folder {target}")
    root = target.resolve()
    indexed = (target / entry["file"] for entry in read_index(target))
    below = {found for found in indexed if found.is_file() and found.resolve().is_relative_to(root)}
    paths = sorted(
        found
        for found in {*target.iterdir(), *below}
        # what begins with a dot was being written when its export was killed
        if found.suffix.lower() == suffix and found.name != INDEX and not found.name.startswith(".")
    )
    if not paths:
        raise FormatError(f"The folder {target} holds no {suffix} files")
    return paths


def _keys_in(path: Path, keys_of: Callable[[Path], Sequence[tuple[str, str]]] | None) -> Sequence[tuple[str, str]]:
    """What a file says of its clips; a damaged one says nothing, and fails when it is read."""
    if keys_of is None:
        return [("", "")]
    try:
        return list(keys_of(path)) or [("", "")]
    except FormatError:
        return [("", "")]


def _told(place: tuple[Path, int], matched: Mapping[tuple[Path, int], Any]) -> str:
    """How a clip is called where it is not clear which sample it is of."""
    path, entry = place
    return path.name if (path, 1) not in matched else f"{path.name}, clip {entry + 1}"


def _sample_of(
    path: Path,
    noted: Mapping[Path, str],
    samples: Sequence[tuple[str, str]],
    key: tuple[str, str] = ("", ""),
    *,
    alone: bool = True,
) -> tuple[str, str] | None:
    by_id = dict(samples)
    for sample_id in (key[0], noted.get(path, "") if alone else ""):
        if sample_id in by_id:
            return sample_id, by_id[sample_id]
    stems = [Path(key[1].replace("\\", "/")).stem] if key[1] else []
    if alone:
        named = [(i, media) for i, media in samples if file_stem(i, media) in (path.stem, path.parent.name)]
        if len(named) == 1:
            return named[0]
        stems += [path.stem, re.sub(r"_[0-9a-f]{8}$", "", path.stem)]
    named = [(i, media) for i, media in samples if Path(media).stem in stems]
    return named[0] if len(named) == 1 else None


def _check_matches(matched: Mapping[str, tuple[str, str] | None]) -> None:
    lost = [name for name, sample in matched.items() if sample is None]
    if lost:
        raise CollectionError(
            f"It is not clear which samples these files are of: {_listed(lost)}. Name each like its video, or import "
            "one file onto one sample: import_tracks(dataset.select(sample_id), ...)"
        )
    owners: dict[str, list[str]] = {}
    for name, sample in matched.items():
        if sample is not None:
            owners.setdefault(sample[0], []).append(name)
    twice = [names for names in owners.values() if len(names) > 1]
    if twice:
        raise CollectionError(f"These files are of the same sample: {_listed(twice[0])}. Keep one of them")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
