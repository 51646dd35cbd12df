"""A MongoDB server of one test's own, which it may freeze, kill, and start again."""

from __future__ import annotations

import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path


class OwnServer:
    """A MongoDB server that a test may freeze, kill and start again."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        package = find_spec("fiftyone")
        assert package is not None
        assert package.origin is not None
        self._binary = Path(package.origin).parent / "db" / "bin" / "mongod"
        self._folder = folder
        folder.mkdir()
        self.start(*options)

    def start(self, *options: str) -> None:
        command = [self._binary, "--dbpath", self._folder, "--port", str(self.port), "--bind_ip", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*map(str, command), "--nounixsocket", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
