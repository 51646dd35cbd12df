"""Which packages there are: the checkout is the package, so `pyproject.toml` alone cannot find them."""

from setuptools import find_packages, setup

_NOT_INSTALLED = ["benchmarks*", "demo*", "tests*", "build*"]

setup(packages=["point_tracking", *(f"point_tracking.{name}" for name in find_packages(exclude=_NOT_INSTALLED))])
