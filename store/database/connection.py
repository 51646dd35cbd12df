"""The database beside FiftyOne's own API: our collections, and retries while the server is away.

Everything that is retried may be done twice: a server that went away may have done it
the first time. `RetryingCollection` retries its own calls; what goes through FiftyOne
is a function with the decorator `retried`, or `with_retries` where it is a block.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import fiftyone as fo
import pymongo
from bson import ObjectId
from fiftyone.core.odm import get_db_conn
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError, WTimeoutError
from pymongo.results import BulkWriteResult, UpdateResult

from ...tracker.errors import DatabaseError

# work that is going on, kept outside of datasets: FiftyOne refuses samples with fields it does not know
OWNERS = "point_tracking.owners"
CLAIMS = "point_tracking.claims"
STAGED = "point_tracking.staged"
OUTCOMES = "point_tracking.outcomes"
# what the last correction of each sample replaced: one small document, and the frames as they were
CORRECTIONS = "point_tracking.corrections"
REPLACED = "point_tracking.replaced"

PATIENCE_S = 60.0
# whoever ends waits for what is to be stored at last, but not for a database that is gone
LAST_PATIENCE_S = 2.0
_ATTEMPT_S = 30.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 3.0
_UNAUTHORIZED = 13

# threads of a process share one object for the document of a dataset: a reload drops what another has not saved yet
changing_document = threading.RLock()

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)


def with_retries(
    action: Callable[[], T], *, patience_s: float | None = None, attempt_s: float | None = _ATTEMPT_S
) -> T:
    """Does something in the database, again and again while the server is away.

    Args:
        action: what to do; may be done twice
        patience_s: how long to go on trying; `PATIENCE_S` where not given
        attempt_s: how long a server that is frozen may keep one attempt; None = for ever, for long actions

    Returns:
        what the action returns

    Raises:
        DatabaseError: if the server stays away, or refuses this user
    """
    limit = PATIENCE_S if patience_s is None else patience_s
    started, pause = time.monotonic(), _FIRST_PAUSE_S
    while True:
        try:
            with pymongo.timeout(None if attempt_s is None else min(attempt_s, max(limit, 1.0))):
                return action()
        except Exception as error:
            refusal = database_error(error)
            if refusal is None or not is_away(refusal):
                raise
            waited = time.monotonic() - started
            if waited + pause > limit:
                raise DatabaseError(
                    f"The database has not answered for {waited:.0f} s ({_short(refusal)}). Finished samples are "
                    "stored. Start the database, then run again with skip_existing=True"
                ) from error
            logger.warning("The database is away (%s); trying again in %.1f s", _short(refusal), pause)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def retried(action: Callable[P, T]) -> Callable[P, T]:
    """Makes a function retry while the server is away; it may be done twice, as `with_retries` says."""

    @functools.wraps(action)
    def act(*args: P.args, **kwargs: P.kwargs) -> T:
        return with_retries(lambda: action(*args, **kwargs))

    return act


class RetryingCollection:
    """A collection whose calls are repeated while the server is away.

    Args:
        found: of pymongo
        patience_s: how long to go on trying; `PATIENCE_S` where not given
    """

    def __init__(self, found: Collection, patience_s: float | None = None) -> None:
        self.plain = found
        self._patience_s = patience_s

    @property
    def name(self) -> str:
        return self.plain.name

    def waiting(self, patience_s: float | None) -> RetryingCollection:
        """The same collection with another patience."""
        return RetryingCollection(self.plain, patience_s)

    def on_disk(self) -> RetryingCollection:
        """The same collection, whose writes return when they, and all before them, are on disk."""
        return RetryingCollection(self.plain.with_options(write_concern=WriteConcern(j=True)), self._patience_s)

    def find(self, condition: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All documents under a condition."""
        return self._do(lambda: list(self.plain.find(condition)))

    def aggregate(self, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All that a pipeline gives."""
        return self._do(lambda: list(self.plain.aggregate(steps)))

    def find_one(self, condition: Mapping[str, Any], keys: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        return self._do(lambda: self.plain.find_one(condition, keys))

    def distinct(self, key: str) -> list[Any]:
        return self._do(lambda: self.plain.distinct(key))

    def insert_one(self, document: dict[str, Any]) -> Any:
        return self._do(lambda: self.plain.insert_one(document))

    def update_one(self, condition: Mapping[str, Any], change: Any, *, upsert: bool = False) -> UpdateResult:
        return self._do(lambda: self.plain.update_one(condition, change, upsert=upsert))

    def update_many(self, condition: Mapping[str, Any], change: Any) -> UpdateResult:
        return self._do(lambda: self.plain.update_many(condition, change))

    def replace_one(self, condition: Mapping[str, Any], document: Mapping[str, Any]) -> UpdateResult:
        """Replaces, or inserts where there is none."""
        return self._do(lambda: self.plain.replace_one(condition, document, upsert=True))

    def delete_one(self, condition: Mapping[str, Any]) -> None:
        self._do(lambda: self.plain.delete_one(condition))

    def delete_many(self, condition: Mapping[str, Any]) -> None:
        self._do(lambda: self.plain.delete_many(condition))

    def write(self, requests: Sequence[Any]) -> BulkWriteResult | None:
        """Does many writes, in any order; None where there are none to do."""
        return self._do(lambda: self.plain.bulk_write(requests, ordered=False)) if requests else None

    def _do(self, action: Callable[[], T]) -> T:
        return with_retries(action, patience_s=self._patience_s)


def collection(name: str) -> RetryingCollection:
    """One of the collections in FiftyOne's database."""
    return RetryingCollection(get_db_conn()[name])


@contextmanager
def write_permission():
    """Says in words that a database user may only read.

    Raises:
        DatabaseError: in place of the server's refusal
    """
    try:
        yield
    except Exception as error:
        refusal = database_error(error)
        if isinstance(refusal, OperationFailure) and refusal.code == _UNAUTHORIZED:
            raise DatabaseError(
                f"The database does not let this user write ({_short(refusal)}). Nothing was done; connect as a "
                "user who may write to FiftyOne's database"
            ) from error
        raise


def database_error(error: BaseException) -> PyMongoError | None:
    """The database's own error; FiftyOne hands bulk errors on as the cause of a ValueError."""
    found = error if isinstance(error, PyMongoError) else error.__cause__
    return found if isinstance(found, PyMongoError) else None


def is_outage(error: BaseException) -> bool:
    """Whether something failed because the server is away, which is nobody's fault but its own."""
    refusal = database_error(error)
    return isinstance(error, DatabaseError) or (refusal is not None and is_away(refusal))


def is_away(error: PyMongoError) -> bool:
    """Whether the server could not be reached or did not answer, rather than refused."""
    if isinstance(error, (ConnectionFailure, ExecutionTimeout, WTimeoutError)):
        return True
    # shutting down or starting up
    return isinstance(error, OperationFailure) and error.code in {91, 189, 10107, 11600, 11602, 13435, 13436}


def _server_process() -> Any:
    return get_db_conn().command("hello").get("topologyVersion", {}).get("processId")


def server_process() -> Any:
    """Which process the server is; another one may have lost what the last one had not yet put on disk."""
    return with_retries(_server_process)


def reload_dataset(dataset: fo.Dataset, *, patience_s: float | None = None) -> None:
    """Reads anew what FiftyOne keeps of a dataset."""
    with changing_document:
        with_retries(dataset.reload, patience_s=patience_s)


def dataset_id_of(dataset: fo.Dataset) -> Any:
    """The id under which FiftyOne keeps a dataset."""
    return dataset._doc.id


def dataset_document(dataset_id: Any, *keys: str) -> dict[str, Any] | None:
    """What FiftyOne keeps of a dataset, as it is now in the database; None where it was deleted.

    Args:
        dataset_id: from `dataset_id_of`
        keys: which parts
    """
    return collection("datasets").find_one({"_id": dataset_id}, dict.fromkeys(keys, 1))


def database_problem(uri: str, database: str, dataset_id: str) -> str | None:
    """Looks from this machine whether a server answers and knows a dataset.

    Args:
        uri, database: of MongoDB
        dataset_id: as a string

    Returns:
        what is wrong, in words; None where nothing is
    """
    try:
        client: Any = pymongo.MongoClient(uri, serverSelectionTimeoutMS=5000)
        found = client[database]["datasets"].find_one({"_id": ObjectId(dataset_id)}, {"_id": 1})
        client.close()
    except PyMongoError as error:
        return str(error).split(",")[0]
    return "another database answers there" if found is None else None


def _short(error: PyMongoError) -> str:
    return str(error).split(",")[0][:120]
