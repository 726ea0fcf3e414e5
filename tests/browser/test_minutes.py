"""Minutes beside a meeting: shown, played where they were said, and changed by hand."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .browsing import PATIENCE_MS

pytestmark = [pytest.mark.slow(5), pytest.mark.xdist_group("browser: pages")]

PROMISE = "我明天上午把测试报告发给大家。"


def test_minutes_are_shown_play_their_lines_and_keep_what_people_write(page: Page) -> None:
    page.goto("/sessions/sample-meeting/")
    # A worker makes them in its own time.
    while not page.get_by_role("button", name="Minutes", exact=True).is_visible():
        page.wait_for_timeout(500)
        page.reload()
        page.wait_for_load_state("networkidle")
    minutes = page.get_by_role("region", name="Minutes")
    promise = minutes.locator(".statement", has_text=PROMISE).first
    expect(promise).to_contain_text("王磊", timeout=PATIENCE_MS)
    expect(promise).to_contain_text("明天上午")

    promise.get_by_role("button", name=re.compile("^Hear it at")).click()
    cited = page.locator("#lines .line.is-linked")
    expect(cited).to_contain_text(PROMISE)
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()

    promise.hover()
    promise.get_by_role("button", name="Reword").click()
    minutes.get_by_role("textbox", name="Text").fill("发测试报告")
    minutes.get_by_label("Who").select_option("林静")
    minutes.get_by_role("button", name="Save").click()
    reworded = minutes.locator(".statement", has_text="发测试报告")
    expect(reworded).to_contain_text("林静")
    reworded.get_by_role("checkbox", name="Done").check()
    expect(minutes.locator(".statement.is-done")).to_have_count(1)

    page.reload()
    expect(minutes.locator(".statement.is-done")).to_contain_text("发测试报告")
    minutes.locator(".statement.is-done").hover()
    minutes.locator(".statement.is-done").get_by_role("button", name="Take out").click()
    expect(minutes.locator(".statement.is-done")).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(minutes.locator(".statement.is-done")).to_have_count(1)


def test_a_meeting_is_asked_and_plays_the_lines_that_match(page: Page) -> None:
    page.goto("/sessions/sample-meeting/")
    while not page.get_by_role("button", name="Minutes", exact=True).is_visible():
        page.wait_for_timeout(500)
        page.reload()
        page.wait_for_load_state("networkidle")
    page.get_by_role("searchbox", name="Ask this meeting").fill("测试报告什么时候发？")
    page.keyboard.press("Enter")

    found = page.locator("#ask-found")
    expect(found.get_by_role("heading", name="Lines that match best")).to_be_visible()
    best = found.locator(".statement").first
    expect(best).to_contain_text("测试报告")
    expect(best).to_contain_text("王磊")
    best.get_by_role("button", name=re.compile("^Hear it at")).click()
    expect(page.locator("#lines .line.is-linked")).to_contain_text("测试报告")
    page.get_by_role("button", name="Pause", exact=True).click()


def test_all_meetings_are_asked_and_lead_to_what_was_said(page: Page) -> None:
    page.goto("/ask/")
    page.get_by_role("searchbox").fill("测试报告什么时候发？")
    page.keyboard.press("Enter")

    best = page.locator("#ask-found .statement").first
    expect(best).to_contain_text("测试报告")
    best.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/sessions/sample-meeting/#line-\d+$"))
    expect(page.locator("#lines .line.is-linked")).to_contain_text("测试报告")

    page.goto("/ask/")
    page.get_by_role("searchbox").fill("大象")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No line matches.")).to_be_visible()
