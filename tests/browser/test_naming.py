"""Saying who spoke: on every line of that voice, on every open page, at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from .browsing import Site, shown_speakers, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]

STRANGERS = [*["Speaker 1", "Speaker 2"] * 2, "Speaker 3"]


def open_naming(page: Page, index: int) -> None:
    """Ask who says this line."""
    row = page.locator("#lines .line").nth(index)
    row.hover()
    row.get_by_role("button", name="Speaker", exact=True).click()
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()


def choose_new(page: Page, name: str) -> None:
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("button", name=f"New: “{name}”").click()


def expect_colours(page: Page, colours: list[int]) -> None:
    expect(page.locator("#lines .line")).to_have_class(
        [re.compile(rf"\bvoice-{colour}\b") for colour in colours]
    )


def expect_speakers(page: Page, names: list[str]) -> None:
    expect(page.locator("#lines .line .speaker .name")).to_have_text(names)


def test_a_name_goes_to_all_lines_of_the_voice_on_all_open_pages(
    site: Site, browser: Browser, page: Page
) -> None:
    with site.context(browser, "boris") as other:
        hers, his = page, other.new_page()
        for shown in (hers, his):
            shown.goto("/sessions/naming/")
            expect_speakers(shown, STRANGERS)
            shown.evaluate("document.body.dataset.since = 'then'")

        open_naming(hers, 2)
        expect(hers.get_by_role("radio", name="All 2 lines of Speaker 1")).to_be_checked()
        choose_new(hers, "周敏")

        for shown in (hers, his):
            expect_speakers(shown, ["周敏", "Speaker 2", "周敏", "Speaker 2", "Speaker 3"])
            expect(shown.locator("#people .name")).to_have_text(["周敏", "Speaker 2", "Speaker 3"])
            expect(shown.locator("body")).to_have_attribute("data-since", "then")  # it was not loaded anew

        open_naming(his, 1)
        his.get_by_role("radio", name="Only this line").check()
        his.locator(".choices").get_by_role("button", name="周敏").click()
        for shown in (hers, his):
            expect_speakers(shown, ["周敏", "周敏", "周敏", "Speaker 2", "Speaker 3"])
        hers.reload()
        expect(hers.locator("#lines .line")).to_have_count(len(STRANGERS))
        assert shown_speakers(hers) == ["周敏", "周敏", "周敏", "Speaker 2", "Speaker 3"]


def test_a_voice_that_was_named_can_be_remembered_with_consent(site: Site, page: Page) -> None:
    page.goto("/sessions/remembering/")
    open_naming(page, 0)
    choose_new(page, "吴桐")
    page.get_by_role("button", name="Remember this voice…").click()
    dialog = page.get_by_role("dialog", name="Remember the voice of 吴桐?")
    expect(dialog).to_contain_text("0:08")
    dialog.get_by_role("checkbox", name="agrees to it").check()
    dialog.get_by_role("button", name="Remember").click()
    expect(dialog.get_by_role("status")).to_have_text("This voice is remembered from now on.")
    query = (
        "SELECT v.source FROM speakers_voiceprint v JOIN speakers_speaker s ON s.id = v.speaker_id"
        " JOIN speakers_consent c ON c.id = v.consent_id WHERE s.name = '吴桐'"
    )
    assert site.rows(query) == [("transcript",)]


def test_who_can_be_chosen_is_within_the_window_also_when_more_people_come(page: Page) -> None:
    page.goto("/sessions/one-line/")
    for height in range(480, 720, 30):
        page.set_viewport_size({"width": 1280, "height": height})
        open_naming(page, 1)
        expect(page.locator(".choices").get_by_role("button", name="林静")).to_be_visible()
        bottom = "document.querySelector('.speaker-menu').getBoundingClientRect().bottom <= innerHeight"
        wait_for(page, bottom, timeout_s=20)
        page.keyboard.press("Escape")


class TestColours:
    """Are the same before and after a reload, and on a page that only looked on."""

    def test_stay_when_a_voice_turns_out_to_be_another_s(self, page: Page) -> None:
        page.goto("/sessions/merging/")
        open_naming(page, 0)
        page.locator(".choices").get_by_role("button", name="Speaker 2").click()
        expect_speakers(page, [*["Speaker 2"] * 4, "Speaker 3"])
        expect_colours(page, [2, 2, 2, 2, 3])
        page.reload()
        expect_colours(page, [2, 2, 2, 2, 3])

    def test_are_new_for_somebody_who_said_only_one_line_of_a_voice(
        self, site: Site, browser: Browser, page: Page
    ) -> None:
        with site.context(browser, "boris") as other:
            hers, his = page, other.new_page()
            for shown in (hers, his):
                shown.goto("/sessions/one-line/")
                expect_colours(shown, [1, 2, 1, 2, 3])
            open_naming(hers, 2)
            hers.get_by_role("radio", name="Only this line").check()
            choose_new(hers, "郑一")
            for shown in (hers, his):
                expect_speakers(shown, ["Speaker 1", "Speaker 2", "郑一", "Speaker 2", "Speaker 3"])
                expect_colours(shown, [1, 2, 4, 2, 3])
            hers.reload()
            expect_colours(hers, [1, 2, 4, 2, 3])
