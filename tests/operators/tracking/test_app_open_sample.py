"""Tracking in a sample that is open in the App: its field and points are there afterwards, without a reload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import browser
import fiftyone as fo
import media
import pytest
from playwright.sync_api import expect

import point_tracking as pt

pytestmark = pytest.mark.app


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    browser.chromium()
    dataset = fo.Dataset()
    dataset.add_samples(
        [fo.Sample(filepath=str(media.video(tmp_path / f"{k}.mp4", 24, size=(480, 270)))) for k in (0, 1)]
    )
    pt.fill_metadata(dataset)
    yield dataset
    dataset.delete()


def test_the_open_sample_shows_its_new_points(dataset: fo.Dataset) -> None:
    with browser.app_page(dataset) as page:
        browser.count_circles(page)
        browser.open_sample(page)
        page.click(f'{browser.MODAL} img[src*="track_points.svg"]')
        browser.field(page, "Grid size").fill("4")
        execute = page.get_by_role("button", name="Execute")
        expect(page.get_by_text("4 x 4 = 16 points")).to_be_visible()
        execute.click()
        expect(page.get_by_text("Tracked 16 points in 1 sample").first).to_be_visible()
        browser.screenshot(page, "open_1_result")
        page.keyboard.press("Escape")
        page.wait_for_selector(browser.MODAL)
        modal = page.locator(browser.MODAL)
        expect(modal.locator('[data-cy="sidebar-field-frames.tracks"]').first).to_be_visible()
        expect(modal.get_by_text("480", exact=True)).to_be_visible()  # the sidebar knows the sample's values
        assert browser.points_in_open_sample(page) >= 16, "points are drawn in the first frame"
        browser.screenshot(page, "open_2_first")
        for _ in range(5):
            page.keyboard.press(".")
        assert browser.points_in_open_sample(page) >= 8, "points are drawn in a later frame"
        browser.screenshot(page, "open_3_later")
