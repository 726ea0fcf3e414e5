"""Hearing a transcript in the browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from recognition.audio import SAMPLE_RATE

from .browsing import Site, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]

NEAR_MS = 100


def tokens(site: Site, index: int) -> list[tuple[str, int, int]]:
    """What the database knows of a line's characters: each with its start and end in samples."""
    query = (
        "SELECT tokens FROM sessions_app_utterance u JOIN sessions_app_session s ON s.id = u.session_id"
        " WHERE s.key = 'sample-meeting' ORDER BY u.start LIMIT 1 OFFSET ?"
    )
    [(value,)] = site.rows(query, index)
    return [tuple(token) for token in json.loads(value)]


def click_character(page: Page, index: int, character: int) -> None:
    place = page.locator("#lines .line .text").nth(index)
    place.scroll_into_view_if_needed()
    box = place.evaluate(
        """(text, at) => {
            const range = new Range();
            range.setStart(text.firstChild, at);
            range.setEnd(text.firstChild, at + 1);
            const {x, y, width, height} = range.getBoundingClientRect();
            return {x: x + width / 3, y: y + height / 2};
        }""",
        character,
    )
    page.mouse.click(box["x"], box["y"])


PLAYED = """(() => {
    const {played} = document.getElementById("audio");
    return Array.from({length: played.length}, (_, at) => 1000 * played.start(at));
})()"""
"""Where each span begins that the browser has sounded, in milliseconds."""


@pytest.fixture
def player(page: Page) -> Page:
    page.goto("/sessions/sample-meeting/")
    return page


class TestClicking:
    def test_a_word_plays_from_its_start(self, site: Site, player: Page) -> None:
        for line, word in [(3, 6), (16, 11), (1, 0), (21, 20)]:
            character, start, _end = tokens(site, line)[word]
            text = player.locator("#lines .line .text").nth(line).text_content() or ""
            place = [at for at, each in enumerate(text) if each.isalnum()][word]
            assert text[place] == character
            click_character(player, line, place)
            begin_ms = start * 1000 / SAMPLE_RATE
            now = "1000 * document.getElementById('audio').currentTime"
            wait_for(player, f"{now} > {begin_ms + 150} && {now} < {begin_ms + 20_000}")
            assert min(abs(played - begin_ms) for played in player.evaluate(PLAYED)) <= NEAR_MS
            player.locator("#play").click()

    def test_the_word_that_is_heard_is_marked(self, site: Site, player: Page) -> None:
        click_character(player, 3, 0)
        wait_for(player, "CSS.highlights.get('spoken').size > 0")
        # Both from the same frame, after the page has drawn it.
        marked, at_ms = player.evaluate(
            """new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve([
                String([...CSS.highlights.get("spoken")][0]),
                1000 * document.getElementById("audio").currentTime,
            ]))))"""
        )
        near = [token for token, start, end in tokens(site, 3) if start / 16 - 400 <= at_ms <= end / 16 + 400]
        assert marked in near


class TestKeyboard:
    def test_space_plays_and_pauses_and_arrows_jump(self, player: Page) -> None:
        player.locator("#lines .line").nth(2).focus()
        player.keyboard.press("Space")
        expect(player.locator("#play")).to_have_attribute("data-playing", "true")
        player.keyboard.press("Space")
        expect(player.locator("#play")).to_have_attribute("data-playing", "false")
        before = player.evaluate("document.getElementById('audio').currentTime")
        player.keyboard.press("ArrowRight")
        wait_for(player, f"document.getElementById('audio').currentTime > {before + 4.5}")

    def test_is_explained_on_the_page_and_takes_one_from_line_to_line(self, player: Page) -> None:
        player.locator("#lines .line").first.focus()
        player.keyboard.press("ArrowDown")
        expect(player.locator("#lines .line").nth(1)).to_be_focused()
        player.keyboard.press("Slash")
        expect(player.get_by_role("searchbox", name="Find in this transcript")).to_be_focused()
        player.keyboard.press("Escape")
        player.locator("#lines .line").first.focus()
        player.keyboard.press("Shift+Slash")
        expect(player.get_by_role("dialog", name="Keyboard")).to_be_visible()
        player.keyboard.press("Escape")
        expect(player.get_by_role("dialog", name="Keyboard")).to_be_hidden()


def test_of_people_who_speak_at_once_all_are_lit(page: Page) -> None:
    page.goto("/sessions/at-once/")
    marks = ["王磊 speaks too", "at the same time as 林静", "at the same time as 王磊"]
    expect(page.locator("#lines .overlap")).to_contain_text([*marks, "王磊, Speaker 1 speak too"])

    page.get_by_role("slider", name="Position").press("ArrowRight")  # to 5 s, without playing

    expect(page.locator("#lines .line.is-playing .text")).to_have_text(
        ["我们先看第三季度的预算，差旅费用比计划多出一成。", "等一下，这里面包括展会的费用吗？"]
    )
    expect(page.locator("#people .is-sounding .name")).to_have_text(["林静", "王磊"])
