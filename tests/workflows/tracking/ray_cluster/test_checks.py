"""What must be right on every node before a run on a cluster begins."""

from __future__ import annotations

import pytest

from point_tracking.tracker.errors import DatabaseError, DependencyError, VideoError
from point_tracking.workflows.tracking.ray_cluster.checks import check_database_address, check_node, map_path


def test_paths_are_mapped_by_the_longest_beginning() -> None:
    assert map_path("/a/b/c.mp4", None) == "/a/b/c.mp4"
    assert map_path("/a/b/c.mp4", {"/x": "/y"}) == "/a/b/c.mp4"
    assert map_path("/a/b/c.mp4", {"/a": "/n", "/a/b": "/m"}) == "/m/c.mp4"


def test_a_database_of_this_machine_alone_is_refused_for_several() -> None:
    check_database_address("mongodb://127.0.0.1:27017", ["10.0.0.1"])
    check_database_address("mongodb://user:secret@db.example:27017/?x=1", ["10.0.0.1", "10.0.0.2"])
    for uri in ("mongodb://127.0.0.1:27017", "mongodb://localhost/", "mongodb://user:secret@localhost:1/?x=1"):
        with pytest.raises(DatabaseError, match="FIFTYONE_DATABASE_URI"):
            check_database_address(uri, ["10.0.0.1", "10.0.0.2"])


@pytest.mark.parametrize(
    ("facts", "error", "text"),
    [
        ({"version": "9.9"}, DependencyError, "same version"),
        ({"unreadable": ["/a.mp4"]}, VideoError, "path_map"),
        ({"database": "timed out"}, DatabaseError, "FIFTYONE_DATABASE_URI"),
    ],
)
def test_a_node_that_cannot_do_the_work_is_refused(facts: dict, error: type[Exception], text: str) -> None:
    good = {"host": "node", "version": "1.0", "unreadable": [], "database": None}
    check_node(good, "1.0")
    with pytest.raises(error, match=text):
        check_node({**good, **facts}, "1.0")
