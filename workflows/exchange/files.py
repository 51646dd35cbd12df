"""Which file belongs to which sample: one file, or a folder of files with an index."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...tracker.errors import CollectionError, FormatError, OptionError
from ...tracker.formats.output_files import complete_file
from .report import listed

INDEX = "index.json"
_ID_DIGITS = 8
_NOT_IN_FILE_NAMES = re.compile(r"[^\w.-]+")


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


@dataclass(frozen=True)
class FoundFiles:
    """What an import reads.

    Args:
        files: the clips of the samples, each with its sample
        others: clips that say they are of other videos: how each is called
    """

    files: list[SampleFile]
    others: list[str]


def found_files(
    path: str | os.PathLike[str],
    suffix: str,
    samples: Sequence[tuple[str, str]],
    keys_of: Callable[[Path], Sequence[tuple[str, str]]] | None = None,
    elsewhere: Collection[str] = (),
) -> FoundFiles:
    """The clips that an import reads, each with its sample: told by id, else by the video's name, else there is one.

    Args:
        path: a file, or a folder of files
        suffix: of the format, such as ".xml"
        samples: (id, path of the video) of each that may be meant
        keys_of: what a file says of its clips: (sample id, path of the video) of each, empty where it does not say
        elsewhere: ids of samples that are not meant, so that no clip of theirs is told by its name

    Raises:
        FormatError: if there is no such file
        CollectionError: if it is not clear which sample a file is of, or all are of other videos; lists the files
    """
    target = Path(path)
    paths = _paths_in(target, suffix)
    folder = target if target.is_dir() else target.parent
    noted = {folder / entry["file"]: (entry["sample_id"], entry["filepath"]) for entry in read_index(folder)}
    clips: list[_Clip] = []
    for found in paths:
        keys = _keys_in(found, keys_of)
        for entry, key in enumerate(keys):
            about = noted.get(found, ("", "")) if len(keys) == 1 else ("", "")
            ids = tuple(filter(None, (key[0], about[0])))
            clips.append(_Clip(found, entry, len(keys), ids, key[1] or about[1]))
    matched, others = _matched(clips, samples, elsewhere)
    if len(clips) == 1 and len(samples) == 1:
        matched.setdefault(clips[0], samples[0])
    lost = [clip for clip in clips if clip not in matched and (not matched or clip not in others)]
    if lost:
        raise CollectionError(
            f"It is not clear which samples these files are of: {listed([clip.called for clip in lost])}. Name each "
            "like its video, or import one file onto one sample: import_tracks(dataset.select(sample_id), ...)"
        )
    _check_single(matched)
    return FoundFiles(
        [SampleFile(clip.path, *sample, clip.entry) for clip, sample in matched.items()],
        [Path(clip.media_path.replace("\\", "/")).name or clip.called for clip in others],
    )


@dataclass(frozen=True)
class _Clip:
    """A clip of a file, and what it says of its sample.

    Args:
        path: of the file
        entry: which clip of the file, from 0
        number: of clips in the file
        ids: of its sample, by the file and by the folder's index, where they say
        media_path: of its sample, likewise; empty where none says
    """

    path: Path
    entry: int
    number: int
    ids: tuple[str, ...]
    media_path: str

    @property
    def called(self) -> str:
        """How it is called where it is not clear which sample it is of."""
        return self.path.name if self.number == 1 else f"{self.path.name}, clip {self.entry + 1}"

    @property
    def says_which(self) -> bool:
        return bool(self.ids or self.media_path)

    def by_id(self, samples: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
        """The sample of its id, or of the id in the file's name."""
        by_id = dict(samples)
        known = next((i for i in self.ids if i in by_id), None)
        return self._by_file_name(samples) if known is None else (known, by_id[known])

    def _by_file_name(self, samples: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
        names = (self.path.stem, self.path.parent.name)
        named = [sample for sample in samples if self.number == 1 and file_stem(*sample) in names]
        return named[0] if len(named) == 1 else None

    def candidates(self, samples: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """The samples whose video has its name."""
        stems = [Path(self.media_path.replace("\\", "/")).stem] if self.media_path else []
        if self.number == 1:
            stems += [self.path.stem, re.sub(rf"_[0-9a-f]{{{_ID_DIGITS}}}$", "", self.path.stem)]
        return [sample for sample in samples if Path(sample[1]).stem in stems]


def _matched(
    clips: Sequence[_Clip], samples: Sequence[tuple[str, str]], elsewhere: Collection[str]
) -> tuple[dict[_Clip, tuple[str, str]], list[_Clip]]:
    """(the sample of each clip that is told by an id, else by its name; the clips that are of other videos)."""
    matched = {clip: sample for clip in clips if (sample := clip.by_id(samples)) is not None}
    taken, others = set(matched.values()), []
    for clip in clips:
        if clip in matched:
            continue
        named = [] if set(clip.ids) & set(elsewhere) else clip.candidates(samples)
        # whoever has an id of its own is not the one that another clip is of by its id
        free = [sample for sample in named if not (clip.ids and sample in taken)]
        if len(free) == 1:
            matched[clip] = free[0]
        elif not free and clip.says_which:
            others.append(clip)
    return {clip: matched[clip] for clip in clips if clip in matched}, others


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


def _check_single(matched: Mapping[_Clip, tuple[str, str]]) -> None:
    owners: dict[str, list[str]] = {}
    for clip, sample in matched.items():
        owners.setdefault(sample[0], []).append(clip.called)
    twice = [names for names in owners.values() if len(names) > 1]
    if twice:
        raise CollectionError(f"These files are of the same sample: {listed(twice[0])}. Keep one of them")
