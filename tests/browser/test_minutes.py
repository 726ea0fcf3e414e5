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
