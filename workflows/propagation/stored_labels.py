"""What a plan is made from, read from the database: for a run, and for a form that says what a run would do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import dataset_id_of
from ...store.database.fields import missing_field
from ...store.database.label_lists import LabelLists
from ...store.database.sample_values import SampleValues
from ...store.labels.shapes import list_of
from ...store.labels.views import hides_labels, shown_samples
from ...tracker.errors import FieldError
from .options import PropagateOptions
from .planning.memory import Memory, memory_document, memory_field_of, memory_from
from .planning.plan import SamplePlan, plan_sample
from .planning.prompts import Clip


class StoredLabels:
    """The labels of samples in an input and an output field, and what is remembered of them.

    Args:
        samples: a dataset or view; a view that filters labels or frames chooses the objects
        options: what the run is told; its input field exists, its output field may not
    """

    def __init__(self, samples: SampleCollection, options: PropagateOptions) -> None:
        self._samples = samples
        self._options = options
        self._remembered = SampleValues(self._dataset, memory_field_of(options.target_field))

    @property
    def _dataset(self) -> fo.Dataset:
        return self._samples._dataset

    def plan(self, clip: Clip) -> SamplePlan:
        """What is to be done in a sample, from its labels as they are now.

        Args:
            clip: the sample's
        """
        given, written = self._lists(self._options.field), self.output()
        labels = given.read(clip.sample_id) if given else {}
        in_output = labels if self._options.in_place else written.read(clip.sample_id) if written else {}
        shown = self._shown(clip.sample_id, [one for one in (given, written) if one is not None])
        return plan_sample(labels, in_output, self.memory(clip.sample_id), clip, self._options, shown)

    def output(self) -> LabelLists | None:
        """The lists that are written; None where the field was not made yet."""
        return self._lists(self._options.target_field)

    def check_declared(self) -> LabelLists:
        """The lists that are written, in the middle of a run that has declared them.

        Raises:
            FieldError: if their field, or that which remembers, was deleted meanwhile
            CollectionError: if the dataset was
        """
        dataset, target = self._dataset, self._options.target_field
        name = missing_field(dataset_id_of(dataset), dataset.name, target, memory_field_of(target))
        lists = self.output()
        if name is not None or lists is None:
            raise FieldError(
                f"The field {name or target!r} was deleted while the run was going on. Run again to make it anew"
            )
        return lists

    def memory(self, sample_id: str) -> Memory:
        """What earlier runs made from what."""
        return memory_from(self._remembered.read(sample_id))

    def remember(self, sample_id: str, memory: Memory) -> None:
        """Stores what this run made from what."""
        self._remembered.write(sample_id, memory_document(memory))

    def _lists(self, name: str) -> LabelLists | None:
        dataset = self._dataset
        return LabelLists(dataset, list_of(dataset, name)) if dataset.has_frame_field(name) else None

    def _shown(self, sample_id: str, lists: list[LabelLists]) -> Collection[Any] | None:
        """The ids of the labels that the view shows; None = all."""
        if not hides_labels(self._samples):
            return None
        paths = sorted({f"frames.{one.path}._id" for one in lists})
        view = shown_samples(self._samples, sample_id)
        return {label_id for ids in view.values(paths, unwind=True) for label_id in ids}
