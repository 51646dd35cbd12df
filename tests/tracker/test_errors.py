"""Every error can be caught as ours and as Python's own kind, and survives a process boundary."""

import inspect
import pickle

import pytest

from point_tracking.tracker import errors

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]


@pytest.mark.parametrize("error_class", CLASSES)
def test_every_error_is_ours_documented_and_picklable(error_class):
    assert issubclass(error_class, errors.PointTrackingError)
    assert error_class.__doc__
    copy = pickle.loads(pickle.dumps(error_class("what was found")))  # noqa: S301 - our own bytes
    assert type(copy) is error_class
    assert str(copy) == "what was found"


def test_errors_are_also_of_pythons_kind():
    assert issubclass(errors.ShapeError, ValueError)
    assert issubclass(errors.OptionError, ValueError)
    assert issubclass(errors.VideoNotFoundError, FileNotFoundError)
    assert issubclass(errors.DependencyError, ImportError)
