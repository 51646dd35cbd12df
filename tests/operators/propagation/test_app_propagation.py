"""The whole loop in the real App: carry, correct in the Annotate tab, carry again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import fiftyone as fo
import media
import pytest
from drawn_labels import box
from playwright.sync_api import Page, expect

import point_tracking as pt

pytestmark = pytest.mark.app

_NUM_FRAMES, _KEYFRAMES = 24, (1, 12, 24)


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    browser.chromium()
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", _NUM_FRAMES, size=(240, 136)))))
    pt.fill_metadata(dataset)
    sample = dataset.first()
    for number, x in zip(_KEYFRAMES, (0.1, 0.2, 0.3), strict=True):
        sample.frames[number]["box"] = box(x)
    sample.save()
    yield dataset
    dataset.delete()


def _stored(dataset: fo.Dataset) -> dict[int, dict[str, Any]]:
    """The one box of each frame as it is stored, by frame number."""
    found = dataset._frame_collection.find({"box": {"$ne": None}})
    return {frame["frame_number"]: frame["box"]["detections"][0] for frame in found}


def _propagate(page: Page, overview: str, result: str) -> None:
    page.click(f'{browser.MODAL} img[src*="propagate_labels.svg"]')
    execute = page.get_by_role("button", name="Execute")
    expect(page.get_by_text(overview)).to_be_visible()
    execute.click()
    expect(page.get_by_text(result).first).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector(browser.MODAL)


def _drag(page: Page, start: tuple[float, float], by: tuple[float, float]) -> None:
    """Drags something in the picture, in shares of its size, as a hand does."""
    canvas = page.locator(f"{browser.MODAL} canvas").first.bounding_box()
    assert canvas is not None
    # the picture fills the width, and stands in the middle
    height = canvas["width"] * 136 / 240
    top = canvas["y"] + (canvas["height"] - height) / 2
    x, y = canvas["x"] + start[0] * canvas["width"], top + start[1] * height
    page.mouse.click(x, y)
    page.wait_for_timeout(1000)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] * canvas["width"] / 3, y + by[1] * height / 3, steps=5)
    page.mouse.move(x + by[0] * canvas["width"], y + by[1] * height, steps=10)
    page.mouse.up()


def _correct(page: Page, dataset: fo.Dataset) -> dict[int, dict[str, Any]]:
    """Drags the box of the first frame, and waits until the tab has saved it, as it does every few seconds.

    A drag before the tab is ready does nothing: it is done again.
    """
    before = _stored(dataset)[1]["bounding_box"]
    for _ in range(3):
        _drag(page, start=(0.2, 0.5), by=(0.08, 0.05))
        for _ in range(20):
            page.wait_for_timeout(500)
            if _stored(dataset)[1]["bounding_box"] != before:
                return _stored(dataset)
    raise AssertionError("no drag was saved")


def test_a_correction_in_the_annotate_tab_changes_only_the_stretches_beside_it(dataset: fo.Dataset) -> None:
    with browser.app_page(dataset) as page:
        browser.open_sample(page)
        _propagate(page, "3 keyframes of 1 object, 21 frames to fill", "wrote 21 labels")
        browser.screenshot(page, "propagate_1_filled")
        first = _stored(dataset)
        assert sorted(first) == list(range(1, _NUM_FRAMES + 1))
        assert [number for number, label in first.items() if label["keyframe"]] == list(_KEYFRAMES)

        page.get_by_text("Annotate", exact=True).click()
        expect(page.locator(browser.MODAL).get_by_text("bar", exact=True).first).to_be_visible()
        corrected = _correct(page, dataset)
        browser.screenshot(page, "propagate_2_corrected")
        assert corrected[1]["bounding_box"][0] == pytest.approx(0.18, abs=0.02)

        _propagate(page, "3 keyframes of 1 object, 10 frames to fill", "wrote 10 labels")
        again = _stored(dataset)
        assert again[1]["bounding_box"] == corrected[1]["bounding_box"], "what a person drew stays"
        assert all(again[number] == first[number] for number in range(12, _NUM_FRAMES + 1))
        assert all(again[number]["bounding_box"] != corrected[number]["bounding_box"] for number in range(2, 12))
        # the sample opens in the tab that it was in
        expect(page.locator(browser.MODAL).get_by_text("bar", exact=True).first).to_be_visible()
        browser.screenshot(page, "propagate_3_again")
