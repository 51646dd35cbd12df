"""Downloads by https from a plain server; those from the hub: `test_store`."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from point_tracking.tracker.errors import WeightsError
from point_tracking.tracker.models.published_weights import downloads
from point_tracking.tracker.models.published_weights.files import HubSource, WebSource, WeightsFile
from point_tracking.tracker.models.published_weights.store import fetch_weights

from .fake_servers import FILE, FakeHub


@pytest.fixture
def file(server) -> WeightsFile:
    return WeightsFile("family", WebSource(server.url + FILE), 0.8, "MIT", "https://example.org", True)


def fetch(file: WeightsFile) -> Path:
    return fetch_weights(file, tracker="one", accept_license=True)


def ranges(server: FakeHub) -> list[str | None]:
    return [wanted for method, _, wanted in server.requests if method == "GET"]


def test_a_file_comes_by_https_with_its_checksum_beside_it(server, file, folder):
    path = fetch(file)
    assert path == folder / "family" / "scaled_offline.pth"
    assert path.read_bytes() == server.content
    noted = path.with_name("scaled_offline.pth.sha256").read_text()
    assert noted.startswith(hashlib.sha256(server.content).hexdigest())
    assert sorted(one.name for one in path.parent.iterdir() if not one.name.startswith(".")) == [
        "scaled_offline.pth",
        "scaled_offline.pth.sha256",
    ]
    fetch(file)
    assert len(server.requests) == 1, "the file is there"


def test_a_broken_download_goes_on_where_it_ended(server, file, folder):
    server.break_after = 500_000
    with pytest.raises(WeightsError, match=r"500000 of 768000 bytes.*what was received is kept"):
        fetch(file)
    assert not (folder / "family" / "scaled_offline.pth").exists()
    assert fetch(file).read_bytes() == server.content
    assert ranges(server) == [None, "bytes=500000-"]


def test_a_file_that_changed_meanwhile_comes_anew(server, file):
    server.break_after = 500_000
    with pytest.raises(WeightsError):
        fetch(file)
    server.content = server.content[::-1]
    server.etag = hashlib.sha256(server.content).hexdigest()
    assert fetch(file).read_bytes() == server.content


def test_a_server_without_ranges_sends_all_again(server, file):
    server.break_after, server.knows_ranges = 500_000, False
    with pytest.raises(WeightsError):
        fetch(file)
    assert fetch(file).read_bytes() == server.content


def test_a_part_longer_than_the_file_is_thrown_away(server, file, folder):
    part = folder / "family" / "scaled_offline.pth.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(server.content + b"more")
    part.with_name(part.name + ".etag").write_text(f'"{server.etag}"')
    assert fetch(file).read_bytes() == server.content


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def sha256_of(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        lambda content: {"x-goog-hash": f"crc32c=AAAAAA==,md5={md5_of(content)}"},
        lambda content: {"Repr-Digest": f"sha-256=:{sha256_of(content)}:"},
        lambda content: {"Digest": f"SHA-256={sha256_of(content)}"},
    ],
    ids=["google", "rfc9530", "rfc3230"],
)
def test_the_checksum_that_the_server_names_is_checked(server, file, folder, headers):
    server.more_headers = headers(b"something else")
    with pytest.raises(WeightsError, match=r"checksum is not the one that the server names. It was removed"):
        fetch(file)
    assert [one.name for one in (folder / "family").iterdir() if not one.name.startswith(".")] == []
    server.more_headers = headers(server.content)
    assert fetch(file).read_bytes() == server.content


def test_a_checksum_that_is_none_says_nothing(server, file):
    server.more_headers = {"x-goog-hash": "md5=***", "Digest": "nonsense"}
    assert fetch(file).read_bytes() == server.content


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_explained(server, file, status):
    server.status = status
    with pytest.raises(WeightsError, match=r"could not be downloaded.*put scaled_offline.pth into"):
        fetch(file)


def test_without_a_server_the_way_by_hand_is_told(folder):
    file = WeightsFile("family", WebSource("http://127.0.0.1:9/w.pt"), 1, "MIT", "", True)
    with pytest.raises(WeightsError, match=r"could not be downloaded.*put w.pt into"):
        fetch(file)


def test_a_full_disk_is_told_before_anything_is_asked(server, file, monkeypatch):
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(WeightsError, match=r"no room for scaled_offline.pth \(0.8 MB\).*0 MB are free"):
        fetch(file)
    assert server.requests == []


def test_a_disk_that_fills_up_is_told(server, file, monkeypatch):
    def full(url, part):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(downloads, "_receive", full)
    with pytest.raises(WeightsError, match="No space left on device"):
        fetch(file)


def test_files_of_data_set_repositories_come_from_there(hub, folder):
    hub.file = "/datasets/owner/name/resolve/main/folder/weights.ckpt"
    file = WeightsFile("family", HubSource("owner/name", "folder/weights.ckpt", "dataset"), 1, "MIT", "", True)
    assert fetch(file) == folder / "family" / "weights.ckpt"
    assert fetch(file).read_bytes() == hub.content


@pytest.mark.parametrize(("value", "expected"), [(None, True), ("0", True), ("1", False), ("YES", False)])
def test_a_machine_that_is_kept_offline_downloads_nothing_from_any_server(
    server, file, folder, monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool
):
    if value is not None:
        monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert downloads.may_download() is expected
    if expected:
        assert fetch(file).is_file()
        return
    with pytest.raises(WeightsError, match=r"HF_HUB_OFFLINE keeps it offline.*Unset HF_HUB_OFFLINE, or put"):
        fetch(file)
    assert not server.requests
