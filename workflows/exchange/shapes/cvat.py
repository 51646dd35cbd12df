"""One sample's labels as a file of "CVAT for video 1.1", and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fiftyone.core.collections import SampleCollection

from ....store.labels.frame_labels import read_values
from ....store.labels.shapes import check_shapes_field
from ....store.tracks.sample_status import read_marks
from ....store.tracks.videos import VideoShape, select_videos, video_shape_of
from ....tracker.errors import FormatError
from ....tracker.formats.annotation.cvat_reader import CvatVideo, read_cvat_video
from ....tracker.formats.annotation.cvat_video import write_cvat_video
from ....tracker.formats.annotation.tracked_shapes import AnnotatedVideo, ShapeTrack
from ..files import SampleFile
from ..options import ExportOptions, ImportOptions
from ..report import FileOutcome
from ..targets import ExportTarget
from .choosing import chosen_tracks
from .from_labels import shape_tracks_of
from .notes import TRACKS, numbered
from .to_labels import ListLabels, check_list_target, list_kind_of, list_labels_of, store_list_labels
from .to_points import PointTracks, check_points_target, point_tracks_of, store_point_tracks

# what a file that says no names of fields holds, and where it is put
FOREIGN_FIELDS = {TRACKS: "tracks", "Keypoints": "keypoints", "Detections": "boxes", "Polylines": "polylines"}


def export_cvat(
    samples: SampleCollection, one: SampleFile, target: ExportTarget, fields: Sequence[str], options: ExportOptions
) -> Callable[[], FileOutcome]:
    """Reads one sample's labels for its file.

    Args:
        samples: a dataset or view; labels that a view hides are not written
        one: the file, and what it is of
        target: the sample, or its source
        fields: frame fields with point tracks, Keypoints, Detections or Polylines
        options: of the export

    Returns:
        what writes the file, and tells what was written; it may raise an OutputError or a FormatError

    Raises:
        FieldError, VideoError
    """
    left_out: Counter[str] = Counter()
    tracks, video = read_shape_tracks(samples, target.sample_id, fields, left_out)
    tracks, video = chosen_tracks(tracks, video, target.link, options, left_out)
    about = AnnotatedVideo(Path(one.media_path).name, video.num_frames, video.size_px)

    def write() -> FileOutcome:
        shifted = [track.shifted(options.first_frame) for track in numbered(tracks)]
        write_cvat_video(one.path, about, shifted, overwrite=options.overwrite)
        return FileOutcome(
            str(one.path),
            one.sample_id,
            one.media_path,
            num_tracks=len(tracks),
            num_labels=sum(not shape.outside for track in tracks for shape in track.shapes),
            left_out=left_out,
        )

    return write


def read_shape_tracks(
    samples: SampleCollection, sample_id: str, fields: Sequence[str], left_out: Counter[str]
) -> tuple[list[ShapeTrack], VideoShape]:
    """A sample's labels as tracks of shapes, not numbered yet, and the video that they are of.

    Args:
        samples: a dataset or view; labels that a view hides are not read
        sample_id: the sample
        fields: frame fields
        left_out: counts what a file cannot hold

    Raises:
        FieldError, VideoError
    """
    dataset = samples._dataset
    names = [check_shapes_field(dataset, name) for name in fields]
    found = [read_values(samples, sample_id, f"frames.{name}", 0) for name in names]
    latest = max((t for values in found if values is not None for t, _ in values.frames), default=-1)
    video = video_shape_of(select_videos(dataset, sample_id).first(), expected_frames=latest + 1)
    tracks: list[ShapeTrack] = []
    for name, values in zip(names, found, strict=True):
        if values is not None:
            mark = read_marks(dataset, [sample_id], name).get(sample_id)
            tracks.extend(shape_tracks_of(values, mark, video, left_out))
    return tracks, video


def import_cvat(samples: SampleCollection, one: SampleFile, options: ImportOptions) -> FileOutcome:
    """Reads one sample's file into its frame fields; nothing is written before all of it was read.

    Args:
        samples: of the dataset
        one: the sample and its file
        options: of the import

    Returns:
        what was read

    Raises:
        FormatError, FieldError, VideoError
    """
    fill, overwrite = options.interpolate, options.overwrite
    dataset = samples._dataset
    opened = read_cvat_video(one.path)
    sample = select_videos(dataset, one.sample_id).first()
    video = video_shape_of(sample, expected_frames=opened.video.num_frames or 0)
    warnings = _check_video(opened, video.size_px, video.num_frames, one.path)
    groups: dict[tuple[str, str], list[ShapeTrack]] = {}
    undeclared: set[str] = set()
    for track in (track.shifted(-options.first_frame) for track in opened.tracks):
        groups.setdefault(_group_of(track), []).append(track)
        if track.label not in opened.labels:
            undeclared.add(track.label)
    if undeclared:
        warnings.append(f"labels that the file uses and does not declare: {', '.join(sorted(undeclared))}")
    targets = _targets(list(groups), options.field, one.path)
    made: list[tuple[str, PointTracks | ListLabels]] = []
    for group, tracks in groups.items():
        if group[1] == TRACKS:
            made.append((targets[group], point_tracks_of(tracks, video.num_frames, fill=fill)))
        else:
            made.append((targets[group], list_labels_of(tracks, video.size_px, video.num_frames, fill=fill)))
    for name, one_field in made:
        check = check_points_target if isinstance(one_field, PointTracks) else check_list_target
        check(dataset, one.sample_id, name, one_field, overwrite=overwrite)  # type: ignore[arg-type]
    for name, one_field in made:
        if isinstance(one_field, PointTracks):
            store_point_tracks(dataset, one.sample_id, name, one_field, video)
        else:
            store_list_labels(dataset, one.sample_id, name, one_field, overwrite=overwrite)
        warnings += one_field.warnings
    return FileOutcome(
        str(one.path),
        one.sample_id,
        one.media_path,
        num_tracks=sum(map(len, groups.values())),
        num_labels=sum(one_field.num_labels for _, one_field in made),
        num_filled=sum(one_field.num_filled for _, one_field in made),
        left_out=opened.left_out,
        warnings=tuple(warnings),
    )


def _group_of(track: ShapeTrack) -> tuple[str, str]:
    """(field as noted, or "", kind) of a track."""
    field, kind = track.notes.get("field"), track.notes.get("kind")
    if isinstance(field, str) and field and kind in FOREIGN_FIELDS:
        return field, str(kind)
    single = all(shape.kind == "points" and len(shape.xy) == 1 for shape in track.shapes)
    return "", TRACKS if single else list_kind_of(track)


def _targets(
    groups: Sequence[tuple[str, str]], fields: str | Mapping[str, str] | None, path: Path
) -> dict[tuple[str, str], str]:
    """Which field each group of tracks goes into."""
    called = {group: group[0] or FOREIGN_FIELDS[group[1]] for group in groups}
    if isinstance(fields, str):
        bare = fields.removeprefix("frames.")
        if len(groups) > 1:
            raise FormatError(
                f"{path} holds {', '.join(called.values())}, and one field was named. Use field=None to keep their "
                f"names, or say where each goes: field={{{next(iter(called.values()))!r}: {bare!r}, ...}}"
            )
        return dict.fromkeys(groups, bare)
    if fields:
        unknown = set(fields) - set(called.values())
        if unknown:
            raise FormatError(f"{path} holds {', '.join(called.values())}, but not {', '.join(sorted(unknown))}")
        called = {group: fields.get(name, name).removeprefix("frames.") for group, name in called.items()}
    if len(set(called.values())) < len(called):
        raise FormatError(f"{path} would put several kinds of labels into one field. Name one for each: field={{...}}")
    return called


def _check_video(opened: CvatVideo, size_px: tuple[int, int], num_frames: int, path: Path) -> list[str]:
    """Refuses a file of another video; returns what may be meant otherwise."""
    found = opened.video.size_px
    if found != size_px:
        turned = (
            " (a video that is turned for display has to be turned in the file too)" if found == size_px[::-1] else ""
        )
        raise FormatError(
            f"{path} is of a video of {found[0]} x {found[1]} pixels, and this sample's is {size_px[0]} x {size_px[1]}"
            f"{turned}. Import it onto the video that was annotated"
        )
    if opened.video.num_frames not in (None, num_frames):
        return [f"the file says {opened.video.num_frames} frames, and the video has {num_frames}"]
    return []
