"""*Render trails* in the real App: pressed above the grid, its videos shown in place of the originals without a reload."""

from __future__ import annotations

from pathlib import Path

import browser
import fiftyone as fo
import pytest
from playwright.sync_api import Page, expect

import point_tracking as pt

pytestmark = pytest.mark.app


def test_trails_are_rendered_and_shown_as_media_without_a_reload(dataset: fo.Dataset) -> None:
    browser.chromium()
    pt.fill_metadata(dataset)
    with browser.app_page(dataset) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.keyboard.press("Backquote")
        page.get_by_placeholder("Search operations by name...").fill("Render trails")
        page.get_by_text("Render trails", exact=True).first.click()
        execute = page.get_by_role("button", name="Execute")
        execute.wait_for()
        browser.screenshot(page, "trails_1_form")
        page.wait_for_timeout(1000)
        page.get_by_text("Each beside its video").first.click()
        page.get_by_text("Show them in the App").first.click()
        expect(page.get_by_text("Name of the media field").first).to_be_visible()
        browser.screenshot(page, "trails_2_filled")
        execute.click()
        expect(page.get_by_text("Drew tracks of 2 samples").first).to_be_visible()
        browser.screenshot(page, "trails_3_result")
        page.keyboard.press("Escape")
        page.wait_for_timeout(3000)
        browser.screenshot(page, "trails_4_after")
        print(page.content()[:1])
    dataset.reload()
    assert all(Path(path).is_file() for path in dataset.values("trails"))
