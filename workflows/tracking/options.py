"""What a tracking run is told, checked before anything is read or written.

The defaults of the SDK, the operator's form and the documentation are the
defaults of `TrackOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ...store.database.fields import DEFAULT_LABEL_FIELD, check_label_name
from ...store.labels.prompts.points import PromptRules, check_classes
from ...store.runs.records import check_key_name
from ...store.tracks.keypoints import check_document_size, check_layout
from ...store.tracks.source_links import FILEPATH
from ...tracker.errors import LimitError, OptionError, QueryError
from ...tracker.models.base import Tracker
from ...tracker.models.registry import DEFAULT_TRACKER, check_tracker_options, tracker_info
from ...tracker.queries.grid import check_frame_index, check_grid_size
from ...tracker.queries.points import point_rows
from ...tracker.video.sampling import Sampling, as_sampling
from ..lifecycle.kinds import TRACKING_METHOD
from ..lifecycle.options import FormInput, RunOptions, facts_of, given_options, option

WRITE_TO = {
    "media": "The frames of the tracked media",
    "source": "The frames of the source it was preprocessed from",
}

ENGINES = {
    "local": "This machine",
    "ray": "A Ray cluster: every worker reads the videos and writes to the database itself",
}

KEEP, LEAVE_OUT, SNAP_TO_TEXTURE = "keep", "leave_out", "snap_to_texture"
FEATURELESS_CHOICES = {
    KEEP: "Track them, and say how many they are",
    LEAVE_OUT: "Leave them out",
    SNAP_TO_TEXTURE: "Move them to the nearest corner, where there is one",
}

# one clip's tracks are held in memory (13 bytes each) and stored (45 to 190 bytes each)
MAX_POINTS_X_FRAMES = 50_000_000


_CLUSTER = {
    "not_in_model": "apply_model runs on this machine; use track_dataset",
    "on_workers": False,
    "group": "cluster",
}


@dataclass(frozen=True)
class TrackOptions(RunOptions):
    """The options of `track_dataset`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        FieldError: for a label field with a bad name
        QueryError: for points that are no (t, x, y)
        LimitError: for more points than a frame's document can hold
    """

    METHOD = TRACKING_METHOD
    AGAIN = "overwrite=True or skip_existing=True"

    label_field: str = option(
        DEFAULT_LABEL_FIELD, not_in_model="give it to apply_model(model, label_field=...), or use store_in"
    )
    tracker: str | Tracker = option(DEFAULT_TRACKER, not_in_model="it is the model's name")  # noqa: RUF009
    tracker_options: Mapping[str, Any] | None = option(
        None, not_in_model="pass the tracker's options to load_model directly"
    )
    grid_size: int = 14  # leaves the picture visible in the grid of the App
    frame_index: int = 0
    mask_field: str | None = None
    points_per_object: int | None = None
    points: Sequence[Sequence[float]] | Mapping[str, Sequence[Sequence[float]]] | str | None = None
    classes: Sequence[str] | str | None = None
    prompt_frames: str = "first"
    featureless: str = option(
        KEEP,
        form=FormInput(
            "Points of a grid on featureless ground",
            "Sky, water, plain walls: tracks are wrong there far more often",
            choices=FEATURELESS_CHOICES,
        ),
        not_in_model="load_model tracks every point; use track_dataset",
    )
    backward: bool = option(
        False,
        form=FormInput(
            "Track backward too",
            "Also follow points from their frame towards the start of the video",
            section="prompt",
        ),
    )
    sampling: Sampling | Mapping[str, Any] | None = None
    layout: str = "points"
    keep_hidden: bool = False
    overwrite: bool = False
    replace_labels: int | None = option(
        None, not_in_model="apply_model replaces no labels that no run made; use track_dataset", on_workers=False
    )
    discard_corrections: bool = option(
        False,
        form=FormInput(
            "Discard corrections",
            "Where tracks are replaced: also replace what was corrected by hand. Off: corrections stay, and corrected "
            "tracks pass through them",
        ),
        not_in_model="apply_model replaces no corrected tracks; use track_dataset",
    )
    skip_existing: bool = option(False, not_in_model="apply_model the samples that lack tracks, or use track_dataset")
    media_field: str = option(FILEPATH, not_in_model="apply_model reads the samples' filepath; use track_dataset")
    write_to: str = option("media", not_in_model="tracks stay on the frames of the tracked media; use track_dataset")
    interpolate: bool = option(False, not_in_model="only track_dataset fills frames of a source")
    only_failed_of: str | None = option(
        None, not_in_model="apply_model records no run; use track_dataset", on_workers=False
    )
    wait_for_others: bool = option(
        False,
        form=FormInput(
            "Wait for other runs",
            "Where another run is writing the same field: wait for it instead of leaving the sample to it",
        ),
        not_in_model="apply_model the samples that are left, or use track_dataset",
    )
    engine: str = option("local", not_in_model=_CLUSTER["not_in_model"], on_workers=False)
    address: str | None = option(None, not_recorded="it may hold a password", **_CLUSTER)
    num_workers: int | None = option(None, **_CLUSTER)
    gpus_per_worker: float = option(0.0, **_CLUSTER)
    path_map: Mapping[str, str] | None = option(None, **_CLUSTER)
    run_key: str | None = option(
        None,
        not_recorded="it is the record's own name",
        not_in_model="apply_model records no run; use track_dataset",
    )
    checked_sampling: Sampling = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_label_name(self.label_field)
        self._check_tracker()
        object.__setattr__(self, "points", self._plain_points())
        self._check_prompts()
        object.__setattr__(self, "checked_sampling", as_sampling(self.sampling))
        super().__post_init__()
        check_layout(self.layout, self.keep_hidden)
        if not isinstance(self.featureless, str) or self.featureless not in FEATURELESS_CHOICES:
            choices = ", ".join(FEATURELESS_CHOICES)
            raise OptionError(f"Invalid featureless ({self.featureless!r}). Supported values are {choices}")
        if self.overwrite and self.skip_existing:
            raise OptionError("overwrite and skip_existing exclude each other: replace finished samples, or leave them")
        number = self.replace_labels
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 1):
            raise OptionError(
                f"Invalid replace_labels ({number!r}). Expected the number of labels that may be replaced, or None"
            )
        self._check_media()
        self._check_engine()
        if self.only_failed_of is not None:
            check_key_name(self.only_failed_of, "only failed of")
        if self.num_points_known is not None:
            check_document_size(self.num_points_known, self.layout, self.keep_hidden, self.interpolate)

    @property
    def base_key(self) -> str:
        return f"track_{self.label_field}"

    @property
    def may_replace(self) -> bool:
        return self.overwrite or self.skip_existing

    def for_workers(self) -> dict[str, Any]:
        """The options that the workers of a cluster are told, as values that any copy of this package understands."""
        names = [spec.name for spec in given_options(type(self)) if facts_of(spec).on_workers]
        return {**{name: getattr(self, name) for name in names}, "sampling": self.recorded("sampling")}

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
        # refuses what is not supported, and holds classes as a list
        object.__setattr__(self, "classes", self.prompt_rules.classes)
        if self.points is not None and self.mask_field is not None:
            raise OptionError("points and mask_field are both set. Choose one kind of prompt")
        for name in ("mask_field", "points"):
            if getattr(self, name) == "":
                raise OptionError(f"Invalid {name} (an empty name). Use None for none")
        if self.points is not None and not isinstance(self.points, str | Mapping) and not len(self.points):
            raise QueryError("The list of points is empty. Give at least one (t, x, y), or None for a grid")

    def _plain_points(self) -> Any:
        """The points as lists of numbers, whatever they were held in, so that they are compared and recorded as such.

        Raises:
            QueryError: for points that are no (t, x, y)
        """
        points = self.points
        if points is None or isinstance(points, str):
            return points
        if not isinstance(points, Mapping):
            return point_rows(points)
        plain_points = {}
        for sample_id, rows in points.items():
            try:
                plain_points[str(sample_id)] = point_rows(rows)
            except QueryError as error:
                raise QueryError(f"Points of sample {sample_id}: {error}") from error
        return plain_points

    @property
    def prompt_rules(self) -> PromptRules:
        """How points are chosen from labels."""
        classes = None if self.classes is None else check_classes(self.classes)
        return PromptRules(self.points_per_object, classes, self.prompt_frames)

    @property
    def tracker_name(self) -> str:
        return self.tracker if isinstance(self.tracker, str) else self.tracker.name

    @property
    def asks_all_alike(self) -> bool:
        """Whether the prompt is one for all samples, some of whose videos may be too short or too small for it."""
        return self.points is None or not isinstance(self.points, str | Mapping)

    @property
    def num_points_known(self) -> int | None:
        """Points per sample where that is known without looking at samples; a mask only lowers it."""
        if self.points is None:
            return None if self.mask_field else self.grid_size**2
        if isinstance(self.points, (str, Mapping)):
            return None
        return len(self.points)

    def recorded(self, name: str) -> Any:
        if name == "points":
            return self._recorded_points()
        if name == "sampling":
            return {k: v for k, v in asdict(self.checked_sampling).items() if v is not None} or None
        return super().recorded(name)

    def _recorded_points(self) -> Any:
        points = self.points
        if points is None or isinstance(points, str):
            return points
        return "per sample" if isinstance(points, Mapping) else points

    def to_record(self) -> dict[str, Any]:
        """As of `RunOptions`, with the terms of the tracker's weights."""
        record = super().to_record()
        if isinstance(self.tracker, str):
            info = tracker_info(self.tracker)
            record["weights"] = {"license": info.weights_license, "from": info.weights_from}
        return record


TRACK_DEFAULTS = TrackOptions()


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
