"""Makes small real media files for tests, encoded with PyAV.

Every frame carries its index: the top third of the picture is a row of black
and white blocks, the index in binary. `index_in` reads it back after lossy
coding and resizing, so a test can tell which frame it was given; `picture` is
the frame as it was before encoding, so a test can tell which way up it is.

Every maker takes the path to write and returns it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.audio.stream
import av.stream
import av.video.stream
import numpy as np

CODE_BITS = 10
SIZE = (160, 120)
"""(width, height) that makers use unless told."""


# pictures that know their index


def picture(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The frame of an index, as it is before encoding.

    Args:
        index: from 0 to 1023
        size: (width, height) in pixels, at least 40 x 12

    Returns:
        uint8 (height, width, 3) RGB; no rotation or mirror image of it looks the same
    """
    width, height = size
    x, y = np.arange(width), np.arange(height)
    frame = np.empty((height, width, 3), dtype=np.uint8)
    frame[..., 0] = 60 + 160 * x // width
    frame[..., 1] = (60 + 160 * y // height)[:, None]
    frame[..., 2] = 120
    bar = np.abs(x - (index * 5) % width) < max(width // 20, 2)
    frame[height // 2 :, bar] = 230
    bits = index >> (CODE_BITS - 1 - x * CODE_BITS // width) & 1
    frame[: height // 3] = np.where(bits, 235, 20)[None, :, None]
    return frame


def index_in(frame: np.ndarray) -> int:
    """Reads the index out of a decoded frame, of whatever size.

    Args:
        frame: uint8 (H, W, 3), upright

    Returns:
        the index that `picture` drew
    """
    height, width = frame.shape[:2]
    row = frame[height // 9 : max(height * 2 // 9, height // 9 + 1)].mean(axis=(0, 2))  # (W,)
    centres = ((np.arange(CODE_BITS) + 0.5) * width / CODE_BITS).astype(int)
    bits = np.stack([row[centres - 1], row[centres]]).mean(axis=0) > 128
    return int(bits @ (1 << np.arange(CODE_BITS)[::-1]))


def indices_in(frames: Iterable[np.ndarray]) -> list[int]:
    """The index of each of several frames."""
    return [index_in(frame) for frame in frames]


def looks_like(frame: np.ndarray, expected: np.ndarray, tolerance: float = 8.0) -> bool:
    """Whether two pictures are the same but for coding loss (mean absolute difference in grey levels)."""
    if frame.shape != expected.shape:
        return False
    return float(np.abs(frame.astype(np.int16) - expected).mean()) <= tolerance


# good files


def video(
    path: Path,
    num_frames: int = 30,
    *,
    size: tuple[int, int] = SIZE,
    fps: int | Fraction = 10,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    gop: int = 12,
    b_frames: int = 0,
    times_s: Sequence[float] | None = None,
    start_s: float = 0.0,
    first_index: int = 0,
    rotation: int = 0,
    mirrored: bool = False,
    sample_aspect_ratio: Fraction | None = None,
    audio: bool = False,
    encoder_options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    container_format: str | None = None,
    draw: Callable[[int, tuple[int, int]], np.ndarray] = picture,
) -> Path:
    """Encodes a clip; the file name's ending chooses the container.

    Args:
        num_frames: frame k shows `picture(first_index + k)`
        size: (width, height) as coded, before rotation
        fps: frames per second; nominal only, where `times_s` is given
        gop: frames between key frames
        b_frames: consecutive B-frames (H.264 and H.265)
        times_s: display time of each frame, for a variable rate
        start_s: time of the first frame
        rotation: degrees the coded picture is to be turned counter-clockwise for display
        mirrored: whether it is to be mirrored left-right as well
        audio: adds a tone, in AAC
        encoder_options: FFmpeg options of the encoder
        container_options: FFmpeg options of the muxer, e.g. {"movflags": "faststart"}
        container_format: FFmpeg's name of the muxer, where the ending does not tell
        draw: what is shown in place of `picture`
    """
    options = dict(encoder_options or {})
    if codec in ("libx264", "libx265"):
        name = codec.removeprefix("lib") + "-params"
        fixed = f"bframes={b_frames}:b-adapt=0:keyint={gop}:min-keyint={gop}:scenecut=0"
        quiet = ":log-level=none" if codec == "libx265" else ""
        options = {"preset": "veryfast", "crf": "16", **options}
        options[name] = ":".join(filter(None, [fixed + quiet, options.get(name, "")]))
    with av.open(str(path), "w", format=container_format, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        assert isinstance(stream, av.video.stream.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.gop_size = gop
        stream.thread_count = 1
        if codec == "mpeg4":
            stream.bit_rate = 2_000_000
        if sample_aspect_ratio is not None:
            stream.sample_aspect_ratio = sample_aspect_ratio
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        tick = 1 / Fraction(fps) if times_s is None else Fraction(1, 1000)
        stream.time_base = tick
        stream.codec_context.time_base = tick
        tone = _add_tone(container) if audio else None
        for k in range(num_frames):
            frame = av.VideoFrame.from_ndarray(draw(first_index + k, size), format="rgb24")
            time_s = k / fps if times_s is None else times_s[k]
            frame.pts = round((float(time_s) + start_s) / tick)
            frame.time_base = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone is not None:
            _write_tone(container, tone, num_frames / float(fps))
    return path


def variable_rate_times(num_frames: int, seed: int = 0) -> list[float]:
    """Display times whose steps vary from 20 to 200 ms, in whole milliseconds, from 0."""
    steps = np.random.default_rng(seed).integers(20, 200, num_frames - 1)
    return [0.0, *(np.cumsum(steps) / 1000).tolist()]


def variable_rate_video(path: Path, num_frames: int = 30, **options) -> Path:
    """A clip whose frames are shown at `variable_rate_times`."""
    return video(path, num_frames, times_s=variable_rate_times(num_frames), **options)


def rotated_video(path: Path, degrees: int, num_frames: int = 8, **options) -> Path:
    """A clip that players show turned counter-clockwise; the coded pictures are `picture`'s (needs av >= 18)."""
    return video(path, num_frames, rotation=degrees, **options)


def ten_bit_video(path: Path, num_frames: int = 8, **options) -> Path:
    """H.265, 10 bits per sample."""
    return video(path, num_frames, **{"codec": "libx265", "pixel_format": "yuv420p10le", **options})


def grey_video(path: Path, num_frames: int = 8, **options) -> Path:
    """H.264 without colour, grey levels from 0 to 255."""
    return video(path, num_frames, pixel_format="gray", encoder_options={"x264-params": "fullrange=on"}, **options)


def odd_sized_video(path: Path, num_frames: int = 8, **options) -> Path:
    """161 x 121 pixels, H.264 4:4:4 (4:2:0 as players want it cannot have odd sides)."""
    return video(path, num_frames, size=(161, 121), **{"pixel_format": "yuv444p", **options})


def b_frame_video(path: Path, num_frames: int = 40, **options) -> Path:
    """H.264 with three B-frames in a row: the decoding order is not the display order."""
    return video(path, num_frames, b_frames=3, **options)


def open_gop_video(path: Path, num_frames: int = 40, **options) -> Path:
    """H.264 whose groups lean on the group before: after a seek the first pictures cannot be decoded."""
    return video(path, num_frames, b_frames=3, encoder_options={"x264-params": "open-gop=1"}, **options)


def long_gop_video(path: Path, num_frames: int = 60, **options) -> Path:
    """H.264 with a single key frame at the start."""
    return video(path, num_frames, gop=num_frames, **options)


def vp9_video(path: Path, num_frames: int = 12, **options) -> Path:
    """VP9, for a .webm path: no frame count declared."""
    quality = {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"}
    return video(path, num_frames, codec="libvpx-vp9", encoder_options=quality, **options)


def mpeg4_video(path: Path, num_frames: int = 12, **options) -> Path:
    """MPEG-4 part 2, for an .avi path: packets without presentation time stamps."""
    return video(path, num_frames, codec="mpeg4", **options)


def resized_midway_video(path: Path, num_frames: int = 20, **options) -> Path:
    """A .ts file that is 160 x 120 in its first half and 80 x 60 in its second."""
    first, rest = num_frames // 2, num_frames - num_frames // 2
    parts = [path.with_name(f"{path.stem}-{k}.ts") for k in range(2)]
    video(parts[0], first, **options)
    video(parts[1], rest, size=(80, 60), first_index=first, start_s=first / 10, **options)
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in parts:
        part.unlink()
    return path


# files without video


def audio_only(path: Path) -> Path:
    """A tone of one second, AAC."""
    with av.open(str(path), "w") as container:
        tone = _add_tone(container)
        _write_tone(container, tone, 1.0)
    return path


def audio_with_cover(path: Path) -> Path:
    """A tone with a cover picture, for an .m4a or .mp4 path: FFmpeg lists the picture as a video stream."""
    with av.open(str(path), "w", format="mp4") as container:
        tone = _add_tone(container)
        cover = container.add_stream("png", rate=1)
        assert isinstance(cover, av.video.stream.VideoStream)
        cover.width, cover.height = SIZE
        cover.pix_fmt = "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0), format="rgb24")))
        container.mux(cover.encode())
        _write_tone(container, tone, 1.0)
    return path


def zero_bytes(path: Path) -> Path:
    """An empty file."""
    path.write_bytes(b"")
    return path


def text_file(path: Path) -> Path:
    """Prose, whatever its name says."""
    path.write_text("This is not a video. " * 200, encoding="utf-8")
    return path


def random_bytes(path: Path, size: int = 20_000) -> Path:
    """Noise, whatever its name says."""
    path.write_bytes(np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes())
    return path


def picture_file(path: Path, codec: str = "png") -> Path:
    """A picture ("png" or "mjpeg"), whatever its name says."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt = "rgb24" if codec == "png" else "yuvj420p"
    encoder.time_base = Fraction(1, 1)
    frame = av.VideoFrame.from_ndarray(picture(0), format="rgb24")
    path.write_bytes(b"".join(bytes(packet) for f in (frame, None) for packet in encoder.encode(f)))
    return path


def hls_playlist(path: Path, target: Path) -> Path:
    """A playlist that tells the player to open another file."""
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1.0,\n{target}\n#EXT-X-ENDLIST\n", encoding="utf-8")
    return path


def concat_playlist(path: Path, target: Path) -> Path:
    """FFmpeg's own list of files to open one after the other."""
    path.write_text(f"ffconcat version 1.0\nfile '{target}'\n", encoding="utf-8")
    return path


# broken files


def truncated(path: Path, source: Path, share: float = 0.5) -> Path:
    """The first part of a file. An mp4 needs its index in front: make it with `faststart_video`."""
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def faststart_video(path: Path, num_frames: int = 40, **options) -> Path:
    """An mp4 with its index in front, so that a cut file still opens."""
    return video(path, num_frames, container_options={"movflags": "faststart"}, **options)


def damaged(path: Path, source: Path, *, at: float = 0.5, size: int = 400) -> Path:
    """A copy with some bytes overwritten by noise."""
    data = bytearray(source.read_bytes())
    start = int(len(data) * at)
    noise = np.random.default_rng(2).integers(0, 256, size, dtype=np.uint8).tobytes()
    data[start : start + size] = noise
    path.write_bytes(bytes(data[: source.stat().st_size]))
    return path


def overdeclared_video(path: Path, num_frames: int = 20, num_empty: int = 2, **options) -> Path:
    """An H.264 mp4 that declares more frames than it holds: its last packets carry no picture."""
    whole = video(path.with_name(f"{path.stem}-whole.mp4"), num_frames, **options)
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.size]
        step = packets[1].dts - packets[0].dts  # type: ignore[operator]
        for packet in packets:
            packet.stream = stream
            target.mux(packet)
        for k in range(1, num_empty + 1):
            empty = av.Packet(struct.pack(">IBB", 2, 0x09, 0xF0))  # an access unit delimiter and nothing else
            empty.pts = empty.dts = packets[-1].dts + k * step  # type: ignore[operator]
            empty.time_base = packets[-1].time_base
            empty.stream = stream
            target.mux(empty)
    whole.unlink()
    return path


def _add_tone(container) -> av.audio.stream.AudioStream:
    stream = container.add_stream("aac", rate=16000)
    stream.layout = "mono"
    return stream


def _write_tone(container, stream: av.audio.stream.AudioStream, duration_s: float) -> None:
    samples = np.sin(np.arange(int(16000 * duration_s)) * 0.17).astype(np.float32)
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate = 16000
        frame.pts = start
        frame.time_base = Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def besides_ground(report) -> list[str]:
    """The warnings of a tracking run without those of featureless ground, which `picture` has much of."""
    return [text for _, text in report.warnings if "featureless" not in text]
