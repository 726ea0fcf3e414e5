"""Reading along, by a link and from another machine; and taking a transcript away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.support.server import Server

from .browsing import CHINESE, ENGLISH, Site, end_recording, launch, shown_lines, start_recording, wait_for
from .conftest import SPOKEN, TEXTS
from .sample_meeting import script_file

pytestmark = [pytest.mark.slow(10), pytest.mark.xdist_group("browser: meetings")]

ELSEWHERE = "meeting-room.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that trusts nobody for being on its machine, and has a name in the network."""
    data_dir = tmp_path_factory.mktemp("guarded")
    models = data_dir / "meeting.toml"
    models.write_text(script_file(SPOKEN))
    hosts = f"{ELSEWHERE},127.0.0.1"
    with Server(data_dir, ASR_MODELS=str(models), ASR_ACCESS="token", ALLOWED_HOSTS=hosts) as server:
        yield Site(server)


class TestALink:
    def test_shows_what_was_said_and_what_is_said_until_it_is_revoked(
        self, guarded: Site, browser: Browser
    ) -> None:
        with guarded.context(browser, "anna") as hers, guarded.context(browser, None) as theirs:
            page, reader = hers.new_page(), theirs.new_page()
            start_recording(page)
            expect(page.locator("#lines .line")).to_have_count(2)
            reader.goto(page.url)
            expect(reader.get_by_role("button", name="Log in")).to_be_visible()

            page.get_by_role("button", name="Share").click()
            page.get_by_role("button", name="Create a link").click()
            expect(page.locator("#new-link-url")).to_have_value(re.compile("token="))
            link = page.locator("#new-link-url").input_value()
            page.get_by_role("button", name="Close").click()

            reader.goto(link)
            expect(reader.locator("#lines .line .text").first).to_have_text(TEXTS[0])
            expect(reader.locator("#lines .line")).to_have_count(len(TEXTS))
            reader.locator("#lines .line").first.hover()
            expect(reader.get_by_role("toolbar", name="This line").get_by_role("button")).to_have_count(2)
            expect(reader.get_by_role("button", name="Edit")).to_have_count(0)
            key = end_recording(page)
            expect(reader.locator("#state")).to_have_text("ended")
            assert shown_lines(reader) == guarded.lines(key) == TEXTS
            reader.locator("#lines .line .text").first.click()
            wait_for(reader, "document.getElementById('audio').currentTime > 0")

            page.get_by_role("button", name="Share").click()
            page.get_by_role("button", name="Revoke").click()
            expect(page.get_by_role("button", name="Revoke")).to_have_count(0)
            reader.goto(link)
            expect(reader.get_by_role("heading", name="There is no such meeting")).to_be_visible()


class TestFollowing:
    def test_stops_for_whoever_scrolls_up_and_goes_on_at_a_click(
        self, site: Site, browser: Browser, page: Page
    ) -> None:
        start_recording(page)
        expect(page.locator("#lines .line")).to_have_count(1)
        with site.context(browser, "boris", viewport={"width": 1100, "height": 420}) as context:
            reader = context.new_page()
            reader.goto(page.url)
            lines = reader.locator("#lines .line")
            expect(lines.nth(2)).to_be_attached()  # two may come at once
            expect(lines.last).to_be_in_viewport()
            assert reader.evaluate("scrollY") > 0
            reader.mouse.move(400, 200)
            reader.mouse.wheel(0, -5000)
            wait_for(reader, "scrollY === 0")
            jump = reader.get_by_role("button", name=re.compile(r"Jump to live( \(\d new\))?"))
            expect(jump).to_be_visible()
            assert reader.evaluate("scrollY") == 0
            reader.locator("#jump").click()
            expect(jump).to_be_hidden()
            expect(lines).to_have_count(len(TEXTS))
            expect(lines.last).to_be_in_viewport()
        end_recording(page)


class TestAnotherMachine:
    def test_over_plain_http_is_told_why_there_is_no_microphone_and_what_to_do(
        self, guarded: Site, playwright: Playwright
    ) -> None:
        browser = launch(playwright, here=ELSEWHERE)
        address = f"http://{ELSEWHERE}:{guarded.server.port}"
        with guarded.context(browser, "anna", base=address) as context:
            page = context.new_page()
            page.goto("/record/")
            expect(page.get_by_role("alert")).to_contain_text("only on pages that come over HTTPS")
            expect(page.get_by_role("button", name="Start recording")).to_be_disabled()
            page.get_by_role("radio", name="Audio file").check()
            expect(page.get_by_role("alert")).to_be_hidden()
            expect(page.get_by_role("button", name="Transcribe", exact=True)).to_be_enabled()
        browser.close()


class TestExport:
    @pytest.mark.parametrize(
        ("choice", "beginning"),
        [
            ("Word .docx", b"PK"),
            ("Text", "项目周例会".encode()),
            ("Markdown", "# 项目周例会".encode()),
            ("Subtitles", b"1\n00:00:0"),
            ("WebVTT", b"WEBVTT"),
            ("JSON", b"{"),
            ("Recording", b"fLaC"),
        ],
    )
    def test_brings_a_file_named_like_the_session(
        self, page: Page, tmp_path: Path, choice: str, beginning: bytes
    ) -> None:
        page.goto("/sessions/sample-meeting/")
        page.get_by_role("button", name="Export").click()
        page.get_by_role("radio", name=choice).check()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        assert download.value.suggested_filename.startswith("项目周例会")
        content = Path(download.value.path()).read_bytes()
        assert content.removeprefix(b"\xef\xbb\xbf").startswith(beginning)


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
def test_the_lines_that_come_before_any_script_are_those_that_scripts_make(
    site: Site, browser: Browser, language: str
) -> None:
    """What a slow network shows first does not change when all is there."""
    with site.context(browser, "anna", language=language) as context:
        page = context.new_page()
        page.goto("/sessions/sample-meeting/")
        expect(page.locator("#lines")).to_have_attribute("aria-live", "polite")
        same = page.evaluate(
            """async () => {
              const html = await (await fetch(location)).text();
              const sent = new DOMParser().parseFromString(html, "text/html").querySelectorAll("#lines > *");
              const made = document.querySelectorAll("#lines > *");
              return [...sent].map((line, index) => line.isEqualNode(made[index]) || line.outerHTML);
            }"""
        )
        assert same
        assert same == [True] * len(same)
