"""Correcting in the real App: points are selected by clicks, hidden, and put elsewhere; the open video shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import browser
import fiftyone as fo
import media
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import point_tracking as pt

pytestmark = pytest.mark.app

_NUM_FRAMES, _SIZE = 24, (240, 136)
# where tracks 1 to 4 stand, in shares of the picture
_PLACES = ((0.2, 0.3), (0.5, 0.3), (0.8, 0.3), (0.5, 0.7))


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    browser.chromium()
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", _NUM_FRAMES, size=_SIZE))))
    pt.fill_metadata(dataset)
    xy = np.repeat(np.array(_PLACES)[None] * _SIZE, _NUM_FRAMES, axis=0)
    seen = np.ones(xy.shape[:2], bool)
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks(xy, seen, seen.astype(float)))
    yield dataset
    dataset.delete()


def _place(page: Page, number: int) -> tuple[float, float]:
    """Where a track is on the page."""
    canvas = page.locator(f"{browser.MODAL} canvas").first.bounding_box()
    assert canvas is not None
    # the picture fills the width, and stands in the middle
    height = canvas["width"] * _SIZE[1] / _SIZE[0]
    top = canvas["y"] + (canvas["height"] - height) / 2
    x, y = _PLACES[number - 1]
    return canvas["x"] + x * canvas["width"], top + y * height


def _select(page: Page, *numbers: int) -> None:
    for number in numbers:
        x, y = _place(page, number)
        page.mouse.move(x - 30, y)
        page.mouse.move(x, y, steps=5)
        page.wait_for_timeout(500)
        page.mouse.click(x, y)
        page.wait_for_timeout(1000)


def _drawn(page: Page) -> int:
    """How many points the open video shows: places that circles are drawn at."""
    page.evaluate("window.__places = new Set()")
    for x in (600, 700):
        page.mouse.move(x, 480)
        page.wait_for_timeout(1500)
    return page.evaluate("window.__places.size")


def _count_places(page: Page) -> None:
    page.evaluate(
        """() => {
            window.__places = new Set();
            const arc = CanvasRenderingContext2D.prototype.arc;
            CanvasRenderingContext2D.prototype.arc = function (x, y, ...rest) {
                if (this.canvas.closest('[data-cy="modal"]')) window.__places.add(`${Math.round(x)} ${Math.round(y)}`);
                return arc.call(this, x, y, ...rest);
            };
        }"""
    )


def _open_form(page: Page) -> None:
    page.click(f'{browser.MODAL} img[src*="correct_tracks.svg"]')


def _execute(page: Page, told: str) -> None:
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_text(told).first).to_be_visible()
    page.wait_for_selector(browser.MODAL)
    page.wait_for_timeout(4000)


def test_clicked_points_are_hidden_and_come_back(dataset: fo.Dataset) -> None:
    with browser.app_page(dataset) as page:
        _count_places(page)
        browser.open_sample(page)
        assert _drawn(page) == 4
        _open_form(page)
        expect(page.get_by_text("No points are selected").first).to_be_visible()
        expect(page.get_by_role("button", name="Execute")).to_be_disabled()
        page.keyboard.press("Escape")
        page.wait_for_timeout(1000)

        _select(page, 1, 4)
        browser.screenshot(page, "correct_1_selected")
        _open_form(page)
        expect(
            page.get_by_text("From frame 1 on, 48 points of 2 tracks in 24 frames will be hidden").first
        ).to_be_visible()
        browser.screenshot(page, "correct_2_form")
        _execute(page, "Hid 48 points of 2 tracks")
        assert _drawn(page) == 2, "without a reload"
        browser.screenshot(page, "correct_3_hidden")
        visible = pt.read_tracks(dataset.first(), "tracks").visible
        assert visible.any(axis=0).tolist() == [False, True, True, False]

        _open_form(page)
        page.get_by_text("Take the last correction of this video back").click()
        expect(page.get_by_text("24 frames of tracks will be as they were before").first).to_be_visible()
        _execute(page, "Took the last correction back")
        assert _drawn(page) == 4
        browser.screenshot(page, "correct_4_back")
