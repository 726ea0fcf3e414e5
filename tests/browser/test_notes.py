"""Notes at moments of a meeting, and reading some of its speakers alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from .browsing import Site

pytestmark = [pytest.mark.slow(5), pytest.mark.xdist_group("browser: pages")]


class TestNotes:
    def test_are_written_by_one_key_read_live_and_answered(
        self, site: Site, browser: Browser, page: Page
    ) -> None:
        with site.context(browser, "boris") as context:
            reader = context.new_page()
            for each in (page, reader):
                each.goto("/sessions/versions/")
            lines = page.locator("#lines .line")
            lines.nth(1).focus()
            page.keyboard.press("n")
            page.keyboard.type("核对 the figures")
            page.keyboard.press("Enter")
            expect(lines.nth(1).locator(".line-note")).to_have_text("anna: 核对 the figures")
            expect(reader.locator("#note-list .remark-text")).to_have_text("核对 the figures")

            reader.locator(".remark").get_by_role("button", name="Answer").click()
            reader.keyboard.type("Done.")
            reader.keyboard.press("Enter")
            expect(page.locator(".comment")).to_contain_text("Done.")

            lines.nth(2).focus()
            page.keyboard.press("b")
            expect(reader.locator("#note-count")).to_have_text("2")
            page.get_by_role("button", name="Remove").last.click()
            expect(reader.locator("#note-count")).to_have_text("1")
            page.locator(".toast").get_by_role("button", name="Undo").click()
            expect(reader.locator("#note-count")).to_have_text("2")


class TestSpeakers:
    def test_one_is_read_alone_and_found_by_the_keyboard(self, page: Page) -> None:
        page.goto("/sessions/sample-meeting/")
        page.get_by_role("button", name="Who speaks when").click()
        track = page.get_by_role("slider", name="When 王磊 speaks")
        track.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".line.is-playing .name")).to_have_text("王磊")
        expect(track).to_have_attribute("aria-valuetext", re.compile(r"^0:17, time 1 of \d+"))

        page.get_by_role("button", name="Read 王磊 alone").click()
        names = page.locator("#lines .line:visible .name").all_text_contents()
        assert set(names) == {"王磊"}
        expect(page.locator("#only-whom")).to_have_text(re.compile(f"^王磊 alone: {len(names)} lines of "))
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Show everybody").click()
        expect(page.locator("#lines .line:visible")).to_have_count(page.locator("#lines .line").count())
