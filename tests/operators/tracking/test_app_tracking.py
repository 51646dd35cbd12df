"""The main job in the real App: press the button, fill the form, watch, and see points."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import browser
import fiftyone as fo
import media
import numpy as np
import pytest
from playwright.sync_api import expect

import point_tracking as pt

URI = "@fo-video/point-tracking/track_points"
PREPROCESS_URI = "@fo-video/point-tracking/preprocess_videos"
pytestmark = pytest.mark.app


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Two good clips and one that does not decode."""
    browser.chromium()
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=30, size=(480, 270)) for k in range(2)]
    paths.append(media.text_file(tmp_path / "broken.mp4"))
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    pt.fill_metadata(dataset)
    broken = dataset.last()
    broken["metadata"] = dataset.first().metadata  # the App itself would ask ffprobe
    broken.save()
    yield dataset
    dataset.delete()


def test_tracking_from_the_toolbar_button(dataset: fo.Dataset) -> None:
    with browser.app_page(dataset) as page:
        browser.count_circles(page)
        browser.open_sample(page)  # what the App keeps of a sample that was opened before the run must not show after
        page.keyboard.press("Escape")
        page.click(f'[data-item-id="{URI}"]')
        execute = page.get_by_role("button", name="Execute")
        execute.wait_for()
        browser.field(page, "Grid size").fill("0")
        expect(execute).to_be_disabled()
        expect(page.get_by_text("Invalid grid size (0)")).to_be_visible()
        browser.screenshot(page, "1_invalid_value")
        browser.field(page, "Grid size").fill("12")
        expect(page.get_by_text("12 x 12 = 144 points")).to_be_visible()
        expect(execute).to_be_enabled()
        browser.screenshot(page, "2_form")
        execute.click()

        # in the dialog, or in the panel of runs where it takes longer than the dialog stays
        expect(page.get_by_text("of 3 videos done").first).to_be_visible()
        browser.screenshot(page, "3_progress")
        expect(page.get_by_text("Tracked 288 points in 2 samples").first).to_be_visible()
        expect(page.get_by_text("is not a video").or_(page.get_by_text("cannot be opened")).first).to_be_visible()
        browser.screenshot(page, "4_result")
        page.keyboard.press("Escape")
        expect(page.locator('[data-cy="sidebar-field-frames.tracks"]').first).to_be_visible()

        dataset.reload()
        assert dataset.values("tracks_info.num_points") == [144, 144, None]

        browser.open_sample(page)
        assert browser.points_in_open_sample(page) >= 144, "points are drawn in the first frame"
        browser.screenshot(page, "5_points")
        page.click(f'{browser.MODAL} img[src*="track_points.svg"]')  # the modal's buttons do not carry their operator
        expect(page.get_by_text("Only the open sample")).to_be_visible()
        expect(page.get_by_text("frames.tracks exists; finished among the chosen samples: 1")).to_be_visible()
        browser.screenshot(page, "6_form_in_the_modal")
        page.keyboard.press("Escape")


def test_objects_are_chosen_in_the_form_and_what_is_rarely_used_is_folded(dataset: fo.Dataset) -> None:
    dataset.delete_samples(dataset.skip(1))
    mask = np.zeros((270, 480), dtype=np.uint8)
    mask[100:130, 200:230] = 1
    sample = dataset.first()
    sample["person"] = fo.Segmentation(mask=mask)
    sample.save()
    with browser.app_page(dataset) as page:
        page.click(f'[data-item-id="{URI}"]')
        execute = page.get_by_role("button", name="Execute")
        execute.wait_for()
        more = page.locator('[role="button"][aria-expanded]').filter(has_text="More options")
        expect(more).to_have_attribute("aria-expanded", "false")
        more.click()
        browser.field(page, "Run key").fill("a b")
        expect(execute).to_be_disabled()
        more.click()
        expect(page.get_by_text("More options: Invalid run key").first).to_be_visible()
        browser.screenshot(page, "form_1_folded_error")
        more.click()
        browser.field(page, "Run key").fill("mine")
        page.get_by_text("Labels or points", exact=True).click()
        page.get_by_text("A field with labels; or type frame").wait_for()
        browser.field(page, "Labels or points").fill("; ".join(f"{t}, 50, 60" for t in range(9)))
        browser.field(page, "Labels or points").press("Tab")
        for tracker, told in (
            ("locotrack-base", "commercial use not stated by the authors: ask them"),
            ("alltracker", "The points lie in 9 frames, and alltracker goes through the video once for each"),
            ("optical-flow", "no weights: commercial use allowed"),
        ):
            page.locator('xpath=//*[text()="Tracker"]/following::*[@role="combobox"][1]').first.click()
            page.locator('[role="option"]').filter(has=page.get_by_text(tracker, exact=True)).click()
            expect(page.get_by_text(told).first).to_be_visible()
            browser.screenshot(page, f"form_tracker_{tracker}")
        page.get_by_text("Objects", exact=True).click()
        expect(page.get_by_text("Choose the field with the masks").first).to_be_visible()
        browser.field(page, "Mask field").click()
        page.get_by_role("option", name="person").click()
        browser.field(page, "Points on each object").fill("30")
        expect(execute).to_be_enabled()
        browser.screenshot(page, "form_2_objects")
        execute.click()
        expect(page.get_by_text(re.compile("Tracked [23][0-9] points in 1 sample")).first).to_be_visible()
        browser.screenshot(page, "form_3_result")
    dataset.reload()
    assert dataset.list_runs() == ["mine"]
    assert abs(dataset.values("tracks_info.num_points")[0] - 30) <= 3


def test_preprocessing_from_the_toolbar_button(
    dataset: fo.Dataset, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    output_dir = tmp_path_factory.mktemp("elsewhere") / "copies"
    copies_name = f"{dataset.name}-copies"
    with browser.app_page(dataset) as page:
        page.click(f'[data-item-id="{PREPROCESS_URI}"]')
        folder = browser.field(page, "Output folder")
        folder.wait_for()
        execute = page.get_by_role("button", name="Execute")
        expect(execute).to_be_disabled()
        folder.fill(str(tmp_path))
        folder.press("Tab")
        expect(page.get_by_text("is the folder of the source videos")).to_be_visible()
        browser.screenshot(page, "7_folder_of_the_originals")
        folder.fill(str(output_dir))
        folder.press("Tab")
        page.get_by_text("Every n-th frame").click()
        browser.field(page, "Keep every ... frame").fill("2")
        browser.field(page, "Name of the new dataset").fill(copies_name)
        page.get_by_text("Open the new dataset when done").click()
        expect(page.get_by_text("3 videos will be copied; the originals stay as they are")).to_be_visible()
        expect(execute).to_be_enabled()
        browser.screenshot(page, "8_preprocess_form")
        execute.click()
        expect(page).to_have_url(re.compile(f"/datasets/{re.escape(copies_name)}$"))
        expect(page.get_by_text("Not preprocessed").first).to_be_visible()
        expect(page.get_by_text(f"in the dataset {dataset.name}")).to_be_visible()
        browser.screenshot(page, "9_preprocess_result")

    copies = fo.load_dataset(copies_name)
    try:
        assert copies.values("metadata.total_frame_count") == [15, 15]
        assert all(path.startswith(str(output_dir)) for path in copies.values("filepath"))
    finally:
        copies.delete()
