"""What a rendering run is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.rendering.colors import COLORINGS
from point_tracking.tracker.rendering.options import BACKGROUNDS
from point_tracking.tracker.rendering.output import WRITERS
from point_tracking.workflows.lifecycle.options import facts_of, given_options
from point_tracking.workflows.rendering.options import RENDER_DEFAULTS, SUFFIXES, RenderOptions, check_fields_differ


def test_the_form_offers_what_there_is() -> None:
    forms = {spec.name: facts_of(spec).form for spec in given_options(RenderOptions)}
    for name, values in (("color_by", COLORINGS), ("background", BACKGROUNDS)):
        form = forms[name]
        assert form is not None
        assert set(form.choices or ()) == set(values)
    assert set(SUFFIXES) == set(WRITERS)


def test_the_record_says_where_files_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = RenderOptions("frames.mine", "out", compare_field="frames.truth", num_workers=3)
    record = options.to_record()
    assert record["output_dir"] == str(tmp_path / "out")
    assert (record["label_field"], record["compare_field"]) == ("mine", "truth")
    assert options.fields == ["mine", "truth"]
    assert options.base_key == "render_mine"
    assert "num_workers" not in record
    assert RENDER_DEFAULTS.fields == ["tracks"]


def test_a_field_is_not_drawn_beside_itself() -> None:
    with pytest.raises(OptionError, match="Name another field"):
        check_fields_differ(["a", "a"])
    check_fields_differ(["a", "b"])
