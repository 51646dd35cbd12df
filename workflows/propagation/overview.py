"""What a propagation would do, told before it is started."""

from __future__ import annotations

from dataclasses import dataclass, field

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.tracks.videos import frame_size_of
from ...tracker.errors import VideoError
from ...tracker.video.frames import VideoFrames
from .options import PropagateOptions
from .planning.plan import SamplePlan
from .planning.prompts import Clip
from .stored_labels import StoredLabels

# a form is built with every keystroke
SAMPLES_LOOKED_AT = 20


@dataclass
class Overview:
    """What a propagation would read and write.

    Args:
        num_samples: that were looked at
        num_keyframes: that are there
        num_objects: that have keyframes
        num_to_fill: frames of these objects that would be computed
        num_unchanged: frames that an earlier run filled from the same keyframes
        num_unmarked: labels that do not say whether they are keyframes, of objects that have keyframes
        num_without_identity: prompts that get an instance
        num_corrected: keyframes that a person put into the output field
        namesakes: what several objects of one video are called, each of which has a single keyframe
        warnings: what the user should know, in words
    """

    num_samples: int = 0
    num_keyframes: int = 0
    num_objects: int = 0
    num_to_fill: int = 0
    num_unchanged: int = 0
    num_unmarked: int = 0
    num_without_identity: int = 0
    num_corrected: int = 0
    namesakes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def overview_of(samples: SampleCollection, options: PropagateOptions) -> Overview:
    """Looks at the labels of some samples.

    Args:
        samples: a dataset or view; at most `SAMPLES_LOOKED_AT` of it are looked at
        options: what the run would be told

    Returns:
        the numbers
    """
    found, stored = Overview(), StoredLabels(samples, options)
    for sample in samples.limit(SAMPLES_LOOKED_AT).select_fields("metadata"):
        clip = _clip_of(sample)
        if clip is None:
            continue
        plan = stored.plan(clip)
        found.num_samples += 1
        found.num_keyframes += plan.num_keyframes
        found.num_objects += sum(bool(one.keyframes) for one in plan.objects)
        found.num_to_fill += plan.num_to_fill
        found.num_unchanged += plan.num_unchanged
        found.num_unmarked += plan.num_unmarked
        found.num_without_identity += plan.num_without_identity
        found.num_corrected += plan.num_corrected
        found.namesakes += [name for name in _namesakes(plan) if name not in found.namesakes]
        found.warnings += [warning for warning in plan.warnings if warning not in found.warnings]
    return found


def _namesakes(plan: SamplePlan) -> list[str]:
    """Names of objects that may have been meant as one: drawn once each, in different frames, under one name."""
    drawn: dict[str, set[int]] = {}
    for one in plan.objects:
        if len(one.keyframes) == 1:
            (keyframe,) = one.keyframes
            drawn.setdefault(str(one.prompts[keyframe.t].get("label")), set()).add(keyframe.t)
    return sorted(name for name, frames in drawn.items() if len(frames) > 1)


def _clip_of(sample: fo.Sample) -> Clip | None:
    """From the metadata where there are any; the run itself counts the frames that decode."""
    metadata = sample.metadata
    try:
        size_px = frame_size_of(sample)
        if metadata is not None and metadata.total_frame_count:
            return Clip(sample.id, size_px, metadata.total_frame_count)
        return Clip(sample.id, size_px, VideoFrames(sample.filepath).num_frames_hint)
    except VideoError:
        return None
