"""FiftyOne's `apply_model` opens every video with FFmpeg's programs; tests of it need them."""

from __future__ import annotations

import shutil

import pytest

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
    reason="ffmpeg and ffprobe are not on the PATH: FiftyOne's apply_model opens no video without them",
)
