"""Makes files whose containers say too little, or something else than players show; pictures are those of `media`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import av
import av.stream
from media import SIZE, video, vp9_video


def fragmented_video(path: Path, num_frames: int = 60, **options) -> Path:
    """An mp4 in pieces, as cameras and streams write it: its head lists the first piece alone."""
    return video(path, num_frames, gop=20, container_options={"movflags": "frag_keyframe"}, **options)


def live_video(path: Path, num_frames: int = 60, **options) -> Path:
    """VP9 as browsers record it, for a .webm path: neither duration nor frame count."""
    return vp9_video(path, num_frames, container_options={"live": "1"}, **options)


def trimmed_video(path: Path, num_frames: int = 60, before: int = 125, after: int = 0, **options) -> Path:
    """An mp4 whose edit list shows `num_frames` frames out of the middle; frame k shows `picture(before + k)`."""
    fps = options.pop("fps", 10)
    video(path, before + num_frames + after, b_frames=2, fps=fps, **options)
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12

    def scale(box: bytes) -> int:
        return struct.unpack_from(">I", data, data.index(box) + 16)[0]

    _, first, rate = struct.unpack_from(">IiI", data, at)
    edit = (num_frames * scale(b"mvhd") // fps, first + before * scale(b"mdhd") // fps, rate)
    struct.pack_into(">IiI", data, at, *edit)
    path.write_bytes(bytes(data))
    return path


def two_stream_video(
    path: Path, num_frames: int = 12, *, shown: int = 1, sizes: Sequence[tuple[int, int]] = ((80, 60), SIZE)
) -> Path:
    """Two video streams; the default one shows `picture(100 + k)`, the other one `picture(k)`."""
    parts = [
        video(path.with_name(f"{path.stem}-{k}.mp4"), num_frames, size=size, first_index=100 if k == shown else 0)
        for k, size in enumerate(sizes)
    ]
    with av.open(str(path), "w") as target:
        sources = [av.open(str(part)) for part in parts]
        streams = [target.add_stream_from_template(source.streams.video[0]) for source in sources]
        for k, stream in enumerate(streams):
            stream.disposition = av.stream.Disposition.default if k == shown else av.stream.Disposition(0)
        packets = [
            (packet, stream)
            for source, stream in zip(sources, streams, strict=True)
            for packet in source.demux(source.streams.video[0])
            if packet.size
        ]
        for packet, stream in sorted(packets, key=lambda pair: float((pair[0].dts or 0) * (pair[0].time_base or 0))):
            packet.stream = stream
            target.mux(packet)
        for source in sources:
            source.close()
    for part in parts:
        part.unlink()
    return path
