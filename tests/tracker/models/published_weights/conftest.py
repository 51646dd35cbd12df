"""A folder of weights of its own, and servers in place of those of the world."""

from __future__ import annotations

import pytest

from point_tracking.tracker.models.published_weights.store import WEIGHTS_DIR_VARIABLE

from .fake_servers import serving


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of weights, and no settings of the machine in the way."""
    monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(tmp_path / "weights"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "weights"


@pytest.fixture
def hub(folder, monkeypatch):
    """Stands in for the Hugging Face hub."""
    with serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def server(folder):
    """A plain server of files."""
    with serving() as server:
        yield server
