"""What axe finds on the pages, in light and in dark; and what people need who do not see, or not well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, Literal, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from .browsing import CHINESE, ENGLISH, Site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]


def violations(page: Page) -> str:
    """What axe objects to, for people; "" if it is content."""
    results = Axe().run(page)
    return results.generate_report() if results.violations_count else ""


def edit_and_find(page: Page) -> None:
    page.locator("#lines .line").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".text-field")).to_be_focused()
    page.locator("#find-open").click()
    page.locator("#find-text").fill("预算")
    expect(page.locator("#find-list li")).not_to_have_count(0)


def open_dialog(button: str, dialog: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.locator(button).first.click()
        expect(page.locator(dialog)).to_be_visible()

    return act


def filter_and_select(page: Page) -> None:
    page.locator(".filters summary").click()
    page.locator(".select-row").first.check()
    page.get_by_role("toolbar").get_by_role("button").first.click()
    expect(page.locator("#tag-dialog")).to_be_visible()


def open_speaker_menu(page: Page) -> None:
    page.locator("#lines .line").nth(1).focus()
    page.keyboard.press("s")
    expect(page.locator(".speaker-menu")).to_be_visible()


def open_notes_and_tracks(page: Page) -> None:
    page.locator("#tracks-open").click()
    page.locator(".track-name").first.click()
    expect(page.locator("#only")).to_be_visible()
    page.locator("#lines .line:visible").first.focus()
    page.keyboard.press("n")
    expect(page.locator("#note-text")).to_be_focused()


def open_keyboard_map(page: Page) -> None:
    page.locator("#lines .line").nth(1).focus()
    page.keyboard.press("Shift+Slash")
    expect(page.locator("dialog[open]")).to_be_visible()


EARLIER_VERSIONS = re.compile("^(Earlier versions|历史版本)$")


def open_versions(page: Page) -> None:
    row = page.locator("#lines .line").nth(1)
    row.hover()
    row.locator("[data-action=more]").click()
    page.locator(".menu").get_by_role("menuitem", name=EARLIER_VERSIONS).click()
    expect(page.locator("dialog[open] .version")).not_to_have_count(0)


def open_deletion(page: Page) -> None:
    page.locator("#more-open").click()
    page.locator(".menu .is-dangerous").click()
    expect(page.locator("#delete-dialog")).to_be_visible()


def nothing(page: Page) -> None:
    expect(page.get_by_role("main")).to_be_visible()


def follow(link: str) -> Callable[[Page], None]:
    """Go on by the first such link."""

    def act(page: Page) -> None:
        page.get_by_role("main").locator(link).first.click()
        expect(page.get_by_role("main")).to_be_visible()

    return act


PERSON = "h2 a[href*='/people/']"


def enroll_somebody(page: Page) -> None:
    follow(PERSON)(page)
    follow("a[href$='/enroll/']")(page)


def make_team(page: Page) -> None:
    name = f"Board, {page.locator('html').get_attribute('lang')}"
    page.locator("[name=name]").fill(name)
    page.locator("main form button[type=submit], main form button:not([type])").first.click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def make_webhook(page: Page) -> None:
    page.locator("[name=name]").fill("n8n")
    page.locator("[name=url]").fill("http://127.0.0.1:9/hook")
    page.get_by_role("button", name=re.compile("^(Go on to the secret|下一步：密钥)$")).click()
    page.get_by_role("link", name=re.compile("^(Done|完成)$")).click()
    page.get_by_role("button", name=re.compile("^(Send a test|发送测试)$")).click()
    expect(page.get_by_text(re.compile("ASR_WEBHOOK_NETWORKS"))).to_be_attached()


# Each page, and what is opened on it: a visitor, an address, an act.
MEETING = "/sessions/sample-meeting/"
PAGES: dict[str, tuple[str | None, str, Callable[[Page], None]]] = {
    "login": (None, "/login/", nothing),
    "list": ("anna", "/", nothing),
    "list, filtering and selecting": ("anna", "/", filter_and_select),
    "trash": ("anna", "/trash/", nothing),
    "search": ("anna", "/?q=预算", nothing),
    "record": ("anna", "/record/", nothing),
    "meeting": ("anna", MEETING, nothing),
    "meeting to a reader": (None, MEETING, nothing),
    "editing and finding": ("anna", MEETING, edit_and_find),
    "naming a speaker": ("anna", MEETING, open_speaker_menu),
    "one speaker": ("anna", MEETING, open_dialog(".person", "dialog[open]")),
    "exporting": ("anna", MEETING, open_dialog("#export-open", "#export-dialog")),
    "sharing": ("anna", MEETING, open_dialog("#share-open", "#share-dialog")),
    "notes, and one speaker alone": ("anna", MEETING, open_notes_and_tracks),
    "the keyboard map": ("anna", MEETING, open_keyboard_map),
    "a line's versions": ("anna", MEETING, open_versions),
    "deleting": ("anna", MEETING, open_deletion),
    "captions": ("anna", f"{MEETING}captions/", nothing),
    "on paper": ("anna", f"{MEETING}paper/", nothing),
    "asking all meetings": ("anna", "/ask/", nothing),
    "one's account": ("anna", "/account/", nothing),
    "one's password": ("anna", "/account/password/", nothing),
    "the second step": ("anna", "/account/second-factor/", nothing),
    "nothing there": ("anna", "/no/such/page", nothing),
    "nothing for you": ("anna", "/accounts/", nothing),
    "without a network": (None, "/offline/", nothing),
    "the API's reference": (None, "/api/docs", nothing),
    "models": ("admin", "/models/", nothing),
    "people": ("admin", "/people/", nothing),
    "a person": ("admin", "/people/", follow(PERSON)),
    "a new person": ("admin", "/people/new/", nothing),
    "enrolling": ("admin", "/people/", enroll_somebody),
    "accounts": ("admin", "/accounts/", nothing),
    "an account": ("admin", "/accounts/2/", nothing),
    "a new account": ("admin", "/accounts/new/", nothing),
    "teams": ("admin", "/teams/", nothing),
    "a team": ("admin", "/teams/new/", make_team),
    "rules": ("admin", "/rules/", nothing),
    "webhooks": ("admin", "/webhooks/", nothing),
    "a new webhook": ("admin", "/webhooks/new/", nothing),
    "a webhook": ("admin", "/webhooks/new/", make_webhook),
}

# Of Django's admin: a list, and each form that is unlike the others.
ADMIN_PAGES = [
    "", "sessions_app/accesstoken/", "sessions_app/accesstoken/add/", "sessions_app/session/1/change/",
    "auth/user/1/change/", "auth/group/1/change/", "speakers/speaker/1/change/",
]  # fmt: skip


SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
TELEPHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 720}


class Seen(NamedTuple):
    """What was seen of a page."""

    width: int
    """In a window as wide as a telephone."""

    violations: str


def visit(site: Site, browser: Browser, **options: Any) -> Iterator[tuple[str, Page]]:
    """Each page in turn, as a browser with these options has it."""
    for user in ("anna", "admin", None):
        with site.context(browser, user, **options) as context:
            page = context.new_page()
            for name, (visitor, address, act) in PAGES.items():
                if visitor == user:
                    page.goto(address)
                    act(page)
                    yield name, page


# Colours do not depend on the language, nor words on the colours: all pages twice show both of both.
@pytest.fixture(
    scope="module",
    params=[(ENGLISH, "light", DESK), (CHINESE, "dark", TELEPHONE)],
    ids=["English, light, at a desk", "Chinese, dark, by telephone"],
)
def seen(request: pytest.FixtureRequest, site: Site, browser: Browser) -> dict[str, Seen]:
    """All pages in one language, one colour scheme and one size of window."""
    language, scheme, size = request.param
    found = {}
    for name, page in visit(site, browser, language=language, color_scheme=scheme, viewport=TELEPHONE):
        width = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size(size)
        found[name] = Seen(width, violations(page))
        page.set_viewport_size(TELEPHONE)
    return found


def test_axe_finds_no_violation(seen: dict[str, Seen]) -> None:
    assert {name: page.violations for name, page in seen.items() if page.violations} == {}
    assert seen.keys() == PAGES.keys()


def test_no_page_is_wider_than_a_telephone(seen: dict[str, Seen]) -> None:
    assert {name: page.width for name, page in seen.items()} == dict.fromkeys(PAGES, TELEPHONE["width"])


def test_axe_finds_no_violation_in_the_admin(site: Site, browser: Browser) -> None:
    found = {}
    with site.context(browser, "admin", reduced_motion="reduce") as context:
        page = context.new_page()
        for address, scheme in zip(ADMIN_PAGES, cycle(SCHEMES), strict=False):
            page.emulate_media(color_scheme=scheme)
            page.goto(f"/admin/{address}")
            found[address] = violations(page)
    assert {address: report for address, report in found.items() if report} == {}


def test_a_title_has_the_whole_width_of_a_telephone(site: Site, browser: Browser) -> None:
    with site.context(browser, "anna", viewport=TELEPHONE) as context:
        page = context.new_page()
        page.goto(MEETING)
        title = page.locator("#title")
        lines = title.evaluate(
            "(title) => title.offsetHeight / parseFloat(getComputedStyle(title).lineHeight)"
        )
        assert round(lines) == 1


class TestTranscript:
    def test_is_a_log_whose_lines_tell_who_speaks_and_in_which_language(self, page: Page) -> None:
        page.goto(MEETING)
        log = page.get_by_role("log")
        expect(log).to_have_attribute("aria-live", "polite")
        expect(log.get_by_role("group", name="林静, 0:05")).to_be_visible()
        expect(log.locator(".text").first).to_have_attribute("lang", "zh-Hans")

    def test_shows_what_people_said_as_text_whatever_it_is(self, site: Site, page: Page) -> None:
        page.goto("/sessions/markup/")
        page.locator("#lines .line").nth(3).focus()
        page.keyboard.press("Enter")
        page.locator(".text-field").fill("<img src=x onerror=alert(1)> & <b>bold</b>")
        page.keyboard.press("Control+Enter")
        text = page.locator("#lines .line .text").nth(3)
        expect(text).to_have_text("<img src=x onerror=alert(1)> & <b>bold</b>")
        page.reload()
        expect(text).to_have_text("<img src=x onerror=alert(1)> & <b>bold</b>")
        expect(page.locator("#lines img, #lines b")).to_have_count(0)


class TestMotion:
    def test_stops_for_those_whom_it_disturbs(self, site: Site, browser: Browser) -> None:
        with site.context(browser, "anna", reduced_motion="reduce") as context:
            page = context.new_page()
            page.goto("/")
            moving = "document.getAnimations().filter(a => a.playState === 'running').length"
            assert page.evaluate(moving) == 0


class TestLanguages:
    def test_the_page_and_its_scripts_speak_the_browser_s_language(
        self, site: Site, browser: Browser
    ) -> None:
        with site.context(browser, "anna", language=CHINESE) as context:
            page = context.new_page()
            page.goto(MEETING)
            expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
            expect(page.locator("#state")).to_have_text("已结束")
            expect(page.locator("#people .name").nth(2)).to_have_text("发言人 1")
            page.locator("#lines .line").first.focus()
            page.keyboard.press("Shift+Slash")
            expect(page.get_by_role("dialog", name="键盘快捷键")).to_be_visible()

    def test_can_be_switched_on_every_page(self, page: Page) -> None:
        page.goto(MEETING)
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("button", name="导出")).to_be_visible()
        assert page.url.endswith(MEETING)
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("button", name="Export")).to_be_visible()
