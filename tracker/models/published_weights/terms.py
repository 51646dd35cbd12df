"""What licences of code and weights allow, in words and together."""

from __future__ import annotations

from collections.abc import Iterable

NOT_STATED = "LicenseRef-not-stated"
"""In the place of an SPDX name, where the authors state no licence."""


def use_allowed(commercial_use: bool | None) -> str:
    """What may be done with something, in words.

    Args:
        commercial_use: whether its terms allow it; None = its authors do not say
    """
    if commercial_use is None:
        return "commercial use not stated by the authors: ask them"
    return "commercial use allowed" if commercial_use else "NON-COMMERCIAL use only"


def used_together(each: Iterable[bool | None]) -> bool | None:
    """Whether commercial use of some things together is allowed: what forbids it counts before what says nothing."""
    found = list(each)
    if any(one is False for one in found):
        return False
    return None if any(one is None for one in found) else True
