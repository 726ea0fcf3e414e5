"""A meeting by the keyboard alone: recorded, corrected, with a name for who speaks, exported."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .browsing import Site
from .conftest import TEXTS

pytestmark = [pytest.mark.slow(10), pytest.mark.xdist_group("browser: meetings")]

STOPS = 120
"""More than Tab makes on any page."""

CORRECTED = "我们开始今天的例会。"


def go_to(target: Locator, key: str = "Tab") -> None:
    """Press a key until this has the focus, as somebody does who has no mouse."""
    for _ in range(STOPS):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        target.page.keyboard.press(key)
    raise AssertionError(f"{key} never comes to {target}")


def record(page: Page) -> str:
    """Until all is said; the session's key."""
    page.goto("/record/")
    go_to(page.get_by_role("button", name="Start recording"))
    page.keyboard.press("Enter")
    expect(page.locator("#recorder-word")).to_have_text("Recording")
    expect(page.locator("#lines .line")).to_have_count(len(TEXTS))
    go_to(page.get_by_role("button", name="End", exact=True))
    page.keyboard.press("Enter")
    go_to(page.get_by_role("dialog").get_by_role("button", name="End"))
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("ended")
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def correct_the_first_line(page: Page) -> None:
    go_to(page.locator("#lines .line").first, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".text-field")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(CORRECTED)
    page.keyboard.press("Enter")
    expect(page.locator("#lines .line .text").first).to_have_text(CORRECTED)
    expect(page.locator("#lines .line").first).to_be_focused()


def name_the_last_speaker(page: Page, name: str) -> None:
    last = page.locator("#lines .line").last
    go_to(last, "ArrowDown")
    page.keyboard.press("s")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.insert_text(name)
    go_to(page.get_by_role("button", name=f"New: “{name}”"))
    page.keyboard.press("Enter")
    expect(last.locator(".speaker .name")).to_have_text(name)


def export_as_text(page: Page) -> str:
    go_to(page.locator("#export-open"), "Shift+Tab")
    page.keyboard.press("Enter")
    go_to(page.get_by_role("radio", name="Word .docx"))
    go_to(page.get_by_role("radio", name="Text .txt"), "ArrowDown")
    go_to(page.get_by_role("dialog").get_by_role("button", name="Download"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_a_meeting_is_recorded_corrected_named_and_exported_by_keys_alone(site: Site, page: Page) -> None:
    key = record(page)
    page.goto(f"/sessions/{key}/")
    expect(page.locator("#lines .line")).to_have_count(len(TEXTS))
    go_to(page.locator("#lines .line").first)
    correct_the_first_line(page)
    name_the_last_speaker(page, "周敏")
    text = export_as_text(page)
    assert site.lines(key) == [CORRECTED, *TEXTS[1:]]
    assert CORRECTED in text
    assert "周敏" in text
