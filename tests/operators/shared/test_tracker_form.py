"""The choice of a tracker in a form."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fiftyone.operators.types as types
import pytest

from point_tracking.operators.shared import tracker_form
from point_tracking.operators.shared.tracker_form import add_tracker, add_weights, tracker_options_of
from point_tracking.tracker.models.registry import list_trackers, tracker_info

WITH_WEIGHTS = next(name for name in list_trackers() if tracker_info(name).size_mb is not None)


@pytest.fixture(autouse=True)
def _no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))


def _form(**params: Any) -> dict[str, Any]:
    inputs = types.Object()
    ctx = SimpleNamespace(params=params)
    add_tracker(ctx, inputs, "optical-flow")
    add_weights(ctx, inputs, "optical-flow")
    return inputs.properties


def test_every_tracker_is_offered_with_its_terms() -> None:
    choices = _form()["tracker"].view.choices
    assert [choice.value for choice in choices] == list_trackers()
    for choice in choices:
        info = tracker_info(choice.value)
        assert info.weights_terms in choice.description
        terms = _form(tracker=choice.value)["tracker_terms"].view
        assert isinstance(terms, types.Notice if info.commercial_use else types.Warning)
        assert info.terms in terms.label


def test_only_trackers_whose_weights_are_downloaded_ask_for_them() -> None:
    assert "checkpoint" not in _form()
    assert "checkpoint" in _form(tracker=WITH_WEIGHTS)
    assert "checkpoint" not in _form(tracker=WITH_WEIGHTS, tracker_options={"checkpoint": "/x"})
    assert list(_form(tracker="nobody")) == ["tracker"], "what is wrong with it, the run says"


@pytest.mark.parametrize(
    ("state", "text"), [("here", "file here"), ("to download", "to download)"), ("ask", "asks before its download")]
)
def test_the_choice_says_where_weights_are(state: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_form, "weights_state", lambda _info: state)
    described = {choice.value: choice.description for choice in _form()["tracker"].view.choices}
    assert text in described[WITH_WEIGHTS]
    assert "file here" not in described["optical-flow"], "there is none to be had"


def test_what_weights_were_trained_on_is_told() -> None:
    assert tracker_info("alltracker").notes in _form(tracker="alltracker")["tracker_terms"].view.label


def test_weights_whose_licence_nobody_states_quote_what_others_say_and_who_is_to_be_asked() -> None:
    form = _form(tracker="locotrack-base")
    assert isinstance(form["tracker_terms"].view, types.Warning)
    assert form["tracker_terms"].view.label == (
        "locotrack-base: compares whole surroundings of points; light, and any query frames in one pass. Terms: code "
        "Apache-2.0, weights without a stated licence: commercial use not stated by the authors: ask them. The "
        "authors' code is Apache-2.0 and says nothing separate of the weights; third parties treat them as "
        '"Apache-2.0". Trained on Kubric (panning MOVi-E).'
    )
    assert form["accept_license"].view.label == (
        "I accept the terms of the weights (none stated: commercial use not stated by the authors: ask them)"
    )


def test_consent_is_asked_for_where_the_weights_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_form, "weights_are_here", lambda _info: False)
    for needs, field in ((True, "accept_license"), (False, "download")):
        monkeypatch.setattr(tracker_form, "needs_consent", lambda _info, needs=needs: needs)
        form = _form(tracker=WITH_WEIGHTS)
        assert field in form
        assert form[field].invalid is needs
        assert not _form(tracker=WITH_WEIGHTS, accept_license=True)[field].invalid
    monkeypatch.setattr(tracker_form, "weights_are_here", lambda _info: True)
    assert not {"accept_license", "download"} & set(_form(tracker=WITH_WEIGHTS))


def test_a_file_that_is_not_there_is_refused_and_one_that_is_needs_no_consent(tmp_path: Path) -> None:
    form = _form(tracker=WITH_WEIGHTS, checkpoint=str(tmp_path / "absent"))
    assert "There is no file" in form["checkpoint"].error_message
    (tmp_path / "mine.pth").touch()
    form = _form(tracker=WITH_WEIGHTS, checkpoint=str(tmp_path / "mine.pth"))
    assert not form["checkpoint"].invalid
    assert "accept_license" not in form


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, None),
        ({"tracker": "optical-flow", "checkpoint": "/left/over"}, None),
        ({"tracker": WITH_WEIGHTS, "checkpoint": "/x", "accept_license": False}, {"checkpoint": "/x"}),
        ({"tracker": WITH_WEIGHTS, "accept_license": True}, {"accept_license": True}),
        ({"tracker": WITH_WEIGHTS, "checkpoint": "/x", "tracker_options": {"checkpoint": "/y"}}, {"checkpoint": "/y"}),
        ({"tracker": "optical-flow", "tracker_options": {"resolution": 64}}, {"resolution": 64}),
    ],
)
def test_options_are_those_of_the_chosen_tracker(params: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert tracker_options_of(params) == expected
