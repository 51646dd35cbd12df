"""Evaluation in the real App: press the button, read the table, sort by a score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import browser
import fiftyone as fo
import media
import numpy as np
import pytest
from playwright.sync_api import expect

import point_tracking as pt

URI = "@fo-video/point-tracking/evaluate_tracks"
pytestmark = pytest.mark.app


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Three clips: tracked well, tracked badly, without truth."""
    browser.chromium()
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=20, size=(480, 270)) for k in range(3)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    pt.fill_metadata(dataset)
    xy = np.tile(np.random.default_rng(0).uniform(50, 200, (20, 2)), (20, 1, 1))
    visible = np.ones(xy.shape[:2], bool)
    for k, sample in enumerate(dataset):
        found = xy + np.arange(20)[:, None, None] * k * 2.0
        pt.write_tracks(sample, "tracks", pt.Tracks(np.minimum(found, 268), visible, visible.astype(float)))
        if k < 2:
            pt.write_tracks(sample, "ground_truth", pt.Tracks(xy, visible, visible.astype(float)))
    yield dataset
    dataset.delete()


def test_evaluating_from_the_toolbar_button(dataset: fo.Dataset) -> None:
    with browser.app_page(dataset) as page:
        page.click(f'[data-item-id="{URI}"]')
        execute = page.get_by_role("button", name="Execute")
        execute.wait_for()
        expect(page.get_by_text("Frames that count").first).to_be_visible()
        browser.field(page, "Evaluation key").fill("a b")
        expect(page.get_by_text("Invalid evaluation key").first).to_be_visible()
        expect(execute).to_be_disabled()
        browser.field(page, "Evaluation key").fill("judged")
        expect(execute).to_be_enabled()
        browser.screenshot(page, "evaluate_1_form")
        execute.click()

        expect(page.get_by_text("Evaluated frames.tracks of 2 samples").first).to_be_visible()
        table = page.locator("table").first
        expect(table).to_contain_text("delta_avg")
        expect(table).to_contain_text("MTE px")
        expect(page.get_by_text("no known tracks").first).to_be_visible()
        expect(page.get_by_text("sort the grid by one of them").first).to_be_visible()
        browser.screenshot(page, "evaluate_2_result")
        page.keyboard.press("Escape")
        expect(page.get_by_text("judged_delta_avg").first).to_be_attached()

    dataset.reload()
    good, bad, unknown = dataset.values("judged_delta_avg")
    assert good == 1.0
    assert bad < 0.5
    assert unknown is None
    assert dataset.get_run_info("judged").config.gt_field == "ground_truth"
