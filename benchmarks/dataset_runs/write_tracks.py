"""Writing and reading tracks: our bulk way against one object at a time, and against the database alone.

Each way runs in a process of its own against the configured FiftyOne database,
on datasets that are deleted afterwards:

    python benchmarks/dataset_runs/write_tracks.py [--output benchmarks/results/write_tracks.md]
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from point_tracking.benchmarks import harness

NUM_FRAMES = 50
SIZE_PX = (640, 360)
WAYS = {
    "one object at a time (tutorial)": "write_slowly",
    "write_tracks, layout 'points'": "write_points",
    "write_tracks, layout 'frame'": "write_frame",
    "floor: the same bytes by pymongo": "write_floor",
}
READS = {
    "iterating sample.frames": "read_slowly",
    "read_tracks": "read_fast",
}


def _tracks(num_points: int):
    import point_tracking as pt

    rng = np.random.default_rng(0)
    shape = (NUM_FRAMES, num_points)
    xy = rng.uniform(0, 1, (*shape, 2)) * (np.array(SIZE_PX) - 1)
    return pt.Tracks(xy=xy, visible=np.ones(shape, dtype=bool), confidence=rng.random(shape))


def _sample(folder: Path):
    import av
    import fiftyone as fo

    path = folder / "clip.mp4"
    if not path.exists():
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = *SIZE_PX, "yuv420p"
            for _ in range(NUM_FRAMES):
                blank = np.zeros((SIZE_PX[1], SIZE_PX[0], 3), dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(blank, format="rgb24")))
            container.mux(stream.encode())
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(path)))
    return dataset, dataset.first()


def _measured(action) -> dict[str, float]:
    """Seconds and memory of a call, counted from just before it."""
    harness.reset_peak_rss()
    before, start = harness.rss_mb(), time.perf_counter()
    action()
    return {"seconds": time.perf_counter() - start, "memory": harness.peak_rss_mb() - before}


def measure(way: str, num_points: int) -> dict[str, float]:
    """Runs one way of writing or reading (in a process of its own)."""
    import point_tracking as pt

    with tempfile.TemporaryDirectory() as folder:
        dataset, sample = _sample(Path(folder))
        fresh: Any = None
        tracks = _tracks(num_points)
        pt.probe(sample.filepath)  # imports and first use are not what is measured
        if way == "write_slowly":
            result = _measured(lambda: _write_slowly(sample, tracks))
        elif way == "write_floor":
            documents = _floor_documents(dataset, sample, tracks)
            result = _measured(lambda: dataset._frame_collection.insert_many(documents))
        elif way in ("write_points", "write_frame"):
            layout = way.removeprefix("write_")
            result = _measured(lambda: pt.write_tracks(sample, "tracks", tracks, layout=layout))
        else:
            pt.write_tracks(sample, "tracks", tracks)
            fresh = dataset.view().first()
            if way == "read_fast":
                result = _measured(lambda: pt.read_tracks(fresh, "tracks"))
            else:
                result = _measured(lambda: _read_slowly(fresh, num_points))
        # FiftyOne would load every keypoint of a sample that is still referenced
        sample = fresh = None
        gc.collect()
        dataset.delete()
    return result


def _write_slowly(sample: Any, tracks: Any) -> None:
    """As the tutorial does it."""
    import fiftyone as fo

    width, height = SIZE_PX
    frames = {}
    for t in range(tracks.num_frames):
        keypoints = [
            fo.Keypoint(
                label="point",
                points=[(float(tracks.xy[t, n, 0]) / width, float(tracks.xy[t, n, 1]) / height)],
                confidence=[float(tracks.confidence[t, n])],
                index=n + 1,
            )
            for n in range(tracks.num_points)
            if tracks.visible[t, n]
        ]
        frames[t + 1] = fo.Frame(tracks=fo.Keypoints(keypoints=keypoints))
    sample.frames.merge(frames)
    sample.save()


def _floor_documents(dataset: Any, sample: Any, tracks: Any) -> list[Any]:
    from bson import ObjectId, encode
    from bson.raw_bson import RawBSONDocument

    from point_tracking.store.database.fields import declare
    from point_tracking.store.tracks.keypoints import frame_documents

    declare(dataset, "tracks", occluded=False)
    ids = {"_sample_id": ObjectId(sample.id), "_dataset_id": dataset._doc.id}
    return [
        RawBSONDocument(encode({"_id": ObjectId(), **ids, "frame_number": n + 1, "tracks": document}))
        for n, document in enumerate(frame_documents(tracks, SIZE_PX))
    ]


def _read_slowly(sample: Any, num_points: int) -> None:
    xy = np.full((NUM_FRAMES, num_points, 2), np.nan, dtype=np.float32)
    for number, frame in sample.frames.items():
        for keypoint in frame["tracks"].keypoints:
            xy[number - 1, keypoint.index - 1] = keypoint.points[0]


def _table(ways: dict[str, str], num_points: int, repeats: int) -> str:
    results = {}
    for name, way in ways.items():
        runs = [harness.run_isolated(measure, way=way, num_points=num_points).result for _ in range(repeats)]
        results[name] = min(runs, key=lambda run: run["seconds"])
    slow = next(iter(results.values()))
    rows = [
        [
            name,
            f"{r['seconds']:.2f}",
            f"{slow['seconds'] / r['seconds']:.1f}x",
            f"{r['memory']:.0f}",
            f"{r['memory'] / slow['memory']:.2f}",
        ]
        for name, r in results.items()
    ]
    headers = ["way", "seconds", "times faster", "MiB above before", "share of the slow way's memory"]
    return f"### {num_points:,} points x {NUM_FRAMES} frames\n\n{harness.markdown_table(headers, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[900, 2500])
    parser.add_argument("--repeats", type=int, default=2, help="runs of each way; the fastest counts")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    parts = ["# Writing and reading tracks", "", harness.describe_machine(), ""]
    for title, ways in (("## Writing", WAYS), ("## Reading", READS)):
        parts += [title, ""]
        for num_points in arguments.points:
            parts += [_table(ways, num_points, arguments.repeats), ""]
    text = "\n".join(parts)
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
