"""Training checkpoints: atomic, checked, and cut into parts small enough to carry.

A checkpoint is one folder: `index.json` names the parts and their checksums and
is replaced last, so a run killed at any moment finds either the old or the new
one. The parts hold one torch file of tensors, numbers and strings, no code.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import OutputError, ResumeError

PART_BYTES = 15 * 2**20
INDEX_NAME = "index.json"
_PART_PATTERN = "part-*.bin"


def save_checkpoint(folder: str | os.PathLike[str], state: dict[str, Any], part_bytes: int = PART_BYTES) -> int:
    """Writes a checkpoint in place of the one before.

    Args:
        folder: of this run's checkpoint; made where it is not there
        state: tensors, numbers, strings and containers of these
        part_bytes: size of a file at most

    Returns:
        bytes written

    Raises:
        OutputError: if the folder cannot be written
    """
    folder = Path(folder)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    digest = hashlib.sha256(content).hexdigest()
    parts = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for i, start in enumerate(range(0, len(content), part_bytes)):
            part = content[start : start + part_bytes]
            name = f"part-{digest[:12]}-{i}.bin"
            _write(folder / name, bytes(part))
            parts.append({"name": name, "bytes": len(part)})
        index = {"format": 1, "sha256": digest, "bytes": len(content), "parts": parts}
        _write(folder / INDEX_NAME, json.dumps(index, indent=1).encode())
        kept = {part["name"] for part in parts}
        for old in folder.glob(_PART_PATTERN):
            if old.name not in kept:
                old.unlink()
    except OSError as error:
        size_mib = len(content) / 2**20
        raise OutputError(
            f"The checkpoint ({size_mib:.1f} MiB) cannot be written to {folder}: {error.strerror or error}. "
            "Free space or choose another folder, then resume: the checkpoint before it is intact"
        ) from error
    return len(content)


def load_checkpoint(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads a checkpoint.

    Args:
        folder: that `save_checkpoint` wrote

    Raises:
        ResumeError: if there is none, or it is damaged
    """
    folder = Path(folder)
    index_path = folder / INDEX_NAME
    if not index_path.is_file():
        raise ResumeError(f"There is no checkpoint in {folder}: it has no {INDEX_NAME}. Start without resuming")
    try:
        index = json.loads(index_path.read_text())
        content = b"".join((folder / part["name"]).read_bytes() for part in index["parts"])
        digest = index["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResumeError(f"The checkpoint in {folder} is incomplete: {error}. {_ADVICE}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ResumeError(f"The checkpoint in {folder} is damaged: its checksum is wrong. {_ADVICE}")
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ResumeError(f"The checkpoint in {folder} holds no training state: {error}. {_ADVICE}") from error
    if not isinstance(state, dict):
        raise ResumeError(f"The checkpoint in {folder} holds no training state. {_ADVICE}")
    return state


_ADVICE = "Restore all of its files, or start again without resuming"


def has_checkpoint(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a checkpoint, whole or damaged."""
    return (Path(folder) / INDEX_NAME).is_file()


def compacted(moments: dict[str, Any]) -> dict[str, Any]:
    """An optimiser's moments of one parameter in bfloat16, half as large."""
    return {
        name: value.to(torch.bfloat16) if isinstance(value, Tensor) and value.ndim > 0 else value
        for name, value in moments.items()
    }


def _write(path: Path, content: bytes) -> None:
    """Writes a file such that it is either whole or not there."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
