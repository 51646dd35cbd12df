"""Published weights: consent, download from a fake hub on loopback, resume, damage, offline."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError, LicenseError, OptionError, WeightsError
from point_tracking.tracker.models import published_weights as weights
from point_tracking.tracker.models.cotracker.weights.published import PUBLISHED
from point_tracking.tracker.models.registry import (
    fetch_tracker_weights,
    needs_consent,
    shipped_trackers,
    weights_are_here,
)

FILE = "/facebook/cotracker3/resolve/main/scaled_offline.pth"
COMMIT = "0123456789012345678901234567890123456789"


def fetch(name: str, **options) -> Path:
    """The single file of a tracker's weights."""
    return fetch_tracker_weights(pt.tracker_info(name), **options)[0]


class FakeHub(ThreadingHTTPServer):
    """Serves one file the way the hub does; can break off, lie about the checksum, or refuse."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.etag = hashlib.sha256(content).hexdigest()
        self.break_after: int | None = None
        self.status = 200
        self.file = FILE
        self.requests: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        hub, start = self.server, 0
        wanted = self.headers.get("Range")
        hub.requests.append((self.command, self.path, wanted))
        if self.path != hub.file or hub.status != 200:
            self.send_response(404 if hub.status == 200 else hub.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if wanted:
            match = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert match, wanted
            start = int(match[1])
        body = hub.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", f'"{hub.etag}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(body)))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
        self.end_headers()
        if with_body:
            broken, hub.break_after = hub.break_after, None
            self.wfile.write(body if broken is None else body[:broken])
            if broken is not None:
                self.close_connection = True

    def log_message(self, format: str, *args) -> None:
        pass


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.WEIGHTS_DIR_VARIABLE, str(tmp_path / "weights"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "weights"


@pytest.fixture
def hub(folder, monkeypatch):
    server = FakeHub(bytes(range(256)) * 3000)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_terms_come_before_any_request(hub, folder):
    with pytest.raises(LicenseError) as error:
        fetch("cotracker3-offline")
    message = str(error.value)
    for part in ("scaled_offline.pth", "facebook/cotracker3", "CC-BY-NC-4.0", "accept_license=True", str(folder)):
        assert part in message
    assert hub.requests == []


@pytest.mark.parametrize("name", [name for name in shipped_trackers() if pt.tracker_info(name).files])
def test_a_tracker_without_weights_names_the_file_it_needs(folder, name):
    (file,) = pt.tracker_info(name).files
    with pytest.raises(LicenseError, match=re.escape(file.filename)):
        pt.load_tracker(name)


def test_download_happens_once_and_consent_is_remembered(hub, folder):
    path = fetch("cotracker3-offline", accept_license=True)
    assert path == folder / "scaled_offline.pth"
    assert path.read_bytes() == hub.content
    asked = len(hub.requests)
    assert fetch("cotracker3-offline") == path
    assert len(hub.requests) == asked, "the file is there"
    path.unlink()
    assert fetch("cotracker3-offline") == path, "no second consent"
    assert not weights.has_consent(PUBLISHED["cotracker2"]), "only for what was accepted"


@pytest.mark.parametrize("consent", ["no", "yes", 1, None])
def test_only_true_is_consent(hub, folder, consent):
    for attempt in (
        lambda: fetch("cotracker3-offline", accept_license=consent),
        lambda: pt.load_tracker("cotracker3-offline", accept_license=consent),
    ):
        with pytest.raises(OptionError, match="accept_license"):
            attempt()
    assert hub.requests == []
    assert not weights.has_consent(PUBLISHED["cotracker3-offline"])


def test_a_broken_download_resumes(hub, folder):
    # more than the client's block of 10 MB, which it writes whole or not at all
    hub.content = bytes(range(256)) * 100_000
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    hub.break_after = 15_000_000
    try:
        fetch("cotracker3-offline", accept_license=True)
    except WeightsError:
        fetch("cotracker3-offline")
    resumed = [wanted for method, _, wanted in hub.requests if method == "GET" and wanted]
    assert resumed, hub.requests
    assert (folder / "scaled_offline.pth").read_bytes() == hub.content


def test_wrong_content_is_refused_and_removed(hub, folder):
    hub.etag = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(WeightsError, match="checksum"):
        fetch("cotracker3-offline", accept_license=True)
    assert not (folder / "scaled_offline.pth").exists()


def test_a_known_checksum_holds_whatever_the_server_says(hub, folder):
    file = replace(PUBLISHED["cotracker3-offline"], sha256="0" * 64)
    with pytest.raises(WeightsError, match="checksum"):
        weights.fetch_weights(file, tracker="cotracker3-offline", accept_license=True)
    assert not (folder / "scaled_offline.pth").exists()
    known = replace(file, sha256=hub.etag)
    assert weights.fetch_weights(known, tracker="cotracker3-offline").read_bytes() == hub.content


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_hub_is_explained(hub, folder, status):
    hub.status = status
    with pytest.raises(WeightsError, match=r"could not be downloaded.*put scaled_offline.pth into"):
        fetch("cotracker3-offline", accept_license=True)


def test_without_a_network_the_way_by_hand_is_told(folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"could not be downloaded.*put cotracker2.pth into"):
        fetch("cotracker2", accept_license=True)


def test_a_file_put_there_by_hand_needs_no_consent(folder):
    folder.mkdir()
    (folder / "scaled_online.pth").write_bytes(b"not a checkpoint")
    assert fetch("cotracker3-online") == folder / "scaled_online.pth"
    with pytest.raises(CheckpointError, match="cannot be read"):
        pt.load_tracker("cotracker3-online")


def test_safetensors_come_first(folder):
    folder.mkdir()
    for suffix in ("pth", "safetensors"):
        (folder / f"cotracker2.{suffix}").touch()
    assert weights.find_weights(PUBLISHED["cotracker2"]) == folder / "cotracker2.safetensors"


def test_a_damaged_note_of_consent_counts_as_none(hub, folder):
    weights.remember_consent(PUBLISHED["cotracker3-offline"])
    (folder / "accepted-licenses.json").write_text("{")
    with pytest.raises(LicenseError):
        fetch("cotracker3-offline")


def test_from_the_hub_to_a_tracker(hub, folder, parity):
    from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_OFFLINE
    from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model

    file = io.BytesIO()
    with torch.device("meta"):
        state = build_model(COTRACKER3_OFFLINE).state_dict()
    torch.save({key: torch.zeros(value.shape) for key, value in state.items()}, file)
    hub.content = file.getvalue()
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    tracker = pt.load_tracker("cotracker3-offline", accept_license=True, device="cpu")
    assert tracker.name == "cotracker3-offline"


def test_alltracker_is_downloaded_once_its_terms_are_accepted(hub):
    from point_tracking.tracker.models.alltracker.config import ALLTRACKER_TINY
    from point_tracking.tracker.models.alltracker.network import AllTracker

    file = io.BytesIO()
    with torch.device("meta"):
        state = AllTracker(ALLTRACKER_TINY).state_dict()
    torch.save({key: torch.zeros(value.shape, dtype=value.dtype) for key, value in state.items()}, file)
    hub.content = file.getvalue()
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    hub.file = "/aharley/alltracker/resolve/main/alltracker_tiny.pth"
    assert pt.load_tracker("alltracker-tiny", accept_license=True, device="cpu").name == "alltracker-tiny"
    with pytest.raises(OptionError, match="Invalid accept_license"):
        pt.load_tracker("alltracker", accept_license="yes")


def test_what_is_here_and_what_must_be_asked_for(hub, folder):
    info = pt.tracker_info("cotracker3-offline")
    assert (weights_are_here(info), needs_consent(info)) == (False, True)
    weights.remember_consent(info.files[0])
    assert (weights_are_here(info), needs_consent(info)) == (False, False), "to download, without asking again"
    fetch_tracker_weights(info)
    assert (weights_are_here(info), needs_consent(info)) == (True, False)
    (folder / "accepted-licenses.json").unlink()
    assert not needs_consent(info), "a file that is here is used whatever was accepted"


def test_trackers_without_files_are_ready():
    info = pt.tracker_info("optical-flow")
    assert (weights_are_here(info), needs_consent(info), fetch_tracker_weights(info)) == (True, False, [])
    assert info.size_mb is None


def test_a_tracker_of_several_files_is_ready_with_all_of_them(folder):
    info = pt.tracker_info("cotracker3-offline")
    both = replace(info, files=(*info.files, PUBLISHED["cotracker2"]))
    folder.mkdir()
    (folder / "scaled_offline.pth").touch()
    weights.remember_consent(info.files[0])
    assert (weights_are_here(info), weights_are_here(both), needs_consent(both)) == (True, False, True)
    assert both.size_mb == 102 + 204
    assert "scaled_offline.pth" in both.files_description
    assert "cotracker2.pth" in both.files_description
