"""Corrections: where a person says that a track is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...tracker.coordinates import denormalize_xy, frame_index_of
from ...tracker.errors import FieldError
from ..database.frame_documents import FrameStore
from ..tracks.imported_numbers import number_array


@dataclass(frozen=True)
class Correction:
    """Where a person says that a track is in one frame.

    Args:
        index: of the track, from 1
        t: frame index, from 0
        x, y: pixels of the displayed frame
    """

    index: int
    t: int
    x: float
    y: float

    @property
    def key(self) -> tuple[int, int]:
        """A track has one correction in a frame: the last."""
        return self.index, self.t


def merged(stored: Iterable[Correction], given: Iterable[Correction]) -> list[Correction]:
    """All corrections, by track and time; a later one of the same track and frame counts."""
    found = {one.key: one for one in (*stored, *given)}
    return [found[key] for key in sorted(found)]


def read_corrections(store: FrameStore, sample_id: str, size_px: tuple[int, int]) -> list[Correction]:
    """The corrections that are stored for a sample.

    Args:
        store: of the label field
        sample_id: the sample
        size_px: (width, height) of the displayed frame

    Returns:
        by track and time
    """
    return corrections_in(store.labels(sample_id, corrected=True), size_px)


def corrections_in(labels: Mapping[int, Mapping[str, Any]], size_px: tuple[int, int]) -> list[Correction]:
    """The corrections among the stored labels of a sample.

    Args:
        labels: frame number -> label document
        size_px: (width, height) of the displayed frame

    Returns:
        by track and time
    """
    found = []
    for number, label in labels.items():
        for keypoint in label.get("keypoints") or ():
            for place, index in corrected_places(keypoint):
                xy = number_array([keypoint["points"][place]]).reshape(-1, 2)  # (1, 2)
                if np.isfinite(xy).all():
                    x, y = denormalize_xy(xy, size_px)[0].tolist()
                    found.append(Correction(index, int(frame_index_of(number)), x, y))
    return merged(found, ())


def corrected_places(keypoint: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """(place among its points, index of the track) of the points of a keypoint that were corrected."""
    corrected = keypoint.get("corrected")
    if corrected is True and keypoint.get("index") is not None and len(keypoint.get("points") or ()) == 1:
        yield 0, int(keypoint["index"])
    elif isinstance(corrected, Sequence) and not isinstance(corrected, str):
        for place, (index, is_corrected) in enumerate(
            zip(keypoint.get("track_numbers") or (), corrected, strict=False)
        ):
            if is_corrected is True and index:
                yield place, int(index)


def check_layout_of(layout: str, label_field: str) -> None:
    """Refuses tracks that are stored so that one of them cannot be changed.

    Raises:
        FieldError: naming the remedy
    """
    if layout == "frame":
        raise FieldError(
            f"The tracks in {label_field!r} are stored in the layout 'frame', in which single points cannot be marked. "
            "Track again with layout='points', or write them anew: write_tracks(sample, "
            f"{label_field!r}, read_tracks(sample, {label_field!r}), overwrite=True)"
        )
