"""How documents beside a dataset are called: one key type for claims, locks, staged frames and journals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SEPARATOR = "/"
# the next character, so that names may begin with any
_AFTER_SEPARATOR = chr(ord(_SEPARATOR) + 1)


@dataclass(frozen=True)
class Key:
    """The id of a document of ours: what it belongs to, from the outside in.

    Args:
        dataset_id: from `dataset_id_of`
        names: such as the label field, the sample's id, a number; none contains a slash
    """

    dataset_id: Any
    names: tuple[str, ...] = ()

    def __truediv__(self, name: str) -> Key:
        return Key(self.dataset_id, (*self.names, name))

    def __str__(self) -> str:
        return _SEPARATOR.join([str(self.dataset_id), *self.names])

    @property
    def below(self) -> dict[str, str]:
        """A condition on ids: all keys that begin with this one, which the index on ids serves."""
        return {"$gte": f"{self}{_SEPARATOR}", "$lt": f"{self}{_AFTER_SEPARATOR}"}

    @classmethod
    def parse(cls, text: str) -> Key:
        """The inverse of `str`; the dataset's id stays a string."""
        dataset_id, *names = text.split(_SEPARATOR)
        return cls(dataset_id, tuple(names))
