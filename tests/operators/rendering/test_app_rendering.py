"""*Render trails* in the real App, of the open sample: its video is shown in place of the original without a reload."""

from __future__ import annotations

from pathlib import Path

import browser
import fiftyone as fo
import pytest
from playwright.sync_api import expect

import point_tracking as pt

pytestmark = pytest.mark.app


def test_the_open_sample_is_drawn_and_shown_as_media_without_a_reload(dataset: fo.Dataset) -> None:
    """The page keeps where the media of an opened sample lie, and has to learn of the new field."""
    browser.chromium()
    pt.fill_metadata(dataset)
    with browser.app_page(dataset) as page:
        browser.open_sample(page)
        page.keyboard.press("Backquote")
        page.get_by_placeholder("Search operations by name...").fill("Render trails")
        page.get_by_text("Render trails", exact=True).first.click()
        page.get_by_role("button", name="Execute").wait_for()
        page.get_by_text("Each beside its video").first.click()
        page.get_by_text("Show them in the App").first.click()
        expect(page.get_by_text("Name of the media field").first).to_be_visible()
        expect(page.get_by_text("1 video will be drawn").first).to_be_attached()
        browser.screenshot(page, "trails_1_form")
        page.get_by_role("button", name="Execute").click()
        expect(page.get_by_text("Drew tracks of 1 sample").first).to_be_visible()
        browser.screenshot(page, "trails_2_result")
        page.get_by_role("button", name="Done").click()
        page.locator(f'{browser.MODAL} [data-cy="action-display-options"]').first.click()
        with page.expect_request(lambda request: "/media?" in request.url) as asked:
            page.get_by_text("trails", exact=True).last.click()
        url = asked.value.url
        page.wait_for_timeout(1000)
        browser.screenshot(page, "trails_3_media")
    dataset.reload()
    shown, other = dataset.values("trails")
    assert (Path(shown).is_file(), other) == (True, None)
    assert url.endswith(f"filepath={shown.replace('/', '%2F')}")
