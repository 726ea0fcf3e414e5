"""What a browser loads before a first visit shows anything, and when it shows it."""

from __future__ import annotations

import statistics
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.browsing import launch, wait_for
from tests.support.server import Server

LINES = 1_500
ROUND_TRIP_MS = 100
VISITS = 5

_WEIGHTS = """() => performance.getEntriesByType("resource")
  .map((entry) => [new URL(entry.name).pathname, entry.decodedBodySize, entry.encodedBodySize])"""

_WATCH = """(() => {
  const look = () => {
    const text = document.querySelector("#lines .line .text");
    if (text?.textContent && text.getClientRects().length) window.firstLineAt ??= performance.now();
    else requestAnimationFrame(look);
  };
  look();
})()"""
"""Notes when the first frame is drawn that has a line in it, in milliseconds after the click."""

_FILL = f"""
session = Session.objects.create(key="long", model_set="x", state="ended")
Utterance.objects.bulk_create(
    Utterance(session=session, seq=n, start=n * 32_000, end=n * 32_000 + 28_000, text="预算比计划少一成。")
    for n in range({LINES})
)
"""


def first_visit(server: Server) -> dict[str, Any]:
    """Measure first visits, each with a browser that has nothing of ours yet.

    `first_load_kb` and `first_load_wire_kb` are kilobytes (1000 bytes) of the scripts and styles of a live
    session's page until it is loaded, unpacked and as sent; the page of a recording, which is the same page
    for who speaks, counts too: the heavier is the figure. `first_line_s` is the median time from the click
    to the first visible of 1,500 lines, over a network with a round trip of 100 ms.
    """
    server.shell("Session.objects.create(key='live', model_set='x', state='live')")
    server.shell(_FILL)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        pages = {path: _load(browser, server.http + path) for path in ("/sessions/live/", "/record/")}
        first_line_s = [_first_line_s(browser, f"{server.http}/sessions/long/") for _ in range(VISITS)]
        browser.close()
    heaviest = max(pages.values(), key=_unpacked)
    return {
        "first_load_kb": _unpacked(heaviest),
        "first_load_wire_kb": round(sum(sent for _, sent in heaviest.values()) / 1000, 1),
        "first_load_files": len(heaviest),
        "first_load_pages_kb": {path: _unpacked(files) for path, files in pages.items()},
        "first_line_s": round(statistics.median(first_line_s), 2),
    }


def _unpacked(files: dict[str, tuple[int, int]]) -> float:
    return round(sum(size for size, _ in files.values()) / 1000, 1)


def _load(browser: Browser, address: str) -> dict[str, tuple[int, int]]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address, wait_until="load")
        loaded = page.evaluate(_WEIGHTS)
    return {path: (size, sent) for path, size, sent in loaded if path.endswith((".js", ".css"))}


def _first_line_s(browser: Browser, address: str) -> float:
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(_WATCH)
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": ROUND_TRIP_MS, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        page.goto(address, wait_until="commit")
        wait_for(page, "window.firstLineAt")
        shown_ms: float = page.evaluate("window.firstLineAt")
    return shown_ms / 1000
