"""A MongoDB server of the tests' own.

A database folder of its own is not enough: FiftyOne joins any server that it
finds running for the same user, so tests would write into the user's data.
"""

from __future__ import annotations

import atexit
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

_START_TIMEOUT_S = 60.0


def start(folder: Path) -> str | None:
    """Starts a server on loopback that stops with this process.

    Args:
        folder: an existing folder for its files

    Returns:
        its URI; None where FiftyOne's own `mongod` is not installed
    """
    package = find_spec("fiftyone")  # does not import it
    if package is None or package.origin is None:
        return None
    binary = Path(package.origin).parent / "db" / "bin" / "mongod"
    if not binary.exists():
        return None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(binary), "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    with (folder / "mongod.log").open("wb") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    atexit.register(_stop, server)
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return f"mongodb://127.0.0.1:{port}"
    raise RuntimeError(f"mongod did not start; it wrote: {(folder / 'mongod.log').read_text()[-2000:]}")


def _stop(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
