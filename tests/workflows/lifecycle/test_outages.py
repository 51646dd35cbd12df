"""Runs in processes of their own that lose their database for a while, or for good."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
from killable import lines_until
from own_server import OwnServer
from trackers import DriftTracker

import point_tracking as pt

MakeDataset = Callable[..., fo.Dataset]
NUM_CLIPS = 8  # of the fixture `clips`


def test_the_database_is_away_for_a_while_twice(
    tmp_path: Path, clips: list[Path], make_dataset: MakeDataset, start: Callable[..., subprocess.Popen]
) -> None:
    expected = make_dataset(*clips)
    pt.track_dataset(expected, tracker=DriftTracker(), grid_size=2)
    server = OwnServer(tmp_path / "own-database")
    env = {"FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{server.port}", "FIFTYONE_DATABASE_NAME": "away"}
    try:
        job = {"paths": [str(path) for path in clips], "pause_s": 0.03, "options": {"grid_size": 2}}
        process = start("away", env=env, **job)
        lines_until(process, 2)
        server.kill()
        time.sleep(2)  # several attempts fail
        server.start()
        lines_until(process, 4)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(5)  # longer than a beat waits
        server.process.send_signal(signal.SIGCONT)
        assert process.stdout is not None
        written = process.stdout.read()
        assert process.wait(timeout=60) == 0, (tmp_path / "stderr-0.txt").read_text()
        result = json.loads(written.splitlines()[-1])
        assert [(o["status"], o["message"]) for o in result["outcomes"]] == [("done", None)] * NUM_CLIPS
        assert result["keypoints"] == expected.count("frames.tracks.keypoints")
    finally:
        server.process.send_signal(signal.SIGCONT)
        server.kill()


def test_the_call_that_lost_its_database_can_be_made_again_in_the_same_process(
    tmp_path: Path, clips: list[Path], start: Callable[..., subprocess.Popen]
) -> None:
    server = OwnServer(tmp_path / "own-database")
    env = {"FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{server.port}", "FIFTYONE_DATABASE_NAME": "away"}
    try:
        job = {"paths": [str(path) for path in clips], "pause_s": 0.03, "patience_s": 3.0, "beat_s": 0.4}
        process = start("away", env=env, **job, options={"grid_size": 2, "skip_existing": True})
        lines_until(process, 2)
        server.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        assert any(line.startswith("-1") for line in process.stdout)
        server.start()
        process.stdin.write("go on\n")
        process.stdin.flush()
        result = json.loads(process.stdout.read().splitlines()[-1])
        # what the first call had claimed is taken over once its counter has stood still, not left to it
        outcomes = [(o["status"], o["warnings"]) for o in result["outcomes"]]
        assert {status for status, _ in outcomes} <= {"done", "skipped"}
        told = [warning for _, warnings in outcomes for warning in warnings if "featureless" not in warning]
        assert not told
        # two of the four points drift out of the frame after the first
        assert result["keypoints"] == sum(2 * (6 + k) + 2 for k in range(NUM_CLIPS))
    finally:
        server.kill()


def test_the_database_is_away_while_preprocessing(
    tmp_path: Path, make_dataset: MakeDataset, start: Callable[..., subprocess.Popen]
) -> None:
    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    paths = [media.video(tmp_path / "sources" / f"{k}.mp4", 60, size=(160, 120)) for k in range(6)]
    server = OwnServer(tmp_path / "own-database")
    env = {"FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{server.port}", "FIFTYONE_DATABASE_NAME": "away"}
    try:
        job = {"output_dir": str(out), "preset": "veryslow", "every_nth": 2, "num_workers": 1}
        process = start("away", env=env, paths=[str(path) for path in paths], preprocess=job)
        deadline = time.monotonic() + 30
        while not list(out.glob("*.mp4")) and time.monotonic() < deadline:
            time.sleep(0.005)
        server.kill()
        time.sleep(2)
        server.start()
        assert process.stdout is not None
        written = process.stdout.read()
        assert process.wait(timeout=60) == 0, (tmp_path / "stderr-0.txt").read_text()
        result = json.loads(written.splitlines()[-1])
        assert [(o["status"], o["message"]) for o in result["outcomes"]] == [("done", None)] * 6
        assert result["frames"] == [30] * 6
        assert len(list(out.iterdir())) == 6
    finally:
        server.kill()
