"""Options that are on or off."""

from __future__ import annotations

from .errors import OptionError


def check_flags(options: object, *names: str) -> None:
    """Refuses options that are neither True nor False: a word such as "no" would count as True.

    Args:
        options: has them as attributes
        names: attributes to check

    Raises:
        OptionError: naming the first that is neither
    """
    for name in names:
        value = getattr(options, name)
        if not isinstance(value, bool):
            raise OptionError(f"Invalid {name} ({value!r}). Expected True or False")
