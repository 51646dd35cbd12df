"""What to say of a video's file: tracks stay where they were stored when it is lost, broken or replaced by another."""

from __future__ import annotations

import fiftyone as fo

from ...tracker.errors import VideoError
from ...tracker.video.probe import VideoProbe, probe
from ...workflows.lifecycle.app_words import in_app_words

# share of the frames by which containers and what decodes may differ: those of one video, too
_FRAMES_OFF = 0.02


def told_of_file(sample: fo.Sample, num_frames: int) -> list[str]:
    """What a person has to know of the file that tracks are shown on.

    Args:
        sample: a video of a dataset
        num_frames: of the video that was tracked

    Returns:
        sentences; none where the file is, as far as it says, the one that was tracked
    """
    try:
        facts = probe(sample.filepath)
    except VideoError as error:
        return [in_app_words(f"The video cannot be read, so nothing can be followed again: {error}")]
    told = _differences(sample, facts, num_frames)
    if not told:
        return []
    return [f"This may be another video than the one that was tracked: {' and '.join(told)}. Track it again if it is"]


def _differences(sample: fo.Sample, facts: VideoProbe, num_frames: int) -> list[str]:
    told = []
    found = facts.num_frames
    if found and abs(found - num_frames) > max(_FRAMES_OFF * num_frames, 1):
        told.append(f"the file has {found:,} frames, the tracks are of {num_frames:,}")
    width, height = (getattr(sample.metadata, name, None) for name in ("frame_width", "frame_height"))
    # other programs store the size before rotation
    if width and height and sorted((width, height)) != sorted(facts.size_px):
        told.append(f"it is {facts.width} x {facts.height} pixels, not {width} x {height} as the dataset says")
    return told
