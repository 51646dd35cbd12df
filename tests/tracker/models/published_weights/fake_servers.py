"""Servers of files on loopback."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILE = "/facebook/cotracker3/resolve/main/scaled_offline.pth"
COMMIT = "0123456789012345678901234567890123456789"


class FakeHub(ThreadingHTTPServer):
    """Serves one file the way the hub does, or a plain server; can break off, lie about checksums, or refuse."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.etag = hashlib.sha256(content).hexdigest()
        self.break_after: int | None = None
        self.status = 200
        self.file = FILE
        self.more_headers: dict[str, str] = {}
        self.knows_ranges = True
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
        if self.headers.get("If-Range", f'"{hub.etag}"') != f'"{hub.etag}"' or not hub.knows_ranges:
            wanted = None  # it has changed: from the start
        if wanted:
            match = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert match, wanted
            start = int(match[1])
            if start >= len(hub.content):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        body = hub.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", f'"{hub.etag}"')
        self.send_header("X-Repo-Commit", COMMIT)
        for name, value in hub.more_headers.items():
            self.send_header(name, value)
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


@contextmanager
def serving() -> Iterator[FakeHub]:
    """A server for a while, with 768,000 bytes to give away."""
    server = FakeHub(bytes(range(256)) * 3000)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
