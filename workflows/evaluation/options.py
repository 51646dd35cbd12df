"""What an evaluation is told, checked before anything is read.

The defaults of the SDK, the operator's form and the documentation are the
defaults of `EvaluationOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...store.database.fields import DEFAULT_LABEL_FIELD, check_label_name
from ...tracker.errors import OptionError
from ...tracker.metrics.truth import QueryMode, check_query_mode
from ...tracker.models.base import Tracker
from ...tracker.models.registry import tracker_info
from ..lifecycle.options import RunOptions, option
from .figures import CYCLE, FIGURES, MASKS, METRICS, Figure, field_of

MATCH = {
    "auto": "By index where the tracks start at the truth's queries, otherwise by place",
    "index": "By index: track 7 is judged by the truth with the index 7",
    "place": "By place: a truth is answered by the track that is nearest in its query frame",
}


@dataclass(frozen=True)
class EvaluationOptions(RunOptions):
    """The options of `evaluate_dataset`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported, or nothing to evaluate against
        FieldError: for a field with a bad name
        UnknownTrackerError: for an unknown tracker
    """

    METHOD = "point_tracking_evaluation"
    KEY_NOUN = "evaluation key"

    label_field: str = DEFAULT_LABEL_FIELD
    gt_field: str | None = None
    query_mode: QueryMode = "first"
    match: str = "auto"
    sparse: bool | None = None
    metrics: Sequence[str] = METRICS
    mask_field: str | None = None
    cycle: bool = False
    tracker: str | Tracker | None = None
    tracker_options: Mapping[str, Any] | None = None
    group_by: str | None = None
    eval_key: str | None = option(None, not_recorded="it is the record's own name")
    overwrite: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_label_name(self.label_field)
        if self.gt_field is not None:
            check_label_name(self.gt_field)
            if self.gt_field == self.label_field:
                raise OptionError(
                    f"The tracks and the truth are the same field ({self.gt_field!r}). Name the field with known tracks"
                )
        check_query_mode(self.query_mode)
        if not isinstance(self.match, str) or self.match not in MATCH:
            raise OptionError(f"Invalid match ({self.match!r}). Supported values are {', '.join(MATCH)}")
        if self.sparse is not None and not isinstance(self.sparse, bool):
            raise OptionError(f"Invalid sparse ({self.sparse!r}). Supported values are True, False and None")
        self._check_metrics()
        for name in ("mask_field", "group_by"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value):
                raise OptionError(f"Invalid {name} ({value!r}). Expected the name of a field, or None for none")
        self._check_tracker()

    def _check_metrics(self) -> None:
        metrics = self.metrics
        several = isinstance(metrics, Sequence) and not isinstance(metrics, str)
        wrong = [name for name in metrics if name not in METRICS] if several else [metrics]
        if wrong or not metrics:
            found = ", ".join(map(repr, wrong)) or "none"
            raise OptionError(f"Invalid metrics ({found}). Supported is a list of {', '.join(METRICS)}")
        object.__setattr__(self, "metrics", tuple(metrics))

    def _check_tracker(self) -> None:
        if isinstance(self.tracker, str):
            tracker_info(self.tracker)
        if self.tracker_options is not None:
            if not isinstance(self.tracker_options, Mapping):
                raise OptionError(f"Invalid tracker_options ({self.tracker_options!r}). Expected a dict")
            if self.tracker_options and not isinstance(self.tracker, str):
                raise OptionError("tracker_options go with a tracker's name")
        if self.tracker is not None and not self.cycle:
            raise OptionError("A tracker is only used for cycle consistency. Use cycle=True with it")

    def check_purpose(self) -> None:
        """Refuses to evaluate against nothing.

        Raises:
            OptionError: saying what tracks can be judged by
        """
        if self.gt_field is None and self.mask_field is None and not self.cycle:
            raise OptionError(
                "There is nothing to evaluate against. Name a field with known tracks (gt_field) or with an object's "
                "masks (mask_field), or use cycle=True"
            )

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures that this evaluation computes."""
        groups = set(self.metrics) if self.gt_field is not None else set()
        if self.mask_field is not None:
            groups.add(MASKS)
        if self.cycle:
            groups.add(CYCLE)
        return tuple(figure for figure in FIGURES if figure.group in groups)

    def fields(self, eval_key: str) -> list[str]:
        """The sample fields that this evaluation writes."""
        return [field_of(eval_key, figure.name) for figure in self.figures]

    @property
    def tracker_name(self) -> str | None:
        return self.tracker.name if isinstance(self.tracker, Tracker) else self.tracker

    @property
    def given_key(self) -> str | None:
        return self.eval_key

    @property
    def base_key(self) -> str:
        return f"eval_{self.label_field}"


EVALUATION_DEFAULTS = EvaluationOptions()
