"""The start page: what runs and what is over, several meetings at once, a file dropped onto it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .browsing import Site, end_recording, start_recording, write_wav
from .conftest import SPOKEN, TEXTS

pytestmark = [pytest.mark.slow(10), pytest.mark.xdist_group("browser: meetings")]

DROP = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, { type: name.endsWith(".wav") ? "audio/wav" : "text/plain" }));
  window.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
}"""


BEHIND = """
  window.isBehind = true;
  Object.defineProperty(Document.prototype, "hidden", { get: () => isBehind });
  Object.defineProperty(Notification, "permission", { get: () => "granted" });
  Notification.requestPermission = async () => "granted";
  ServiceWorkerRegistration.prototype.showNotification = async (text, { data }) => {
    document.body.dataset.notice = `${text} ${data.url}`;
  };
"""
"""The page is behind others, and keeps the notices, which no headless browser shows."""


LOOK = "isBehind = false; document.dispatchEvent(new Event('visibilitychange')); isBehind = true"
"""The page asks at once for what is running, and is behind others again when it hears."""


def drop(page: Page, name: str, content: bytes) -> None:
    page.evaluate(DROP, [name, base64.b64encode(content).decode()])


def row(page: Page, name: str) -> Locator:
    return page.locator(".session-row").filter(has_text=name)


def test_a_dropped_file_is_transcribed_and_the_list_of_others_follows_until_it_is_a_row(
    anna: BrowserContext, tmp_path: Path
) -> None:
    watching, page = anna.new_page(), anna.new_page()
    watching.goto("/")
    page.goto("/")
    drop(page, "notes.txt", b"no recording")
    expect(page.locator(".toast")).to_have_text("notes.txt is no recording.")
    drop(page, "监事会.wav", write_wav(tmp_path / "a.wav", SPOKEN.audio(pause_s=1.2)).read_bytes())
    expect(page.locator(".upload", has_text="监事会.wav")).to_contain_text("Transcribed")
    expect(page.locator(".toast")).to_have_text(re.compile("监事会.wav is transcribed"))
    expect(row(page, "监事会")).to_be_visible()
    expect(row(watching, "监事会").locator(".talk path").first).to_be_attached()
    expect(row(watching, "监事会").locator(".excerpt")).to_have_text(TEXTS[0])


def page_behind_with_notices(context: BrowserContext) -> Page:
    """The start page, whose reader has asked for notices and gone on to another page."""
    page = context.new_page()
    page.add_init_script(BEHIND)
    page.goto("/")
    button = page.get_by_role("button", name="Tell me when a meeting begins")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    return page


def test_a_meeting_that_begins_is_a_card_with_what_was_said_last(anna: BrowserContext) -> None:
    watching, page = anna.new_page(), anna.new_page()
    watching.goto("/")
    behind = page_behind_with_notices(anna)
    start_recording(page)
    card = watching.locator(".live-card")
    expect(card.locator("h3")).to_contain_text("Meeting, ")
    expect(card.locator(".live-lines strong").last).to_be_visible()
    behind.evaluate(LOOK)
    key = end_recording(page)
    notice = re.compile(f"^“Meeting, .*” has begun. .*/sessions/{key}/$")
    expect(behind.locator("body")).to_have_attribute("data-notice", notice)
    expect(watching.locator(f'.live-card[data-key="{key}"]')).to_have_count(0)
    expect(watching.locator(f'.session-row[data-key="{key}"]')).to_be_visible()


def test_several_are_tagged_deleted_and_had_back(site: Site, page: Page) -> None:
    # On a day of their own, however many meetings other tests have held.
    day = "2026-02-03"
    site.change(
        "UPDATE sessions_app_session SET created_at = ? WHERE key IN ('budget', 'review')", f"{day} 12:00:00"
    )
    page.goto(f"/?first_day={day}&last_day={day}")
    for name in ("预算复核", "产品评审会"):
        row(page, name).locator(".select-row").check()
    expect(page.locator("#selected-count")).to_have_text("2 selected")
    page.get_by_role("button", name="Tag…").click()
    page.get_by_label("Tag", exact=True).fill("第四季度")
    page.keyboard.press("Enter")
    expect(row(page, "预算复核").locator(".label")).to_have_text("第四季度")
    expect(page.locator("#selection")).to_be_hidden()

    for name in ("预算复核", "产品评审会"):
        row(page, name).locator(".select-row").check()
    page.locator("#selection").get_by_role("button", name="Delete").click()
    expect(row(page, "预算复核")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "预算复核").locator(".label")).to_have_text("第四季度")

    row(page, "预算复核").locator(".select-row").check()
    page.locator("#selection").get_by_role("button", name="Delete").click()
    expect(row(page, "预算复核")).to_have_count(0)
    page.get_by_role("link", name="Trash").click()
    in_trash = page.locator(".trash-row", has_text="预算复核")
    expect(in_trash.locator(".days-left")).to_have_text("30 days left")
    in_trash.get_by_role("button", name="Restore").click()
    expect(in_trash).to_have_count(0)
    assert site.rows("SELECT trashed_at FROM sessions_app_session WHERE key = 'budget'") == [(None,)]
