"""A meeting on a telephone: the screen is for what is said."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from .browsing import Site, end_recording, start_recording

pytestmark = [pytest.mark.slow(8), pytest.mark.xdist_group("browser: meetings")]

PHONE = {"width": 390, "height": 844}
MIN_SHARE = 0.6

SHARE = """() => {
    const player = document.getElementById("player");
    const end = player.hidden ? innerHeight : player.getBoundingClientRect().top;
    return (end - document.querySelector(".transcript").getBoundingClientRect().top) / innerHeight;
}"""


def test_the_first_screen_while_recording_is_mostly_transcript(site: Site, browser: Browser) -> None:
    with site.context(browser, "anna", viewport=PHONE, is_mobile=True, has_touch=True) as context:
        page = context.new_page()
        start_recording(page)
        expect(page.locator("#lines .line")).to_have_count(2)
        assert page.evaluate("scrollY") == 0
        assert page.evaluate(SHARE) >= MIN_SHARE
        for name in ("Bookmark this moment", "Pause", "End"):
            expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)

        page.get_by_role("button", name="Bookmark this moment").tap()
        expect(page.locator("#note-count")).to_have_text("1")
        page.get_by_role("button", name="Pause").tap()
        expect(page.locator("#recorder-word")).to_have_text("Paused")
        expect(page.get_by_role("button", name="End", exact=True)).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name="Menu").tap()
        expect(page.get_by_role("button", name="Log out")).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
        end_recording(page)

        page.goto("/sessions/sample-meeting/")
        assert page.evaluate(SHARE) >= MIN_SHARE


def test_a_line_has_the_whole_width_also_where_somebody_speaks_too(site: Site, browser: Browser) -> None:
    with site.context(browser, "anna", viewport=PHONE, is_mobile=True, has_touch=True) as context:
        page = context.new_page()
        page.goto("/sessions/at-once/")
        expect(page.locator("#lines .overlap").first).to_be_visible()
        widths = page.locator("#lines .text").evaluate_all("texts => texts.map((text) => text.clientWidth)")
    assert min(widths) > 0.9 * PHONE["width"]


@pytest.mark.parametrize("width", [390, 768, 1024])
def test_the_title_of_a_meeting_has_a_line_of_its_own_where_there_is_no_room_beside_the_tools(
    site: Site, browser: Browser, width: int
) -> None:
    with site.context(browser, "anna", viewport={"width": width, "height": 1024}) as context:
        page = context.new_page()
        page.goto("/sessions/one-line/")
        page.evaluate("document.getElementById('title').textContent = 'Weekly meeting of the whole team'")
        box = page.locator("#title").bounding_box()
    assert box
    assert box["height"] < 80
