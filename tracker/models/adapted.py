"""Trackers that users trained further on their own videos: their files, names and terms.

Each is one safetensors file in the folder `adapted` of the folder of weights
(POINT_TRACKING_WEIGHTS_DIR). Its metadata says what it was made from, so a file
that is copied to another machine keeps its terms. Listing them needs no torch.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, OutputError
from .base import check_option_names
from .published_weights.store import WEIGHTS_DIR_VARIABLE, weights_dir

if TYPE_CHECKING:
    from .cotracker.model_tracker import ModelTracker
    from .cotracker.weights.checkpoint import CoTracker

LINEAGE_KEY = "point_tracking_adapted"
UNKNOWN_LICENSE = "LicenseRef-unknown"
DEFAULT_LICENSE = "Apache-2.0"
RESERVED_PREFIX = "pt-"
_FOLDER = "adapted"
_SUFFIX = ".safetensors"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_AND = " AND "  # of SPDX expressions: the terms of all parts hold
_HEADER_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 2**24


@dataclass(frozen=True)
class WeightsTerms:
    """The terms of something that weights were learnt from.

    Args:
        name: the tracker these terms are about
        license: SPDX expression of its weights, None where it has none
        commercial_use: whether they allow it; False also where that is not known
    """

    name: str
    license: str | None
    commercial_use: bool


@dataclass(frozen=True)
class Lineage:
    """Where adapted weights come from.

    Args:
        start: the tracker that was trained further
        teachers: the trackers it learnt from
        family: the tracker of ours whose sizes and threshold it has
        facts: how it was made and how it scored, JSON values
    """

    start: WeightsTerms
    teachers: tuple[WeightsTerms, ...]
    family: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def commercial_use(self) -> bool:
        """Whether everything it was learnt from allows it."""
        return all(part.commercial_use for part in (self.start, *self.teachers))

    @property
    def license(self) -> str:
        """SPDX expression: the terms of the start and of every teacher."""
        parts = [one for part in (self.start, *self.teachers) for one in (part.license or "").split(_AND) if one]
        return _AND.join(dict.fromkeys(parts)) or DEFAULT_LICENSE

    def to_json(self) -> str:
        """For the metadata of a file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Lineage:
        """The inverse of `to_json`.

        Raises:
            ValueError, KeyError, TypeError: if it is something else
        """
        values = json.loads(text)
        teachers = tuple(WeightsTerms(**teacher) for teacher in values["teachers"])
        return cls(WeightsTerms(**values["start"]), teachers, str(values["family"]), dict(values["facts"]))


def adapted_dir() -> Path:
    """The folder of adapted trackers; need not exist."""
    return weights_dir() / _FOLDER


def adapted_path(name: str) -> Path:
    """Where the weights of a name lie, or would."""
    return adapted_dir() / f"{name}{_SUFFIX}"


def list_adapted() -> dict[str, Lineage]:
    """The adapted trackers of this machine by name; files that are none are left out."""
    found = {}
    folder = adapted_dir()
    for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
        lineage = find_adapted(path.stem)
        if lineage is not None:
            found[path.stem] = lineage
    return found


def find_adapted(name: str) -> Lineage | None:
    """What an adapted tracker was made from; None where there is none of that name."""
    if not _NAME.fullmatch(name):
        return None
    text = read_metadata(adapted_path(name)).get(LINEAGE_KEY)
    try:
        return None if text is None else Lineage.from_json(text)
    except (ValueError, KeyError, TypeError):
        return None


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty where it is none, or cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_HEADER_LENGTH_BYTES), "little")
            header = json.loads(file.read(length)) if length <= _MAX_HEADER_BYTES else {}
    except (OSError, ValueError):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def check_adapted_name(name: object, shipped: Mapping[str, Any], *, overwrite: bool = False) -> str:
    """Refuses a name that a new tracker must not have.

    Args:
        name: as the user gives it
        shipped: the trackers of this package by name
        overwrite: an adapted tracker of that name is to be replaced

    Returns:
        the name

    Raises:
        OptionError: saying what names may look like, or who has it
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OptionError(
            f"Invalid name of a tracker ({name!r}). Names consist of small letters, digits, hyphens and underscores, "
            "start with a letter and have at most 64 characters"
        )
    if name in shipped or name.startswith(RESERVED_PREFIX):
        raise OptionError(
            f"Invalid name of a tracker ({name!r}). Names of trackers that ship with the package "
            f"({', '.join(shipped)}, and all that start with {RESERVED_PREFIX!r}) cannot be given to others"
        )
    if adapted_path(name).exists() and not overwrite:
        raise OptionError(
            f"There is an adapted tracker {name!r} already ({adapted_path(name)}). Choose another name, "
            "or use overwrite=True to replace it where the new one is better than its start"
        )
    return name


def save_adapted(name: str, model: CoTracker, lineage: Lineage) -> Path:
    """Writes an adapted tracker; from then on it is listed and can be loaded by its name.

    Args:
        name: checked before
        model: with its weights; they are stored in float32, because the small steps
            of adaptation would be lost in half precision
        lineage: what it was made from

    Returns:
        path of the file

    Raises:
        OutputError: if it cannot be written; what was there before is intact
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    from .cotracker.weights.checkpoint import CONFIG_KEY

    path = adapted_path(name)
    state = {key: value.detach().float().cpu().contiguous() for key, value in model.state_dict().items()}
    metadata = {
        "format": "pt",
        CONFIG_KEY: json.dumps(model.config.to_dict()),
        "license": lineage.license,
        LINEAGE_KEY: lineage.to_json(),
    }
    check_adapted_dir()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_file(state, os.fspath(temporary), metadata=metadata)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(error) from error
    return path


def check_adapted_dir() -> None:
    """Makes the folder of adapted trackers, and tries to write there.

    Raises:
        OutputError: if that cannot be done
    """
    probe = adapted_dir() / f".{os.getpid()}.tmp"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: Exception) -> OutputError:
    return OutputError(
        f"Adapted trackers cannot be written to {adapted_dir()}: {error}. Free space there, or name another folder "
        f"in {WEIGHTS_DIR_VARIABLE}"
    )


def load_adapted(*, name: str, **options: Any) -> ModelTracker:
    """Loads an adapted tracker.

    Args:
        name: one of `list_adapted()`
        options: as of the tracker it was made from, without `checkpoint`

    Raises:
        OptionError: for an option that is not supported
        WeightsError, CheckpointError: if the file is gone or damaged
    """
    from .cotracker.options import CoTrackerOptions
    from .cotracker.tracker import CoTrackerTracker
    from .cotracker.weights.checkpoint import load_network
    from .pt_small.options import ShippedOptions
    from .pt_small.tracker import ShippedTracker

    for option in ("checkpoint", "accept_license"):
        if options.get(option):
            raise OptionError(f"Invalid option for the adapted tracker {name!r} ({option}): it has its own weights")
        options.pop(option, None)
    lineage = find_adapted(name)
    model = load_network(adapted_path(name))
    published_form = model.config.motion_resolution is None
    check_option_names(name, options, CoTrackerOptions if published_form else ShippedOptions)
    if published_form:
        tracker = CoTrackerTracker(model, CoTrackerOptions(**options))
    else:
        tracker = ShippedTracker(lineage.family if lineage else name, model, ShippedOptions(**options))
    tracker.name = name
    return tracker
