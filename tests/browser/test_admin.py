"""How the admin looks on a small screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from .browsing import CHINESE, ENGLISH, Site

pytestmark = pytest.mark.slow

TABLES = [
    "sessions_app/session", "sessions_app/utterance", "sessions_app/voice", "speakers/speaker", "auth/user",
]  # fmt: skip

HIDDEN_WIDTH = (
    "(() => { const box = document.querySelector('.results'); return box.scrollWidth - box.clientWidth; })()"
)


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
def test_no_column_of_a_list_is_cut_off(site: Site, browser: Browser, language: str):
    viewport = {"width": 1280, "height": 800}
    with site.context(browser, "admin", language=language, viewport=viewport) as context:
        page = context.new_page()
        hidden = {}
        for table in TABLES:
            page.goto(f"/admin/{table}/")
            hidden[table] = page.evaluate(HIDDEN_WIDTH)
    assert hidden == dict.fromkeys(TABLES, 0)
