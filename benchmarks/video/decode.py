"""Frames per second and peak memory of reading a clip, each way in a process of its own.

Compares our chunked reading with a whole-clip read through imageio into one
float32 array, as point-tracking tutorials do. The clip is generated: 720p
H.264 with B-frames and a moving texture.

    python benchmarks/video/decode.py [--frames 300] [--repeat 3] [--output results/decode.md]
"""

from __future__ import annotations

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from point_tracking.benchmarks.harness import (
    describe_machine,
    markdown_table,
    peak_rss_mb,
    reset_peak_rss,
    rss_mb,
    run_isolated,
)

SIZE = (1280, 720)
SMALL = (512, 384)
FPS = 30


def make_clip(path: Path, num_frames: int) -> None:
    """Encodes a camera that pans over a photo-like texture, with a little noise in every frame."""
    import av
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    width, height = SIZE
    layers = [rng.random((height // s + 2, 3 * width // (2 * s) + 2, 3), np.float32) for s in (64, 16, 4)]
    texture = np.mean([cv2.resize(layer, (3 * width // 2, height)) for layer in layers], axis=0) * 255
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "21"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for k in range(num_frames):
            left = round((0.5 - 0.5 * np.cos(k / num_frames * 2 * np.pi)) * width / 2)
            noisy = texture[:, left : left + width] + rng.normal(0, 3, (height, width, 1)).astype(np.float32)
            frame = av.VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def read_chunks(path: str, small: bool) -> dict[str, float]:
    """Our chunked reading, full size or scaled at reading."""
    import point_tracking as pt

    source = pt.VideoFrames(path)
    _warm_up()
    return _measured(lambda: sum(len(chunk) for chunk in source.chunks(size_px=SMALL if small else None)))


def read_plain(path: str) -> dict[str, float]:
    """PyAV alone: every frame to an array that is dropped at once."""
    import av

    def read() -> int:
        with av.open(path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            return sum(1 for frame in container.decode(stream) if frame.to_ndarray(format="rgb24").size)

    return _measured(read)


def read_whole(path: str) -> dict[str, float]:
    """The whole clip through imageio, stacked, as one float32 array (T, 3, H, W)."""
    import imageio.v3 as iio
    import numpy as np

    def read() -> int:
        frames = np.stack(list(iio.imiter(path, plugin="pyav")))  # (T, H, W, 3)
        return len(frames.transpose(0, 3, 1, 2).astype(np.float32))

    _warm_up()
    return _measured(read)


def scan(path: str) -> dict[str, float]:
    """The exact number of frames and their time stamps: decoding without conversion."""
    import point_tracking as pt

    _warm_up()
    return _measured(lambda: pt.probe(path, exact=True).num_frames)


def _warm_up() -> None:
    """Imports what would otherwise be counted as reading."""
    import av
    import cv2  # noqa: F401

    av.CodecContext.create("h264", "r")


def _measured(read) -> dict[str, float]:
    from time import perf_counter

    before_mb = rss_mb()
    reset_peak_rss()
    start = perf_counter()
    num_frames = read()
    seconds = perf_counter() - start
    return {"frames": num_frames, "seconds": seconds, "memory_mb": peak_rss_mb() - before_mb}


WAYS = {
    "imageio, whole clip as float32": (read_whole, {}),
    "PyAV alone, frame by frame": (read_plain, {}),
    "our chunks of 8": (read_chunks, {"small": False}),
    f"our chunks of 8, scaled to {SMALL[0]} x {SMALL[1]}": (read_chunks, {"small": True}),
    "our exact scan (no pictures)": (scan, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=300, help="length of the generated clip")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way; the fastest counts")
    parser.add_argument("--output", type=Path, help="write the table to this markdown file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, "clip.mp4")
        make_clip(clip, arguments.frames)
        best: dict[str, dict[str, float]] = {}
        for _ in range(arguments.repeat):  # in turn, so that a busy moment does not hit one way alone
            for name, (function, options) in WAYS.items():
                result = run_isolated(function, path=str(clip), **options).result
                if result["frames"] != arguments.frames:
                    raise SystemExit(f"{name} read {result['frames']} of {arguments.frames} frames")
                if name not in best or result["seconds"] < best[name]["seconds"]:
                    best[name] = result
    reference = next(iter(best.values()))
    rows = [
        [
            name,
            round(arguments.frames / result["seconds"]),
            f"{reference['seconds'] / result['seconds']:.2f}x",
            round(result["memory_mb"]),
        ]
        for name, result in best.items()
    ]
    table = markdown_table(["way", "frames/s", "speed", "peak memory above start (MiB)"], rows)
    heading = f"{arguments.frames} frames of {SIZE[0]} x {SIZE[1]}, H.264; the fastest of {arguments.repeat} runs.\n"
    text = f"# Decoding\n\n{heading}\n{table}\n\nMachine: {describe_machine()}.\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
