"""What a tracking run is told, checked before anything is read or written.

The defaults of the SDK, the operator's form and the documentation are the
defaults of `TrackOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ...store.database.fields import check_label_name
from ...store.tracks.keypoints import check_document_size, check_layout
from ...store.tracks.source_links import FILEPATH
from ...tracker.errors import LimitError, OptionError, QueryError
from ...tracker.flags import check_flags
from ...tracker.models.base import Tracker
from ...tracker.models.registry import DEFAULT_TRACKER, check_tracker_options, tracker_info
from ...tracker.queries.grid import check_frame_index, check_grid_size
from ...tracker.queries.points import point_queries
from ...tracker.video.sampling import Sampling, as_sampling

WRITE_TO = {
    "media": "The frames of the tracked media",
    "source": "The frames of the source it was preprocessed from",
}

ENGINES = {
    "local": "This machine",
    "ray": "A Ray cluster: every worker reads the videos and writes to the database itself",
}

# one clip's tracks are held in memory (13 bytes each) and stored (45 to 190 bytes each)
MAX_POINTS_X_FRAMES = 50_000_000


@dataclass(frozen=True)
class TrackOptions:
    """The options of `track_dataset`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        FieldError: for a label field with a bad name
        QueryError: for points that are no (t, x, y)
        LimitError: for more points than a frame's document can hold
    """

    label_field: str = "tracks"
    tracker: str | Tracker = DEFAULT_TRACKER
    tracker_options: Mapping[str, Any] | None = None
    grid_size: int = 30
    frame_index: int = 0
    mask_field: str | None = None
    points: Sequence[Sequence[float]] | Mapping[str, Sequence[Sequence[float]]] | str | None = None
    backward: bool = False
    sampling: Sampling | Mapping[str, Any] | None = None
    layout: str = "points"
    keep_hidden: bool = False
    overwrite: bool = False
    skip_existing: bool = False
    media_field: str = FILEPATH
    write_to: str = "media"
    interpolate: bool = False
    only_failed_of: str | None = None
    wait_for_others: bool = False
    engine: str = "local"
    address: str | None = None
    num_workers: int | None = None
    gpus_per_worker: float = 0.0
    path_map: Mapping[str, str] | None = None
    run_key: str | None = None
    checked_sampling: Sampling = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_label_name(self.label_field)
        self._check_tracker()
        self._check_prompts()
        object.__setattr__(self, "checked_sampling", as_sampling(self.sampling))
        check_flags(self, "backward", "keep_hidden", "overwrite", "skip_existing", "interpolate", "wait_for_others")
        check_layout(self.layout, self.keep_hidden)
        if self.overwrite and self.skip_existing:
            raise OptionError("overwrite and skip_existing exclude each other: replace finished samples, or leave them")
        self._check_media()
        self._check_engine()
        for name in ("run_key", "only_failed_of"):
            key = getattr(self, name)
            if key is not None and not (isinstance(key, str) and key.isidentifier()):
                raise OptionError(
                    f"Invalid {name.replace('_', ' ')} ({key!r}). A run key consists of letters, digits and "
                    "underscores and starts with a letter"
                )
        if self.num_points_known is not None:
            check_document_size(self.num_points_known, self.layout, self.keep_hidden, self.interpolate)

    def _check_media(self) -> None:
        if self.write_to not in WRITE_TO:
            raise OptionError(f"Invalid write_to ({self.write_to!r}). Supported values are {', '.join(WRITE_TO)}")
        if not isinstance(self.media_field, str) or not self.media_field:
            raise OptionError(f"Invalid media_field ({self.media_field!r}). Expected the name of a sample field")
        if self.media_field != FILEPATH and self.write_to == "media":
            raise OptionError(
                f"The frames of a sample are those of its filepath, so tracks of the media in {self.media_field!r} "
                "have no frames of their own. Use write_to='source'"
            )
        if self.interpolate and self.write_to == "media":
            raise OptionError("interpolate fills the source's frames between preprocessed ones. Use write_to='source'")
        if self.media_field != FILEPATH and isinstance(self.points, str):
            raise OptionError(
                f"The points field {self.points!r} speaks of the source's frames, which the media in "
                f"{self.media_field!r} does not all have. Give points, a mask or a grid"
            )

    def _check_engine(self) -> None:
        if self.engine not in ENGINES:
            raise OptionError(f"Invalid engine ({self.engine!r}). Supported values are {', '.join(ENGINES)}")
        if self.engine == "local":
            given = [name for name in ("address", "num_workers", "path_map") if getattr(self, name) is not None]
            given += ["gpus_per_worker"] if self.gpus_per_worker else []
            if given:
                raise OptionError(f"{', '.join(given)} go with engine='ray'; a local run has no workers elsewhere")
            return
        if not isinstance(self.tracker, str):
            raise OptionError(
                "With engine='ray' each worker loads the tracker itself: give its name and tracker_options"
            )
        workers, gpus = self.num_workers, self.gpus_per_worker
        if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 1):
            raise OptionError(f"Invalid num_workers ({workers!r}). Expected a whole number of at least 1, or None")
        if not isinstance(gpus, (int, float)) or isinstance(gpus, bool) or not gpus >= 0:
            raise OptionError(f"Invalid gpus_per_worker ({gpus!r}). Expected a number of at least 0, such as 1 or 0.5")
        if self.path_map is not None and not _is_path_map(self.path_map):
            raise OptionError(f"Invalid path_map ({self.path_map!r}). Expected {{'/path/here': '/path/on/the/nodes'}}")

    def _check_tracker(self) -> None:
        if isinstance(self.tracker, Tracker):
            if self.tracker_options:
                raise OptionError("tracker_options go with a tracker's name; this tracker is loaded already")
            return
        tracker_info(self.tracker)
        if self.tracker_options is not None and not isinstance(self.tracker_options, Mapping):
            raise OptionError(f"Invalid tracker_options ({self.tracker_options!r}). Expected a dict")
        if self.tracker_options:
            check_tracker_options(self.tracker, self.tracker_options)

    def _check_prompts(self) -> None:
        check_grid_size(self.grid_size)
        check_frame_index(self.frame_index)
        if self.points is not None and self.mask_field is not None:
            raise OptionError("points and mask_field are both set. Choose one kind of prompt")
        for name in ("mask_field", "points"):
            if getattr(self, name) == "":
                raise OptionError(f"Invalid {name} (an empty name). Use None for none")
        if self.points is None or isinstance(self.points, str):
            return
        if isinstance(self.points, Mapping):
            for sample_id, rows in self.points.items():
                try:
                    point_queries(rows)
                except QueryError as error:
                    raise QueryError(f"Points of sample {sample_id}: {error}") from error
        elif len(point_queries(self.points)) == 0:
            raise QueryError("The list of points is empty. Give at least one (t, x, y), or None for a grid")

    @property
    def tracker_name(self) -> str:
        return self.tracker if isinstance(self.tracker, str) else self.tracker.name

    @property
    def num_points_known(self) -> int | None:
        """Points per sample where that is known without looking at samples; a mask only lowers it."""
        if self.points is None:
            return None if self.mask_field else self.grid_size**2
        if isinstance(self.points, (str, Mapping)):
            return None
        return len(self.points)

    def to_record(self) -> dict[str, Any]:
        """The options as JSON-serialisable values, for the run record."""
        points = self.points
        if points is not None and not isinstance(points, str):
            points = "per sample" if isinstance(points, Mapping) else [[float(v) for v in row] for row in points]
        return {
            "label_field": self.label_field,
            "tracker": self.tracker_name,
            "tracker_options": dict(self.tracker_options or {}),
            "grid_size": self.grid_size,
            "frame_index": self.frame_index,
            "mask_field": self.mask_field,
            "points": points,
            "backward": self.backward,
            "sampling": {k: v for k, v in asdict(self.checked_sampling).items() if v is not None} or None,
            "layout": self.layout,
            "keep_hidden": self.keep_hidden,
            "overwrite": self.overwrite,
            "skip_existing": self.skip_existing,
            "media_field": self.media_field,
            "write_to": self.write_to,
            "interpolate": self.interpolate,
            "only_failed_of": self.only_failed_of,
            "wait_for_others": self.wait_for_others,
            "engine": self.engine,
            "num_workers": self.num_workers,
            "gpus_per_worker": self.gpus_per_worker,
        }


DEFAULTS = TrackOptions()


def _is_path_map(value: Any) -> bool:
    paths = [path for pair in value.items() for path in pair] if isinstance(value, Mapping) else [None]
    return all(isinstance(path, str) and path for path in paths)


def check_track_size(num_points: int, num_frames: int) -> None:
    """Refuses a clip whose tracks would not fit in memory and in the database.

    Args:
        num_points: tracks
        num_frames: frames to track them through

    Raises:
        LimitError: naming the limit and what lowers the number
    """
    if num_points * num_frames > MAX_POINTS_X_FRAMES:
        raise LimitError(
            f"{num_points:,} points x {num_frames:,} frames = {num_points * num_frames:,} positions, above the limit "
            f"of {MAX_POINTS_X_FRAMES:,} per video. Use a smaller grid, a mask, or frame sampling"
        )
