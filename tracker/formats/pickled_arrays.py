"""What pickles of numpy arrays call, built anew: numpy's own functions believe whatever a file says.

A file that calls them by itself can have an array of objects filled from raw bytes:
pointers of its choice. Here types are plain ones, and bytes fill numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import TruthError

_ARRAY_MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
_BUFFER_MODULES = ("numpy.core.numeric", "numpy._core.numeric")
_KINDS = "?bhilqBHILQefdSUO"  # characters of `numpy.dtype.char`


def array_builder(module: str, name: str) -> Callable[..., Any] | str | None:
    """What a pickle gets where it names a part of numpy.

    Args:
        module, name: as the pickle has them

    Returns:
        a function or type of this module; None where arrays need nothing of that name
    """
    if module in _BUFFER_MODULES and name == "_frombuffer":
        return _from_buffer
    return _BUILDERS.get(name) if module in _ARRAY_MODULES else None


class _PickledType:
    """The type of an array, as a pickle spells it.

    Args:
        spelled: such as "f4"
        rest: what else numpy notes; both are for numpy alone

    Raises:
        TruthError: for other than numbers, texts and objects
    """

    def __init__(self, spelled: str | bytes, *rest: Any) -> None:
        text = spelled.decode("latin1") if isinstance(spelled, bytes) else spelled
        self._dtype = np.dtype(text) if isinstance(text, str) and "," not in text else np.dtype("V")
        if self._dtype.char not in _KINDS:
            raise TruthError(f"This pickle asks for arrays of the type {text!r}, which no TAP-Vid file needs")

    def __setstate__(self, state: Any) -> None:
        # the rest of the state would make other types of this one
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        if order in ("<", ">"):
            self._dtype = self._dtype.newbyteorder(order)

    @property
    def dtype(self) -> np.dtype:
        return self._dtype


class _PickledArray(np.ndarray):
    """An array that is filled as its type allows."""

    def __setstate__(self, state: Any) -> None:
        _, shape, pickled, fortran, content = state
        dtype = _dtype_of(pickled)
        if dtype.kind == "O":
            if not isinstance(content, list):
                raise TruthError("This pickle fills an array of objects with bytes, which no TAP-Vid file does")
            count = len(content)
        else:
            content = _bytes_of(content)
            count = len(content) // dtype.itemsize if dtype.itemsize else 0
        checked: Any = (1, _checked_shape(shape, count), dtype, bool(fortran), content)
        super().__setstate__(checked)


def _reconstruct(*_: Any) -> np.ndarray:
    return np.ndarray.__new__(_PickledArray, (0,), np.int8)


def _scalar(pickled: Any, content: Any = b"") -> Any:
    dtype = _dtype_of(pickled)
    if dtype.kind == "O":
        raise TruthError("This pickle holds a single object as a number, which no TAP-Vid file does")
    return np.frombuffer(_bytes_of(content), dtype, count=1)[0]


def _from_buffer(content: Any, pickled: Any, shape: Any, order: str) -> np.ndarray:
    dtype = _dtype_of(pickled)
    if dtype.kind == "O":
        raise TruthError("This pickle fills an array of objects with bytes, which no TAP-Vid file does")
    flat = np.frombuffer(_bytes_of(content), dtype)
    return flat.reshape(_checked_shape(shape, flat.size), order="F" if order == "F" else "C")


def _bytes_of(content: Any) -> bytes:
    if isinstance(content, str):  # of Python 2
        return content.encode("latin1")
    if not isinstance(content, (bytes, bytearray)):
        raise TruthError(f"This pickle fills an array with {type(content).__name__}, not with bytes")
    return bytes(content)


def _dtype_of(pickled: Any) -> np.dtype:
    if not isinstance(pickled, _PickledType):
        raise TruthError(f"This pickle gives {type(pickled).__name__} as the type of an array")
    return pickled.dtype


def _checked_shape(shape: Any, count: int) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or any(type(side) is not int or side < 0 for side in shape):
        raise TruthError(f"This pickle holds an array of shape {shape!r}")
    if math.prod(shape) != count:
        raise TruthError(f"This pickle holds an array of shape {shape!r} with {count} values")
    return shape


# `ndarray` is only named, never called: a word will do
_BUILDERS: dict[str, Any] = {
    "_reconstruct": _reconstruct,
    "scalar": _scalar,
    "dtype": _PickledType,
    "ndarray": "numpy.ndarray",
}
