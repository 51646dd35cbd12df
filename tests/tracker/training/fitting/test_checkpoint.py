"""Checkpoints: whole or not there, checked, in parts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from point_tracking.tracker.errors import OutputError, ResumeError
from point_tracking.tracker.training.fitting.checkpoint import (
    INDEX_NAME,
    has_checkpoint,
    load_checkpoint,
    save_checkpoint,
)

STATE = {"weights": torch.arange(1000.0), "nested": {"step": 3, "name": "a", "list": [1, 2.5, None]}}


def test_round_trip_in_parts(tmp_path: Path):
    written = save_checkpoint(tmp_path, STATE, part_bytes=1000)
    parts = sorted(tmp_path.glob("part-*"))
    assert len(parts) == -(-written // 1000)
    assert max(part.stat().st_size for part in parts) <= 1000
    loaded = load_checkpoint(tmp_path)
    assert torch.equal(loaded["weights"], STATE["weights"])
    assert loaded["nested"] == STATE["nested"]


def test_a_new_checkpoint_replaces_the_files_of_the_old(tmp_path: Path):
    save_checkpoint(tmp_path, STATE, part_bytes=500)
    save_checkpoint(tmp_path, {"step": 4})
    assert len(list(tmp_path.iterdir())) == 2
    assert load_checkpoint(tmp_path) == {"step": 4}


def test_a_run_killed_while_writing_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_checkpoint(tmp_path, {"step": 1})

    class Killed(BaseException):
        pass

    def killed(source: Path, target: Path) -> None:
        if Path(target).name == INDEX_NAME:
            raise Killed
        real(source, target)

    real = os.replace
    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(Killed):
        save_checkpoint(tmp_path, {"step": 2})
    assert load_checkpoint(tmp_path) == {"step": 1}


def test_none_there(tmp_path: Path):
    assert not has_checkpoint(tmp_path)
    with pytest.raises(ResumeError, match="no checkpoint"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("damage", ["flipped", "short", "missing", "index", "no parts"])
def test_damage_is_found(tmp_path: Path, damage: str):
    save_checkpoint(tmp_path, STATE)
    part, index = next(tmp_path.glob("part-*")), tmp_path / INDEX_NAME
    content = bytearray(part.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
    elif damage == "short":
        part.write_bytes(content[:-1])
    elif damage == "missing":
        part.unlink()
    elif damage == "index":
        index.write_text("{")
    else:
        index.write_text(json.dumps({"sha256": ""}))
    with pytest.raises(ResumeError, match=r"damaged|incomplete"):
        load_checkpoint(tmp_path)


def test_an_unwritable_folder_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_checkpoint(tmp_path / "file" / "checkpoint", STATE)


def test_a_full_disk_is_told_and_the_old_checkpoint_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_checkpoint(tmp_path, {"step": 1})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"No space left on device.*before it is intact"):
        save_checkpoint(tmp_path, {"step": 2})
    monkeypatch.undo()
    assert load_checkpoint(tmp_path) == {"step": 1}
    assert not list(tmp_path.glob(".*")), "no half-written file stays"


def test_no_code_is_loaded(tmp_path: Path):
    class Code:
        def __reduce__(self):
            return (print, ("executed",))

    save_checkpoint(tmp_path, {"x": Code()})
    with pytest.raises(ResumeError, match="no training state"):
        load_checkpoint(tmp_path)
