"""Fields that forms share: what a person types, and what is marked as wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.operators.shared import forms
from point_tracking.operators.shared.forms import parse_path_map, parse_points
from point_tracking.tracker.errors import OptionError, PointTrackingError, QueryError
from point_tracking.workflows.lifecycle.options import FormInput, RunOptions, option

NUMBERS = st.integers(-999, 999) | st.floats(-1e6, 1e6)
PATHS = st.text("abc/ .-_", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4), st.sampled_from(["", " ", "\n"]))
def test_rows_of_points_are_read_as_they_are_typed(rows: list[tuple], space: str) -> None:
    text = f";{space}".join(f",{space}".join(map(repr, row)) for row in rows)
    expected = [list(map(float, row)) for row in rows]
    assert parse_points(text) == parse_points(f"{text};") == expected
    assert parse_points(json.dumps(rows)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("clicks", "clicks"),
        ("frames.clicks ", "frames.clicks"),
        ([[0, 1, 2]], [[0, 1, 2]]),
        ({"id": [[0, 1, 2]]}, {"id": [[0, 1, 2]]}),
        ('{"id": [[0, 1, 2]]}', {"id": [[0, 1, 2]]}),
    ],
)
def test_points_may_be_nothing_a_field_or_values(value: Any, expected: Any) -> None:
    assert parse_points(value) == expected


@pytest.mark.parametrize("text", ["[[0, 1", "0, a, 3", "frames.a.b c", "{"])
def test_points_that_cannot_be_read_are_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(QueryError, match="Write"):
        parse_points(text)


@given(st.text(max_size=12))
def test_whatever_is_typed_is_points_a_field_or_refused(text: str) -> None:
    try:
        found = parse_points(text)
    except QueryError:
        return
    assert found is None or isinstance(found, str | list | dict | int | float)


@given(st.dictionaries(PATHS, PATHS, min_size=1, max_size=3))
def test_paths_are_read_as_they_are_typed(paths: dict[str, str]) -> None:
    typed = "; ".join(f"{here} = {there}" for here, there in paths.items())
    assert parse_path_map(typed) == parse_path_map(json.dumps(paths)) == parse_path_map(paths) == paths


@pytest.mark.parametrize("text", ["/a", "/a=/b=/c", '{"a"'])
def test_paths_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="Write /path/here = /path/on/the/nodes"):
        parse_path_map(text)
    assert parse_path_map("  ") is None
    assert parse_path_map(None) is None


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, None),
        ({"sampling_rule": "all", "sampling_fps": 3}, None),
        ({"sampling_rule": "fps", "sampling_fps": 3.0}, {"fps": 3.0}),
        ({"sampling_rule": "every_nth"}, {"every_nth": None}),
        ({"sampling": {"max_frames": 9}, "sampling_rule": "fps"}, {"max_frames": 9}),
    ],
)
def test_sampling_is_the_chosen_rule_or_what_python_gave(params: dict[str, Any], expected: Any) -> None:
    assert forms.sampling_of(params) == expected


@dataclass(frozen=True)
class _Options(RunOptions):
    METHOD = "test"

    count: int = option(3, form=FormInput("Count", "how many", section="one"))
    share: float = option(0.5, form=FormInput("Share", section="one"))
    name: str = option("a", form=FormInput("Name", choices={"a": "First", "b": "Second"}, section="one"))
    flag: bool = option(False, form=FormInput("Flag", section="other"))
    plain: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count < 1:
            raise OptionError("at least 1")

    @property
    def base_key(self) -> str:
        return "test"


def _ctx(**params: Any) -> Any:
    return SimpleNamespace(params=params, current_sample=None)


def test_options_that_describe_their_input_become_fields_of_their_section() -> None:
    inputs = types.Object()
    forms.add_options(_ctx(count=0), inputs, _Options, "one")
    found = inputs.properties
    assert list(found) == ["count", "share", "name"]
    assert [type(found[name].type) for name in found] == [types.Number, types.Number, types.Enum]
    assert (found["count"].default, found["count"].view.description) == (3, "how many")
    assert (found["count"].invalid, found["count"].error_message) == (True, "at least 1")
    assert not found["share"].invalid
    assert [choice.label for choice in found["name"].view.choices] == ["First", "Second"]


def test_values_that_are_left_empty_are_not_given() -> None:
    params = {"count": 0, "name": "", "plain": None, "flag": False, "foreign": 1}
    assert forms.given_values(params, _Options) == {"count": 0, "flag": False}


def test_only_what_a_user_can_mend_marks_a_field() -> None:
    prop = SimpleNamespace(invalid=False, error_message="")

    def refuse() -> None:
        raise OptionError("no")

    forms.check_field(prop, lambda: None)
    assert not prop.invalid
    forms.check_field(prop, refuse)
    assert (prop.invalid, prop.error_message) == (True, "no")
    assert isinstance(forms.error_of(refuse), PointTrackingError)
    with pytest.raises(ZeroDivisionError):
        forms.error_of(lambda: 1 / 0)


def test_a_run_key_is_checked_where_one_is_typed() -> None:
    asked: list[str] = []
    for params in ({}, {"run_key": ""}, {"run_key": "mine"}):
        forms.add_run_key(_ctx(**params), types.Object(), asked.append)
    assert asked == ["mine"]


def test_folded_inputs_close_at_first_and_their_values_count_beside_the_others() -> None:
    inputs, folded = types.Object(), types.Object()
    forms.add_folded(inputs, folded)
    assert not inputs.properties
    prop = folded.int("count")
    forms.add_folded(inputs, folded)
    assert list(inputs.properties) == ["more"]
    view = inputs.properties["more"].view.to_json()
    assert (view["collapsible"], view["default_expanded"], view["label"]) == (True, False, "More options")
    ctx = _ctx(count=1, more={"count": 2, "name": "b"})
    forms.unfold(ctx)
    assert (ctx.params["count"], ctx.params["name"]) == (2, "b")
    forms.show_error(prop, OptionError("too many"))
    forms.add_folded(inputs, folded, "Rarely used")
    assert inputs.properties["folded_error"].error_message == "Rarely used: too many"


def test_errors_are_told_in_the_words_of_the_app() -> None:
    inputs = types.Object()
    forms.add_error(inputs, "wrong", OptionError("Use overwrite=True"))
    prop = inputs.properties["wrong"]
    assert prop.invalid
    assert prop.error_message == prop.view.label == "Use 'Replace existing'"


@pytest.fixture(scope="module")
def grouped() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_group_field("group", default="picture")
    group = fo.Group()
    dataset.add_samples(
        [
            fo.Sample(filepath="/a.png", group=group.element("picture")),
            fo.Sample(filepath="/a.mp4", group=group.element("video")),
        ]
    )
    yield dataset
    dataset.delete()


def test_of_groups_the_videos_are_the_target(grouped: fo.Dataset) -> None:
    ctx = SimpleNamespace(
        params={}, current_sample=None, dataset=grouped, view=grouped.view(), target_view=grouped.view
    )
    assert forms.target_of(ctx).values("filepath") == ["/a.mp4"]
    video = grouped.select_group_slices("video").first().id
    ctx.current_sample = video
    assert forms.only_open_sample(ctx)
    assert forms.target_of(ctx).values("id") == [video]
    ctx.params["only_open_sample"] = False
    assert not forms.only_open_sample(ctx)
