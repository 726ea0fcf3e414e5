"""What a browser loads before a first visit shows anything."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.support.server import Server

CHROMIUM = "/usr/bin/chromium"

_WEIGHTS = """() => performance.getEntriesByType("resource")
  .map((entry) => [new URL(entry.name).pathname, entry.decodedBodySize])"""


def first_load_kb(server: Server) -> dict[str, Any]:
    """Kilobytes (1000 bytes, not compressed) of scripts and styles of a live session's page.

    Counts the page of a recording too, which is the same page for who speaks: the heavier is the figure.
    """
    server.shell("Session.objects.create(key='live', model_set='x', state='live')")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        pages = {path: _load(browser, server.http + path) for path in ("/sessions/live/", "/record/")}
        browser.close()
    heaviest = max(pages.values(), key=lambda files: sum(files.values()))
    return {
        "first_load_kb": round(sum(heaviest.values()) / 1000, 1),
        "first_load_files": len(heaviest),
        "first_load_pages_kb": {path: round(sum(files.values()) / 1000, 1) for path, files in pages.items()},
    }


def _load(browser: Browser, address: str) -> dict[str, int]:
    page = browser.new_context().new_page()
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1500)
    return {path: size for path, size in page.evaluate(_WEIGHTS) if path.endswith((".js", ".css"))}
