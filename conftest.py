"""Lets pytest work in a checkout whose root is itself a package."""

import pytest


class _RootIsPlainFolder:
    """Collects the root as a plain folder: its name need not be a Python identifier."""

    def __init__(self, root):
        self._root = root

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path, parent):
        if path == self._root:
            return pytest.Dir.from_parent(parent, path=path)
        return None


def pytest_configure(config):
    config.pluginmanager.register(_RootIsPlainFolder(config.rootpath), "root-is-plain-folder")
