"""Who speaks has one colour, wherever a session is shown."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .browsing import Site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]

MEETING = "/sessions/sample-meeting/"


def colours(page: Page, rows: str) -> dict[str, set[str]]:
    """The classes that colour these rows, by the name of who speaks."""
    found: dict[str, set[str]] = {}
    for row in page.locator(rows).all():
        name = row.locator(".name").text_content() or ""
        found.setdefault(name, set()).update(re.findall(r"voice-\d+", row.get_attribute("class") or ""))
    return found


def test_captions_give_everyone_the_colour_of_the_transcript(site: Site, page: Page) -> None:
    page.goto(MEETING)
    expect(page.locator("#lines .line")).to_have_count(len(site.lines("sample-meeting")))
    transcript = colours(page, "#lines .line")
    assert len(transcript) == 3
    assert len(set.union(*transcript.values())) == 3
    assert colours(page, "#people li") == transcript

    page.goto(f"{MEETING}captions/?lines=12")
    expect(page.locator(".caption")).to_have_count(12)
    captions = colours(page, ".caption")
    # Their order of appearance among the latest lines is another one.
    assert list(captions) != list(transcript)
    assert captions == {name: transcript[name] for name in captions}
