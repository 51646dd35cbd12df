"""A CVAT server on the loopback: the calls that FiftyOne 1.22's client makes, and no more.

It keeps what it is sent and hands it back; a test changes `annotations` in between, as a person does in CVAT. It was
written from what the client asks for: no real server was at hand.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Json = dict[str, Any]


class FakeCvat:
    """What the server knows.

    Args:
        num_frames: of each task's video, in the order of the tasks
        size: (width, height)
    """

    def __init__(self, num_frames: list[int], size: tuple[int, int]) -> None:
        self.num_frames, self.size = num_frames, size
        self.url = ""
        self.tasks: dict[int, Json] = {}
        self.annotations: dict[int, Json] = {}
        self.requests: list[str] = []
        self.uploaded_bytes: dict[int, int] = {}
        self.deleted: list[int] = []
        self.broken: str | None = None
        """A path that answers with an error."""

    def tracks(self, task: int = 1) -> dict[int, Json]:
        """The tracks of a task by the number that we gave them; those without stand under their negative id."""
        found = {}
        for track in self.annotations[task]["tracks"]:
            names = {a["id"]: a["name"] for label in self.tasks[task]["labels"] for a in label["attributes"]}
            own = [int(a["value"]) for a in track["attributes"] if names[a["spec_id"]] == "pt_track"]
            found[own[0] if own else -track["id"]] = track
        return found

    def keyframes(self, number: int, task: int = 1) -> dict[int, Json]:
        """The shapes of a track by frame, those outside too."""
        return {shape["frame"]: shape for shape in self.tracks(task)[number]["shapes"]}

    def answer(self, method: str, path: str, query: str, body: bytes) -> tuple[int, Json]:
        """(status, content) for a request."""
        self.requests.append(f"{method} {path}")
        if self.broken is not None and re.fullmatch(self.broken, path):
            return 500, {"detail": "broken"}
        if path == "/api/auth/login":
            return 200, {"key": "k"}
        if path == "/api/server/about":
            return 200, {"name": "CVAT", "version": "2.20.0"}
        if path == "/api/tasks" and method == "POST":
            return 201, self._create(json.loads(body))
        if path in ("/api/labels", "/api/jobs"):
            task = int(re.search(r"task_id=(\d+)", query)[1])  # type: ignore[index]
            return 200, self._page(self.tasks[task]["labels"] if path == "/api/labels" else [self._job(task)])
        found = re.fullmatch(r"/api/(tasks|jobs)/(\d+)(/.*)?", path)
        if found is None:
            return 404, {}
        task = int(found[2]) if found[1] == "tasks" else int(found[2]) // 10
        return self._of_task(method, found[1], task, (found[3] or "").rstrip("/"), body)

    def _of_task(self, method: str, kind: str, task: int, rest: str, body: bytes) -> tuple[int, Json]:
        if task not in self.tasks:
            return 404, {}
        if rest == "/data" and method == "POST":
            self.uploaded_bytes[task] = len(body)
            return 202, {"rq_id": "1"}
        if rest == "/data/meta":
            width, height = self.size
            number = self.num_frames[task - 1]
            frames = [{"width": width, "height": height, "name": "v.mp4"}]
            return 200, {
                "size": number,
                "start_frame": 0,
                "stop_frame": number - 1,
                "frame_filter": "",
                "frames": frames,
            }
        if rest == "/annotations":
            if method == "PUT":
                self.annotations[task] = _with_ids(json.loads(body))
            return 200, copy.deepcopy(self.annotations[task])
        if method == "DELETE":
            self.deleted.append(task)
            del self.tasks[task]
            return 204, {}
        return 200, self._job(task) if kind == "jobs" else self._task(task)

    def _create(self, asked: Json) -> Json:
        task = len(self.tasks) + 1
        labels = [
            {
                "id": 100 + k,
                "name": label["name"],
                "type": "any",
                "attributes": [{**a, "id": 1000 + 100 * k + n} for n, a in enumerate(label["attributes"])],
            }
            for k, label in enumerate(asked["labels"])
        ]
        self.tasks[task] = {"name": asked["name"], "labels": labels}
        self.annotations[task] = {"version": 0, "tags": [], "shapes": [], "tracks": []}
        return self._task(task)

    def _task(self, task: int) -> Json:
        labels = {"url": f"{self.url}/api/labels?task_id={task}"}
        return {
            "id": task,
            "name": self.tasks[task]["name"],
            "status": "annotation",
            "labels": labels,
            "assignee": None,
        }

    def _job(self, task: int) -> Json:
        return {"id": task * 10, "task_id": task, "type": "annotation", "state": "new", "assignee": None}

    def _page(self, results: list[Json]) -> Json:
        return {"count": len(results), "next": None, "previous": None, "results": results}


def _with_ids(annotations: Json) -> Json:
    numbers = iter(range(1, 10**9))
    for kind in ("tags", "shapes", "tracks"):
        for one in annotations[kind]:
            one["id"] = next(numbers)
            for shape in one.get("shapes", []):
                shape["id"] = next(numbers)
    return annotations


@contextmanager
def fake_cvat(num_frames: list[int], size: tuple[int, int]) -> Iterator[FakeCvat]:
    """Serves for the block."""
    state = FakeCvat(num_frames, size)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            status, content = state.answer(self.command, path, query, body)
            data = b"" if status == 204 else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
