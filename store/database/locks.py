"""Locks: one owner at a time does something to a dataset; a dead owner's lock is taken over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from pymongo.errors import DuplicateKeyError

from .connection import CLAIMS, collection
from .keys import Key
from .liveness import Owner, Watch

_LOCK_POLL_S = 0.1


@contextlib.contextmanager
def lock(owner: Owner, name: str) -> Iterator[None]:
    """Lets one owner at a time do something to a dataset.

    Args:
        owner: who
        name: what
    """
    key, watch = str(Key(owner.dataset_id, ("", name))), Watch()
    while not _try_lock(key, owner.id, watch):
        time.sleep(_LOCK_POLL_S)
    try:
        yield
    finally:
        collection(CLAIMS).delete_one({"_id": key, "owner": owner.id})


def _try_lock(key: str, owner_id: str, watch: Watch) -> bool:
    claims = collection(CLAIMS)
    try:
        claims.insert_one({"_id": key, "owner": owner_id})
    except DuplicateKeyError:
        held = claims.find_one({"_id": key})
        if held is None:
            return False
        if held["owner"] == owner_id:
            return True
        if watch.is_dead(held["owner"]):
            # whoever is first
            claims.delete_one({"_id": key, "owner": held["owner"]})
        return False
    return True
