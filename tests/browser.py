"""Driving the FiftyOne App in headless Chromium, as a person would."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fiftyone as fo
import fiftyone.core.session.session as sessions
import psutil
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

SCREENSHOTS = Path(__file__).resolve().parent / "screenshots"
DIALOG = '[data-cy="operators-prompt-view-modal"]'
LOOKER = '[data-cy="looker"]'
MODAL = '[data-cy="modal"]'
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-gl=angle", "--use-angle=swiftshader"]
_TIMEOUT_MS = 120_000
# covers the page for new browser profiles
_NO_PROMOTION = "localStorage.setItem('fiftyone-enterprise-tooltip-seen', 'true')"


def chromium() -> str:
    """Path of an installed Chromium; skips the test where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    pytest.skip("no Chromium is installed: the App is not tested in a browser")


@contextmanager
def app_page(dataset: fo.Dataset) -> Iterator[Page]:
    """Opens the App on a dataset in a new browser, with the grid loaded."""
    executable = chromium()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    session = fo.launch_app(dataset, remote=True, port=port, address="127.0.0.1")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
            page = browser.new_context(viewport={"width": 1500, "height": 950}).new_page()
            page.set_default_timeout(_TIMEOUT_MS)
            expect.set_options(timeout=_TIMEOUT_MS)
            # fonts and analytics from elsewhere would only stall the page
            page.route(re.compile(r"^https?://(?!127\.0\.0\.1|localhost)"), lambda route: route.abort())
            page.add_init_script(_NO_PROMOTION)
            page.goto(f"http://127.0.0.1:{port}/datasets/{dataset.name}")
            page.wait_for_selector(LOOKER)
            yield page
            browser.close()
    finally:
        _end_server(port)
        session.close()


def _end_server(port: int) -> None:
    """Ends the App's server, which else waits seconds for connections that are gone."""
    service = sessions._server_services.get(port)
    for process in [] if service is None else service.child.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def field(page: Page, label: str) -> Locator:
    """The form input below a label; the App gives its inputs no names."""
    return page.locator(f'xpath=//*[normalize-space(text())="{label}"]/following::input[1]').last


def open_sample(page: Page, position: int = 0) -> None:
    """Opens a sample of the grid.

    The App closes a sample that is opened before the state of its session has arrived, which a busy machine
    delays; a person would click again.
    """
    for _ in range(5):
        page.locator(LOOKER).nth(position).click()
        page.wait_for_selector(MODAL)
        page.wait_for_timeout(3000)
        if page.locator(MODAL).count():
            return
    raise AssertionError("The opened sample does not stay open")


def screenshot(page: Page, name: str) -> Path:
    """Saves what the page shows for a person to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    return path


def points_drawn(page: Page, seconds: float = 2.0) -> int:
    """Counts the circles that are drawn in some seconds, in the grid too."""
    page.wait_for_timeout(seconds * 1000)
    return page.evaluate("window.__arcs || 0")


def points_in_open_sample(page: Page, seconds: float = 4.0) -> int:
    """Counts the circles that the open sample's own canvas draws in some seconds, while the pointer passes over it."""
    page.evaluate("window.__modalArcs = 0")
    for x in (600, 700):
        page.mouse.move(x, 400)
        page.wait_for_timeout(seconds * 500)
    return page.evaluate("window.__modalArcs")


def count_circles(page: Page) -> None:
    """Makes the page count every circle drawn from now on."""
    page.evaluate(
        """() => {
            window.__arcs = window.__modalArcs = 0;
            const arc = CanvasRenderingContext2D.prototype.arc;
            CanvasRenderingContext2D.prototype.arc = function (...args) {
                window.__arcs += 1;
                if (this.canvas.closest('[data-cy="modal"]')) window.__modalArcs += 1;
                return arc.apply(this, args);
            };
        }"""
    )
