"""The panel in the real App: it follows the video, moves it, corrects by clicks; and what is left without script."""

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

_NUM_FRAMES, _SIZE = 30, (240, 136)
_LOOKER = "window.PointTracking.looker"
_PANEL, _STATUS, _PICTURE = '[data-cy="pt-panel"]', '[data-cy="pt-status"]', '[data-cy="pt-picture"]'
_TIMEOUT_MS = 60_000


def _at(number: int, frame: int) -> np.ndarray:
    """Where track 1 to 4 is in a frame, in pixels: all go to the right."""
    return np.array([30.0 + 4 * (frame - 1), 24 + 28 * (number - 1)])


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    browser.chromium()
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", _NUM_FRAMES, size=_SIZE))))
    pt.fill_metadata(dataset)
    xy = np.array([[_at(number, frame) for number in range(1, 5)] for frame in range(1, _NUM_FRAMES + 1)])
    seen = np.ones(xy.shape[:2], bool)
    seen[20:, 3] = False  # the last track ends in frame 20
    pt.write_tracks(
        dataset.first(), "tracks", pt.Tracks(xy, seen, seen.astype(float), labels=["cat", "cat", "dog", "dog"])
    )
    dataset.set_values("tracks_info.tracker", ["optical-flow"])  # what follows them again
    dataset.app_config.color_scheme = fo.ColorScheme(color_by="instance")
    dataset.save()
    yield dataset
    dataset.delete()


def _open_beside(page: Page) -> None:
    """Opens the panel, and the video beside it."""
    page.locator('[data-cy="panel-tab-point_trajectories"]').click()
    page.wait_for_selector(_PANEL)
    expect(page.get_by_text("To see the video too, press 'Split horizontally'")).to_be_visible()
    page.locator('button[title="Split horizontally"]').first.click()
    page.locator('[data-cy="panel-tab-fo-sample-modal-plugin"]').click()
    page.wait_for_function(f"{_LOOKER} && {_LOOKER}.state.canvasBBox && {_LOOKER}.currentOverlays.length")
    expect(page.get_by_text("To see the video too")).to_have_count(0)


def _seek(page: Page, frame: int) -> None:
    page.evaluate(f"{_LOOKER}.seekToFrame({frame})")
    _wait_for_frame(page, frame)


def _wait_for_frame(page: Page, frame: int) -> None:
    expect(page.locator('[data-cy="pt-frame"]')).to_have_text(f"Frame {frame} of {_NUM_FRAMES}")
    assert page.evaluate(f"{_LOOKER}.frameNumber") == frame
    page.wait_for_function(f"!{_LOOKER}.state.buffering && !{_LOOKER}.state.seeking")
    page.wait_for_timeout(300)


def _click_picture(page: Page, xy: np.ndarray) -> None:
    """Clicks where a pixel of the video is in the panel's picture."""
    box = page.locator(_PICTURE).bounding_box()
    assert box is not None
    shape = f"{list(_SIZE)}, {box['width']}, {box['height']}"
    left, top, width, height = page.evaluate(f"window.PointTracking.fitted({shape}, {{scale: 1, x: 0, y: 0}})")
    page.mouse.click(box["x"] + left + xy[0] / _SIZE[0] * width, box["y"] + top + xy[1] / _SIZE[1] * height)


_RECORD = """() => {
    window.ends = {};
    window.middles = {};
    const proto = CanvasRenderingContext2D.prototype;
    const [lineTo, arc] = [proto.lineTo, proto.arc];
    const onPage = (context, x, y) => {
        const at = context.getTransform().transformPoint({ x, y });
        return [at.x / window.devicePixelRatio, at.y / window.devicePixelRatio];
    };
    const isTrails = (context) => context.canvas.dataset.cy === "point-tracking-trails";
    const isPlayer = (context) => context.canvas.closest('[data-cy="modal-looker-container"]') && !isTrails(context);
    proto.lineTo = function (x, y) {
        if (isTrails(this)) window.ends[this.strokeStyle] = onPage(this, x, y);
        return lineTo.call(this, x, y);
    };
    proto.arc = function (x, y, ...rest) {
        if (isPlayer(this)) window.middles[this.fillStyle] = onPage(this, x, y);
        return arc.call(this, x, y, ...rest);
    };
    window.forget = () => Object.assign(proto, { lineTo, arc });
}"""


def _check_trails(page: Page, count: int) -> None:
    """Every trail ends where the player draws its point, to 2 pixels of the screen, in the colour of the point.

    Both are what is asked of the two canvases: the last place of each line, and the middle of each circle.
    """
    video = page.locator('[data-cy="modal-looker-container"]').bounding_box()
    assert video is not None
    page.evaluate(_RECORD)
    # trails of another length, and a pointer over the player: both are drawn anew
    page.locator('[data-cy="pt-tail"]').press("ArrowLeft")
    page.mouse.move(video["x"] + 20, video["y"] + 100, steps=4)
    page.wait_for_function(
        f"Object.keys(window.ends).length === {count} && Object.keys(window.middles).length === {count}"
    )
    page.evaluate("window.forget()")
    ends, middles = page.evaluate("[window.ends, window.middles]")
    assert sorted(ends) == sorted(middles)
    for color, middle in middles.items():
        np.testing.assert_allclose(ends[color], middle, atol=2)


def test_the_panel_follows_and_moves_the_video_and_corrects_tracks(dataset: fo.Dataset) -> None:
    with browser.app_page(dataset) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(_TIMEOUT_MS)
        expect.set_options(timeout=_TIMEOUT_MS)
        browser.open_sample(page)
        _open_beside(page)
        _wait_for_frame(page, 1)
        assert page.evaluate("window.PointTracking.needed()") == []
        assert page.evaluate(f"window.PointTracking.lacking({_LOOKER})") == []

        # follows the video while it plays
        page.evaluate(f"{_LOOKER}.play()")
        page.wait_for_function(f"{_LOOKER}.frameNumber > 4")
        expect(page.locator('[data-cy="pt-frame"]')).not_to_have_text(f"Frame 1 of {_NUM_FRAMES}")
        page.evaluate(f"{_LOOKER}.pause()")

        # trails lie on the player's points, enlarged and moved too
        _seek(page, 15)
        _check_trails(page, 4)
        browser.screenshot(page, "trajectories_1_beside")
        video = page.locator('[data-cy="modal-looker-container"]').bounding_box()
        assert video is not None
        page.mouse.move(video["x"] + video["width"] * 0.4, video["y"] + video["height"] * 0.5)
        for _ in range(4):
            page.mouse.wheel(0, -200)
            page.wait_for_timeout(100)
        page.wait_for_function(f"{_LOOKER}.state.scale > 1.2")
        _check_trails(page, 4)
        browser.screenshot(page, "trajectories_2_zoomed")

        # a click on a line goes there and selects the point
        _click_picture(page, _at(2, 22))
        _wait_for_frame(page, 22)
        expect(page.locator("tr.pt-selected")).to_have_attribute("data-track", "2")
        wanted = next(k.id for k in dataset.first().frames[22].tracks.keypoints if k.index == 2)
        page.wait_for_function(f"JSON.stringify([...{_LOOKER}.state.options.selectedLabels]).includes('{wanted}')")
        # a row of the table does too: the nearest frame in which the track is seen
        page.locator('tr[data-track="4"]').click()
        _wait_for_frame(page, 20)

        # a position by a click: the panel and the trails show it at once
        page.locator('[data-cy="pt-set"]').click()
        place = np.array([60.0, 100.0])
        _click_picture(page, place)
        expect(page.locator(_STATUS)).to_contain_text("Track 4 is set in frame 20")
        column = 3
        shown = page.evaluate(f"window.PointTracking.shown.at({column}, 20)")
        np.testing.assert_allclose(np.array(shown) * _SIZE, place, atol=1)
        np.testing.assert_allclose(pt.read_tracks(dataset.first(), "tracks").xy[19, 3], place, atol=1)
        expect(page.locator('[data-cy="pt-again"]')).to_have_text("Track again (1)")
        browser.screenshot(page, "trajectories_3_set")
        page.locator('[data-cy="pt-set"]').click()

        # the player shows it too, in the same frame
        page.locator('[data-cy="pt-refresh"]').click()
        page.wait_for_timeout(3000)
        _wait_for_frame(page, 20)
        moved = page.evaluate(f"{_LOOKER}.currentOverlays.find((one) => one.label.index === 4).label.points[0]")
        np.testing.assert_allclose(np.array(moved) * _SIZE, place, atol=1)

        # hidden from here on, and taken back
        page.locator('tr[data-track="1"]').click()
        page.locator('[data-cy="pt-wrong"]').click()
        expect(page.locator(_STATUS)).to_contain_text("Track 1 is hidden from frame 20 on: 11 points")
        assert pt.read_tracks(dataset.first(), "tracks").visible[:, 0].sum() == 19
        page.locator('[data-cy="pt-back"]').click()
        expect(page.locator(_STATUS)).to_contain_text("taken back")
        assert pt.read_tracks(dataset.first(), "tracks").visible[:, 0].sum() == 30

        # followed again, in the background; then the player is in the same frame
        _seek(page, 12)
        page.locator('[data-cy="pt-again"]').click()
        expect(page.locator(_STATUS)).to_contain_text("Tracked 1 track again")
        page.wait_for_timeout(3000)
        _wait_for_frame(page, 12)
        browser.screenshot(page, "trajectories_4_again")

        # one label alone
        page.locator('[data-cy="pt-label"]').select_option("dog")
        expect(page.locator("tr[data-track]")).to_have_count(2)
        expect(page.get_by_text("2 tracks", exact=True)).to_be_visible()
        # the field is deleted while the panel is open
        dataset.delete_frame_field("tracks")
        page.locator('tr[data-track="3"]').click()
        expect(page.locator('[data-cy="pt-problem"]')).to_be_visible()
        assert errors == []


def test_each_name_of_the_app_that_is_missing_takes_one_thing_away_and_without_the_script_a_plain_picture_is_left(
    dataset: fo.Dataset,
) -> None:
    with browser.app_page(dataset) as page:
        page.set_default_timeout(_TIMEOUT_MS)
        expect.set_options(timeout=_TIMEOUT_MS)
        browser.open_sample(page)
        _open_beside(page)
        for name, told in (
            ("subscribeToState", "does not follow"),
            ("seekToFrame", "do not move the video"),
            ("getVideo", "stays in the first frame"),
            ("state", "no trails on the video"),
        ):
            gone = "{}" if name == "state" else "null"
            page.evaluate(f"() => {{ window.saved = {_LOOKER}.{name}; {_LOOKER}.{name} = {gone}; }}")
            expect(page.locator('[data-cy="pt-told"]').filter(has_text=told)).to_be_visible()
            page.evaluate(f"() => {{ {_LOOKER}.{name} = window.saved; }}")
            expect(page.locator('[data-cy="pt-told"]')).to_have_count(0)

        page.route("**/trajectories/video.js*", lambda route: route.abort())
        page.reload()
        page.wait_for_selector(browser.MODAL)  # the App remembers that it was open
        page.locator('[data-cy="panel-tab-point_trajectories"]').click()
        expect(page.get_by_text("The plugin's script did not load: a plain picture is shown")).to_be_visible()
        page.wait_for_selector(".js-plotly-plot .nsewdrag")
        page.wait_for_timeout(1500)
        browser.screenshot(page, "trajectories_5_plain")
