"""How the admin looks on a small screen, and what all pages ask for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from .browsing import CHINESE, ENGLISH, Site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]

TABLES = [
    "sessions_app/session", "sessions_app/utterance", "sessions_app/voice", "speakers/speaker", "auth/user",
]  # fmt: skip

HIDDEN_WIDTH = (
    "(() => { const box = document.querySelector('.results'); return box.scrollWidth - box.clientWidth; })()"
)


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
def test_no_column_of_a_list_is_cut_off(site: Site, browser: Browser, language: str) -> None:
    longest = "2026-09-28 12:46:00"  # 28 Sep 2026, 12:46
    site.change("UPDATE speakers_speaker SET created_at = ?", longest)
    site.change("UPDATE speakers_consent SET expires_at = ?", longest.replace("2026", "2028"))
    viewport = {"width": 1280, "height": 800}
    with site.context(browser, "admin", language=language, viewport=viewport) as context:
        page = context.new_page()
        hidden = {}
        for table in TABLES:
            page.goto(f"/admin/{table}/")
            hidden[table] = page.evaluate(HIDDEN_WIDTH)
    assert hidden == dict.fromkeys(TABLES, 0)


FORMS = [f"/admin/{table}/add/" for table in ("speakers/speaker", "sessions_app/writingrule", "auth/user")]
ON_SMALL_SCREENS = (
    [f"/admin/{table}/" for table in TABLES] + FORMS + ["/admin/", "/admin/sessions_app/session/live/"]
)


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
@pytest.mark.parametrize("width", [390, 768])
def test_no_page_scrolls_sideways_on_a_small_screen(
    site: Site, browser: Browser, language: str, width: int
) -> None:
    viewport = {"width": width, "height": 1024}
    with site.context(browser, "admin", language=language, viewport=viewport) as context:
        page = context.new_page()
        widths = {}
        for address in ON_SMALL_SCREENS:
            page.goto(address)
            widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == dict.fromkeys(ON_SMALL_SCREENS, width)


MEETING = "/sessions/sample-meeting/"
PAGES = [
    "/", "/?q=预算", "/record/", MEETING, f"{MEETING}captions/", "/no/such/page",
    "/admin/", "/admin/speakers/speaker/1/change/", "/admin/sessions_app/session/live/", "/api/docs",
]  # fmt: skip


def test_no_page_asks_anybody_else_for_anything_nor_for_what_is_not_there(
    site: Site, browser: Browser
) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    faults: list[str] = []
    with site.context(browser, "admin") as context:
        context.on("request", lambda request: asked.append(request.url))
        context.on(
            "response",
            lambda answer: (
                wrong.append(answer.url) if answer.status >= 400 and "/no/such" not in answer.url else None
            ),
        )
        context.on("weberror", lambda fault: faults.append(str(fault.error)))
        page = context.new_page()
        for address in PAGES:
            page.goto(address)
            page.wait_for_load_state("networkidle")
    assert len(asked) > len(PAGES)
    assert [url for url in asked if not url.startswith((site.url, "data:", "blob:"))] == []
    assert wrong == []
    assert faults == []


def test_the_api_is_described_to_people(site: Site, browser: Browser) -> None:
    with site.context(browser, None) as context:
        page = context.new_page()
        page.goto("/api/docs")
        expect(page.get_by_role("link", name="POST /api/speakers/{key}/merge")).to_be_visible()
