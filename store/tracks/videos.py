"""A FiftyOne sample as a video: its dataset, its frame size, its metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import fiftyone as fo
from bson import ObjectId
from fiftyone.core.clips import ClipsView, ClipView
from fiftyone.core.collections import SampleCollection
from fiftyone.core.sample import SampleView

from ...tracker.errors import CollectionError, VideoError
from ...tracker.video.frames import VideoFrames
from ...tracker.video.probe import VideoProbe, counted, frames_out_of_step, probe, steady_rate
from ..database.connection import changing_document, retried

_UNKNOWN_REMEDY = (
    "Where they are videos, rename them to a video's ending, such as .mp4 or .mkv (the content stays as it is), or add "
    "them to a new dataset as fo.Sample(filepath=..., media_type='video'). What a browser cannot play the App cannot "
    "show: preprocess_dataset makes copies that it shows"
)
# share by which rates and durations may differ from what other programs stored
_ROUNDED = 0.01


@dataclass(frozen=True)
class VideoShape:
    """What reading and writing tracks needs to know of a video.

    Args:
        size_px: (width, height) of the displayed frame
        num_frames: frames that decode
    """

    size_px: tuple[int, int]
    num_frames: int


def dataset_of(sample: fo.Sample | SampleView) -> tuple[fo.Dataset, str]:
    """The dataset and the id of a video sample.

    Args:
        sample: a video sample of a dataset or view

    Returns:
        the dataset, and the sample's id in it

    Raises:
        CollectionError: if it is no video sample of a dataset
    """
    if not isinstance(sample, (fo.Sample, SampleView)) or not sample.in_dataset:
        raise CollectionError("Expected a sample of a dataset. Add the sample to a dataset first")
    if isinstance(sample, ClipView):
        raise CollectionError("This is a clip, not a whole video. Pass its video: dataset[clip.sample_id]")
    if sample.media_type != "video":
        raise CollectionError(f"The sample's media type is {sample.media_type!r}. Point tracks need a video sample")
    return sample.dataset, sample.id


def select_videos(dataset: fo.Dataset, sample_ids: str | Sequence[str]) -> fo.DatasetView:
    """Chooses video samples by their ids.

    Of a grouped dataset `select` alone finds only samples of the active slice.

    Args:
        dataset: a dataset of videos, or a grouped one
        sample_ids: of one sample or several

    Returns:
        the view
    """
    return videos_of(dataset).select(sample_ids)


def opened_video(dataset: fo.Dataset, view: SampleCollection | None, sample_id: str | None) -> fo.Sample | SampleView:
    """The video that is open in the App.

    Args:
        dataset: that the App shows
        view: that it shows of it; in a view of clips samples are parts of videos
        sample_id: of the open sample, a clip or a video in a slice of a group; None where none is open

    Returns:
        the whole video, as a sample of the dataset

    Raises:
        CollectionError: if no video is open
    """
    if sample_id is None:
        raise CollectionError("No video is open. Open a sample of the grid")
    sample_id = video_id_of(view, sample_id)
    found = [] if dataset.media_type not in ("video", "group") else select_videos(dataset, sample_id).limit(1)
    for sample in found:
        if sample.media_type == "video":
            return dataset[sample.id] if dataset.media_type == "video" else sample
    if view is not None and view.media_type == "image" and dataset.media_type == "video":
        raise CollectionError(
            "What is open is a frame of a video, or a part of one. Leave this view by the 'x' of the bar above the "
            "grid, and open the video"
        )
    raise CollectionError(
        "What is open is no video, or is not in this dataset any more. Point tracks need a video sample"
    )


def video_id_of(view: SampleCollection | None, sample_id: str) -> str:
    """The id of the video that a sample of the App is: of a clip, the video that it is a part of.

    Args:
        view: that the App shows
        sample_id: of a sample in it
    """
    if view is None or not shows_clips(view):
        return sample_id
    of_clip = dict(zip(*view.values(["id", "sample_id"]), strict=True))
    return str(of_clip.get(sample_id, sample_id))


def shows_clips(samples: SampleCollection | None) -> bool:
    """Whether a collection holds clips of videos."""
    return isinstance(samples, ClipsView)


def whole_videos(samples: SampleCollection) -> SampleCollection:
    """Of a view of clips the videos that they are parts of, each once; any other as it is."""
    if not shows_clips(samples):
        return samples
    # what the clips were made from may filter labels
    return samples._source_collection.select(sorted(set(samples.values("sample_id"))))


def videos_of(samples: SampleCollection) -> SampleCollection:
    """Of a grouped collection the slices that are videos, whichever is active; any other as it is."""
    # a view that groups samples of its own accord has no slices
    if samples.media_type != fo.core.media.GROUP or samples._dataset.media_type != fo.core.media.GROUP:
        return samples
    has_videos = fo.core.media.VIDEO in samples._dataset.group_media_types.values()
    return samples.select_group_slices(media_type=fo.core.media.VIDEO) if has_videos else samples


def frame_size_of(sample: fo.Sample | SampleView) -> tuple[int, int]:
    """(width, height) of a sample's displayed frame; the file is asked first, since metadata ignores rotation.

    Raises:
        VideoError: if neither the file nor the sample's metadata tells
    """
    try:
        return probe(sample.filepath).size_px
    except VideoError:
        return _metadata_shape(sample).size_px


def video_shape_of(sample: fo.Sample | SampleView, *, expected_frames: int) -> VideoShape:
    """Frame size and number of frames of a sample's video.

    Counting exactly means decoding the file, so it is done only where the count
    that the file declares differs from what the caller expects.

    Args:
        sample: a video sample
        expected_frames: how many frames the caller believes there are

    Returns:
        the shape; where the file is not to be had, as the sample's metadata says

    Raises:
        VideoError: if neither the file nor the sample's metadata tells
    """
    try:
        video = VideoFrames(sample.filepath)
    except VideoError:
        return _metadata_shape(sample)
    declared = video.probe.declared_frames
    return VideoShape(video.size_px, declared if declared == expected_frames else video.num_frames)


def _metadata_shape(sample: fo.Sample | SampleView) -> VideoShape:
    metadata = sample.metadata
    if metadata is None or not metadata.frame_width or not metadata.frame_height or not metadata.total_frame_count:
        raise VideoError(
            f"{sample.filepath} cannot be read, and the sample has no metadata to tell its size. "
            "Bring the file back, or set the sample's metadata"
        )
    return VideoShape((metadata.frame_width, metadata.frame_height), metadata.total_frame_count)


def video_metadata(facts: VideoProbe, num_frames: int) -> fo.VideoMetadata:
    """FiftyOne's video metadata from our own probe: no ffprobe is needed, and rotation is right.

    Args:
        facts: about the file
        num_frames: frames that decode, or the best known number

    Returns:
        metadata whose width and height are those of the displayed frame
    """
    return fo.VideoMetadata(
        size_bytes=facts.size_bytes,
        mime_type=facts.mime_type,
        frame_width=facts.width,
        frame_height=facts.height,
        frame_rate=facts.fps,
        total_frame_count=num_frames,
        duration=facts.duration_s,
        encoding_str=facts.codec,
    )


def fill_metadata(samples: SampleCollection) -> int:
    """Gives video samples FiftyOne's metadata where they have none, without ffprobe.

    The App needs the metadata of a video to show it, and calls ffprobe for it
    where a sample has none. Where a file does not list its frames, they are counted by its
    packets; what a run decodes later corrects the numbers.

    Args:
        samples: a video dataset or view

    Returns:
        the number of samples that were given metadata; files that cannot be read are left alone
    """
    found = {}
    for sample_id, path, width in zip(*samples.values(["id", "filepath", "metadata.frame_width"]), strict=True):
        if width is not None:
            continue
        try:
            facts = counted(probe(path))
        except VideoError:
            continue
        found[sample_id] = video_metadata(facts, facts.num_frames)
    if found:
        samples._dataset.set_values("metadata", found, key_field="id")
    return len(found)


@retried
def store_metadata(dataset: fo.Dataset, sample_id: str, video: VideoFrames) -> None:
    """Gives a sample metadata where it has none, and corrects its numbers where the video was decoded to its end.

    Everything else that a user's own metadata says stays.

    Args:
        dataset: the dataset
        sample_id: the sample
        video: its opened video
    """
    metadata = video_metadata(video.probe, video.num_frames_hint)
    with changing_document:
        if dataset.get_field("metadata.frame_width") is None:
            # makes the field one of videos' metadata
            dataset.add_sample_field("metadata", fo.EmbeddedDocumentField, embedded_doc_type=fo.VideoMetadata)
    here = {"_id": ObjectId(sample_id)}
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    # in one step, where set_values looks first, and leaves objects that are freed late
    dataset._sample_collection.update_one(
        {**here, "metadata.frame_width": None}, {"$set": {"metadata": metadata.to_dict(), "last_modified_at": now}}
    )
    if video.probe.exact_frames is not None:
        exact = {
            "metadata.total_frame_count": metadata.total_frame_count,
            "metadata.frame_rate": metadata.frame_rate,
            "metadata.duration": metadata.duration,
        }
        wrong = {"$or": [{name: {"$not": _near(value)}} for name, value in exact.items()]}
        dataset._sample_collection.update_one({**here, **wrong}, {"$set": {**exact, "last_modified_at": now}})
    fo.Sample._reload_docs(dataset._sample_collection_name, sample_ids=[sample_id])


def _near(value: float) -> dict[str, float]:
    """The condition that a stored number is this one, whole numbers exactly and others but for what programs round."""
    slack = 0 if isinstance(value, int) else _ROUNDED * abs(value)
    return {"$gte": value - slack, "$lte": value + slack}


def playback_warnings(video: VideoFrames) -> list[str]:
    """What to say of a video whose labels the App draws on other pictures than they belong to.

    Args:
        video: decoded to its end, else nothing is known
    """
    number = frames_out_of_step(video.probe)
    if not number or steady_rate(video.probe) is None:
        return []
    return [
        f"the frame rate of this video varies, and FiftyOne's App counts frames by an even rate: in {number} of "
        f"{video.num_frames_hint} frames it draws labels on another picture than they belong to. The stored tracks are "
        f"right; to see them so, make a regular copy first: preprocess_dataset(..., fps={steady_rate(video.probe):g})"
    ]


def check_collection(samples: SampleCollection) -> None:
    """Refuses collections that hold no whole videos.

    Args:
        samples: a dataset or view

    Raises:
        CollectionError: saying what was found and what to pass instead
    """
    if not isinstance(samples, SampleCollection):
        raise CollectionError(f"Expected a FiftyOne dataset or view, found {type(samples).__name__}")
    if shows_clips(samples):
        raise CollectionError(
            "This is a clips view: several clips share one video's frames. Pass the dataset or view that the clips "
            "were made from, e.g. dataset.select(clips.values('sample_id'))"
        )
    if getattr(samples, "_is_dynamic_groups", False):
        raise CollectionError(
            "This view groups its samples (group_by). Pass the videos one by one: view.flatten(), or the dataset or "
            "view that the groups were made from"
        )
    if samples.media_type == fo.core.media.GROUP:
        raise CollectionError(_about_groups(samples._dataset.group_media_types))
    # an empty dataset has no media type yet
    if samples.media_type in ("video", None):
        return
    if samples.media_type == fo.core.media.UNKNOWN:
        endings = {os.path.splitext(path)[1].lower() or "none" for path in samples.limit(1000).values("filepath")}
        raise CollectionError(
            f"FiftyOne tells videos by the ending of their file names, and takes these ({', '.join(sorted(endings))}) "
            f"for no videos. {_UNKNOWN_REMEDY}"
        )
    raise CollectionError(
        f"Expected videos, and the media type of this collection is {samples.media_type!r}. "
        "Choose a dataset or view of videos"
    )


def _about_groups(media_types: Mapping[str, str]) -> str:
    """What to do with a grouped collection, of the media types of its slices."""
    videos = sorted(name for name, kind in media_types.items() if kind == fo.core.media.VIDEO)
    if videos:
        return (
            f"This is a grouped collection. Choose a slice of videos first: samples.select_group_slices({videos[0]!r})"
            + (f", or one of {', '.join(map(repr, videos[1:]))}" if len(videos) > 1 else "")
        )
    found = ", ".join(f"{name!r} holds {kind!r}" for name, kind in sorted(media_types.items())) or "there are no slices"
    remedy = f" {_UNKNOWN_REMEDY}" if fo.core.media.UNKNOWN in media_types.values() else ""
    return f"This is a grouped collection without a slice of videos: {found}. Choose videos.{remedy}"


def holds_nothing(samples: SampleCollection) -> bool:
    """Whether a collection is empty. `len` only estimates that of a dataset: wrongly, where the server was killed."""
    return not samples.limit(1).values("id")
