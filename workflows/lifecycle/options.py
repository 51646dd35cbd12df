"""Options said once: one field of an options class carries what record, form, model and cluster need to know of it.

Adding an option to a workflow: a field with `option(...)` in its options class, its place
in the signature and docstring of the public function, and a check in the class where its
type does not say everything. Its run record, the plain fields of the form, what
`apply_model` refuses and what travels to the workers of a cluster follow from the field.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from ...store.runs.records import check_key_name
from ...tracker.flags import check_flags
from ...tracker.models.base import Tracker

if TYPE_CHECKING:
    from typing_extensions import Self

_KEY = "option"


@dataclass(frozen=True)
class FormInput:
    """How a form asks for an option whose input needs no code of its own.

    Args:
        label: in the words of the App
        description: what it means for the videos, below the input
        choices: value -> label, for one of several; None = by the type of the default
        section: of the form it stands in
    """

    label: str
    description: str = ""
    choices: Mapping[str, str] | None = None
    section: str = "more"


@dataclass(frozen=True)
class OptionFacts:
    """What is known of an option besides name, type and default.

    Args:
        form: how the form asks for it; None where the form has an input made for it, or none
        not_recorded: why the run record leaves it out; None = it is recorded
        not_in_model: what a user of `apply_model` does instead; None = `load_model` takes it
        on_workers: whether the workers of a cluster are told it
        group: options that go together, such as "cluster"; where the form hides one it hides all
    """

    form: FormInput | None = None
    not_recorded: str | None = None
    not_in_model: str | None = None
    on_workers: bool = True
    group: str | None = None


def option(
    default: Any = MISSING,
    *,
    form: FormInput | None = None,
    not_recorded: str | None = None,
    not_in_model: str | None = None,
    on_workers: bool = True,
    group: str | None = None,
) -> Any:
    """A field of an options class; the arguments are those of `OptionFacts`."""
    facts = OptionFacts(form, not_recorded, not_in_model, on_workers, group)
    return field(default=default, metadata={_KEY: facts})


def facts_of(spec: Field) -> OptionFacts:
    """What a field was declared with; that of a plain field is recorded and nothing else."""
    return spec.metadata.get(_KEY, OptionFacts())


def given_options(cls: type) -> list[Field]:
    """The fields that a user gives; not those that are computed of them."""
    return [spec for spec in fields(cls) if spec.init]


@dataclass(frozen=True)
class RunOptions(ABC):
    """What every workflow's options have; a subclass is a frozen dataclass of `option` fields with defaults.

    Raises:
        OptionError: for a switch that is no bool, or a run key that cannot be a name
    """

    # of the run record; stored, so it never changes
    METHOD: ClassVar[str]
    # what a user says to run a taken key again
    AGAIN: ClassVar[str] = "overwrite=True"
    # what the run's key is called
    KEY_NOUN: ClassVar[str] = "run key"

    def __post_init__(self) -> None:
        check_flags(self, *(spec.name for spec in given_options(type(self)) if isinstance(spec.default, bool)))
        if self.given_key is not None:
            check_key_name(self.given_key, self.KEY_NOUN)

    @property
    def given_key(self) -> str | None:
        """The run key that the user chose."""
        return getattr(self, "run_key", None)

    @property
    @abstractmethod
    def base_key(self) -> str:
        """The run key where the user chose none; a number is added where it is taken."""

    @property
    def may_replace(self) -> bool:
        """Whether a run of the same kind under the same key may be replaced."""
        return bool(getattr(self, "overwrite", False))

    @classmethod
    def picked_from(cls, values: Mapping[str, Any]) -> Self:
        """The options among some values, such as the arguments of the public function."""
        return cls(**{spec.name: values[spec.name] for spec in given_options(cls) if spec.name in values})

    def to_record(self) -> dict[str, Any]:
        """The options as JSON-serialisable values, for the run record."""
        specs = [spec for spec in given_options(type(self)) if facts_of(spec).not_recorded is None]
        return {spec.name: self.recorded(spec.name) for spec in specs}

    def recorded(self, name: str) -> Any:
        """One option as a JSON-serialisable value; subclasses add those that are no plain values."""
        value = getattr(self, name)
        if name == "tracker_options":
            tracker = getattr(self, "tracker", None)
            value = tracker.options if isinstance(tracker, Tracker) else value or {}
        return plain(value)


def plain(value: Any) -> Any:
    """A value as JSON has it: loaded trackers by their names, sequences as lists, mappings as dicts."""
    if isinstance(value, Tracker):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()  # type: ignore[union-attr]
    return value
