"""`make demo` as a command: what it prints, how it ends, and that nothing keeps its pipe open."""

import subprocess
import sys
import time
from pathlib import Path

import media
import pytest

from point_tracking.demo import run
from point_tracking.demo.plugin_link import OPERATOR_URI

# long against what the command takes, short against a child that keeps the pipe open
PIPE_LIMIT_S = 240


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "point_tracking.demo.run", *arguments]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PIPE_LIMIT_S, check=False
    )


def test_own_videos_are_tracked_and_the_failures_told(tmp_path: Path):
    media.video(tmp_path / "good.mp4", num_frames=8)
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    done = demo("--app", "0", "--videos", str(tmp_path), "--grid-size", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16 points in 1 sample" in done.stdout
    assert "failed: broken.mp4" in done.stdout
    assert f"dataset {run.VIDEOS_DATASET!r}" in done.stdout.lower()
    assert "frames.tracks" in done.stdout
    assert "frames.truth" not in done.stdout  # nobody knows it for these
    assert f"{OPERATOR_URI}: registered" in done.stdout


def test_a_wrong_folder_is_told_in_one_line(tmp_path: Path):
    done = demo("--app", "0", "--videos", str(tmp_path / "missing"))
    assert done.returncode == 1
    assert "is not a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_children_do_not_keep_our_output_open(tmp_path: Path):
    log = tmp_path / "log" / "services.log"
    program = (
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "from point_tracking.demo.run import keep_output_from_children\n"
        f"keep_output_from_children(Path({str(log)!r}))\n"
        "child = subprocess.Popen(['sh', '-c', 'echo from the child; sleep 60'])\n"
        "print('from us')\n"
        "print('trouble', file=sys.stderr)\n"
        "print(child.pid)\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert time.monotonic() - started < 45  # the child still sleeps
    ours, pid = done.stdout.splitlines()
    subprocess.run(["kill", pid], check=False)
    assert ours == "from us"
    assert done.stderr == "trouble\n"
    assert "from the child" in log.read_text()


@pytest.mark.parametrize("app", ["0", "1", ""])
def test_variables_of_make_may_be_empty(app):
    options = run.parse_arguments(["--app", app, "--videos", ""])
    assert options.app == app
    assert options.videos == ""
