"""The panel in the real App: it follows the video, moves it, corrects by clicks; and what is left without script.

The App is opened once: each test goes on in the page that the one before left, with tracks of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import browser
import fiftyone as fo
import fiftyone.core.session.session as sessions
import media
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import point_tracking as pt

pytestmark = pytest.mark.app

_NUM_FRAMES, _SIZE = 30, (240, 136)
_LOOKER = "window.PointTracking.player.looker"
_PANEL, _STATUS, _PICTURE = '[data-cy="pt-panel"]', '[data-cy="pt-status"]', '[data-cy="pt-picture"]'
_TOLD, _FRAME = '[data-cy="pt-told"]', '[data-cy="pt-frame"]'
_PLACE, _APART = np.array([60.0, 100.0]), np.array([180.0, 90.0])
_MANY = 502
_TIMEOUT_MS = 60_000


def _at(number: int, frame: int) -> np.ndarray:
    """Where track 1 to 4 is in a frame, in pixels: all go to the right."""
    return np.array([30.0 + 4 * (frame - 1), 24 + 28 * (number - 1)])


def _still(number: int) -> pt.Tracks:
    """Tracks of 3 frames in one place, but for the second."""
    xy = np.tile(_PLACE, (3, number, 1))
    xy[:, 1] = _APART
    seen = np.ones(xy.shape[:2], bool)
    return pt.Tracks(xy, seen, seen * 1.0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    browser.chromium()
    folder = tmp_path_factory.mktemp("videos")
    lengths = {"clip.mp4": _NUM_FRAMES, "broken.mp4": 3, "many.mp4": 3}
    dataset = fo.Dataset()
    paths = [media.video(folder / name, number, size=_SIZE) for name, number in lengths.items()]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    pt.fill_metadata(dataset)
    _, broken, many = dataset
    media.text_file(paths[1])
    pt.write_tracks(broken, "tracks", _still(2))
    pt.write_tracks(many, "tracks", _still(_MANY))
    xy = np.array([[_at(number, frame) for number in range(1, 5)] for frame in range(1, _NUM_FRAMES + 1)])
    seen = np.ones(xy.shape[:2], bool)
    seen[20:, 3] = False  # the last track ends in frame 20
    pt.write_tracks(
        dataset.first(), "tracks", pt.Tracks(xy, seen, seen.astype(float), labels=["cat", "cat", "dog", "dog"])
    )
    dataset.set_values("tracks_info.tracker", ["optical-flow"] * 3)  # what follows them again
    dataset.app_config.color_scheme = fo.ColorScheme(color_by="instance")
    dataset.save()
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def page(dataset: fo.Dataset) -> Iterator[Page]:
    """The open video with the panel beside it."""
    with browser.app_page(dataset) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(_TIMEOUT_MS)
        expect.set_options(timeout=_TIMEOUT_MS)
        browser.open_sample(page)
        _open_beside(page)
        yield page
        assert errors == []


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


def _wait_for(page: Page, holds: Callable[[], bool]) -> None:
    """Until something holds outside of the page, which goes on meanwhile."""
    deadline = time.monotonic() + _TIMEOUT_MS / 1000
    while not holds() and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert holds()


def _wait_for_frame(page: Page, frame: int) -> None:
    expect(page.locator(_FRAME)).to_have_text(f"Frame {frame} of {_NUM_FRAMES}")
    assert page.evaluate(f"{_LOOKER}.frameNumber") == frame
    page.wait_for_function(f"!{_LOOKER}.state.buffering && !{_LOOKER}.state.seeking")


def _wait_for_place(page: Page, track: int, frame: int) -> None:
    """Until the player draws a track's point at `_PLACE`."""
    share = (_PLACE / _SIZE).tolist()
    page.wait_for_function(
        f"""() => {{
            const looker = {_LOOKER};
            if (!looker || looker.frameNumber !== {frame}) return false;
            const drawn = looker.currentOverlays.find((one) => one.label.index === {track});
            const point = drawn && drawn.label.points[0];
            return point && Math.hypot(point[0] - {share[0]}, point[1] - {share[1]}) < 0.01;
        }}"""
    )


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


def test_it_follows_the_video_while_it_plays(page: Page) -> None:
    _wait_for_frame(page, 1)
    page.evaluate(f"{_LOOKER}.play()")
    page.wait_for_function(f"{_LOOKER}.frameNumber > 4")
    expect(page.locator(_FRAME)).not_to_have_text(f"Frame 1 of {_NUM_FRAMES}")
    page.evaluate(f"{_LOOKER}.pause()")


def test_trails_lie_on_the_points_of_the_player_enlarged_and_moved_too(page: Page) -> None:
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


def test_a_click_on_a_line_or_a_row_goes_there_and_selects_the_point(page: Page, dataset: fo.Dataset) -> None:
    _click_picture(page, _at(2, 22))
    _wait_for_frame(page, 22)
    expect(page.locator("tr.pt-selected")).to_have_attribute("data-track", "2")
    wanted = next(k.id for k in dataset.first().frames[22].tracks.keypoints if k.index == 2)
    page.wait_for_function(f"JSON.stringify([...{_LOOKER}.state.options.selectedLabels]).includes('{wanted}')")
    _wait_for(page, lambda: [label["label_id"] for label in sessions._session.selected_labels] == [wanted])
    # the nearest frame in which the track is seen
    page.locator('tr[data-track="4"]').click()
    _wait_for_frame(page, 20)


def test_the_table_is_sorted_by_a_click_and_shows_one_label_alone(page: Page) -> None:
    rows = page.locator("tr[data-track]")
    page.locator('th[data-column="length"]').click()
    expect(rows.last).to_have_attribute("data-track", "4")
    page.locator('th[data-column="length"]').click()
    expect(rows.first).to_have_attribute("data-track", "4")
    page.locator('[data-cy="pt-label"]').select_option("dog")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("2 tracks", exact=True)).to_be_visible()
    page.locator('[data-cy="pt-label"]').select_option("")
    expect(rows).to_have_count(4)


def test_a_position_is_set_by_a_click_and_shown_at_once(page: Page, dataset: fo.Dataset) -> None:
    page.locator('tr[data-track="4"]').click()
    _wait_for_frame(page, 20)
    page.locator('[data-cy="pt-set"]').click()
    _click_picture(page, _PLACE)
    expect(page.locator(_STATUS)).to_contain_text("Track 4 is set in frame 20")
    shown = page.evaluate("window.PointTracking.shown.at(3, 20)")
    np.testing.assert_allclose(np.array(shown) * _SIZE, _PLACE, atol=1)
    np.testing.assert_allclose(pt.read_tracks(dataset.first(), "tracks").xy[19, 3], _PLACE, atol=1)
    expect(page.locator('[data-cy="pt-again"]')).to_have_text("Track again (1)")
    browser.screenshot(page, "trajectories_3_set")
    page.locator('[data-cy="pt-set"]').click()


def test_the_player_shows_it_too_after_a_click_in_the_same_frame(page: Page) -> None:
    page.locator('[data-cy="pt-refresh"]').click()
    _wait_for_place(page, 4, 20)
    _wait_for_frame(page, 20)
    expect(page.locator("tr.pt-selected")).to_have_attribute("data-track", "4")


def test_a_track_is_hidden_from_here_on_and_that_is_taken_back(page: Page, dataset: fo.Dataset) -> None:
    page.locator('tr[data-track="1"]').click()
    page.locator('[data-cy="pt-wrong"]').click()
    expect(page.locator(_STATUS)).to_contain_text("Track 1 is hidden from frame 20 on: 11 points")
    assert pt.read_tracks(dataset.first(), "tracks").visible[:, 0].sum() == 19
    page.locator('[data-cy="pt-back"]').click()
    expect(page.locator(_STATUS)).to_contain_text("taken back")
    assert pt.read_tracks(dataset.first(), "tracks").visible[:, 0].sum() == 30


def test_tracks_are_followed_again_and_the_player_stays_in_its_frame(page: Page) -> None:
    _seek(page, 12)
    page.evaluate(f"window.before = {_LOOKER}")
    page.locator('[data-cy="pt-again"]').click()
    expect(page.locator(_STATUS)).to_contain_text("Tracked 1 track again")
    page.wait_for_function(f"{_LOOKER} && {_LOOKER} !== window.before && {_LOOKER}.frameNumber === 12")
    _wait_for_frame(page, 12)
    browser.screenshot(page, "trajectories_4_again")


def test_beside_annotate_it_shows_tracks_and_corrects_nothing(page: Page) -> None:
    page.locator('[data-cy="annotate"]').click()
    expect(page.locator(_TOLD).filter(has_text="Annotate has a player of its own")).to_be_visible()
    expect(page.locator(_FRAME)).to_have_text(f"{_NUM_FRAMES} frames")
    page.locator('tr[data-track="2"]').click()
    expect(page.locator("tr.pt-selected")).to_have_attribute("data-track", "2")
    for button in ("set", "wrong", "again", "back", "refresh"):
        expect(page.locator(f'[data-cy="pt-{button}"]')).to_be_disabled()
    browser.screenshot(page, "trajectories_5_annotate")
    page.locator('[data-cy="explore"]').click()
    expect(page.locator(_TOLD)).to_have_count(0)
    expect(page.locator('[data-cy="pt-wrong"]')).to_be_enabled()


# the player goes on with what is hidden: it may set it meanwhile
_HIDE = f"""(name) => {{
    const looker = {_LOOKER};
    let value = looker[name];
    const get = () => (name === "state" ? {{ ...value, canvasBBox: undefined }} : undefined);
    const set = (other) => {{ value = other; }};
    Object.defineProperty(looker, name, {{ get, set, configurable: true }});
    window.show = () => {{
        delete looker[name];
        if (name === "state") looker.state = value;
    }};
}}"""


def test_each_name_of_the_player_that_is_missing_takes_one_thing_away(page: Page) -> None:
    page.wait_for_function(f"{_LOOKER} && {_LOOKER}.state.canvasBBox")
    assert page.evaluate("window.PointTracking.player.lacking") == []
    for name, told in (
        ("frameNumber", "does not follow"),
        ("seekToFrame", "do not move the video"),
        ("getVideo", "no picture behind the lines"),
        ("state", "no trails on the video"),
    ):
        page.evaluate(_HIDE, name)
        expect(page.locator(_TOLD).filter(has_text=told)).to_be_visible()
        page.evaluate("window.show()")
        expect(page.locator(_TOLD)).to_have_count(0)


def test_each_name_of_the_app_that_is_missing_is_told(page: Page) -> None:
    for module, name in (("__fos__", "modalLooker"), ("__foo__", "usePanelEvent"), (None, "recoil"), (None, "React")):
        without = f"{{ ...whole, {name}: undefined }}" if module else "undefined"
        missing = page.evaluate(
            f"""() => {{
                const whole = window.{module or name};
                window.{module or name} = {without};
                const missing = window.PointTracking.needed();
                window.{module or name} = whole;
                return missing;
            }}"""
        )
        assert missing == [name]
    assert page.evaluate("window.PointTracking.needed()") == []
    # without these the panel has colours of its own, and takes Annotate for Explore
    assert page.evaluate("[typeof __fou__.getColor, typeof __fos__.coloring, typeof __fos__.useModalMode]") == [
        "function", "object", "function",
    ]  # fmt: skip
    colors = page.evaluate("window.PointTracking.colorsOf(window.PointTracking.shown.tracks, null)")
    assert len(set(colors)) == 4


def test_a_broken_video_is_told_and_its_tracks_are_not_corrected(page: Page) -> None:
    page.locator('[data-cy="nav-right-button"]').click()
    expect(page.locator(_TOLD).filter(has_text="The player cannot play this video")).to_be_visible()
    expect(page.locator(_TOLD).filter(has_text="nothing can be followed again")).to_be_visible()
    page.locator('tr[data-track="2"]').click()
    expect(page.locator("tr.pt-selected")).to_have_attribute("data-track", "2")
    expect(page.locator(_FRAME)).to_have_text("3 frames")
    for button in ("set", "wrong", "again", "back"):
        expect(page.locator(f'[data-cy="pt-{button}"]')).to_be_disabled()


def test_of_many_tracks_a_part_is_shown_and_another_one_where_its_point_is_clicked(page: Page) -> None:
    page.locator('[data-cy="nav-right-button"]').click()
    told = f"{_MANY // 2} of {_MANY} tracks are shown"
    expect(page.locator(_TOLD).filter(has_text=told)).to_be_visible()
    page.wait_for_function(f"{_LOOKER}.currentOverlays.length === {_MANY}")
    video = page.locator('[data-cy="modal-looker-container"]').bounding_box()
    left, top, width, height = page.evaluate("window.PointTracking.player.box")
    assert video is not None
    x, y = video["x"] + left + _APART[0] / _SIZE[0] * width, video["y"] + top + _APART[1] / _SIZE[1] * height
    page.mouse.move(x - 9, y)
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page.locator('[data-cy="pt-part"]')).to_have_value("2")
    expect(page.locator("tr.pt-selected")).to_have_attribute("data-track", "2")
    expect(page.locator("tr.pt-selected")).to_be_in_viewport()
    browser.screenshot(page, "trajectories_7_many")


def test_it_shows_what_the_player_is_given_to_play(page: Page, dataset: fo.Dataset) -> None:
    """As it is with the videos of a group: the App does not tell which one is looked at."""
    first = dataset.first().id
    page.evaluate(f"window.real = {_LOOKER}.sample; {_LOOKER}.sample = {{ ...window.real, id: '{first}' }}")
    expect(page.locator("tr[data-track]")).to_have_count(4)
    page.evaluate(f"{_LOOKER}.sample = window.real")
    expect(page.locator("tr[data-track]")).to_have_count(_MANY // 2)
    for _ in range(2):
        page.locator('[data-cy="nav-left-button"]').click()
    expect(page.locator("tr[data-track]")).to_have_count(4)


def test_a_field_that_is_deleted_meanwhile_is_told(page: Page, dataset: fo.Dataset) -> None:
    tracks = pt.read_tracks(dataset.first(), "tracks")
    dataset.delete_frame_field("tracks")
    page.locator('tr[data-track="3"]').click()
    expect(page.locator('[data-cy="pt-problem"]')).to_be_visible()
    pt.write_tracks(dataset.first(), "tracks", tracks)
    page.locator('[data-cy="pt-look-again"]').click()
    expect(page.locator("tr[data-track]")).to_have_count(4)


def test_without_the_script_a_plain_picture_is_left(page: Page) -> None:
    page.route("**/trajectories/video.js*", lambda route: route.abort())
    page.reload()
    page.wait_for_selector(browser.MODAL)  # the App remembers that it was open
    page.locator('[data-cy="panel-tab-point_trajectories"]').click()
    expect(page.get_by_text("The plugin's script did not load: a plain picture is shown")).to_be_visible()
    page.wait_for_selector(".js-plotly-plot .nsewdrag")
    browser.screenshot(page, "trajectories_6_plain")
