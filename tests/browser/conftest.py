from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.support.server import Server

from .browsing import PATIENCE_MS, NoBrowser, Site, launch, write_wav
from .sample_meeting import as_written, meeting_script, script_file

expect.set_options(timeout=PATIENCE_MS)

SPOKEN = meeting_script(0, 3, 7, 5, 9, tail=3)
"""What the microphone of these tests plays."""

TEXTS = [as_written(line.text) for line in SPOKEN.lines]
"""Its lines."""


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # Its event loop runs in this thread as long as it lives: other packages' tests want their own.
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data_dir = tmp_path_factory.mktemp("site")
    models = data_dir / "meeting.toml"
    models.write_text(script_file(SPOKEN))
    with Server(data_dir, ASR_MODELS=str(models), ASR_SENDER_RETURN_S="1") as server:
        yield Site(server, fill="fill_for_editing")


@pytest.fixture(scope="package")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    microphone = write_wav(tmp_path_factory.mktemp("microphone") / "meeting.wav", SPOKEN.audio(pause_s=1.2))
    try:
        running = launch(playwright, microphone=microphone)
    except NoBrowser as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{error}, and in CI nothing is left out")
        pytest.skip(str(error))
    yield running
    running.close()


@pytest.fixture
def anna(site: Site, browser: Browser) -> Iterator[BrowserContext]:
    with site.context(browser, "anna") as context:
        yield context


@pytest.fixture
def page(anna: BrowserContext) -> Page:
    return anna.new_page()
