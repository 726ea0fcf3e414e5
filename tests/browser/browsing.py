"""Chromium for tests and pictures: Debian's own, with a microphone that plays a file."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import numpy as np
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from deploy.cutting_proxy import CuttingProxy
from recognition.audio import SAMPLE_RATE
from tests.support.server import Server

CHINESE, ENGLISH = "zh-CN", "en-US"

PATIENCE_MS = 120_000
"""How long a busy machine may take for what is done at once on an idle one."""


class NoBrowser(RuntimeError):
    """Chromium is not on this machine."""


def launch(playwright: Playwright, *, microphone: Path | None = None, here: str = "") -> Browser:
    """Start Chromium.

    Args:
        microphone: A WAV file that its microphone plays once, from when it is opened.
        here: A name under which it finds this machine, as it finds others.
    """
    # The one without windows, where it is installed, takes half of the processor's time.
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not program:
        raise NoBrowser("neither chromium-headless-shell nor chromium is installed")
    arguments = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--disable-gpu"]
    if microphone:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    if here:
        arguments.append(f"--host-resolver-rules=MAP {here} 127.0.0.1")
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's sandbox does not work for root
    return playwright.chromium.launch(executable_path=program, args=arguments)


def write_wav(path: Path, audio: np.ndarray) -> Path:
    """Audio, float32, 16 kHz, as a file for `launch`."""
    soundfile.write(path, audio, SAMPLE_RATE, subtype="PCM_16")
    return path


class Site:
    """A running installation with the content of `sample_site`.

    Args:
        fill: Which of its functions makes it.
    """

    def __init__(self, server: Server, *, fill: str = "fill") -> None:
        self.server = server
        code = f"from tests.browser import sample_site; sample_site.{fill}()"
        filled = server.manage("shell", "--no-imports", "-c", code)
        cookies = next(line for line in filled.splitlines() if line.startswith("{"))
        self.cookies: dict[str, str] = json.loads(cookies)

    @property
    def url(self) -> str:
        return self.server.http

    def context(
        self,
        browser: Browser,
        user: str | None = "anna",
        *,
        base: str = "",
        language: str = ENGLISH,
        **options: Any,
    ) -> BrowserContext:
        """A browser window of this person, None for somebody without a login.

        They have asked their system for less motion: without a graphics card each frame of it is drawn anew.
        """
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(base_url=base or self.url, locale=language, **options)
        context.set_default_timeout(PATIENCE_MS)
        if user:
            context.add_cookies([{"name": "sessionid", "value": self.cookies[user], "url": base or self.url}])
        return context

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says."""
        return self.server.query(query, *values)

    def change(self, statement: str, *values: Any) -> None:
        """Change the database by hand."""
        self.server.change(statement, *values)

    def lines(self, key: str) -> list[str]:
        """The transcript of a session, as the database has it."""
        query = (
            "SELECT text FROM sessions_app_utterance u JOIN sessions_app_session s ON s.id = u.session_id"
            " WHERE s.key = ? AND NOT is_removed ORDER BY u.start, u.id"
        )
        return [text for (text,) in self.rows(query, key)]


class Network:
    """What lies between a browser and a server, and can be gone for a while.

    In a thread of its own: Playwright's event loop has the one of the tests.
    """

    def __init__(self, server: Server) -> None:
        self._proxy = CuttingProxy(server.port)
        self._is_up = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._pass_on()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_up.wait()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _pass_on(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._proxy:
            self._is_up.set()
            await self._over.wait()

    @property
    def url(self) -> str:
        """The server's address at this end."""
        return f"http://127.0.0.1:{self._proxy.port}"

    def fail(self) -> None:
        """Every connection breaks, and nobody gets a new one."""
        self._proxy.is_down = True
        self._loop.call_soon_threadsafe(self._proxy.cut)

    def recover(self) -> None:
        self._proxy.is_down = False


def shown_lines(page: Page) -> list[str]:
    """The transcript as the page has it."""
    return page.locator("#lines .line .text").all_text_contents()


def shown_speakers(page: Page) -> list[str]:
    """Who says each line on the page."""
    return page.locator("#lines .line .speaker .name").all_text_contents()


def start_recording(page: Page) -> None:
    page.goto("/record/")
    page.get_by_role("button", name="Start recording").click()
    expect(page.locator("#recorder-word")).to_have_text("Recording")


def end_recording(page: Page) -> str:
    """Press the button, wait for the last line; the session's key."""
    page.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="End").click()
    expect(page.locator("#state")).to_have_text("ended")
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def wait_for(page: Page, expression: str, *, timeout_s: float = PATIENCE_MS / 1000) -> None:
    """Until this is true on the page; Playwright's own way needs `eval`, which our pages forbid."""
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        if time.monotonic() > deadline:
            raise TimeoutError(f"never true within {timeout_s} s: {expression}")
        page.wait_for_timeout(50)
