"""One decoded frame into the upright, even-sided yuv420p picture that is encoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from ..video.probe import VideoProbe

_FORMAT = "yuv420p"
_MIN_SIDE = 2
_UNSPECIFIED = 2  # of FFmpeg's colour tags


def fit_size(size_px: tuple[int, int], longest_side: int | None) -> tuple[int, int]:
    """The size of a copy: even sides, nowhere larger than the source or the limit.

    Args:
        size_px: (width, height) of the displayed frame
        longest_side: pixels, or None for no limit

    Returns:
        (width, height), even, at least 2
    """
    longest = max(size_px)
    scale = min(1.0, longest_side / longest) if longest_side else 1.0
    # rounded to the nearest even number, but never up beyond the source
    width, height = (min(round(side * scale / 2), side // 2) * 2 for side in size_px)
    limit = (longest_side or longest) // 2 * 2
    return max(min(width, limit), _MIN_SIDE), max(min(height, limit), _MIN_SIDE)


class PictureShaper:
    """Scales, converts and turns frames; one conversion set-up for all of them.

    Args:
        facts: what the source's probe found
        size_px: (width, height) of the upright result, even
    """

    def __init__(self, facts: VideoProbe, size_px: tuple[int, int]) -> None:
        self.size_px = size_px
        self._rotation = facts.rotation
        self._mirrored = facts.mirrored
        self._coded_size = size_px[::-1] if facts.rotation % 180 else size_px
        self._reformatter = VideoReformatter()

    def shape(self, frame: VideoFrame) -> VideoFrame:
        """Converts one frame; where nothing is to be done, it is the frame itself.

        Args:
            frame: as decoded

        Returns:
            a yuv420p frame of `size_px`
        """
        width, height = self._coded_size
        full = frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
        ranges = {"src_color_range": ColorRange.JPEG, "dst_color_range": ColorRange.MPEG} if full else {}
        shrinks = width < frame.width or height < frame.height
        interpolation = "AREA" if shrinks else "BICUBIC"
        picture = self._reformatter.reformat(
            frame, width, height, _FORMAT, interpolation=interpolation, threads=1, **ranges
        )
        if self._rotation or self._mirrored:
            picture = _turned(picture, self._rotation // 90, self._mirrored)
        picture.pict_type = PictureType.NONE  # or the encoder would repeat the source's choice of key frames
        return picture


def describe_colors(frame: VideoFrame, stream: Any) -> None:
    """Tells an encoder what its pictures' colours mean.

    Args:
        frame: the first, as decoded
        stream: of the output, not yet encoding
    """
    context = stream.codec_context
    context.color_range = int(ColorRange.MPEG)
    for name in ("color_primaries", "color_trc", "colorspace"):
        value = int(getattr(frame, name))
        if value != _UNSPECIFIED:
            setattr(context, name, value)


def _turned(picture: VideoFrame, quarter_turns: int, mirrored: bool) -> VideoFrame:
    planes = [_plane(picture, k) for k in range(3)]
    if mirrored:
        planes = [plane[::-1] for plane in planes]
    planes = [np.rot90(plane, k=quarter_turns) for plane in planes]
    height, width = planes[0].shape
    turned = VideoFrame(width, height, _FORMAT)
    for k, plane in enumerate(planes):
        rows, columns = plane.shape
        target = turned.planes[k]
        padded = np.zeros((rows, target.line_size), dtype=np.uint8)
        padded[:, :columns] = plane
        target.update(padded.tobytes()[: target.buffer_size])
    return turned


def _plane(picture: VideoFrame, k: int) -> np.ndarray:
    plane = picture.planes[k]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8)  # type: ignore[arg-type]
    return rows[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)[:, : plane.width]
