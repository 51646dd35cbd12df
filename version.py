"""The version of the package; kept apart so that nothing has to import the root for it."""

__version__ = "0.1.0"
