"""Motion in the real App: described by the button, filtered in the sidebar, on the time line, and picked with the lasso."""

from __future__ import annotations

import browser
import fiftyone as fo
import pytest
from playwright.sync_api import expect

import point_tracking as pt
from point_tracking.workflows.lifecycle.sidebar import group_notes

URI = "@fo-video/point-tracking/describe_motion"
pytestmark = pytest.mark.app


def test_describing_filtering_spans_and_the_lasso(dataset: fo.Dataset) -> None:
    browser.chromium()
    pt.fill_metadata(dataset)
    pt.describe_motion(dataset, "tracks", find_similar=True)
    group_notes(dataset)
    active = ["tracks_motion_events", "tracks_motion.camera", "frames.tracks"]
    dataset.app_config.active_fields = fo.ActiveFields(paths=active)
    dataset.save()
    embeddings = fo.Panel(type="Embeddings", state={"brainResult": "tracks_motion_embeddings"})
    with browser.app_page(dataset) as page:
        browser.screenshot(page, "motion_1_grid")
        group = page.get_by_text("POINT TRACKING", exact=False).first
        group.click()
        page.wait_for_timeout(1500)
        page.get_by_text("tracks_motion.camera", exact=True).first.scroll_into_view_if_needed()
        browser.screenshot(page, "motion_2_sidebar")
        row = page.locator('[data-cy="sidebar-field-container-tracks_motion.camera"]').first
        row.locator('[data-cy="sidebar-field-arrow-enabled-tracks_motion.camera"]').first.click()
        page.get_by_text("static", exact=True).last.click()
        expect(page.locator('[data-cy="entry-count-all"], [data-cy="entry-counts"]').first).to_contain_text("1")
        browser.screenshot(page, "motion_3_filtered")
        browser.open_sample(page)
        page.wait_for_timeout(2500)
        browser.screenshot(page, "motion_4_time_line")
        expect(page.get_by_text("static camera").first).to_be_visible()
    session_spaces = fo.Space(children=[fo.Panel(type="Samples"), embeddings], orientation="horizontal")
    dataset.save_workspace("map", session_spaces)
    with browser.app_page(dataset) as page:
        page.goto(page.url + "?workspace=map")
        page.wait_for_selector(browser.LOOKER)
        page.wait_for_timeout(6000)
        browser.screenshot(page, "motion_5_embeddings")
