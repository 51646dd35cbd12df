"""Exporting and importing in the real App: out to a table and back onto the same videos."""

from __future__ import annotations

from pathlib import Path

import browser
import fiftyone as fo
import pytest
from playwright.sync_api import expect

import point_tracking as pt

pytestmark = pytest.mark.app


def test_tracks_go_out_to_a_table_and_back(dataset: fo.Dataset, tmp_path: Path) -> None:
    browser.chromium()
    table = tmp_path / "all.csv"
    with browser.app_page(dataset) as page:
        _open(page, "Export tracks")
        execute = page.get_by_role("button", name="Execute")
        browser.field(page, "Write to").fill(str(tmp_path / "all.txt"))
        expect(page.get_by_text("Expected a .csv file").first).to_be_visible()
        browser.screenshot(page, "export_1_refused")
        browser.field(page, "Write to").fill(str(table))
        expect(execute).to_be_enabled()
        browser.screenshot(page, "export_2_form")
        execute.click()
        expect(page.get_by_text("exported as csv").first).to_be_visible()
        browser.screenshot(page, "export_3_result")
        page.keyboard.press("Escape")

        _open(page, "Import tracks")
        browser.field(page, "Read from").fill(str(table))
        expect(page.get_by_text("2 clips for 2 videos").first).to_be_visible()
        browser.field(page, "Field").fill("back")
        browser.screenshot(page, "import_1_form")
        page.get_by_role("button", name="Execute").click()
        expect(page.get_by_text("imported as csv").first).to_be_visible()
        browser.screenshot(page, "import_2_result")
        page.keyboard.press("Escape")
        expect(page.get_by_text("frames.back").first).to_be_attached()
    dataset.reload()
    assert pt.read_tracks(dataset.first(), "back").num_points == 3


def _open(page, name: str) -> None:
    """Opens an operator from the list of all of them."""
    page.keyboard.press("Backquote")
    page.get_by_placeholder("Search operations by name...").fill(name)
    page.get_by_text(name, exact=True).first.click()
    page.get_by_role("button", name="Execute").wait_for()
