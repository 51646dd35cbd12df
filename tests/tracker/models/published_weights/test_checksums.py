"""Whether a file is the one its name says."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import replace

import pytest

from point_tracking.tracker.errors import CheckpointError, OptionError
from point_tracking.tracker.models.published_weights.checksums import (
    digest_of,
    judge_weights,
    record_checksum,
    recorded_checksum,
)
from point_tracking.tracker.models.published_weights.files import HubSource, WeightsFile

CONTENT = b"weights of one"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ONE = WeightsFile("family", HubSource("o/n", "one.pt"), 1, "MIT", "", True, sha256=DIGEST, sha256_verified=True)
OTHER = replace(ONE, source=HubSource("o/n", "other.pt"), sha256=None)
PUBLISHED = {"one": ONE, "other": OTHER}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "mine.pt").write_bytes(CONTENT)
    return tmp_path / "mine.pt"


def test_the_checksum_is_noted_as_sha256sum_reads_it(path):
    assert recorded_checksum(path) is None
    record_checksum(path, digest_of(path))
    assert recorded_checksum(path) == DIGEST
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "mine.pt.sha256"], cwd=path.parent, check=True, capture_output=True)


@pytest.mark.parametrize("note", [b"", b"no checksum", b"\xff\xfe"])
def test_a_damaged_note_counts_as_none(path, note):
    path.with_name("mine.pt.sha256").write_bytes(note)
    assert recorded_checksum(path) is None
    assert judge_weights(path, "one", PUBLISHED) == []


def test_a_file_that_changed_since_its_download_is_refused(path):
    record_checksum(path, "0" * 64)
    with pytest.raises(CheckpointError, match="has changed since it was downloaded"):
        judge_weights(path, "one", PUBLISHED)


def test_a_renamed_file_of_another_tracker_is_refused_where_its_checksum_is_verified(path):
    with pytest.raises(CheckpointError, match=r"is one.pt, which holds weights of 'one', not of 'other'"):
        judge_weights(path, "other", PUBLISHED)


def test_a_second_hand_checksum_of_another_tracker_only_warns(path):
    published = {**PUBLISHED, "one": replace(ONE, sha256_verified=False)}
    (warning,) = judge_weights(path, "other", published)
    assert "checksum that others name for one.pt of 'one'" in warning
    assert judge_weights(path, "one", published) == []


@pytest.mark.parametrize("verified", [True, False])
def test_a_published_name_with_other_content_is_told(path, verified):
    published = {"one": replace(ONE, sha256="1" * 64, sha256_verified=verified)}
    renamed = path.rename(path.with_name("one.pt"))
    (warning,) = judge_weights(renamed, "one", published)
    assert "does not have the checksum" in warning
    assert "others name" in warning or verified
    assert judge_weights(renamed.rename(path), "one", published) == [], "a user's own file may hold anything"


def test_where_tensors_cannot_tell_the_name_does_with_a_warning_that_flavour_silences(path):
    path.write_bytes(b"unknown")
    (warning,) = judge_weights(path, "one", PUBLISHED, same_tensors=["other"])
    assert "option flavour ('one')" in warning
    assert judge_weights(path, "one", PUBLISHED, same_tensors=["other"], flavour="one") == []
    record_checksum(path, digest_of(path))
    assert judge_weights(path, "one", PUBLISHED, same_tensors=["other"]) == [], "its download was checked"


def test_a_known_checksum_needs_no_flavour(path):
    assert judge_weights(path, "one", PUBLISHED, same_tensors=["other"]) == []


@pytest.mark.parametrize(("flavour", "message"), [("other", "load_tracker.'other'"), ("pt-small", "Supported values")])
def test_a_flavour_of_another_tracker_is_refused(path, flavour, message):
    with pytest.raises(OptionError, match=message):
        judge_weights(path, "one", PUBLISHED, same_tensors=["other"], flavour=flavour)
