"""Which samples a run looks at, and what it must refuse before it starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import changing_document
from ...store.database.fields import FRAMES_PREFIX, check_label_field, declare, has_label_field, is_ours
from ...store.database.frame_documents import FrameStore
from ...store.runs.outcomes import FAILED, Outcome
from ...store.tracks.sample_status import FieldContents, check_foreign_labels, read_contents
from ...store.tracks.source_links import FILEPATH, SourceLink, read_source_links, source_dataset, source_id_field
from ...store.tracks.videos import check_collection, holds_nothing
from ...tracker.errors import CollectionError, FieldError, FieldExistsError, OptionError
from ..lifecycle.kinds import load_report
from ..lifecycle.report import SampleReport
from .options import TrackOptions, check_track_size
from .prompts import check_prompt_fields


@dataclass(frozen=True)
class Target:
    """One sample of a run.

    Args:
        sample_id: of the sample
        filepath: of its media
        finished: it was tracked before and is to be left alone
        source_link: where the media was preprocessed from, if tracks are to be written there
        marked: it had tracks when the run began
        marked_by: key of the run that wrote them, None for single writes
        replaces_labels: labels that no run made may be replaced
    """

    sample_id: str
    filepath: str
    finished: bool = False
    source_link: SourceLink | None = None
    marked: bool = False
    marked_by: str | None = None
    replaces_labels: bool = False

    @property
    def destination_id(self) -> str:
        """The sample that tracks are written to."""
        return self.sample_id if self.source_link is None else self.source_link.sample_id

    def outcome(self, status: str, **facts: Any) -> Outcome:
        """What became of it.

        Args:
            status: of the outcome
            facts: further fields of `Outcome`
        """
        elsewhere = self.destination_id if self.destination_id != self.sample_id else None
        return Outcome(self.sample_id, self.filepath, status, destination_id=elsewhere, **facts)


def find_targets(samples: SampleCollection, options: TrackOptions) -> list[Target]:
    """Chooses what to do with every sample, and makes all checks that need no media.

    Args:
        samples: a dataset or view
        options: what the run is told

    Returns:
        one Target per sample, in the order of the collection

    Raises:
        CollectionError: if these are no videos
        FieldError: if a field's name or type does not fit
        FieldExistsError: if stored data would be touched without being told to
        LimitError: if points x frames pass the limit
    """
    check_collection(samples)
    if holds_nothing(samples):
        return []
    _check_media_field(samples, options)
    links = read_source_links(samples, options.media_field) if options.write_to == "source" else {}
    dataset = destination_of(samples, options)
    check_label_field(dataset, options.label_field)
    check_prompt_fields(samples._dataset, dataset, options)
    _check_declared_sizes(samples, options)
    chosen = None if options.only_failed_of is None else failed_samples(samples, dataset, options.only_failed_of)
    targets = [
        Target(sample_id, path or source_path, source_link=links.get(sample_id))
        for sample_id, source_path, path in zip(*samples.values(["id", FILEPATH, options.media_field]), strict=True)
        if chosen is None or sample_id in chosen
    ]
    destination_ids = [target.destination_id for target in targets if target.source_link or options.write_to == "media"]
    if len(set(destination_ids)) < len(destination_ids):
        raise CollectionError(
            "Several of these samples were preprocessed from the same source, and only one can be written to it. "
            "Choose one copy per source"
        )
    contents = read_contents(dataset, destination_ids, options.label_field)
    _check_contents(dataset, contents, options)
    finished, marks = contents.finished if options.skip_existing else set(), contents.marks
    return [
        replace(
            target,
            finished=target.destination_id in finished,
            marked=target.destination_id in marks,
            marked_by=marks[target.destination_id].run_key if target.destination_id in marks else None,
            replaces_labels=target.destination_id in contents.foreign,
        )
        for target in targets
    ]


def failed_samples(samples: SampleCollection, dataset: fo.Dataset, run_key: str) -> set[str]:
    """The samples that failed in an earlier run, which may have tracked copies of them, or what they are copies of.

    Args:
        samples: to choose from
        dataset: that tracks are written to, which also holds the run
        run_key: of the record of the run

    Returns:
        ids

    Raises:
        OptionError: if there is no such run, or it is not about samples
    """
    report = load_report(dataset, run_key)
    if not isinstance(report, SampleReport):
        raise OptionError(f"The run {run_key!r} has no outcomes of samples. Name a run that tracked points")
    rows = report.rows(FAILED)
    failed = {row["sample_id"] for row in rows} | {row["destination_id"] for row in rows if row.get("destination_id")}
    if samples._dataset.name == dataset.name:
        return failed & set(samples.values("id"))
    pairs = zip(*samples.values(["id", source_id_field(samples)]), strict=True)
    return {sample_id for sample_id, source_id in pairs if {sample_id, source_id} & failed}


def destination_of(samples: SampleCollection, options: TrackOptions) -> fo.Dataset:
    """The dataset that tracks are written to.

    Args:
        samples: that are tracked
        options: what the run is told

    Returns:
        the samples' own, or that of the sources they were preprocessed from

    Raises:
        CollectionError: if the sources are in several datasets, or theirs was deleted
    """
    if options.write_to == "media" or options.media_field != FILEPATH:
        return samples._dataset
    return source_dataset(samples)


def declare_tracks(samples: SampleCollection, options: TrackOptions) -> bool:
    """Declares the fields of a run to come, so that the App can load them while it works.

    Args:
        samples: that are tracked
        options: what the run is told

    Returns:
        whether there were none before

    Raises:
        the same errors as `find_targets`, of which a run that would be refused leaves no field
    """
    if not find_targets(samples, options):
        return False
    dataset = destination_of(samples, options)
    if has_label_field(dataset, options.label_field):
        return False
    with changing_document:
        declare(dataset, options.label_field, occluded=options.keep_hidden, interpolated=options.interpolate)
    return True


def labels_elsewhere(dataset: fo.Dataset, contents: FieldContents, label_field: str) -> bool:
    """Whether only other samples hold labels in a field that no run has written to.

    Args:
        dataset: that is written to
        contents: of the field, of the samples to be written
        label_field: the name, without "frames."
    """
    not_ours = has_label_field(dataset, label_field) and not is_ours(dataset, label_field)
    return not_ours and not contents.foreign and FrameStore(dataset, label_field).has_keypoints()


def _check_media_field(samples: SampleCollection, options: TrackOptions) -> None:
    if options.media_field not in samples.get_field_schema(flat=False):
        raise FieldError(f"There is no media field {options.media_field!r} in this dataset. Check the name")


def _check_declared_sizes(samples: SampleCollection, options: TrackOptions) -> None:
    if options.num_points_known is None or not options.checked_sampling.keeps_all:
        return
    counts = [count for count in samples.values("metadata.total_frame_count") if count]
    if counts:
        check_track_size(options.num_points_known, max(counts))


def _check_contents(dataset: fo.Dataset, contents: FieldContents, options: TrackOptions) -> None:
    """Refuses to touch what is stored without being told to, and to write beside labels that no run made."""
    name = options.label_field
    remedy = ", or replace_labels={number} to replace just these"
    check_foreign_labels(dataset, contents.foreign, name, options.replace_labels, remedy)
    if labels_elsewhere(dataset, contents, name):
        raise FieldExistsError(
            f"Other samples of this dataset hold labels in {FRAMES_PREFIX}{name} that point tracking did not write, "
            "such as labels made by hand. Tracks are not written beside them. Use another label field"
        )
    if options.overwrite or options.skip_existing or not contents.written:
        return
    number = len(contents.written)
    raise FieldExistsError(
        f"{number} of the samples already {'holds' if number == 1 else 'hold'} data in {FRAMES_PREFIX}{name}. Use "
        "another label field, skip_existing=True to leave finished samples alone, or overwrite=True to replace the data"
    )
