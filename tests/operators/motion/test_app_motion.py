"""Motion in the real App: picked with the lasso, filtered in the sidebar, and shown in an open sample."""

from __future__ import annotations

import browser
import fiftyone as fo
import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

import point_tracking as pt
from point_tracking.workflows.lifecycle.sidebar import GROUP, group_notes

pytestmark = pytest.mark.app
CAMERA = "tracks_motion.camera"


@pytest.fixture
def described(dataset: fo.Dataset) -> fo.Dataset:
    """The clips, described, with the group of our fields open in the sidebar."""
    browser.chromium()
    pt.fill_metadata(dataset)
    pt.describe_motion(dataset, "tracks", find_similar=True)
    group_notes(dataset)
    groups = dataset.app_config.sidebar_groups
    for group in groups:
        group.expanded = group.name == GROUP
    dataset.app_config.sidebar_groups = groups
    dataset.app_config.active_fields = fo.ActiveFields(paths=["tracks_motion_events", CAMERA])
    dataset.save()
    return dataset


def settled_box(canvas: Locator) -> FloatRect:
    """Where it is, once two looks half a second apart agree: the map grows with its panel."""
    before = None
    for _ in range(40):
        box = canvas.bounding_box()
        if box is not None and box == before:
            return box
        before = box
        canvas.page.wait_for_timeout(500)
    raise AssertionError("the map does not come to rest")


def draw_lasso(page: Page, across: tuple[float, float]) -> None:
    """Draws around what lies between two shares of the width of the map."""
    box = settled_box(page.locator('[data-cy="panel-content-Embeddings"] canvas').last)
    left, right = (box["x"] + share * box["width"] for share in across)
    top, bottom = box["y"] + 3, box["y"] + box["height"] - 3
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(x, y, steps=12)
    page.mouse.up()


def sort_by_likeness_to(page: Page, position: int) -> None:
    """Selects a sample of the grid and shows the ones like it, in order."""
    page.locator(browser.LOOKER).nth(position).click(position={"x": 15, "y": 15})  # the box in its corner
    page.locator('[data-cy="action-sort-by-similarity"]').first.click()
    page.get_by_text("Show similar samples").first.click()
    expect(page.get_by_text("Completed").first).to_be_visible()
    page.get_by_label("Show results").first.click(force=True)  # something around it says that it is disabled


def test_motion_is_sorted_picked_with_the_lasso_filtered_and_shown_in_an_open_sample(described: fo.Dataset) -> None:
    with browser.app_page(described) as page:
        lookers = page.locator(browser.LOOKER)
        page.get_by_text("Samples").first.wait_for()
        sort_by_likeness_to(page, 3)
        expect(lookers.first).to_contain_text("tilt")
        browser.screenshot(page, "motion_0_sorted")
        page.locator('[data-cy="panel-tab-similarity_search_panel"] [title="Close"]').click()
        page.get_by_text("Unsaved view").first.click()
        page.get_by_text("tracks_motion: camera static").first.click()
        expect(lookers).to_have_count(1)
        page.locator('[data-cy="btn-clear-view-bar"]').click()
        expect(lookers).to_have_count(4)
        page.locator('[data-cy="new-panel-btn"]').first.click()
        page.locator('[data-cy="new-panel-option-Embeddings"]').first.click()
        page.get_by_text("tracks_motion_embeddings").first.click()
        expect(page.get_by_text("4 points").first).to_be_visible()
        page.wait_for_timeout(2000)
        browser.screenshot(page, "motion_1_embeddings")
        page.get_by_role("button", name="Select", exact=True).click()
        draw_lasso(page, (0.01, 0.3))  # the two pans
        page.wait_for_timeout(2500)
        browser.screenshot(page, "motion_2_lasso")
        expect(lookers).to_have_count(2)
        page.get_by_role("button", name="Clear filters and selection").click()
        expect(lookers).to_have_count(4)

        page.locator(f'[data-cy="sidebar-field-arrow-enabled-{CAMERA}"]').first.click()
        search = page.locator(f'[data-cy="selector-sidebar-search-{CAMERA}"]').first
        search.fill("static")
        search.press("Enter")
        expect(lookers).to_have_count(1)
        browser.screenshot(page, "motion_3_filtered")

        browser.open_sample(page)
        expect(page.locator(browser.MODAL).get_by_text(CAMERA).first).to_be_visible()
        browser.screenshot(page, "motion_4_open")  # the span's name stands on the picture while the playhead is in it
