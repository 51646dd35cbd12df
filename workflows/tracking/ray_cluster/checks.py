"""What must be right before a run on a cluster begins: every node has the package, the media and the database."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
from fiftyone.core.odm import get_db_conn

from ....store.database.connection import dataset_id_of
from ....tracker.errors import DatabaseError, DependencyError, OptionError, VideoError
from ....version import __version__
from ..options import TrackOptions
from ..targets import Target

_CHECKED_PATHS = 200
_CHECK_TIMEOUT_S = 60.0
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def check_nodes(
    ray: Any,
    module: Any,
    env: Mapping[str, str],
    destination: fo.Dataset,
    targets: Sequence[Target],
    options: TrackOptions,
) -> None:
    """Refuses a cluster of which a node could not do the work.

    Args:
        ray: the package, connected
        module: `ray_worker`, as nodes import it
        env: from `database_environment`
        destination: the dataset that is written to
        targets: samples to look at
        options: what the run is told

    Raises:
        DependencyError, VideoError, DatabaseError, OptionError: naming the remedy
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]
    check_database_address(env["FIFTYONE_DATABASE_URI"], [node["NodeManagerAddress"] for node in nodes])
    path_map, paths = options.path_map, [target.filepath for target in targets if not target.finished]
    # files that are missing here too are failures of their samples, not of a node
    present = [map_path(path, path_map) for path in paths if path_map or os.path.exists(path)]
    step = max(len(present) // _CHECKED_PATHS, 1)
    inspect = ray.remote(num_cpus=0, max_retries=0, runtime_env={"env_vars": dict(env)})(module.inspect_node)
    calls = []
    for node in nodes:
        here = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
        call = inspect.options(scheduling_strategy=here).remote(
            present[::step],
            str(dataset_id_of(destination)),
            env["FIFTYONE_DATABASE_URI"],
            env["FIFTYONE_DATABASE_NAME"],
        )
        calls.append(call)
    looked = [facts for call in calls if (facts := _facts(ray, call)) is not None]
    if not looked:
        raise OptionError("No node of the cluster is alive. Look at `ray status`")
    for facts in looked:
        check_node(facts, __version__)


def _facts(ray: Any, call: Any) -> dict[str, Any] | None:
    """What a node said about itself; None where it is gone, which the cluster may notice late."""
    try:
        return ray.get(call, timeout=_CHECK_TIMEOUT_S)
    except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
        return None
    except ray.exceptions.RayError as error:
        raise DependencyError(
            f"A node cannot run this package ({str(error).strip().splitlines()[-1]}). Install "
            "fiftyone-point-tracking, in the version that is here, with its extra [ray] on every node"
        ) from error


def map_path(path: str, path_map: Mapping[str, str] | None) -> str:
    """A path as the nodes see it.

    Args:
        path: as stored on the sample
        path_map: beginning of paths here -> beginning on the nodes; the longest that fits counts
    """
    fitting = [begin for begin in path_map or {} if path.startswith(begin)]
    if not fitting or path_map is None:
        return path
    begin = max(fitting, key=len)
    return path_map[begin] + path[len(begin) :]


def check_node(facts: Mapping[str, Any], version: str) -> None:
    """Refuses a node that could not do the work.

    Args:
        facts: from `ray_worker.inspect_node`
        version: of the package here

    Raises:
        DependencyError, VideoError, DatabaseError: naming the remedy
    """
    host = facts["host"]
    if facts["version"] != version:
        raise DependencyError(
            f"The node {host} has version {facts['version']} of this package, and {version} is here. "
            "Install the same version everywhere"
        )
    if facts["unreadable"]:
        raise VideoError(
            f"The node {host} cannot read {facts['unreadable'][0]} ({len(facts['unreadable'])} of the checked files). "
            "Keep the media on storage that every node mounts, or give path_map={'/path/here': '/path/on/the/nodes'}"
        )
    if facts["database"]:
        raise DatabaseError(
            f"The node {host} cannot use the database: {facts['database']}. Run one MongoDB that all nodes reach, and "
            "set FIFTYONE_DATABASE_URI to its address before FiftyOne is started"
        )


def check_database_address(uri: str, node_addresses: Sequence[str]) -> None:
    """Refuses a database that only this machine can reach, where there are nodes elsewhere.

    Args:
        uri: of MongoDB
        node_addresses: of the cluster's nodes

    Raises:
        DatabaseError: naming the remedy
    """
    host = uri.split("://", 1)[1].split("/", 1)[0].rsplit("@", 1)[-1].rsplit(":", 1)[0]
    if host in _LOCAL_HOSTS and len(set(node_addresses)) > 1:
        raise DatabaseError(
            f"FiftyOne's database is at {host}, which other nodes cannot reach, and the cluster has "
            f"{len(set(node_addresses))} machines. Run one MongoDB that all nodes reach, and set FIFTYONE_DATABASE_URI "
            "to its address before FiftyOne is started"
        )


def database_environment() -> dict[str, str]:
    """What makes FiftyOne on a node use the database that is used here."""
    uri = fo.config.database_uri
    if not uri:
        address = get_db_conn().client.address
        uri = f"mongodb://{address[0]}:{address[1]}"
    return {
        "FIFTYONE_DATABASE_URI": uri,
        "FIFTYONE_DATABASE_NAME": fo.config.database_name,
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DO_NOT_TRACK": "true",
    }
