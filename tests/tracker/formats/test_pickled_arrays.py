"""Arrays from pickles that may lie: numbers and texts arrive as they were, everything else is refused."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from point_tracking.tracker.errors import TruthError
from point_tracking.tracker.formats.pickled_arrays import array_builder


class Reader(pickle.Unpickler):
    """Reads what this module can build, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        found = array_builder(module, name)
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return found


def read(content: bytes) -> Any:
    return Reader(io.BytesIO(content), encoding="latin1").load()


_NUMBERS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.floating_dtypes(sizes=(16, 32, 64)),
    hnp.integer_dtypes(endianness=">"),
)


@settings(deadline=None)
@given(
    hnp.arrays(_NUMBERS, hnp.array_shapes(min_dims=0, min_side=0, max_side=4)), st.sampled_from([3, 4]), st.booleans()
)
def test_arrays_of_numbers_arrive_as_they_were(array: np.ndarray, protocol: int, fortran: bool):
    array = np.asfortranarray(array) if fortran else array
    content = pickle.dumps(array, protocol=protocol)
    found = np.asarray(read(content))
    assert found.dtype == pickle.loads(content).dtype  # noqa: S301 - our own
    np.testing.assert_array_equal(found, array)


def test_texts_objects_and_single_numbers_arrive_too():
    objects = np.empty(2, object)
    objects[:] = [{"a": 1}, "b"]
    assert read(pickle.dumps(objects)).tolist() == [{"a": 1}, "b"]
    assert read(pickle.dumps(np.array(["ä", "bc"]))).tolist() == ["ä", "bc"]
    assert read(pickle.dumps(np.float32(0.5))) == 0.5


def build(name: str) -> Any:
    return array_builder("numpy.core.multiarray", name)


def filled(dtype: Any, shape: Any, content: Any) -> Any:
    array = build("_reconstruct")(None, (0,), b"b")
    array.__setstate__((1, shape, dtype, False, content))
    return array


@pytest.mark.parametrize(
    ("spelled", "shape", "content"),
    [
        ("O", (1,), b"\x00" * 8),  # pointers of the file's choice
        ("f4", (3,), b"\x00" * 8),
        ("f4", (-1,), b"\x00" * 4),
        ("f4", [1], b"\x00" * 4),
        ("f4", (True,), b"\x00" * 4),
        ("f4", (1,), [0.0]),
        ("f4", (1,), 4),
    ],
)
def test_arrays_filled_against_their_type_are_refused(spelled: str, shape: Any, content: Any):
    with pytest.raises(TruthError, match="This pickle"):
        filled(build("dtype")(spelled), shape, content)


@pytest.mark.parametrize("spelled", ["V8", "f4,O", "M8[s]", "c8", "O,O"])
def test_types_that_no_file_needs_are_refused(spelled: str):
    with pytest.raises(TruthError, match="which no TAP-Vid file needs"):
        build("dtype")(spelled)


def test_types_are_our_own():
    with pytest.raises(TruthError, match="as the type of an array"):
        filled(np.dtype("f4"), (1,), b"\x00" * 4)
    with pytest.raises(TruthError, match="single object"):
        build("scalar")(build("dtype")("O"), b"\x00" * 8)


def test_the_state_of_a_type_changes_nothing_but_its_byte_order():
    plain = build("dtype")("f4")
    plain.__setstate__((3, ">", None, ["a"], {"a": ("O", 0)}, 8, 8, 63))
    assert plain.dtype == np.dtype(">f4")


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("numpy", "load"), ("builtins", "dtype")])
def test_nothing_else_of_any_module_is_built(module: str, name: str):
    assert array_builder(module, name) is None
