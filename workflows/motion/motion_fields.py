"""The sample fields that hold motion, declared so that the App's sidebar filters by them, and views saved of them."""

from __future__ import annotations

import fiftyone as fo
from fiftyone import ViewField as F
from fiftyone.core.odm import create_field

from ...store.database.connection import changing_document, retried
from ...store.database.fields import OWNER_KEY, check_sample_field_name, owner_of, type_name
from ...store.tracks.videos import videos_of
from ...tracker.errors import FieldError, OptionError
from ...tracker.motion.camera import CAMERAS
from ...tracker.motion.description import FIGURES
from .options import MotionOptions

FEATURELESS_SHARE, SOURCE = "featureless_share", "described_from"
CYCLE_ERROR, CYCLE_RETURNED = "cycle_error", "cycle_returned"
# besides those of `FIGURES`, which tracks alone tell
_SUBFIELDS: dict[str, tuple[type[fo.Field], str]] = {
    FEATURELESS_SHARE: (fo.FloatField, "Share of points that lie on featureless ground at some time"),
    CYCLE_ERROR: (
        fo.FloatField,
        "Median distance of tracks that are followed back from their start, share of the diagonal",
    ),
    CYCLE_RETURNED: (fo.FloatField, "Share of tracks that, followed back, come to within 1.2 % of the diagonal"),
    SOURCE: (fo.StringField, "Of which tracks, to see whether they changed since"),
}
_TYPES: dict[type, type[fo.Field]] = {str: fo.StringField, float: fo.FloatField, int: fo.IntField}
FEATURELESS, GROUP = "featureless", "motion_group"
# of views: points that move apart, and featureless ones
_MUCH = 0.3


def check_motion_fields(dataset: fo.Dataset, options: MotionOptions) -> None:
    """Refuses fields that do not exist, or are somebody else's.

    Raises:
        FieldError: saying what was found
        OptionError: for what tracks alone tell, without any
    """
    if options.cycle_consistency and options.label_field is None:
        raise OptionError("cycle_consistency follows stored tracks back, so it goes with a label_field. Give one")
    if options.label_field is not None:
        _check_tracks_field(dataset, options.label_field, written=options.texture or options.groups)
    schema = dataset.get_field_schema(flat=False)
    for name in (options.motion_field, options.events_field, options.vector_field):
        if name not in schema:
            check_sample_field_name(name, "motion field")
            continue
        if owner_of(schema[name]) is None:
            raise FieldError(
                f"The sample field {name!r} exists, holds {type_name(schema[name])} and is not ours, but describing "
                f"motion needs that name. Rename it: dataset.rename_sample_field({name!r}, ...)"
            )
        if schema[name].read_only:
            raise FieldError(f"The sample field {name!r} is read-only. Make it writable first")


def _check_tracks_field(dataset: fo.Dataset, label_field: str, *, written: bool) -> None:
    field = (dataset.get_frame_field_schema(flat=False) or {}).get(label_field)
    if field is None:
        raise FieldError(
            f"There is no frame field {label_field!r}. Track this dataset first, check the name, or leave the "
            "field out: a grid is tracked then for its motion alone"
        )
    if getattr(field, "document_type", None) is not fo.Keypoints:
        raise FieldError(
            f"The frame field {label_field!r} holds {type_name(field)}, and tracks are Keypoints. Choose the field "
            "with the tracks"
        )
    if field.read_only and written:
        raise FieldError(
            f"The frame field {label_field!r} is read-only, so its keypoints cannot be told what is found of them. "
            "Make it writable, or ask neither for featureless ground (texture) nor for groups"
        )


@retried
def declare_motion_fields(dataset: fo.Dataset, options: MotionOptions) -> None:
    """Declares the fields; what exists stays as it is.

    Args:
        dataset: the dataset
        options: what the run is told
    """
    subfields = {figure.name: (_TYPES[figure.kind], figure.meaning) for figure in FIGURES}
    subfields |= _SUBFIELDS
    of = f"frames.{options.label_field}" if options.label_field else "the video, by a grid of points"
    info = {OWNER_KEY: {"label_field": options.label_field, "kind": "motion"}}
    with changing_document:
        schema = dataset.get_field_schema(flat=False)
        if options.motion_field not in schema:
            dataset.add_sample_field(
                options.motion_field,
                fo.EmbeddedDocumentField,
                embedded_doc_type=fo.DynamicEmbeddedDocument,
                description=f"The motion in {of}",
                info=info,
                fields=[create_field(name, kind, description=text) for name, (kind, text) in subfields.items()],
            )
        else:  # of an earlier version, which told less
            known = dataset.get_field_schema(flat=True)
            for name, (kind, text) in subfields.items():
                if f"{options.motion_field}.{name}" not in known:
                    dataset.add_sample_field(f"{options.motion_field}.{name}", kind, description=text)
        if options.events_field not in schema:
            dataset.add_sample_field(
                options.events_field,
                fo.EmbeddedDocumentField,
                embedded_doc_type=fo.TemporalDetections,
                description=f"What moves when in {of}",
                info=info,
            )
        if options.vector_field not in schema:
            dataset.add_sample_field(
                options.vector_field, fo.VectorField, description=f"The motion in {of}, as a vector", info=info
            )
        if options.label_field is not None:
            prefix = f"{options.label_field}.keypoints"
            for name, kind, wanted in (
                (FEATURELESS, fo.BooleanField, options.texture),
                (GROUP, fo.IntField, options.groups),
            ):
                if wanted:
                    dataset.add_frame_field(f"{prefix}.{name}", kind)


@retried
def save_motion_views(dataset: fo.Dataset, options: MotionOptions) -> list[str]:
    """Saves a view for each thing that is found in some sample; those of an earlier run are made anew.

    Args:
        dataset: the dataset
        options: what the run is told

    Returns:
        their names
    """
    field = options.motion_field
    wanted = {f"camera {kind}": F(f"{field}.camera") == kind for kind in CAMERAS}
    wanted["with cuts"] = F(f"{field}.num_cuts") > 0
    wanted["much moves"] = F(f"{field}.moving_share") > _MUCH
    wanted["featureless ground"] = F(f"{field}.{FEATURELESS_SHARE}") > _MUCH
    names = []
    with changing_document:
        for name, condition in wanted.items():
            view = videos_of(dataset).match(condition)
            full = f"{field}: {name}"
            if view.limit(1).values("id"):
                dataset.save_view(full, view, description="Saved by Describe motion", overwrite=True)
                names.append(full)
            elif dataset.has_saved_view(full):
                dataset.delete_saved_view(full)
    return names
