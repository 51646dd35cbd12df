"""Claims: one run at a time writes a field of a sample, and what it has begun can be ended by another.

A claim is a document beside the dataset that says how far its owner is:

- "claimed": nothing of the sample was changed, at most something was staged;
- "writing": the field was empty, and its frames are being filled;
- "switching": the new tracks are complete, and are being put in the old ones' place.

`settle` brings a sample out of any of these into a whole state: a switch is
completed, anything else is taken back. Every step may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from pymongo.errors import DuplicateKeyError

from ...tracker.errors import ClaimError
from .connection import CLAIMS, OWNERS, collection, dataset_id_of
from .frame_documents import EVERY_FRAME, MARK_DONE, FrameStore
from .keys import Key
from .liveness import DeathWatch, Owner, Watch, owners_of

CLAIMED = "claimed"
FILLING = "writing"
SWITCHING = "switching"


@dataclass(frozen=True)
class Busy:
    """Another run is at the sample.

    Args:
        owner_id: of that run
        run_key: of its record, None for a single write
    """

    owner_id: str
    run_key: str | None

    def __str__(self) -> str:
        return f"the run {self.run_key!r}" if self.run_key else "another process"


class Claims:
    """The claims of one owner on one label field.

    Args:
        store: the field's frames
        owner: who claims
        watch: tells dead owners from living ones
    """

    def __init__(self, store: FrameStore, owner: Owner, watch: DeathWatch | None = None) -> None:
        self.store = store
        self.watch: DeathWatch = watch or Watch()
        self._owner = owner

    def take(self, sample_id: str) -> Busy | None:
        """Claims a sample; a dead owner's claim is settled and taken over.

        Args:
            sample_id: the sample

        Returns:
            None where it is claimed now, else who holds it
        """
        key = str(self.store.key(sample_id))
        claim = {"_id": key, "owner": self._owner.id, "phase": CLAIMED, "sample_id": sample_id}
        try:
            collection(CLAIMS).insert_one(claim)
            return None
        except DuplicateKeyError:
            held = collection(CLAIMS).find_one({"_id": key})
        if held is None:
            return self.take(sample_id)
        if held["owner"] == self._owner.id:
            return None
        if not self.watch.is_dead(held["owner"]):
            return Busy(held["owner"], _run_key_of(held["owner"]))
        if not self._take_over(held):
            return self.take(sample_id)
        settle(self.store, held)
        self.advance(sample_id, CLAIMED)
        return None

    def holder(self, sample_id: str) -> str | None:
        """Who holds a sample now; None where nobody does."""
        held = collection(CLAIMS).find_one({"_id": str(self.store.key(sample_id))})
        return None if held is None else held["owner"]

    def advance(self, sample_id: str, phase: str, **facts: Any) -> None:
        """Notes how far the work on a sample is.

        Raises:
            ClaimError: if the sample was taken over by another run
        """
        mine = {"_id": str(self.store.key(sample_id)), "owner": self._owner.id}
        done = collection(CLAIMS).update_one(mine, {"$set": {"phase": phase, **facts}})
        if not done.matched_count:
            raise _lost()

    def check(self, sample_id: str) -> None:
        """Makes sure that the sample is still this owner's.

        Raises:
            ClaimError: if it was taken over by another run
        """
        mine = {"_id": str(self.store.key(sample_id)), "owner": self._owner.id}
        if collection(CLAIMS).find_one(mine, {"_id": 1}) is None:
            raise _lost()

    def release(self, sample_id: str) -> None:
        """Lets a sample go."""
        mine = {"_id": str(self.store.key(sample_id)), "owner": self._owner.id}
        collection(CLAIMS).delete_one(mine)

    def settle(self, sample_id: str) -> None:
        """Brings a sample of this owner into a whole state, and keeps the claim."""
        mine = {"_id": str(self.store.key(sample_id)), "owner": self._owner.id}
        held = collection(CLAIMS).find_one(mine)
        if held is not None:
            settle(self.store, held)
            self.advance(sample_id, CLAIMED)

    def release_all(self) -> None:
        """Settles and lets go whatever this owner still holds of the field."""
        mine = {"_id": Key(self.store.dataset_id, (self.store.label_field,)).below, "owner": self._owner.id}
        for held in collection(CLAIMS).find(mine):
            settle(self.store, held)
            self.release(held["sample_id"])

    def _take_over(self, held: dict[str, Any]) -> bool:
        theirs = {"_id": held["_id"], "owner": held["owner"]}
        change = {"$set": {"owner": self._owner.id}}
        return collection(CLAIMS).update_one(theirs, change).matched_count > 0


@contextmanager
def claimed(dataset: fo.Dataset, label_field: str, sample_id: str, run_key: str | None = None) -> Iterator[Claims]:
    """Claims one sample for the block.

    Args:
        dataset: the dataset
        label_field: a checked label field
        sample_id: the sample
        run_key: of the record of the work, None where it has none

    Raises:
        ClaimError: if another run is at the sample
    """
    with Owner(dataset, run_key) as owner:
        claims = Claims(FrameStore(dataset, label_field), owner)
        check_free(claims.take(sample_id))
        try:
            yield claims
        finally:
            claims.release(sample_id)


def check_free(busy: Busy | None) -> None:
    """Refuses to go on where somebody else holds the sample.

    Raises:
        ClaimError: naming who
    """
    if busy is not None:
        raise ClaimError(f"The tracks of this sample are being written by {busy}. Wait until it is finished")


def settle(store: FrameStore, claim: dict[str, Any]) -> None:
    """Brings a sample that was left in the middle into a whole state.

    Args:
        store: the field's frames
        claim: what its owner had noted
    """
    sample_id, phase = claim["sample_id"], claim["phase"]
    if not store.has_sample(sample_id):
        store.delete_orphans(sample_id)
    elif phase != CLAIMED and not store.is_declared():
        store.clear(sample_id, claim.get("frames_before", EVERY_FRAME))
        store.set_mark(sample_id, None)
    elif phase == SWITCHING:
        store.switch(sample_id)
        store.set_mark(sample_id, claim["mark"])
    elif phase == FILLING:
        mark = store.mark(sample_id)
        if mark is None or mark.get("state") != MARK_DONE:
            store.clear(sample_id, claim["frames_before"])
            if mark is not None:
                store.set_mark(sample_id, None)
    store.drop_staged(sample_id)


def settle_dead_owners(dataset: fo.Dataset, owner: Owner, watch: DeathWatch) -> list[dict[str, Any]]:
    """Ends what dead runs had begun on a dataset, whatever the field.

    Args:
        dataset: the dataset
        owner: who does it
        watch: tells dead owners from living ones

    Returns:
        the documents of the dead owners, which are still to be forgotten
    """
    dataset_id = dataset_id_of(dataset)
    dead = [o for o in owners_of(dataset_id) if o["_id"] != owner.id and watch.is_dead(o["_id"])]
    everything = {"_id": Key(dataset_id).below, "owner": {"$in": [o["_id"] for o in dead]}}
    for held in collection(CLAIMS).find(everything) if dead else ():
        if "sample_id" not in held:  # a lock
            collection(CLAIMS).delete_one({"_id": held["_id"], "owner": held["owner"]})
            continue
        claims = Claims(FrameStore(dataset, Key.parse(held["_id"]).names[0]), owner, watch)
        if claims._take_over(held):
            settle(claims.store, held)
            claims.release(held["sample_id"])
    return dead


def _run_key_of(owner_id: str) -> str | None:
    return (collection(OWNERS).find_one({"_id": owner_id}, {"run_key": 1}) or {}).get("run_key")


def _lost() -> ClaimError:
    return ClaimError(
        "Another run took this sample over while this one was frozen for long; what it wrote is left alone"
    )
