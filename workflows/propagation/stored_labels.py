"""The labels of a sample as they are stored, and what is to be done with them: the same for a run and for its form."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fiftyone.core.collections import SampleCollection

from ...store.database.label_lists import LabelLists
from ...store.labels.shapes import list_of
from ...store.labels.views import hides_labels, shown_samples
from .memory import Memory, memory_field_of, memory_from
from .options import PropagateOptions
from .plan import SamplePlan, plan_sample
from .prompts import Clip


class StoredLabels:
    """Reads the labels of samples.

    Args:
        samples: a dataset or view; a view that filters labels or frames chooses the objects
        options: what the run is told
    """

    def __init__(self, samples: SampleCollection, options: PropagateOptions) -> None:
        self.samples, self.options = samples, options
        self.dataset = samples._dataset
        self._given = LabelLists(self.dataset, list_of(self.dataset, options.field))
        exists = self.dataset.has_frame_field(options.target_field)
        self._written = LabelLists(self.dataset, list_of(self.dataset, options.target_field)) if exists else None

    @property
    def written(self) -> LabelLists:
        """The lists of the output field, which must be declared."""
        assert self._written is not None
        return self._written

    def plan(self, clip: Clip) -> SamplePlan:
        """What is to be done in a sample, from its labels as they are now.

        Args:
            clip: the sample's
        """
        given = self._given.read(clip.sample_id)
        written = given if self.options.in_place else {}
        if self._written is not None and not self.options.in_place:
            written = self._written.read(clip.sample_id)
        return plan_sample(given, written, self.memory(clip.sample_id), clip, self.options, self._shown(clip.sample_id))

    def memory(self, sample_id: str) -> Memory:
        """What earlier runs wrote for a sample."""
        name = memory_field_of(self.options.target_field)
        if not self.dataset.has_sample_field(name):
            return {}
        return memory_from(self.dataset.select(sample_id).values(name)[0])

    def _shown(self, sample_id: str) -> Collection[Any] | None:
        """The ids of the labels that the view shows; None = all."""
        if not hides_labels(self.samples):
            return None
        view = shown_samples(self.samples, sample_id)
        return set(view.values(f"frames.{self._given.path}._id", unwind=True))
