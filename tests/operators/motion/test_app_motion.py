"""Motion in the real App: picked with the lasso, filtered in the sidebar, and shown in an open sample."""

from __future__ import annotations

import re

import browser
import fiftyone as fo
import pytest
from playwright.sync_api import Page, expect

import point_tracking as pt

pytestmark = pytest.mark.app
URI = "@fo-video/point-tracking/describe_motion"
CAMERA = "tracks_motion.camera"


def draw_lasso(page: Page, across: tuple[float, float]) -> None:
    """Draws around what lies between two shares of the width of the map."""
    box = page.locator('[data-cy="panel-content-Embeddings"] canvas').last.bounding_box()
    assert box is not None
    left, right = (box["x"] + share * box["width"] for share in across)
    top, bottom = box["y"] + 3, box["y"] + box["height"] - 3
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(x, y, steps=12)
    page.mouse.up()


def describe_in_the_app(page: Page) -> None:
    """Runs the operator as a person does, with an index for sorting."""
    page.click(f'[data-item-id="{URI}"]')
    execute = page.get_by_role("button", name="Execute")
    execute.wait_for()
    page.locator('[role="button"][aria-expanded]').filter(has_text="More options").click()
    label = page.get_by_text("Sort by like motion")
    label.locator("xpath=preceding::input[1]").check()
    browser.screenshot(page, "motion_1_form")
    execute.click()
    # in the dialog, or in the panel of runs where it takes longer than the dialog stays
    expect(page.get_by_text("Described the motion of 4 samples").first).to_be_visible()
    browser.screenshot(page, "motion_2_result")
    page.keyboard.press("Escape")


def test_motion_described_in_the_app_is_filtered_sorted_by_and_picked_without_a_reload(dataset: fo.Dataset) -> None:
    browser.chromium()
    pt.fill_metadata(dataset)
    with browser.app_page(dataset) as page:
        lookers = page.locator(browser.LOOKER)
        describe_in_the_app(page)

        page.set_viewport_size({"width": 1500, "height": 1900})  # the whole sidebar
        # its fields stand in a group of their own until the dataset is opened again
        page.get_by_text(re.compile("^(tracks_motion|point tracking)$", re.IGNORECASE)).first.click()
        browser.screenshot(page, "motion_3_sidebar")
        page.locator(f'[data-cy="sidebar-field-arrow-enabled-{CAMERA}"]').first.click()
        search = page.locator(f'[data-cy="selector-sidebar-search-{CAMERA}"]').first
        search.fill("static")
        search.press("Enter")
        expect(lookers).to_have_count(1)
        browser.screenshot(page, "motion_4_filtered")
        page.set_viewport_size({"width": 1500, "height": 950})
        browser.open_sample(page)
        expect(page.locator(browser.MODAL).get_by_text(CAMERA).first).to_be_visible()
        browser.screenshot(page, "motion_5_open")  # the span's name stands on the picture while the playhead is in it
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Clear filters and selection").click()
        expect(lookers).to_have_count(4)

        page.locator('[data-cy="new-panel-btn"]').first.click()
        page.locator('[data-cy="new-panel-option-Embeddings"]').first.click()
        page.get_by_text("tracks_motion_embeddings").first.click()
        expect(page.get_by_text("4 points").first).to_be_visible()
        page.wait_for_timeout(2000)
        browser.screenshot(page, "motion_6_embeddings")
        page.get_by_role("button", name="Select", exact=True).click()
        draw_lasso(page, (0.01, 0.3))  # the two pans
        page.wait_for_timeout(2500)
        browser.screenshot(page, "motion_7_lasso")
        expect(lookers).to_have_count(2)
