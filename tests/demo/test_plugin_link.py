"""The link into the plugins folder: added where nothing is, and nothing else is ever touched."""

import pytest

from point_tracking.demo.plugin_link import PLUGIN_NAME, link_plugin


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "fiftyone.yml").write_text("name: x")
    return folder


def test_a_link_is_added_where_nothing_is(tmp_path, checkout):
    result = link_plugin(tmp_path / "plugins", checkout)
    assert result.usable
    assert result.path == tmp_path / "plugins" / PLUGIN_NAME
    assert result.path.is_symlink()
    assert (result.path / "fiftyone.yml").read_text() == "name: x"


def test_the_second_time_nothing_changes(tmp_path, checkout):
    first = link_plugin(tmp_path / "plugins", checkout)
    before = first.path.lstat()
    again = link_plugin(tmp_path / "plugins", checkout)
    assert again.usable
    assert "already" in again.message
    assert again.path.lstat() == before


def test_a_checkout_that_lies_in_the_plugins_folder_is_found(tmp_path):
    checkout = tmp_path / "plugins" / PLUGIN_NAME
    checkout.mkdir(parents=True)
    result = link_plugin(tmp_path / "plugins", checkout)
    assert result.usable
    assert not result.path.is_symlink()


@pytest.mark.parametrize("kind", ["folder", "file", "link", "broken link"])
def test_what_is_there_is_left_alone_and_named(tmp_path, checkout, kind):
    path = tmp_path / "plugins" / PLUGIN_NAME
    path.parent.mkdir(parents=True)
    other = tmp_path / "other"
    if kind == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    elif kind == "file":
        path.write_text("mine")
    else:
        path.symlink_to(other)
        if kind == "link":
            other.mkdir()
    before = path.lstat()
    result = link_plugin(tmp_path / "plugins", checkout)
    assert not result.usable
    assert str(path) in result.message
    assert "left alone" in result.message
    expected = {"folder": "a folder", "file": "a file", "link": str(other), "broken link": "does not exist"}
    assert expected[kind] in result.message
    assert path.lstat() == before
    if kind == "folder":
        assert (path / "mine.txt").read_text() == "mine"
