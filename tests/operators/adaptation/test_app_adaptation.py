"""Adapting a tracker in the real App: find the operator, read the form, and learn what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import adaptable
import browser
import fiftyone as fo
import pytest
from playwright.sync_api import Page, expect

import point_tracking as pt
from point_tracking.tracker.models.adapted import Lineage, WeightsTerms, save_adapted

pytestmark = pytest.mark.app


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fo.Dataset]:
    """Three clips; and a tiny tracker that can be adapted, named `first`."""
    browser.chromium()
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    terms = WeightsTerms("cotracker3-offline", "CC-BY-NC-4.0", False)
    save_adapted("first", adaptable.drifting_start(0.08).model, Lineage(terms, (terms,), "pt-small"))
    dataset = fo.Dataset()
    paths = [adaptable.textured_video(tmp_path / f"{k}.mp4", k) for k in range(3)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    pt.fill_metadata(dataset)
    yield dataset
    dataset.delete()


def _open_form(page: Page) -> None:
    page.keyboard.press("`")
    page.keyboard.type("adapt")
    page.get_by_text("Adapt a tracker", exact=True).last.click()
    browser.field(page, "Name of the new tracker").wait_for()


def _fill(page: Page, name: str) -> None:
    """A quick run that starts from the tiny tracker."""
    browser.field(page, "Name of the new tracker").fill(name)
    page.locator('xpath=//*[text()="Tracker to start from"]/following::*[@role="combobox"][1]').last.click()
    page.locator('[role="option"]').filter(has_text="first").first.click()
    browser.field(page, "Minutes of training").fill("0.02")
    expect(page.get_by_text("NON-COMMERCIAL use only, because of first")).to_be_visible()


def test_adapting_from_the_operator_browser(dataset: fo.Dataset) -> None:
    with browser.app_page(dataset) as page:
        _open_form(page)
        execute = page.get_by_role("button", name="Execute")
        expect(page.get_by_text("Required property")).to_be_visible()
        expect(page.get_by_text("pt-small: experimental")).to_be_visible()
        expect(page.get_by_text("2 videos to learn from, 1 to judge by")).to_be_visible()
        browser.field(page, "Name of the new tracker").fill("first")
        expect(page.get_by_text("There is a tracker 'first'")).to_be_visible()
        browser.field(page, "Videos to judge by (%)").fill("100")
        expect(page.get_by_text("(100 %). Expected more than 0 and less than 100")).to_be_visible()
        expect(execute).to_be_disabled()
        browser.screenshot(page, "adapt_1_invalid_values")
        browser.field(page, "Videos to judge by (%)").fill("34")
        _fill(page, "mine")
        expect(execute).to_be_enabled()
        browser.screenshot(page, "adapt_2_form")
        execute.click()
        # in the dialog, or in the panel of runs where it takes longer than the dialog stays
        expect(page.get_by_text("was not stored: ").first).to_be_visible()
        expect(page.locator("table").first).to_contain_text("points returned (%)")
        browser.screenshot(page, "adapt_3_result")
        page.get_by_role("button", name="Done").last.click()

        for path in dataset.values("filepath"):
            Path(path).unlink()
        _open_form(page)
        _fill(page, "other")
        expect(execute).to_be_enabled()
        execute.click()
        expect(page.get_by_text(re.compile("did not work")).first).to_be_visible()
        expect(page.get_by_text("No held-out video can be judged by").first).to_be_visible()
        browser.screenshot(page, "adapt_4_error")

    dataset.reload()
    assert {"adapt_mine", "adapt_other"} <= set(dataset.list_runs())
