"""The database beside FiftyOne's own API: our collections, and patience with a server that is away.

Everything done through `patiently` may be done twice: a server that went away may
have done it the first time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, TypeVar

import fiftyone as fo
import pymongo
from fiftyone.core.odm import get_db_conn
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError, WTimeoutError

from ...tracker.errors import DatabaseError

# work that is going on, kept outside of data sets: FiftyOne refuses samples with fields it does not know
OWNERS = "point_tracking.owners"
CLAIMS = "point_tracking.claims"
STAGED = "point_tracking.staged"
OUTCOMES = "point_tracking.outcomes"

PATIENCE_S = 60.0
_ATTEMPT_S = 30.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 3.0
_UNAUTHORIZED = 13

# threads of a process share one object for the document of a data set: a reload drops what another has not saved yet
changing_document = threading.RLock()

T = TypeVar("T")
logger = logging.getLogger(__name__)


def collection(name: str) -> Collection:
    """One of our collections, in FiftyOne's database."""
    return get_db_conn()[name]


def key_range(prefix: str) -> dict[str, str]:
    """A condition on string ids that start with a prefix, which the index on ids serves."""
    return {"$gte": prefix, "$lt": prefix + "\uffff"}


def patiently(action: Callable[[], T], *, patience_s: float | None = None, attempt_s: float | None = _ATTEMPT_S) -> T:
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
                f"The database does not let this user write ({_short(refusal)}). Nothing was tracked; connect as a "
                "user who may write to FiftyOne's database"
            ) from error
        raise


def database_error(error: BaseException) -> PyMongoError | None:
    """The database's own error; FiftyOne hands bulk errors on as the cause of a ValueError."""
    found = error if isinstance(error, PyMongoError) else error.__cause__
    return found if isinstance(found, PyMongoError) else None


def is_away(error: PyMongoError) -> bool:
    """Whether the server could not be reached or did not answer, rather than refused."""
    if isinstance(error, (ConnectionFailure, ExecutionTimeout, WTimeoutError)):
        return True
    # shutting down or starting up
    return isinstance(error, OperationFailure) and error.code in {91, 189, 10107, 11600, 11602, 13435, 13436}


def server_process() -> Any:
    """Which process the server is; another one may have lost what the last one had not yet put on disk."""
    return patiently(lambda: get_db_conn().command("hello").get("topologyVersion", {}).get("processId"))


def durable(found: Collection) -> Collection:
    """The collection, whose writes return when they, and all before them, are on disk."""
    return found.with_options(write_concern=WriteConcern(j=True))


def dataset_id_of(dataset: fo.Dataset) -> Any:
    """The id under which FiftyOne keeps a data set."""
    return dataset._doc.id


def dataset_document(dataset_id: Any, *keys: str) -> dict[str, Any] | None:
    """What FiftyOne keeps of a data set, as it is now in the database; None where it was deleted.

    Args:
        dataset_id: from `dataset_id_of`
        keys: which parts
    """
    return patiently(lambda: get_db_conn()["datasets"].find_one({"_id": dataset_id}, dict.fromkeys(keys, 1)))


def _short(error: PyMongoError) -> str:
    return str(error).split(",")[0][:120]
