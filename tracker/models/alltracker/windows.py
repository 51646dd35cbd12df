"""A clip through the network: windows of frames, points that start in any frame.

Source: AllTracker, arXiv:2506.07310, sec. 3. Points of one query frame share a
pass through the clip, and all passes share the features of its frames. A window
of 16 frames follows every 8; a later one starts from what the one before found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .config import STRIDE, UPSAMPLED, AllTrackerConfig, grid_size
from .network import AllTracker, Anchor, Blocks, Window, padding

_TWO_FRAMES = 2
_TWO_FRAMES_ROW = slice(1, 2)  # of the time embedding, where a part of a clip has two frames


class Features(Protocol):
    """Feature maps of a clip's frames in one direction."""

    @property
    def num_frames(self) -> int:
        """Frames known so far; of the whole clip once it has ended."""
        ...

    def reach(self, stop: int) -> None:
        """Encodes until there are so many frames, or the clip ends."""
        ...

    def at(self, frame: int) -> Tensor:
        """(h, w, C) of a frame that was reached and not dropped."""
        ...

    def drop_before(self, frame: int) -> None:
        """Forgets earlier frames, where they are not kept for later."""
        ...


class EncodedFeatures:
    """Features that are encoded when they are needed.

    Args:
        encode: uint8 (n, H, W, 3) to (n, h, w, C)
        chunks: frames from `first` on
        first: index of the first frame
        keeps: whether nothing is dropped
    """

    def __init__(
        self, encode: Callable[[np.ndarray], Tensor], chunks: Iterator[np.ndarray], first: int, keeps: bool
    ) -> None:
        self._encode = encode
        self._chunks = chunks
        self._keeps = keeps
        self._maps: dict[int, Tensor] = {}
        self._num_frames = self._wanted_from = first

    @property
    def num_frames(self) -> int:
        return self._num_frames

    def reach(self, stop: int) -> None:
        while self._num_frames < stop:
            chunk = next(self._chunks, None)
            if chunk is None:
                return
            for one in self._encode(chunk).unbind():
                if self._num_frames >= self._wanted_from:
                    self._maps[self._num_frames] = one
                self._num_frames += 1

    def at(self, frame: int) -> Tensor:
        return self._maps[frame]

    def drop_before(self, frame: int) -> None:
        if not self._keeps:
            self._wanted_from = frame
            for index in [index for index in self._maps if index < frame]:
                del self._maps[index]


class ReversedFeatures:
    """Features of a whole clip, backwards.

    Args:
        features: of all of its frames
    """

    def __init__(self, features: Features) -> None:
        self._features = features

    @property
    def num_frames(self) -> int:
        return self._features.num_frames

    def reach(self, stop: int) -> None:
        pass

    def at(self, frame: int) -> Tensor:
        return self._features.at(self.num_frames - 1 - frame)

    def drop_before(self, frame: int) -> None:
        pass


@dataclass(frozen=True)
class Places:
    """Where points are read from what is up-sampled for some cells; between pixels bilinearly.

    Args:
        cells: (K,) int64 of the feature map, those that hold pixels to read
        index: (N, 4) int64 pixels, counted through the K cells
        share: (N, 4) float32, how much each counts
    """

    cells: Tensor
    index: Tensor
    share: Tensor

    @classmethod
    def of(cls, xy: np.ndarray, size: tuple[int, int], device: torch.device) -> Places:
        """The places of points.

        Args:
            xy: (N, 2) float64 pixels of the model's frame; beyond its border, the border is read
            size: (height, width) of that frame
            device: where the model is
        """
        height, width = size
        last = np.array([width - 1, height - 1])
        at = np.clip(xy, 0, last)
        low = np.floor(at).astype(np.int64)
        share = at - low  # (N, 2)
        high = low + (share > 0)  # whole pixels need no neighbour
        x = np.stack([low[:, 0], high[:, 0], low[:, 0], high[:, 0]], axis=1) + padding(size)[0]  # (N, 4)
        y = np.stack([low[:, 1], low[:, 1], high[:, 1], high[:, 1]], axis=1) + padding(size)[1]  # (N, 4)
        right, down = share[:, :1], share[:, 1:]
        shares = np.concatenate(
            [(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down], axis=1
        )  # (N, 4)
        cells, which = np.unique(y // STRIDE * grid_size(size)[1] + x // STRIDE, return_inverse=True)
        index = which.reshape(x.shape) * UPSAMPLED + y % STRIDE * STRIDE + x % STRIDE  # (N, 4)
        return cls(*(torch.from_numpy(a).to(device) for a in (cells, index, shares.astype(np.float32))))

    def read(self, upsampled: Tensor) -> Tensor:
        """Values of the N points: (K, n, 64, 4) to (n, N, 4)."""
        pixels = upsampled.transpose(0, 1).flatten(1, 2)  # (n, K 64, 4)
        return (pixels[:, self.index] * self.share[..., None]).sum(dim=2)


@dataclass(frozen=True)
class Found:
    """What a window says about the points of a pass.

    Args:
        first_frame: in the pass's direction
        motion: (n, N, 2) float32 pixels of the model's frame, from the query
        visibility: (n, N) float32 from 0 to 1
        certainty: (n, N) float32 from 0 to 1, of the confidence head
    """

    first_frame: int
    motion: np.ndarray
    visibility: np.ndarray
    certainty: np.ndarray


@dataclass(frozen=True)
class Course:
    """How a clip is worked through.

    Args:
        iterations: per window
        keeps_last: whether a frame's result is that of the last window that saw it; else of the first
        blocks: how much is done at once
        on_window_iteration: called with the number of frames of a window that were refined once more
    """

    iterations: int
    keeps_last: bool
    blocks: Blocks
    on_window_iteration: Callable[[int], None]


class AnchoredPoints:
    """Points given in one frame, on their way to the end of a clip.

    Args:
        columns: (N,) int, which points of the run they are
        frame: in which they are given
        places: where they are read
    """

    def __init__(self, columns: np.ndarray, frame: int, places: Places) -> None:
        self.columns = columns
        self.frame = frame
        self.next_start = frame
        """First frame of the next window."""
        self.finished = False
        self._places = places
        self._anchor: Anchor | None = None
        self._state: Tensor | None = None

    def track_window(self, model: AllTracker, features: Features, course: Course) -> Found | None:
        """Refines the next window.

        Args:
            model: the network
            features: of the clip
            course: how to go on

        Returns:
            what it says; None where no frame but the points' own is left
        """
        config = model.config
        start = self.next_start
        features.reach(start + config.window + 1)  # one more tells whether this is the last window
        count = features.num_frames - self.frame
        if count < _TWO_FRAMES:
            self._finish()
            return None
        if self._anchor is None:
            self._anchor = model.anchor(features.at(self.frame))
        if count == _TWO_FRAMES:
            start, rows, length = start + 1, _TWO_FRAMES_ROW, 1
        else:
            rows, length = slice(0, config.window), config.window
        last_frame = features.num_frames - 1
        frames = [min(start + i, last_frame) for i in range(length)]
        maps = [(frame, features.at(frame)) for frame in frames]
        window = model.refine(
            self._anchor,
            maps,
            self._start_state(config, length),
            rows,
            course.iterations,
            course.blocks,
            lambda: course.on_window_iteration(length),
        )
        ends = start + length > last_frame
        kept = self._kept(config, min(length, last_frame + 1 - start), ends, course.keeps_last)
        found = self._read(model, window, kept, start, course.blocks)
        self._state = window.state
        self.next_start = start + config.step
        if ends:
            self._finish()
        return found

    def forget_volumes(self) -> None:
        """Frees the correlations of the windows so far."""
        if self._anchor is not None:
            self._anchor.volumes.clear()

    def _start_state(self, config: AllTrackerConfig, length: int) -> Tensor:
        """(S, h, w, 4): nothing is known, or what the window before said, its last frame for all later ones."""
        if self._state is None:
            assert self._anchor is not None
            rows, columns = self._anchor.feature.shape[:2]
            return torch.zeros(length, rows, columns, 4, dtype=torch.float32, device=self._anchor.feature.device)
        known = self._state[config.step :]
        return torch.cat([known, known[-1:].expand(config.step, -1, -1, -1)])

    def _kept(self, config: AllTrackerConfig, count: int, ends: bool, keeps_last: bool) -> slice:
        """The frames of a window whose results are final."""
        if keeps_last:
            return slice(0, count if ends else config.step)
        return slice(0 if self._state is None else config.step, count)

    def _read(self, model: AllTracker, window: Window, kept: slice, start: int, blocks: Blocks) -> Found:
        parts = []
        for first in range(kept.start, kept.stop, blocks.frames):
            blocks.on_block()
            some = slice(first, min(first + blocks.frames, kept.stop))
            parts.append(self._places.read(model.upsample(window, some, self._places.cells)))
        values = torch.cat(parts)  # (n, N, 4)
        scores = values[..., 2:].sigmoid().cpu().numpy()
        return Found(start + kept.start, values[..., :2].cpu().numpy(), scores[..., 0], scores[..., 1])

    def _finish(self) -> None:
        self.finished = True
        self._anchor = self._state = None


def track_passes(
    model: AllTracker,
    features: Features,
    passes: list[AnchoredPoints],
    course: Course,
    one_by_one: bool,
    on_found: Callable[[AnchoredPoints, Found], None],
) -> None:
    """Takes points through a clip, window by window.

    Args:
        model: the network
        features: of the clip
        passes: points by the frame they are given in
        course: how to go on
        one_by_one: whether a pass ends before the next begins; else they go on together, so that only the frames
            around them need to be there
        on_found: called with what each window says
    """
    waiting = sorted(passes, key=lambda points: points.frame)
    before: AnchoredPoints | None = None
    while waiting:
        points = waiting[0] if one_by_one else min(waiting, key=lambda points: points.next_start)
        if before is not None and before is not points:
            before.forget_volumes()
        if not one_by_one:
            features.drop_before(min(points.next_start for points in waiting))
        found = points.track_window(model, features, course)
        if found is not None:
            on_found(points, found)
        before = points
        if points.finished:
            waiting.remove(points)


def window_lengths(num_frames: int, config: AllTrackerConfig) -> list[int]:
    """Frames that each window refines, for points with so many frames from their own on."""
    if num_frames <= _TWO_FRAMES:
        return [1] * (num_frames - 1)
    return [config.window] * (1 + max(-(-(num_frames - config.window) // config.step), 0))
